//! Commits that only one side has and that are its own work: no promotions, no merges, nothing taken back.

use git2::{Commit, Sort};

use super::error::GitError;
use super::history::describe;
use super::revision::Revision;
use super::store::Store;
use crate::model::status::Hotfix;

/// Begins every trailer of ours.
const OURS: &str = "Promote-";

/// Whether a promotion or a rollback made a commit.
pub(super) fn is_ours(commit: &Commit<'_>) -> bool {
    String::from_utf8_lossy(commit.message_bytes()).lines().any(|line| line.starts_with(OURS))
}

/// Lists the commits of `tip` that `other` lacks and that a person made there, the newest first.
///
/// # Errors
///
/// [`GitError::Library`] if the history cannot be walked.
pub fn own_commits(store: &Store, tip: &Revision, other: &Revision) -> Result<Vec<Hotfix>, GitError> {
    let repository = &store.repository;
    let walk = || {
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        walk.push(tip.oid())?;
        walk.hide(other.oid())?;
        Ok(walk)
    };
    let walk = walk().map_err(GitError::doing("cannot walk the history"))?;
    let commits = walk.filter_map(Result::ok).filter_map(|oid| repository.find_commit(oid).ok());
    let own = commits.filter(|commit| commit.parent_count() < 2 && !is_ours(commit));
    let described = own.filter_map(|commit| describe(repository, commit.id()));
    Ok(described
        .map(|by| Hotfix { commit: by.commit, subject: by.subject, author: by.author, date: by.date })
        .collect())
}
