//! `--keep`: the target wins chosen hunks of the merge.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::GitError;
use super::layout;
use super::lines;
use super::loss::Sides;
use super::selector::Selector;
use super::tree::{self, Change, Edits, Entry, Located, Renames};
use crate::model::merge::{Loss, LossKind};

/// Gives the edits with which the chosen losses are none any more.
///
/// Shape: where lines are lost, the target's side of their hunk; where a whole file or a mode is, the
/// target's entry (also its absence).
pub(super) fn edits(sides: &Sides<'_>, losses: &[Loss], keeps: &[Selector]) -> Result<Edits, GitError> {
    let chosen = |loss: &&Loss| keeps.iter().any(|keep| keep.chooses(&loss.path, loss.lines));
    let mut by_path: BTreeMap<&str, Vec<&Loss>> = BTreeMap::new();
    for loss in losses.iter().filter(chosen) {
        by_path.entry(&loss.path).or_default().push(loss);
    }
    let mut edits = Edits::new();
    if by_path.is_empty() {
        return Ok(edits);
    }
    let moved = places(sides)?;
    for (path, losses) in by_path {
        let target = tree::entry(Some(&sides.target), path);
        let now = moved.get(path).cloned().or_else(|| {
            tree::entry(Some(&sides.result), path).map(|entry| Located { path: path.to_owned(), entry })
        });
        let whole = losses.iter().any(|loss| matches!(loss.kind, LossKind::File) || loss.lines.is_none());
        let mode_only = losses.iter().all(|loss| loss.kind == LossKind::Mode);
        match (target, now) {
            (Some(target), Some(now)) if mode_only => {
                edits.insert(now.path, Some(Entry { oid: now.entry.oid, mode: target.mode }));
            }
            (Some(target), Some(now)) if !whole => {
                let entry = hunks(sides, target, &now, &losses)?;
                edits.insert(now.path, Some(entry));
            }
            (target, now) => {
                // The target's name for it, and not the old one beside it.
                let elsewhere = now.filter(|now| now.path != path && target.is_some());
                let old = elsewhere.filter(|old| tree::entry(Some(&sides.target), &old.path).is_none());
                edits.extend(old.map(|old| (old.path, None)));
                edits.insert(path.to_owned(), target);
            }
        }
    }
    Ok(edits)
}

/// Maps the target's paths to where the result has their files.
fn places(sides: &Sides<'_>) -> Result<BTreeMap<String, Located>, GitError> {
    let changes = sides.compared.changes(Some(&sides.target), &sides.result, Renames::Followed)?;
    let moved = |change: &Change| Some((change.old.as_ref()?.path.clone(), change.new.clone()?));
    Ok(changes.iter().filter_map(moved).collect())
}

fn hunks(sides: &Sides<'_>, target: Entry, now: &Located, losses: &[&Loss]) -> Result<Entry, GitError> {
    let side = tree::bytes(sides.repository, target)?;
    let result = tree::bytes(sides.repository, now.entry)?;
    let wins = |range: &Range<usize>| losses.iter().any(|loss| touches(loss, range));
    let text = match layout::marked(&now.path, [&side, &result]) {
        Some([side, result]) => layout::unmarked(&lines::with_side(&side, &result, &wins)?),
        None => lines::with_side(&side, &result, &wins)?,
    };
    let oid =
        sides.repository.blob(&text).map_err(GitError::doing(format!("cannot write `{}`", now.path)))?;
    Ok(Entry { oid, mode: now.entry.mode })
}

/// Tells whether a loss lies in a hunk, given by the target's lines (from 0).
fn touches(loss: &Loss, hunk: &Range<usize>) -> bool {
    let Some(lines) = loss.lines else { return true };
    let (start, end) = (lines.start.saturating_sub(1) as usize, lines.end as usize);
    if loss.kind == LossKind::Deletion {
        hunk.start <= start && start <= hunk.end
    } else {
        hunk.start < end && start < hunk.end
    }
}
