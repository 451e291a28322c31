//! In which order and in which transaction the steps run.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::desired::Desired;
use super::diff::Change;
use super::lift::{lifted, would_stand};
use super::online::USING_INDEX;
use super::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
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

impl Judged {
    /// Refuses what the engine cannot do, whoever would let it through: why, and what to do instead.
    pub(super) fn make_impossible(&mut self, context: &Context<'_>, why: &str, instead: String) {
        let step = &mut self.step;
        step.settled = Verdict::Incompatible;
        step.mechanics = Mechanics::Impossible;
        step.allow = None;
        step.ddl.clear();
        step.reason = format!("{}; and {why}", step.reason);
        step.recipe = vec![instead.clone()];
        step.way.splice(.., Way::new(context).instead(instead).done());
    }
}

/// Sorts the steps into the order in which PostgreSQL takes them, and numbers the transactions that they need.
///
/// Pure. In a half: labels of enumerations, each alone; everything else that fits into one transaction; indexes on
/// what is there, each outside of any; foreign keys; the looking at rows that were there before. What does not run
/// comes last, in no group.
pub(super) fn apart(context: &Context<'_>, mut judged: Vec<Judged>) -> Vec<Judged> {
    follow(context, &mut judged);
    let away = drop_order(context, &judged);
    judged.sort_by_key(|judged| {
        let object = judged.change.object();
        let rank =
            object.and_then(|object| context.desired.objects.get(object)).map_or(0, |managed| managed.rank);
        let place = object.and_then(|object| away.get(object)).copied().unwrap_or(0);
        let phase = late_phase(context, judged).unwrap_or_else(|| server_phase(&judged.change));
        let within = if goes(&judged.change) {
            place
        } else if ranked(&judged.change) {
            rank
        } else {
            0
        };
        (if judged.step.group == 0 { u32::MAX } else { judged.step.group }, phase, within)
    });
    let (mut group, mut before) = (0, None);
    for judged in judged.iter_mut().filter(|judged| judged.step.group != 0) {
        let step = &mut judged.step;
        step.after_push = step.group == AFTER_PUSH;
        let alone = step.ddl.iter().any(|sql| sql.contains("INDEX CONCURRENTLY "));
        let kind = if alone {
            Class::Alone
        } else if matches!(judged.change, Change::AddEnumValue { .. }) {
            Class::Labels
        } else if matches!(judged.change, Change::ValidateConstraint { .. } | Change::LookNotNull { .. }) {
            Class::Looks
        } else {
            Class::Together
        };
        let class = (step.after_push, kind);
        if before != Some(class) || alone {
            group += 1;
        }
        step.group = group;
        before = Some(class);
    }
    judged
}

/// The place of what was prepared in transactions of its own: rows that were looked at, an index that was built.
fn late_phase(context: &Context<'_>, judged: &Judged) -> Option<u8> {
    if let Change::ChangeIdentity { table, to, .. } = &judged.change
        && begins_to_count(&judged.change)
        && context.is_prepared(table, &to.name)
    {
        return Some(22);
    }
    let set = matches!(judged.change, Change::SetNotNull { .. }) && judged.step.ddl.len() > 1;
    let key = matches!(judged.change, Change::AddConstraint { .. })
        && judged.step.ddl.iter().any(|sql| sql.contains(USING_INDEX));
    if set {
        return Some(22);
    }
    key.then_some(23)
}

/// Whether a column is to count by itself that did not: it has to refuse NULL before.
fn begins_to_count(change: &Change) -> bool {
    matches!(change, Change::ChangeIdentity { from, to, .. } if from.identity.is_none() && to.identity.is_some())
}

/// What steps that share a transaction have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Class {
    Labels,
    Together,
    Alone,
    Looks,
}

/// Brings into one half what only makes sense together: a change and the going and coming of the views in its way,
/// a key's adding and the looking at what is there. The later half wins.
fn follow(context: &Context<'_>, judged: &mut [Judged]) {
    let views = |change: &Change| {
        if let Change::LiftView(view)
        | Change::LowerView(view)
        | Change::ChangeView(view)
        | Change::DropView(view) = change
        {
            return BTreeSet::from([view.clone()]);
        }
        lifted(context, std::slice::from_ref(change))
    };
    let knots: Vec<BTreeSet<Coordinate>> = judged.iter().map(|judged| views(&judged.change)).collect();
    loop {
        let late: Vec<usize> =
            (0..judged.len()).filter(|index| judged[*index].step.group == AFTER_PUSH).collect();
        let follows = |index: usize| {
            late.iter().any(|other| {
                let (change, other_change) = (&judged[index].change, &judged[*other].change);
                let stands =
                    matches!(change, Change::CreateView(view) if would_stand(context, view, other_change));
                stands || !knots[index].is_disjoint(&knots[*other]) || waits_for(change, other_change)
            })
        };
        let early = (0..judged.len()).filter(|index| judged[*index].step.group == BEFORE_PUSH);
        let moved: Vec<usize> = early.filter(|index| follows(*index)).collect();
        if moved.is_empty() {
            break;
        }
        for index in moved {
            judged[index].step.group = AFTER_PUSH;
        }
    }
}

/// Whether one change only makes sense after another: a key is looked at, or found under its name, once it is
/// made; what an old key or index stands for goes before its new self comes.
fn waits_for(change: &Change, other: &Change) -> bool {
    match (change, other) {
        (
            Change::ValidateConstraint { table, constraint } | Change::BuildKey { table, constraint },
            Change::AddConstraint { table: other, constraint: added },
        ) => table == other && constraint.name == added.name,
        (
            Change::GuardNotNull { table, column } | Change::LookNotNull { table, column },
            Change::SetNotNull { table: other, column: set },
        ) => table == other && column.name == set.name,
        (
            Change::AddConstraint { table, constraint } | Change::DropConstraint { table, constraint },
            Change::DropConstraint { table: other, constraint: gone }
            | Change::AddConstraint { table: other, constraint: gone },
        ) => table == other && constraint.name == gone.name,
        (
            Change::CreateTrigger { table, trigger, .. },
            Change::DropTrigger { table: other, trigger: gone },
        ) => table == other && trigger == gone,
        // What counts for a column bears its name from the same moment on.
        (
            Change::RenameSequence { table, .. },
            Change::RenameTable { table: other, .. } | Change::RenameColumn { table: other, .. },
        ) => table == other,
        (
            Change::ChangeIdentity { table, to: column, .. },
            Change::SetNotNull { table: other, column: set },
        ) => table == other && column.name == set.name && begins_to_count(change),
        (
            Change::ChangeDefault { table, to, .. } | Change::DropNotNull { table, column: to },
            Change::ChangeIdentity { table: other, to: counted, .. },
        ) => table == other && to.name == counted.name,
        (Change::ChangeSequence(object), Change::RenameSequence { sequence, .. }) => object == sequence,
        _ => false,
    }
}

/// Whether a change takes something away that others may hang on.
fn goes(change: &Change) -> bool {
    matches!(
        change,
        Change::LiftView(_)
            | Change::DropView(_)
            | Change::DropTable(_)
            | Change::DropRoutine(_)
            | Change::DropType(_)
            | Change::DropSequence(_)
    )
}

/// The order of what goes: nothing goes before what speaks of it.
fn drop_order(context: &Context<'_>, judged: &[Judged]) -> BTreeMap<Coordinate, usize> {
    let mut left: Vec<(&Coordinate, BTreeSet<String>)> = judged
        .iter()
        .filter(|judged| goes(&judged.change))
        .filter_map(|judged| judged.change.object())
        .map(|object| (object, context.live_words(object)))
        .collect();
    let mut order = BTreeMap::new();
    while !left.is_empty() {
        let free = left.iter().position(|(object, _)| {
            let name = object.name.to_lowercase();
            !left.iter().any(|(other, words)| other != object && words.contains(&name))
        });
        let (object, _) = left.remove(free.unwrap_or(0));
        order.insert(object.clone(), order.len());
    }
    order
}

/// The order in which a server takes the changes of one half.
fn server_phase(change: &Change) -> u8 {
    match change {
        Change::CreateDataset(_) => 0,
        Change::AddEnumValue { .. } => 1,
        Change::LiftView(_) | Change::DropView(_) | Change::DropTrigger { .. } => 2,
        Change::RenameTable { .. } | Change::RenameSequence { .. } => 3,
        Change::DropConstraint { constraint, .. } if constraint.kind == "FOREIGN KEY" => 3,
        Change::DropConstraint { .. } | Change::DropIndex { .. } => 4,
        Change::CreateType(_) | Change::ChangeType(_) => 5,
        // A sequence that counts instead may bear the name of what goes.
        Change::ChangeIdentity { to, .. } if to.identity.is_none() => 5,
        Change::CreateSequence(_) => 6,
        Change::CreateTable(_) | Change::CreateRoutine(_) | Change::ChangeRoutine(_) => 7,
        Change::RenameColumn { .. } => 8,
        Change::DropColumn { .. } => 9,
        Change::AddColumn { column, .. } if column.generated.is_none() => 10,
        Change::RetypeColumn { .. }
        | Change::ChangeCollation { .. }
        | Change::DropNotNull { .. }
        | Change::ChangeDefault { .. } => 11,
        Change::AddColumn { .. } | Change::ChangeGenerated { .. } => 12,
        Change::SetNotNull { .. } | Change::ChangeIdentity { .. } => 13,
        Change::GuardNotNull { .. } => 14,
        Change::AddConstraint { constraint, .. } if constraint.kind != "FOREIGN KEY" => 14,
        Change::ChangeSequence(_) | Change::ChangeOptions(_) => 15,
        Change::CreateView(_)
        | Change::ChangeView(_)
        | Change::LowerView(_)
        | Change::TableToView(_)
        | Change::ViewToTable(_) => 16,
        Change::CreateTrigger { .. } => 17,
        Change::DropTable(_) | Change::DropRoutine(_) | Change::DropType(_) | Change::DropSequence(_) => 18,
        Change::ChangeComment { .. } => 19,
        Change::CreateIndex { .. } | Change::BuildKey { .. } => 20,
        Change::LookNotNull { .. } => 21,
        Change::AddConstraint { .. } => 24,
        Change::ValidateConstraint { .. } => 25,
        Change::NotOurs(_)
        | Change::Adopt(_)
        | Change::Orphan(_)
        | Change::ForeignTrigger { .. }
        | Change::NotPlanned { .. } => 26,
    }
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
        // A table that is built anew gets everything that is new in it then.
        if stands && (shapes(&judged.change) || judged.step.mechanics == Mechanics::Rebuild) {
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
            | Change::LowerView(_)
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
    rebinds(change) || matches!(change, Change::CreateTable(_) | Change::CreateType(_))
}

fn phase(change: &Change) -> u8 {
    match change {
        Change::CreateDataset(_) => 0,
        Change::DropView(_) | Change::DropRoutine(_) | Change::LiftView(_) | Change::DropTrigger { .. } => 1,
        Change::DropIndex { .. } => 2,
        Change::RenameTable { .. }
        | Change::RenameSequence { .. }
        | Change::CreateType(_)
        | Change::ChangeType(_)
        | Change::AddEnumValue { .. }
        | Change::CreateSequence(_) => 3,
        Change::CreateTable(_) => 4,
        Change::RenameColumn { .. } => 5,
        Change::AddColumn { .. }
        | Change::RetypeColumn { .. }
        | Change::SetNotNull { .. }
        | Change::DropNotNull { .. }
        | Change::ChangeDefault { .. }
        | Change::ChangeGenerated { .. } => 6,
        Change::DropColumn { .. } => 7,
        Change::AddConstraint { .. }
        | Change::DropConstraint { .. }
        | Change::ChangeOptions(_)
        | Change::ChangeCollation { .. }
        | Change::ChangeIdentity { .. }
        | Change::ValidateConstraint { .. }
        | Change::GuardNotNull { .. }
        | Change::LookNotNull { .. }
        | Change::BuildKey { .. } => 8,
        Change::CreateIndex { .. } => 9,
        Change::CreateView(_)
        | Change::ChangeView(_)
        | Change::LowerView(_)
        | Change::TableToView(_)
        | Change::ViewToTable(_)
        | Change::CreateRoutine(_)
        | Change::ChangeRoutine(_)
        | Change::CreateTrigger { .. } => 10,
        Change::DropTable(_) | Change::ChangeSequence(_) | Change::DropSequence(_) | Change::DropType(_) => {
            11
        }
        Change::ChangeComment { .. } => 12,
        Change::NotOurs(_)
        | Change::Adopt(_)
        | Change::Orphan(_)
        | Change::ForeignTrigger { .. }
        | Change::NotPlanned { .. } => 13,
    }
}
