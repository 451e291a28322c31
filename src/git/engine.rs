//! The two engines that merge: Git's own `merge-tree`, which counts, and the library, which is asked beside it.
//!
//! Neither is asked where one result is possible. Both give a tree and what they could not merge. The tree never
//! holds markers or names that an engine made up: what is in conflict is settled elsewhere, by taking one side's version.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use git2::{FileFavor, Index, IndexEntry, MergeOptions, Oid, Repository, Tree};

use super::apart;
use super::error::GitError;
use super::name;
use super::opinion::Opinion;
use super::program::{GitProgram, Output, Run};
use super::store::Store;
use super::tree::{self, Comparisons, Edits, Entry};
use super::unsure;
use crate::model::finding::Finding;
use crate::model::merge::ConflictKind;
use crate::model::project::Prefer;

/// What is merged, and how.
pub(super) struct Task<'a> {
    pub(super) store: &'a Store,
    /// What was compared already.
    pub(super) compared: Rc<Comparisons<'a>>,
    pub(super) base: Option<Oid>,
    /// A tree to take for the base instead of the common commit's.
    pub(super) base_tree: Option<Oid>,
    pub(super) target: Oid,
    pub(super) source: Oid,
    pub(super) prefer: Prefer,
    pub(super) program: Option<&'a GitProgram>,
    pub(super) interrupt: &'a AtomicBool,
}

/// What an engine could not merge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Clash {
    pub(super) paths: BTreeSet<String>,
    pub(super) kind: ConflictKind,
}

/// What an engine made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Attempt {
    pub(super) tree: Oid,
    pub(super) clashes: Vec<Clash>,
}

/// The attempt that counts, with what a person should know about it.
pub(super) struct Verdict {
    pub(super) attempt: Attempt,
    pub(super) engine: String,
    pub(super) findings: Vec<Finding>,
}

impl Verdict {
    /// A merge that has one possible result.
    pub(super) fn undisputed(tree: Oid, program: Option<&GitProgram>) -> Self {
        let attempt = Attempt { tree, clashes: Vec::new() };
        Self { attempt, engine: names(program), findings: Vec::new() }
    }
}

/// Names the object library with its version.
pub fn library() -> String {
    let (major, minor, patch) = git2::Version::get().libgit2_version();
    format!("libgit2 {major}.{minor}.{patch}")
}

/// Names the engines that a merge uses.
pub(super) fn names(program: Option<&GitProgram>) -> String {
    let library = library();
    match program.filter(|program| program.can_merge_tree()) {
        Some(program) => format!("{library}, git {}", program.version()),
        None => library,
    }
}

/// Merges where one result is possible; else with Git where it can, and asks the library for a second opinion; else with
/// the library.
pub(super) fn merge(task: &Task<'_>) -> Result<Verdict, GitError> {
    if let Some(tree) = apart::merged(task)? {
        return Ok(Verdict::undisputed(tree, task.program));
    }
    let engine = names(task.program);
    let able = |program: &&GitProgram| match task.base_tree {
        Some(_) => program.can_merge_on_a_tree(),
        None => program.can_merge_tree(),
    };
    let Some(program) = task.program.filter(able) else {
        let library = by_library(task, Favour::Asked)?;
        let (attempt, mut findings) = unsure::doubted(task, library)?;
        findings.insert(0, one_engine(task.program));
        return Ok(Verdict { attempt, engine, findings });
    };
    let run = asking(task, program);
    // The library needs nothing of Git's attempt, so neither waits for the other.
    let (output, opinion) = std::thread::scope(|scope| {
        let interrupt = task.interrupt;
        let git = scope.spawn(move || run.output(interrupt));
        let opinion = Opinion::of(task);
        (git.join(), opinion)
    });
    let broken = |_| GitError::Program { command: "merge-tree".to_owned(), text: "it failed".to_owned() };
    let attempt = answered(task, &output.map_err(broken)??)?;
    let findings = opinion?.differences(task, &attempt)?;
    Ok(Verdict { attempt, engine, findings })
}

fn one_engine(program: Option<&GitProgram>) -> Finding {
    let why = match program {
        Some(program) => format!("`git` {} is too old for this merge", program.version()),
        None => "there is no `git` program".to_owned(),
    };
    Finding::notice("one-engine", format!("the merge was made by libgit2 alone: {why}"))
        .hint("install git 2.45 or newer to have each merge compared with Git's own")
}

/// Whom the library favours, and how it compares lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Favour {
    /// Whom the task prefers.
    Asked,
    /// The same, and lines are compared with patience.
    Patient,
    /// Nobody: what both sides changed is a conflict.
    Nobody,
}

/// Merges everything with the library.
pub(super) fn by_library(task: &Task<'_>, favour: Favour) -> Result<Attempt, GitError> {
    let repository = &task.store.repository;
    let failed = || GitError::doing("cannot merge");
    let commit = |oid| repository.find_commit(oid).map_err(failed());
    let (target, source) = (commit(task.target)?, commit(task.source)?);
    let sides = [target.tree().map_err(failed())?, source.tree().map_err(failed())?];
    if task.base.is_some() && task.base_tree.is_none() {
        let index =
            repository.merge_commits(&target, &source, Some(&options(task, favour))).map_err(failed())?;
        return attempt(repository, index, &sides);
    }
    let base = match task.base_tree {
        Some(base) => base,
        None => tree::empty(repository)?,
    };
    merge_trees(task, favour, [base, sides[0].id(), sides[1].id()])
}

/// Merges three trees with the library: base, target, source.
pub(super) fn merge_trees(task: &Task<'_>, favour: Favour, trees: [Oid; 3]) -> Result<Attempt, GitError> {
    let repository = &task.store.repository;
    let failed = || GitError::doing("cannot merge");
    let tree = |oid| repository.find_tree(oid).map_err(failed());
    let [base, target, source] = trees;
    let (base, sides) = (tree(base)?, [tree(target)?, tree(source)?]);
    let index =
        repository.merge_trees(&base, &sides[0], &sides[1], Some(&options(task, favour))).map_err(failed())?;
    attempt(repository, index, &sides)
}

fn options(task: &Task<'_>, favour: Favour) -> MergeOptions {
    let mut options = MergeOptions::new();
    options.find_renames(true).target_limit(7000).patience(favour == Favour::Patient);
    options.file_favor(match (task.prefer, favour) {
        (_, Favour::Nobody) | (Prefer::None, _) => FileFavor::Normal,
        (Prefer::Source, Favour::Asked | Favour::Patient) => FileFavor::Theirs,
        (Prefer::Target, Favour::Asked | Favour::Patient) => FileFavor::Ours,
    });
    options
}

/// Makes a tree of what the library merged, and takes out what it could not.
fn attempt(
    repository: &Repository,
    mut index: Index,
    [target, source]: &[Tree<'_>; 2],
) -> Result<Attempt, GitError> {
    let failed = || GitError::doing("cannot merge");
    let clashes = library_clashes(&index, target, source)?;
    for path in clashes.iter().flat_map(|clash| &clash.paths) {
        index.conflict_remove(&name::path(path)).map_err(failed())?;
    }
    let tree = index.write_tree_to(repository).map_err(failed())?;
    Ok(Attempt { tree, clashes })
}

fn library_clashes(index: &Index, target: &Tree<'_>, source: &Tree<'_>) -> Result<Vec<Clash>, GitError> {
    let failed = || GitError::doing("cannot read the merge's conflicts");
    let mut clashes = Vec::new();
    if !index.has_conflicts() {
        return Ok(clashes);
    }
    for conflict in index.conflicts().map_err(failed())? {
        let conflict = conflict.map_err(failed())?;
        let sides = [&conflict.ancestor, &conflict.our, &conflict.their];
        let paths: BTreeSet<String> = sides.into_iter().flatten().map(path_of).collect();
        let stages = sides.map(|side| side.as_ref().map(entry_of));
        let folder = |tree: &Tree<'_>| {
            paths.iter().any(|path| tree::entry(Some(tree), path).is_some_and(Entry::is_tree))
        };
        let kind = kind_of(stages, folder(target) || folder(source));
        clashes.push(Clash { paths, kind });
    }
    Ok(clashes)
}

fn path_of(entry: &IndexEntry) -> String {
    name::shown(&entry.path)
}

fn entry_of(entry: &IndexEntry) -> Entry {
    Entry { oid: entry.id, mode: i32::try_from(entry.mode).unwrap_or(0) }
}

/// Tells the kind of a conflict from its three versions: base, target, source.
fn kind_of(stages: [Option<Entry>; 3], folder: bool) -> ConflictKind {
    if folder {
        return ConflictKind::FileDirectory;
    }
    let submodule = |entry: &Entry| entry.mode == tree::MODE_SUBMODULE;
    match stages {
        [_, Some(target), Some(source)] => {
            if submodule(&target) && submodule(&source) {
                ConflictKind::Submodule
            } else if target.is_file() != source.is_file() || submodule(&target) != submodule(&source) {
                ConflictKind::TypeChange
            } else if target.oid == source.oid {
                ConflictKind::Mode
            } else if stages[0].is_none() {
                ConflictKind::AddAdd
            } else {
                ConflictKind::Content
            }
        }
        [Some(_), Some(_), None] | [Some(_), None, Some(_)] => ConflictKind::ModifyDelete,
        [_, None, None] | [None, Some(_), None] | [None, None, Some(_)] => ConflictKind::RenameRename,
    }
}

/// Puts the question to Git together.
fn asking<'a>(task: &Task<'_>, program: &'a GitProgram) -> Run<'a> {
    let store = task.store;
    let mut run = program.run(store.git_dir()).arg(format!("--attr-source={}", task.target)).args([
        "merge-tree",
        "--write-tree",
        "-z",
        "--messages",
        "--allow-unrelated-histories",
    ]);
    match task.prefer {
        Prefer::Source => run = run.args(["-X", "theirs"]),
        Prefer::Target => run = run.args(["-X", "ours"]),
        Prefer::None => {}
    }
    if let Some(scratch) = store.scratch() {
        run = run.scratch(&scratch, &store.objects());
    }
    if let Some(base) = task.base_tree {
        run = run.arg(format!("--merge-base={base}"));
    }
    run.args([task.target.to_string(), task.source.to_string()])
}

/// Reads what Git answered.
fn answered(task: &Task<'_>, output: &Output) -> Result<Attempt, GitError> {
    let broken = || GitError::Program { command: "merge-tree".to_owned(), text: output.words() };
    if !matches!(output.status, Some(0 | 1)) {
        return Err(broken());
    }
    let answer = Answer::parse(&output.stdout).ok_or_else(broken)?;
    let mut attempt = Attempt { tree: answer.tree, clashes: Vec::new() };
    if output.status == Some(1) {
        let litter = answer.litter(task);
        attempt.tree = tree::edited(&task.store.repository, answer.tree, &litter)?;
        attempt.clashes = answer.clashes(task);
    }
    Ok(attempt)
}

/// What `git merge-tree -z --messages` says.
struct Answer {
    tree: Oid,
    /// Path (as Git left it), stage, entry.
    stages: Vec<(String, u8, Entry)>,
    /// Paths and kind of each message.
    messages: Vec<(Vec<String>, String)>,
}

impl Answer {
    fn parse(answer: &[u8]) -> Option<Self> {
        let mut fields = answer.split(|byte| *byte == 0).map(name::shown);
        let tree = Oid::from_str(&fields.next()?).ok()?;
        let mut answer = Self { tree, stages: Vec::new(), messages: Vec::new() };
        let mut rest = fields.peekable();
        while let Some(field) = rest.next_if(|field| !field.is_empty() && field.contains('\t')) {
            let (facts, path) = field.split_once('\t')?;
            let mut facts = facts.split(' ');
            let mode = i32::from_str_radix(facts.next()?, 8).ok()?;
            let oid = Oid::from_str(facts.next()?).ok()?;
            let stage = facts.next()?.parse().ok()?;
            answer.stages.push((path.to_owned(), stage, Entry { oid, mode }));
        }
        rest.next_if(String::is_empty);
        while let Some(count) = rest.next().and_then(|count| count.parse::<usize>().ok()) {
            let paths: Vec<String> = rest.by_ref().take(count).collect();
            let kind = rest.next()?;
            rest.next()?;
            answer.messages.push((paths, kind));
        }
        Some(answer)
    }

    /// Gives the plain path of one that Git may have moved aside as `path~<commit>`.
    fn plain<'p>(task: &Task<'_>, path: &'p str) -> &'p str {
        let marks = [format!("~{}", task.target), format!("~{}", task.source)];
        marks.iter().find_map(|mark| path.find(mark.as_str())).map_or(path, |at| &path[..at])
    }

    /// Lists the names that Git made up, to take them out.
    fn litter(&self, task: &Task<'_>) -> Edits {
        let stages = self.stages.iter().map(|(path, _, _)| path);
        let named = self.messages.iter().flat_map(|(paths, _)| paths);
        stages
            .chain(named)
            .filter(|path| Self::plain(task, path) != path.as_str())
            .map(|path| (path.clone(), None))
            .collect()
    }

    fn clashes(&self, task: &Task<'_>) -> Vec<Clash> {
        let mut stages: BTreeMap<String, [Option<Entry>; 3]> = BTreeMap::new();
        for (path, stage, entry) in &self.stages {
            let versions = stages.entry(Self::plain(task, path).to_owned()).or_default();
            if let Some(version) = versions.get_mut(usize::from(stage.saturating_sub(1))) {
                *version = Some(*entry);
            }
        }
        let mut clashes: Vec<Clash> = Vec::new();
        for (paths, kind) in self.messages.iter().filter(|(_, kind)| kind.starts_with("CONFLICT")) {
            let paths: BTreeSet<String> =
                paths.iter().map(|path| Self::plain(task, path).to_owned()).collect();
            let versions = paths.iter().find_map(|path| stages.get(path)).copied().unwrap_or_default();
            let clash = Clash { kind: kind_in_words(kind, versions), paths };
            match clashes.iter_mut().find(|other| !other.paths.is_disjoint(&clash.paths)) {
                Some(other) => other.paths.extend(clash.paths),
                None => clashes.push(clash),
            }
        }
        for (path, versions) in stages {
            if !clashes.iter().any(|clash| clash.paths.contains(&path)) {
                let kind = kind_of(versions, false);
                clashes.push(Clash { paths: BTreeSet::from([path]), kind });
            }
        }
        clashes
    }
}

/// Tells the kind of a conflict from Git's stable word for it; where that is wide, from the versions.
fn kind_in_words(words: &str, versions: [Option<Entry>; 3]) -> ConflictKind {
    let table = [
        ("modify/delete", ConflictKind::ModifyDelete),
        ("file/directory", ConflictKind::FileDirectory),
        ("rename/rename", ConflictKind::RenameRename),
        ("rename involved in collision", ConflictKind::RenameRename),
        ("rename/delete", ConflictKind::RenameDelete),
        ("directory rename", ConflictKind::DirectoryRename),
        ("distinct modes", ConflictKind::TypeChange),
        ("distinct types", ConflictKind::TypeChange),
        ("submodule", ConflictKind::Submodule),
        ("binary", ConflictKind::Binary),
    ];
    let known = table.into_iter().find(|(word, _)| words.contains(word)).map(|(_, kind)| kind);
    known.unwrap_or_else(|| kind_of(versions, false))
}
