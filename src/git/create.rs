//! A workspace for a new environment: a branch in a repository that is there, or a repository of its own.
//!
//! A repository is made beside its place, gets its branch by a push, and is then renamed there: it is
//! whole or not there.

use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryInitOptions};

use super::error::GitError;
use super::publish::{Destination, Transport, move_local};
use super::push::{Atomic, Pushed, Update, push, rejected};
use super::remote::look;
use super::revision::{Identity, Revision};
use super::store::Store;
use super::url::{display_url, local_path};

/// How a branch stands in another repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// The address names a folder of this machine that is empty or not there.
    NoRepository(PathBuf),
    /// The repository has no branch at all.
    Empty,
    /// The repository has other branches.
    OtherBranches,
    /// The branch is there.
    At(Revision),
}

/// Tells how a branch stands in another repository.
///
/// Effects: asks the repository; nothing is fetched.
///
/// # Errors
///
/// [`GitError::NoProgram`], [`GitError::NoRepository`], [`GitError::Unreachable`], [`GitError::Interrupted`].
pub fn standing(
    store: &Store,
    url: &str,
    branch: &str,
    transport: Transport<'_>,
) -> Result<Standing, GitError> {
    let reference = reference(branch)?;
    if let Some(folder) = local_path(url).filter(|folder| is_vacant(folder)) {
        return Ok(Standing::NoRepository(folder));
    }
    let tools = transport.program("look into", url)?;
    let mut tips = look(store.git_dir(), url, std::slice::from_ref(&reference), tools)?;
    if let Some(tip) = tips.remove(&reference) {
        return Ok(Standing::At(tip));
    }
    let empty = store.remote_branches(url, tools.0, tools.1)?.is_empty();
    Ok(if empty { Standing::Empty } else { Standing::OtherBranches })
}

/// Whether nothing is at a path, or an empty folder.
fn is_vacant(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound && !folder.is_symlink(),
    }
}

fn reference(branch: &str) -> Result<String, GitError> {
    let reference = format!("refs/heads/{branch}");
    let sound =
        !branch.contains('\0') && !branch.starts_with('-') && git2::Reference::is_valid_name(&reference);
    if sound { Ok(reference) } else { Err(GitError::BadName { name: branch.replace('\0', "") }) }
}

/// Makes a branch at a commit of the store; it must not be there.
///
/// # Errors
///
/// [`GitError::BadName`]; [`GitError::Moved`] if somebody else made it meanwhile; what a push can give.
pub fn create_branch(
    store: &Store,
    destination: &Destination,
    branch: &str,
    tip: &Revision,
    (identity, transport): (&Identity, Transport<'_>),
) -> Result<(), GitError> {
    let update = Update { reference: reference(branch)?, before: None, after: Some(tip.clone()) };
    match destination {
        Destination::Local(path) => {
            let url = path.display().to_string();
            match move_local(store, path, &[update], identity)? {
                Some(reference) => Err(GitError::Moved { reference, url }),
                None => Ok(()),
            }
        }
        Destination::Remote { url } => deliver(store, url, &update, transport),
    }
}

fn deliver(store: &Store, url: &str, update: &Update, transport: Transport<'_>) -> Result<(), GitError> {
    let tools = transport.program("push to", url)?;
    let moved = || GitError::Moved { reference: update.reference.clone(), url: display_url(url) };
    match push(store.git_dir(), url, std::slice::from_ref(update), Atomic::No, tools)? {
        Pushed::Done(_) => Ok(()),
        Pushed::Stale(_) => Err(moved()),
        Pushed::Refused(text) => Err(rejected(url, &text)),
        Pushed::NotAtomic => Err(rejected(url, "it moves no refs")),
        Pushed::Unknown(text) => Err(GitError::Unreachable { url: display_url(url), text }),
    }
}

/// Makes a bare repository in a folder that is empty or not there, with one branch at a commit of the store.
///
/// Effects: the repository is made beside the folder and renamed into place; after a failure nothing is left.
///
/// # Errors
///
/// [`GitError::NoProgram`]; [`GitError::File`] if the folder above it is not there or cannot be written; what
/// a push can give.
pub fn create_repository(
    store: &Store,
    folder: &Path,
    branch: &str,
    tip: &Revision,
    transport: Transport<'_>,
) -> Result<(), GitError> {
    transport.program("make", &folder.to_string_lossy())?;
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = tempfile::Builder::new()
        .prefix(".promote-new-")
        .tempdir_in(above)
        .map_err(GitError::file("make a repository in", above))?;
    let inside = made.path().join("repository.git");
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false).initial_head(branch);
    Repository::init_opts(&inside, &options)
        .map_err(GitError::doing(format!("cannot make the repository `{}`", folder.display())))?;
    let update = Update { reference: reference(branch)?, before: None, after: Some(tip.clone()) };
    deliver(store, &inside.to_string_lossy(), &update, transport)?;
    std::fs::rename(&inside, folder).map_err(GitError::file("make", folder))
}
