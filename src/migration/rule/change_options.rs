//! `change-options`: how an object is stored or checked is another thing; what it holds is not.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    let options = |side: Option<&crate::model::schema::Relation>| {
        side.map(|relation| relation.extra.options.join(", "))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "none".to_owned())
    };
    let (before, after) = (options(context.relation(object)), options(context.wanted(object)));
    Draft::new(context, "change-options", object)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("the options of `{object}` go from {before} to {after}"))
        .done()
}
