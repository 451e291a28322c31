//! `create-view`: a view that is not there is made.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::create_view;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, view: &Coordinate) -> Step {
    let ddl = context.wanted(view).map(|relation| create_view(view, relation, false)).unwrap_or_default();
    Draft::new(context, "create-view", view)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("view `{view}` is new"))
        .ddl(ddl)
        .done()
}
