//! `change-sequence`: a sequence counts otherwise, or belongs to another column; its numbers go on.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "change-sequence", object)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!(
            "sequence `{object}` changes how it counts or whose it is; it goes on from where it is"
        ))
        .affected(context.affected(object, None))
        .done()
}
