//! What a merge brings into the target: its files, and what among them points elsewhere or may go wrong elsewhere.
//!
//! In: the target as it stands and the merged tree. Out: a [`Brought`]. Nothing is asked of anybody here.

use git2::{Repository, Tree};

use super::error::GitError;
use super::guard;
use super::lfs::{self, Pointer};
use super::lines;
use super::submodule::Submodules;
use super::tree::{self, Change};
use crate::model::finding::Finding;
use crate::model::merge::{FileChange, FileChangeKind};

/// What changes in the target.
pub(super) struct Brought {
    /// Files that change.
    pub(super) files: Vec<FileChange>,
    /// Pointers of Git LFS.
    pub(super) pointers: Vec<Pointer>,
    /// Submodules that go to other commits.
    pub(super) submodules: Submodules,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
}

impl Brought {
    /// Lists what changes on the way to a tree.
    pub(super) fn of(
        repository: &Repository,
        after: &Tree<'_>,
        changes: &[Change],
    ) -> Result<Self, GitError> {
        Ok(Self {
            files: changes.iter().map(|change| file(repository, change)).collect::<Result<_, _>>()?,
            pointers: lfs::pointers(repository, changes)?,
            submodules: Submodules::brought(repository, after, changes)?,
            findings: guard::warnings(repository, after, changes)?,
        })
    }
}

/// Describes a change of a file.
pub(super) fn file(repository: &Repository, change: &tree::Change) -> Result<FileChange, GitError> {
    let read = |side: &Option<tree::Located>| match side {
        Some(side) => tree::bytes(repository, side.entry),
        None => Ok(Vec::new()),
    };
    let (before, after) = (read(&change.old)?, read(&change.new)?);
    let (added_lines, removed_lines) = lines::counts(&before, &after)?;
    let (kind, path, old_path) = match (&change.old, &change.new) {
        (Some(old), Some(new)) if old.path != new.path => {
            (FileChangeKind::Renamed, new.path.clone(), Some(old.path.clone()))
        }
        (Some(_), Some(new)) => (FileChangeKind::Modified, new.path.clone(), None),
        (None, Some(new)) => (FileChangeKind::Added, new.path.clone(), None),
        (Some(old), None) => (FileChangeKind::Deleted, old.path.clone(), None),
        (None, None) => (FileChangeKind::Modified, String::new(), None),
    };
    Ok(FileChange { path, change: kind, old_path, added_lines, removed_lines })
}
