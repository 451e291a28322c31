//! `foreign-trigger`: a trigger of somebody else runs on what is ours; it stays.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, trigger: &str) -> Step {
    Draft::new(context, "foreign-trigger", table)
        .judged(Verdict::Notice, Mechanics::None)
        .reason(format!("trigger `{trigger}` of `{table}` is not ours: it stays as it is"))
        .way(Way::new(context).instead(format!("to manage `{trigger}`, declare it as it is")))
        .done()
}
