//! Defaults that their columns cannot hold: DuckDB takes them, and whoever writes without a value fails.
//!
//! In: what was built. Out: a fault for each. The scratch is asked what a table function returns that is given the
//! values: the engine computes these to bind it. Runs nothing on what is live.

use std::collections::BTreeMap;

use super::desired::Managed;
use super::statement::bracketed;
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::model::schema::{Column, RelationKind, Schema};
use crate::warehouse::{Scratch, WarehouseError, with_calls};

/// How many defaults are asked about at once.
const TOGETHER: usize = 100;

/// Lists the defaults of tables that their columns cannot hold.
pub(super) async fn unheld(
    schema: &Schema,
    objects: &BTreeMap<Coordinate, Managed>,
    scratch: &mut dyn Scratch,
) -> Vec<Finding> {
    let tables = schema.relations.iter().filter(|(_, relation)| relation.kind == RelationKind::Table);
    let columns =
        tables.flat_map(|(table, relation)| relation.columns.iter().map(move |column| (table, column)));
    let asked: Vec<(&Coordinate, &Column, String)> =
        columns.filter_map(|(table, column)| Some((table, column, value(column)?))).collect();
    let mut found = Vec::new();
    for some in asked.chunks(TOGETHER) {
        let values: Vec<&str> = some.iter().map(|(.., value)| value.as_str()).collect();
        if failure(&values, scratch).await.is_none() {
            continue;
        }
        for (table, column, value) in some {
            let Some(words) = failure(&[value], scratch).await.filter(|words| is_misfit(words)) else {
                continue;
            };
            let default = column.default.as_deref().unwrap_or_default();
            let (name, data_type) = (&column.name, &column.data_type);
            let message =
                format!("`{table}`: `{name}` is {data_type} and cannot hold its default {default}: {words}");
            let mut finding = Finding::error("declaration-rejected", message);
            finding.place = objects.get(*table).and_then(|managed| managed.place.clone());
            found.push(finding);
        }
    }
    found
}

/// A column's default as a value of its type; none where every value is one.
fn value(column: &Column) -> Option<String> {
    let default = column.default.as_ref().filter(|_| column.data_type != "VARCHAR")?;
    Some(format!("CAST({} AS {})", bracketed(&with_calls(default)), column.data_type))
}

/// Why the engine cannot compute some values, in its words.
async fn failure(values: &[&str], scratch: &mut dyn Scratch) -> Option<String> {
    let query = format!("SELECT * FROM repeat_row({}, num_rows = 1)", values.join(", "));
    match scratch.columns(&query).await {
        Err(WarehouseError::Statement { message, .. }) => Some(message),
        Ok(_) | Err(_) => None,
    }
}

/// Whether it is the value that does not go: what else the engine does not take there it may take in a table.
fn is_misfit(words: &str) -> bool {
    words.starts_with("Conversion Error")
}
