//! All reads: both sides, the merge, both configurations, the live schema. Nothing is changed.

use std::sync::Arc;
use std::time::Instant;

use crate::config::{Mask, Resolved};
use crate::git::{Pointer, Revision, Store, Submodules};
use crate::model::finding::Finding;
use crate::model::plan::Plan;
use crate::model::record::{Durations, Promoted, Record};
use crate::models::Models;

use super::error::PromotionError;
use super::gather::{self, Gathered};
use super::ground::Ground;
use super::known::Known;
use super::landing;
use super::look::{Looked, Looking};
use super::mask;
use super::observed::Histories;
use super::plan;
use super::request::{Ports, Request};
use super::site::Site;
use super::submodules;

/// A plan, and what applying it needs.
pub struct Scene {
    /// The decision.
    pub plan: Plan,
    /// What a person should know.
    pub findings: Vec<Finding>,
    /// What must not be seen in any output.
    pub mask: Mask,
    pub(super) stage: Stage,
}

/// What applying a plan needs beside it.
pub(super) struct Stage {
    pub(super) ground: Arc<Ground>,
    pub(super) gathered: Gathered,
    pub(super) merged: Aside,
    pub(super) records: Vec<Record>,
    /// What was merged since it was proposed, and is not recorded as promoted.
    pub(super) landed: Vec<Promoted>,
    pub(super) target: Option<Target>,
    pub(super) known: Option<Known>,
    pub(super) source_project: Option<String>,
    pub(super) target_project: Option<String>,
    pub(super) histories: Histories,
    /// How long it took so far.
    pub(super) durations: Durations,
}

/// Where the merge was made, and what it stands on.
pub(super) struct Aside {
    /// The objects that it made; they go with it unless somebody brings them away.
    pub(super) store: Store,
    /// The commit to stand on instead of the target's tip: there the reverts are undone.
    pub(super) onto: Option<Revision>,
    /// What it brings that points into a store of Git LFS.
    pub(super) pointers: Vec<Pointer>,
    /// Submodules that it takes to other commits.
    pub(super) submodules: Submodules,
}

/// The target environment of the merged project.
pub(super) struct Target {
    pub(super) resolved: Resolved,
    pub(super) models: Option<Models>,
}

/// Observes and decides.
///
/// Effects: reads repositories and the warehouse; another repository's objects go into the cache.
///
/// # Errors
///
/// [`PromotionError`] where it cannot go on; what stands in a promotion's way is the plan's outcome.
pub async fn observe(request: &Request, ports: &mut Ports<'_>) -> Result<Scene, PromotionError> {
    ports.git.inspect(|program| program.ask_ahead());
    let error = match once(request, ports).await {
        Err(error) if gather::may_be_the_cache(&error) => error,
        ended => return ended,
    };
    // What the cache lacks may be what failed: it is thrown away if so, and all is fetched anew.
    let Some(rebuilt) = gather::discard_broken(&Ground::find(ports)?, ports)? else { return Err(error) };
    let mut scene = Box::pin(once(request, ports)).await?;
    scene.findings.insert(0, rebuilt);
    Ok(scene)
}

async fn once(request: &Request, ports: &mut Ports<'_>) -> Result<Scene, PromotionError> {
    let ground = Arc::new(Ground::find(ports)?);
    let from = ground.site(&request.from, ports)?;
    let to = ground.site(&request.to, ports)?;
    observe_sites(request, ground, from, to, ports).await
}

/// Observes and decides for two sites that are known already.
pub(super) async fn observe_sites(
    request: &Request,
    ground: Arc<Ground>,
    from: Site,
    to: Site,
    ports: &mut Ports<'_>,
) -> Result<Scene, PromotionError> {
    let gathered = Gathered::of(&ground, from, to, ports)?;
    let mut scene = observe_gathered(request, ground, gathered, ports).await?;
    landing::look(&mut scene)?;
    submodules::look(&mut scene, ports)?;
    Ok(scene)
}

/// Observes and decides for two sides that are in one store already; asks no remote of a submodule, and does not
/// compare the target's history with its journal.
pub(super) async fn observe_gathered(
    request: &Request,
    ground: Arc<Ground>,
    gathered: Gathered,
    ports: &mut Ports<'_>,
) -> Result<Scene, PromotionError> {
    let began = Instant::now();
    let source = gathered.from.tip.clone().ok_or_else(|| gathered.from.no_branch())?;
    let records = gathered.records()?;
    let speculative = gathered.store.speculative()?;
    let target = (request.to.as_str(), gathered.to.tip.as_ref());
    let landed = landing::landed(&speculative, &records, target)?;
    let looking = Looking {
        request,
        ground: &ground,
        gathered: &gathered,
        store: &speculative,
        source,
        records: &records,
        landed: &landed,
    };
    let looked = looking.look(ports).await?;
    let Looked { observed, onto, pointers, submodules, target, known, source_project, target_project, mask } =
        looked;
    let histories = observed.histories;
    let mut findings = observed.findings.clone();
    let mut plan = plan::plan(observed, &request.said);
    mask::plan(&mut plan, &mask);
    mask::findings(&mut findings, &mask);
    let stage = Stage {
        ground,
        gathered,
        merged: Aside { store: speculative, onto, pointers, submodules },
        records,
        landed,
        target,
        known,
        source_project,
        target_project,
        histories,
        durations: Durations { plan_ms: milliseconds(began), ..Durations::default() },
    };
    Ok(Scene { plan, findings, mask, stage })
}

/// Gives how long something took.
pub(super) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
