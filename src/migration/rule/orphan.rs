//! `orphan`: an object that is ours is no longer declared; it stays.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    // Properties describe what lies in the environment's own dataset.
    let own = context.desired.dataset.as_ref() == Some(&object.dataset);
    let instead =
        if own { "to drop it, declare it with `state: dropped`" } else { "to drop it, plan with `--prune`" };
    Draft::new(context, "orphan", object)
        .judged(Verdict::Notice, Mechanics::None)
        .reason(format!("`{object}` is no longer declared: it stays as it is and is not managed any more"))
        .affected(context.affected(object, None))
        .way(Way::new(context).instead(instead))
        .done()
}
