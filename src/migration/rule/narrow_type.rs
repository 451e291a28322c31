//! `narrow-type`: the same kind of value, but not every one fits; the data decides.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
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
    let draft = Draft::new(context, "narrow-type", table)
        .column(&to.name)
        .judged(Verdict::NeedsDataCheck, Mechanics::Rewrite)
        .settled(settled)
        .reason(reason)
        .affected(context.affected(table, Some(&to.name)))
        .recipe(&[
            format!("keep {} for `{}`", from.data_type, to.name),
            format!("or add a column of type {} beside it, fill it, and move its readers", to.data_type),
        ])
        .ddl(super::retype_column::ddl(context, table, from, to));
    match probe {
        Some(probe) => draft.probe(probe, rows).done(),
        None => draft.done(),
    }
}
