//! `promote config show`.

use crate::config::{Flags, Labels};
use crate::report::{self, Document, ShownConfiguration, ShownValue};

use super::super::failure::Failure;
use super::answer::Answer;
use super::session::{Session, files};

/// Prints an environment's effective configuration.
pub(super) fn show(session: &mut Session<'_>, reveal: bool, worktree: bool) -> Result<Answer, Failure> {
    let reading = session.read("config show", files(worktree), Flags::default())?;
    let effective = &reading.resolved.effective;
    let mut labels = Labels::new();
    labels.learn(effective);
    let values = effective.values().map(|(key, value)| ShownValue {
        key,
        value: if reveal { value.value.clone() } else { labels.shown(value) },
        origin: value.origin.clone(),
    });
    let shown = ShownConfiguration {
        environment: reading.chosen.name.as_ref().map(ToString::to_string),
        why: reading.chosen.why.clone(),
        read: reading.read.clone(),
        values: values.collect(),
    };
    let view = report::configuration_view(&shown);
    let document =
        Document::of("config show").result(&report::configuration_result(&shown)).findings(&reading.findings);
    let mut answer = Answer::new(view, document);
    answer.reveal = reveal;
    Ok(answer)
}
