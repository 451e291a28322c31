//! A rollback as a view.

use super::command::quoted;
use super::label::{Label, Sign};
use super::risk;
use super::text::{amount, short};
use super::view::{Item, Section, View};
use crate::model::finding::Finding;
use crate::model::merge::{FileChangeKind, Loss};
use crate::model::outcome::Outcome;
use crate::model::plan::GateState;
use crate::model::rollback::Rollback;

/// Shows what a rollback does, or did.
pub fn rollback_view(rollback: &Rollback, findings: &[Finding]) -> View {
    let name = &rollback.environment;
    let mut view = View::titled(format!("Rollback of {name}"));
    (view.label, view.headline) = match (&rollback.after, rollback.outcome) {
        (Some(after), _) => (
            Label::Good,
            format!(
                "Rolled back: {name} is at {} of branch {} now, and on hold.",
                short(after),
                rollback.branch
            ),
        ),
        (None, Outcome::Refused) => (Label::Danger, "Refused; nothing has been changed.".to_owned()),
        (None, _) => (Label::Change, "Planned; nothing has been changed yet.".to_owned()),
    };
    view.fact("to", rollback.to.clone());
    view.fact("from", format!("branch {} at {}", rollback.branch, short(&rollback.before)));
    let open = rollback.gates.iter().filter(|gate| gate.state == GateState::Refused);
    view.add(
        Section::risk("In the way")
            .items(open.map(|gate| Item::new(Sign::Danger, [gate.name.clone(), gate.detail.clone()]))),
    );
    view.add(losses(rollback));
    view.add(risk::warnings(findings));
    let taken = rollback.promotions.iter().map(|commit| Item::new(Sign::Remove, [short(commit).to_owned()]));
    let section = if rollback.promotions.is_empty() {
        Section::default()
    } else {
        Section::new(amount(rollback.promotions.len() as u64, "promotion") + " taken back")
            .note("The next promotion asks whether this comes again: `--reinstate` or `--leave-out`.")
            .items(taken)
    };
    view.add(section);
    view.add(Section::new(format!("Files ({})", rollback.files.len())).items(rollback.files.iter().map(
        |file| {
            let (sign, word) = match file.change {
                FileChangeKind::Added => (Sign::Add, "added"),
                FileChangeKind::Modified => (Sign::Change, "modified"),
                FileChangeKind::Deleted => (Sign::Remove, "deleted"),
                FileChangeKind::Renamed => (Sign::Change, "renamed"),
            };
            let lines = format!("+{} -{}", file.added_lines, file.removed_lines);
            Item::new(sign, [file.path.clone(), word.to_owned(), lines])
        },
    )));
    view.add(
        Section::new("What it cannot bring back")
            .items(rollback.limits.iter().map(|limit| Item::new(Sign::None, [limit.clone()]))),
    );
    view.next = match (&rollback.after, rollback.outcome) {
        (Some(_), _) => vec![format!("promote release {}", quoted(name))],
        (None, _) => Vec::new(),
    };
    view
}

fn losses(rollback: &Rollback) -> Section {
    let all: Vec<&Loss> = rollback.losses.iter().collect();
    if all.is_empty() {
        return Section::default();
    }
    let mut items = Vec::new();
    for group in risk::by_commit(&all) {
        items.push(risk::commit_item(group[0], group.len()));
        items.extend(group.iter().map(|loss| item(rollback, loss)));
    }
    let open = all.iter().any(|loss| !loss.accepted);
    let title = format!("Losses ({})", all.len());
    let section = if open { Section::risk(title) } else { Section::new(title) };
    section
        .note(format!("Work in {} since its last promotion that goes too.", rollback.environment))
        .items(items)
}

fn item(rollback: &Rollback, loss: &Loss) -> Item {
    if loss.accepted {
        return risk::loss_item(loss, Sign::Remove);
    }
    risk::loss_item(loss, Sign::Danger).command("drop it", [command_dropping(rollback, loss)])
}

/// Gives the command that makes the same rollback and drops one loss more.
fn command_dropping(rollback: &Rollback, loss: &Loss) -> String {
    let place = risk::loss_place(loss);
    let chosen = rollback.chosen.iter().flat_map(|to| ["--to", to]);
    let accepted = rollback.accept_loss.iter().chain([&place]).flat_map(|word| ["--accept-loss", word]);
    let words = [rollback.environment.as_str()].into_iter().chain(chosen).chain(accepted).map(quoted);
    format!("promote rollback {}", words.collect::<Vec<_>>().join(" "))
}
