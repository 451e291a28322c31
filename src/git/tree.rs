//! Trees: looking up, comparing and changing entries by path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{
    Commit, Delta, DiffFile, DiffFindOptions, DiffOptions, FileMode, ObjectType, Oid, Repository, Tree,
};

use super::error::GitError;

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
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Renames {
    Followed,
    Ignored,
}

/// Finds what a tree holds at a path.
pub(super) fn entry(tree: Option<&Tree<'_>>, path: &str) -> Option<Entry> {
    let found = tree?.get_path(Path::new(path)).ok()?;
    Some(Entry { oid: found.id(), mode: found.filemode() })
}

/// Compares two trees; nothing stands for the empty one. Ordered by new, then old path.
pub(super) fn changes(
    repository: &Repository,
    before: Option<&Tree<'_>>,
    after: Option<&Tree<'_>>,
    renames: Renames,
) -> Result<Vec<Change>, GitError> {
    let failed = || GitError::doing("cannot compare two trees");
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true).ignore_submodules(false);
    let mut diff = repository.diff_tree_to_tree(before, after, Some(&mut options)).map_err(failed())?;
    if renames == Renames::Followed {
        let mut find = DiffFindOptions::new();
        find.renames(true).rename_limit(7000).rename_threshold(50);
        diff.find_similar(Some(&mut find)).map_err(failed())?;
    }
    let mut changes = Vec::new();
    for delta in diff.deltas() {
        let has_old = !matches!(delta.status(), Delta::Added | Delta::Copied);
        let has_new = delta.status() != Delta::Deleted;
        let old = if has_old { located(&delta.old_file()) } else { None };
        let new = if has_new { located(&delta.new_file()) } else { None };
        if old.is_some() || new.is_some() {
            changes.push(Change { old, new });
        }
    }
    let key = |change: &Change| {
        let path = |side: &Option<Located>| side.as_ref().map(|side| side.path.clone());
        (path(&change.new).or_else(|| path(&change.old)), path(&change.old))
    };
    changes.sort_by_cached_key(key);
    Ok(changes)
}

/// Gives a side of a difference as a tree holds it; none where its name is no text.
fn located(file: &DiffFile<'_>) -> Option<Located> {
    let path = std::str::from_utf8(file.path_bytes()?).ok()?.to_owned();
    // Old versions of Git wrote files that a group may write.
    let written = file.mode() == FileMode::BlobGroupWritable;
    let mode = if written { FileMode::Blob } else { file.mode() };
    Some(Located { path, entry: Entry { oid: file.id(), mode: mode.into() } })
}

/// Lists all files of a tree (not folders), ordered by path.
pub(super) fn files(tree: &Tree<'_>) -> Result<BTreeMap<String, Entry>, GitError> {
    files_where(tree, &|_| true)
}

/// Lists the wanted files of a tree (not folders), ordered by path.
pub(super) fn files_where(
    tree: &Tree<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Entry>, GitError> {
    let mut files = BTreeMap::new();
    let mut path = String::new();
    tree.walk(git2::TreeWalkMode::PreOrder, |folder, found| {
        if found.kind() != Some(ObjectType::Tree) {
            path.clear();
            path.push_str(folder);
            path.push_str(&String::from_utf8_lossy(found.name_bytes()));
            if wanted(&path) {
                files.insert(path.clone(), Entry { oid: found.id(), mode: found.filemode() });
            }
        }
        git2::TreeWalkResult::Ok
    })
    .map_err(GitError::doing("cannot list a tree"))?;
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
        let inner = builder.get(folder)?.filter(|entry| entry.kind() == Some(ObjectType::Tree));
        let inner = inner.map(|entry| entry.id());
        match edit(repository, inner, &edits)? {
            Some(oid) => {
                builder.insert(folder, oid, MODE_TREE)?;
            }
            None if inner.is_some() => remove(&mut builder, folder)?,
            None => {}
        }
    }
    for (path, entry) in edits {
        if let (None, Some(entry)) = (path.find('/'), entry) {
            builder.insert(*path, entry.oid, entry.mode)?;
        }
    }
    if builder.is_empty() { Ok(None) } else { builder.write().map(Some) }
}

fn remove(builder: &mut git2::TreeBuilder<'_>, name: &str) -> Result<(), git2::Error> {
    if builder.get(name)?.is_some() { builder.remove(name) } else { Ok(()) }
}
