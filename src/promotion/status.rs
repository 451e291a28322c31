//! How every environment stands: one fetch per remote, then each next promotion looked at; both side by side.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::config::Mask;
use crate::git::{self, GitError, Revision, Store};
use crate::model::migration::MigrationState;
use crate::model::name::EnvironmentName;
use crate::model::plan::{Acknowledgements, Plan};
use crate::model::record::Record;
use crate::model::status::{EnvironmentStatus, LastPromotion, NextPromotion, Status};

use super::error::PromotionError;
use super::gather::{Gathered, Side, gather_all};
use super::ground::Ground;
use super::ledger;
use super::observe;
use super::request::{Ports, Request};

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
    side: Result<Side, GitError>,
}

/// What all environments are looked at with.
struct Common<'a> {
    ground: Arc<Ground>,
    /// Where the objects of all are.
    objects: &'a Path,
}

/// Looks at every environment; changes nothing.
///
/// Shape: in the order of `promotion.order`, then as the file has them. What cannot be known of one is its
/// `problem`, and the others are shown all the same.
/// Effects: other repositories' objects go into the cache; warehouses are read, several at once.
///
/// # Errors
///
/// [`PromotionError::NoProject`] if there is no project; [`PromotionError::Git`] if the cache fails.
pub fn status(runtime: &Runtime, ports: &mut Ports<'_>) -> Result<Standing, PromotionError> {
    ports.git.inspect(|program| program.ask_ahead());
    let ground = Arc::new(Ground::find(ports)?);
    let project = ground.need_project(ports)?.written.project();
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
    let found = sites.into_iter().zip(sides).map(|((name, _), side)| Found { name, side });
    let found: Vec<Found> = found.collect();
    let common = Common { ground: Arc::clone(&ground), objects: store.git_dir() };
    let pairs = environments.iter_mut().filter_map(|shown| {
        let own = found.iter().find(|found| found.name == shown.name)?;
        let place = order.iter().position(|name| name.as_str() == shown.name);
        let before = place.and_then(|place| order.get(place.checked_sub(1)?));
        Some((shown, own, before.and_then(|name| found.iter().find(|found| found.name == name.as_str()))))
    });
    let mask = look_at_all(pairs.collect(), &common, (runtime, ports));
    Ok(Standing { status: Status { environments }, mask })
}

/// An environment, and the one before it.
type Pair<'a> = (&'a mut EnvironmentStatus, &'a Found, Option<&'a Found>);

/// Looks at environments side by side, as many at once as there are processors.
///
/// Shape: what must not be seen of it.
fn look_at_all(
    pairs: Vec<Pair<'_>>,
    common: &Common<'_>,
    (runtime, ports): (&Runtime, &mut Ports<'_>),
) -> Mask {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(pairs.len());
    ports.begins(format!("looking at {} environments", pairs.len()));
    let mut mask = Mask::default();
    let next = Mutex::new(pairs.into_iter());
    let world = ports.unheard();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, world) = (sender.clone(), &next, &world);
            scope.spawn(move || {
                let mut ports = world();
                let take = || next.lock().map(|mut pairs| pairs.next()).ok().flatten();
                while let Some((shown, own, before)) = take().filter(|_| !ports.is_interrupted()) {
                    let looked = runtime.handle().block_on(look(shown, own, before, common, &mut ports));
                    match looked {
                        Ok(mask) => sender.send(mask).unwrap_or_default(),
                        Err(error) => shown.problem = Some(error.to_string()),
                    }
                }
            });
        }
        drop(sender);
        // Whoever waits for a warehouse is woken by the runtime, and that only runs in here.
        runtime.block_on(async {
            while let Some(hidden) = receiver.recv().await {
                mask.extend(hidden);
            }
        });
    });
    drop(world);
    ports.ends();
    mask
}

/// Fills in what can be known of an environment, and gives what must not be seen of it.
async fn look(
    shown: &mut EnvironmentStatus,
    own: &Found,
    before: Option<&Found>,
    common: &Common<'_>,
    ports: &mut Ports<'_>,
) -> Result<Mask, PromotionError> {
    let side = match &own.side {
        Ok(side) => side,
        Err(error) => {
            shown.problem = Some(error.to_string());
            return Ok(Mask::default());
        }
    };
    let mut store = Store::local(common.objects)?;
    shown.tip = side.tip.as_ref().map(Revision::to_string);
    let records = git::read(&store, side.journal.as_ref())?;
    shown.hold = ledger::hold(&records, &own.name).map(str::to_owned);
    shown.last = last(&records, &own.name);
    let Some(before) = before else { return Ok(Mask::default()) };
    shown.from = Some(before.name.clone());
    let (Ok(source), Some(tip)) = (&before.side, &side.tip) else { return Ok(Mask::default()) };
    let Some(from) = &source.tip else { return Ok(Mask::default()) };
    let (ahead, behind) = store.ahead_behind(tip, from)?;
    (shown.ahead, shown.behind) = (Some(ahead as u64), Some(behind as u64));
    shown.hotfixes = git::own_commits(&store, tip, from)?;
    let mut no_migrate = false;
    loop {
        let said = Acknowledgements { no_migrate, ..Acknowledgements::default() };
        let request = Request { from: before.name.clone(), to: own.name.clone(), said, run: false };
        match next(&request, (source, side), (common, store), ports).await {
            Ok((plan, hidden)) => {
                shown.next = Some(promotion(&plan));
                return Ok(hidden);
            }
            // Without its warehouse, merge and losses are still worth knowing.
            Err(error @ PromotionError::Warehouse { .. }) if !no_migrate => {
                shown.problem = Some(error.to_string());
                (no_migrate, store) = (true, Store::local(common.objects)?);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn next(
    request: &Request,
    (source, target): (&Side, &Side),
    (common, store): (&Common<'_>, Store),
    ports: &mut Ports<'_>,
) -> Result<(Plan, Mask), PromotionError> {
    let ground = &common.ground;
    let gathered = Gathered {
        store,
        from: source.clone(),
        to: target.clone(),
        refs: ground.refs(),
        memory: super::gather::cache_folder(ground, ports.cache),
    };
    let scene = observe::observe_gathered(request, Arc::clone(ground), gathered, ports).await?;
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
