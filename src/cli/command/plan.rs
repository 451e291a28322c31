//! `promote plan`.

use crate::model::finding::Finding;
use crate::model::outcome::Outcome;
use crate::model::plan::{GateState, Plan};
use crate::promotion::{self, Request, Scene};
use crate::report::{self, Document};

use super::super::args::PlanArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::migrate;
use super::saved::{self, SavedPlan};
use super::session::{Session, said};

/// Observes and decides.
pub(super) fn run(session: &mut Session<'_>, args: &PlanArgs) -> Result<Answer, Failure> {
    let request =
        Request { from: args.from.clone(), to: args.to.clone(), said: said(&args.decisions)?, run: false };
    let scene = observe(session, "plan", &request)?;
    if let Some(path) = &args.save {
        let saved = SavedPlan {
            format: saved::FORMAT,
            acknowledgements: request.said.clone(),
            plan: scene.plan.clone(),
            findings: scene.findings.clone(),
        };
        saved::save(&session.world.folder.join(path), &saved)?;
    }
    let mut answer = answer(session, "plan", &scene.plan, &scene.findings, false);
    if args.exit_code && answer.code == ExitCode::Done && is_pending(&scene.plan) {
        answer.code = ExitCode::Pending;
    }
    Ok(answer)
}

/// Observes and decides, and from then on hides what must not be seen.
pub(super) fn observe(session: &mut Session<'_>, command: &str, request: &Request) -> Result<Scene, Failure> {
    if request.from == request.to {
        let message = format!("`{}` cannot be promoted to itself", request.from);
        return Err(Failure::usage(
            message,
            "name the environment to promote from, then the one to promote to",
        ));
    }
    let runtime = session.runtime()?;
    let scene = {
        let mut ports = session.ports();
        runtime.block_on(promotion::observe(request, &mut ports))
    };
    let mut scene = scene.map_err(|error| Failure::of(command, &error))?;
    if request.run {
        scene.plan.next.iter_mut().for_each(|command| command.push_str(" --run"));
    }
    session.console.hide(scene.mask.clone());
    Ok(scene)
}

/// Whether a plan has anything to do.
pub(super) fn is_pending(plan: &Plan) -> bool {
    plan.outcome == Outcome::Planned
}

/// Makes the answer of a plan: view, document, code, and what stands in the way as blocks.
///
/// Shape: `acting` is whether the plan was to be applied: then a gate that waits is a no.
pub(super) fn answer(
    session: &Session<'_>,
    command: &str,
    plan: &Plan,
    findings: &[Finding],
    acting: bool,
) -> Answer {
    let view = report::plan_view(plan, findings);
    let waiting = plan.gates.iter().find(|gate| gate.state == GateState::Waiting);
    let code = match plan.outcome {
        Outcome::Conflict => ExitCode::Git,
        Outcome::Refused => ExitCode::No,
        Outcome::Stale => ExitCode::Stale,
        Outcome::Partial => ExitCode::Warehouse,
        Outcome::Planned if acting && waiting.is_some() => ExitCode::No,
        Outcome::Planned | Outcome::Promoted | Outcome::Proposed | Outcome::NothingToDo => ExitCode::Done,
    };
    let error = (code != ExitCode::Done).then(|| failure(plan));
    let document = Document::of(command).result(plan).findings(findings).error(error.clone());
    let mut answer = Answer::new(view, document);
    answer.code = code;
    if let Some(error) = &error {
        let mut blocks = String::new();
        if !session.for_people() {
            blocks.push_str(&report::terminal_refusals(&report::refusals(plan), report::Color::Off));
            blocks.push('\n');
        }
        blocks.push_str(&report::terminal_failure(error, report::Color::Off));
        answer.blocks = blocks;
    }
    answer
}

/// Says why a plan is not carried out.
fn failure(plan: &Plan) -> report::Failure {
    let attempted = format!("cannot promote `{}` to `{}`", plan.from, plan.to);
    let stands = plan.gates.iter().find(|gate| matches!(gate.state, GateState::Refused | GateState::Waiting));
    let why = stands.map_or_else(|| "something stands in the way".to_owned(), |gate| gate.detail.clone());
    let hint = match (plan.outcome, stands.map(|gate| gate.name.as_str())) {
        (Outcome::Conflict, _) => Some("settle each with `--resolve PATH=source|target|delete`".to_owned()),
        (_, Some("losses")) => Some(
            "keep each with `--keep PATH:LINES`, or drop it knowingly with `--accept-loss PATH:LINES`"
                .to_owned(),
        ),
        (_, Some("migration" | "proof")) => migrate::way_out(&plan.migration),
        _ => None,
    };
    report::Failure { hint, ..report::Failure::new(format!("{attempted}: {why}")) }
}
