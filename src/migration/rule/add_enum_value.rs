//! `add-enum-value`: an enumeration has one label more. It can be used once that is committed, so it runs alone.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate, label: &str) -> Step {
    Draft::new(context, "add-enum-value", object)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("type `{object}` also takes '{label}': readers may meet it"))
        .affected(context.affected(object, None))
        .done()
}
