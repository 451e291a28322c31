//! `promote FROM TO`, `promote apply FROM TO`, `promote apply FILE`.

use crate::git::GitError;
use crate::model::finding::Finding;
use crate::model::outcome::Outcome;
use crate::model::plan::Plan;
use crate::promotion::{self, Applied, OnMove, PromotionError, Request, Scene};
use crate::report;

use super::super::args::ApplyArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::saved::{self, Saved, SavedMigration};
use super::session::{Session, said};
use super::{migrate, plan, question, run as runs};

/// Observes, decides, shows, asks, acts.
pub(super) fn run(session: &mut Session<'_>, args: &ApplyArgs) -> Result<Answer, Failure> {
    session.patience = args.act.lock_timeout;
    let (request, expected) = match requested(session, args)? {
        Requested::Promotion(request, expected) => (*request, expected),
        Requested::Migration(saved) => return migrate::apply_saved(session, &saved, &args.act),
    };
    let scene = plan::observe(session, "apply", &request)?;
    if let Some(expected) = &expected
        && scene.plan.plan_id != expected.plan_id
    {
        session.console.tell(&differences((expected, "the saved plan"), &scene.plan));
        return Err(stale(expected, &scene.plan, &args.from));
    }
    let shown = plan::answer(session, "apply", &scene.plan, &scene.findings, true);
    if scene.plan.outcome == Outcome::NothingToDo {
        let settled = promotion::settle(&scene, &mut session.ports());
        settled.map_err(|error| Failure::of("apply", &error))?;
    }
    if shown.code != ExitCode::Done || scene.plan.outcome == Outcome::NothingToDo {
        return Ok(shown);
    }
    if !args.act.yes {
        question::confirm(session, &shown, &format!("Promote {} to {}?", scene.plan.from, scene.plan.to))?;
    }
    let applied = match carried_out(session, scene, &request, (args, expected.is_some()))? {
        Carried::Out(applied) => *applied,
        Carried::Not(answer) => return Ok(*answer),
    };
    let mut answer = plan::answer(session, "apply", &applied.plan, &applied.findings, true);
    // What was shown before the question is not shown twice.
    answer.view = if args.act.yes { answer.view } else { promoted_view(&applied.plan) };
    if request.run && applied.plan.outcome == Outcome::Proposed {
        session.console.tell("The models are built when it is merged: by CI, or with `promote run`.");
    } else if request.run {
        build(session, &applied, &mut answer)?;
    }
    Ok(answer)
}

/// What is asked for.
enum Requested {
    /// A promotion; with the plan that it has to be, where one was saved.
    Promotion(Box<Request>, Option<Box<Plan>>),
    /// A migration that was saved.
    Migration(Box<SavedMigration>),
}

/// Takes the pair and the flags, or a saved plan.
fn requested(session: &Session<'_>, args: &ApplyArgs) -> Result<Requested, Failure> {
    if let Some(to) = &args.to {
        let request =
            Request { from: args.from.clone(), to: to.clone(), said: said(&args.decisions)?, run: args.run };
        return Ok(Requested::Promotion(Box::new(request), None));
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
    let saved = match saved::load(&path)? {
        Saved::Plan(saved) => saved,
        Saved::Migration(saved) => return Ok(Requested::Migration(saved)),
    };
    let request = Request {
        from: saved.plan.from.clone(),
        to: saved.plan.to.clone(),
        said: saved.acknowledgements,
        run: args.run,
    };
    Ok(Requested::Promotion(Box::new(request), Some(Box::new(saved.plan))))
}

/// Shows what a plan made now differs in from an earlier one.
fn differences((expected, name): (&Plan, &str), found: &Plan) -> String {
    let shown = |plan: &Plan| report::terminal(&report::plan_view(plan, &[]), report::Color::Off);
    report::unified(&shown(expected), &shown(found), name, "the plan now")
}

/// Says what moved since a plan was saved.
fn stale(expected: &Plan, found: &Plan, file: &str) -> Failure {
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
    saved::stale(what, &report::plan_command_with(expected, &["--save", file]))
}

/// How often a promotion is planned again because something moved.
const TRIES: usize = 5;

/// What came of carrying a plan out.
enum Carried {
    Out(Box<Applied>),
    Not(Box<Answer>),
}

/// Carries a plan out; where the target moved meanwhile, plans again and goes on if nothing that was
/// confirmed differs.
fn carried_out(
    session: &mut Session<'_>,
    mut scene: Scene,
    request: &Request,
    (args, saved): (&ApplyArgs, bool),
) -> Result<Carried, Failure> {
    let on_move = match (saved, args.act.yes) {
        (true, _) => OnMove::Stop,
        (false, true) => OnMove::Follow,
        (false, false) => OnMove::PlanAgain,
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let (planned, findings) = (scene.plan.clone(), scene.findings.clone());
        let error = match act(session, scene, request, on_move)? {
            Ok(applied) => return Ok(Carried::Out(Box::new(applied))),
            Err(error) => error,
        };
        if saved || tries == TRIES || !moved(&error) {
            return ended(session, planned, &findings, &error).map(|answer| Carried::Not(Box::new(answer)));
        }
        session.console.tell(&format!("{error}; planning again."));
        scene = plan::observe(session, "apply", request)?;
        let shown = plan::answer(session, "apply", &scene.plan, &scene.findings, true);
        let same = on_move.accepts(&scene.plan, &planned);
        if !same {
            session.console.tell(&differences((&planned, "the plan that was confirmed"), &scene.plan));
        }
        if shown.code != ExitCode::Done || scene.plan.outcome == Outcome::NothingToDo {
            return Ok(Carried::Not(Box::new(shown)));
        }
        if !same && args.act.yes {
            let error =
                PromotionError::Stale { what: "the plan differs from the one that was shown".to_owned() };
            return ended(session, scene.plan, &findings, &error)
                .map(|answer| Carried::Not(Box::new(answer)));
        }
        if !same {
            let question = format!("Promote {} to {} as it is now?", scene.plan.from, scene.plan.to);
            question::confirm(session, &shown, &question)?;
        }
    }
}

/// Whether somebody else was quicker.
fn moved(error: &PromotionError) -> bool {
    matches!(
        error,
        PromotionError::Stale { .. }
            | PromotionError::Git(GitError::Moved { .. } | GitError::JournalMoved { .. })
    )
}

type Acted = Result<Applied, PromotionError>;

fn act(
    session: &mut Session<'_>,
    scene: Scene,
    request: &Request,
    on_move: OnMove,
) -> Result<Acted, Failure> {
    let runtime = session.runtime()?;
    let mut ports = session.ports();
    Ok(runtime.block_on(promotion::apply(scene, request, on_move, &mut ports)))
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
