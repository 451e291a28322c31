//! The lock of a target branch, as every command that moves it takes it.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::git::{self, GitError, Lock, LockHolder, LockRequest, Revision, Transport};

use super::error::PromotionError;
use super::gather::Gathered;
use super::ground::Ground;
use super::request::Ports;
use super::site::Location;

/// Takes the lock, waiting for another's, and looks on the way whether both sides stand where they were seen.
pub(super) fn take(
    ground: &Ground,
    gathered: &Gathered,
    (purpose, token): (String, String),
    ports: &mut Ports<'_>,
) -> Result<Lock, PromotionError> {
    let identity = ground.identity(ports);
    let holder = LockHolder {
        holder: identity.to_string(),
        host: ports.host.to_owned(),
        pid: ports.pid,
        purpose,
        token,
        at: ports.now.to_string(),
    };
    let destination = gathered.destination();
    let expected = expected(gathered);
    let clock = || jiff::Timestamp::now().as_second();
    let waiting = RefCell::new(Vec::new());
    let request = LockRequest {
        destination: &destination,
        refs: &gathered.refs,
        branch: &gathered.to.site.branch,
        holder: &holder,
        identity: &identity,
        expected: &expected,
        patience: ports.patience,
        seen: &gathered.memory,
        clock: &clock,
        waiting: &|other| waiting.borrow_mut().push(other.to_string()),
    };
    let (program, interrupted) = (ports.git, Arc::clone(&ports.interrupted));
    let transport = Transport { program, interrupt: &interrupted };
    let what =
        format!("taking the lock on {} of {}", gathered.to.site.branch, gathered.to.site.location.words());
    let lock = ports.doing(what, || {
        std::thread::scope(|scope| {
            let (from, git_dir) = (&gathered.from, gathered.store.git_dir());
            let source = elsewhere(gathered)
                .map(|url| scope.spawn(move || git::tip(git_dir, url, &from.site.branch, transport)));
            let mut lock = git::acquire(&gathered.store, &request, transport)?;
            if let Some(source) = source {
                // Whatever the source's repository has to say is heard when it is asked again.
                lock.unmoved &= matches!(source.join(), Ok(Ok(tip)) if tip == from.tip);
            }
            Ok::<_, GitError>(lock)
        })
    })?;
    for other in waiting.into_inner() {
        ports.says(format!("The lock was held by {other}."));
    }
    if let Some(other) = &lock.taken_over {
        ports.says(format!("The lock of {other} was taken over: that run is gone."));
    }
    Ok(lock)
}

/// Lists what the push that takes the lock can look at; nothing where that would not be all.
fn expected(gathered: &Gathered) -> Vec<(String, Revision)> {
    let (from, to) = (&gathered.from, &gathered.to);
    let Some(tip) = &to.tip else { return Vec::new() };
    let head = |branch: &str| format!("refs/heads/{branch}");
    let mut expected = vec![(head(&to.site.branch), tip.clone())];
    expected.extend(to.journal.clone().map(|journal| (format!("{}/journal", gathered.refs), journal)));
    if from.site.location == to.site.location && from.site.branch != to.site.branch {
        let Some(tip) = &from.tip else { return Vec::new() };
        expected.push((head(&from.site.branch), tip.clone()));
    }
    expected
}

/// Gives the address of the source's repository, where it is another one.
fn elsewhere(gathered: &Gathered) -> Option<&str> {
    match (&gathered.from.site.location, &gathered.to.site.location) {
        (from, to) if from == to => None,
        (Location::Remote(url), _) => Some(url),
        (Location::Local(folder), _) => folder.to_str(),
    }
}

/// Gives back what a run left that was killed after the branch of a local repository had moved: its lock goes last.
pub(super) fn give_back_left(
    ground: &Ground,
    gathered: &Gathered,
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    if !matches!(gathered.to.site.location, Location::Local(_)) {
        return Ok(());
    }
    let identity = ground.identity(ports);
    let transport = Transport { program: ports.git, interrupt: &ports.interrupted };
    let lock = (gathered.refs.as_str(), gathered.to.site.branch.as_str());
    let own = (ports.host, ports.pid);
    let destination = gathered.destination();
    let left = git::release_left(&gathered.store, &destination, lock, own, (&identity, transport))?;
    if let Some(holder) = left {
        ports.says(format!("The lock of {holder} was given back: that run is gone."));
    }
    Ok(())
}

/// Gives the lock back after a failure, unless it was lost: it is another's then.
pub(super) fn give_back_after(
    error: &PromotionError,
    (ground, gathered): (&Ground, &Gathered),
    lock: &Lock,
    ports: &mut Ports<'_>,
) {
    if !matches!(error, PromotionError::Git(GitError::LockLost { .. })) {
        give_back(ground, gathered, lock, ports);
    }
}

/// Gives the lock back where the push did not.
pub(super) fn give_back(ground: &Ground, gathered: &Gathered, lock: &Lock, ports: &mut Ports<'_>) {
    let identity = ground.identity(ports);
    let quiet = AtomicBool::new(false);
    let transport = Transport { program: ports.git, interrupt: &quiet };
    let released = git::release(&gathered.store, &gathered.destination(), lock, &identity, transport);
    if let Err(error) = released {
        ports.says(format!(
            "The lock could not be given back ({error}); it is taken over once this process is gone."
        ));
    }
}
