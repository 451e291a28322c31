//! The base of a merge: the common commit, one that somebody named, or one that is guessed.

use std::cmp::Ordering;
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
    /// Files that both have with the same content, wherever these lie.
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
/// Shape: of those that differ in the fewest files, wherever these lie, one that has most of them at the same paths, then
/// one that differs in the fewest lines, then the oldest: what is newer than the base is promoted, and what is older
/// counts as known. Nothing where no file is the same.
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
    let own = store.tree(target)?;
    let wanted = tree::files(&store.repository, &own)?;
    let failed = || GitError::doing("cannot walk the source's history");
    let mut commit = store.repository.find_commit(source.oid()).map_err(failed())?;
    let mut tree = commit.tree().map_err(failed())?;
    let mut score = Score::of(&wanted, &tree::files(&store.repository, &tree)?);
    let mut best = (score.rank(), score.shared, vec![(commit.id(), tree.id())]);
    for _ in 0..LIMIT {
        let Ok(parent) = commit.parent(0) else { break };
        let before = parent.tree().map_err(failed())?;
        for change in tree::changes(&store.repository, Some(&tree), Some(&before), Renames::Ignored)? {
            score.moved(&wanted, &change);
        }
        (commit, tree) = (parent, before);
        match score.rank().cmp(&best.0) {
            Ordering::Less => best = (score.rank(), score.shared, vec![(commit.id(), tree.id())]),
            Ordering::Equal => best.2.push((commit.id(), tree.id())),
            Ordering::Greater => {}
        }
    }
    let (_, shared, equals) = best;
    if shared == 0 {
        return Ok(None);
    }
    let commit = nearest(store, &own, &equals)?;
    Ok(Some(Resemblance { commit: commit.into(), shared, of: wanted.len() }))
}

/// How many equally good commits are compared line by line.
const EQUALS: usize = 100;

/// Finds the commit that differs in the fewest lines, the oldest of several; the commits are the newest first.
fn nearest(store: &Store, target: &git2::Tree<'_>, equals: &[(Oid, Oid)]) -> Result<Oid, GitError> {
    let mut known: BTreeMap<Oid, u64> = BTreeMap::new();
    let mut best: Option<(u64, Oid)> = None;
    for (commit, tree) in equals.iter().rev().take(EQUALS) {
        let distance = match known.get(tree) {
            Some(known) => *known,
            None => distance(store, target, &store.tree(&(*tree).into())?)?,
        };
        known.insert(*tree, distance);
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, *commit));
        }
    }
    Ok(best.map_or_else(|| equals[0].0, |(_, commit)| commit))
}

/// Counts the lines in which two trees differ.
fn distance(store: &Store, one: &git2::Tree<'_>, other: &git2::Tree<'_>) -> Result<u64, GitError> {
    let repository = &store.repository;
    let text = |side: &Option<tree::Located>| match side {
        Some(side) => tree::bytes(repository, side.entry),
        None => Ok(Vec::new()),
    };
    let mut lines = 0;
    for change in tree::changes(repository, Some(one), Some(other), Renames::Followed)? {
        let (added, removed) = super::lines::counts(&text(&change.old)?, &text(&change.new)?)?;
        lines += u64::from(added) + u64::from(removed);
    }
    Ok(lines)
}

/// How a commit's files compare with the target's.
struct Score {
    /// Files of the target whose content is there, at whatever path.
    shared: usize,
    /// Those of them that are at the same path.
    placed: usize,
    own: usize,
    wanted: usize,
    /// How often each content is wanted, and is there.
    contents: BTreeMap<Oid, (usize, usize)>,
}

impl Score {
    fn of(wanted: &BTreeMap<String, Entry>, files: &BTreeMap<String, Entry>) -> Self {
        let mut contents: BTreeMap<Oid, (usize, usize)> = BTreeMap::new();
        for entry in wanted.values() {
            contents.entry(entry.oid).or_default().0 += 1;
        }
        let mut score = Self { shared: 0, placed: 0, own: 0, wanted: wanted.len(), contents };
        for (path, entry) in files {
            score.comes(wanted, path, *entry);
        }
        score
    }

    /// Follows one change on the way to an older commit.
    fn moved(&mut self, wanted: &BTreeMap<String, Entry>, change: &tree::Change) {
        if let Some(newer) = &change.old {
            self.goes(wanted, &newer.path, newer.entry);
        }
        if let Some(older) = &change.new {
            self.comes(wanted, &older.path, older.entry);
        }
    }

    fn comes(&mut self, wanted: &BTreeMap<String, Entry>, path: &str, entry: Entry) {
        let (wants, has) = self.contents.entry(entry.oid).or_default();
        self.shared += usize::from(has < wants);
        *has += 1;
        self.own += 1;
        self.placed += usize::from(wanted.get(path).is_some_and(|other| other.oid == entry.oid));
    }

    fn goes(&mut self, wanted: &BTreeMap<String, Entry>, path: &str, entry: Entry) {
        let (wants, has) = self.contents.entry(entry.oid).or_default();
        self.shared -= usize::from(has <= wants);
        *has -= 1;
        self.own -= 1;
        self.placed -= usize::from(wanted.get(path).is_some_and(|other| other.oid == entry.oid));
    }

    /// Orders commits, the best first: the files that only one of the two has, changed ones twice; then those that
    /// lie elsewhere.
    fn rank(&self) -> (usize, usize) {
        (self.own + self.wanted - 2 * self.shared, self.wanted - self.placed)
    }
}
