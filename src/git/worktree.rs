//! A checked-out target branch: whether it can follow, and following.
//!
//! Before the branch moves, an intent is written into the work tree's own Git folder; after it moved,
//! files and index are brought to the new commit and the intent goes. A second run that finds an
//! intent finishes it. A file with changes of its own is never overwritten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{DiffOptions, Repository, Status, StatusOptions, Tree};
use serde::{Deserialize, Serialize};

use super::error::GitError;
use super::name;
use super::publish::open;
use super::revision::Revision;
use super::tree::{self, Change, Renames};

/// The intent's file in the Git folder.
const INTENT: &str = "promote-follow.json";

/// How a branch stands in the work trees of a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WorkTreeState {
    /// No work tree has it.
    NotCheckedOut,
    /// This work tree has it, without changes of its own.
    Clean(PathBuf),
    /// This work tree has it, with changes of its own in these files.
    Dirty(PathBuf, Vec<String>),
}

/// How a follow-up ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Followed {
    /// There was nothing to do.
    Nothing,
    /// The work tree is at this commit now.
    At(PathBuf, Revision),
}

#[derive(Serialize, Deserialize)]
struct Intent {
    branch: String,
    before: String,
    after: String,
}

/// Tells how a branch stands in the repository's work trees.
///
/// `incoming` are paths that a promotion would add: an untracked file there counts as a change. What a killed run still
/// owes it ([`finish`]) is no change of its own.
///
/// # Errors
///
/// [`GitError::NoRepository`], [`GitError::Library`] if a work tree cannot be read.
pub fn state(repository: &Path, branch: &str, incoming: &[String]) -> Result<WorkTreeState, GitError> {
    for work_tree in work_trees(&open(repository)?)? {
        if branch_of(&work_tree).as_deref() != Some(branch) {
            continue;
        }
        let Some(folder) = work_tree.workdir().map(Path::to_path_buf) else { continue };
        let mut files: BTreeSet<String> = changed(&work_tree, Untracked::Ignored)?.into_iter().collect();
        if let Some((before, after)) = owed(&work_tree) {
            let due = Due::of(&work_tree, &before, &after)?;
            let explained: BTreeSet<&str> = due.changes.iter().map(path_of).collect();
            files.retain(|file| !explained.contains(file.as_str()));
            files.extend(foreign(&work_tree, &folder, (&due.old, &due.new), &due.changes)?);
        }
        let index = work_tree.index().map_err(GitError::doing("cannot read the index"))?;
        let untracked = |path: &&String| {
            let path = name::path(path);
            index.get_path(&path, 0).is_none() && folder.join(&path).symlink_metadata().is_ok()
        };
        files.extend(incoming.iter().filter(untracked).cloned());
        return Ok(if files.is_empty() {
            WorkTreeState::Clean(folder)
        } else {
            WorkTreeState::Dirty(folder, files.into_iter().collect())
        });
    }
    Ok(WorkTreeState::NotCheckedOut)
}

/// Lists the main work tree and the linked ones.
fn work_trees(repository: &Repository) -> Result<Vec<Repository>, GitError> {
    let failed = || GitError::doing("cannot list the work trees");
    let mut found = Vec::new();
    let main = Repository::open(repository.commondir()).map_err(failed())?;
    let names = main.worktrees().map_err(failed())?;
    for name in names.iter().flatten().flatten() {
        // One whose folder is gone has no files that could follow.
        let linked = main.find_worktree(name).and_then(|linked| Repository::open_from_worktree(&linked));
        found.extend(linked.ok());
    }
    if !main.is_bare() {
        found.insert(0, main);
    }
    Ok(found)
}

fn branch_of(repository: &Repository) -> Option<String> {
    let head = repository.find_reference("HEAD").ok()?;
    let target = head.symbolic_target().ok()??;
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

#[derive(Clone, Copy, PartialEq)]
enum Untracked {
    Counted,
    Ignored,
}

fn changed(repository: &Repository, untracked: Untracked) -> Result<Vec<String>, GitError> {
    let mut options = StatusOptions::new();
    options
        .include_untracked(untracked == Untracked::Counted)
        .recurse_untracked_dirs(true)
        .exclude_submodules(true);
    let statuses = repository
        .statuses(Some(&mut options))
        .map_err(GitError::doing("cannot compare the work tree with its commit"))?;
    let changed =
        statuses.iter().filter(|entry| !matches!(entry.status(), Status::CURRENT | Status::IGNORED));
    Ok(changed.map(|entry| name::shown(entry.path_bytes())).collect())
}

/// Notes that the branch of a work tree is about to move.
///
/// Effects: writes the intent; it means nothing until the branch has moved.
///
/// # Errors
///
/// [`GitError::File`] if it cannot be written.
pub fn prepare(work_tree: &Path, branch: &str, before: &Revision, after: &Revision) -> Result<(), GitError> {
    let file = open(work_tree)?.path().join(INTENT);
    let intent = Intent { branch: branch.to_owned(), before: before.to_string(), after: after.to_string() };
    let text = serde_json::to_string(&intent).unwrap_or_default();
    fs::write(&file, text).map_err(GitError::file("write", file))
}

/// Brings a work tree's files and index from one commit to the next, after its branch moved there.
///
/// Effects: files that differ between the two are written or deleted, then the intent goes.
///
/// # Errors
///
/// [`GitError::Dirty`] if a file is neither as before nor as after: nothing is written then.
pub fn follow(work_tree: &Path, before: &Revision, after: &Revision) -> Result<(), GitError> {
    let repository = open(work_tree)?;
    let folder = repository.workdir().unwrap_or(work_tree).to_path_buf();
    let Due { old, new, changes } = Due::of(&repository, before, after)?;
    let foreign = foreign(&repository, &folder, (&old, &new), &changes)?;
    if !foreign.is_empty() {
        return Err(GitError::Dirty { path: folder, files: foreign });
    }
    write_files(&repository, &folder, &new, &changes)?;
    let intent = repository.path().join(INTENT);
    match fs::remove_file(&intent) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(GitError::file("delete", intent)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What a work tree has to follow: two commits' trees and what differs.
struct Due<'r> {
    old: Tree<'r>,
    new: Tree<'r>,
    changes: Vec<Change>,
}

impl<'r> Due<'r> {
    fn of(repository: &'r Repository, before: &Revision, after: &Revision) -> Result<Self, GitError> {
        let tree = |revision: &Revision| {
            repository
                .find_commit(revision.oid())
                .and_then(|commit| commit.tree())
                .map_err(GitError::doing(format!("cannot read commit {revision}")))
        };
        let (old, new) = (tree(before)?, tree(after)?);
        let changes = tree::changes(repository, Some(&old), Some(&new), Renames::Ignored)?;
        Ok(Self { old, new, changes })
    }
}

/// Reads an intent whose branch has moved, and is there still.
fn owed(work_tree: &Repository) -> Option<(Revision, Revision)> {
    let intent: Intent = serde_json::from_slice(&fs::read(work_tree.path().join(INTENT)).ok()?).ok()?;
    let (before, after) = (Revision::new(&intent.before).ok()?, Revision::new(&intent.after).ok()?);
    let tip = work_tree.refname_to_id(&format!("refs/heads/{}", intent.branch)).ok()?;
    let here = branch_of(work_tree)? == intent.branch && tip == after.oid();
    here.then_some((before, after))
}

/// Finishes what a killed run left behind in the work trees of a repository.
///
/// # Errors
///
/// As [`follow`].
pub fn finish(repository: &Path) -> Result<Vec<Followed>, GitError> {
    let mut followed = Vec::new();
    for work_tree in work_trees(&open(repository)?)? {
        let file = work_tree.path().join(INTENT);
        if !file.exists() {
            continue;
        }
        match (owed(&work_tree), work_tree.workdir()) {
            (Some((before, after)), Some(folder)) => {
                follow(folder, &before, &after)?;
                followed.push(Followed::At(folder.to_path_buf(), after));
            }
            // The branch never moved, or moved on since: nothing is owed.
            (None, _) | (_, None) => fs::remove_file(&file).map_err(GitError::file("delete", file))?,
        }
    }
    Ok(followed)
}

fn path_of(change: &Change) -> &str {
    change.new.as_ref().or(change.old.as_ref()).map_or("", |side| side.path.as_str())
}

/// Lists files of the work tree that are neither as before nor as after (nor gone).
fn foreign(
    repository: &Repository,
    folder: &Path,
    (old, new): (&Tree<'_>, &Tree<'_>),
    changes: &[Change],
) -> Result<Vec<String>, GitError> {
    let paths: Vec<&str> = changes.iter().map(path_of).collect();
    let (from_old, from_new) = (differing(repository, old, &paths)?, differing(repository, new, &paths)?);
    let is_foreign = |path: &&str| {
        from_old.contains(*path)
            && from_new.contains(*path)
            && folder.join(name::path(path)).symlink_metadata().is_ok()
    };
    Ok(paths.into_iter().filter(is_foreign).map(str::to_owned).collect())
}

/// Lists paths whose file differs from a tree's, with the filters (line ends) that the path has.
fn differing(repository: &Repository, tree: &Tree<'_>, paths: &[&str]) -> Result<BTreeSet<String>, GitError> {
    if paths.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut options = DiffOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(true)
        .include_typechange(true)
        .ignore_submodules(true)
        .disable_pathspec_match(true);
    for path in paths {
        options.pathspec(&*name::raw(path));
    }
    let diff = repository
        .diff_tree_to_workdir(Some(tree), Some(&mut options))
        .map_err(GitError::doing("cannot compare the work tree with a commit"))?;
    let path = |file: git2::DiffFile<'_>| file.path_bytes().map(name::shown);
    Ok(diff.deltas().filter_map(|delta| path(delta.new_file()).or_else(|| path(delta.old_file()))).collect())
}

fn write_files(
    repository: &Repository,
    folder: &Path,
    new: &Tree<'_>,
    changes: &[Change],
) -> Result<(), GitError> {
    let failed = || GitError::doing("cannot bring the work tree to the new commit");
    let (gone, come): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|change| change.new.is_none());
    let mut index = repository.index().map_err(failed())?;
    for change in gone {
        let path = name::path(path_of(change));
        index.remove_path(&path).map_err(failed())?;
        remove_file(folder, &path)?;
    }
    index.write().map_err(failed())?;
    if come.is_empty() {
        return Ok(());
    }
    let mut checkout = CheckoutBuilder::new();
    checkout.force().disable_pathspec_match(true);
    for change in come {
        checkout.path(&*name::raw(path_of(change)));
    }
    repository.checkout_tree(new.as_object(), Some(&mut checkout)).map_err(failed())
}

/// Deletes a file and the folders that it leaves empty.
fn remove_file(folder: &Path, path: &Path) -> Result<(), GitError> {
    let file = folder.join(path);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(GitError::file("delete", file)(error));
        }
        Ok(()) | Err(_) => {}
    }
    for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
        // A folder that still holds something stays.
        if fs::remove_dir(folder.join(parent)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Lists files with changes that no commit has, untracked ones included.
///
/// # Errors
///
/// [`GitError::NoRepository`], [`GitError::Library`] if the work tree cannot be read.
pub fn uncommitted(repository: &Path) -> Result<Vec<String>, GitError> {
    let repository = open(repository)?;
    if repository.is_bare() { Ok(Vec::new()) } else { changed(&repository, Untracked::Counted) }
}

/// Counts the commits of a local branch that the remote's tip lacks.
///
/// Shape: 0 where there is no such local branch; where the remote's tip is not known here, all commits
/// that no remote-tracking branch has.
///
/// # Errors
///
/// [`GitError::NoRepository`], [`GitError::Library`] if the history cannot be walked.
pub fn unpushed(repository: &Path, branch: &str, remote: Option<&Revision>) -> Result<usize, GitError> {
    let failed = || GitError::doing("cannot walk the history");
    let repository = open(repository)?;
    let Ok(local) = repository.refname_to_id(&format!("refs/heads/{branch}")) else { return Ok(0) };
    let mut walk = repository.revwalk().map_err(failed())?;
    walk.push(local).map_err(failed())?;
    match remote.map(Revision::oid).filter(|tip| repository.find_commit(*tip).is_ok()) {
        Some(tip) => walk.hide(tip).map_err(failed())?,
        None => walk.hide_glob("refs/remotes/*").map_err(failed())?,
    }
    Ok(walk.filter_map(Result::ok).count())
}
