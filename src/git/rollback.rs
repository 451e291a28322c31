//! Going back to an earlier tree: what changes, and whose later work goes with it.

use std::collections::BTreeMap;

use super::error::GitError;
use super::loss::{self, Sides};
use super::merge::file;
use super::revision::Revision;
use super::selector::Selector;
use super::store::Store;
use super::tree::{self, Renames};
use crate::model::finding::Finding;
use crate::model::merge::{FileChange, Loss};

/// What going back comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Back {
    /// What changes, ordered by path.
    pub files: Vec<FileChange>,
    /// Work since `since` that the earlier tree lacks.
    pub losses: Vec<Loss>,
    /// Words that chose nothing.
    pub findings: Vec<Finding>,
}

/// Compares a tip with an earlier tree that is to come again; `since` is the commit whose own work goes by intent.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing; [`GitError::Unaccounted`].
pub fn back(
    store: &Store,
    (tip, since): (&Revision, &Revision),
    tree: &Revision,
    accept_losses: &[String],
) -> Result<Back, GitError> {
    let wanted = || store.tree(tree);
    let sides = Sides {
        repository: &store.repository,
        base: Some(store.tree(since)?),
        target: store.tree(tip)?,
        tip: store.tree(tip)?,
        source: wanted()?,
        result: wanted()?,
        base_commit: Some(since.oid()),
        target_commit: tip.oid(),
        structured: BTreeMap::new(),
    };
    let mut losses = loss::report(&sides)?.losses;
    let accepts: Vec<Selector> = accept_losses.iter().map(|word| Selector::parse(word)).collect();
    let there: Vec<String> = losses.iter().map(super::selector::selector_of).collect();
    let idle =
        accepts.iter().filter(|accept| !losses.iter().any(|loss| accept.chooses(&loss.path, loss.lines)));
    let findings = idle.map(|accept| accept.unused("--accept-loss", &there)).collect();
    for loss in &mut losses {
        loss.accepted = accepts.iter().any(|accept| accept.chooses(&loss.path, loss.lines));
    }
    let changes = tree::changes(&store.repository, Some(&sides.tip), Some(&sides.result), Renames::Followed)?;
    let files = changes.iter().map(|change| file(&store.repository, change)).collect::<Result<_, _>>()?;
    Ok(Back { files, losses, findings })
}
