//! Commands that a report offers: complete, quoted for a shell, ready to be pasted.

use crate::model::plan::{Acknowledgements, Plan};

/// Words that `promote WORD` takes for a command, so that an environment of that name needs `promote apply`.
const COMMANDS: &[&str] = &[
    "apply",
    "approve",
    "check",
    "ci",
    "completions",
    "config",
    "data",
    "demo",
    "doctor",
    "drift",
    "environment",
    "explain",
    "help",
    "history",
    "hold",
    "init",
    "lineage",
    "man",
    "metrics",
    "migrate",
    "plan",
    "release",
    "rollback",
    "run",
    "sandbox",
    "schema",
    "show",
    "status",
    "ui",
    "unlock",
];

/// Gives the command that makes the same promotion with further flags, keeping what was said already.
///
/// Shape: `more` are words as they are typed (`--keep`, `models/a.sql:3`); they are quoted here.
pub fn command_with(plan: &Plan, more: &[&str]) -> String {
    flagged(command_between(&plan.from, &plan.to), plan, more)
}

/// Gives the command that plans the same promotion again, with what was said and further flags.
pub fn plan_command_with(plan: &Plan, more: &[&str]) -> String {
    flagged(format!("promote plan {} {}", quoted(&plan.from), quoted(&plan.to)), plan, more)
}

fn flagged(command: String, plan: &Plan, more: &[&str]) -> String {
    let flags = said(&plan.acknowledgements).into_iter().chain(more.iter().map(|&word| word.to_owned()));
    std::iter::once(command).chain(flags.map(|word| quoted(&word))).collect::<Vec<_>>().join(" ")
}

/// Gives the command that promotes one environment to another.
pub fn command_between(from: &str, to: &str) -> String {
    let apply = if COMMANDS.contains(&from) { "apply " } else { "" };
    format!("promote {apply}{} {}", quoted(from), quoted(to))
}

/// Spells acknowledgements as flags.
pub(super) fn said(given: &Acknowledgements) -> Vec<String> {
    let mut words = Vec::new();
    for (flag, values) in [
        ("--accept-loss", &given.accept_loss),
        ("--keep", &given.keep),
        ("--allow", &given.allow),
        ("--adopt", &given.adopt),
        ("--only", &given.only),
        ("--only-commit", &given.only_commit),
    ] {
        words.extend(values.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    for (path, side) in &given.resolve {
        let side = match side {
            crate::model::merge::Resolution::Source => "source",
            crate::model::merge::Resolution::Target => "target",
            crate::model::merge::Resolution::Delete => "delete",
        };
        words.extend(["--resolve".to_owned(), format!("{path}={side}")]);
    }
    for (flag, typed) in [
        ("--force", given.force),
        ("--prune", given.prune),
        ("--allow-unrelated", given.allow_unrelated),
        ("--create-branch", given.create_branch),
        ("--no-migrate", given.no_migrate),
        ("--reinstate", given.reinstate),
        ("--leave-out", given.leave_out),
    ] {
        words.extend(typed.then(|| flag.to_owned()));
    }
    if let Some(dataset) = &given.dataset {
        words.extend(["--dataset".to_owned(), dataset.clone()]);
    }
    if let Some(base) = &given.base {
        words.extend(["--base".to_owned(), base.clone()]);
    }
    words
}

/// Quotes a word for a POSIX shell, where it needs that.
pub fn quoted(word: &str) -> String {
    let harmless = |character: char| character.is_alphanumeric() || "-_./:=,@%+".contains(character);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_a_shell_would_read() {
        for (word, shown) in [
            ("models/a.sql:3-4", "models/a.sql:3-4"),
            ("my file", "'my file'"),
            ("it's", "'it'\\''s'"),
            ("$(rm)", "'$(rm)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
