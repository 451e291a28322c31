//! Waiting for another's lock: one small question at a time, asked the less often the longer it takes.
//!
//! Many may wait for one branch. A waiter asks where the lock's ref is and nothing else; who holds it is read
//! only when it stands still, because a lock that changes hands is held by the living.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::GitError;
use super::journal::digest;
use super::lock::{LockHolder, LockRequest, current_lock};
use super::moving::is_gone;
use super::publish::{Destination, Transport, current, open};
use super::remote::look;
use super::revision::Revision;
use super::store::Store;

/// For how long a lock must have been seen unchanged to count as left behind.
const EXPIRY_SECONDS: i64 = 300;

/// The shortest and the longest time between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A pause is this part of the time that was waited so far.
const PART: u32 = 8;

/// How long an interruption may go unheard.
const SLICE: Duration = Duration::from_millis(50);

/// Somebody who waits.
pub(super) struct Waiting<'a> {
    store: &'a Store,
    request: &'a LockRequest<'a>,
    own: &'a Revision,
    transport: Transport<'a>,
    began: Instant,
    looks: u32,
    /// The lock at the last look, and who holds it, where that was read.
    last: Option<(Revision, Option<LockHolder>)>,
    told: bool,
}

/// What ended the waiting.
pub(super) enum Waited {
    /// The lock is free.
    Free,
    /// It is ours.
    Ours,
    /// It is of somebody who is gone.
    Left(Revision, LockHolder),
}

impl<'a> Waiting<'a> {
    /// Begins to count the time.
    pub(super) fn new(
        store: &'a Store,
        request: &'a LockRequest<'a>,
        own: &'a Revision,
        transport: Transport<'a>,
    ) -> Self {
        Self { store, request, own, transport, began: Instant::now(), looks: 0, last: None, told: false }
    }

    /// Waits until the lock is free, ours, or left behind.
    ///
    /// # Errors
    ///
    /// [`GitError::Locked`] when patience is over; [`GitError::Unreachable`], [`GitError::NoRepository`];
    /// [`GitError::BadLock`]; [`GitError::Interrupted`].
    pub(super) fn wait(&mut self) -> Result<Waited, GitError> {
        loop {
            let Some(found) = self.look()? else { return Ok(Waited::Free) };
            if found == *self.own {
                return Ok(Waited::Ours);
            }
            let over = self.began.elapsed() >= self.request.patience;
            let expired = is_expired(self.request, &found)?;
            let still = self.last.as_ref().is_none_or(|(last, _)| *last == found);
            let Some((found, holder)) = self.holder(found, over || expired || still)? else {
                return Ok(Waited::Free);
            };
            if let Some(holder) = holder {
                let own = self.request.holder;
                if expired || is_dead(&holder, (&own.host, own.pid)) {
                    return Ok(Waited::Left(found, holder));
                }
                if over {
                    let reference = self.request.reference();
                    return Err(GitError::Locked { reference, holder: Box::new(holder) });
                }
                if !std::mem::replace(&mut self.told, true) {
                    (self.request.waiting)(&holder);
                }
            }
            self.pause()?;
        }
    }

    /// Asks where the lock's ref is.
    fn look(&self) -> Result<Option<Revision>, GitError> {
        let reference = self.request.reference();
        match self.request.destination {
            Destination::Local(path) => Ok(current(&open(path)?, &reference).map(Revision::from)),
            Destination::Remote { url } => {
                let tools = self.transport.program("lock a branch of", url)?;
                let references = [reference];
                let mut tips = look(self.store.git_dir(), url, &references, tools)?;
                Ok(tips.remove(&references[0]))
            }
        }
    }

    /// Tells who holds a lock that was seen, where that is known or has to be; nothing where it is gone by now.
    fn holder(
        &mut self,
        found: Revision,
        needed: bool,
    ) -> Result<Option<(Revision, Option<LockHolder>)>, GitError> {
        let known = self.last.take().filter(|(last, _)| *last == found).and_then(|(_, holder)| holder);
        let seen = if known.is_none() && needed {
            let (reference, destination) = (self.request.reference(), self.request.destination);
            let lock = current_lock(self.store, destination, &reference, self.transport)?;
            let Some((found, holder)) = lock else { return Ok(None) };
            (found, Some(holder))
        } else {
            (found, known)
        };
        self.last = Some(seen.clone());
        Ok(Some(seen))
    }

    fn pause(&mut self) -> Result<(), GitError> {
        self.looks += 1;
        let waited = self.began.elapsed();
        let left = self.request.patience.saturating_sub(waited);
        let pause = pause(waited, self.request.holder.pid, self.looks).min(left);
        let until = Instant::now() + pause;
        loop {
            if self.transport.interrupt.load(Ordering::SeqCst) {
                return Err(GitError::Interrupted);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// Says how long to wait for the next look.
fn pause(waited: Duration, pid: u32, looks: u32) -> Duration {
    let pause = (waited / PART).clamp(PAUSES.0, PAUSES.1);
    // Many who wait must not knock in step: up to half as long again, another part of it at each look.
    let step = pid.wrapping_mul(31).wrapping_add(looks.wrapping_mul(17)) % 64;
    pause + pause * step / 128
}

/// Tells whether a lock's process is gone: only a process of this host can be asked for.
pub(super) fn is_dead(holder: &LockHolder, (host, pid): (&str, u32)) -> bool {
    if holder.host != host {
        return false;
    }
    // A process that wants the lock does not hold it: its number was another's before.
    if holder.pid == pid {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer_and_are_not_in_step() {
        let seconds = Duration::from_secs;
        for (waited, at_least, at_most) in [
            (Duration::ZERO, PAUSES.0, PAUSES.0 * 3 / 2),
            (seconds(8), seconds(1), seconds(3) / 2),
            (seconds(3600), PAUSES.1, PAUSES.1 * 3 / 2),
        ] {
            for pid in 1..100 {
                let pause = pause(waited, pid, 3);
                assert!((at_least..=at_most).contains(&pause), "{waited:?} {pid} {pause:?}");
            }
        }
        assert_ne!(pause(seconds(8), 7, 1), pause(seconds(8), 7, 2));
        assert_ne!(pause(seconds(8), 7, 1), pause(seconds(8), 8, 1));
    }
}
