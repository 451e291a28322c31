//! Trees: looking up, comparing and changing entries by path.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use git2::{
    Commit, Delta, DiffDelta, DiffFile, DiffFindOptions, DiffOptions, FileMode, ObjectType, Oid, Repository,
    Tree, TreeEntry,
};

use super::error::GitError;
use super::name;

/// The bits of a mode that say what it is: a file, a link, a submodule.
const MODE_KIND: i32 = 0o170_000;
pub(super) const MODE_TREE: i32 = 0o040_000;
pub(super) const MODE_EXECUTABLE: i32 = 0o100_755;
pub(super) const MODE_FILE: i32 = 0o100_644;
pub(super) const MODE_SUBMODULE: i32 = 0o160_000;

/// An object with its mode, as a tree holds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) oid: Oid,
    pub(super) mode: i32,
}

impl Entry {
    pub(super) fn is_file(self) -> bool {
        matches!(self.mode, MODE_FILE | MODE_EXECUTABLE)
    }

    pub(super) fn is_tree(self) -> bool {
        self.mode == MODE_TREE
    }
}

/// A file on one side of a comparison.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Located {
    pub(super) path: String,
    pub(super) entry: Entry,
}

/// A difference between two trees; at least one side is there, and other paths mean a rename.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Change {
    pub(super) old: Option<Located>,
    pub(super) new: Option<Located>,
}

impl Change {
    /// Gives the sides that are there, the old one first.
    pub(super) fn sides(&self) -> impl Iterator<Item = &Located> {
        self.old.iter().chain(&self.new)
    }

    /// Whether it can be a part of a rename: a file that came or went, or is of another kind.
    fn may_be_a_move(&self) -> bool {
        let kind = |side: &Option<Located>| side.as_ref().map(|side| side.entry.mode & MODE_KIND);
        kind(&self.old) != kind(&self.new)
    }

    /// Whether a file goes, or one of another kind takes its place; of a comparison without renames.
    pub(super) fn takes_away(&self) -> bool {
        self.old.is_some() && self.may_be_a_move()
    }

    /// Whether a file comes, or takes the place of one of another kind; of a comparison without renames.
    pub(super) fn brings(&self) -> bool {
        self.new.is_some() && self.may_be_a_move()
    }

    /// Gives the path, the old one of a rename.
    pub(super) fn path(&self) -> &str {
        self.sides().next().map_or("", |side| side.path.as_str())
    }

    /// Gives the old and the new path of a renamed file.
    pub(super) fn renamed(&self) -> Option<[&str; 2]> {
        let (old, new) = (self.old.as_ref()?, self.new.as_ref()?);
        (old.path != new.path).then_some([old.path.as_str(), new.path.as_str()])
    }
}

/// Lists the paths of both sides.
pub(super) fn paths(changes: &[Change]) -> BTreeSet<&str> {
    changes.iter().flat_map(Change::sides).map(|side| side.path.as_str()).collect()
}

/// Compares a commit with its first parent, if it has one.
pub(super) fn deeds(repository: &Repository, commit: &Commit<'_>) -> Result<Vec<Change>, GitError> {
    let after = commit.tree().map_err(GitError::doing("cannot read a commit"))?;
    let before = commit.parent(0).and_then(|parent| parent.tree()).ok();
    changes(repository, before.as_ref(), Some(&after), Renames::Ignored)
}

/// Whether a comparison looks for renamed files.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Renames {
    Followed,
    Ignored,
}

/// Finds what a tree holds at a path.
pub(super) fn entry(tree: Option<&Tree<'_>>, path: &str) -> Option<Entry> {
    let found = tree?.get_path(&name::path(path)).ok()?;
    Some(Entry { oid: found.id(), mode: found.filemode() })
}

/// Compares two trees; nothing stands for the empty one. Ordered by new, then old path.
///
/// Only folders that differ are read, so what it costs goes by them and not by the size of the project.
pub(super) fn changes(
    repository: &Repository,
    before: Option<&Tree<'_>>,
    after: Option<&Tree<'_>>,
    renames: Renames,
) -> Result<Vec<Change>, GitError> {
    let failed = || GitError::doing("cannot compare two trees");
    let changes = differences(repository, before, after).map_err(failed())?;
    match renames {
        Renames::Ignored => Ok(sorted(changes)),
        Renames::Followed => followed(repository, [before, after], changes).map_err(failed()),
    }
}

/// Joins what a renamed file was with what it is.
fn followed(
    repository: &Repository,
    sides: [Option<&Tree<'_>>; 2],
    changes: Vec<Change>,
) -> Result<Vec<Change>, git2::Error> {
    let (mut moves, edits): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(Change::may_be_a_move);
    let [gone, came] = [|change: &Change| change.old.is_some(), |change: &Change| change.new.is_some()];
    if moves.iter().any(gone) && moves.iter().any(came) {
        moves = renamed(repository, sides, &moves)?;
    }
    moves.extend(edits);
    Ok(sorted(moves))
}

fn sorted(mut changes: Vec<Change>) -> Vec<Change> {
    let key = |change: &Change| {
        let path = |side: &Option<Located>| side.as_ref().map(|side| side.path.clone());
        (path(&change.new).or_else(|| path(&change.old)), path(&change.old))
    };
    changes.sort_by_cached_key(key);
    changes
}

/// More entries than these, and the library does not keep a folder that it read.
const LARGE: usize = 100;

/// Comparisons of trees, each made once: a tree is what its id says, so none of them ever goes out of date.
pub(super) struct Comparisons<'a> {
    repository: &'a Repository,
    known: RefCell<BTreeMap<Pair, Rc<[Change]>>>,
    /// Large folders that were read.
    folders: RefCell<BTreeMap<Oid, Rc<Tree<'a>>>>,
}

/// What is compared: a tree, or nothing for the empty one, with another, and how.
type Pair = (Option<Oid>, Oid, Renames);

impl<'a> Comparisons<'a> {
    pub(super) fn of(repository: &'a Repository) -> Self {
        Self { repository, known: RefCell::default(), folders: RefCell::default() }
    }

    /// As [`entry`].
    pub(super) fn entry(&self, tree: Option<&Tree<'_>>, path: &str) -> Option<Entry> {
        let mut folder = tree?.id();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let tree = self.folder(folder)?;
            let found = tree.get_name_bytes(&name::raw(part))?;
            if parts.peek().is_none() {
                return Some(Entry { oid: found.id(), mode: found.filemode() });
            }
            folder = found.id();
        }
        None
    }

    fn folder(&self, oid: Oid) -> Option<Rc<Tree<'a>>> {
        if let Some(known) = self.folders.borrow().get(&oid) {
            return Some(Rc::clone(known));
        }
        let tree = Rc::new(self.repository.find_tree(oid).ok()?);
        if tree.len() > LARGE {
            self.folders.borrow_mut().insert(oid, Rc::clone(&tree));
        }
        Some(tree)
    }

    /// Whether a folder, or one that it is in, holds a mode that Git no longer writes; empty for the tree itself.
    ///
    /// Shape: `plain` are folders that were seen to hold none; each is looked through once.
    pub(super) fn has_old_modes(&self, tree: &Tree<'_>, folder: &str, plain: &mut BTreeSet<Oid>) -> bool {
        let mut id = tree.id();
        let parts = folder.split('/').filter(|part| !part.is_empty());
        for part in parts.map(Some).chain([None]) {
            let Some(tree) = self.folder(id) else { return false };
            if plain.insert(id) && tree.iter().any(|entry| entry.filemode() != entry.filemode_raw()) {
                return true;
            }
            let found = part.and_then(|part| tree.get_name_bytes(&name::raw(part)));
            let Some(entry) = found.filter(is_folder) else {
                return false;
            };
            id = entry.id();
        }
        false
    }

    /// As [`changes`].
    pub(super) fn changes(
        &self,
        before: Option<&Tree<'_>>,
        after: &Tree<'_>,
        renames: Renames,
    ) -> Result<Rc<[Change]>, GitError> {
        let pair = (before.map(Tree::id), after.id(), renames);
        if let Some(known) = self.known.borrow().get(&pair) {
            return Ok(Rc::clone(known));
        }
        let failed = || GitError::doing("cannot compare two trees");
        let found: Rc<[Change]> = match renames {
            Renames::Ignored => {
                sorted(differences(self.repository, before, Some(after)).map_err(failed())?).into()
            }
            Renames::Followed => {
                let changes = self.changes(before, after, Renames::Ignored)?.to_vec();
                followed(self.repository, [before, Some(after)], changes).map_err(failed())?.into()
            }
        };
        self.known.borrow_mut().insert(pair, Rc::clone(&found));
        Ok(found)
    }
}

/// Lists what differs, path by path.
fn differences(
    repository: &Repository,
    before: Option<&Tree<'_>>,
    after: Option<&Tree<'_>>,
) -> Result<Vec<Change>, git2::Error> {
    let mut changes = Vec::new();
    let mut pending = vec![(String::new(), [before, after].map(|tree| tree.map(Tree::id)))];
    while let Some((folder, ids)) = pending.pop() {
        let tree = |id: Option<Oid>| id.map(|id| repository.find_tree(id)).transpose();
        let [before, after] = [tree(ids[0])?, tree(ids[1])?];
        let [mut before, mut after] =
            [&before, &after].map(|tree| tree.iter().flat_map(Tree::iter).peekable());
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => order(old, new),
            };
            let old = before.next_if(|_| order.is_le());
            let new = after.next_if(|_| order.is_ge());
            let sides = [&old, &new].map(Option::as_ref);
            let raw = sides.map(|side| side.map(|entry| (entry.id(), entry.filemode_raw())));
            if raw[0] == raw[1] {
                continue;
            }
            let Some(name) = sides.into_iter().flatten().map(|entry| name::shown(entry.name_bytes())).next()
            else {
                continue;
            };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if sides.into_iter().flatten().any(is_folder) {
                pending.push((path, sides.map(|side| side.map(TreeEntry::id))));
            } else {
                let located = |entry: &TreeEntry<'_>| Located {
                    path: path.clone(),
                    entry: Entry { oid: entry.id(), mode: entry.filemode() },
                };
                let [old, new] = sides.map(|side| side.map(located));
                changes.push(Change { old, new });
            }
        }
    }
    Ok(changes)
}

/// Orders entries as a tree has them: the name of a folder as if a slash ended it. So a file is never the
/// same as a folder of its name.
fn order(one: &TreeEntry<'_>, other: &TreeEntry<'_>) -> Ordering {
    let slash = |entry| is_folder(entry).then_some(&b'/');
    let [a, b] = [one, other].map(TreeEntry::name_bytes);
    a.iter().chain(slash(one)).cmp(b.iter().chain(slash(other)))
}

fn is_folder(entry: &TreeEntry<'_>) -> bool {
    entry.kind() == Some(ObjectType::Tree)
}

/// Finds the renamed files among what came, went or is of another kind.
fn renamed(
    repository: &Repository,
    [before, after]: [Option<&Tree<'_>>; 2],
    moves: &[Change],
) -> Result<Vec<Change>, git2::Error> {
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true).ignore_submodules(false);
    options.disable_pathspec_match(true);
    for path in paths(moves) {
        options.pathspec(&*name::raw(path));
    }
    let mut diff = repository.diff_tree_to_tree(before, after, Some(&mut options))?;
    let mut find = DiffFindOptions::new();
    diff.find_similar(Some(find.renames(true).rename_limit(7000).rename_threshold(50)))?;
    let change = |delta: DiffDelta<'_>| {
        let has_old = !matches!(delta.status(), Delta::Added | Delta::Copied);
        let has_new = delta.status() != Delta::Deleted;
        let old = if has_old { located(&delta.old_file()) } else { None };
        let new = if has_new { located(&delta.new_file()) } else { None };
        (old.is_some() || new.is_some()).then_some(Change { old, new })
    };
    Ok(diff.deltas().filter_map(change).collect())
}

/// Gives a side of a difference as a tree holds it.
fn located(file: &DiffFile<'_>) -> Option<Located> {
    let path = name::shown(file.path_bytes()?);
    // Old versions of Git wrote files that a group may write.
    let written = file.mode() == FileMode::BlobGroupWritable;
    let mode = if written { FileMode::Blob } else { file.mode() };
    Some(Located { path, entry: Entry { oid: file.id(), mode: mode.into() } })
}

/// Lists all files of a tree (not folders), ordered by path.
pub(super) fn files(repository: &Repository, tree: &Tree<'_>) -> Result<BTreeMap<String, Entry>, GitError> {
    files_where(repository, tree, &|_| true)
}

/// Lists the wanted files of a tree (not folders), ordered by path.
pub(super) fn files_where(
    repository: &Repository,
    tree: &Tree<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Entry>, GitError> {
    let mut files = BTreeMap::new();
    let mut pending = vec![(String::new(), tree.id())];
    while let Some((folder, id)) = pending.pop() {
        let tree = repository.find_tree(id).map_err(GitError::doing("cannot list a tree"))?;
        for found in &tree {
            let path = folder.clone() + &name::shown(found.name_bytes());
            if is_folder(&found) {
                pending.push((path + "/", found.id()));
            } else if wanted(&path) {
                files.insert(path, Entry { oid: found.id(), mode: found.filemode() });
            }
        }
    }
    Ok(files)
}

/// Reads a blob's bytes.
pub(super) fn bytes(repository: &Repository, entry: Entry) -> Result<Vec<u8>, GitError> {
    if entry.mode == MODE_SUBMODULE || entry.is_tree() {
        return Ok(Vec::new());
    }
    let blob = repository
        .find_blob(entry.oid)
        .map_err(GitError::doing(format!("cannot read object {}", entry.oid)))?;
    Ok(blob.content().to_vec())
}

/// Tells whether bytes are a text: no NUL in the first 8,000, as Git has it.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().take(8000).any(|byte| *byte == 0)
}

/// Entries to put in (or, with nothing, to take out) by path.
pub(super) type Edits = BTreeMap<String, Option<Entry>>;

/// Makes a tree with some entries changed.
///
/// Shape: an entry that is put in replaces whatever stood in its way; folders that become empty go.
pub(super) fn edited(repository: &Repository, tree: Oid, edits: &Edits) -> Result<Oid, GitError> {
    let slices: Vec<(&str, Option<Entry>)> =
        edits.iter().map(|(path, entry)| (path.as_str(), *entry)).collect();
    let failed = GitError::doing("cannot write a tree");
    match edit(repository, Some(tree), &slices) {
        Ok(Some(oid)) => Ok(oid),
        Ok(None) => empty(repository),
        Err(source) => Err(failed(source)),
    }
}

/// Writes the empty tree.
pub(super) fn empty(repository: &Repository) -> Result<Oid, GitError> {
    repository
        .treebuilder(None)
        .and_then(|builder| builder.write())
        .map_err(GitError::doing("cannot write a tree"))
}

fn edit(
    repository: &Repository,
    tree: Option<Oid>,
    edits: &[(&str, Option<Entry>)],
) -> Result<Option<Oid>, git2::Error> {
    let tree = tree.map(|oid| repository.find_tree(oid)).transpose()?;
    let mut builder = repository.treebuilder(tree.as_ref())?;
    let mut below: BTreeMap<&str, Vec<(&str, Option<Entry>)>> = BTreeMap::new();
    // Files that go come first, so that a folder can take their place, and the other way round.
    for (path, entry) in edits {
        match path.split_once('/') {
            Some((folder, rest)) => below.entry(folder).or_default().push((rest, *entry)),
            None => remove(&mut builder, path)?,
        }
    }
    for (folder, edits) in below {
        let inner = builder.get(&*name::raw(folder))?.filter(|entry| entry.kind() == Some(ObjectType::Tree));
        let inner = inner.map(|entry| entry.id());
        match edit(repository, inner, &edits)? {
            Some(oid) => {
                builder.insert(&*name::raw(folder), oid, MODE_TREE)?;
            }
            None if inner.is_some() => remove(&mut builder, folder)?,
            None => {}
        }
    }
    for (path, entry) in edits {
        if let (None, Some(entry)) = (path.find('/'), entry) {
            builder.insert(&*name::raw(path), entry.oid, entry.mode)?;
        }
    }
    if builder.is_empty() { Ok(None) } else { builder.write().map(Some) }
}

fn remove(builder: &mut git2::TreeBuilder<'_>, name: &str) -> Result<(), git2::Error> {
    let name = name::raw(name);
    if builder.get(&*name)?.is_some() { builder.remove(&*name) } else { Ok(()) }
}
