//! `create-sequence`: a sequence that is not there is made.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "create-sequence", object)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("sequence `{object}` is new"))
        .done()
}
