//! Commits that are somebody's own work: no promotion made them, and no rollback.

use std::collections::BTreeSet;

use git2::{Commit, Sort};

use super::error::GitError;
use super::history::describe;
use super::revision::Revision;
use super::store::Store;
use crate::model::merge::{Conflict, Merge};
use crate::model::status::Hotfix;

/// Begins every trailer of ours.
const OURS: &str = "Promote-";

/// Whether a promotion or a rollback made a commit.
pub(super) fn is_ours(commit: &Commit<'_>) -> bool {
    String::from_utf8_lossy(commit.message_bytes()).lines().any(|line| line.starts_with(OURS))
}

/// Lists the commits that made what `other` lacks: what a merge keeps, would drop, or stops at; the newest first.
///
/// # Errors
///
/// [`GitError::Library`] if the history cannot be walked.
pub fn hotfixes(
    store: &Store,
    (tip, other): (&Revision, &Revision),
    merge: &Merge,
) -> Result<Vec<Hotfix>, GitError> {
    let lost = merge.losses.iter().map(|loss| &loss.commit);
    let mut commits: BTreeSet<String> =
        merge.kept.iter().map(|kept| &kept.commit).chain(lost).flatten().cloned().collect();
    let open: Vec<&str> = merge.conflicts.iter().filter_map(Conflict::open_path).collect();
    if !open.is_empty() {
        let mut own = super::merge::kept(store, (tip, other), &[])?;
        own.retain(|kept| open.iter().any(|path| is_below(&kept.path, path)));
        commits.extend(own.into_iter().filter_map(|kept| kept.commit));
    }
    if commits.is_empty() {
        return Ok(Vec::new());
    }
    let repository = &store.repository;
    let walk = || {
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        walk.push(tip.oid())?;
        walk.hide(other.oid())?;
        Ok(walk)
    };
    let walk = walk().map_err(GitError::doing("cannot walk the history"))?;
    let named = walk.filter_map(Result::ok).filter(|oid| commits.contains(&oid.to_string()));
    let made = named.filter(|oid| repository.find_commit(*oid).is_ok_and(|commit| !is_ours(&commit)));
    let described = made.filter_map(|oid| describe(repository, oid));
    Ok(described
        .map(|by| Hotfix { commit: by.commit, subject: by.subject, author: by.author, date: by.date })
        .collect())
}

/// Whether a path is another one, or below it.
pub(super) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
