//! Which commit brought a line, asked as `git blame` asks: a commit that has a line from a parent passes it on.
//!
//! The library's own blame compares whole trees for every file that changed. Here a commit is asked for the one
//! path, and trees are compared only where that path is new, to find the name that it had before.

use std::collections::BTreeMap;

use git2::{Commit, Oid, Repository};

use super::error::GitError;
use super::history::Span;
use super::lines;
use super::tree::{self, Located, Renames};

/// A line that is followed: its number at the tip, and in the version that is looked at.
#[derive(Clone, Copy)]
struct Line {
    wanted: usize,
    here: usize,
}

/// Finds the commit that brought each of the lines (from 0) of the tip's file; what reaches the base is the base's.
///
/// Shape: lines by number; nothing for those of a file that is not there.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing, as in a history that is cut short.
pub(super) fn blame(span: &Span<'_>, path: &str, wanted: &[usize]) -> Result<BTreeMap<usize, Oid>, GitError> {
    let failed = || GitError::doing(format!("cannot read the history of `{path}`"));
    let mut found = BTreeMap::new();
    // The newest first, so that lines that came by several ways meet again where those ways part.
    let mut suspects: BTreeMap<(i64, Oid, String), Vec<Line>> = BTreeMap::new();
    let tip = span.repository.find_commit(span.tip).map_err(failed())?;
    let lines = wanted.iter().map(|line| Line { wanted: *line, here: *line }).collect();
    suspects.insert((tip.time().seconds(), tip.id(), path.to_owned()), lines);
    while let Some(((_, oid, path), mut lines)) = suspects.pop_last() {
        let commit = span.repository.find_commit(oid).map_err(failed())?;
        let own = commit.tree().map_err(failed())?;
        let Some(own) = tree::entry(Some(&own), &path).filter(|entry| entry.is_file()) else { continue };
        let mut origins = Vec::new();
        let parents = if span.base == Some(oid) { 0 } else { commit.parent_count() };
        for number in 0..parents {
            let parent = commit.parent(number).map_err(failed())?;
            if let Some(origin) = origin(span.repository, &parent, &commit, &path)? {
                origins.push((parent, origin));
            }
        }
        // One that has the very same file has all of its lines.
        if let Some(same) = origins.iter().position(|(_, origin)| origin.entry.oid == own.oid) {
            origins = vec![origins.swap_remove(same)];
        }
        for (parent, origin) in origins {
            let passed = if origin.entry.oid == own.oid {
                std::mem::take(&mut lines)
            } else {
                let [before, after] = [origin.entry, own].map(|entry| tree::bytes(span.repository, entry));
                pass(&before?, &after?, &mut lines)?
            };
            if !passed.is_empty() {
                let key = (parent.time().seconds(), parent.id(), origin.path);
                suspects.entry(key).or_default().extend(passed);
            }
        }
        found.extend(lines.into_iter().map(|line| (line.wanted, oid)));
    }
    Ok(found)
}

/// Finds a commit's file in one of its parents, under the name that it had there.
fn origin(
    repository: &Repository,
    parent: &Commit<'_>,
    commit: &Commit<'_>,
    path: &str,
) -> Result<Option<Located>, GitError> {
    let failed = || GitError::doing(format!("cannot read commit {}", commit.id()));
    let before = parent.tree().map_err(failed())?;
    if let Some(entry) = tree::entry(Some(&before), path) {
        return Ok(entry.is_file().then(|| Located { path: path.to_owned(), entry }));
    }
    let after = commit.tree().map_err(failed())?;
    let changes = tree::changes(repository, Some(&before), Some(&after), Renames::Followed)?;
    let renamed = changes.into_iter().find(|change| change.new.as_ref().is_some_and(|new| new.path == path));
    Ok(renamed.and_then(|change| change.old))
}

/// Takes out the lines that an earlier version has as well, and numbers them as they are there.
fn pass(before: &[u8], after: &[u8], lines: &mut Vec<Line>) -> Result<Vec<Line>, GitError> {
    let hunks = lines::exact_hunks(before, after)?;
    let earlier = |line: &Line| {
        let last = hunks.iter().rev().find(|hunk| hunk.after.start <= line.here);
        let here = match last {
            Some(hunk) if hunk.after.contains(&line.here) => return None,
            Some(hunk) => hunk.before.end + (line.here - hunk.after.end),
            None => line.here,
        };
        Some(Line { here, ..*line })
    };
    let passed = lines.iter().filter_map(earlier).collect();
    lines.retain(|line| earlier(line).is_none());
    Ok(passed)
}
