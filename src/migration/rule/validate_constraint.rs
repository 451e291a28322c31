//! `validate-constraint`: rows that were there before a key or check are looked at; nobody is locked out by that.

use super::add_constraint::{unasked, violations};
use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::sample::keys_of;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Constraint;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Step {
    let there = context.relation(table).is_some_and(|live| {
        live.constraints
            .iter()
            .any(|key| key.name == constraint.name && key.definition.ends_with(" NOT VALID"))
    });
    let name = constraint.name.as_deref().unwrap_or(&constraint.definition);
    if !there {
        // What the data decides was asked where it is added.
        return Draft::new(context, "validate-constraint", table)
            .judged(Verdict::CompatibleWithCost, Mechanics::Scan)
            .reason(format!("every row that was there before is looked at for `{name}`"))
            .done();
    }
    let probe = violations(context, table, constraint);
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    let settled = match rows {
        _ if context.empty(table) => Verdict::CompatibleWithCost,
        Some(0) => Verdict::CompatibleWithCost,
        Some(_) => Verdict::Incompatible,
        None => Verdict::NeedsDataCheck,
    };
    let reason = match rows {
        Some(rows) if rows > 0 => format!("{} rows that are there break `{name}`", thousands(rows)),
        _ => {
            let unasked = unasked(context, constraint).map(|why| format!("; before, {why}"));
            format!("every row that is there is looked at for `{name}`{}", unasked.unwrap_or_default())
        }
    };
    let select =
        probe.iter().map(|sql| format!("{} LIMIT 10", sql.replacen("SELECT count(*)", "SELECT *", 1)));
    let select: Vec<String> = select.collect();
    let draft = Draft::new(context, "validate-constraint", table)
        .judged(Verdict::NeedsDataCheck, Mechanics::Scan)
        .settled(settled)
        .reason(reason)
        .way(
            Way::new(context)
                .fill("look at the rows that break it, and mend them: new ones keep it already", select)
                .contract("then promote as it is", &[]),
        );
    let names: Vec<&String> = constraint.columns.iter().collect();
    match probe {
        Some(probe) => {
            let sample = keys_of(context, table, &names, &probe);
            draft.probe(probe, rows).sampled(sample).done()
        }
        None => draft.done(),
    }
}
