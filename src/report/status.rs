//! How every environment stands, as a view.

use super::command::quoted;
use super::label::Sign;
use super::text::{amount, short};
use super::view::{Item, Section, View};
use crate::model::status::{EnvironmentStatus, NextPromotion, Status};

/// Shows how every environment stands.
pub fn status_view(status: &Status) -> View {
    let mut view = View::titled("Status");
    let count = status.environments.len() as u64;
    view.add(Section::new(amount(count, "environment")).items(status.environments.iter().map(environment)));
    let waiting = status.environments.iter().filter(|one| one.behind.is_some_and(|behind| behind > 0));
    let plan = |one: &EnvironmentStatus| {
        Some(format!("promote plan {} {}", quoted(one.from.as_ref()?), quoted(&one.name)))
    };
    view.next = waiting.filter_map(plan).collect();
    view
}

fn environment(shown: &EnvironmentStatus) -> Item {
    let tip = match (&shown.tip, &shown.problem) {
        (Some(tip), _) => short(tip).to_owned(),
        (None, None) => "no such branch".to_owned(),
        (None, Some(_)) => "not known".to_owned(),
    };
    let place = if shown.repository == "." { String::new() } else { format!(" of {}", shown.repository) };
    let stands = match (&shown.from, shown.behind) {
        (Some(from), Some(0)) => format!("has all of {from}"),
        (Some(from), Some(behind)) => format!("lacks {} of {from}", amount(behind, "commit")),
        (Some(_), None) | (None, _) => String::new(),
    };
    let wrong = shown.hold.is_some() || shown.problem.is_some();
    let sign = match (wrong, shown.behind) {
        (true, _) => Sign::Danger,
        (false, Some(1..)) => Sign::Change,
        (false, Some(0) | None) => Sign::None,
    };
    let hotfixes = shown
        .hotfixes
        .iter()
        .map(|hotfix| format!("{} {} ({})", short(&hotfix.commit), hotfix.subject, hotfix.author));
    Item::new(sign, [shown.name.clone(), tip, stands])
        .prose("at", [format!("branch {}{place}", shown.branch)])
        .prose("hold", shown.hold.clone())
        .prose("problem", shown.problem.clone())
        .prose("next", shown.next.as_ref().map(upcoming))
        .prose("hotfixes", hotfixes)
        .prose(
            "last",
            shown.last.as_ref().map(|last| {
                format!("promotion {} from {} at {} by {}", last.number, last.from, last.at, last.by)
            }),
        )
}

/// Says what the next promotion would come to.
fn upcoming(next: &NextPromotion) -> String {
    let mut parts = vec![format!("{} to change", amount(next.files, "file"))];
    for (count, what) in [(next.losses, "loss"), (next.conflicts, "conflict")] {
        parts.extend((count > 0).then(|| amount(count, what)));
    }
    parts.push(match (next.steps, next.refused) {
        (None, _) => "schema not looked at".to_owned(),
        (Some(0), 0) => "schema as declared".to_owned(),
        (Some(steps), 0) => format!("{} of the schema", amount(steps, "step")),
        (Some(steps), refused) => format!("{} of the schema, {refused} refused", amount(steps, "step")),
    });
    parts.join(", ")
}
