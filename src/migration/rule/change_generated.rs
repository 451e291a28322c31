//! `change-generated`: a column is computed otherwise, or no longer.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    let text = |column: &Column| column.generated.clone().unwrap_or_else(|| "not computed".to_owned());
    let affected = context.affected(table, Some(&to.name));
    let settled =
        if context.empty(table) && affected.is_empty() { Verdict::Compatible } else { Verdict::Incompatible };
    Draft::new(context, "change-generated", table)
        .column(&to.name)
        .judged(Verdict::Incompatible, Mechanics::Rebuild)
        .settled(settled)
        .reason(format!(
            "`{}` would be computed as {} instead of {}: its values change",
            to.name,
            text(to),
            text(from)
        ))
        .affected(affected)
        .way(way(context, table, from, to))
        .done()
}

/// The new expression comes in a column beside the old one.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Way<'a> {
    let (this, new) = (&to.name, format!("{}_v2", to.name));
    let second = Column { name: new.clone(), nullable: true, ..to.clone() };
    Way::new(context)
        .column(table, from)
        .column(table, &second)
        .expand(format!("keep `{this}` as it is and declare `{new}` beside it; promote"))
        .moves(format!("move whoever reads `{this}` to `{new}`"))
        .without_column(table, this)
        .contract(
            format!("then remove `{this}` and the keys, indexes and comments that name it; promote"),
            &[format!("drop-column:{table}.{this}")],
        )
}
