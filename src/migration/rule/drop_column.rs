//! `drop-column`: a column that is there is not declared.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::statement::{alter, without_indexes};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, column: &Column) -> Step {
    let affected = context.affected(table, Some(&column.name));
    let probe = format!(
        "SELECT count(*) FROM {} WHERE {} IS NOT NULL",
        path(&context.live_name(table)),
        name(&column.name)
    );
    let rows = context.answer(&probe);
    let settled =
        if context.empty(table) && affected.is_empty() { Verdict::Compatible } else { Verdict::Incompatible };
    let lost = match rows {
        Some(0) => "no row holds a value in it".to_owned(),
        Some(rows) => format!("{} rows hold a value in it, which is lost", thousands(rows)),
        None => "its values are lost".to_owned(),
    };
    let drop = alter(table, &format!("DROP COLUMN {}", name(&column.name)));
    Draft::new(context, "drop-column", table)
        .column(&column.name)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .settled(settled)
        .reason(format!(
            "column `{}` {} would be dropped: {lost}, and whoever names it fails",
            column.name, column.data_type
        ))
        .affected(affected)
        .way(way(context, table, column))
        .probe(probe, rows)
        .ddl(without_indexes(table, &context.indexes(table), vec![drop]))
        .done()
}

/// It stays until nobody reads it; whoever no longer knows it does not have to fill it.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, column: &Column) -> Way<'a> {
    let this = &column.name;
    let kept = Column { nullable: column.nullable || column.default.is_none(), ..column.clone() };
    Way::new(context)
        .column(table, &kept)
        .expand(format!("keep `{this}` declared: nothing breaks; promote"))
        .moves(format!("move whoever reads `{this}` to another column"))
        .back()
        .contract(
            format!("remove `{this}` once nobody reads it; promote"),
            &[format!("drop-column:{table}.{this}")],
        )
        .instead(format!("if it only changes its name, declare the new one with `renamed_from: {this}`"))
}
