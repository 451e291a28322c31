//! `drop-view`: a view is said to go.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::undropped;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::path;

pub(super) fn step(context: &Context<'_>, view: &Coordinate) -> Step {
    Draft::new(context, "drop-view", view)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!("view `{view}` would be dropped: whoever reads it fails"))
        .affected(context.affected(view, None))
        .way(undropped(context, view, "drop-view"))
        .ddl(vec![format!("DROP VIEW {}", path(view))])
        .done()
}
