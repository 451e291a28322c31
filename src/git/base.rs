//! The base of a merge: the common commit, one that somebody named, or one that is guessed.

use std::collections::BTreeMap;

use git2::{ErrorCode, Oid, Sort};

use super::error::GitError;
use super::revision::Revision;
use super::store::Store;
use super::tree::{self, Entry, Renames};

/// How many commits of the source are looked at for a base.
const LIMIT: usize = 20_000;

/// A commit of the source that resembles a target of another history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resemblance {
    /// The commit.
    pub commit: Revision,
    /// Files that both have, the same at the same path.
    pub shared: usize,
    /// Files of the target.
    pub of: usize,
}

/// Finds the merge base; nothing for unrelated histories.
pub(super) fn common(store: &Store, target: &Revision, source: &Revision) -> Result<Option<Oid>, GitError> {
    match store.repository.merge_base(target.oid(), source.oid()) {
        Ok(base) => Ok(Some(base)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(GitError::doing("cannot find the merge base")(error)),
    }
}

/// Makes a base's tree with some paths as the target has them, so that a merge takes the source's there.
pub(super) fn as_in_target(
    store: &Store,
    base: Oid,
    target: &git2::Tree<'_>,
    paths: &[String],
) -> Result<Oid, GitError> {
    let edits = paths.iter().map(|path| (path.clone(), tree::entry(Some(target), path))).collect();
    let tree = tree::edited(&store.repository, store.tree(&base.into())?.id(), &edits)?;
    store.show(&tree.into())?;
    Ok(tree)
}

/// A commit of the source that the target has as one commit of its own: promoted, but squashed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Squashed {
    /// The source's commit.
    pub source: Revision,
    /// The target's.
    pub target: Revision,
}

/// Finds the newest commit of the source that the target has under another id, with the same tree.
pub(super) fn squashed(
    store: &Store,
    target: &Revision,
    source: &Revision,
) -> Result<Option<Squashed>, GitError> {
    let Some(common) = common(store, target, source)? else { return Ok(None) };
    // A tree that both had before says nothing.
    let before = store.tree(&common.into())?.id();
    let only = |tip: &Revision, other: &Revision| -> Result<Vec<(Oid, Oid)>, GitError> {
        let walk = || {
            let mut walk = store.repository.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
            walk.push(tip.oid())?;
            walk.hide(other.oid())?;
            Ok(walk)
        };
        let walk = walk().map_err(GitError::doing("cannot walk the history"))?;
        let commits = walk.filter_map(Result::ok).take(LIMIT);
        let commits = commits.filter_map(|oid| store.repository.find_commit(oid).ok());
        Ok(commits.map(|commit| (commit.tree_id(), commit.id())).collect())
    };
    let theirs: BTreeMap<Oid, Oid> = only(target, source)?.into_iter().rev().collect();
    let mut own = only(source, target)?.into_iter().filter(|(tree, _)| *tree != before);
    Ok(own.find_map(|(tree, source)| {
        Some(Squashed { source: source.into(), target: (*theirs.get(&tree)?).into() })
    }))
}

/// Finds the source's commit whose files most resemble the target's.
///
/// Shape: the newest of those that differ in the fewest files; nothing where no file is the same.
/// Effects: walks the source's first parents, comparing neighbours only.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing.
pub fn resemblance(
    store: &Store,
    target: &Revision,
    source: &Revision,
) -> Result<Option<Resemblance>, GitError> {
    let wanted = tree::files(&store.repository, &store.tree(target)?)?;
    let failed = || GitError::doing("cannot walk the source's history");
    let mut commit = store.repository.find_commit(source.oid()).map_err(failed())?;
    let mut tree = commit.tree().map_err(failed())?;
    let mut score = Score::of(&wanted, &tree::files(&store.repository, &tree)?);
    let mut best = (score.clone(), commit.id());
    for _ in 0..LIMIT {
        let Ok(parent) = commit.parent(0) else { break };
        let before = parent.tree().map_err(failed())?;
        for change in tree::changes(&store.repository, Some(&tree), Some(&before), Renames::Ignored)? {
            score.moved(&wanted, &change);
        }
        if score.differ() < best.0.differ() {
            best = (score.clone(), parent.id());
        }
        (commit, tree) = (parent, before);
    }
    let (score, commit) = best;
    let found = Resemblance { commit: commit.into(), shared: score.shared, of: wanted.len() };
    Ok((found.shared > 0).then_some(found))
}

/// How a commit's files compare with the target's.
#[derive(Clone, Debug)]
struct Score {
    shared: usize,
    own: usize,
    wanted: usize,
}

impl Score {
    fn of(wanted: &BTreeMap<String, Entry>, files: &BTreeMap<String, Entry>) -> Self {
        let same =
            |(path, entry): (&String, &Entry)| wanted.get(path).is_some_and(|other| other.oid == entry.oid);
        let shared = files.iter().filter(|file| same(*file)).count();
        Self { shared, own: files.len(), wanted: wanted.len() }
    }

    /// Follows one change on the way to an older commit.
    fn moved(&mut self, wanted: &BTreeMap<String, Entry>, change: &tree::Change) {
        let same =
            |side: &tree::Located| wanted.get(&side.path).is_some_and(|other| other.oid == side.entry.oid);
        if let Some(newer) = &change.old {
            self.own -= 1;
            self.shared -= usize::from(same(newer));
        }
        if let Some(older) = &change.new {
            self.own += 1;
            self.shared += usize::from(same(older));
        }
    }

    /// Counts the files that only one of the two has, changed ones twice.
    fn differ(&self) -> usize {
        self.own + self.wanted - 2 * self.shared
    }
}
