//! How every environment stands: one fetch per remote, and each next promotion looked at once its two sides are there.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::config::Mask;
use crate::git::{self, Revision, Store};
use crate::model::migration::MigrationState;
use crate::model::name::EnvironmentName;
use crate::model::plan::{Acknowledgements, Plan};
use crate::model::record::Record;
use crate::model::status::{EnvironmentStatus, LastPromotion, NextPromotion, Status};

use super::error::PromotionError;
use super::gather::{Brought, Gathered, Gathering, Side};
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
    let mut sites: Vec<(String, Site)> = Vec::new();
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
    let number = |name: &str| sites.iter().position(|(other, _)| other == name);
    let pairs = environments.iter_mut().filter_map(|shown| {
        let own = number(&shown.name)?;
        let place = order.iter().position(|name| name.as_str() == shown.name);
        let before = place.and_then(|place| order.get(place.checked_sub(1)?));
        let before = before.and_then(|name| Some((name.to_string(), number(name.as_str())?)));
        Some(Pair { shown, own, before })
    });
    let pairs = pairs.collect();
    let sites = sites.iter().map(|(_, site)| site.clone()).collect();
    let gathering = Gathering::begin(&ground, sites, ports)?;
    let objects = gathering.store.git_dir().to_path_buf();
    let common = Common { ground: Arc::clone(&ground), objects: &objects };
    let mask = look_at_all(&Board::of(pairs), gathering, &common, (runtime, ports))?;
    Ok(Standing { status: Status { environments }, mask })
}

/// An environment, and the one before it with its name; both by the number of their site.
struct Pair<'a> {
    shown: &'a mut EnvironmentStatus,
    own: usize,
    before: Option<(String, usize)>,
}

/// What is still to be looked at, and what has arrived for it.
struct Board<'a> {
    state: Mutex<State<'a>>,
    news: Condvar,
}

struct State<'a> {
    pairs: Vec<Pair<'a>>,
    sides: BTreeMap<usize, Brought>,
    /// Whether nothing arrives any more.
    closed: bool,
}

impl<'a> Board<'a> {
    fn of(pairs: Vec<Pair<'a>>) -> Self {
        let state = State { pairs, sides: BTreeMap::new(), closed: false };
        Self { state: Mutex::new(state), news: Condvar::new() }
    }

    fn held(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrived(&self, number: usize, brought: Brought) {
        self.held().sides.insert(number, brought);
        self.news.notify_all();
    }

    /// Waits for the next environment that all is there for, and takes it; none once there is no more.
    fn take(&self) -> Option<(Pair<'a>, Brought, Option<Brought>)> {
        let mut state = self.held();
        loop {
            let State { pairs, sides, closed } = &mut *state;
            let is_there = |pair: &Pair<'_>| {
                let mut numbers = pair.before.iter().map(|(_, number)| number).chain([&pair.own]);
                numbers.all(|number| sides.contains_key(number))
            };
            if let Some(place) = pairs.iter().position(is_there) {
                let pair = pairs.remove(place);
                let before = pair.before.as_ref().map(|(_, number)| sides[number].clone());
                let own = sides[&pair.own].clone();
                return Some((pair, own, before));
            }
            if pairs.is_empty() || *closed {
                return None;
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that nothing arrives any more when it goes, also where what brings it broke off.
struct Closing<'a, 'b>(&'a Board<'b>);

impl Drop for Closing<'_, '_> {
    fn drop(&mut self) {
        self.0.held().closed = true;
        self.0.news.notify_all();
    }
}

/// Fetches, and looks at environments side by side, as many at once as there are processors, each as soon as all is
/// there for it.
///
/// Shape: what must not be seen of it.
fn look_at_all(
    board: &Board<'_>,
    gathering: Gathering,
    common: &Common<'_>,
    (runtime, ports): (&Runtime, &mut Ports<'_>),
) -> Result<Mask, PromotionError> {
    let count = board.held().pairs.len();
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(count);
    ports.begins(format!("fetching and looking at {count} environments"));
    let mut mask = Mask::default();
    let world = ports.unheard();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let brought = thread::scope(|scope| {
        let ports = world();
        let bringing = scope.spawn(move || {
            let _closing = Closing(board);
            gathering
                .bring((ports.git, &ports.interrupted), &|number, brought| board.arrived(number, brought))
        });
        for _ in 0..workers {
            let (sender, world) = (sender.clone(), &world);
            scope.spawn(move || {
                let mut ports = world();
                // The plans need to know it, and meanwhile the remotes answer.
                common.ground.identity(&ports);
                while let Some((pair, own, before)) = board.take().filter(|_| !ports.is_interrupted()) {
                    let Pair { shown, before: named, .. } = pair;
                    let before = named.map(|(name, _)| name).zip(before);
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
        bringing.join()
    });
    drop(world);
    ports.ends();
    brought.map_err(|_| PromotionError::Interrupted)??;
    Ok(mask)
}

/// Fills in what can be known of an environment, and gives what must not be seen of it.
async fn look(
    shown: &mut EnvironmentStatus,
    own: Brought,
    before: Option<(String, Brought)>,
    common: &Common<'_>,
    ports: &mut Ports<'_>,
) -> Result<Mask, PromotionError> {
    let side = match own {
        Ok(side) => side,
        Err(problem) => {
            shown.problem = Some(problem);
            return Ok(Mask::default());
        }
    };
    let mut store = Store::local(common.objects)?;
    shown.tip = side.tip.as_ref().map(Revision::to_string);
    let records = git::read(&store, side.journal.as_ref())?;
    shown.hold = ledger::hold(&records, &shown.name).map(str::to_owned);
    shown.last = last(&records, &shown.name);
    let Some((name, before)) = before else { return Ok(Mask::default()) };
    shown.from = Some(name.clone());
    let (Ok(source), Some(tip)) = (before, &side.tip) else { return Ok(Mask::default()) };
    let Some(from) = &source.tip else { return Ok(Mask::default()) };
    let (ahead, behind) = store.ahead_behind(tip, from)?;
    (shown.ahead, shown.behind) = (Some(ahead as u64), Some(behind as u64));
    let mut no_migrate = false;
    loop {
        let said = Acknowledgements { no_migrate, ..Acknowledgements::default() };
        let request = Request { from: name.clone(), to: shown.name.clone(), said, run: false };
        match next(&request, (&source, &side), (common, store), ports).await {
            Ok((plan, hidden)) => {
                shown.next = Some(promotion(&plan));
                let store = Store::local(common.objects)?;
                shown.hotfixes = git::hotfixes(&store, (tip, from), &plan.merge)?;
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
