//! The second opinion: the library merges what both sides touched, and each file that it merges otherwise is named.
//!
//! In: a task, and then Git's own attempt. Out: findings. What only one side touched has one possible result, so
//! it is left out: the trees that the library gets hold the disputed files and nothing else, and what it costs
//! goes by those and not by the size of the project. Start at [`Opinion`].

use std::collections::BTreeSet;

use git2::{Oid, Tree};

use super::engine::{Attempt, Favour, Task, by_library, merge_trees};
use super::error::GitError;
use super::revision::Revision;
use super::tree::{self, Change, Comparisons, Edits, Renames};
use crate::model::finding::Finding;
use crate::model::origin::Place;

/// The trees that a merge starts from.
struct Trees<'a> {
    base: Option<Tree<'a>>,
    target: Tree<'a>,
    source: Tree<'a>,
}

/// What the library makes of what both sides touched.
pub(super) struct Opinion {
    disputed: BTreeSet<String>,
    /// Nothing where nothing is disputed.
    library: Option<Attempt>,
}

impl Opinion {
    /// Asks the library.
    pub(super) fn of(task: &Task<'_>) -> Result<Self, GitError> {
        let trees = Trees::of(task)?;
        let disputed = trees.disputed(&task.compared)?;
        let library = if disputed.is_empty() { None } else { Some(attempt(task, &trees, &disputed)?) };
        Ok(Self { disputed, library })
    }

    /// Names the files that both sides touched and that the library merges otherwise than Git did.
    pub(super) fn differences(self, task: &Task<'_>, git: &Attempt) -> Result<Vec<Finding>, GitError> {
        let Some(library) = self.library else { return Ok(Vec::new()) };
        let repository = &task.store.repository;
        let paths = |attempt: &Attempt| -> BTreeSet<String> {
            attempt.clashes.iter().flat_map(|clash| clash.paths.iter().cloned()).collect()
        };
        let (unsure, conflicts) = (paths(&library), paths(git));
        let tree = |oid| repository.find_tree(oid).map_err(GitError::doing("cannot read a merged tree"));
        let (ours, theirs) = (tree(library.tree)?, tree(git.tree)?);
        let compared = &task.compared;
        let differs =
            |path: &String| compared.entry(Some(&ours), path) != compared.entry(Some(&theirs), path);
        let told = |path: String| {
            let what = if unsure.contains(&path) { "sees a conflict there" } else { "merges it differently" };
            Finding::warning("engines-differ", format!("`{path}` is as Git merges it; libgit2 {what}"))
                .at(Place::file(path))
        };
        let differing = self
            .disputed
            .into_iter()
            .filter(|path| !conflicts.contains(path) && (unsure.contains(path) || differs(path)));
        Ok(differing.map(told).collect())
    }
}

/// Lets the library merge: the disputed files, or everything where the base is a merge of its own.
fn attempt(task: &Task<'_>, trees: &Trees<'_>, disputed: &BTreeSet<String>) -> Result<Attempt, GitError> {
    if has_many_bases(task)? {
        return by_library(task, Favour::Asked);
    }
    let repository = &task.store.repository;
    let part = |tree: Option<&Tree<'_>>| -> Result<Oid, GitError> {
        let edits: Edits =
            disputed.iter().map(|path| (path.clone(), task.compared.entry(tree, path))).collect();
        tree::edited(repository, tree::empty(repository)?, &edits)
    };
    let parts = [part(trees.base.as_ref())?, part(Some(&trees.target))?, part(Some(&trees.source))?];
    merge_trees(task, Favour::Asked, parts)
}

/// Whether the base is a merge of its own.
pub(super) fn has_many_bases(task: &Task<'_>) -> Result<bool, GitError> {
    if task.base_tree.is_some() || task.base.is_none() {
        return Ok(false);
    }
    let found = task.store.repository.merge_bases(task.target, task.source);
    found.map(|bases| bases.len() > 1).map_err(GitError::doing("cannot find the merge base"))
}

impl<'a> Trees<'a> {
    fn of(task: &Task<'a>) -> Result<Self, GitError> {
        let tree = |oid: Oid| task.store.tree(&Revision::from(oid));
        let base = task.base_tree.or(task.base).map(tree).transpose()?;
        Ok(Self { base, target: tree(task.target)?, source: tree(task.source)? })
    }

    /// Lists what both sides touched, with the other name of what one of them renamed.
    fn disputed(&self, compared: &Comparisons<'_>) -> Result<BTreeSet<String>, GitError> {
        let changes = |side| compared.changes(self.base.as_ref(), side, Renames::Followed);
        let (target, source) = (changes(&self.target)?, changes(&self.source)?);
        let (ours, theirs) = (tree::paths(&target), tree::paths(&source));
        let same =
            |path: &str| compared.entry(Some(&self.target), path) == compared.entry(Some(&self.source), path);
        let both: BTreeSet<&str> = ours.intersection(&theirs).copied().collect();
        let renamed: Vec<[&str; 2]> = target.iter().chain(&*source).filter_map(Change::renamed).collect();
        let mut disputed: BTreeSet<&str> = both
            .iter()
            .copied()
            .filter(|path| !same(path) || renamed.iter().any(|names| names.contains(path)))
            .collect();
        disputed
            .extend(renamed.iter().filter(|names| names.iter().any(|name| both.contains(name))).flatten());
        Ok(disputed.into_iter().map(str::to_owned).collect())
    }
}
