//! How a promotion that somebody else merges is found again: merged, squashed or rebased.

use git2::{Commit, Oid};

use super::error::GitError;
use super::revision::Revision;
use super::store::Store;

/// How many commits of the target are looked through.
const LIMIT: usize = 500;

/// A promotion that waited in a branch of its own.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// The target's tip when it was made.
    pub before: &'a Revision,
    /// Its commit; it need not be in the store.
    pub commit: &'a Revision,
    /// The tree of that.
    pub tree: &'a Revision,
    /// The plan's id, which its trailer names.
    pub plan_id: &'a str,
}

/// Where a promotion came into the target.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Landing {
    /// The commit of the target that brought the last of it.
    pub commit: Revision,
    /// The target before the first of it.
    pub before: Revision,
    /// The tree of the commit.
    pub tree: Revision,
}

/// Looks for a promotion in what came into the target since.
///
/// Shape: merged, where the target's past holds its commit; squashed or rebased, where a commit of the target has the
/// tree that merging it would have given; else where a message names its plan. The oldest such commit counts.
/// Effects: merged trees are written into the store: give a speculative one.
///
/// # Errors
///
/// [`GitError::Library`] if the history cannot be read.
pub fn landing(store: &Store, tip: &Revision, sought: Sought<'_>) -> Result<Option<Landing>, GitError> {
    let failed = || GitError::doing("cannot look for a merged promotion");
    let Some(states) = states(store, tip, sought.before) else { return Ok(None) };
    let found = |before: &Commit<'_>, commit: &Commit<'_>| Landing {
        commit: commit.id().into(),
        before: before.id().into(),
        tree: commit.tree_id().into(),
    };
    let pairs = || states.iter().zip(states.iter().skip(1));
    if store.has(sought.commit) && store.contains(tip, sought.commit)? {
        for (before, commit) in pairs() {
            if store.contains(&commit.id().into(), sought.commit)? {
                return Ok(Some(found(before, commit)));
            }
        }
    }
    for (index, before) in states.iter().enumerate() {
        let Some(expected) = merged(store, before, sought).map_err(failed())? else { continue };
        let after = states.iter().skip(index + 1).find(|commit| commit.tree_id() == expected);
        if let Some(after) = after.filter(|_| expected != before.tree_id()) {
            return Ok(Some(found(before, after)));
        }
    }
    let named = pairs().find(|(_, commit)| names(commit, sought.plan_id));
    Ok(named.map(|(before, commit)| found(before, commit)))
}

/// Lists the promotions into an environment that a branch names in its commits, the newest first.
///
/// Shape: along first parents, as far back as the given commit or what is looked through; each with its plan's id.
pub fn named_promotions(
    store: &Store,
    tip: &Revision,
    since: Option<&Revision>,
    to: &str,
) -> Vec<(Revision, String)> {
    let before = |commit: &Commit<'_>| since.is_none_or(|since| since.oid() != commit.id());
    let named = |commit: Commit<'_>| {
        trailers(&commit, "Promote-To").first().filter(|name| *name == to)?;
        Some((commit.id().into(), trailers(&commit, "Promote-Plan").into_iter().next()?))
    };
    line(store, tip).take_while(before).filter_map(named).collect()
}

/// Walks a branch along first parents, the newest first, as far back as is looked.
fn line<'s>(store: &'s Store, tip: &Revision) -> impl Iterator<Item = Commit<'s>> + use<'s> {
    let newest = store.repository.find_commit(tip.oid()).ok();
    std::iter::successors(newest, |commit| commit.parent(0).ok()).take(LIMIT)
}

/// Lists the target's states since a commit, that first, along first parents; nothing where it is not in them.
fn states<'a>(store: &'a Store, tip: &Revision, since: &Revision) -> Option<Vec<Commit<'a>>> {
    let mut states = Vec::new();
    for commit in line(store, tip) {
        let last = commit.id() == since.oid();
        states.push(commit);
        if last {
            states.reverse();
            return Some(states);
        }
    }
    None
}

/// Gives the tree that merging the promotion into a state of the target gives; nothing where that is not known.
fn merged(store: &Store, state: &Commit<'_>, sought: Sought<'_>) -> Result<Option<Oid>, git2::Error> {
    if state.id() == sought.before.oid() {
        return Ok(Some(sought.tree.oid()));
    }
    let Ok(commit) = store.repository.find_commit(sought.commit.oid()) else { return Ok(None) };
    let mut index = store.repository.merge_commits(state, &commit, None)?;
    if index.has_conflicts() { Ok(None) } else { index.write_tree_to(&store.repository).map(Some) }
}

/// Whether a message holds the trailer of a plan.
fn names(commit: &Commit<'_>, plan_id: &str) -> bool {
    trailers(commit, "Promote-Plan").iter().any(|id| id == plan_id)
}

/// Lists what a message says under a trailer's key, wherever a forge has put it.
fn trailers(commit: &Commit<'_>, key: &str) -> Vec<String> {
    let message = String::from_utf8_lossy(commit.message_bytes());
    let said = |line: &str| Some(line.trim().strip_prefix(key)?.strip_prefix(": ")?.trim().to_owned());
    message.lines().filter_map(said).collect()
}
