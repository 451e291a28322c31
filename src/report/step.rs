//! The schema's change: a line for each step, and everything about those that need a person.

use super::label::Sign;
use super::text::{amount, listed_within};
use super::view::{DetailKind, Extent, Item, Section};
use crate::model::migration::{Affected, Mechanics, Migration, MigrationState, Stage, Step, Verdict};

/// Characters of a list of readers.
const READERS_CHARACTERS: usize = 100;

/// Whether steps are to be done or are done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tense {
    /// `1 to add`.
    ToDo,
    /// `1 added`.
    Done,
}

/// Shows the steps that stand in nobody's way, in the order in which they run; the others have a section.
pub(super) fn migration(migration: &Migration) -> Section {
    let refused = migration.steps.iter().any(Step::blocks);
    let steps: Vec<&Step> = migration.steps.iter().filter(|step| !step.blocks()).collect();
    let mut title = "Schema".to_owned();
    if let Some(target) = &migration.target {
        title.extend([" of ", &target.environment]);
    }
    if !steps.is_empty() {
        let noun = if refused { "other step" } else { "step" };
        title.extend([" (", &amount(steps.len() as u64, noun), ")"]);
    }
    let note = match migration.state {
        MigrationState::Known if migration.steps.is_empty() => {
            "The live schema is what the files declare.".to_owned()
        }
        MigrationState::Known if steps.is_empty() => String::new(),
        MigrationState::Known | MigrationState::Off => migration.note.clone().unwrap_or_default(),
        MigrationState::Unknown => {
            migration.note.clone().unwrap_or_else(|| "Unknown: CI plans it.".to_owned())
        }
    };
    let section = Section::new(title).note(note);
    if steps.iter().all(|step| plain_creation(step)) {
        section.items(steps.into_iter().map(created_item)).extent(Extent::Lines)
    } else {
        let extent = if refused { Extent::Lines } else { Extent::Whole };
        section.items(steps.into_iter().map(step_item)).extent(extent)
    }
}

/// Tells steps that make something new and touch nothing else.
fn plain_creation(step: &Step) -> bool {
    step.code.starts_with("create-") && step.settled == Verdict::Compatible && step.affected.is_empty()
}

/// Shows something new among nothing but new things: what it is and where it is declared.
fn created_item(step: &Step) -> Item {
    Item::new(sign(step), [step.code.clone(), step.subject(), place(step).unwrap_or_default()])
        .prose("why", why(step))
        .detail(DetailKind::Code, "runs", step.ddl.clone())
}

/// Shows a step with its reason, evidence, readers, recipe and statements.
pub(super) fn step_item(step: &Step) -> Item {
    let blocks = step.blocks();
    let mut cells = vec![step.code.clone(), step.subject(), judgement(step)];
    if !blocks {
        cells.extend(place(step));
    }
    let mut item =
        Item::new(sign(step), cells).prose("at", place(step).filter(|_| blocks)).prose("why", why(step));
    if let Some(probe) = &step.probe {
        let answer = match probe.rows {
            Some(0) => "no row stands in the way".to_owned(),
            Some(1) => "1 row stands in the way".to_owned(),
            Some(rows) => format!("{} stand in the way", amount(rows, "row")),
            None => "not asked yet".to_owned(),
        };
        let keys = probe.sample.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>();
        let answer = if keys.is_empty() { answer } else { format!("{answer}, such as {}", keys.join(", ")) };
        item = item.prose("data", [answer]).detail(DetailKind::Code, "probe", [probe.sql.clone()]);
    }
    let readers = if blocks || step.forced() {
        step.affected.iter().map(reader).collect()
    } else {
        readers(&step.affected)
    };
    let item = item.prose("used by", readers).prose("instead", numbered(&step.recipe));
    item.detail(DetailKind::Code, "by hand", by_hand(&step.way)).detail(
        DetailKind::Code,
        if blocks { "would run" } else { "runs" },
        step.ddl.clone(),
    )
}

/// Gives a step's reason, unless it says no more than the code does.
fn why(step: &Step) -> Option<String> {
    let known = step.code.starts_with("create-")
        && (step.reason.ends_with(" is new") || step.reason.ends_with(" is not there yet"));
    Some(step.reason.clone()).filter(|reason| !reason.is_empty() && !known)
}

/// Gives where a step's object is declared; the first character of a file is the file.
fn place(step: &Step) -> Option<String> {
    step.place.as_deref().map(|place| in_file(place).to_owned())
}

fn in_file(place: &str) -> &str {
    place.strip_suffix(":1:1").unwrap_or(place)
}

/// Shows a reader with its place.
fn reader(affected: &Affected) -> String {
    let place = affected.place.as_deref().map_or_else(String::new, |place| format!(" ({})", in_file(place)));
    let through =
        affected.through.as_deref().map_or_else(String::new, |through| format!(" through `{through}`"));
    format!("`{}`{place}{through}, {}", affected.object, whose(affected.managed))
}

/// Shows readers that nothing happens to: the project's own in a line, and the others.
fn readers(affected: &[Affected]) -> Vec<String> {
    let of = |managed: bool| {
        let names: Vec<String> = affected
            .iter()
            .filter(|affected| affected.managed == managed)
            .map(|affected| format!("`{}`", affected.object))
            .collect();
        (!names.is_empty())
            .then(|| format!("{}, {}", listed_within(READERS_CHARACTERS, &names), whose(managed)))
    };
    [of(true), of(false)].into_iter().flatten().collect()
}

fn whose(managed: bool) -> &'static str {
    if managed { "of this project" } else { "not of this project" }
}

fn numbered(recipe: &[String]) -> Vec<String> {
    if let [only] = recipe {
        return vec![only.clone()];
    }
    recipe.iter().enumerate().map(|(index, line)| format!("{}. {line}", index + 1)).collect()
}

/// Writes what each stage of a way edits, runs and says, to be pasted.
fn by_hand(way: &[Stage]) -> Vec<String> {
    let written = way.iter().enumerate().filter_map(|(index, stage)| {
        let mut lines = Vec::new();
        for edit in &stage.edits {
            lines.push(format!("-- {}. {}, line {}", index + 1, edit.file, edit.line));
            lines.extend(edit.before.iter().map(|line| format!("- {line}")));
            lines.extend(edit.after.iter().map(|line| format!("+ {line}")));
        }
        if !stage.sql.is_empty() {
            lines.push(format!("-- {}. on the rows", index + 1));
            lines.extend(stage.sql.iter().map(|sql| format!("{sql};")));
        }
        if !stage.flags.is_empty() {
            lines.push(format!("-- {}. with {}", index + 1, stage.flags.join(" ")));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    });
    written.collect()
}

/// Tells what happens to the object by the step's code, and whether it needs attention.
fn sign(step: &Step) -> Sign {
    if step.blocks() || step.forced() {
        return Sign::Danger;
    }
    if step.ddl.is_empty() {
        return Sign::None;
    }
    direction(step)
}

fn direction(step: &Step) -> Sign {
    match step.code.split('-').next() {
        Some("add" | "create" | "new") if !step.code.contains("not-null") => Sign::Add,
        Some("drop" | "remove" | "prune") if !step.code.contains("not-null") => Sign::Remove,
        _ => Sign::Change,
    }
}

fn judgement(step: &Step) -> String {
    let verdict = if step.forced() {
        "let through, after the push"
    } else {
        match step.settled {
            Verdict::Notice => "notice",
            Verdict::Compatible => "compatible",
            Verdict::CompatibleWithCost => "compatible, at a cost",
            Verdict::NeedsDataCheck => "REFUSED until the data is checked",
            Verdict::Incompatible => "INCOMPATIBLE",
        }
    };
    let cost = match step.mechanics {
        Mechanics::None | Mechanics::Metadata => "",
        Mechanics::Scan => ", reads all rows",
        Mechanics::Rewrite => ", writes all rows",
        Mechanics::Rebuild => ", builds the table anew",
        Mechanics::Impossible => ", the engine cannot",
    };
    format!("{verdict}{cost}")
}

/// Counts steps: `1 to add, 2 to change, 0 to drop, 1 refused`.
pub(super) fn tally(steps: &[Step], tense: Tense) -> String {
    let refused = steps.iter().filter(|step| step.blocks()).count();
    let count = |sign: Sign| {
        steps.iter().filter(|step| !step.blocks() && !step.ddl.is_empty() && direction(step) == sign).count()
    };
    let (add, change, drop) = (count(Sign::Add), count(Sign::Change), count(Sign::Remove));
    let ahead = steps.iter().filter(|step| step.code == "ahead-of-code").count();
    let ahead = if ahead > 0 { format!(", {ahead} ahead of the code") } else { String::new() };
    if add + change + drop + refused == 0 {
        return format!("nothing to do{ahead}");
    }
    let refused = if refused > 0 { format!(", {refused} refused{ahead}") } else { ahead };
    match tense {
        Tense::ToDo => format!("{add} to add, {change} to change, {drop} to drop{refused}"),
        Tense::Done => format!("{add} added, {change} changed, {drop} dropped{refused}"),
    }
}
