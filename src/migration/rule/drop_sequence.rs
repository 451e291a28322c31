//! `drop-sequence`: a sequence is said to go. One that a column owns goes with it.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::undropped;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    let owned = context.live.relations.get(object).is_some_and(|live| !live.extra.reads.is_empty());
    let draft = Draft::new(context, "drop-sequence", object).affected(context.affected(object, None));
    if owned {
        return draft
            .judged(Verdict::Notice, Mechanics::None)
            .reason(format!("sequence `{object}` goes with the column that owns it"))
            .done();
    }
    draft
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!(
            "sequence `{object}` would be dropped: where it was is lost, and whoever counts with it fails"
        ))
        .way(undropped(context, object, "drop-sequence"))
        .done()
}
