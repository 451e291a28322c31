//! `lower-view`: a view that was taken away is made again, with its comments, its triggers and its rights.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, view: &Coordinate) -> Step {
    let stored =
        context.relation(view).is_some_and(|live| live.kind != crate::model::schema::RelationKind::View);
    let mechanics = if stored { Mechanics::Rewrite } else { Mechanics::Metadata };
    Draft::new(context, "lower-view", view)
        .judged(Verdict::CompatibleWithCost, mechanics)
        .reason(format!("`{view}` is made again, with its comments, its triggers and the rights of others"))
        .done()
}
