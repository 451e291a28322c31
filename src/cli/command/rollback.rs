//! `promote rollback`.

use crate::model::outcome::Outcome;
use crate::model::rollback::Rollback;
use crate::promotion::{self, RollbackRequest};
use crate::report::{self, Document};

use super::super::args::RollbackArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::question;
use super::session::Session;

/// Looks, shows, asks, acts.
pub(super) fn run(session: &mut Session<'_>, args: &RollbackArgs) -> Result<Answer, Failure> {
    session.patience = args.act.lock_timeout;
    let mut accept_losses = args.accept_loss.clone();
    accept_losses.sort();
    let request = RollbackRequest { environment: args.name.clone(), to: args.to.clone(), accept_losses };
    let failed = |error| Failure::of("rollback", &error);
    let scene = {
        let mut ports = session.ports();
        promotion::plan_rollback(&request, &mut ports)
    }
    .map_err(failed)?;
    let findings = scene.findings.clone();
    let shown = answer(&scene.rollback, &findings);
    if args.plan || shown.code != ExitCode::Done {
        return Ok(shown);
    }
    if !args.act.yes {
        question::confirm(session, &shown, &format!("Roll {} back?", args.name))?;
    }
    let done = {
        let mut ports = session.ports();
        promotion::roll_back(scene, &mut ports)
    };
    let mut answer = answer(&done.map_err(failed)?, &findings);
    if !args.act.yes {
        // What was shown before the question is not shown twice.
        answer.view.sections.clear();
    }
    Ok(answer)
}

fn answer(rollback: &Rollback, findings: &[crate::model::finding::Finding]) -> Answer {
    let refused = rollback.outcome == Outcome::Refused;
    let error = refused.then(|| {
        let hint = "settle what is listed, then run the same command again".to_owned();
        let message = format!("cannot roll `{}` back: something stands in the way", rollback.environment);
        report::Failure { hint: Some(hint), ..report::Failure::new(message) }
    });
    let blocks = error.as_ref().map(|failure| report::terminal_failure(failure, report::Color::Off));
    let document = Document::of("rollback").result(rollback).findings(findings).error(error);
    let mut answer = Answer::new(report::rollback_view(rollback, findings), document);
    answer.code = if refused { ExitCode::No } else { ExitCode::Done };
    answer.blocks = blocks.unwrap_or_default();
    answer
}
