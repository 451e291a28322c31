//! How every environment stands: one fetch per remote, side by side, then each next promotion looked at.

use crate::config::Mask;
use crate::git::{self, GitError, Revision, Store};
use crate::model::migration::MigrationState;
use crate::model::name::EnvironmentName;
use crate::model::plan::{Acknowledgements, Plan};
use crate::model::record::Record;
use crate::model::status::{EnvironmentStatus, LastPromotion, NextPromotion, Status};
use std::rc::Rc;

use super::error::PromotionError;
use super::gather::{Gathered, Side, gather_all};
use super::ground::Ground;
use super::ledger;
use super::observe;
use super::request::{Ports, Request};
use super::site::Site;

/// How the environments stand, and what must not be seen of it.
pub struct Standing {
    /// How they stand.
    pub status: Status,
    /// What must not be seen in any output.
    pub mask: Mask,
}

/// An environment whose workspace was found, with what its repository said.
struct Found {
    name: String,
    site: Site,
    side: Result<Side, GitError>,
}

/// Looks at every environment; changes nothing.
///
/// Shape: in the order of `promotion.order`, then as the file has them. What cannot be known of one is its
/// `problem`, and the others are shown all the same.
/// Effects: other repositories' objects go into the cache; warehouses are read.
///
/// # Errors
///
/// [`PromotionError::NoProject`] if there is no project; [`PromotionError::Git`] if the cache fails.
pub async fn status(ports: &mut Ports<'_>) -> Result<Standing, PromotionError> {
    let ground = Rc::new(Ground::find(ports)?);
    let project = ground.need_project(ports)?.written.project().clone();
    let order = &project.promotion.order;
    let rest = project.environments.iter().filter(|name| !order.contains(name));
    let names: Vec<EnvironmentName> = order.iter().chain(rest).cloned().collect();
    let mut environments = Vec::new();
    let mut sites = Vec::new();
    for name in &names {
        let mut shown = EnvironmentStatus { name: name.to_string(), ..EnvironmentStatus::default() };
        match ground.site(name.as_str(), ports) {
            Ok(site) => {
                (shown.repository, shown.branch) = (site.location.words(), site.branch.clone());
                sites.push((name.to_string(), site));
            }
            Err(error) => shown.problem = Some(error.to_string()),
        }
        environments.push(shown);
    }
    let (store, sides) = gather_all(&ground, sites.iter().map(|(_, site)| site.clone()).collect(), ports)?;
    let store = Rc::new(store);
    let found = sites.into_iter().zip(sides).map(|((name, site), side)| Found { name, site, side });
    let found: Vec<Found> = found.collect();
    let mut mask = Mask::default();
    for shown in &mut environments {
        let Some(own) = found.iter().find(|found| found.name == shown.name) else { continue };
        let before = names.iter().take_while(|name| name.as_str() != shown.name).last();
        let before = before.filter(|_| order.iter().any(|name| name.as_str() == shown.name));
        let before = before.and_then(|before| found.iter().find(|found| found.name == before.as_str()));
        if let Err(error) = look(shown, own, before, (&ground, &store, &mut mask), ports).await {
            shown.problem = Some(error.to_string());
        }
    }
    Ok(Standing { status: Status { environments }, mask })
}

/// Fills in what can be known of an environment.
async fn look(
    shown: &mut EnvironmentStatus,
    own: &Found,
    before: Option<&Found>,
    (ground, store, mask): (&Rc<Ground>, &Rc<Store>, &mut Mask),
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let side = match &own.side {
        Ok(side) => side,
        Err(error) => {
            shown.problem = Some(error.to_string());
            return Ok(());
        }
    };
    shown.tip = side.tip.as_ref().map(Revision::to_string);
    let records = git::read(store, side.journal.as_ref())?;
    shown.hold = ledger::hold(&records, &own.name).map(str::to_owned);
    shown.last = last(&records, &own.name);
    let Some(before) = before else { return Ok(()) };
    shown.from = Some(before.name.clone());
    let (Ok(source), Some(tip)) = (&before.side, &side.tip) else { return Ok(()) };
    let Some(from) = &source.tip else { return Ok(()) };
    let (ahead, behind) = store.ahead_behind(tip, from)?;
    (shown.ahead, shown.behind) = (Some(ahead as u64), Some(behind as u64));
    shown.hotfixes = git::own_commits(store, tip, from)?;
    for no_migrate in [false, true] {
        let said = Acknowledgements { no_migrate, ..Acknowledgements::default() };
        let request = Request { from: before.name.clone(), to: own.name.clone(), said, run: false };
        match next(&request, (before, source), (own, side), (ground, store), ports).await {
            Ok((plan, hidden)) => {
                shown.next = Some(promotion(&plan));
                mask.extend(hidden);
                break;
            }
            // Without its warehouse, merge and losses are still worth knowing.
            Err(error) if no_migrate || !matches!(error, PromotionError::Warehouse { .. }) => {
                return Err(error);
            }
            Err(error) => shown.problem = Some(error.to_string()),
        }
    }
    Ok(())
}

async fn next(
    request: &Request,
    (before, source): (&Found, &Side),
    (own, target): (&Found, &Side),
    (ground, store): (&Rc<Ground>, &Rc<Store>),
    ports: &mut Ports<'_>,
) -> Result<(Plan, Mask), PromotionError> {
    let gathered = Gathered {
        store: Rc::clone(store),
        from: Side { site: before.site.clone(), ..source.clone() },
        to: Side { site: own.site.clone(), ..target.clone() },
        refs: ground.refs(),
        memory: super::gather::cache_folder(ground, ports.cache),
    };
    let scene = observe::observe_gathered(request, Rc::clone(ground), gathered, ports).await?;
    Ok((scene.plan, scene.mask))
}

fn promotion(plan: &Plan) -> NextPromotion {
    let steps = &plan.migration.steps;
    let known = plan.migration.state == MigrationState::Known;
    NextPromotion {
        files: plan.merge.files.len() as u64,
        losses: plan.merge.losses.len() as u64,
        conflicts: plan.merge.conflicts.iter().filter(|conflict| conflict.resolution.is_none()).count()
            as u64,
        steps: known.then(|| steps.iter().filter(|step| !step.ddl.is_empty()).count() as u64),
        refused: steps.iter().filter(|step| step.blocks()).count() as u64,
    }
}

fn last(records: &[Record], name: &str) -> Option<LastPromotion> {
    let promoted = |record: &Record| {
        let promoted = ledger::promotion(record).filter(|promoted| promoted.to == name)?;
        Some(LastPromotion {
            number: record.number,
            at: record.at.clone(),
            by: record.by.clone(),
            from: promoted.from.clone(),
            commit: promoted.commit.clone(),
        })
    };
    records.iter().rev().find_map(promoted)
}
