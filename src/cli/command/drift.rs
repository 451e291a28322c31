//! `promote drift`.

use crate::config::Flags;
use crate::model::plan::Acknowledgements;
use crate::report::{self, Document, DriftResult};

use super::super::args::DriftArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::migrate;
use super::session::{Session, files};

/// Compares what is live with what was last applied.
pub(super) fn run(session: &mut Session<'_>, args: &DriftArgs) -> Result<Answer, Failure> {
    if args.name.is_some() {
        session.global.environment.clone_from(&args.name);
    }
    let said = Acknowledgements { dataset: args.dataset.clone(), ..Acknowledgements::default() };
    let flags = Flags { dataset: args.dataset.clone() };
    let reading = session.read("drift", files(args.worktree), flags)?;
    let migrating = migrate::plan(session, &reading, &said)?;
    let result = DriftResult::of(&migrating.migration);
    let view = report::drift_view(reading.resolved.environment.name.as_str(), &result);
    let document = Document::of("drift").result(&result).findings(&reading.findings);
    let mut answer = Answer::new(view, document);
    if args.exit_code && !result.drift.is_empty() {
        answer.code = ExitCode::Pending;
    }
    Ok(answer)
}
