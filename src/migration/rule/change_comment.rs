//! `change-comment`: a comment is another.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{column_path, comment, noun, routine_noun};
use crate::model::coordinate::Coordinate;
use crate::model::migration::Step;
use crate::warehouse::path;

pub(super) fn step(
    context: &Context<'_>,
    object: &Coordinate,
    column: Option<&str>,
    to: Option<&str>,
) -> Step {
    let draft = Draft::new(context, "change-comment", object);
    let said = if to.is_some() { "changes" } else { "goes" };
    if let Some(column) = column {
        let ddl = vec![comment("COLUMN", &column_path(object, column), to)];
        return draft.column(column).reason(format!("the comment of `{column}` {said}")).ddl(ddl).done();
    }
    let word = match (context.wanted(object), context.desired.schema.routines.get(object)) {
        (Some(relation), _) => noun(relation.kind),
        (None, Some(routine)) => routine_noun(routine.kind),
        (None, None) => "TABLE",
    };
    let ddl = vec![comment(word, &path(object), to)];
    draft.reason(format!("the comment of `{object}` {said}")).ddl(ddl).done()
}
