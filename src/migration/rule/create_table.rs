//! `create-table`: a table that is not there is made.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{comments, create_table};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, table: &Coordinate) -> Step {
    let mut ddl = Vec::new();
    if let Some(relation) = context.wanted(table) {
        ddl.push(create_table(table, relation));
        ddl.extend(relation.indexes.values().cloned());
        ddl.extend(comments(table, relation));
    }
    Draft::new(context, "create-table", table)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("table `{table}` is new"))
        .ddl(ddl)
        .done()
}
