//! Plans in files: written by `--save`, shown by `promote show`, applied by `promote apply`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::finding::Finding;
use crate::model::migration::Migration;
use crate::model::plan::{Acknowledgements, Plan};
use crate::report::{self, Document, MigrateResult, Progress};

use super::super::args::ShowArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::plan;
use super::session::Session;

/// The format of saved plans; rises when a field's meaning changes.
pub(super) const FORMAT: u32 = 1;

/// What a file holds.
pub(super) enum Saved {
    /// A promotion's plan.
    Plan(Box<SavedPlan>),
    /// A migration's.
    Migration(Box<SavedMigration>),
}

/// A saved plan: what was shown, and what was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedPlan {
    /// The format.
    pub(super) format: u32,
    /// What was asked for and said.
    pub(super) acknowledgements: Acknowledgements,
    /// What was shown.
    pub(super) plan: Plan,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
}

/// The same of one environment's schema.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedMigration {
    /// The format.
    pub(super) format: u32,
    /// The environment.
    pub(super) environment: String,
    /// Whether the working tree was read, whichever branch was checked out.
    pub(super) worktree: bool,
    /// The tool that made it.
    pub(super) tool: String,
    /// Digest of everything that decided.
    pub(super) plan_id: String,
    /// What was said.
    pub(super) acknowledgements: Acknowledgements,
    /// What was shown.
    pub(super) migration: Migration,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
}

/// Shows a saved plan again, also when it is stale.
pub(super) fn show(session: &Session<'_>, args: &ShowArgs) -> Result<Answer, Failure> {
    let mut answer = match load(&session.world.folder.join(&args.file))? {
        Saved::Plan(saved) => plan::answer(session, "show", &saved.plan, &saved.findings, false),
        Saved::Migration(saved) => {
            let (steps, found) = (&saved.migration, &saved.findings);
            let view = report::migrate_view(&saved.environment, steps, Progress::Planned, &[], found);
            let result = MigrateResult::of(steps, false);
            Answer::new(view, Document::of("show").result(&result).findings(found))
        }
    };
    answer.code = ExitCode::Done;
    answer.document.error = None;
    answer.blocks.clear();
    Ok(answer)
}

/// Writes a plan to a file: whole or not at all.
pub(super) fn save(path: &Path, saved: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(saved).map_err(|error| Failure::bug(&error))? + "\n";
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
            Some(
                "make one with `promote plan FROM TO --save FILE` or `promote migrate --save FILE`"
                    .to_owned(),
            ),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| no_plan(error.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| no_plan(error.to_string()))?;
    let format = value.get("format").and_then(Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        let found = format.map_or_else(|| "no format".to_owned(), |format| format!("format {format}"));
        return Err(no_plan(format!("it has {found}, and this is format {FORMAT}")));
    }
    let saved = if value.get("migration").is_some() {
        serde_json::from_value(value).map(|saved| Saved::Migration(Box::new(saved)))
    } else {
        serde_json::from_value(value).map(|saved| Saved::Plan(Box::new(saved)))
    };
    saved.map_err(|error| no_plan(error.to_string()))
}

/// A saved plan is applied as it is, or not at all.
pub(super) fn stale(what: &str, again: &str) -> Failure {
    Failure::new(
        ExitCode::Stale,
        format!("cannot apply the saved plan: it is stale, {what}"),
        Some(format!("plan again: {again}")),
    )
}
