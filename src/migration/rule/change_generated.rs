//! `change-generated`: a column is computed otherwise, or no longer.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    let text = |column: &Column| column.generated.clone().unwrap_or_else(|| "not computed".to_owned());
    let affected = context.affected(table, Some(&to.name));
    let settled =
        if context.empty(table) && affected.is_empty() { Verdict::Compatible } else { Verdict::Incompatible };
    Draft::new(context, "change-generated", table)
        .column(&to.name)
        .judged(Verdict::Incompatible, Mechanics::Rebuild)
        .settled(settled)
        .reason(format!(
            "`{}` would be computed as {} instead of {}: its values change",
            to.name,
            text(to),
            text(from)
        ))
        .affected(affected)
        .recipe(&[format!("add a column with the new expression beside `{}` and move its readers", to.name)])
        .done()
}
