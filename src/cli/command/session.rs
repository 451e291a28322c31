//! What every verb stands on: the world, the printer, the options, and the ports made of them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use tokio::runtime::Runtime;

use crate::ci;
use crate::config::{Asked, Flags, Mask};
use crate::git::{GitProgram, Prompts};
use crate::model::event::{Event, Listener};
use crate::model::merge::Resolution;
use crate::model::plan::Acknowledgements;
use crate::promotion::{self, Files, Ports, Reading};

use super::super::args::{DecisionArgs, FormatName, Global, SchemaDecisionArgs};
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::world::World;

/// What every verb stands on.
pub(super) struct Session<'a> {
    /// The real world.
    pub(super) world: &'a World,
    /// The printer.
    pub(super) console: &'a Console,
    /// The options of every command.
    pub(super) global: Global,
    /// When the command began.
    pub(super) now: Timestamp,
    /// How long a lock is waited for.
    pub(super) patience: Duration,
    git: Option<GitProgram>,
    cache: PathBuf,
    host: String,
    voice: Voice<'a>,
}

/// The listener that the story talks to.
struct Voice<'a>(&'a Console);

impl Listener for Voice<'_> {
    fn hear(&mut self, event: Event) {
        let mut console = self.0;
        console.hear(event);
    }
}

impl<'a> Session<'a> {
    /// Makes it.
    pub(super) fn new(world: &'a World, console: &'a Console, global: Global) -> Self {
        // A forge may repeat what it was sent, and so may Git.
        console.hide(Mask::new(ci::tokens(&world.variables).into_iter()));
        let prompts = if world.terminal.stdin { Prompts::Allowed } else { Prompts::Refused };
        Self {
            world,
            console,
            now: world.now(),
            patience: Duration::from_secs(60),
            git: GitProgram::find(world.variable("PATH").map(OsStr::new), prompts).map(|program| {
                let ssh = (world.variable("GIT_SSH_COMMAND"), world.variable("GIT_SSH"));
                program.patient(global.timeout).with_ssh(ssh.0, ssh.1)
            }),
            cache: world.cache(),
            host: World::host(),
            voice: Voice(console),
            global,
        }
    }

    /// Gives the ports for the story.
    pub(super) fn ports(&mut self) -> Ports<'_> {
        Ports {
            folder: &self.world.folder,
            project: self.global.project.as_deref(),
            cache: &self.cache,
            variables: &self.world.variables,
            git: self.git.as_ref(),
            interrupted: Arc::clone(&self.world.interrupted),
            now: self.now,
            host: &self.host,
            pid: std::process::id(),
            patience: self.patience,
            crash_at: if cfg!(debug_assertions) { self.world.variable("PROMOTE_CRASH_AT") } else { None },
            listener: &mut self.voice,
        }
    }

    /// Makes what drives the asynchronous part of a verb.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the system gives none.
    #[expect(clippy::unused_self, reason = "every port of a verb is asked of its session")]
    pub(super) fn runtime(&self) -> Result<Runtime, Failure> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::bug(&error))
    }

    /// Chooses the environment and reads its files; from then on its secrets are hidden.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no project, no such environment, or a fault in it.
    pub(super) fn read(&mut self, command: &str, files: Files, flags: Flags) -> Result<Reading, Failure> {
        let global = self.global.clone();
        let asked = asked(&global);
        let reading = {
            let mut ports = self.ports();
            promotion::read(asked, files, flags, &mut ports)
        };
        let reading = reading.map_err(|error| Failure::of(command, &error))?;
        self.console.hide(reading.mask());
        Ok(reading)
    }

    /// Whether the result is text for people.
    pub(super) fn for_people(&self) -> bool {
        self.global.format == FormatName::Terminal
    }
}

/// Says what the command line says of the environment.
pub(super) fn asked(global: &Global) -> Asked<'_> {
    match (&global.environment, global.no_environment) {
        (Some(name), _) => Asked::For(name),
        (None, true) => Asked::ForNone,
        (None, false) => Asked::Nothing,
    }
}

/// Makes what was typed into what is said to a plan.
///
/// # Errors
///
/// [`Failure`] of wrong usage for a `--resolve` that names no side.
pub(super) fn said(typed: &DecisionArgs) -> Result<Acknowledgements, Failure> {
    let mut said = said_to_schema(&typed.schema);
    said.accept_loss = sorted(&typed.accept_loss);
    said.keep = sorted(&typed.keep);
    said.allow_unrelated = typed.allow_unrelated;
    said.create_branch = typed.create_branch;
    said.no_migrate = typed.no_migrate;
    said.only = sorted(&typed.only);
    said.only_commit = sorted(&typed.only_commit);
    said.base.clone_from(&typed.base);
    said.reinstate = typed.reinstate;
    said.leave_out = typed.leave_out;
    for resolve in &typed.resolve {
        let side = resolve.rsplit_once('=').and_then(|(path, side)| Some((path, resolution(side)?)));
        let (path, side) = side.ok_or_else(|| {
            Failure::usage(
                format!("`--resolve {resolve}` names no side"),
                "write `--resolve PATH=source`, `PATH=target` or `PATH=delete`",
            )
        })?;
        said.resolve.insert(path.to_owned(), side);
    }
    Ok(said)
}

/// Makes what was typed into what is said to a migration.
pub(super) fn said_to_schema(typed: &SchemaDecisionArgs) -> Acknowledgements {
    Acknowledgements {
        allow: sorted(&typed.allow),
        force: typed.force,
        adopt: sorted(&typed.adopt),
        prune: typed.prune,
        dataset: typed.dataset.clone(),
        ..Acknowledgements::default()
    }
}

fn resolution(side: &str) -> Option<Resolution> {
    match side {
        "source" => Some(Resolution::Source),
        "target" => Some(Resolution::Target),
        "delete" => Some(Resolution::Delete),
        _ => None,
    }
}

/// The order in which flags were typed decides nothing.
fn sorted(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    words.sort();
    words.dedup();
    words
}

/// Which files a command reads.
pub(super) fn files(worktree: bool) -> Files {
    if worktree { Files::WorkTree } else { Files::Fitting }
}
