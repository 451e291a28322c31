//! `drop-trigger`: a trigger is no longer declared.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, trigger: &str) -> Step {
    Draft::new(context, "drop-trigger", table)
        .judged(Verdict::Notice, Mechanics::Metadata)
        .reason(format!("trigger `{trigger}` of `{table}` no longer runs: what it kept is kept no more"))
        .affected(context.affected(table, None))
        .done()
}
