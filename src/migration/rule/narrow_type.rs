//! `narrow-type`: the same kind of value, but not every one fits; the data decides.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    if let Some(expression) = context.using(table, &to.name) {
        return super::retype_column::told(context, (table, "narrow-type"), (from, to), &expression);
    }
    let probe = super::retype_column::round_trip(context, table, from, to);
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    let settled = match rows {
        Some(0) => Verdict::CompatibleWithCost,
        Some(_) => Verdict::Incompatible,
        None => Verdict::NeedsDataCheck,
    };
    let what = format!("`{}` would go from {} to {}", to.name, from.data_type, to.data_type);
    let reason = match rows {
        Some(0) => format!("{what}: every value that is there fits"),
        Some(rows) => format!("{what}: {} rows hold a value that does not fit", thousands(rows)),
        None => format!("{what}: the data has to be asked whether every value fits"),
    };
    Draft::new(context, "narrow-type", table)
        .column(&to.name)
        .judged(Verdict::NeedsDataCheck, Mechanics::Rewrite)
        .settled(settled)
        .reason(reason)
        .affected(context.affected(table, Some(&to.name)))
        .way(way(context, table, from, to))
        .ddl(super::retype_column::ddl(context, table, from, to))
        .probed(context, (table, &from.name), probe, rows)
        .done()
}

/// It stays as wide as it is until every value fits.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Way<'a> {
    let this = &to.name;
    let probe = super::retype_column::round_trip(context, table, from, to).unwrap_or_default();
    let select = probe.replacen("SELECT count(*)", "SELECT *", 1);
    let select = if select.is_empty() { Vec::new() } else { vec![format!("{select} LIMIT 10")] };
    let value = format!("cast({} as {})", crate::warehouse::name(this), to.data_type);
    Way::new(context)
        .unchanged(table, from, to)
        .expand(format!("keep {} for `{this}`; promote", from.data_type))
        .fill("look at the values that do not fit, and mend them", select)
        .back()
        .contract("then declare it as it is now; promote", &[])
        .afresh()
        .using(table, this, &value)
        .instead(format!("or say how old values become new ones, by `migrate_using` at `{this}`"))
}
