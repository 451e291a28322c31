//! Asking for keys and checks where the engine does not find what a check calls.
//!
//! It binds the checks of all tables before it lists those of any, and looks a macro without its dataset up where
//! the connection stands, not where the table lies: one such table and nothing is listed. Then it is asked again with
//! every dataset to look in. In: a question. Out: its answers, or which tables are in the way.

use ::duckdb::{Connection, Row};

use super::rows::{ask, run};
use crate::warehouse::{WarehouseError, literal, name, quoted};

/// Asks a question that binds the checks of every table.
///
/// Effects: where the connection looks names up is another place while it is asked, and as before afterwards.
pub(super) fn ask_binding<T>(
    connection: &Connection,
    catalog: &str,
    sql: &str,
    mut each: impl FnMut(&Row<'_>) -> ::duckdb::Result<T>,
) -> Result<Vec<T>, WarehouseError> {
    if let Ok(rows) = ask(connection, sql, &mut each) {
        return Ok(rows);
    }
    let schemas = format!(
        "SELECT schema_name FROM duckdb_schemas() WHERE database_name = {} ORDER BY 1",
        literal(catalog)
    );
    let schemas = ask(connection, &schemas, |row| row.get::<_, String>(0))?;
    let places: Vec<String> =
        schemas.iter().map(|schema| format!("{}.{}", quoted(catalog), quoted(schema))).collect();
    run(connection, &format!("SET search_path = {}", literal(&places.join(","))))?;
    let answered = ask(connection, sql, &mut each);
    run(connection, &format!("USE {}", name(catalog)))?;
    match answered {
        Err(WarehouseError::Statement { sql, message, line }) => {
            let tables = unbound(connection, catalog)?;
            if tables.is_empty() {
                return Err(WarehouseError::Statement { sql, message, line });
            }
            Err(WarehouseError::Unbound { tables, message })
        }
        answered => answered,
    }
}

/// The tables whose checks the engine cannot bind.
fn unbound(connection: &Connection, catalog: &str) -> Result<Vec<String>, WarehouseError> {
    let sql = format!(
        "SELECT schema_name, table_name FROM duckdb_tables() \
         WHERE database_name = {} AND contains(sql, 'CHECK(') ORDER BY 1, 2",
        literal(catalog)
    );
    let tables = ask(connection, &sql, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let named = tables.iter().map(|(schema, table)| format!("{}.{}", name(schema), name(table)));
    // It is not run: that it cannot be prepared is the answer.
    let fails = |table: &String| connection.prepare(&format!("DELETE FROM {table} WHERE false")).is_err();
    Ok(named.filter(fails).collect())
}
