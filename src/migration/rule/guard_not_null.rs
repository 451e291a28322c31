//! `guard-not-null` and `look-not-null`: a column refuses NULL from now on, and rows from before are looked at, so
//! that the change that says so for good reads none.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, column: &Column) -> Step {
    Draft::new(context, "guard-not-null", table)
        .column(&column.name)
        .judged(Verdict::CompatibleWithCost, Mechanics::Metadata)
        .reason(format!("a check refuses NULL in `{}` while the rows from before are looked at", column.name))
        .done()
}

pub(super) fn look(context: &Context<'_>, table: &Coordinate, column: &Column) -> Step {
    Draft::new(context, "look-not-null", table)
        .column(&column.name)
        .judged(Verdict::CompatibleWithCost, Mechanics::Scan)
        .reason(format!("every row that was there before is looked at for a NULL in `{}`", column.name))
        .done()
}
