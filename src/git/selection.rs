//! A part of the source that is promoted before the rest: some paths, or some commits.
//!
//! Commits are picked onto the merge base, in memory, so that a part is merged like any other source. A later
//! merge has to know what the target has already, because the common commit does not: its base is that commit
//! with every part applied to it ([`with_selected`]). So the parts and the rest give what the whole would have.

use std::collections::BTreeSet;

use git2::{MergeOptions, Oid, Sort};

use super::base;
use super::commit::{self, CommitMessage};
use super::error::GitError;
use super::history::{Span, describe};
use super::loss::Sides;
use super::merge::MergeRequest;
use super::protect::Protection;
use super::revision::Revision;
use super::store::Store;
use super::tree::{self, Edits, Renames};
use crate::model::finding::Finding;

/// What was promoted of a source, and not the whole of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selected {
    /// The source's tip at that time.
    pub source: Revision,
    /// Paths that were chosen.
    pub paths: Vec<String>,
    /// Commits that were chosen.
    pub commits: Vec<Revision>,
}

/// The chosen part of a source, as a commit on the merge base.
pub(super) struct Part {
    pub(super) tip: Revision,
    pub(super) findings: Vec<Finding>,
}

/// The paths that a merge is confined to.
pub(super) struct Only(Option<Protection>);

impl Only {
    /// With commits nothing is left to confine: the part holds the paths as well.
    pub(super) fn of(request: &MergeRequest<'_>) -> Result<Self, GitError> {
        let confined = !request.only.is_empty() && request.only_commits.is_empty();
        Ok(Self(if confined { Some(chosen(request.only)?) } else { None }))
    }

    /// What a target without any commit gets; there commits stand on nothing.
    pub(super) fn first(request: &MergeRequest<'_>) -> Result<Self, GitError> {
        match request.only_commits.first() {
            Some(commit) => Err(cannot(commit, "the target has no commit that it could be put on")),
            None => Self::of(request),
        }
    }

    pub(super) fn covers(&self, path: &str) -> bool {
        self.0.as_ref().is_none_or(|chosen| chosen.covers(path))
    }

    /// Takes of a result only what was chosen; a renamed file is chosen on both paths.
    pub(super) fn confine<'a>(&self, sides: Sides<'a>) -> Result<Sides<'a>, GitError> {
        let Some(chosen) = &self.0 else { return Ok(sides) };
        let (target, result) = (&sides.target, &sides.result);
        let edits = edits(sides.repository, target, result, chosen)?;
        let tree = tree::edited(sides.repository, target.id(), &edits)?;
        sides.with_result(tree)
    }
}

/// Names the words of `--only` that choose no file of either side.
pub(super) fn unmatched(
    store: &Store,
    words: &[String],
    sides: [&git2::Tree<'_>; 2],
) -> Result<Vec<Finding>, GitError> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let files = |tree| tree::files(&store.repository, tree);
    let [target, source] = [files(sides[0])?, files(sides[1])?];
    let mut findings = Vec::new();
    for word in words {
        let chosen = chosen(std::slice::from_ref(word))?;
        if !source.keys().chain(target.keys()).any(|path| chosen.covers(path)) {
            let finding = Finding::warning("matches-nothing", format!("`--only {word}` matches nothing"));
            findings.push(finding.hint("name a file, a folder or a pattern of the source, from its root"));
        }
    }
    Ok(findings)
}

/// Compiles the words of `--only`: paths from the root, folders with all below, patterns.
fn chosen(paths: &[String]) -> Result<Protection, GitError> {
    let rooted: Vec<String> = paths
        .iter()
        .map(|path| format!("/{}", path.trim_start_matches("./").trim_start_matches('/')))
        .collect();
    Protection::new(&rooted)
}

/// Gives the edits that bring the chosen paths from one tree to another's state.
fn edits(
    repository: &git2::Repository,
    before: &git2::Tree<'_>,
    after: &git2::Tree<'_>,
    chosen: &Protection,
) -> Result<Edits, GitError> {
    let mut edits = Edits::new();
    for change in tree::changes(repository, Some(before), Some(after), Renames::Followed)? {
        if change.sides().any(|side| chosen.covers(&side.path)) {
            edits.extend(change.old.map(|old| (old.path, None)));
            edits.extend(change.new.map(|new| (new.path, Some(new.entry))));
        }
    }
    Ok(edits)
}

/// Makes the base's tree with every part that the target has; nothing where that is no other tree.
pub(super) fn with_selected(
    store: &Store,
    base: Oid,
    selected: &[Selected],
) -> Result<Option<Oid>, GitError> {
    let before = store.tree(&base.into())?.id();
    let mut tree = before;
    for part in selected.iter().filter(|part| store.has(&part.source)) {
        if store.contains(&base.into(), &part.source)? {
            continue;
        }
        for commit in part.commits.iter().filter(|commit| store.has(commit)) {
            // What stood in the way of nothing then and does now came some other way in between.
            tree = picked(store, tree, commit)?.unwrap_or(tree);
        }
        tree = with_paths(store, tree, &part.source, &part.paths)?;
    }
    if tree == before {
        return Ok(None);
    }
    store.show(&tree.into())?;
    Ok(Some(tree))
}

fn with_paths(store: &Store, onto: Oid, source: &Revision, paths: &[String]) -> Result<Oid, GitError> {
    if paths.is_empty() {
        return Ok(onto);
    }
    let (before, after) = (store.tree(&onto.into())?, store.tree(source)?);
    let edits = edits(&store.repository, &before, &after, &chosen(paths)?)?;
    tree::edited(&store.repository, onto, &edits)
}

/// Makes the chosen commits a source of its own; nothing where no commit was chosen.
///
/// Effects: writes one commit on the base, which nothing refers to.
///
/// # Errors
///
/// [`GitError::CannotPick`] for a commit that is not the source's, is a merge, or needs another one.
pub(super) fn part(
    store: &Store,
    target: &Revision,
    (base, base_tree): (Option<Oid>, Option<Oid>),
    request: &MergeRequest<'_>,
) -> Result<Option<Part>, GitError> {
    let Some(first) = request.only_commits.first() else { return Ok(None) };
    let base = base.ok_or_else(|| cannot(first, "source and target have no commit in common"))?;
    let mut tree = match base_tree {
        Some(tree) => tree,
        None => store.tree(&base.into())?.id(),
    };
    let mut findings = Vec::new();
    let mut wanted = BTreeSet::new();
    for commit in request.only_commits {
        if store.contains(target, commit)? || store.contains(&base.into(), commit)? {
            let message = format!("the target has commit {} already", commit.short());
            findings.push(Finding::warning("matches-nothing", message));
        } else {
            wanted.insert(commit.oid());
        }
    }
    for commit in in_order(store, request.source, base, &wanted)? {
        let commit = Revision::from(commit);
        tree = picked(store, tree, &commit)?.map_or_else(|| Err(needs(store, &commit, base, &wanted)), Ok)?;
    }
    tree = with_paths(store, tree, request.source, request.only)?;
    let message = CommitMessage {
        subject: "A part of the source".to_owned(),
        body: String::new(),
        trailers: Vec::new(),
    };
    let tip = commit::commit(store, &tree.into(), &[&base.into()], &message, request.by)?;
    store.show(&tip)?;
    Ok(Some(Part { tip, findings }))
}

/// Sorts the wanted commits as the source has them, the oldest first.
fn in_order(
    store: &Store,
    source: &Revision,
    base: Oid,
    wanted: &BTreeSet<Oid>,
) -> Result<Vec<Oid>, GitError> {
    let walk = || {
        let mut walk = store.repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
        walk.push(source.oid())?;
        walk.hide(base)?;
        Ok(walk)
    };
    let walk = walk().map_err(GitError::doing("cannot walk the source's history"))?;
    let sorted: Vec<Oid> = walk.filter_map(Result::ok).filter(|oid| wanted.contains(oid)).collect();
    match wanted.iter().find(|oid| !sorted.contains(oid)) {
        Some(foreign) => Err(cannot(&(*foreign).into(), "the source does not have it")),
        None => Ok(sorted),
    }
}

/// Puts a commit's change onto a tree; nothing where that is not possible without another commit's.
fn picked(store: &Store, onto: Oid, commit: &Revision) -> Result<Option<Oid>, GitError> {
    let repository = &store.repository;
    let failed = || GitError::doing(format!("cannot pick commit {}", commit.short()));
    let found = repository.find_commit(commit.oid()).map_err(failed())?;
    if found.parent_count() > 1 {
        return Err(cannot(commit, "it is a merge: name the commits that it merged"));
    }
    let before = match found.parent(0) {
        Ok(parent) => parent.tree_id(),
        Err(_) => tree::empty(repository)?,
    };
    if before == onto {
        return Ok(Some(found.tree_id()));
    }
    let tree = |oid| repository.find_tree(oid).map_err(failed());
    let (before, onto, after) = (tree(before)?, tree(onto)?, tree(found.tree_id())?);
    let mut options = MergeOptions::new();
    options.find_renames(true).target_limit(7000);
    let mut index = repository.merge_trees(&before, &onto, &after, Some(&options)).map_err(failed())?;
    if index.has_conflicts() {
        return Ok(None);
    }
    index.write_tree_to(repository).map_err(failed()).map(Some)
}

/// Names the commits that a commit needs: those before it that changed the same files and were not chosen.
fn needs(store: &Store, commit: &Revision, base: Oid, chosen: &BTreeSet<Oid>) -> GitError {
    let repository = &store.repository;
    let touched = |oid: Oid| -> BTreeSet<String> {
        let commit = repository.find_commit(oid).ok();
        let deeds = commit.and_then(|commit| tree::deeds(repository, &commit).ok()).unwrap_or_default();
        tree::paths(&deeds).into_iter().map(str::to_owned).collect()
    };
    let own = touched(commit.oid());
    let span = Span::new(repository, Some(base), commit.oid());
    let before = span.commits().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let others = before.iter().map(git2::Commit::id).filter(|oid| !chosen.contains(oid));
    let needed = others.filter(|oid| !touched(*oid).is_disjoint(&own));
    let words: Vec<String> = needed
        .filter_map(|oid| describe(repository, oid))
        .map(|by| format!("{} ({})", by.commit.get(..7).unwrap_or_default(), by.subject))
        .collect();
    let why = match words.as_slice() {
        [] => "what it changes is otherwise there".to_owned(),
        [one] => format!("it needs {one}"),
        more => format!("it needs some of {}", more.join(", ")),
    };
    GitError::CannotPick { commit: commit.to_string(), why }
}

fn cannot(commit: &Revision, why: &str) -> GitError {
    GitError::CannotPick { commit: commit.to_string(), why: why.to_owned() }
}

/// Lists the paths that the source changed since the common commit and that the target has not got as a part.
///
/// Shape: of a renamed file both paths; everything where the histories are unrelated.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing.
pub fn pending(
    store: &Store,
    target: &Revision,
    source: &Revision,
    selected: &[Selected],
) -> Result<BTreeSet<String>, GitError> {
    let base = base::common(store, target, source)?;
    let before = match base {
        Some(base) => Some(with_selected(store, base, selected)?.unwrap_or(store.tree(&base.into())?.id())),
        None => None,
    };
    let before = before.map(|oid| store.tree(&oid.into())).transpose()?;
    let after = store.tree(source)?;
    let changes = tree::changes(&store.repository, before.as_ref(), Some(&after), Renames::Ignored)?;
    Ok(tree::paths(&changes).into_iter().map(str::to_owned).collect())
}
