//! `build-key`: the index of a key is built while others go on writing; then it becomes the key.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Constraint;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Step {
    let draft = Draft::new(context, "build-key", table);
    let draft = match constraint.columns.as_slice() {
        [column] => draft.column(column),
        _ => draft,
    };
    draft
        .judged(Verdict::CompatibleWithCost, Mechanics::Scan)
        .reason(format!("the index of {} is built while others write", constraint.definition))
        .done()
}
