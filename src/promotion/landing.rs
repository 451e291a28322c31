//! Promotions that waited for somebody to merge them: found again in the target, and then recorded as promotions.

use crate::git::{self, GitError, Revision, Sought, Store};
use crate::model::finding::Finding;
use crate::model::record::{Entry, Promoted, Record};

use super::error::PromotionError;
use super::gather::Gathered;
use super::ground::Ground;
use super::journal;
use super::ledger;
use super::observe::Scene;
use super::request::Ports;
use super::site::Site;

/// Lists the promotions into an environment that were merged since they were proposed and are not recorded as such.
///
/// Shape: with the commit that brought them, its tree, and the target as it was before.
pub(super) fn landed(
    store: &Store,
    records: &[Record],
    (to, tip): (&str, Option<&Revision>),
) -> Result<Vec<Promoted>, PromotionError> {
    let Some(tip) = tip else { return Ok(Vec::new()) };
    let mut landed = Vec::new();
    for proposed in ledger::proposed(records, to) {
        let ids = [&proposed.target_before, &proposed.commit, &proposed.tree].map(Option::as_deref);
        let [Some(before), Some(commit), Some(tree)] = ids else { continue };
        let (before, commit, tree) = (Revision::new(before)?, Revision::new(commit)?, Revision::new(tree)?);
        let sought = Sought { before: &before, commit: &commit, tree: &tree, plan_id: &proposed.plan_id };
        let Some(found) = git::landing(store, tip, sought)? else { continue };
        landed.push(Promoted {
            target_before: Some(found.before.to_string()),
            commit: Some(found.commit.to_string()),
            tree: Some(found.tree.to_string()),
            ..proposed.clone()
        });
    }
    Ok(landed)
}

/// Warns of promotions that the target's branch holds and its journal does not know: it was set back.
///
/// Shape: as far back as the last promotion that the journal knows.
pub(super) fn unknown(
    store: &Store,
    records: &[Record],
    (to, tip): (&str, Option<&Revision>),
) -> Result<Option<Finding>, PromotionError> {
    let Some(tip) = tip else { return Ok(None) };
    let last = ledger::standing(records, to).last().and_then(|(promoted, _)| promoted.commit.clone());
    let last = last.as_deref().map(Revision::new).transpose()?;
    let mut unknown = git::named_promotions(store, tip, last.as_ref(), to);
    unknown.retain(|(_, plan_id)| !ledger::knows(records, plan_id));
    if unknown.is_empty() {
        return Ok(None);
    }
    let commits: Vec<&str> = unknown.iter().map(|(commit, _)| commit.short()).collect();
    let message = format!(
        "the journal does not know {} of the promotions that are in `{to}`: {}",
        commits.len(),
        commits.join(", ")
    );
    let hint =
        "it was set back, or the branch came here without it: push `journal` again from a copy that has them";
    Ok(Some(Finding::warning("journal-behind", message).hint(hint)))
}

/// Warns of such promotions beside a plan.
pub(super) fn look(scene: &mut Scene) -> Result<(), PromotionError> {
    let stage = &scene.stage;
    let target = (scene.plan.to.as_str(), stage.gathered.to.tip.as_ref());
    scene.findings.extend(unknown(&stage.merged.store, &stage.records, target)?);
    Ok(())
}

/// Records what was merged since it was proposed.
///
/// Effects: records in the journal of the target's repository; nothing where there is nothing to record.
///
/// # Errors
///
/// [`PromotionError::Git`] if the repository cannot be reached or declines.
pub(super) fn record(
    ground: &Ground,
    (site, to): (&Site, &str),
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let mut tries = 0;
    loop {
        let gathered = Gathered::of(ground, site.clone(), site.clone(), ports)?;
        let records = gathered.records()?;
        if ledger::proposed(&records, to).is_empty() {
            return Ok(());
        }
        let speculative = gathered.store.speculative()?;
        let mut landed = landed(&speculative, &records, (to, gathered.to.tip.as_ref()))?;
        drop(speculative);
        if landed.is_empty() {
            return Ok(());
        }
        // One after the other: each record names its predecessor.
        let promoted = landed.swap_remove(0);
        let said = format!(
            "The promotion of {} to {} that was proposed is merged; that is recorded.",
            promoted.from, to
        );
        match journal::append(ground, &gathered, Entry::Promotion(Box::new(promoted)), ports) {
            Ok(()) => ports.says(said),
            Err(PromotionError::Git(GitError::JournalMoved { .. })) if tries < journal::TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Records what was merged since it was proposed, where a scene shows such.
///
/// # Errors
///
/// [`PromotionError::Git`] if the repository cannot be reached or declines.
pub(super) fn record_landed(scene: &Scene, ports: &mut Ports<'_>) -> Result<(), PromotionError> {
    if scene.stage.landed.is_empty() {
        return Ok(());
    }
    record(&scene.stage.ground, (&scene.stage.gathered.to.site, &scene.plan.to), ports)
}
