//! A merge that has one possible result: nothing was touched by both sides, and no rename of one meets the other.
//!
//! In: a task. Out: the merged tree, or nothing where somebody has to merge. Two files that were moved, or a file in
//! the place of a folder, are left to the engines too. Start at [`merged`].

use std::collections::{BTreeMap, BTreeSet};

use git2::Oid;

use super::engine::Task;
use super::error::GitError;
use super::opinion;
use super::revision::Revision;
use super::tree::{self, Change, Edits, Renames};

/// Merges where each path was touched by one side at most, or by both alike; reads only what differs.
pub(super) fn merged(task: &Task<'_>) -> Result<Option<Oid>, GitError> {
    let Some(base) = task.base_tree.or(task.base) else { return Ok(None) };
    let tree = |oid: Oid| task.store.tree(&Revision::from(oid));
    let (base, target, source) = (tree(base)?, tree(task.target)?, tree(task.source)?);
    let changes = |side| task.compared.changes(Some(&base), side, Renames::Ignored);
    let (ours, theirs) = (changes(&target)?, changes(&source)?);
    if !is_apart(&ours, &theirs) || opinion::has_many_bases(task)? {
        return Ok(None);
    }
    // The modes of long ago stay in a folder that Git takes as it is, and go from one that it writes.
    let folders: BTreeSet<&str> =
        theirs.iter().map(|change| change.path().rsplit_once('/').map_or("", |(folder, _)| folder)).collect();
    let mut plain = BTreeSet::new();
    let mut old = |tree| folders.iter().any(|folder| task.compared.has_old_modes(tree, folder, &mut plain));
    if old(&target) || old(&source) {
        return Ok(None);
    }
    let mut edits = Edits::new();
    for change in &*theirs {
        edits.extend(change.old.iter().map(|old| (old.path.clone(), None)));
        edits.extend(change.new.iter().map(|new| (new.path.clone(), Some(new.entry))));
    }
    tree::edited(&task.store.repository, target.id(), &edits).map(Some)
}

/// Whether what two sides did cannot meet; neither list follows renames.
fn is_apart(ours: &[Change], theirs: &[Change]) -> bool {
    let meet = |one: &[Change], other: &[Change]| {
        let places: BTreeMap<&str, &Change> = other.iter().map(|change| (change.path(), change)).collect();
        one.iter().any(|change| {
            let path = change.path();
            let in_a_file = path.match_indices('/').any(|(end, _)| places.contains_key(&path[..end]));
            in_a_file || places.get(path).is_some_and(|twin| *twin != change)
        })
    };
    // A file that went on one side may be one that came there under another name. That matters where files came on the
    // other side, too (their folder may have moved), or where the same file went there.
    let any = |changes: &[Change], one: fn(&Change) -> bool| changes.iter().any(one);
    let (gone, came) = (Change::takes_away, Change::brings);
    let moves = |one: &[Change], other: &[Change]| any(one, gone) && any(one, came) && any(other, came);
    let went: BTreeSet<&str> = ours.iter().filter(|change| gone(change)).map(Change::path).collect();
    let both_took = theirs.iter().any(|change| gone(change) && went.contains(change.path()));
    let moved = both_took && (any(ours, came) || any(theirs, came));
    !(meet(ours, theirs) || meet(theirs, ours) || moves(ours, theirs) || moves(theirs, ours) || moved)
}
