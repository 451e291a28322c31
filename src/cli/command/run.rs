//! `promote run`.

use crate::config::Flags;
use crate::model::plan::Run;
use crate::promotion;
use crate::report::{self, Document, RunResults, ShownRun};
use crate::transform::{RunResult, RunStatus};

use super::super::args::RunArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::{Session, files};

/// Builds an environment's models, or shows what would be built.
pub(super) fn run(session: &mut Session<'_>, args: &RunArgs) -> Result<Answer, Failure> {
    let flags = Flags { dataset: args.dataset.clone() };
    let reading = session.read("run", files(args.worktree), flags)?;
    let failed = |error| Failure::of("run", &error);
    let runtime = session.runtime()?;
    let (runs, results) = {
        let mut ports = session.ports();
        let models = reading.models(&ports).map_err(failed)?;
        let runs = promotion::runs(&models, &args.select).map_err(failed)?;
        let results = if args.plan {
            None
        } else {
            let built = runtime.block_on(promotion::build(&reading.resolved, &models, &runs, &mut ports));
            Some(built.map_err(failed)?)
        };
        (runs, results)
    };
    let environment = reading.resolved.environment.name.to_string();
    let dataset = reading.resolved.environment.dataset.as_ref().map(ToString::to_string).unwrap_or_default();
    let shown = match &results {
        Some(results) => self::shown(&runs, results),
        None => planned(&runs),
    };
    let view = report::runs_view(&environment, &dataset, &shown);
    let error = failure(&environment, &shown);
    let results = RunResults { environment, dataset, runs: shown };
    let document = Document::of("run").result(&results).findings(&reading.findings).error(error.clone());
    let mut answer = Answer::new(view, document);
    if let Some(error) = error {
        answer.code = ExitCode::Warehouse;
        answer.blocks = report::terminal_failure(&error, report::Color::Off);
    }
    Ok(answer)
}

/// Shows runs that are to come.
pub(super) fn planned(runs: &[Run]) -> Vec<ShownRun> {
    let shown = |run: &Run| ShownRun {
        model: run.model.clone(),
        status: report::RunStatus::Planned,
        rows: None,
        seconds: None,
        detail: run.reason.clone(),
    };
    runs.iter().map(shown).collect()
}

/// Shows what came of runs.
pub(super) fn shown(runs: &[Run], results: &[RunResult]) -> Vec<ShownRun> {
    let reason = |model: &str| {
        runs.iter().find(|run| run.model == model).map(|run| run.reason.clone()).unwrap_or_default()
    };
    let shown = |result: &RunResult| {
        let (status, rows, detail) = match &result.status {
            RunStatus::Built { rows } => (report::RunStatus::Done, Some(*rows), reason(&result.model)),
            RunStatus::Failed { message } => (report::RunStatus::Failed, None, message.clone()),
            RunStatus::Skipped { because } => {
                (report::RunStatus::Skipped, None, format!("it needs `{because}`, which failed"))
            }
        };
        ShownRun { model: result.model.clone(), status, rows, seconds: None, detail }
    };
    results.iter().map(shown).collect()
}

/// Says which models failed, if any did.
pub(super) fn failure(environment: &str, shown: &[ShownRun]) -> Option<report::Failure> {
    let failed: Vec<&ShownRun> = shown.iter().filter(|run| run.status == report::RunStatus::Failed).collect();
    let first = failed.first()?;
    let more = if failed.len() == 1 { String::new() } else { format!(" and {} more", failed.len() - 1) };
    Some(report::Failure {
        causes: vec![first.detail.clone()],
        hint: Some(format!(
            "the tables hold what they held before; mend it and run `promote run -e {environment}`"
        )),
        ..report::Failure::new(format!(
            "cannot build all models of `{environment}`: `{}`{more} failed",
            first.model
        ))
    })
}
