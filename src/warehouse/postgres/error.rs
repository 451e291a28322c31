//! The server's errors as ours.

use tokio_postgres::Error;
use tokio_postgres::error::{ErrorPosition, SqlState};

use crate::warehouse::{WarehouseError, line_of};

/// Takes over an error of a statement, in the server's own words.
pub(super) fn failed(sql: &str, error: &Error) -> WarehouseError {
    let Some(said) = error.as_db_error() else {
        return WarehouseError::Lost { message: plain(error) };
    };
    let line = match said.position() {
        Some(ErrorPosition::Original(position)) => {
            let offset = sql.char_indices().nth(position.saturating_sub(1) as usize).map_or(0, |(at, _)| at);
            Some(line_of(sql, offset))
        }
        Some(ErrorPosition::Internal { .. }) | None => None,
    };
    let mut message = said.message().to_owned();
    for more in [said.detail(), said.hint()].into_iter().flatten() {
        message.push_str("; ");
        message.push_str(&more.replace('\n', " "));
    }
    if said.code() == &SqlState::LOCK_NOT_AVAILABLE {
        return WarehouseError::Locked { sql: sql.to_owned(), message };
    }
    WarehouseError::Statement { sql: sql.to_owned(), message, line }
}

/// Takes over an error of connecting.
pub(super) fn unreachable(place: &str, error: &Error) -> WarehouseError {
    let path = place.to_owned();
    let Some(said) = error.as_db_error() else {
        return WarehouseError::Unreachable { path, message: plain(error) };
    };
    let message = said.message().to_owned();
    let refused = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ];
    if refused.contains(said.code()) {
        return WarehouseError::Permission { path, message };
    }
    WarehouseError::Unreachable { path, message }
}

/// The words of an error with those of its cause.
fn plain(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
