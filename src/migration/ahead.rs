//! A schema that is ahead of its code: what was applied for a version of the code that was taken back since. Pure.
//!
//! The ledger keeps from what each object was made, also earlier. Where the declaration is one that was applied
//! before, the code went back, and columns that came in between are no deletion that somebody wrote: they stay.

use std::collections::BTreeSet;

use super::desired::Desired;
use super::diff::Change;
use super::drift::Kept;
use super::steps::Options;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::{Ledger, Mark, same_name};

/// The code of such a step.
pub(super) const AHEAD_OF_CODE: &str = "ahead-of-code";

/// Parts the columns that would go only because the code went back, unless `--allow` names them, from all other changes.
pub(super) fn apart_from_code(
    desired: &Desired,
    ledger: &Ledger,
    options: &Options,
    changes: Vec<Change>,
) -> (Vec<Step>, Vec<Change>) {
    let mut staying = Vec::new();
    let mut others = Vec::new();
    for change in changes {
        if let Change::DropColumn { table, column } = &change
            && stays(desired, ledger, options, (table, &column.name))
        {
            staying.push(notice(desired, table, &column.name));
        } else {
            others.push(change);
        }
    }
    (staying, others)
}

fn stays(
    desired: &Desired,
    ledger: &Ledger,
    options: &Options,
    (table, column): (&Coordinate, &str),
) -> bool {
    let whole = format!("drop-column:{table}");
    let one = format!("{whole}.{column}");
    let said = options.allow.iter().any(|said| same_name(said, &whole) || same_name(said, &one));
    !said && went_back(desired, ledger, table) && was_applied(ledger, table, column)
}

fn notice(desired: &Desired, table: &Coordinate, column: &str) -> Step {
    let place = desired.objects.get(table).and_then(|managed| managed.place.as_ref());
    Step {
        code: AHEAD_OF_CODE.to_owned(),
        object: table.to_string(),
        column: Some(column.to_owned()),
        verdict: Verdict::Notice,
        settled: Verdict::Notice,
        mechanics: Mechanics::None,
        group: 0,
        after_push: false,
        ddl: Vec::new(),
        reason: format!(
            "column `{column}` was applied for a later version of the code, which was taken back: it stays"
        ),
        affected: Vec::new(),
        recipe: vec![format!("to drop it: `--allow drop-column:{table}.{column}`")],
        probe: None,
        allow: None,
        allowed: false,
        place: place.map(ToString::to_string),
    }
}

/// Whether an object is declared as it was before it was declared as it is now.
fn went_back(desired: &Desired, ledger: &Ledger, object: &Coordinate) -> bool {
    let declared = desired.objects.get(object).map(|managed| managed.source_hash.as_str());
    let (Some(applied), Some(declared)) = (ledger.applied.get(object), declared) else {
        return false;
    };
    applied.source_hash != declared && applied.earlier.contains(declared)
}

fn was_applied(ledger: &Ledger, object: &Coordinate, column: &str) -> bool {
    let kept = ledger.applied.get(object).and_then(|applied| Kept::read(&applied.definition));
    let relation = kept.and_then(|kept| kept.relation);
    relation.is_some_and(|relation| relation.columns.iter().any(|known| same_name(&known.name, column)))
}

/// What an object is once it was applied: what is declared, and the columns that it is ahead of the code by.
pub(super) fn mark(
    desired: &Desired,
    ledger: &Ledger,
    steps: &[Step],
    (object, source_hash): (&Coordinate, &str),
) -> Option<Mark> {
    let mut kept = Kept::of(&desired.schema, object);
    let mut source_hash = source_hash.to_owned();
    let subject = object.to_string();
    let staying = steps.iter().filter(|step| step.code == AHEAD_OF_CODE && step.object == subject);
    let staying: BTreeSet<&str> = staying.filter_map(|step| step.column.as_deref()).collect();
    if !staying.is_empty() {
        let last = ledger.applied.get(object)?;
        let before = Kept::read(&last.definition).and_then(|kept| kept.relation);
        let before = before.into_iter().flat_map(|relation| relation.columns);
        let more = before.filter(|column| staying.contains(column.name.as_str()));
        kept.relation.as_mut()?.columns.extend(more);
        source_hash.clone_from(&last.source_hash);
    }
    let definition = serde_json::to_string(&kept).ok()?;
    Some(Mark { object: object.clone(), source_hash, definition })
}
