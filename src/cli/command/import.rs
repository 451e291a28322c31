//! `promote migrate --import`: files that declare what is live.

use crate::config::Flags;
use crate::model::plan::Acknowledgements;
use crate::promotion::{self, Files, Importing};
use crate::report::{self, Progress};

use super::super::args::MigrateArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::migrate::{act, answer};
use super::question;
use super::session::{Session, said_to_schema};

/// Writes files that declare what is live and takes it over, or shows which it would write.
pub(super) fn run(session: &mut Session<'_>, args: &MigrateArgs) -> Result<Answer, Failure> {
    let adopt = vec!["declared".to_owned()];
    let said = Acknowledgements { adopt, ..said_to_schema(&args.decisions) };
    let flags = Flags { dataset: said.dataset.clone() };
    // What is written lies in the working tree.
    let reading = session.read("migrate", Files::WorkTree, flags)?;
    let failed = |error| Failure::of("migrate", &error);
    let importing = {
        let runtime = session.runtime()?;
        let mut ports = session.ports();
        runtime.block_on(promotion::plan_import(&reading, &said, &mut ports)).map_err(failed)?
    };
    let told = |progress| told(&importing, answer(&reading, &importing.migrating, &said, progress), progress);
    let shown = refused(&importing, told(Progress::Planned));
    let pending = importing.migrating.is_pending(&said) || importing.paths().next().is_some();
    if args.plan || shown.code != ExitCode::Done || !pending {
        let mut shown = shown;
        if args.exit_code && shown.code == ExitCode::Done && pending {
            shown.code = ExitCode::Pending;
        }
        return Ok(shown);
    }
    let environment = &reading.resolved.environment.name;
    if !args.act.yes {
        question::confirm(session, &shown, &format!("Write these files and take {environment} over?"))?;
    }
    importing.write().map_err(failed)?;
    act(session, &reading, &importing.migrating, &said)?;
    Ok(told(Progress::Applied))
}

/// Says what an import is about: files, and no change of a table.
fn told(importing: &Importing, mut answer: Answer, progress: Progress) -> Answer {
    if answer.code != ExitCode::Done {
        return answer;
    }
    let files = match importing.paths().count() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    answer.view.total.clear();
    answer.view.headline = match progress {
        _ if files.starts_with("0 ") => {
            "Nothing to write: what is live is declared, or cannot be.".to_owned()
        }
        Progress::Planned | Progress::Stopped => {
            format!("Planned: {files} to declare what is live; nothing has been written yet.")
        }
        Progress::Applied => format!("Imported: {files} declare what is live, which is managed from now on."),
    };
    answer
}

/// What was declared before has to be what is live: an import changes nothing.
fn refused(importing: &Importing, mut shown: Answer) -> Answer {
    let others: Vec<String> =
        importing.others().map(|step| format!("{} {}", step.code, step.subject())).collect();
    if others.is_empty() || shown.code != ExitCode::Done {
        return shown;
    }
    let message =
        format!("cannot import: what is declared already is not what is live: {}", others.join(", "));
    let hint = "migrate first (`promote migrate`), or mend what is declared";
    let error = report::Failure { hint: Some(hint.to_owned()), ..report::Failure::new(message) };
    shown.code = ExitCode::No;
    shown.blocks = report::terminal_failure(&error, report::Color::Off);
    shown.document.error = Some(error);
    shown
}
