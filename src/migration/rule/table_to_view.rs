//! `table-to-view`: a view takes the place of a table.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::statement::create_view;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::path;

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    let mut ddl = vec![format!("DROP TABLE {}", path(object))];
    ddl.extend(context.wanted(object).into_iter().flat_map(|wanted| create_view(object, wanted, false)));
    let settled = if context.empty(object) { Verdict::Compatible } else { Verdict::Incompatible };
    let lost = match context.rows(object) {
        Some(0) => "it has no row".to_owned(),
        Some(rows) => format!("its {} rows are lost", thousands(rows)),
        None => "its rows are lost".to_owned(),
    };
    Draft::new(context, "table-to-view", object)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .settled(settled)
        .reason(format!("table `{object}` becomes a view: {lost}, and whoever writes it fails"))
        .affected(context.affected(object, None))
        .way(way(context, object))
        .ddl(ddl)
        .done()
}

/// The view comes under another name, and the table stays as it is, until everybody has moved.
fn way<'a>(context: &'a Context<'_>, object: &Coordinate) -> Way<'a> {
    let new = format!("{}_v2", object.name);
    Way::new(context)
        .renamed(object, &new)
        .expand(format!("declare the view as `{new}`; `{object}` stays as it is, unmanaged; promote"))
        .moves(format!("move whoever reads or writes `{object}`"))
        .back()
        .contract("then declare it as it is now; promote", &[format!("table-to-view:{object}")])
}
