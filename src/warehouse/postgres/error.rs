//! The server's errors as ours.

use tokio_postgres::Error;
use tokio_postgres::error::{ErrorPosition, SqlState};

use crate::warehouse::{WarehouseError, line_of, name};

/// Takes over an error of a statement, in the server's own words; where `user` lacks a right, with what gives it.
pub(super) fn failed(sql: &str, error: &Error, user: &str) -> WarehouseError {
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
    if said.code() == &SqlState::INSUFFICIENT_PRIVILEGE
        && let Some(grant) = grant(said.message(), sql, user)
    {
        message.push_str("; what is missing: ");
        message.push_str(&grant);
    }
    let gone = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    if gone.contains(said.code()) || said.code().code().starts_with("08") {
        return WarehouseError::Lost { message };
    }
    if said.code() == &SqlState::LOCK_NOT_AVAILABLE {
        return WarehouseError::Locked { sql: sql.to_owned(), message, holders: Vec::new() };
    }
    WarehouseError::Statement { sql: sql.to_owned(), message, line }
}

/// Gives the statement that gives a right, from the server's words about the one that is missing.
fn grant(said: &str, sql: &str, user: &str) -> Option<String> {
    let user = name(user);
    let upper = sql.to_uppercase();
    if let Some(denied) = said.strip_prefix("permission denied for ") {
        let (kind, object) = denied.split_once(' ')?;
        let right = match kind {
            "database" => "CREATE",
            "schema" => "USAGE, CREATE",
            "function" | "procedure" => "EXECUTE",
            "type" | "language" => "USAGE",
            "sequence" => "USAGE, SELECT",
            _ if upper.contains("REFERENCES ") => "REFERENCES",
            _ if upper.starts_with("INSERT") => "INSERT",
            _ if upper.starts_with("DELETE") => "DELETE",
            _ => "SELECT",
        };
        let kind = if ["view", "materialized view", "relation"].contains(&kind) { "table" } else { kind };
        let object = written(sql, object);
        return Some(format!("GRANT {right} ON {} {object} TO {user}", kind.to_uppercase()));
    }
    let (kind, object) = said.strip_prefix("must be owner of ")?.rsplit_once(' ')?;
    let kind = if kind == "relation" { "table" } else { kind };
    let object = written(sql, object);
    Some(format!("ALTER {} {object} OWNER TO {user}, or GRANT its owner TO {user}", kind.to_uppercase()))
}

/// The server names an object without its schema: that is taken from the statement, where it stands there.
fn written(sql: &str, object: &str) -> String {
    let object = name(object);
    let ending = format!(".{object}");
    let part = |next: char| next.is_alphanumeric() || matches!(next, '_' | '.' | '"');
    let placed = sql.split(|next| !part(next)).find(|word| word.ends_with(&ending));
    placed.map_or(object, str::to_owned)
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
        return WarehouseError::Denied { server: path, message };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_right_is_missing() {
        for (said, sql, given) in [
            (
                "permission denied for database shop",
                "CREATE SCHEMA a",
                "GRANT CREATE ON DATABASE shop TO ada",
            ),
            (
                "permission denied for schema a",
                "CREATE TABLE a.t ()",
                "GRANT USAGE, CREATE ON SCHEMA a TO ada",
            ),
            ("permission denied for table t", "SELECT 1 FROM raw.t", "GRANT SELECT ON TABLE raw.t TO ada"),
            ("permission denied for table t", "CREATE VIEW v AS SELECT 1", "GRANT SELECT ON TABLE t TO ada"),
            ("permission denied for view V", "SELECT 1", "GRANT SELECT ON TABLE \"V\" TO ada"),
            (
                "permission denied for table t",
                "ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES t",
                "GRANT REFERENCES ON TABLE t TO ada",
            ),
            (
                "must be owner of table t",
                "ALTER TABLE a.t ADD b int",
                "ALTER TABLE a.t OWNER TO ada, or GRANT its owner TO ada",
            ),
            (
                "must be owner of materialized view m",
                "",
                "ALTER MATERIALIZED VIEW m OWNER TO ada, or GRANT its owner TO ada",
            ),
        ] {
            assert_eq!(grant(said, sql, "ada").as_deref(), Some(given), "{said}");
        }
        assert_eq!(grant("must be superuser", "", "ada"), None);
    }
}
