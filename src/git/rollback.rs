//! Going back to an earlier tree: what changes, and whose later work goes with it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use git2::{Oid, Sort};

use super::brought::file;
use super::error::GitError;
use super::history::{Span, describe};
use super::loss::{self, Sides};
use super::own::is_ours;
use super::revision::Revision;
use super::selector::Selector;
use super::store::Store;
use super::tree::{self, Comparisons, Renames};
use crate::model::finding::Finding;
use crate::model::merge::{FileChange, Loss};

/// What going back comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Back {
    /// What changes, ordered by path.
    pub files: Vec<FileChange>,
    /// Work of the target's own that the earlier tree lacks.
    pub losses: Vec<Loss>,
    /// Words that chose nothing.
    pub findings: Vec<Finding>,
}

/// Where a rollback goes back to, and what it takes back.
pub struct Backwards<'a> {
    /// The target's tip.
    pub tip: &'a Revision,
    /// The commit whose tree comes again.
    pub before: &'a Revision,
    /// The source commits of the promotions since: their work goes by intent.
    pub brought: &'a [Revision],
}

/// Compares a tip with an earlier commit whose tree is to come again.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing; [`GitError::Unaccounted`].
pub fn back(store: &Store, way: &Backwards<'_>, accept_losses: &[String]) -> Result<Back, GitError> {
    let (wanted, tip) = (|| store.tree(way.before), || store.tree(way.tip));
    let sides = Sides {
        repository: &store.repository,
        compared: Rc::new(Comparisons::of(&store.repository)),
        base: Some(wanted()?),
        target: tip()?,
        tip: tip()?,
        source: wanted()?,
        result: wanted()?,
        span: Span::new(&store.repository, Some(way.before.oid()), way.tip.oid()),
        structured: BTreeMap::new(),
    };
    let own = Own::of(store, way)?;
    let mut losses = loss::report(&sides)?.losses;
    losses.retain_mut(|loss| own.has(loss));
    let accepts: Vec<Selector> = accept_losses.iter().map(|word| Selector::parse(word)).collect();
    let there: Vec<String> = losses.iter().map(super::selector::selector_of).collect();
    let idle =
        accepts.iter().filter(|accept| !losses.iter().any(|loss| accept.chooses(&loss.path, loss.lines)));
    let findings = idle.map(|accept| accept.unused("--accept-loss", &there)).collect();
    for loss in &mut losses {
        loss.accepted = accepts.iter().any(|accept| accept.chooses(&loss.path, loss.lines));
    }
    let changes = sides.compared.changes(Some(&sides.tip), &sides.result, Renames::Followed)?;
    let files = changes.iter().map(|change| file(&store.repository, change)).collect::<Result<_, _>>()?;
    Ok(Back { files, losses, findings })
}

/// The commits that somebody made in the target since: no promotion's and no rollback's, and in no source.
struct Own<'s> {
    store: &'s Store,
    /// The newest first, each with the paths that it touched.
    commits: Vec<(Oid, BTreeSet<String>)>,
}

impl<'s> Own<'s> {
    fn of(store: &'s Store, way: &Backwards<'_>) -> Result<Self, GitError> {
        let failed = || GitError::doing("cannot walk the history");
        let mut walk = store.repository.revwalk().map_err(failed())?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME).map_err(failed())?;
        walk.push(way.tip.oid()).map_err(failed())?;
        walk.hide(way.before.oid()).map_err(failed())?;
        for brought in way.brought.iter().filter(|brought| store.has(brought)) {
            walk.hide(brought.oid()).map_err(failed())?;
        }
        let mut commits = Vec::new();
        for oid in walk.filter_map(Result::ok) {
            let Ok(commit) = store.repository.find_commit(oid) else { continue };
            if commit.parent_count() < 2 && !is_ours(&commit) {
                let deeds = tree::deeds(&store.repository, &commit)?;
                commits.push((oid, tree::paths(&deeds).into_iter().map(str::to_owned).collect()));
            }
        }
        Ok(Self { store, commits })
    }

    /// Tells whether a loss is one of own work, and names the commit of it where lines do not tell.
    fn has(&self, loss: &mut Loss) -> bool {
        let known = |oid: &Oid| loss.commit.as_deref() == Some(oid.to_string().as_str());
        if loss.commit.is_none() || self.commits.iter().any(|(oid, _)| known(oid)) {
            return true;
        }
        if loss.lines.is_some() {
            return false;
        }
        // Of a whole file the last commit is named, and that may be the source's although somebody worked on it.
        let Some((oid, _)) = self.commits.iter().find(|(_, paths)| paths.contains(&loss.path)) else {
            return false;
        };
        if let Some(by) = describe(&self.store.repository, *oid) {
            (loss.commit, loss.subject) = (Some(by.commit), Some(by.subject));
            (loss.author, loss.date) = (Some(by.author), Some(by.date));
        }
        true
    }
}
