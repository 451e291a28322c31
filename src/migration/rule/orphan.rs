//! `orphan`: an object that is ours is no longer declared; it stays.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "orphan", object)
        .judged(Verdict::Notice, Mechanics::None)
        .reason(format!("`{object}` is no longer declared: it stays as it is and is not managed any more"))
        .affected(context.affected(object, None))
        .way(Way::new(context).instead("to drop it, declare it with `state: dropped`"))
        .done()
}
