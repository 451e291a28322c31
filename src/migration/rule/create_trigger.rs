//! `create-trigger`: a trigger that is not there is made, or takes the place of its old self.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, trigger: &str) -> Step {
    Draft::new(context, "create-trigger", table)
        .judged(Verdict::CompatibleWithCost, Mechanics::Metadata)
        .reason(format!("trigger `{trigger}` runs on every write of `{table}` from now on"))
        .done()
}
