//! `rename-column`: a column bears another name, as `renamed_from` says.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{alter, without_indexes};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::name;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &str, to: &str) -> Step {
    let rename = alter(table, &format!("RENAME COLUMN {} TO {}", name(from), name(to)));
    let affected = context.affected(table, Some(from));
    let settled =
        if context.empty(table) && affected.is_empty() { Verdict::Compatible } else { Verdict::Incompatible };
    Draft::new(context, "rename-column", table)
        .column(to)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .settled(settled)
        .reason(format!("column `{from}` becomes `{to}`: no value is lost, but whoever names `{from}` fails"))
        .affected(affected)
        .recipe(&[
            format!("add `{to}` beside `{from}` and fill both; promote"),
            format!("move whoever reads `{from}` to `{to}`; promote"),
            format!("then remove `{from}`"),
        ])
        .ddl(without_indexes(table, &context.indexes(table), vec![rename]))
        .done()
}
