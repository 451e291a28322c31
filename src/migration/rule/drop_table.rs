//! `drop-table`: a table is said to go.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::way::undropped;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::path;

pub(super) fn step(context: &Context<'_>, table: &Coordinate) -> Step {
    let affected = context.affected(table, None);
    let rows = context.rows(table);
    let settled =
        if rows == Some(0) && affected.is_empty() { Verdict::Compatible } else { Verdict::Incompatible };
    let lost = rows.map_or_else(
        || "its rows are lost".to_owned(),
        |rows| {
            if rows == 0 {
                "it is empty".to_owned()
            } else {
                format!("its {} rows are lost", thousands(rows))
            }
        },
    );
    Draft::new(context, "drop-table", table)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .settled(settled)
        .reason(format!("table `{table}` would be dropped: {lost}, and whoever reads it fails"))
        .affected(affected)
        .way(undropped(context, table, "drop-table"))
        .ddl(vec![format!("DROP TABLE {}", path(table))])
        .done()
}
