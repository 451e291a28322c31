//! Whether a repository takes the refs that a promotion needs: two of its own are made together and deleted again.
//!
//! In: where, and below which prefix. Out: a [`Trial`]. Nothing stays, but for what a server made and will not
//! delete, and that is said.

use super::commit;
use super::error::GitError;
use super::publish::{Destination, Transport, move_local};
use super::push::{Atomic, Pushed, Update, push};
use super::revision::Identity;
use super::store::Store;
use super::tree;
use super::url::display_url;

/// What became of a trial.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trial {
    /// Refs are made and deleted, all or none.
    Takes,
    /// Refs are made and deleted one after the other only.
    OneByOne,
    /// The refs cannot be made; the server's words.
    Refuses(String),
    /// The refs were made and cannot be deleted: their names and the server's words.
    Keeps(Vec<String>, String),
}

/// Makes two refs below `<refs>/doctor/` and deletes them.
///
/// Effects: two refs, made and deleted; one commit in the store, without parents and files.
///
/// # Errors
///
/// [`GitError::Unreachable`], [`GitError::NoRepository`], [`GitError::NoProgram`], [`GitError::Interrupted`].
pub fn try_refs(
    store: &Store,
    destination: &Destination,
    (refs, token): (&str, &str),
    identity: &Identity,
    transport: Transport<'_>,
) -> Result<Trial, GitError> {
    let names = ["one", "two"].map(|name| format!("{refs}/doctor/{token}-{name}"));
    let repository = &store.repository;
    let empty = tree::empty(repository)?;
    let commit = commit::write(repository, empty, &[], ("doctor: may be deleted\n", identity))?;
    let updates = |made: bool| {
        let here = || Some(commit.clone());
        let (before, after) = if made { (here(), None) } else { (None, here()) };
        let update =
            |name: &String| Update { reference: name.clone(), before: before.clone(), after: after.clone() };
        names.iter().map(update).collect::<Vec<Update>>()
    };
    let (make, delete) = (updates(false), updates(true));
    match destination {
        Destination::Local(path) => {
            move_local(store, path, &make, identity)?;
            move_local(store, path, &delete, identity)?;
            Ok(Trial::Takes)
        }
        Destination::Remote { url } => {
            let tools = transport.program("try refs of", url)?;
            let run = |updates: &[Update], atomic| push(store.git_dir(), url, updates, atomic, tools);
            let each = |updates: &[Update]| -> Result<Pushed, GitError> {
                let mut last = Pushed::Done(Vec::new());
                for update in updates {
                    last = run(std::slice::from_ref(update), Atomic::No)?;
                }
                Ok(last)
            };
            let (made, trial) = match run(&make, Atomic::Yes)? {
                Pushed::NotAtomic => (each(&make)?, Trial::OneByOne),
                pushed @ (Pushed::Done(_) | Pushed::Stale(_) | Pushed::Refused(_) | Pushed::Unknown(_)) => {
                    (pushed, Trial::Takes)
                }
            };
            if let Some(why) = refusal(made, url)? {
                return Ok(Trial::Refuses(why));
            }
            let deleted = if trial == Trial::Takes { run(&delete, Atomic::Yes)? } else { each(&delete)? };
            Ok(refusal(deleted, url)?.map_or(trial, |why| Trial::Keeps(names.to_vec(), why)))
        }
    }
}

/// Gives the server's words where it refused.
fn refusal(pushed: Pushed, url: &str) -> Result<Option<String>, GitError> {
    match pushed {
        Pushed::Done(_) => Ok(None),
        Pushed::Refused(text) => Ok(Some(text)),
        Pushed::Stale(names) => Ok(Some(format!("it cannot write {}", names.join(", ")))),
        Pushed::NotAtomic => Ok(Some("it moves no refs".to_owned())),
        Pushed::Unknown(text) => Err(GitError::Unreachable { url: display_url(url), text }),
    }
}
