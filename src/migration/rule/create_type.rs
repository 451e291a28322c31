//! `create-type`: a type that is not there is made.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "create-type", object)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("type `{object}` is new"))
        .done()
}
