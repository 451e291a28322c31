//! The lock of a target branch: a ref in the target's own repository.
//!
//! `<refs>/lock/<branch>` points to a commit without parents that holds `lock.json`. It is taken by
//! compare-and-set and given back by the push that moves the branch. One whose process is dead on
//! this host is taken over at once, any other when an observer has seen it unchanged for five minutes:
//! when it was first seen is kept in a small file, so that one observer may be several runs.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use git2::Repository;
use serde::{Deserialize, Serialize};

use super::commit;
use super::error::GitError;
use super::journal::digest;
use super::moving::is_gone;
use super::publish::{Destination, Transport, current, move_local, open};
use super::push::{Atomic, Pushed, Update, push, rejected};
use super::remote::bring;
use super::revision::{Identity, Revision};
use super::store::Store;
use super::tree::{self, Edits, Entry, MODE_FILE};
use super::url::display_url;

/// For how long a lock must have been seen unchanged to count as left behind.
const EXPIRY_SECONDS: i64 = 300;

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
    fn reference(&self) -> String {
        format!("{}/lock/{}", self.refs, self.branch)
    }

    fn url(&self) -> String {
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
    let began = Instant::now();
    let mut pause = Duration::from_millis(100);
    let mut before: Option<(Revision, LockHolder)> = None;
    let mut told = false;
    loop {
        if transport.interrupt.load(Ordering::SeqCst) {
            return Err(GitError::Interrupted);
        }
        let update = Update {
            reference: reference.clone(),
            before: before.as_ref().map(|(revision, _)| revision.clone()),
            after: Some(revision.clone()),
        };
        if attempt(store, request.destination, &update, request.identity, transport)? {
            let taken_over = before.map(|(_, holder)| holder);
            return Ok(Lock { reference, revision, holder: request.holder.clone(), taken_over });
        }
        let Some((found, holder)) = current_lock(store, request.destination, &reference, transport)? else {
            before = None;
            continue;
        };
        if found == revision {
            // An earlier attempt arrived although its answer did not.
            return Ok(Lock { reference, revision, holder: request.holder.clone(), taken_over: None });
        }
        if is_dead(&holder, request.holder) || is_expired(request, &found)? {
            before = Some((found, holder));
            continue;
        }
        before = None;
        if began.elapsed() >= request.patience {
            return Err(GitError::Locked { reference, holder: Box::new(holder) });
        }
        if !told {
            (request.waiting)(&holder);
            told = true;
        }
        std::thread::sleep(pause.min(request.patience.saturating_sub(began.elapsed())));
        // Many who wait must not knock in step.
        let jitter = u64::from(request.holder.pid % 97);
        pause = (pause * 2).min(Duration::from_secs(2)) + Duration::from_millis(jitter);
    }
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
    Ok(found.map(|(revision, holder)| Lock { reference, revision, holder, taken_over: None }))
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
    attempt(store, destination, &update, identity, transport).map(|_| ())
}

/// Tries to move the lock's ref; tells whether it was where it was seen.
fn attempt(
    store: &Store,
    destination: &Destination,
    update: &Update,
    identity: &Identity,
    transport: Transport<'_>,
) -> Result<bool, GitError> {
    match destination {
        Destination::Local(path) => {
            let moved = move_local(store, path, std::slice::from_ref(update), identity)?;
            Ok(moved.is_none())
        }
        Destination::Remote { url } => {
            let tools = transport.program("lock a branch of", url)?;
            match push(store.git_dir(), url, std::slice::from_ref(update), Atomic::No, tools)? {
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
fn current_lock(
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

/// Tells whether a lock's process is gone: only a process of this host can be asked for.
fn is_dead(holder: &LockHolder, own: &LockHolder) -> bool {
    if holder.host != own.host {
        return false;
    }
    // A process that wants the lock does not hold it: its number was another's before.
    if holder.pid == own.pid {
        return true;
    }
    is_gone(holder.pid)
}

/// When a lock was first seen as it is.
#[derive(Serialize, Deserialize)]
struct Seen {
    revision: String,
    since_seconds: i64,
}

/// Tells whether this lock has been seen unchanged for long enough; remembers it when it is new.
fn is_expired(request: &LockRequest<'_>, found: &Revision) -> Result<bool, GitError> {
    let name = digest(format!("{}\n{}", request.url(), request.reference()).as_bytes());
    let file = request.seen.join(format!("{}.json", &name[..16]));
    let now = (request.clock)();
    let seen = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Seen>(&bytes).ok());
    // A clock that went back must not make a lock old.
    let known = seen.filter(|seen| seen.revision == found.as_str() && seen.since_seconds <= now);
    if let Some(seen) = known {
        return Ok(now - seen.since_seconds >= EXPIRY_SECONDS);
    }
    let seen = Seen { revision: found.to_string(), since_seconds: now };
    std::fs::create_dir_all(request.seen).map_err(GitError::file("create", request.seen))?;
    let text = serde_json::to_string(&seen).unwrap_or_default();
    std::fs::write(&file, text).map_err(GitError::file("write", file))?;
    Ok(false)
}
