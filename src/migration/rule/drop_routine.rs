//! `drop-routine`: a routine is said to go.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::routine_noun;
use crate::migration::way::undropped;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::path;

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    let noun = context.live.routines.get(object).map_or("MACRO", |routine| routine_noun(routine.kind));
    Draft::new(context, "drop-routine", object)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!("routine `{object}` would be dropped: whoever calls it fails"))
        .affected(context.affected(object, None))
        .way(undropped(context, object, "drop-routine"))
        .ddl(vec![format!("DROP {noun} {}", path(object))])
        .done()
}
