//! `promote FROM TO`, `promote apply FROM TO`, `promote apply FILE`.

use crate::model::finding::Finding;
use crate::model::outcome::Outcome;
use crate::model::plan::Plan;
use crate::promotion::{self, Applied, PromotionError, Request, Scene};
use crate::report;

use super::super::args::ApplyArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::{Session, said};
use super::{plan, question, run as runs};

/// Observes, decides, shows, asks, acts.
pub(super) fn run(session: &mut Session<'_>, args: &ApplyArgs) -> Result<Answer, Failure> {
    session.patience = args.act.lock_timeout;
    let (request, expected) = requested(session, args)?;
    let scene = plan::observe(session, "apply", &request)?;
    if let Some(expected) = &expected
        && scene.plan.plan_id != expected.plan_id
    {
        session.console.tell(&differences(expected, &scene.plan));
        return Err(stale(expected, &scene.plan));
    }
    let shown = plan::answer(session, "apply", &scene.plan, &scene.findings, true);
    if shown.code != ExitCode::Done || scene.plan.outcome == Outcome::NothingToDo {
        return Ok(shown);
    }
    if !args.act.yes {
        question::confirm(session, &shown, &format!("Promote {} to {}?", scene.plan.from, scene.plan.to))?;
    }
    let findings = scene.findings.clone();
    let planned = scene.plan.clone();
    let applied = match act(session, scene, &request)? {
        Ok(applied) => applied,
        Err(error) => return ended(session, planned, &findings, &error),
    };
    let mut answer = plan::answer(session, "apply", &applied.plan, &findings, true);
    // What was shown before the question is not shown twice.
    answer.view = if args.act.yes { answer.view } else { promoted_view(&applied.plan) };
    if request.run {
        build(session, &applied, &mut answer)?;
    }
    Ok(answer)
}

/// Takes the pair and the flags, or a saved plan.
fn requested(session: &Session<'_>, args: &ApplyArgs) -> Result<(Request, Option<Plan>), Failure> {
    if let Some(to) = &args.to {
        let request =
            Request { from: args.from.clone(), to: to.clone(), said: said(&args.decisions)?, run: args.run };
        return Ok((request, None));
    }
    let path = session.world.folder.join(&args.from);
    if !path.exists() {
        return Err(Failure::usage(
            format!(
                "`{}` is neither a command nor a file with a saved plan, and no second environment is named",
                args.from
            ),
            "write `promote FROM TO`; `promote --help` lists the commands",
        ));
    }
    let saved = plan::load(&path)?;
    let request = Request {
        from: saved.plan.from.clone(),
        to: saved.plan.to.clone(),
        said: saved.acknowledgements,
        run: args.run,
    };
    Ok((request, Some(saved.plan)))
}

/// Shows what a plan made now differs in from the one that was saved.
fn differences(expected: &Plan, found: &Plan) -> String {
    let shown = |plan: &Plan| report::terminal(&report::plan_view(plan, &[]), report::Color::Off);
    report::unified(&shown(expected), &shown(found), "the saved plan", "the plan now")
}

/// A saved plan is applied as it is, or not at all.
fn stale(expected: &Plan, found: &Plan) -> Failure {
    let same = |one: &Option<String>, other: &Option<String>| one == other;
    let what = if expected.source.commit != found.source.commit {
        "the source moved"
    } else if !same(&expected.target.before, &found.target.before) {
        "the target moved"
    } else if expected.migration.fingerprint != found.migration.fingerprint {
        "the live schema moved"
    } else if expected.tool != found.tool {
        "it was made by another version of promote"
    } else {
        "what decides it changed"
    };
    Failure::new(
        ExitCode::Stale,
        format!("cannot apply the saved plan: it is stale, {what}"),
        Some(format!("plan again: promote plan {} {} --save FILE", expected.from, expected.to)),
    )
}

type Acted = Result<Applied, PromotionError>;

fn act(session: &mut Session<'_>, scene: Scene, request: &Request) -> Result<Acted, Failure> {
    let runtime = session.runtime()?;
    let mut ports = session.ports();
    Ok(runtime.block_on(promotion::apply(scene, request, &mut ports)))
}

/// What is left of a plan that could not be carried out to its end: it is partial or stale, or only failed.
fn ended(
    session: &Session<'_>,
    mut plan: Plan,
    findings: &[Finding],
    error: &PromotionError,
) -> Result<Answer, Failure> {
    let failure = Failure::of("apply", error);
    if let PromotionError::Partial { command, .. } = error {
        plan.outcome = Outcome::Partial;
        plan.next = vec![command.clone()];
    } else if failure.code == ExitCode::Stale {
        plan.outcome = Outcome::Stale;
    } else {
        return Err(failure);
    }
    let mut answer = plan::answer(session, "apply", &plan, findings, true);
    answer.code = failure.code;
    answer.blocks = report::terminal_failure(&failure.words, report::Color::Off);
    answer.document.error = Some(*failure.words);
    Ok(answer)
}

/// Builds the models, and says in the answer what came of it.
fn build(session: &mut Session<'_>, applied: &Applied, answer: &mut Answer) -> Result<(), Failure> {
    let runtime = session.runtime()?;
    let results = {
        let mut ports = session.ports();
        runtime.block_on(promotion::build_promoted(applied, &mut ports))
    };
    let results = results.map_err(|error| Failure::of("apply", &error))?;
    let shown = runs::shown(&applied.plan.runs, &results);
    let dataset = applied.dataset().unwrap_or_default();
    let view = report::runs_view(&applied.plan.to, &dataset, &shown);
    answer.view.sections.extend(view.sections);
    if let Some(failure) = runs::failure(&applied.plan.to, &shown) {
        answer.code = ExitCode::Warehouse;
        answer.blocks.push_str(&report::terminal_failure(&failure, report::Color::Off));
        answer.document.error = Some(failure);
    }
    Ok(())
}

/// A short word for somebody who has seen the plan.
fn promoted_view(plan: &Plan) -> report::View {
    let mut view = report::plan_view(plan, &[]);
    view.sections.clear();
    view
}
