//! Another planner's words.

use super::label::Sign;
use super::view::{DetailKind, Item, Section};
use crate::model::planner::Planner;

/// Shows who planned the schema's changes, and what it said beside them.
pub(super) fn planner(planner: Option<&Planner>) -> Section {
    let Some(planner) = planner else { return Section::default() };
    let item = Item::new(Sign::None, [planner.command.as_str()])
        .prose("says", planner.summary.clone())
        .prose("refuses", planner.refused.clone())
        .detail(DetailKind::Code, "output", planner.output.clone());
    Section::new("Planner").items([item])
}
