//! `widen-type`: every value fits into the new type, and reads as before.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    Draft::new(context, "widen-type", table)
        .column(&to.name)
        .judged(Verdict::CompatibleWithCost, Mechanics::Rewrite)
        .reason(format!("`{}` goes from {} to {}: every value fits", to.name, from.data_type, to.data_type))
        .affected(context.affected(table, Some(&to.name)))
        .ddl(super::retype_column::ddl(context, table, from, to))
        .done()
}
