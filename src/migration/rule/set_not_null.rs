//! `set-not-null`: a column is to refuse NULL; the data decides, and who writes it.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::sample::keys_of;
use crate::migration::statement::{alter_column, empty_value, without_indexes};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, column: &Column) -> Step {
    let live = context.live_name(table);
    let old = context.managed(table).renamed_columns.get(&column.name.to_lowercase()).cloned();
    let there = context.relation(table).is_some_and(|live| live.column(&column.name).is_some());
    let old = old.filter(|_| !there).unwrap_or_else(|| column.name.clone());
    let probe = format!("SELECT count(*) FROM {} WHERE {} IS NULL", path(&live), name(&old));
    let rows = context.answer(&probe);
    // A run of the model writes the column; others that write do not know that they have to.
    let filled = column.default.is_some() || column.identity.is_some();
    let written = filled || context.managed(table).derived || context.empty(table);
    let settled = match rows {
        Some(0) if written => Verdict::CompatibleWithCost,
        Some(_) => Verdict::Incompatible,
        None => Verdict::NeedsDataCheck,
    };
    let what = format!("`{}` would refuse NULL", column.name);
    let reason = match rows {
        Some(0) if written => format!("{what}: no row has one"),
        Some(0) => format!("{what}: no row has one, but whoever writes without it fails"),
        Some(1) => format!("{what}: one row has one"),
        Some(rows) => format!("{what}: {} rows have one", thousands(rows)),
        None => format!("{what}: the data has to be asked"),
    };
    let sample = keys_of(context, table, &[&old], &probe);
    Draft::new(context, "set-not-null", table)
        .column(&column.name)
        .judged(Verdict::NeedsDataCheck, Mechanics::Scan)
        .settled(settled)
        .reason(reason)
        .way(way(context, table, column, &old))
        .probe(probe, rows)
        .sampled(sample)
        .ddl(without_indexes(
            table,
            &context.indexes(table),
            vec![alter_column(table, &column.name, "SET NOT NULL")],
        ))
        .done()
}

/// It goes on taking NULL until none is there and whoever writes fills it.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, column: &Column, old: &str) -> Way<'a> {
    let this = &column.name;
    let place = path(&context.live_name(table));
    let value = column.default.clone().unwrap_or_else(|| empty_value(&column.data_type).to_owned());
    let fill = format!("UPDATE {place} SET {} = {value} WHERE {0} IS NULL", name(old));
    let knows = column.default.is_some() || context.managed(table).derived;
    let allow: Vec<String> = if knows { Vec::new() } else { vec![format!("set-not-null:{table}.{this}")] };
    Way::new(context)
        .nullable(table, this)
        .expand(format!("let `{this}` take NULL for now; promote"))
        .fill(format!("fill `{this}`, and let whoever writes `{table}` fill it from now on"), vec![fill])
        .back()
        .contract(format!("then declare `{this}` as it is now; promote"), &allow)
}
