//! `retype-column`: another kind of value; readers break even where every value can be cast.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::fit::misfits;
use crate::migration::statement::{alter_column, bracketed, without_indexes};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    let affected = context.affected(table, Some(&to.name));
    let probe = round_trip(context, table, from, to);
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    let settled =
        if context.empty(table) && affected.is_empty() { Verdict::Compatible } else { Verdict::Incompatible };
    let lost = match rows {
        Some(0) | None => String::new(),
        Some(rows) => format!("{} rows hold a value that does not survive it, and ", thousands(rows)),
    };
    let draft = Draft::new(context, "retype-column", table)
        .column(&to.name)
        .judged(Verdict::Incompatible, Mechanics::Rewrite)
        .settled(settled)
        .reason(format!(
            "`{}` would go from {} to {}: {lost}comparing, sorting and computing with it change",
            to.name, from.data_type, to.data_type
        ))
        .affected(affected)
        .recipe(&[
            format!("add a column of type {} beside `{}` and fill both; promote", to.data_type, to.name),
            format!("move whoever reads `{}`; promote", to.name),
            format!("then remove `{}`", to.name),
        ])
        .ddl(ddl(context, table, from, to));
    match probe {
        Some(probe) => draft.probe(probe, rows).done(),
        None => draft.done(),
    }
}

/// The statements of any change of type. A default is not cast with its column: it goes before and comes after.
pub(super) fn ddl(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Vec<String> {
    let mut ddl = Vec::new();
    if from.default.is_some() {
        ddl.push(alter_column(table, &to.name, "DROP DEFAULT"));
    }
    ddl.push(alter_column(table, &to.name, &format!("TYPE {}", to.data_type)));
    if let (Some(_), Some(default)) = (&from.default, &to.default) {
        ddl.push(alter_column(table, &to.name, &format!("SET DEFAULT {}", bracketed(default))));
    }
    without_indexes(table, &context.indexes(table), ddl)
}

/// Counts the values that do not come back from a cast there and back: a cast that succeeds may still lose.
///
/// Shape: nothing where no question can be asked that every value survives.
pub(super) fn round_trip(
    context: &Context<'_>,
    table: &Coordinate,
    from: &Column,
    to: &Column,
) -> Option<String> {
    let column = name(&from.name);
    if context.is_postgres() {
        let broken = misfits(&column, &from.data_type, &to.data_type)?;
        return Some(format!("SELECT count(*) FROM {} WHERE {broken}", path(&context.live_name(table))));
    }
    Some(format!(
        "SELECT count(*) FROM {} WHERE {column} IS NOT NULL AND TRY_CAST(TRY_CAST({column} AS {}) AS {}) IS DISTINCT FROM {column}",
        path(&context.live_name(table)),
        to.data_type,
        from.data_type
    ))
}
