//! `promote plan` and `promote show`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::finding::Finding;
use crate::model::outcome::Outcome;
use crate::model::plan::{Acknowledgements, GateState, Plan};
use crate::promotion::{self, Request, Scene};
use crate::report::{self, Document};

use super::super::args::{PlanArgs, ShowArgs};
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::{Session, said};

/// The format of saved plans; rises when a field's meaning changes.
const FORMAT: u32 = 1;

/// A saved plan: what was shown, and what was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    /// The format.
    pub(super) format: u32,
    /// What was asked for and said.
    pub(super) acknowledgements: Acknowledgements,
    /// What was shown.
    pub(super) plan: Plan,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
}

/// Observes and decides.
pub(super) fn run(session: &mut Session<'_>, args: &PlanArgs) -> Result<Answer, Failure> {
    let request =
        Request { from: args.from.clone(), to: args.to.clone(), said: said(&args.decisions)?, run: false };
    let scene = observe(session, "plan", &request)?;
    if let Some(path) = &args.save {
        save(&session.world.folder.join(path), &scene, &request)?;
    }
    let mut answer = answer(session, "plan", &scene.plan, &scene.findings, false);
    if args.exit_code && answer.code == ExitCode::Done && is_pending(&scene.plan) {
        answer.code = ExitCode::Pending;
    }
    Ok(answer)
}

/// Shows a saved plan again, also when it is stale.
pub(super) fn show(session: &Session<'_>, args: &ShowArgs) -> Result<Answer, Failure> {
    let saved = load(&session.world.folder.join(&args.file))?;
    let mut answer = answer(session, "show", &saved.plan, &saved.findings, false);
    answer.code = ExitCode::Done;
    answer.document.error = None;
    answer.blocks.clear();
    Ok(answer)
}

/// Observes and decides, and from then on hides what must not be seen.
pub(super) fn observe(session: &mut Session<'_>, command: &str, request: &Request) -> Result<Scene, Failure> {
    let runtime = session.runtime()?;
    let scene = {
        let mut ports = session.ports();
        runtime.block_on(promotion::observe(request, &mut ports))
    };
    let scene = scene.map_err(|error| Failure::of(command, &error))?;
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
        (_, Some("migration")) => Some(
            "follow the recipes above, or let changes through by name with `--allow CODE:OBJECT`".to_owned(),
        ),
        _ => None,
    };
    report::Failure { hint, ..report::Failure::new(format!("{attempted}: {why}")) }
}

/// Writes a plan to a file: whole or not at all.
fn save(path: &Path, scene: &Scene, request: &Request) -> Result<(), Failure> {
    let saved = Saved {
        format: FORMAT,
        acknowledgements: request.said.clone(),
        plan: scene.plan.clone(),
        findings: scene.findings.clone(),
    };
    let text = serde_json::to_string_pretty(&saved).map_err(|error| Failure::bug(&error))? + "\n";
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let written = tempfile::NamedTempFile::new_in(&folder).and_then(|mut file| {
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| Failure::file("write", path, &error))
}

/// Reads a saved plan.
pub(super) fn load(path: &Path) -> Result<Saved, Failure> {
    let no_plan = |why: String| {
        Failure::new(
            ExitCode::Usage,
            format!("`{}` holds no saved plan: {why}", path.display()),
            Some("make one with `promote plan FROM TO --save FILE`".to_owned()),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| no_plan(error.to_string()))?;
    let saved: Saved = serde_json::from_str(&text).map_err(|error| no_plan(error.to_string()))?;
    if saved.format == FORMAT { Ok(saved) } else { Err(no_plan(format!("its format is {}", saved.format))) }
}
