//! What is asked for, and the ports to the real world that the story is given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::git::GitProgram;
use crate::model::event::{Event, Listener};
use crate::model::plan::Acknowledgements;

use super::error::PromotionError;

/// A promotion that is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Source environment (a branch, without a project file).
    pub from: String,
    /// Target environment (a branch, without a project file).
    pub to: String,
    /// What is said to the plan.
    pub said: Acknowledgements,
    /// Whether the models are built afterwards.
    pub run: bool,
}

/// The real world, as far as the story needs it.
pub struct Ports<'a> {
    /// The working directory.
    pub folder: &'a Path,
    /// The project file that was named, if one was.
    pub project: Option<&'a Path>,
    /// Where caches lie.
    pub cache: &'a Path,
    /// The process environment.
    pub variables: &'a BTreeMap<String, String>,
    /// The `git` program, where there is one.
    pub git: Option<&'a GitProgram>,
    /// Set when a person wants to stop.
    pub interrupted: Arc<AtomicBool>,
    /// The time when the command began.
    pub now: Timestamp,
    /// This host's name.
    pub host: &'a str,
    /// This process.
    pub pid: u32,
    /// How long another promotion's lock is waited for.
    pub patience: Duration,
    /// Where a crash test ends the process.
    pub crash_at: Option<&'a str>,
    /// Who hears what is going on.
    pub listener: &'a mut dyn Listener,
}

impl Ports<'_> {
    /// Makes the same ports for work that other threads do, where nobody listens.
    pub(super) fn unheard<'b>(&'b self) -> impl Fn() -> Ports<'b> + Sync {
        let Self { folder, project, cache, variables, git, now, host, pid, patience, crash_at, .. } = *self;
        let interrupted = &self.interrupted;
        move || Ports {
            folder,
            project,
            cache,
            variables,
            git,
            interrupted: Arc::clone(interrupted),
            now,
            host,
            pid,
            patience,
            crash_at,
            // Without a size, so that nothing is leaked.
            listener: Box::leak(Box::new(|_: Event| {})),
        }
    }

    /// Does a piece of work and tells of it while it lasts.
    pub(super) fn doing<T>(&mut self, what: impl Into<String>, work: impl FnOnce() -> T) -> T {
        self.listener.hear(Event::Begins(what.into()));
        let result = work();
        self.listener.hear(Event::Ends);
        result
    }

    /// Tells that a piece of work begins.
    pub(super) fn begins(&mut self, what: impl Into<String>) {
        self.listener.hear(Event::Begins(what.into()));
    }

    /// Tells that it is done.
    pub(super) fn ends(&mut self) {
        self.listener.hear(Event::Ends);
    }

    /// Says a sentence.
    pub(super) fn says(&mut self, sentence: impl Into<String>) {
        self.listener.hear(Event::Says(sentence.into()));
    }

    /// Ends what can end here, where a person wants to stop.
    pub(super) fn stop_if_asked(&self) -> Result<(), PromotionError> {
        if self.is_interrupted() { Err(PromotionError::Interrupted) } else { Ok(()) }
    }

    /// Whether a person wants to stop.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Gives the folder that everything relative is relative to, without a project.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.to_path_buf()
    }
}
