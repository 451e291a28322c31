//! `drop-constraint`: a key or check is no longer declared.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Constraint;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Step {
    Draft::new(context, "drop-constraint", table)
        .judged(Verdict::CompatibleWithCost, Mechanics::Rebuild)
        .reason(format!("{} is no longer kept: readers may rely on it", constraint.definition))
        .affected(context.affected(table, None))
        .done()
}
