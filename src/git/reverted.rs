//! What was promoted, then reverted in the target: a merge takes it for deleted and leaves it out in silence.

use std::collections::BTreeSet;

use git2::{Commit, Oid, Sort};

use super::commit::{self, CommitMessage};
use super::error::GitError;
use super::history::describe;
use super::name;
use super::revision::{Identity, Revision};
use super::store::Store;
use super::tree::{self, Renames};
use crate::model::merge::Reverted;

/// Says which promotions a commit takes back.
pub const REVERTS: &str = "Promote-Reverts";
/// Says which revert a commit undoes.
const REINSTATES: &str = "Promote-Reinstates";
/// Says which revert a promotion leaves as it is.
pub const LEFT_OUT: &str = "Promote-Left-Out";
/// Every promotion's commit has it.
const PLAN: &str = "Promote-Plan";

/// Promoted work that one side has taken back, and the other has not; each the newest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TakenBack {
    /// What nobody has decided about.
    pub open: Vec<Reverted>,
    /// What an earlier promotion left out.
    pub left_out: Vec<Reverted>,
}

/// Lists the reverts of promoted work that only the target has.
///
/// Shape: what is taken back is a promotion, or a commit that the source has; a revert after which the target
/// has the files as the source has them takes nothing back.
///
/// # Errors
///
/// [`GitError::Library`] if the history cannot be walked.
pub fn taken_back(store: &Store, target: &Revision, source: &Revision) -> Result<TakenBack, GitError> {
    let repository = &store.repository;
    let walk = || {
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        walk.push(target.oid())?;
        walk.hide(source.oid())?;
        Ok(walk)
    };
    let walk = walk().map_err(GitError::doing("cannot walk the history"))?;
    let (mut decided, mut left_out) = (BTreeSet::new(), BTreeSet::new());
    let mut found = TakenBack::default();
    for revert in walk.filter_map(Result::ok).filter_map(|oid| repository.find_commit(oid).ok()) {
        let message = String::from_utf8_lossy(revert.message_bytes()).into_owned();
        decided.extend(trailers(&message, REINSTATES));
        left_out.extend(trailers(&message, LEFT_OUT));
        if decided.contains(&revert.id()) || revert.parent_count() != 1 {
            continue;
        }
        for oid in named(&message) {
            let Ok(commit) = repository.find_commit(oid) else { continue };
            let text = String::from_utf8_lossy(commit.message_bytes()).into_owned();
            if !named(&text).is_empty() {
                decided.insert(oid);
            } else if is_promoted(store, &commit, source) && still_counts(store, &revert, target, source)? {
                let list =
                    if left_out.contains(&revert.id()) { &mut found.left_out } else { &mut found.open };
                list.extend(describe(repository, revert.id()).map(|by| Reverted {
                    promotion: oid.to_string(),
                    commit: by.commit,
                    author: by.author,
                    date: by.date,
                }));
            }
        }
    }
    for list in [&mut found.open, &mut found.left_out] {
        list.dedup_by(|one, other| one.commit == other.commit && one.promotion == other.promotion);
    }
    Ok(found)
}

/// Lists what a commit says that it takes back: in our trailer, or in the words of `git revert`.
fn named(message: &str) -> Vec<Oid> {
    let mut found = trailers(message, REVERTS);
    let words = message.split("This reverts commit ").skip(1);
    found.extend(words.filter_map(|rest| Oid::from_str(rest.get(..40)?).ok()));
    found
}

fn trailers(message: &str, key: &str) -> Vec<Oid> {
    let values = message.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    values.filter_map(|value| Oid::from_str(value.trim()).ok()).collect()
}

/// Whether a commit is a promotion of what the source still has.
pub(super) fn is_promotion(store: &Store, commit: &Commit<'_>, source: &Revision) -> bool {
    match commit.parent_id(1) {
        Ok(promoted) => store.contains(source, &promoted.into()).unwrap_or(false),
        Err(_) => String::from_utf8_lossy(commit.message_bytes()).lines().any(|line| line.starts_with(PLAN)),
    }
}

/// Whether a commit's work came from the source: with a promotion, or because it is the source's own.
fn is_promoted(store: &Store, commit: &Commit<'_>, source: &Revision) -> bool {
    is_promotion(store, commit, source) || store.contains(source, &commit.id().into()).unwrap_or(false)
}

/// Whether a file that a revert changed is still another one in the target than in the source.
fn still_counts(
    store: &Store,
    revert: &Commit<'_>,
    target: &Revision,
    source: &Revision,
) -> Result<bool, GitError> {
    let failed = || GitError::doing(format!("cannot read commit {}", revert.id()));
    let after = revert.tree().map_err(failed())?;
    let before = revert.parent(0).and_then(|parent| parent.tree()).map_err(failed())?;
    let (own, wanted) = (store.tree(target)?, store.tree(source)?);
    let changes = tree::changes(&store.repository, Some(&before), Some(&after), Renames::Ignored)?;
    let differs = |path: &str| tree::entry(Some(&own), path) != tree::entry(Some(&wanted), path);
    Ok(tree::paths(&changes).into_iter().any(differs))
}

/// Undoes reverts on top of a commit, the newest first, and gives the last commit; no ref is moved.
///
/// # Errors
///
/// [`GitError::CannotReinstate`] if later work stands in the way.
pub(super) fn reinstate(
    store: &Store,
    tip: &Revision,
    reverts: &[Revision],
    by: &Identity,
) -> Result<Revision, GitError> {
    let mut tip = tip.clone();
    for revert in reverts {
        tip = undo(store, &tip, revert, by)?;
    }
    Ok(tip)
}

fn undo(store: &Store, tip: &Revision, revert: &Revision, by: &Identity) -> Result<Revision, GitError> {
    let repository = &store.repository;
    let failed = || GitError::doing(format!("cannot undo the revert {}", revert.short()));
    let commit = repository.find_commit(revert.oid()).map_err(failed())?;
    let (base, before) = (
        commit.tree().map_err(failed())?,
        commit.parent(0).and_then(|parent| parent.tree()).map_err(failed())?,
    );
    let own = store.tree(tip)?;
    let mut index = repository.merge_trees(&base, &own, &before, None).map_err(failed())?;
    if index.has_conflicts() {
        let conflicts = index.conflicts().map_err(failed())?;
        let path = |conflict: git2::IndexConflict| {
            let side = conflict.our.or(conflict.their).or(conflict.ancestor)?;
            Some(name::shown(&side.path))
        };
        let paths = conflicts.filter_map(Result::ok).filter_map(path).collect();
        return Err(GitError::CannotReinstate { commit: revert.to_string(), paths });
    }
    let tree = index.write_tree_to(repository).map_err(failed())?;
    let subject = commit.summary().ok().flatten().unwrap_or_default().to_owned();
    let message = CommitMessage {
        subject: format!("Reinstate what was taken back: {subject}"),
        body: format!("This reverts commit {revert}."),
        trailers: vec![(REINSTATES.to_owned(), revert.to_string())],
    };
    let made = commit::commit(store, &tree.into(), &[tip], &message, by)?;
    store.show(&made)?;
    Ok(made)
}
