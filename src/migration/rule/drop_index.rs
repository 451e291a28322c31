//! `drop-index`: an index is no longer declared.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::drop_index;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, index: &str) -> Step {
    Draft::new(context, "drop-index", table)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("index `{index}` goes: queries may slow down"))
        .ddl(vec![drop_index(table, index)])
        .done()
}
