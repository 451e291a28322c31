//! `create-routine`: a routine that is not there is made.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{comment, create_routine, routine_noun};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::path;

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "create-routine", object)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("routine `{object}` is new"))
        .ddl(ddl(context, object))
        .done()
}

/// Makes the routine, or puts it in place; its comment is lost by that and set again.
pub(super) fn ddl(context: &Context<'_>, object: &Coordinate) -> Vec<String> {
    let Some(routine) = context.desired.schema.routines.get(object) else { return Vec::new() };
    let mut ddl = vec![create_routine(object, routine)];
    if let Some(text) = &routine.comment {
        ddl.push(comment(routine_noun(routine.kind), &path(object), Some(text)));
    }
    ddl
}
