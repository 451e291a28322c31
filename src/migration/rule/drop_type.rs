//! `drop-type`: a type is said to go.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::undropped;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "drop-type", object)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!("type `{object}` would be dropped: whoever names it fails"))
        .affected(context.affected(object, None))
        .way(undropped(context, object, "drop-type"))
        .done()
}
