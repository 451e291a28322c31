//! Publishing: branch, journal and lock of the target move together, from where they were seen.
//!
//! A remote gets one atomic push with leases. The local repository gets its refs locked, compared and
//! then moved in the order journal, branch, lock, so that a kill between two of them leaves what a
//! second run finishes: a journal that is ahead, a lock whose holder is dead.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use git2::{Oid, Repository, Signature};

use super::error::GitError;
use super::lock::Lock;
use super::moving::Moving;
use super::program::GitProgram;
use super::push::{Atomic, Pushed, Update, push, rejected};
use super::remote::{bring, look};
use super::revision::{Identity, Revision};
use super::store::{Store, adopt};
use super::url::display_url;

/// Where a target is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    /// A branch of the local repository at this path.
    Local(PathBuf),
    /// Another repository.
    Remote {
        /// A path or URL; may hold a password.
        url: String,
    },
}

/// How to get there.
#[derive(Clone, Copy)]
pub struct Transport<'a> {
    /// The `git` program; a remote needs one.
    pub program: Option<&'a GitProgram>,
    /// Set from outside to stop.
    pub interrupt: &'a AtomicBool,
}

impl<'a> Transport<'a> {
    /// Gives the program, or says what needs it.
    pub(super) fn program(
        self,
        doing: &str,
        url: &str,
    ) -> Result<(&'a GitProgram, &'a AtomicBool), GitError> {
        match self.program {
            Some(program) => Ok((program, self.interrupt)),
            None => Err(GitError::NoProgram { doing: format!("{doing} `{}`", display_url(url)) }),
        }
    }
}

/// What is to be published.
#[derive(Clone, Debug)]
pub struct Publication<'a> {
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// Prefix of the refs that hold lock and journal: `refs/promote`.
    pub refs: &'a str,
    /// Where the branch was seen; nothing: it is not there.
    pub before: Option<&'a Revision>,
    /// Where the branch goes; nothing: it stays.
    pub after: Option<&'a Revision>,
    /// Where the journal was seen.
    pub journal_before: Option<&'a Revision>,
    /// Where the journal goes.
    pub journal_after: &'a Revision,
    /// The lock that is given back with it.
    pub lock: Option<&'a Lock>,
    /// Who moves the refs, for the reflog of a local repository.
    pub identity: &'a Identity,
}

/// What a publication gave.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Published {
    /// The server's words (its hooks').
    pub messages: Vec<String>,
}

impl Publication<'_> {
    fn branch_ref(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    fn journal_ref(&self) -> String {
        format!("{}/journal", self.refs)
    }

    /// Lists the moves in the order in which they are made where they cannot be made at once.
    fn updates(&self) -> Vec<Update> {
        let mut updates = vec![Update {
            reference: self.journal_ref(),
            before: self.journal_before.cloned(),
            after: Some(self.journal_after.clone()),
        }];
        updates.extend(self.after.map(|after| Update {
            reference: self.branch_ref(),
            before: self.before.cloned(),
            after: Some(after.clone()),
        }));
        updates.extend(self.lock.map(|lock| Update {
            reference: lock.reference.clone(),
            before: Some(lock.revision.clone()),
            after: None,
        }));
        updates
    }

    /// Says which of the refs that moved counts: the branch before the lock before the journal.
    fn moved(&self, references: &[String], url: &str) -> GitError {
        let url = display_url(url);
        let has = |name: &String| references.contains(name);
        let branch = self.branch_ref();
        if let Some(lock) = self.lock.filter(|lock| has(&lock.reference) && !has(&branch)) {
            return GitError::LockLost { reference: lock.reference.clone(), url };
        }
        if has(&self.journal_ref()) && !has(&branch) {
            return GitError::JournalMoved { reference: self.journal_ref(), url };
        }
        GitError::Moved { reference: branch, url }
    }
}

/// Moves branch, journal and lock.
///
/// Effects: all refs move or none, but for a kill in a local repository (see the module). All objects
/// must be in the store.
///
/// # Errors
///
/// [`GitError::Moved`], [`GitError::JournalMoved`], [`GitError::LockLost`] if a ref is not where it was
/// seen; [`GitError::Rejected`] with the server's words; [`GitError::Unreachable`],
/// [`GitError::NoRepository`]; [`GitError::Busy`]; [`GitError::Interrupted`].
pub fn publish(
    store: &Store,
    destination: &Destination,
    publication: &Publication<'_>,
    transport: Transport<'_>,
) -> Result<Published, GitError> {
    match destination {
        Destination::Local(path) => {
            let url = path.display().to_string();
            match move_local(store, path, &publication.updates(), publication.identity)? {
                Some(reference) => Err(publication.moved(&[reference], &url)),
                None => Ok(Published::default()),
            }
        }
        Destination::Remote { url } => to_remote(store, url, publication, transport),
    }
}

fn to_remote(
    store: &Store,
    url: &str,
    publication: &Publication<'_>,
    transport: Transport<'_>,
) -> Result<Published, GitError> {
    let tools = transport.program("push to", url)?;
    let updates = publication.updates();
    let outcome = match push(store.git_dir(), url, &updates, Atomic::Yes, tools) {
        Ok(Pushed::NotAtomic) => one_by_one(store, url, &updates, tools),
        other => other,
    };
    let why = match outcome {
        Ok(Pushed::Done(messages)) => return Ok(Published { messages }),
        Ok(Pushed::Stale(references)) => publication.moved(&references, url),
        Ok(Pushed::Refused(text)) => return Err(rejected(url, &text)),
        Ok(Pushed::Unknown(text)) => GitError::Unreachable { url: display_url(url), text },
        Ok(Pushed::NotAtomic) => rejected(url, "it moves no refs"),
        Err(error @ GitError::Interrupted) => error,
        Err(error) => return Err(error),
    };
    // The answer may have been lost on its way: then our commit is there already.
    let calm = AtomicBool::new(false);
    match arrived(store, url, publication, (tools.0, &calm)) {
        Ok(true) => Ok(Published::default()),
        Ok(false) | Err(_) => Err(why),
    }
}

/// Asks the remote whether what we pushed is there: the journal holds our record, the branch our commit.
fn arrived(
    store: &Store,
    url: &str,
    publication: &Publication<'_>,
    tools: (&GitProgram, &AtomicBool),
) -> Result<bool, GitError> {
    let (reference, ours) = match publication.after {
        Some(after) => (publication.branch_ref(), after),
        None => (publication.journal_ref(), publication.journal_after),
    };
    let references = [reference.clone()];
    let tips = look(store.git_dir(), url, &references, tools)?;
    let Some(tip) = tips.get(&reference) else { return Ok(false) };
    if tip == ours {
        return Ok(true);
    }
    let tips = bring(store.git_dir(), url, &references, tools)?;
    tips.get(&reference).map_or(Ok(false), |tip| store.contains(tip, ours))
}

/// For a server without atomic pushes: journal, branch, lock, one after the other.
fn one_by_one(
    store: &Store,
    url: &str,
    updates: &[Update],
    tools: (&GitProgram, &AtomicBool),
) -> Result<Pushed, GitError> {
    let mut messages = Vec::new();
    for update in updates {
        match push(store.git_dir(), url, std::slice::from_ref(update), Atomic::No, tools)? {
            Pushed::Done(words) => messages.extend(words),
            stopped @ (Pushed::Stale(_) | Pushed::Refused(_) | Pushed::NotAtomic | Pushed::Unknown(_)) => {
                return Ok(stopped);
            }
        }
    }
    Ok(Pushed::Done(messages))
}

/// Moves refs of a local repository; gives the ref that is not where it was seen.
pub(super) fn move_local(
    store: &Store,
    path: &Path,
    updates: &[Update],
    identity: &Identity,
) -> Result<Option<String>, GitError> {
    let repository = open(path)?;
    for after in updates.iter().filter_map(|update| update.after.as_ref()) {
        adopt(&repository, &store.repository, after.oid())
            .map_err(GitError::doing(format!("cannot copy commit {after}")))?;
    }
    let signature = identity.signature()?;
    let references: Vec<&str> = updates.iter().map(|update| update.reference.as_str()).collect();
    let noted = Moving::note(repository.commondir(), &references)?;
    let mut transactions = Vec::new();
    for update in updates {
        let mut transaction =
            repository.transaction().map_err(GitError::doing("cannot begin to move refs"))?;
        lock_ref(&mut transaction, &update.reference, path)?;
        transactions.push(transaction);
    }
    // All are locked now, so what is seen here stays.
    for update in updates {
        if current(&repository, &update.reference) != update.before.as_ref().map(Revision::oid) {
            return Ok(Some(update.reference.clone()));
        }
    }
    for (mut transaction, update) in transactions.into_iter().zip(updates) {
        stage(&mut transaction, update, &signature)
            .and_then(|()| transaction.commit())
            .map_err(GitError::doing(format!("cannot move `{}`", update.reference)))?;
    }
    drop(noted);
    Ok(None)
}

pub(super) fn open(path: &Path) -> Result<Repository, GitError> {
    Repository::discover(path).map_err(|error| GitError::NoRepository {
        url: path.display().to_string(),
        text: error.message().to_owned(),
    })
}

pub(super) fn current(repository: &Repository, reference: &str) -> Option<Oid> {
    repository.refname_to_id(reference).ok()
}

/// Locks a ref; another program's lock is waited for, but not for long.
fn lock_ref(transaction: &mut git2::Transaction<'_>, reference: &str, path: &Path) -> Result<(), GitError> {
    // The library takes no NUL for an answer, and no other bad name either.
    if reference.contains('\0') || !git2::Reference::is_valid_name(reference) {
        return Err(GitError::BadName { name: reference.replace('\0', "") });
    }
    for _ in 0..100 {
        match transaction.lock_ref(reference) {
            Ok(()) => return Ok(()),
            Err(error) if error.code() == git2::ErrorCode::Locked => {
                std::thread::sleep(std::time::Duration::from_millis(30));
            }
            Err(error) => return Err(GitError::doing(format!("cannot lock `{reference}`"))(error)),
        }
    }
    Err(GitError::Busy { reference: reference.to_owned(), url: path.display().to_string() })
}

fn stage(
    transaction: &mut git2::Transaction<'_>,
    update: &Update,
    signature: &Signature<'_>,
) -> Result<(), git2::Error> {
    match &update.after {
        Some(after) => transaction.set_target(&update.reference, after.oid(), Some(signature), "promote"),
        None => transaction.remove(&update.reference),
    }
}
