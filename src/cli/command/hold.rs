//! `promote hold` and `promote release`.

use serde_json::json;

use crate::model::record::Entry;
use crate::promotion;
use crate::report::{self, Document, View};

use super::super::args::HoldArgs;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::Session;

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verb {
    /// Stop the line.
    Hold,
    /// Let it go on.
    Release,
}

/// Records a hold, or its end.
pub(super) fn run(session: &mut Session<'_>, args: &HoldArgs, verb: Verb) -> Result<Answer, Failure> {
    let environment = args.name.clone();
    let reason = if args.reason.is_empty() { "no reason given".to_owned() } else { args.reason.clone() };
    let (command, sentence, entry) = match verb {
        Verb::Hold => (
            "hold",
            format!("Promotions into {environment} are on hold: {reason}."),
            Entry::Hold { environment: environment.clone(), reason: reason.clone() },
        ),
        Verb::Release => (
            "release",
            format!("Promotions into {environment} may go on."),
            Entry::Release { environment: environment.clone(), reason: reason.clone() },
        ),
    };
    let recorded = {
        let mut ports = session.ports();
        promotion::note(&environment, &entry, &mut ports)
    };
    recorded.map_err(|error| Failure::of(command, &error))?;
    let mut view = View::titled(sentence);
    if verb == Verb::Hold {
        view.next.push(format!("promote release {}", report::quoted(&environment)));
    }
    let result = json!({ "environment": environment, "reason": reason, "held": verb == Verb::Hold });
    Ok(Answer::new(view, Document::of(command).result(&result)))
}
