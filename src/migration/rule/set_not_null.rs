//! `set-not-null`: a column is to refuse NULL; the data decides, and who writes it.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::statement::{alter_column, without_indexes};
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
    let written = column.default.is_some() || context.managed(table).derived || context.empty(table);
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
    Draft::new(context, "set-not-null", table)
        .column(&column.name)
        .judged(Verdict::NeedsDataCheck, Mechanics::Scan)
        .settled(settled)
        .reason(reason)
        .recipe(&[
            format!("find them: SELECT * FROM {} WHERE {} IS NULL LIMIT 10", path(&live), name(&old)),
            format!("fill them: UPDATE {} SET {} = … WHERE {1} IS NULL", path(&live), name(&old)),
            "declare a `default` in the same change, so that old writers go on".to_owned(),
        ])
        .probe(probe, rows)
        .ddl(without_indexes(
            table,
            &context.indexes(table),
            vec![alter_column(table, &column.name, "SET NOT NULL")],
        ))
        .done()
}
