//! `promote status`.

use crate::promotion;
use crate::report::{self, Document};

use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::Session;

/// Shows how every environment stands.
pub(super) fn run(session: &mut Session<'_>) -> Result<Answer, Failure> {
    let runtime = session.runtime()?;
    let standing = {
        let mut ports = session.ports();
        promotion::status(&runtime, &mut ports)
    };
    let standing = standing.map_err(|error| Failure::of("status", &error))?;
    session.console.hide(standing.mask);
    let environments = &standing.status.environments;
    let unknown = environments.iter().filter(|one| one.problem.is_some()).count() as u64;
    let error = (unknown > 0).then(|| {
        report::Failure::new(format!("not everything is known of {}", report::amount(unknown, "environment")))
    });
    let document = Document::of("status").result(&standing.status).error(error.clone());
    let mut answer = Answer::new(report::status_view(&standing.status), document);
    if let Some(error) = error {
        answer.code = ExitCode::Git;
        answer.blocks = report::terminal_failure(&error, report::Color::Off);
    }
    Ok(answer)
}
