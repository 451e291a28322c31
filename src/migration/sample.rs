//! Which rows stand in a change's way: a query for the keys of up to three of them, without what is secret.
//!
//! In: a question that counts rows or values. Out: one for their primary key where the table has one, else for the values
//! in question, as texts `id=17`. A column that is declared `sensitive`, or is named like a secret, shows a mask. Pure.

use super::context::Context;
use crate::config::{MASK, is_secret_name};
use crate::model::coordinate::Coordinate;
use crate::warehouse::{literal, name};

/// How many rows are named.
const ROWS: usize = 3;
/// Characters of a value that are shown.
const CHARACTERS: usize = 40;

/// Gives the query for the keys of what a question counts; nothing where it cannot be asked so.
///
/// Shape: `values` are the columns in question; none: those that the question groups by.
pub(super) fn keys_of(
    context: &Context<'_>,
    table: &Coordinate,
    values: &[&String],
    question: &str,
) -> Option<String> {
    let tail = question.strip_prefix("SELECT count(*) ")?;
    let live = context.relation(table)?;
    let grouped = tail.starts_with("FROM (");
    let key = live.constraints.iter().find(|constraint| constraint.kind == "PRIMARY KEY");
    let columns: Vec<&String> = match key {
        Some(key) if !grouped => key.columns.iter().collect(),
        _ => values.to_vec(),
    };
    let columns = if columns.is_empty() {
        let spoken = crate::warehouse::words(tail.split_once(" GROUP BY ")?.1.split(" HAVING ").next()?);
        live.columns
            .iter()
            .map(|column| &column.name)
            .filter(|name| spoken.contains(&name.to_lowercase()))
            .collect()
    } else {
        columns
    };
    // What is grouped is selected by its names.
    let list: Vec<String> = columns.iter().map(|column| name(column)).collect();
    let tail = tail.replacen("FROM (SELECT 1 FROM ", &format!("FROM (SELECT {} FROM ", list.join(", ")), 1);
    let secret = context.managed(table).sensitive;
    let parts: Vec<String> = columns
        .iter()
        .map(|column| {
            let hidden = secret.contains(&column.to_lowercase()) || is_secret_name(column);
            let value = if hidden {
                literal(MASK)
            } else {
                format!("left(CAST({} AS VARCHAR), {CHARACTERS})", name(column))
            };
            format!("{}, coalesce({value}, 'NULL')", literal(&format!("{column}=")))
        })
        .collect();
    if parts.is_empty() {
        return None;
    }
    let key = format!("concat({})", parts.join(", ', ', "));
    Some(format!("SELECT {key} AS k {tail} ORDER BY 1 LIMIT {ROWS}"))
}
