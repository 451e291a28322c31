//! `add-constraint`: a key or check that is not there; the data decides.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Constraint;
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Step {
    let probe = violations(&context.live_name(table), constraint);
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    let fresh = constraint
        .columns
        .iter()
        .any(|column| context.relation(table).is_none_or(|live| live.column(column).is_none()));
    let settled = match rows {
        _ if context.empty(table) => Verdict::CompatibleWithCost,
        Some(0) => Verdict::CompatibleWithCost,
        Some(_) => Verdict::Incompatible,
        None => Verdict::NeedsDataCheck,
    };
    let what = format!("{} is new", constraint.definition);
    let reason = match rows {
        Some(0) => format!("{what}: every row keeps it"),
        Some(rows) => format!("{what}: {} rows break it", thousands(rows)),
        None if context.empty(table) => format!("{what}; the table has no row"),
        None => format!("{what}: the data has to be asked, and rows that break it make the change fail"),
    };
    let mut draft = Draft::new(context, "add-constraint", table)
        .judged(Verdict::NeedsDataCheck, Mechanics::Rebuild)
        .settled(settled)
        .reason(reason)
        .recipe(&["mend the rows that break it first; promote".to_owned()]);
    if let [column] = constraint.columns.as_slice() {
        draft = draft.column(column);
    }
    match probe {
        Some(probe) if !fresh => draft.probe(probe, rows).done(),
        _ => draft.done(),
    }
}

/// Counts the rows that break it, where one query can say so.
fn violations(table: &Coordinate, constraint: &Constraint) -> Option<String> {
    let columns: Vec<String> = constraint.columns.iter().map(|column| name(column)).collect();
    let list = columns.join(", ");
    let table = path(table);
    let nulls = columns.iter().map(|column| format!("{column} IS NULL")).collect::<Vec<_>>().join(" OR ");
    match constraint.kind.as_str() {
        "PRIMARY KEY" => Some(format!(
            "SELECT (SELECT count(*) FROM {table} WHERE {nulls}) + (SELECT count(*) FROM (SELECT {list} FROM {table} GROUP BY {list} HAVING count(*) > 1))"
        )),
        "UNIQUE" => Some(format!(
            "SELECT count(*) FROM (SELECT {list} FROM {table} WHERE NOT ({nulls}) GROUP BY {list} HAVING count(*) > 1)"
        )),
        "CHECK" => {
            let expression = constraint.definition.strip_prefix("CHECK")?;
            Some(format!("SELECT count(*) FROM {table} WHERE NOT {expression}"))
        }
        _ => None,
    }
}
