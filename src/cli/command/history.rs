//! `promote history`.

use crate::promotion;
use crate::report::{self, Document, HistoryResult};

use super::super::args::HistoryArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::Session;

/// Shows who promoted what, when; reading checks the chain of records.
pub(super) fn run(session: &mut Session<'_>, args: &HistoryArgs) -> Result<Answer, Failure> {
    let name = args.name.clone().or_else(|| session.global.environment.clone());
    let history = {
        let mut ports = session.ports();
        promotion::history(name.as_deref(), &mut ports)
    };
    let history = history.map_err(|error| Failure::of("history", &error))?;
    let mut view = report::history_view(&history.environment, &history.records);
    if args.verify {
        let count = report::amount(history.total as u64, "record");
        view.total = format!("The chain of {count} is whole.");
    }
    let findings = history.findings;
    let error = findings.first().filter(|_| args.verify);
    let error = error.map(|_| report::Failure::new("the journal is behind its branch"));
    let result = HistoryResult { environment: history.environment, records: history.records };
    let document = Document::of("history").result(&result).findings(&findings).error(error.clone());
    let mut answer = Answer::new(view, document);
    answer.blocks = report::terminal_findings(&findings, report::Color::Off);
    if let Some(error) = error {
        answer.code = ExitCode::No;
        answer.blocks.push_str(&report::terminal_failure(&error, report::Color::Off));
    }
    Ok(answer)
}
