//! `adopt-object`: an object that we did not make becomes ours.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "adopt-object", object)
        .judged(Verdict::Notice, Mechanics::None)
        .reason(format!("`{object}` is taken over as it is and managed from now on"))
        .done()
}
