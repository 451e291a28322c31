//! The merge of two workspaces: one tree, and everything that a reviewer needs to know about it.
//!
//! In: two commits and what was said about preference, protection, losses and conflicts. Out: a
//! [`Merged`]. No ref and no work tree is touched. Start at [`merge`].

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use git2::Oid;

use super::arrival;
use super::base::{self, Squashed};
use super::brought::Brought;
use super::conflict::{self, Settlement};
use super::engine::{self, Attempt, Task, Verdict};
use super::error::GitError;
use super::history::Span;
use super::keep;
use super::lfs::Pointer;
use super::loss::{self, Sides};
use super::own::is_below;
use super::program::GitProgram;
use super::protect::{self, ProtectKeys, Protection};
use super::reverted;
use super::revision::{Identity, Revision};
use super::selection::{self, Only, Selected};
use super::selector::{Selector, selector_of};
use super::store::Store;
use super::structure::{Side, Structured, Wish, structured};
use super::submodule::Submodules;
use super::tree::{self, Comparisons, Edits, Renames};
use crate::model::finding::Finding;
use crate::model::merge::{Conflict, Kept, Loss, LossKind, Merge, Protected, Resolution};
use crate::model::project::Prefer;

/// Whether histories that have nothing in common may be merged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Unrelated {
    /// Only where the target is empty.
    #[default]
    Refused,
    /// Somebody said so.
    Allowed,
}

/// What is merged, and what was said about it.
pub struct MergeRequest<'a> {
    /// The source's tip.
    pub source: &'a Revision,
    /// The target's tip; nothing for a branch that is not there yet.
    pub target: Option<&'a Revision>,
    /// Who wins a conflicting hunk.
    pub prefer: Prefer,
    /// Whether unrelated histories may be merged.
    pub unrelated: Unrelated,
    /// Patterns of paths that the target keeps as its own.
    pub protected_paths: &'a [String],
    /// The project file, for `protect_keys`.
    pub project_file: Option<&'a str>,
    /// Keeps the target's values of protected keys.
    pub protect_keys: Option<&'a ProtectKeys<'a>>,
    /// Patterns of YAML files that merge by structure.
    pub structural: &'a [String],
    /// Words of `--accept-loss`.
    pub accept_losses: &'a [String],
    /// Words of `--keep`.
    pub keep: &'a [String],
    /// `--resolve`, by path.
    pub resolve: &'a BTreeMap<String, Resolution>,
    /// Conflicts that always go one way: patterns of paths, and the side.
    pub always: &'a [(String, Resolution)],
    /// Paths to which the merge is confined (`--only`); empty, and no commits: everything.
    pub only: &'a [String],
    /// Commits of the source to which it is confined (`--only-commit`), beside the paths.
    pub only_commits: &'a [Revision],
    /// What was promoted of the source since the common commit, and not the whole of it.
    pub selected: &'a [Selected],
    /// A commit of the target that is one of the source's squashed, as it is known from its record.
    pub squashed: Option<&'a Squashed>,
    /// A base for histories that have no commit in common.
    pub base: Option<&'a Revision>,
    /// Paths that the target took back without a revert, and that come again.
    pub again: &'a [String],
    /// Reverts in the target that are undone first, the newest first.
    pub reinstate: &'a [Revision],
    /// Reverts in the source that are undone first, the newest first: what they took back stays in the target.
    pub spare: &'a [Revision],
    /// Who undoes them.
    pub by: &'a Identity,
    /// The `git` program, for the second opinion.
    pub program: Option<&'a GitProgram>,
    /// Set from outside to stop.
    pub interrupt: &'a AtomicBool,
}

/// No conflict is settled.
static UNSETTLED: BTreeMap<String, Resolution> = BTreeMap::new();

impl<'a> MergeRequest<'a> {
    /// Asks for a merge of which nothing is said: the source is preferred, all of it comes.
    pub fn plain(
        source: &'a Revision,
        target: &'a Revision,
        by: &'a Identity,
        (program, interrupt): (Option<&'a GitProgram>, &'a AtomicBool),
    ) -> Self {
        Self {
            source,
            target: Some(target),
            prefer: Prefer::Source,
            unrelated: Unrelated::Refused,
            protected_paths: &[],
            project_file: None,
            protect_keys: None,
            structural: &[],
            accept_losses: &[],
            keep: &[],
            resolve: &UNSETTLED,
            always: &[],
            only: &[],
            only_commits: &[],
            selected: &[],
            squashed: None,
            base: None,
            again: &[],
            reinstate: &[],
            spare: &[],
            by,
            program,
            interrupt,
        }
    }

    /// Whether only a part of the source is wanted.
    pub(super) fn is_partial(&self) -> bool {
        !self.only.is_empty() || !self.only_commits.is_empty()
    }
}

/// What a merge comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// What a reviewer needs to know.
    pub merge: Merge,
    /// The merged tree; nothing while a conflict is not settled.
    pub tree: Option<Revision>,
    /// The commit to stand on instead of the target's tip: there the reverts are undone.
    pub onto: Option<Revision>,
    /// Whether the target has the source already.
    pub up_to_date: bool,
    /// Whether the two histories have nothing in common.
    pub unrelated: bool,
    /// Pointers of Git LFS that it brings.
    pub pointers: Vec<Pointer>,
    /// Submodules that it takes to other commits.
    pub submodules: Submodules,
    /// What a person should know beside it.
    pub findings: Vec<Finding>,
}

/// Merges the source into the target, in memory or wherever the store writes.
///
/// # Errors
///
/// [`GitError::Unrelated`] if the histories have nothing in common and nobody allowed that;
/// [`GitError::Unaccounted`] if the accounting of losses does not add up; [`GitError::BadPattern`];
/// [`GitError::Interrupted`]; [`GitError::Library`], [`GitError::Program`] if an engine fails.
pub fn merge(store: &Store, request: &MergeRequest<'_>) -> Result<Merged, GitError> {
    let protection = Protection::new(request.protected_paths)?;
    if !request.spare.is_empty() {
        let source = reverted::reinstate(store, request.source, request.spare, request.by)?;
        return merge(store, &MergeRequest { source: &source, spare: &[], ..*request });
    }
    let source_tree = store.tree(request.source)?;
    let Some(tip) = request.target else {
        return first(store, &protection, source_tree.id(), request);
    };
    if request.reinstate.is_empty() {
        let merged = onto(store, tip, (tip, &protection, None), request)?;
        return unsquashed(store, merged, (tip, &protection), request);
    }
    let target = reverted::reinstate(store, tip, request.reinstate, request.by)?;
    let merged = onto(store, &target, (tip, &protection, None), request)?;
    Ok(Merged { onto: Some(target), ..merged })
}

/// Merges once more where the target has a commit of the source squashed: conflicts and losses with work that
/// was promoted already are none.
fn unsquashed(
    store: &Store,
    merged: Merged,
    (tip, protection): (&Revision, &Protection),
    request: &MergeRequest<'_>,
) -> Result<Merged, GitError> {
    let trouble = |merged: &Merged| merged.merge.losses.len() + merged.merge.conflicts.len();
    if merged.unrelated || trouble(&merged) == 0 {
        return Ok(merged);
    }
    let squashed = match request.squashed {
        Some(known) => Some(known.clone()),
        None => base::squashed(store, tip, request.source)?,
    };
    let Some(squashed) = squashed else { return Ok(merged) };
    let mut other = onto(store, tip, (tip, protection, Some(&squashed)), request)?;
    if trouble(&other) >= trouble(&merged) {
        return Ok(merged);
    }
    let message = format!(
        "the target's commit {} is the source's {} squashed: the merge goes on from there",
        squashed.target.short(),
        squashed.source.short()
    );
    other.findings.push(Finding::notice("squashed", message));
    Ok(other)
}

/// Merges the source into a commit of the target: its tip, or what undoes reverts on top of it.
fn onto(
    store: &Store,
    target: &Revision,
    (tip, protection, squashed): (&Revision, &Protection, Option<&Squashed>),
    request: &MergeRequest<'_>,
) -> Result<Merged, GitError> {
    let target_tree = store.tree(target)?;
    let common = base::common(store, target, request.source)?;
    if common == Some(request.source.oid()) && request.again.is_empty() {
        return contained(store, target, tip, request);
    }
    if common.is_none() && request.unrelated == Unrelated::Refused && !target_tree.is_empty() {
        return Err(GitError::Unrelated {
            source_commit: request.source.to_string(),
            target_commit: target.to_string(),
        });
    }
    let squashed = squashed.map(|squashed| squashed.source.oid());
    let base = squashed.or(common).or_else(|| request.base.map(Revision::oid));
    let mut base_tree = match (base, request.selected) {
        (None, _) | (_, []) => None,
        (Some(base), selected) => selection::with_selected(store, base, selected)?,
    };
    if (common.is_none() || squashed.is_some()) && base_tree.is_none() {
        base_tree = base.map(|base| store.tree(&base.into())).transpose()?.map(|tree| tree.id());
    }
    if let (Some(base), false) = (base, request.again.is_empty()) {
        base_tree = Some(base::as_in_target(store, base_tree.unwrap_or(base), &target_tree, request.again)?);
    }
    let part = selection::part(store, target, (base, base_tree), request)?;
    let (source, mut further) =
        part.map_or((request.source.clone(), Vec::new()), |part| (part.tip, part.findings));
    further.extend(selection::unmatched(store, request.only, [&target_tree, &store.tree(request.source)?])?);
    let source_tree = store.tree(&source)?;
    let compared = Rc::new(Comparisons::of(&store.repository));
    let verdict = if base == Some(target.oid()) && base_tree.is_none() {
        // Nothing to merge: the target has no work of its own.
        Verdict::undisputed(source_tree.id(), request.program)
    } else {
        engine::merge(&Task {
            store,
            compared: Rc::clone(&compared),
            base,
            base_tree,
            target: target.oid(),
            source: source.oid(),
            prefer: request.prefer,
            program: request.program,
            interrupt: request.interrupt,
        })?
    };
    let failed = || GitError::doing("cannot read a merged tree");
    let sides = Sides {
        repository: &store.repository,
        compared,
        base: base_tree.or(base).map(|base| store.tree(&Revision::from(base))).transpose()?,
        target: target_tree,
        tip: store.tree(tip)?,
        source: source_tree,
        result: store.repository.find_tree(verdict.attempt.tree).map_err(failed())?,
        span: Span::new(&store.repository, base, target.oid()),
        structured: BTreeMap::new(),
    };
    let mut merged = finish(sides, verdict, protection, request)?;
    merged.findings.extend(further);
    Ok(Merged { unrelated: common.is_none(), ..merged })
}

/// Lists the target's own work that the source lacks, as if all of it stayed; nothing for unrelated histories.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing; [`GitError::BadPattern`].
pub fn kept(
    store: &Store,
    (target, source): (&Revision, &Revision),
    protected_paths: &[String],
) -> Result<Vec<Kept>, GitError> {
    let protection = Protection::new(protected_paths)?;
    let Some(base) = base::common(store, target, source)? else { return Ok(Vec::new()) };
    let own = || store.tree(target);
    let sides = Sides {
        repository: &store.repository,
        compared: Rc::new(Comparisons::of(&store.repository)),
        base: Some(store.tree(&base.into())?),
        target: own()?,
        tip: own()?,
        source: store.tree(source)?,
        result: own()?,
        span: Span::new(&store.repository, Some(base), target.oid()),
        structured: BTreeMap::new(),
    };
    let mut kept = loss::report(&sides)?.kept;
    kept.retain(|kept| !protection.covers(&kept.path));
    Ok(kept)
}

/// The target has the source: nothing is left to merge, but for reverts that were undone.
fn contained(
    store: &Store,
    target: &Revision,
    tip: &Revision,
    request: &MergeRequest<'_>,
) -> Result<Merged, GitError> {
    let (before, after) = (store.tree(tip)?, store.tree(target)?);
    let changes = tree::changes(&store.repository, Some(&before), Some(&after), Renames::Followed)?;
    let brought = Brought::of(&store.repository, &after, &changes)?;
    Ok(Merged {
        merge: Merge { base: Some(request.source.to_string()), files: brought.files, ..nothing(request) },
        tree: Some(after.id().into()),
        onto: None,
        up_to_date: target == tip,
        unrelated: false,
        pointers: brought.pointers,
        submodules: brought.submodules,
        findings: brought.findings,
    })
}

fn finish(
    mut sides: Sides<'_>,
    verdict: Verdict,
    protection: &Protection,
    request: &MergeRequest<'_>,
) -> Result<Merged, GitError> {
    let keeps = selectors(request.keep);
    let mut findings = verdict.findings;
    let (next, attempt) = by_structure(sides, verdict.attempt, (request, &keeps), &mut findings)?;
    sides = next;
    let always = settled_always(request)?;
    let settlement = Settlement { resolve: request.resolve, always: &always, protection };
    let mut settled = conflict::settle(&sides, &attempt, request.source.oid(), &settlement)?;
    sides = sides.with_result(settled.tree)?;
    let only = Only::of(request)?;
    sides = only.confine(sides)?;
    settled.conflicts.retain(|conflict| only.covers(&conflict.path));
    let protect::Guarded { sides: next, mut protected, paths: put_back } =
        protect::put_back(sides, protection, request)?;
    sides = next;
    protected.retain(|kept| kept.path.as_ref().is_none_or(|path| only.covers(path)));
    findings.extend(settled.findings);

    let (sides, mut report) = keeping(sides, &keeps, &mut findings)?;
    let known = |path: &str| {
        let named = |conflict: &Conflict| is_at(conflict, path);
        let settled = settled.conflicts.iter().any(named) || put_back.contains(path);
        settled || protection.covers(path) || !only.covers(path)
    };
    arrival::check(&sides, &known)?;
    let accepts = selectors(request.accept_losses);
    findings.extend(unused("--accept-loss", &accepts, &report));
    let guarded = |path: &String| protected.iter().any(|kept| kept.path.as_ref() == Some(path));
    let open = |path: &str| settled.conflicts.iter().any(|conflict| is_open(conflict, path));
    report.left_behind.retain(|left| {
        only.covers(&left.path) && !guarded(&left.path) && !protection.covers(&left.path) && !open(&left.path)
    });
    report.kept.retain(|kept| !open(&kept.path) && !protection.covers(&kept.path));
    accept(&mut report.losses, &accepts, (request, &settled.conflicts));
    let settled_all = settled.conflicts.iter().all(|conflict| conflict.resolution.is_some());
    let (zombies, target_only) = only_in_target(&sides, request.source.oid())?;
    let changes = sides.compared.changes(Some(&sides.tip), &sides.result, Renames::Followed)?;
    let brought = Brought::of(sides.repository, &sides.result, &changes)?;
    let nothing_comes = brought.files.is_empty();
    findings.extend(brought.findings);
    Ok(Merged {
        merge: Merge {
            base: sides.span.base.map(|base| base.to_string()),
            engine: verdict.engine,
            files: brought.files,
            losses: report.losses,
            kept: report.kept,
            left_behind: report.left_behind,
            protected,
            conflicts: settled.conflicts,
            zombies,
            target_only,
            ..nothing(request)
        },
        tree: settled_all.then(|| sides.result.id().into()),
        onto: None,
        up_to_date: request.is_partial() && nothing_comes,
        unrelated: sides.base.is_none(),
        pointers: brought.pointers,
        submodules: brought.submodules,
        findings,
    })
}

/// Lets the target win where that is wanted, and tells what is lost elsewhere.
fn keeping<'a>(
    sides: Sides<'a>,
    keeps: &[Selector],
    findings: &mut Vec<Finding>,
) -> Result<(Sides<'a>, loss::Report), GitError> {
    let report = loss::report(&sides)?;
    let idle: Vec<Selector> = keeps.iter().filter(|keep| !has_kept(keep, &sides)).cloned().collect();
    findings.extend(unused("--keep", &idle, &report));
    let edits = keep::edits(&sides, &report.losses, keeps)?;
    if edits.is_empty() {
        return Ok((sides, report));
    }
    let tree = tree::edited(sides.repository, sides.result.id(), &edits)?;
    let sides = sides.with_result(tree)?;
    let report = loss::report(&sides)?;
    Ok((sides, report))
}

/// Merges by structure what is wanted so.
fn by_structure<'a>(
    sides: Sides<'a>,
    attempt: Attempt,
    (request, keep): (&MergeRequest<'_>, &[Selector]),
    findings: &mut Vec<Finding>,
) -> Result<(Sides<'a>, Attempt), GitError> {
    let files = Protection::new(request.structural)?;
    let wish = Wish { files: &files, prefer: request.prefer, keep };
    let Structured { attempt, files, findings: more } = structured(&sides, attempt, &wish)?;
    // How the engines merge the text of such a file is of no account.
    findings.retain(|finding| !finding.place.as_ref().is_some_and(|place| files.contains_key(&*place.file)));
    findings.extend(more);
    let sides = Sides { structured: files, ..sides.with_result(attempt.tree)? };
    Ok((sides, attempt))
}

/// Whether a `--keep` has let the target win in a file that was merged by structure.
fn has_kept(keep: &Selector, sides: &Sides<'_>) -> bool {
    sides.structured.iter().any(|(path, disputes)| {
        let won =
            disputes.iter().filter(|dispute| dispute.winner == Side::Target && dispute.target.is_some());
        won.into_iter().any(|dispute| keep.chooses(path, dispute.target))
    })
}

fn selectors(words: &[String]) -> Vec<Selector> {
    words.iter().map(|word| Selector::parse(word)).collect()
}

/// Compiles what always goes one way.
fn settled_always(request: &MergeRequest<'_>) -> Result<Vec<(Protection, Resolution)>, GitError> {
    let compiled = |(pattern, resolution): &(String, Resolution)| {
        Ok((Protection::new(std::slice::from_ref(pattern))?, *resolution))
    };
    request.always.iter().map(compiled).collect()
}

/// Marks the losses that were accepted.
fn accept(losses: &mut [Loss], accepts: &[Selector], (request, conflicts): (&MergeRequest<'_>, &[Conflict])) {
    for loss in losses {
        let chosen = accepts.iter().any(|accept| accept.chooses(&loss.path, loss.lines));
        // Who settles a conflict against the target knows what goes.
        let is_this = |conflict: &Conflict| conflict.path == loss.path && conflict.resolution.is_some();
        let by_word = request.resolve.contains_key(&loss.path) || conflicts.iter().any(is_this);
        loss.accepted = chosen || (by_word && loss.kind != LossKind::Line);
    }
}

/// Tells whether a path's fate hangs on a conflict that is not settled.
fn is_open(conflict: &Conflict, path: &str) -> bool {
    conflict.resolution.is_none() && is_at(conflict, path)
}

/// Tells whether a conflict is at a path or at a folder above it.
fn is_at(conflict: &Conflict, path: &str) -> bool {
    is_below(path, &conflict.path)
}

fn unused(flag: &str, selectors: &[Selector], report: &loss::Report) -> Vec<Finding> {
    let there: Vec<String> = report.losses.iter().map(selector_of).collect();
    selectors
        .iter()
        .filter(|selector| !report.losses.iter().any(|loss| selector.chooses(&loss.path, loss.lines)))
        .map(|selector| selector.unused(flag, &there))
        .collect()
}

/// For unrelated histories: files that only the target has and that stay, those that the source once had apart.
fn only_in_target(sides: &Sides<'_>, source: Oid) -> Result<(Vec<String>, Vec<String>), GitError> {
    if sides.base.is_some() {
        return Ok((Vec::new(), Vec::new()));
    }
    let files = |tree| tree::files(sides.repository, tree);
    let (in_source, in_result) = (files(&sides.source)?, files(&sides.result)?);
    // A conflict that was settled for the source may have put a file in the place of a folder, or the reverse.
    let stays = |path: &String| !in_source.contains_key(path) && in_result.contains_key(path);
    let only: BTreeSet<String> = files(&sides.target)?.into_keys().filter(stays).collect();
    let span = Span::new(sides.repository, None, source);
    let zombies = if only.is_empty() { BTreeSet::new() } else { span.once_had(&only)? };
    let own = only.difference(&zombies).cloned().collect();
    Ok((zombies.into_iter().collect(), own))
}

/// The first promotion into a branch that is not there: the source's tree, or the chosen part of it, without
/// protected paths.
fn first(
    store: &Store,
    protection: &Protection,
    source: Oid,
    request: &MergeRequest<'_>,
) -> Result<Merged, GitError> {
    let tree = store.repository.find_tree(source).map_err(GitError::doing("cannot read the source"))?;
    let only = Only::first(request)?;
    let (covered, rest): (Vec<String>, Vec<String>) = tree::files(&store.repository, &tree)?
        .into_keys()
        .filter(|path| protection.covers(path) || !only.covers(path))
        .partition(|path| only.covers(path));
    let edits: Edits = covered.iter().chain(&rest).map(|path| (path.clone(), None)).collect();
    let merged = tree::edited(&store.repository, source, &edits)?;
    let result = store.repository.find_tree(merged).map_err(GitError::doing("cannot read a merged tree"))?;
    // Where there was nothing, nothing was renamed.
    let changes = tree::changes(&store.repository, None, Some(&result), Renames::Ignored)?;
    let brought = Brought::of(&store.repository, &result, &changes)?;
    let wanted = Some("added".to_owned());
    let protected = covered
        .into_iter()
        .map(|path| Protected { path: Some(path), key: None, source_wanted: wanted.clone() })
        .collect();
    Ok(Merged {
        merge: Merge { files: brought.files, protected, ..nothing(request) },
        tree: Some(merged.into()),
        onto: None,
        up_to_date: false,
        unrelated: false,
        pointers: brought.pointers,
        submodules: brought.submodules,
        findings: brought.findings,
    })
}

fn nothing(request: &MergeRequest<'_>) -> Merge {
    Merge {
        base: None,
        engine: engine::names(request.program),
        files: Vec::new(),
        losses: Vec::new(),
        kept: Vec::new(),
        left_behind: Vec::new(),
        protected: Vec::new(),
        conflicts: Vec::new(),
        reverted: Vec::new(),
        left_out: Vec::new(),
        taken_back: Vec::new(),
        undone: Vec::new(),
        part: Vec::new(),
        zombies: Vec::new(),
        target_only: Vec::new(),
    }
}
