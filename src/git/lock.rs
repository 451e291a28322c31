//! The lock of a target branch: a ref in the target's own repository.
//!
//! `<refs>/lock/<branch>` points to a commit without parents that holds `lock.json`. It is taken by
//! compare-and-set and given back by the push that moves the branch. One whose process is dead on
//! this host is taken over at once, any other when an observer has seen it unchanged for five minutes:
//! when it was first seen is kept in a small file, so that one observer may be several runs. The push that
//! takes it also tells whether other refs of the repository stand where they were seen.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use git2::Repository;
use serde::{Deserialize, Serialize};

use super::commit;
use super::error::GitError;
use super::publish::{Destination, Transport, current, move_local, open};
use super::push::{Atomic, Pushed, Update, push, rejected};
use super::remote::bring;
use super::revision::{Identity, Revision};
use super::store::Store;
use super::tree::{self, Edits, Entry, MODE_FILE};
use super::url::display_url;
use super::waiting::{Waited, Waiting, is_dead};

/// Who holds a lock, and for what.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LockHolder {
    /// `Name <mail>`.
    pub holder: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// `promote staging prod`.
    pub purpose: String,
    /// Tells this lock from any other.
    pub token: String,
    /// When it was taken, RFC 3339, UTC.
    pub at: String,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (process {} on {}, {})", self.holder, self.pid, self.host, self.purpose)
    }
}

/// A lock that is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lock {
    /// The ref.
    pub reference: String,
    /// The commit that it points to.
    pub revision: Revision,
    /// What it says.
    pub holder: LockHolder,
    /// Whose lock was taken over.
    pub taken_over: Option<LockHolder>,
    /// Whether the push that took it at once found everything that was expected where it was seen.
    pub unmoved: bool,
}

/// What lock is wanted.
pub struct LockRequest<'a> {
    /// The target's repository.
    pub destination: &'a Destination,
    /// Prefix of the refs that hold lock and journal: `refs/promote`.
    pub refs: &'a str,
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// Who wants it.
    pub holder: &'a LockHolder,
    /// Who makes the lock's commit.
    pub identity: &'a Identity,
    /// Other refs of the target's repository, and where they were seen: the push looks at them as well.
    pub expected: &'a [(String, Revision)],
    /// How long to wait for another's.
    pub patience: Duration,
    /// A folder that remembers when a lock was first seen.
    pub seen: &'a Path,
    /// Seconds since 1970, now.
    pub clock: &'a dyn Fn() -> i64,
    /// Hears whom it waits for, once.
    pub waiting: &'a dyn Fn(&LockHolder),
}

impl LockRequest<'_> {
    pub(super) fn reference(&self) -> String {
        format!("{}/lock/{}", self.refs, self.branch)
    }

    pub(super) fn url(&self) -> String {
        match self.destination {
            Destination::Local(path) => path.display().to_string(),
            Destination::Remote { url } => url.clone(),
        }
    }
}

/// Takes the lock, waiting for another's.
///
/// Effects: one commit, one ref; nothing where it fails.
///
/// # Errors
///
/// [`GitError::Locked`] with the holder's words when patience is over; [`GitError::Rejected`],
/// [`GitError::Unreachable`], [`GitError::NoRepository`]; [`GitError::Interrupted`].
pub fn acquire(store: &Store, request: &LockRequest<'_>, transport: Transport<'_>) -> Result<Lock, GitError> {
    let revision = write(store, request.holder, request.identity)?;
    let reference = request.reference();
    let ours = |taken_over, unmoved| Lock {
        reference: reference.clone(),
        revision: revision.clone(),
        holder: request.holder.clone(),
        taken_over,
        unmoved,
    };
    let mut waiting = Waiting::new(store, request, &revision, transport);
    let mut left: Option<(Revision, LockHolder)> = None;
    // A local repository is asked again under the lock: that costs nothing.
    let mut expected = match request.destination {
        Destination::Local(_) => &[],
        Destination::Remote { .. } => request.expected,
    };
    loop {
        let update = Update {
            reference: reference.clone(),
            before: left.as_ref().map(|(revision, _)| revision.clone()),
            after: Some(revision.clone()),
        };
        let updates: Vec<Update> = std::iter::once(update).chain(expected.iter().map(unmoved)).collect();
        if attempt(store, request.destination, &updates, request.identity, transport)? {
            return Ok(ours(left.map(|(_, holder)| holder), !expected.is_empty()));
        }
        // Where something expected has moved, the lock may be ours all the same.
        expected = &[];
        left = match waiting.wait()? {
            Waited::Free => None,
            Waited::Left(found, holder) => Some((found, holder)),
            // This attempt arrived, or an earlier one whose answer did not.
            Waited::Ours => return Ok(ours(None, false)),
        };
    }
}

/// A push of a ref to where it was seen: the server's answer to the others says whether it is still there.
fn unmoved((reference, seen): &(String, Revision)) -> Update {
    Update { reference: reference.clone(), before: Some(seen.clone()), after: Some(seen.clone()) }
}

/// Looks who holds the lock of a branch; nothing where it is free.
///
/// # Errors
///
/// [`GitError::BadLock`] if somebody else wrote the ref; [`GitError::Unreachable`],
/// [`GitError::NoRepository`]; [`GitError::Interrupted`].
pub fn held(
    store: &Store,
    destination: &Destination,
    (refs, branch): (&str, &str),
    transport: Transport<'_>,
) -> Result<Option<Lock>, GitError> {
    let reference = format!("{refs}/lock/{branch}");
    let found = current_lock(store, destination, &reference, transport)?;
    Ok(found.map(|(revision, holder)| Lock { reference, revision, holder, taken_over: None, unmoved: false }))
}

/// Gives a lock back; one that is gone or another's by now is left alone.
///
/// # Errors
///
/// [`GitError::Unreachable`], [`GitError::Rejected`], [`GitError::Interrupted`], [`GitError::Busy`].
pub fn release(
    store: &Store,
    destination: &Destination,
    lock: &Lock,
    identity: &Identity,
    transport: Transport<'_>,
) -> Result<(), GitError> {
    let update =
        Update { reference: lock.reference.clone(), before: Some(lock.revision.clone()), after: None };
    attempt(store, destination, &[update], identity, transport).map(|_| ())
}

/// Gives the lock back that a run of this host left when it was killed; any other is left alone.
///
/// Shape: whose it was.
///
/// # Errors
///
/// As [`release`]; [`GitError::BadLock`] if somebody else wrote the ref.
pub fn release_left(
    store: &Store,
    destination: &Destination,
    (refs, branch): (&str, &str),
    (host, pid): (&str, u32),
    (identity, transport): (&Identity, Transport<'_>),
) -> Result<Option<LockHolder>, GitError> {
    let Some(lock) = held(store, destination, (refs, branch), transport)? else { return Ok(None) };
    if !is_dead(&lock.holder, (host, pid)) {
        return Ok(None);
    }
    release(store, destination, &lock, identity, transport)?;
    Ok(Some(lock.holder))
}

/// Tries to move the lock's ref; tells whether all refs were where they were seen.
fn attempt(
    store: &Store,
    destination: &Destination,
    updates: &[Update],
    identity: &Identity,
    transport: Transport<'_>,
) -> Result<bool, GitError> {
    match destination {
        Destination::Local(path) => {
            let moved = move_local(store, path, updates, identity)?;
            Ok(moved.is_none())
        }
        Destination::Remote { url } => {
            let tools = transport.program("lock a branch of", url)?;
            match push(store.git_dir(), url, updates, Atomic::No, tools)? {
                Pushed::Done(_) => Ok(true),
                Pushed::Stale(_) => Ok(false),
                Pushed::Refused(text) => Err(rejected(url, &text)),
                Pushed::NotAtomic => Err(rejected(url, "it moves no refs")),
                Pushed::Unknown(text) => Err(GitError::Unreachable { url: display_url(url), text }),
            }
        }
    }
}

fn write(store: &Store, holder: &LockHolder, identity: &Identity) -> Result<Revision, GitError> {
    let failed = || GitError::doing("cannot write a lock");
    let text = serde_json::to_string(holder).unwrap_or_default();
    let oid = store.repository.blob(text.as_bytes()).map_err(failed())?;
    let edits = Edits::from([("lock.json".to_owned(), Some(Entry { oid, mode: MODE_FILE }))]);
    let tree = tree::edited(&store.repository, tree::empty(&store.repository)?, &edits)?;
    commit::write(&store.repository, tree, &[], (&format!("lock: {}\n", holder.purpose), identity))
}

/// Reads the lock that is there now.
pub(super) fn current_lock(
    store: &Store,
    destination: &Destination,
    reference: &str,
    transport: Transport<'_>,
) -> Result<Option<(Revision, LockHolder)>, GitError> {
    match destination {
        Destination::Local(path) => {
            let repository = open(path)?;
            let Some(oid) = current(&repository, reference) else { return Ok(None) };
            let revision = Revision::from(oid);
            let holder = read(&repository, &revision)?;
            Ok(Some((revision, holder)))
        }
        Destination::Remote { url } => {
            let tools = transport.program("lock a branch of", url)?;
            let references = [reference.to_owned()];
            let tips = bring(store.git_dir(), url, &references, tools)?;
            let Some(revision) = tips.get(reference).cloned() else { return Ok(None) };
            let holder = read(&store.repository, &revision)?;
            Ok(Some((revision, holder)))
        }
    }
}

fn read(repository: &Repository, revision: &Revision) -> Result<LockHolder, GitError> {
    let bad = |text: String| GitError::BadLock { reference: revision.to_string(), text };
    let bytes = || {
        let tree = repository.find_commit(revision.oid())?.tree()?;
        let entry = tree.get_path(Path::new("lock.json"))?;
        Ok(repository.find_blob(entry.id())?.content().to_vec())
    };
    let bytes = bytes().map_err(|error: git2::Error| bad(error.message().to_owned()))?;
    serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))
}
