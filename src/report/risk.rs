//! The sections about what stands in the way, and how each of it is settled.

use super::command::command_with;
use super::label::Sign;
use super::refusal::tells_more;
use super::step::step_item;
use super::text::{amount, cut, short};
use super::view::{DetailKind, Item, Section};
use crate::model::finding::{Finding, Level};
use crate::model::merge::{Loss, LossKind, Resolution};
use crate::model::migration::Migration;
use crate::model::plan::{GateState, Plan};

/// Lines of one loss that are shown; the rest is in the file.
const LOSS_LINES: usize = 12;
/// Characters of a subject that are shown.
const SUBJECT_CHARACTERS: usize = 72;

/// Shows findings that make the command fail.
pub(super) fn faults(found: &[Finding]) -> Section {
    Section::risk("Faults").items(of_level(found, Level::Error))
}

/// Shows findings that may be mistakes.
pub(super) fn warnings(found: &[Finding]) -> Section {
    Section::new("Warnings").items(of_level(found, Level::Warning))
}

/// Shows findings that are good to know.
pub(super) fn notices(found: &[Finding]) -> Section {
    Section::new("Good to know").items(of_level(found, Level::Notice))
}

fn of_level(found: &[Finding], level: Level) -> impl Iterator<Item = Item> {
    found.iter().filter(move |finding| finding.level == level).map(finding_item)
}

/// Shows a finding: level and code, message; then place and hint.
pub(super) fn finding_item(finding: &Finding) -> Item {
    let (sign, level) = match finding.level {
        Level::Error => (Sign::Danger, "error"),
        Level::Warning => (Sign::Change, "warning"),
        Level::Notice => (Sign::None, "notice"),
    };
    let mut lines = finding.message.lines();
    Item::new(sign, [format!("{level}[{}]", finding.code), lines.next().unwrap_or_default().to_owned()])
        .prose("", lines)
        .prose("at", finding.place.as_ref().map(ToString::to_string))
        .prose("hint", finding.hint.clone())
}

/// Shows conflicts with both sides; the open ones with the commands that settle them.
pub(super) fn conflicts(plan: &Plan) -> Section {
    let open = plan.merge.conflicts.iter().filter(|conflict| conflict.resolution.is_none()).count();
    let mut section = Section::new(format!("Conflicts ({open} open of {})", plan.merge.conflicts.len()))
        .items(plan.merge.conflicts.iter().map(|conflict| {
            let both =
                [format!("{}: {}", plan.from, conflict.source), format!("{}: {}", plan.to, conflict.target)];
            let item = |sign| Item::new(sign, [conflict.path.as_str(), conflict.kind.code()]).prose("", both);
            match conflict.resolution {
                Some(resolution) => item(Sign::Change).prose("settled", [resolved(resolution)]),
                None => item(Sign::Danger).command(
                    "settle it",
                    ["source", "target", "delete"]
                        .map(|side| command_with(plan, &["--resolve", &format!("{}={side}", conflict.path)])),
                ),
            }
        }));
    section.risk = open > 0;
    section
}

fn resolved(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Source => "the source's version is taken",
        Resolution::Target => "the target's version stays",
        Resolution::Delete => "it goes",
    }
}

/// Shows losses that are not settled, by commit, each with the command that drops and the one that keeps it.
pub(super) fn losses(plan: &Plan) -> Section {
    let open: Vec<&Loss> = plan.merge.losses.iter().filter(|loss| !loss.accepted).collect();
    if open.is_empty() {
        return Section::default();
    }
    let mut items = Vec::new();
    for group in by_commit(&open) {
        items.push(commit_item(group[0], group.len()));
        items.extend(group.iter().map(|loss| {
            let place = loss_place(loss);
            loss_item(loss, Sign::Danger)
                .command("drop it", [command_with(plan, &["--accept-loss", &place])])
                .command("keep it", [command_with(plan, &["--keep", &place])])
        }));
    }
    let note = format!(
        "Work that only {} has, and that this merge would drop. Each needs a word: drop it knowingly, or keep it.",
        plan.to
    );
    let section = Section::risk(format!("Losses ({})", open.len())).note(note);
    if open.len() > 1 {
        items.push(
            Item::new(Sign::None, ["all of them"])
                .command("drop", [command_with(plan, &["--accept-loss", "all"])])
                .command("keep", [command_with(plan, &keep_all(&open))]),
        );
    }
    section.items(items)
}

fn keep_all<'a>(open: &[&'a Loss]) -> Vec<&'a str> {
    let mut paths: Vec<&str> = open.iter().map(|loss| loss.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.into_iter().flat_map(|path| ["--keep", path]).collect()
}

/// Shows losses that were accepted.
pub(super) fn settled_losses(plan: &Plan) -> Section {
    let settled: Vec<&Loss> = plan.merge.losses.iter().filter(|loss| loss.accepted).collect();
    let mut items = Vec::new();
    for group in by_commit(&settled) {
        items.push(commit_item(group[0], group.len()));
        items.extend(group.iter().map(|loss| loss_item(loss, Sign::Remove)));
    }
    Section::new(format!("Dropped knowingly ({})", settled.len())).items(items)
}

/// Groups losses by commit: in the order in which each commit turns up first.
pub(super) fn by_commit<'a>(losses: &[&'a Loss]) -> Vec<Vec<&'a Loss>> {
    let mut groups: Vec<Vec<&Loss>> = Vec::new();
    for &loss in losses {
        match groups.iter_mut().find(|group| group[0].commit == loss.commit) {
            Some(group) => group.push(loss),
            None => groups.push(vec![loss]),
        }
    }
    groups
}

/// Shows the commit that a group of losses comes from.
pub(super) fn commit_item(loss: &Loss, count: usize) -> Item {
    let name = match &loss.commit {
        Some(commit) => format!("commit {}", short(commit)),
        None => "no single commit".to_owned(),
    };
    let subject = loss.subject.as_deref().map(|subject| cut(subject, SUBJECT_CHARACTERS));
    let count = amount(count as u64, "loss");
    let Some(author) = &loss.author else { return Item::new(Sign::None, [name, count]) };
    let date = loss.date.as_ref().map(|date| date.get(..10).unwrap_or(date).to_owned());
    let by: Vec<String> = std::iter::once(author.clone()).chain(date).chain([count]).collect();
    Item::new(Sign::None, std::iter::once(name).chain(subject)).prose("by", [by.join(", ")])
}

pub(super) fn loss_item(loss: &Loss, sign: Sign) -> Item {
    let what = match loss.kind {
        LossKind::Line => "lines that go",
        LossKind::Deletion => "lines deleted there, that would come back",
        LossKind::File => "the whole file",
        LossKind::Mode => "the file's mode",
        LossKind::Value => "a value that goes",
    };
    let kind = if loss.kind == LossKind::Deletion { DetailKind::Added } else { DetailKind::Removed };
    let mut lines: Vec<String> = loss.text.iter().take(LOSS_LINES).cloned().collect();
    if loss.text.len() > LOSS_LINES {
        lines.push(format!("… and {} more", amount((loss.text.len() - LOSS_LINES) as u64, "line")));
    }
    Item::new(sign, [loss_place(loss), what.to_owned()]).detail(kind, "", lines)
}

/// Names a loss as the flags take it: `PATH` or `PATH:LINES`.
pub(super) fn loss_place(loss: &Loss) -> String {
    match loss.lines {
        Some(lines) => format!("{}:{lines}", loss.path),
        None => loss.path.clone(),
    }
}

/// Shows the steps that stand in the way, with everything that is known about each.
///
/// Shape: `force` gives the command that lets a step through, from what its `allow` says.
pub(super) fn blocked_steps(migration: &Migration, force: impl Fn(&str) -> String) -> Section {
    let blocked: Vec<_> = migration.steps.iter().filter(|step| step.blocks()).collect();
    Section::risk(format!("Refused schema changes ({})", blocked.len())).items(
        blocked
            .into_iter()
            .map(|step| step_item(step).command("force it", step.allow.as_ref().map(|allow| force(allow)))),
    )
}

/// Shows gates that refuse or wait.
pub(super) fn gates(plan: &Plan) -> Section {
    let open = plan.gates.iter().filter(|gate| tells_more(plan, gate));
    let items: Vec<Item> = open
        .filter_map(|gate| match gate.state {
            GateState::Refused => Some(Item::new(Sign::Danger, [&gate.name, "refused", &gate.detail])),
            GateState::Waiting => Some(Item::new(Sign::Change, [&gate.name, "waiting", &gate.detail])),
            GateState::Passed | GateState::Overridden => None,
        })
        .collect();
    Section::risk("Gates in the way").items(items)
}

/// Shows gates that are satisfied, or were let through.
pub(super) fn standing_gates(plan: &Plan) -> Section {
    Section::new("Gates passed").items(plan.gates.iter().filter_map(|gate| match gate.state {
        GateState::Passed => Some(Item::new(Sign::None, [&gate.name, "passed", &gate.detail])),
        GateState::Overridden => Some(Item::new(Sign::Danger, [&gate.name, "overridden", &gate.detail])),
        GateState::Refused | GateState::Waiting => None,
    }))
}
