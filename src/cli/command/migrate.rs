//! `promote migrate`.

use std::path::Path;

use crate::config::Flags;
use crate::model::finding::Finding;
use crate::model::migration::{Migration, Step};
use crate::promotion::{self, Migrating, Reading};
use crate::report::{self, Document, MigrateResult, Progress};

use super::super::args::{ActArgs, MigrateArgs};
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::import;
use super::question;
use super::saved::{self, SavedMigration};
use super::session::{Session, files, said_to_schema};
use crate::model::plan::Acknowledgements;

/// Brings an environment's schema to what its files declare, or shows what that would take.
pub(super) fn run(session: &mut Session<'_>, args: &MigrateArgs) -> Result<Answer, Failure> {
    if args.import {
        return import::run(session, args);
    }
    let said = said_to_schema(&args.decisions);
    let flags = Flags { dataset: said.dataset.clone() };
    let reading = session.read("migrate", files(args.worktree), flags)?;
    let migrating = plan(session, &reading, &said)?;
    let shown = answer(&reading, &migrating, &said, Progress::Planned);
    if let Some(path) = &args.save {
        save(session, &session.world.folder.join(path), (&reading, &migrating, &said), args.worktree)?;
    }
    if args.plan || args.save.is_some() {
        let mut shown = shown;
        if args.exit_code && shown.code == ExitCode::Done && migrating.is_pending(&said) {
            shown.code = ExitCode::Pending;
        }
        return Ok(shown);
    }
    carried_out(session, (&reading, &migrating, &said), shown, &args.act)
}

/// An environment with its plan and what was said to it.
type Decided<'a> = (&'a Reading, &'a Migrating, &'a Acknowledgements);

/// Asks, and applies what was shown.
fn carried_out(
    session: &mut Session<'_>,
    (reading, migrating, said): Decided<'_>,
    shown: Answer,
    args: &ActArgs,
) -> Result<Answer, Failure> {
    if shown.code != ExitCode::Done || !migrating.is_pending(said) {
        return Ok(shown);
    }
    if !args.yes {
        question::confirm(session, &shown, &format!("Migrate {}?", reading.resolved.environment.name))?;
    }
    act(session, reading, migrating, said)?;
    Ok(answer(reading, migrating, said, Progress::Applied))
}

/// Keeps a plan in a file.
fn save(
    session: &Session<'_>,
    path: &Path,
    (reading, migrating, said): Decided<'_>,
    worktree: bool,
) -> Result<(), Failure> {
    let mut findings = reading.findings.clone();
    findings.extend(migrating.findings.iter().cloned());
    let saved = SavedMigration {
        format: saved::FORMAT,
        environment: reading.resolved.environment.name.to_string(),
        worktree,
        tool: promotion::TOOL.to_owned(),
        plan_id: migrating.plan_id.clone(),
        acknowledgements: said.clone(),
        migration: migrating.migration.clone(),
        findings,
    };
    saved::save(path, &saved)?;
    session.console.tell(&format!("The plan is in {}.", path.display()));
    Ok(())
}

/// Applies a saved plan as it is, or refuses it as stale and shows what differs.
pub(super) fn apply_saved(
    session: &mut Session<'_>,
    saved: &SavedMigration,
    args: &ActArgs,
) -> Result<Answer, Failure> {
    let said = &saved.acknowledgements;
    session.global.environment = Some(saved.environment.clone());
    let flags = Flags { dataset: said.dataset.clone() };
    let reading = session.read("migrate", files(saved.worktree), flags)?;
    let migrating = plan(session, &reading, said)?;
    if migrating.plan_id != saved.plan_id {
        let text = |migration: &Migration| {
            let view = report::migrate_view(&saved.environment, migration, Progress::Planned, &[], &[]);
            report::terminal(&view, report::Color::Off)
        };
        let (then, now) = (text(&saved.migration), text(&migrating.migration));
        session.console.tell(&report::unified(&then, &now, "the saved plan", "the plan now"));
        let what = if saved.tool != promotion::TOOL {
            "it was made by another version of promote"
        } else if saved.migration.fingerprint == migrating.migration.fingerprint {
            "what the files declare changed"
        } else {
            "the live schema moved"
        };
        return Err(saved::stale(what, &format!("promote migrate -e {} --save FILE", saved.environment)));
    }
    let shown = answer(&reading, &migrating, said, Progress::Planned);
    carried_out(session, (&reading, &migrating, said), shown, args)
}

/// Plans the schema.
pub(super) fn plan(
    session: &mut Session<'_>,
    reading: &Reading,
    said: &Acknowledgements,
) -> Result<Migrating, Failure> {
    let runtime = session.runtime()?;
    let mut ports = session.ports();
    let failed = |error| Failure::of("migrate", &error);
    let models = reading.models(&ports).map_err(failed)?;
    runtime.block_on(promotion::plan_migration(reading, &models, said, &mut ports)).map_err(failed)
}

/// Applies it.
pub(super) fn act(
    session: &mut Session<'_>,
    reading: &Reading,
    migrating: &Migrating,
    said: &Acknowledgements,
) -> Result<(), Failure> {
    let runtime = session.runtime()?;
    let mut ports = session.ports();
    let by = promotion::who(reading, &ports);
    runtime.block_on(migrating.apply(said, &by, &mut ports)).map_err(|error| Failure::of("migrate", &error))
}

/// Makes the answer of a migration.
pub(super) fn answer(
    reading: &Reading,
    migrating: &Migrating,
    said: &Acknowledgements,
    progress: Progress,
) -> Answer {
    let environment = reading.resolved.environment.name.as_str();
    let mut findings: Vec<Finding> = reading.findings.clone();
    findings.extend(migrating.findings.iter().cloned());
    let flags = flags(said);
    let blocked = migrating.is_blocked();
    let progress = if blocked { Progress::Stopped } else { progress };
    let applied = matches!(progress, Progress::Applied);
    let view = report::migrate_view(environment, &migrating.migration, progress, &flags, &findings);
    let forbidden = migrating.findings.iter().find(|finding| finding.code == "force-forbidden");
    let forbidden = forbidden.filter(|_| !migrating.migration.steps.iter().any(Step::blocks));
    let error = blocked.then(|| {
        if let Some(Finding { message, hint, .. }) = forbidden {
            let why = format!("cannot migrate `{environment}`: {message}");
            return report::Failure { hint: hint.clone(), ..report::Failure::new(why) };
        }
        let why = migrating.migration.refusal();
        let why = why.unwrap_or_else(|| match &migrating.migration.proof {
            Some(proof) if migrating.lacks_proof() => proof.clone(),
            _ => "a change would break somebody".to_owned(),
        });
        report::Failure {
            hint: way_out(&migrating.migration),
            ..report::Failure::new(format!("cannot migrate `{environment}`: {why}"))
        }
    });
    let result = MigrateResult::of(&migrating.migration, applied);
    let document = Document::of("migrate").result(&result).findings(&findings).error(error.clone());
    let mut answer = Answer::new(view, document);
    if let Some(error) = error {
        answer.code = ExitCode::No;
        answer.blocks = report::terminal_failure(&error, report::Color::Off);
    }
    answer
}

/// Says what helps where a migration is refused; nothing where a planner said it in its own words.
pub(super) fn way_out(migration: &Migration) -> Option<String> {
    let words = if migration.refusal().is_some() {
        return None;
    } else if migration.steps.iter().any(Step::blocks) {
        "follow the recipes above, or let changes through by name with `--allow CODE:OBJECT`"
    } else if migration.is_disproven() {
        "it was tried on a copy, and nothing is changed: settle what the engine says, or change fewer objects at once"
    } else {
        "the environment asks with `proof: required` that every statement be tried first"
    };
    Some(words.to_owned())
}

/// Spells what was said as it was typed.
fn flags(said: &Acknowledgements) -> Vec<String> {
    let mut flags = Vec::new();
    for (flag, values) in [("--allow", &said.allow), ("--adopt", &said.adopt)] {
        for value in values {
            flags.extend([flag.to_owned(), value.clone()]);
        }
    }
    if said.force {
        flags.push("--force".to_owned());
    }
    if said.prune {
        flags.push("--prune".to_owned());
    }
    if let Some(dataset) = &said.dataset {
        flags.extend(["--dataset".to_owned(), dataset.clone()]);
    }
    flags
}
