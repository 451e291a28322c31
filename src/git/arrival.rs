//! Whether the source's work arrives: a check on a merge that asks no engine how it was made.
//!
//! Where the target did nothing, the result holds exactly what the source holds. What is kept from arriving
//! (protected, settled, not chosen) is known and left out of account; anything else stops the promotion.

use std::collections::BTreeSet;

use git2::Oid;

use super::error::GitError;
use super::loss::Sides;
use super::tree::{self, Renames};

/// Checks that every change of the source arrives, but for paths that something known keeps from arriving.
///
/// # Errors
///
/// [`GitError::NotArrived`] with every path.
pub(super) fn check(sides: &Sides<'_>, is_known: &dyn Fn(&str) -> bool) -> Result<(), GitError> {
    let own = sides.own()?;
    let own = tree::paths(&own);
    let differ = sides.compared.changes(Some(&sides.source), &sides.result, Renames::Ignored)?;
    let differ = tree::paths(&differ);
    let mut missing = Vec::new();
    for change in &*sides.wanted()? {
        if change.sides().any(|side| own.contains(side.path.as_str()) || is_known(&side.path)) {
            continue;
        }
        missing.extend(change.sides().filter(|side| differ.contains(side.path.as_str())).cloned());
    }
    if missing.is_empty() {
        return Ok(());
    }
    // A file that came into a folder that the target has renamed is there, at another path.
    let came = sides.compared.changes(Some(&sides.target), &sides.result, Renames::Ignored)?;
    let moved: BTreeSet<Oid> =
        came.iter().filter_map(|change| change.new.as_ref()).map(|new| new.entry.oid).collect();
    missing.retain(|side| !moved.contains(&side.entry.oid));
    let mut paths: Vec<String> = missing.into_iter().map(|side| side.path).collect();
    paths.dedup();
    if paths.is_empty() { Ok(()) } else { Err(GitError::NotArrived { paths }) }
}
