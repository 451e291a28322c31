//! The push, as everything that moves a branch of the target makes it: branch, journal and lock together.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::git::{self, Lock, Publication, Revision, Transport, WorkTreeState};

use super::error::PromotionError;
use super::gather::Gathered;
use super::ground::Ground;
use super::request::Ports;
use super::site::Location;

/// A branch's move, with its record.
pub(super) struct Move<'a> {
    /// The branch, without `refs/heads/`.
    pub(super) branch: &'a str,
    /// Where it was seen; nothing: it is not there.
    pub(super) before: Option<&'a Revision>,
    /// Where it goes; nothing: it stays.
    pub(super) after: Option<&'a Revision>,
    /// Where the journal goes.
    pub(super) journal: &'a Revision,
    /// The lock that is given back with it.
    pub(super) lock: Option<&'a Lock>,
}

impl<'a> Move<'a> {
    /// A move of the target's own branch.
    pub(super) fn of(gathered: &'a Gathered, after: Option<&'a Revision>, journal: &'a Revision) -> Self {
        let to = &gathered.to;
        Self { branch: &to.site.branch, before: to.tip.as_ref(), after, journal, lock: None }
    }

    /// Gives the lock back with it.
    pub(super) fn unlocking(self, lock: &'a Lock) -> Self {
        Self { lock: Some(lock), ..self }
    }
}

/// Moves branch, journal and lock, and says what the server said.
///
/// Effects: all move or none. Where a branch moves, an interruption waits for the answer.
///
/// # Errors
///
/// [`PromotionError::Git`] if something moved meanwhile, or the repository declines or cannot be reached.
pub(super) fn publish(
    ground: &Ground,
    gathered: &Gathered,
    moved: &Move<'_>,
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let identity = ground.identity(ports);
    let publication = Publication {
        branch: moved.branch,
        before: moved.before,
        after: moved.after,
        refs: &gathered.refs,
        journal_before: gathered.to.journal.as_ref(),
        journal_after: moved.journal,
        lock: moved.lock,
        identity: &identity,
    };
    // A push that has begun is seen through: it is one transaction of the server, and either answer is worth knowing.
    let interrupt = match moved.after {
        Some(_) => Arc::new(AtomicBool::new(false)),
        None => Arc::clone(&ports.interrupted),
    };
    let transport = Transport { program: ports.git, interrupt: &interrupt };
    let to = gathered.to.site.location.words();
    let what = match moved.after {
        Some(_) if moved.branch == gathered.to.site.branch => format!("pushing to {to}"),
        Some(_) => format!("pushing {} to {to}", moved.branch),
        None => format!("recording in {to}"),
    };
    let published = ports
        .doing(what, || git::publish(&gathered.store, &gathered.destination(), &publication, transport))?;
    published.messages.into_iter().for_each(|message| ports.says(message));
    Ok(())
}

/// Notes that the work tree of a checked-out branch has to follow, so that a run after a kill knows.
///
/// # Errors
///
/// [`PromotionError::Git`] if the note cannot be written.
pub(super) fn prepare_work_tree(gathered: &Gathered, after: &Revision) -> Result<(), PromotionError> {
    let to = &gathered.to;
    if let (Some(before), Location::Local(folder)) = (&to.tip, &to.site.location)
        && let WorkTreeState::Clean(work_tree) = git::state(folder, &to.site.branch, &[])?
    {
        git::prepare(&work_tree, &to.site.branch, before, after)?;
    }
    Ok(())
}
