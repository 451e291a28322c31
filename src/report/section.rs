//! The sections about what changes without standing in anybody's way, and about what stays.

use serde_json::Value;

use super::command::command_between;
use super::label::Sign;
use super::text::{amount, cut, listed_within, short};
use super::view::{DetailKind, Extent, Item, Layout, Section};
use crate::model::merge::{FileChange, FileChangeKind};
use crate::model::origin::Origin;
use crate::model::outcome::Outcome;
use crate::model::plan::{Plan, ValueChange};

/// Characters of a value that are shown.
const VALUE_CHARACTERS: usize = 100;
/// New values that a terminal shows; more are a line, for then the environment is new.
const MOST_VALUES: usize = 12;
/// Models with their reasons that a terminal shows; more are a line.
const MOST_RUNS: usize = 6;
/// Files that a terminal shows; more are a line.
const MOST_FILES: usize = 30;
/// Characters of a list of names in a line.
const NAMES_CHARACTERS: usize = 100;

/// Cuts a section down to a line of names, unless something in it wants attention.
pub(super) fn in_one_line(section: Section) -> Section {
    let happens = section.items.iter().any(|item| item.sign != Sign::None);
    let named = section.items.iter().filter(|item| !happens || item.sign != Sign::None);
    let names: Vec<String> = named.filter_map(|item| item.cells.first().cloned()).collect();
    summed_up(section, listed_within(NAMES_CHARACTERS, &names))
}

/// Cuts a section down to a line, unless it is one or something in it wants attention.
pub(super) fn summed_up(section: Section, text: String) -> Section {
    if section.items.is_empty() || matches!(section.extent, Extent::Summary(_)) {
        return section;
    }
    if section.items.iter().any(|item| item.sign == Sign::Danger) {
        return section.extent(Extent::Lines);
    }
    section.extent(Extent::Summary(text))
}

/// Shows the configuration's change: a section per environment that changes, the target's first.
pub(super) fn configuration(plan: &Plan) -> Vec<Section> {
    let all = &plan.config.environments;
    let target = all.get_key_value(&plan.to);
    let others = all.iter().filter(|(name, _)| **name != plan.to);
    let mut sections: Vec<Section> = target
        .into_iter()
        .chain(others.clone())
        .filter(|(_, changes)| !changes.is_empty())
        .map(|(name, changes)| {
            let mut section =
                Section::new(format!("Configuration of {name} ({})", amount(changes.len() as u64, "value")))
                    .items(changes.iter().map(value_item));
            section.layout = Layout::SideBySide;
            let new = changes.iter().all(|change| change.before.is_none());
            if new && changes.len() > MOST_VALUES {
                section.extent(Extent::Summary("all of them new.".to_owned()))
            } else {
                section
            }
        })
        .collect();
    let elsewhere = if sections.is_empty() { "Configuration" } else { "Configuration elsewhere" };
    let same: Vec<String> =
        all.iter().filter(|(_, changes)| changes.is_empty()).map(|(name, _)| name.clone()).collect();
    if !same.is_empty() {
        let note = format!("Nothing changes for {}.", super::text::listed(&same));
        sections.push(Section::new(elsewhere).note(note));
    }
    sections
}

pub(super) fn value_item(change: &ValueChange) -> Item {
    let sign = match (&change.before, &change.after) {
        (None, Some(_)) => Sign::Add,
        (Some(_), None) => Sign::Remove,
        (Some(_), Some(_)) => Sign::Change,
        (None, None) => Sign::None,
    };
    let side = |value: &Option<Value>| value.as_ref().map(shown).unwrap_or_default();
    Item::new(sign, [change.key.clone(), side(&change.before), side(&change.after)])
        .prose("was", change.origin_before.as_ref().map(place))
        .prose("now", change.origin_after.as_ref().map(place))
}

/// Names an origin: its place, and its layer where that is not the same.
pub(super) fn place(origin: &Origin) -> String {
    let shown = origin.to_string();
    let layer = origin.layer.as_str();
    if shown == layer { shown } else { format!("{shown} ({layer})") }
}

/// Writes a value on one line, not longer than a reader can take in.
pub(super) fn shown(value: &Value) -> String {
    let text = value.as_str().filter(|text| plain(text)).map_or_else(|| value.to_string(), str::to_owned);
    cut(&text, VALUE_CHARACTERS)
}

/// Tells texts that cannot be taken for another kind of value, nor hide their ends.
fn plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.contains('\n')
        && !text.starts_with(['"', '[', '{'])
        && !["true", "false", "null"].contains(&text)
        && text.parse::<f64>().is_err()
}

/// Shows the files that change.
pub(super) fn files(plan: &Plan) -> Section {
    let files = &plan.merge.files;
    let section = Section::new(format!("Files ({})", files.len())).items(files.iter().map(file_item));
    let all_new = plan.target.before.is_none() && files.len() > MOST_VALUES;
    if all_new || files.len() > MOST_FILES { section.extent(Extent::Summary(sum(files))) } else { section }
}

/// Sums files up: `3 added and 1 deleted, +12 -4 lines.`
fn sum(files: &[FileChange]) -> String {
    let counted: Vec<String> = [
        (FileChangeKind::Added, "added"),
        (FileChangeKind::Modified, "modified"),
        (FileChangeKind::Deleted, "deleted"),
        (FileChangeKind::Renamed, "renamed"),
    ]
    .into_iter()
    .map(|(kind, word)| (files.iter().filter(|file| file.change == kind).count(), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    format!("{}, {} lines.", super::text::listed(&counted), lines(files))
}

/// Counts lines: `+12 -4`.
pub(super) fn lines(files: &[FileChange]) -> String {
    let added: u64 = files.iter().map(|file| u64::from(file.added_lines)).sum();
    let removed: u64 = files.iter().map(|file| u64::from(file.removed_lines)).sum();
    format!("+{added} -{removed}")
}

fn file_item(file: &FileChange) -> Item {
    let (sign, what) = match file.change {
        FileChangeKind::Added => (Sign::Add, "added".to_owned()),
        FileChangeKind::Modified => (Sign::Change, "modified".to_owned()),
        FileChangeKind::Deleted => (Sign::Remove, "deleted".to_owned()),
        FileChangeKind::Renamed => {
            (Sign::Change, format!("renamed from {}", file.old_path.as_deref().unwrap_or("elsewhere")))
        }
    };
    Item::new(sign, [file.path.clone(), what, format!("+{} -{}", file.added_lines, file.removed_lines)])
}

/// Shows the models that are built afterwards.
pub(super) fn runs(plan: &Plan) -> Section {
    let title =
        if plan.outcome == Outcome::Promoted { "Models that this makes stale" } else { "Models to build" };
    let section = Section::new(format!("{title} ({})", plan.runs.len())).items(plan.runs.iter().map(|run| {
        let partition = run.partition.clone().unwrap_or_default();
        Item::new(Sign::Change, [run.model.clone(), partition, run.reason.clone()])
    }));
    if plan.runs.len() > MOST_RUNS { in_one_line(section) } else { section }
}

/// Shows the part that alone is promoted, and what comes because of it.
pub(super) fn part(plan: &Plan) -> Section {
    let part = &plan.merge.part;
    Section::new(format!("Only a part of {} ({})", plan.from, part.len())).items(part.iter().map(|part| {
        let name = part.path.as_deref().or(part.commit.as_deref().map(short)).unwrap_or_default();
        match &part.reason {
            Some(reason) => Item::new(Sign::Add, [name, &format!("comes too: {reason}")]),
            None => Item::new(Sign::None, [name, "was named"]),
        }
    }))
}

/// Shows hotfixes that survive.
pub(super) fn kept(plan: &Plan) -> Section {
    let kept = &plan.merge.kept;
    if kept.is_empty() {
        return Section::default();
    }
    // What was taken back in the target goes nowhere with them.
    let reverted = !(plan.merge.reverted.is_empty() && plan.merge.left_out.is_empty());
    let note = format!(
        "{} keeps these and {} does not have them yet: `{}{}` carries them back.",
        plan.to,
        plan.from,
        command_between(&plan.to, &plan.from),
        if reverted { " --reinstate" } else { "" }
    );
    Section::new(format!("Hotfixes kept ({})", kept.len())).note(note).items(kept.iter().map(|kept| {
        let place = match kept.lines {
            Some(lines) => format!("{}:{lines}", kept.path),
            None => kept.path.clone(),
        };
        let commit = kept.commit.as_deref().map(short).unwrap_or_default();
        Item::new(Sign::None, [place.as_str(), commit, kept.author.as_deref().unwrap_or_default()])
    }))
}

/// Shows the source's lines that do not arrive.
pub(super) fn left_behind(plan: &Plan) -> Section {
    let left = &plan.merge.left_behind;
    Section::new(format!("Left behind in {} ({})", plan.from, left.len())).items(
        left.iter().map(|left| {
            Item::new(Sign::Change, [&left.path]).detail(DetailKind::Removed, "", left.text.clone())
        }),
    )
}

/// Shows what the target keeps as its own.
pub(super) fn protected(plan: &Plan) -> Section {
    let protected = &plan.merge.protected;
    Section::new(format!("Protected in {} ({})", plan.to, protected.len())).items(protected.iter().map(
        |kept| {
            let name = kept.path.as_ref().or(kept.key.as_ref()).cloned().unwrap_or_default();
            let wanted = match &kept.source_wanted {
                Some(wanted) => format!("{} wanted {}", plan.from, cut(wanted, VALUE_CHARACTERS)),
                None => format!("{} wanted it gone", plan.from),
            };
            Item::new(Sign::None, [name, wanted])
        },
    ))
}

/// Shows files that the source once had.
pub(super) fn zombies(plan: &Plan) -> Section {
    let zombies = &plan.merge.zombies;
    let note = if zombies.is_empty() {
        String::new()
    } else {
        format!("Only in {}; {} had them once.", plan.to, plan.from)
    };
    Section::new(format!("Left over ({})", zombies.len()))
        .note(note)
        .items(zombies.iter().map(|path| Item::new(Sign::None, [path])))
}

/// Shows files that only the target has, where the histories are unrelated.
pub(super) fn target_only(plan: &Plan) -> Section {
    let only = &plan.merge.target_only;
    let note = if only.is_empty() { String::new() } else { "They stay.".to_owned() };
    Section::new(format!("Only in {} ({})", plan.to, only.len()))
        .note(note)
        .items(only.iter().map(|path| Item::new(Sign::None, [path])))
}
