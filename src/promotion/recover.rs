//! A run that was killed between the refs of a local repository: its record is there, its branch has not moved.
//!
//! A remote's refs move in one transaction of the server; those of a local repository move one after the
//! other, the journal first and the lock last. So a lock that a dead run left, whose token is that of the last
//! record, says that the branch still has to follow.

use crate::git::{self, Lock, Revision};
use crate::model::record::Promoted;

use super::apply::{Applied, finish};
use super::error::PromotionError;
use super::gather::Gathered;
use super::ledger;
use super::observe::{Scene, Stage};
use super::publish::{Move, prepare_work_tree, publish};
use super::request::{Ports, Request};
use super::site::Location;

/// Moves the branch to where the record of a run that was cut short says it is.
///
/// Shape: the commit, where there was such a run.
/// Effects: branch and lock move; the work tree of a checked-out branch is told.
///
/// # Errors
///
/// [`PromotionError::Git`] if a ref cannot be moved.
pub(super) fn finish_cut_short(
    stage: &Stage,
    lock: &Lock,
    ports: &mut Ports<'_>,
) -> Result<Option<Revision>, PromotionError> {
    let gathered = &stage.gathered;
    if !matches!(gathered.to.site.location, Location::Local(_)) {
        return Ok(None);
    }
    let Some((_, after)) = cut_short(stage, lock)? else { return Ok(None) };
    let Some(journal) = &gathered.to.journal else { return Ok(None) };
    prepare_work_tree(gathered, &after)?;
    let moved = Move::of(gathered, Some(&after), journal).unlocking(lock);
    publish(&stage.ground, gathered, &moved, ports)?;
    ports.says("An earlier run was killed while it moved the branch; that is finished now.");
    Ok(Some(after))
}

/// Brings the work tree of a checked-out target after its branch, where a run was killed in between.
///
/// # Errors
///
/// [`PromotionError::Git`] if it has changes of its own, or cannot be written.
pub(super) fn catch_up(gathered: &Gathered, ports: &mut Ports<'_>) -> Result<(), PromotionError> {
    let Location::Local(folder) = &gathered.to.site.location else { return Ok(()) };
    if !git::finish(folder)?.is_empty() {
        ports.says(
            "An earlier run was stopped before the work tree followed its branch; it has followed now.",
        );
    }
    Ok(())
}

/// Gives the last promotion and its commit, where its branch has not moved there.
fn cut_short<'a>(stage: &'a Stage, lock: &Lock) -> Result<Option<(&'a Promoted, Revision)>, PromotionError> {
    let Some(dead) = &lock.taken_over else { return Ok(None) };
    let promoted = stage.records.iter().rev().find_map(|record| ledger::promotion(record));
    let Some(promoted) = promoted.filter(|promoted| promoted.plan_id == dead.token) else { return Ok(None) };
    let tip = stage.gathered.to.tip.as_ref().map(Revision::as_str);
    let Some(commit) = promoted.commit.as_deref().filter(|_| promoted.target_before.as_deref() == tip) else {
        return Ok(None);
    };
    let after = Revision::new(commit)?;
    Ok(stage.gathered.store.has(&after).then_some((promoted, after)))
}

/// Goes on after the branch has followed: the same plan is done, another one has to be made anew.
///
/// # Errors
///
/// [`PromotionError::Stale`] if the run that was cut short carried another change.
pub(super) async fn go_on(
    scene: Scene,
    after: Revision,
    request: &Request,
    ports: &mut Ports<'_>,
) -> Result<Applied, PromotionError> {
    let Scene { plan, stage, .. } = &scene;
    let last = stage.records.iter().rev().find_map(|record| ledger::promotion(record));
    let same = last.is_some_and(|promoted| {
        promoted.source_commit == plan.source.commit && promoted.tree == plan.target.tree
    });
    if same {
        return finish(scene, Some(after), request, ports).await;
    }
    if let Location::Local(folder) = &stage.gathered.to.site.location {
        git::finish(folder)?;
    }
    Err(PromotionError::Stale { what: "the target moved: an earlier run was finished".to_owned() })
}
