//! Answers of the engine as texts, and its errors as ours.

use ::duckdb::{Connection, Row};

use crate::warehouse::WarehouseError;

/// Takes over an error of the engine, in its own words, without its drawing of the place.
pub(super) fn failed(sql: &str, error: &::duckdb::Error) -> WarehouseError {
    WarehouseError::Statement { sql: sql.to_owned(), message: words(error), line: line(error) }
}

/// The line that the engine's drawing of the place names.
fn line(error: &::duckdb::Error) -> Option<u32> {
    let ::duckdb::Error::DuckDBFailure(_, Some(message)) = error else { return None };
    let (_, rest) = message.split_once("\n\nLINE ")?;
    rest.split(':').next()?.parse().ok()
}

/// Gives the engine's own words.
pub(super) fn words(error: &::duckdb::Error) -> String {
    let text = if let ::duckdb::Error::DuckDBFailure(_, Some(message)) = error {
        message.clone()
    } else {
        error.to_string()
    };
    let plain = text.split("\n\nLINE ").next().unwrap_or(&text).trim_end();
    plain.replace("\n\n", " ").replace('\n', " ")
}

/// Runs a statement that gives no rows that matter.
pub(super) fn run(connection: &Connection, sql: &str) -> Result<(), WarehouseError> {
    connection.execute_batch(sql).map_err(|error| failed(sql, &error))
}

/// Asks a query and turns each row into a value.
pub(super) fn ask<T>(
    connection: &Connection,
    sql: &str,
    mut each: impl FnMut(&Row<'_>) -> ::duckdb::Result<T>,
) -> Result<Vec<T>, WarehouseError> {
    let mut statement = connection.prepare(sql).map_err(|error| failed(sql, &error))?;
    let rows = statement.query_map([], |row| each(row)).map_err(|error| failed(sql, &error))?;
    rows.collect::<::duckdb::Result<Vec<T>>>().map_err(|error| failed(sql, &error))
}

/// Reads a count, whichever whole number the engine types it as.
pub(super) fn count(row: &Row<'_>, index: usize) -> ::duckdb::Result<u64> {
    row.get(index)
}

/// Reads a list that the query joined with the unit separator.
pub(super) fn list(text: Option<&str>) -> Vec<String> {
    text.map(|text| text.split('\u{1f}').map(str::to_owned).collect()).unwrap_or_default()
}
