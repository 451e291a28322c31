//! `not-planned`: something is declared that no change is planned for; it is named and nothing is done.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate, what: &str) -> Step {
    Draft::new(context, "not-planned", object)
        .judged(Verdict::Incompatible, Mechanics::Impossible)
        .reason(format!("`{object}`: {what}, and no change is planned for that"))
        .way(
            Way::new(context)
                .instead("make that change by hand, as it is declared; then plan again")
                .instead("or declare the object as it is live"),
        )
        .refused()
}
