//! `lift-view`: a view stands in the way of a change below it; it is made again in the same transaction.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, view: &Coordinate) -> Step {
    Draft::new(context, "lift-view", view)
        .judged(Verdict::CompatibleWithCost, Mechanics::Metadata)
        .reason(format!(
            "`{view}` is taken away while what it reads changes, and made again in the same transaction"
        ))
        .affected(context.affected(view, None))
        .done()
}
