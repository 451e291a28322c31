//! In which order and in which transaction the steps run.

use std::collections::BTreeSet;

use super::desired::Desired;
use super::diff::Change;
use crate::model::migration::{Step, Verdict};
use crate::warehouse::words;

/// The transaction group of what runs before the push.
pub const BEFORE_PUSH: u32 = 1;
/// The transaction group of what runs after the push.
pub const AFTER_PUSH: u32 = 2;

/// A change with its step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judged {
    pub(super) change: Change,
    pub(super) step: Step,
}

/// Gives each step its group: compatible ones before the push, the others after it, and with these whatever
/// needs them.
///
/// Pure. A step without statements is in no group.
pub(super) fn grouped(judged: &mut [Judged], desired: &Desired) {
    let mut late: BTreeSet<String> = BTreeSet::new();
    for judged in judged.iter_mut() {
        let stands = matches!(judged.step.settled, Verdict::Incompatible | Verdict::NeedsDataCheck);
        judged.step.group = if stands { AFTER_PUSH } else { BEFORE_PUSH };
        if stands && shapes(&judged.change) {
            late.extend(judged.change.object().map(|object| object.name.to_lowercase()));
        }
    }
    loop {
        let before = late.len();
        for judged in judged.iter_mut() {
            let Some(object) = judged.change.object() else { continue };
            let sql = desired.objects.get(object).and_then(|managed| managed.sql.as_deref());
            let reads = sql.is_some_and(|sql| words(sql).iter().any(|word| late.contains(word)));
            if judged.step.group == BEFORE_PUSH && reads && rebinds(&judged.change) {
                judged.step.group = AFTER_PUSH;
                late.insert(object.name.to_lowercase());
            }
        }
        if late.len() == before {
            break;
        }
    }
    for judged in judged.iter_mut().filter(|judged| judged.step.ddl.is_empty()) {
        judged.step.group = 0;
    }
}

/// Whether other objects can only be made once this has happened.
fn shapes(change: &Change) -> bool {
    matches!(
        change,
        Change::RenameTable { .. }
            | Change::AddColumn { .. }
            | Change::RenameColumn { .. }
            | Change::RetypeColumn { .. }
            | Change::ChangeGenerated { .. }
            | Change::ChangeView(_)
            | Change::ChangeRoutine(_)
            | Change::TableToView(_)
            | Change::ViewToTable(_)
    )
}

/// Whether this is bound against what it reads when it is made.
fn rebinds(change: &Change) -> bool {
    matches!(
        change,
        Change::CreateView(_)
            | Change::ChangeView(_)
            | Change::CreateRoutine(_)
            | Change::ChangeRoutine(_)
            | Change::TableToView(_)
            | Change::ViewToTable(_)
    )
}

/// Sorts the steps into the order in which they run.
///
/// Pure. By group; then datasets, drops of views and routines, dropped indexes, renamed and new tables, columns,
/// keys, new indexes, routines and views each after what it reads, dropped tables, comments. What does not run
/// comes last.
pub(super) fn ordered(mut judged: Vec<Judged>, desired: &Desired) -> Vec<Judged> {
    judged.sort_by_key(|judged| {
        let rank = judged.change.object().and_then(|object| desired.objects.get(object));
        let rank = rank.map_or(0, |managed| managed.rank);
        let group = if judged.step.group == 0 { u32::MAX } else { judged.step.group };
        (group, phase(&judged.change), if ranked(&judged.change) { rank } else { 0 })
    });
    judged
}

fn ranked(change: &Change) -> bool {
    rebinds(change) || matches!(change, Change::CreateTable(_))
}

fn phase(change: &Change) -> u8 {
    match change {
        Change::CreateDataset(_) => 0,
        Change::DropView(_) | Change::DropRoutine(_) => 1,
        Change::DropIndex { .. } => 2,
        Change::RenameTable { .. } => 3,
        Change::CreateTable(_) => 4,
        Change::RenameColumn { .. } => 5,
        Change::AddColumn { .. }
        | Change::RetypeColumn { .. }
        | Change::SetNotNull { .. }
        | Change::DropNotNull { .. }
        | Change::ChangeDefault { .. }
        | Change::ChangeGenerated { .. } => 6,
        Change::DropColumn { .. } => 7,
        Change::AddConstraint { .. } | Change::DropConstraint { .. } => 8,
        Change::CreateIndex { .. } => 9,
        Change::CreateView(_)
        | Change::ChangeView(_)
        | Change::TableToView(_)
        | Change::ViewToTable(_)
        | Change::CreateRoutine(_)
        | Change::ChangeRoutine(_) => 10,
        Change::DropTable(_) => 11,
        Change::ChangeComment { .. } => 12,
        Change::NotOurs(_) | Change::Adopt(_) | Change::Orphan(_) => 13,
    }
}
