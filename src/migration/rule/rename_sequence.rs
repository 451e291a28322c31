//! `rename-sequence`: the sequence of a column that counts bears the new name of its table or column.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, sequence: &Coordinate, from: &Coordinate) -> Step {
    Draft::new(context, "rename-sequence", sequence)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!(
            "sequence `{from}` becomes `{sequence}`, as its column does; it goes on from where it is"
        ))
        .affected(context.affected(from, None))
        .done()
}
