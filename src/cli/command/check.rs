//! `promote check`.

use serde_json::json;

use crate::model::finding::{Finding, Level};
use crate::promotion;
use crate::report::{self, Document};

use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::Session;

/// Lists all faults of the project, at once.
pub(super) fn run(session: &mut Session<'_>) -> Result<Answer, Failure> {
    let checked = {
        let ports = session.ports();
        promotion::check(&ports)
    };
    let checked = checked.map_err(|error| Failure::of("check", &error))?;
    session.console.hide(checked.mask);
    let view = report::findings_view(&checked.file, &checked.findings);
    let errors = checked.findings.iter().filter(|finding: &&Finding| finding.level == Level::Error).count();
    let error = (errors > 0).then(|| {
        let faults = report::amount(errors as u64, "fault");
        report::Failure::new(format!("`{}` has {faults}", checked.file))
    });
    let result = json!({ "file": checked.file, "errors": errors });
    let document = Document::of("check").result(&result).findings(&checked.findings).error(error.clone());
    let mut answer = Answer::new(view, document);
    if let Some(error) = error {
        answer.code = ExitCode::Project;
        answer.blocks = report::terminal_failure(&error, report::Color::Off);
    }
    Ok(answer)
}
