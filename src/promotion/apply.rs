//! All writes: exactly the plan, or nothing. Lock, look again, migrate, push, and what comes after.
//!
//! The order is the safety: the schema goes first, its record in the same transaction; branch, journal
//! and lock move together afterwards. A run that was cut short anywhere is finished by the next one: what
//! the warehouse recorded and the journal does not hold goes into the next record.

use std::time::Instant;

use crate::git::{self, CommitMessage, GitError, Lock, Revision};
use crate::migration::Half;
use crate::model::environment::Migrate;
use crate::model::finding::Finding;
use crate::model::outcome::Outcome;
use crate::model::plan::Plan;
use crate::model::record::{AppliedMigration, Entry};

use super::error::PromotionError;
use super::gather::Gathered;
use super::journal;
use super::landing;
use super::ledger::{self, Circumstances};
use super::lock;
use super::observe::{Scene, Stage, milliseconds, observe};
use super::observed::Histories;
use super::propose::propose;
use super::publish::{Move, prepare_work_tree, publish};
use super::recover;
use super::request::{Ports, Request};
use super::schema::Applying;
use super::site::Location;
use super::stores;

/// What to do where something moved since the plan was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnMove {
    /// Plan again, and go on where nothing that was confirmed differs, nor the source.
    PlanAgain,
    /// Plan again, and go on where no loss, value or step differs: nobody looked at the source's files.
    Follow,
    /// Stop: it is that plan or none.
    Stop,
}

impl OnMove {
    /// Whether a plan that was made anew may stand for the one that was confirmed.
    pub fn accepts(self, now: &Plan, confirmed: &Plan) -> bool {
        let seen = match self {
            Self::PlanAgain => now.source == confirmed.source,
            Self::Follow => true,
            Self::Stop => false,
        };
        seen && now.is_as_confirmed(confirmed)
    }
}

/// What applying a plan came to.
pub struct Applied {
    /// The plan, with outcome and the target's new tip.
    pub plan: Plan,
    /// What a person should know.
    pub findings: Vec<Finding>,
    /// What is needed to build the models.
    pub(super) stage: Stage,
}

impl Applied {
    /// Gives the dataset that it was for.
    pub fn dataset(&self) -> Option<String> {
        self.stage.target.as_ref()?.resolved.environment.dataset.as_ref().map(ToString::to_string)
    }
}

/// Carries out a plan.
///
/// Effects: in this order: the lock; statements and their record in the warehouse, in one transaction; branch,
/// journal and lock in one push; the work tree of a checked-out branch; forced statements; their record.
/// Whatever fails before the push leaves the branch as it was and gives the lock back.
///
/// # Errors
///
/// [`PromotionError::Stale`] if anything moved since the plan; [`PromotionError::Partial`] where one half is
/// done and the other is not, with the command that ends it.
pub async fn apply(
    scene: Scene,
    request: &Request,
    on_move: OnMove,
    ports: &mut Ports<'_>,
) -> Result<Applied, PromotionError> {
    border("planned", ports);
    landing::record_landed(&scene, ports)?;
    if let Some(proposal) = scene.plan.proposal.clone() {
        return propose(scene, proposal, request, ports);
    }
    recover::catch_up(&scene.stage.gathered, ports)?;
    let mut scene = scene;
    let purpose = (format!("promote {} {}", scene.plan.from, scene.plan.to), scene.plan.plan_id.clone());
    let began = Instant::now();
    let lock = lock::take(&scene.stage.ground, &scene.stage.gathered, purpose, ports)?;
    scene.stage.durations.lock_ms = milliseconds(began);
    border("locked", ports);
    if let Some(after) = recover::finish_cut_short(&scene.stage, &lock, ports)? {
        return Box::pin(recover::go_on(scene, after, request, ports)).await;
    }
    match under_lock(&mut scene, request, (&lock, on_move), ports).await {
        Ok(after) => finish(scene, after, request, ports).await,
        Err(error) => {
            lock::give_back_after(&error, (&scene.stage.ground, &scene.stage.gathered), &lock, ports);
            Err(error)
        }
    }
}

/// Ends what others began, where there is nothing else to do: records what was merged since it was proposed, brings a
/// work tree after its branch, and gives back the lock of a run that was killed at its very end.
///
/// # Errors
///
/// [`PromotionError::Git`] if the repository cannot be reached or declines.
pub fn settle(scene: &Scene, ports: &mut Ports<'_>) -> Result<(), PromotionError> {
    landing::record_landed(scene, ports)?;
    recover::catch_up(&scene.stage.gathered, ports)?;
    lock::give_back_left(&scene.stage.ground, &scene.stage.gathered, ports)
}

/// Where a crash test ends the process.
pub(super) fn border(name: &str, ports: &Ports<'_>) {
    if ports.crash_at == Some(name) {
        crash(ports.pid);
    }
}

/// Ends this process as hard as `kill -9` does.
pub(super) fn crash(pid: u32) {
    if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0)) {
        // A process that may not kill itself goes on, and the test that asked for it says so.
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap_or_default();
    }
}

/// What happens between the lock and the push; gives the target's new tip, if it moved.
async fn under_lock(
    scene: &mut Scene,
    request: &Request,
    (lock, on_move): (&Lock, OnMove),
    ports: &mut Ports<'_>,
) -> Result<Option<Revision>, PromotionError> {
    // The push that took the lock has looked; before tables change, it is looked a last time.
    if !lock.unmoved || migrates(scene) {
        as_confirmed(scene, request, on_move, ports).await?;
    }
    let Scene { plan, stage, .. } = scene;
    border("checked", ports);
    ports.stop_if_asked()?;
    let by = stage.ground.identity(ports).to_string();
    let applying = applying(plan, &by, request);
    let begun = stage.known.as_ref().filter(|_| migrate(stage) == Migrate::Promotion);
    if let Some(entry) = begun.and_then(|known| known.begun(&applying, ports)) {
        journal::append(&stage.ground, &stage.gathered, entry, ports)?;
        look_again(stage, ports)?;
    }
    if let (Some(known), Migrate::Promotion) = (&stage.known, migrate(stage)) {
        let began = Instant::now();
        known.apply(&applying, Half::BeforePush, ports).await?;
        stage.durations.migration_ms = milliseconds(began);
    }
    border("migrated", ports);
    push(plan, stage, request, lock, ports).await.map_err(|error| partial_if_migrated(error, plan, stage))
}

/// Whether tables are to change before the push.
fn migrates(scene: &Scene) -> bool {
    let stage = &scene.stage;
    stage.known.is_some() && migrate(stage) == Migrate::Promotion && !scene.plan.migration.steps.is_empty()
}

fn applying<'a>(plan: &'a Plan, by: &'a str, request: &'a Request) -> Applying<'a> {
    Applying { migration: &plan.migration, plan_id: &plan.plan_id, by, said: &request.said }
}

/// Who applies the target's migration.
pub(super) fn migrate(stage: &Stage) -> Migrate {
    stage.target.as_ref().map(|target| target.resolved.environment.migrate).unwrap_or_default()
}

/// The schema is ahead of the code when the push fails after a migration.
fn partial_if_migrated(error: PromotionError, plan: &Plan, stage: &Stage) -> PromotionError {
    let ran = plan.migration.steps.iter().any(|step| !step.ddl.is_empty() && !step.after_push);
    if !ran || migrate(stage) != Migrate::Promotion {
        return error;
    }
    PromotionError::Partial {
        what: format!("the schema of `{}` is migrated, its branch has not moved", plan.to),
        command: crate::report::command_with(plan, &[]),
        source: Box::new(error),
    }
}

/// Checks under the lock that neither side moved since the plan; where one did, makes the plan anew.
///
/// Many may wait for one branch. Whoever has its lock plans under it, because the branch would have moved again
/// by the time that he has planned without. The lock of a local branch has to name the plan that is carried out, because
/// its refs move one after the other (see [`recover`]): there it is planned again without it.
///
/// # Errors
///
/// [`PromotionError::Stale`] if it is to stop then, or if anything that was confirmed differs.
async fn as_confirmed(
    scene: &mut Scene,
    request: &Request,
    on_move: OnMove,
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let local = matches!(scene.stage.gathered.to.site.location, Location::Local(_));
    let moved = match look_again(&mut scene.stage, ports) {
        Err(moved @ PromotionError::Stale { .. }) if on_move != OnMove::Stop && !local => moved,
        ended => return ended,
    };
    let mut now = observe(request, ports).await?;
    if !on_move.accepts(&now.plan, &scene.plan) || !now.stage.landed.is_empty() {
        return Err(moved);
    }
    ports.says(format!("{moved}; planned again, and nothing that was confirmed differs."));
    now.stage.durations.lock_ms = scene.stage.durations.lock_ms;
    *scene = now;
    Ok(())
}

/// Checks under the lock that neither side moved since the plan.
pub(super) fn look_again(stage: &mut Stage, ports: &mut Ports<'_>) -> Result<(), PromotionError> {
    let before = &stage.gathered;
    let now = Gathered::of(&stage.ground, before.from.site.clone(), before.to.site.clone(), ports)?;
    for (one, other, what) in [
        (&before.to.tip, &now.to.tip, format!("branch `{}` of the target", before.to.site.branch)),
        (&before.from.tip, &now.from.tip, format!("branch `{}` of the source", before.from.site.branch)),
    ] {
        if one != other {
            return Err(PromotionError::Stale { what: format!("{what} moved since the plan was made") });
        }
    }
    stage.gathered = now;
    stage.records = stage.gathered.records()?;
    Ok(())
}

/// Does what ends with a record in the journal; where another environment's came before it, does it again behind that.
pub(super) fn behind_the_last<T>(
    stage: &mut Stage,
    ports: &mut Ports<'_>,
    mut publish: impl FnMut(&Stage, &mut Ports<'_>) -> Result<T, PromotionError>,
) -> Result<T, PromotionError> {
    for _ in 1..journal::TRIES {
        match publish(stage, ports) {
            Err(PromotionError::Git(GitError::JournalMoved { .. })) => look_again(stage, ports)?,
            ended => return ended,
        }
    }
    publish(stage, ports)
}

/// Makes the commit and the record, and moves branch, journal and lock together.
async fn push(
    plan: &Plan,
    stage: &mut Stage,
    request: &Request,
    lock: &Lock,
    ports: &mut Ports<'_>,
) -> Result<Option<Revision>, PromotionError> {
    let after = if stage.histories == Histories::Contained {
        None
    } else {
        Some(commit(plan, stage, request, ports)?)
    };
    let by = stage.ground.identity(ports).to_string();
    let migrations = unrecorded(stage, &applying(plan, &by, request), ports).await?;
    let circumstances = Circumstances {
        commit: after.as_ref().map(Revision::to_string),
        source_project: stage.source_project.clone(),
        target_project: stage.target_project.clone(),
        unrelated: stage.histories == Histories::Unrelated,
        migrate: migrate(stage),
        migrations,
        durations: stage.durations,
    };
    let entry = Entry::Promotion(Box::new(ledger::promoted(plan, circumstances)));
    behind_the_last(stage, ports, |stage, ports| {
        let gathered = &stage.gathered;
        let before = gathered.to.journal.as_ref();
        let journal = journal::record((&stage.ground, gathered), before, entry.clone(), ports)?;
        border("committed", ports);
        ports.stop_if_asked()?;
        if let Some(after) = &after {
            prepare_work_tree(gathered, after)?;
        }
        let moved = Move::of(gathered, after.as_ref(), &journal).unlocking(lock);
        publish(&stage.ground, gathered, &moved, ports)
    })?;
    border("published", ports);
    Ok(after)
}

/// Brings what was merged aside to where it stays, and makes the commit of exactly the planned tree.
pub(super) fn commit(
    plan: &Plan,
    stage: &Stage,
    request: &Request,
    ports: &mut Ports<'_>,
) -> Result<Revision, PromotionError> {
    let gathered = &stage.gathered;
    let source = gathered
        .from
        .tip
        .as_ref()
        .ok_or_else(|| PromotionError::Stale { what: "the source is gone".to_owned() })?;
    let tree = Revision::new(plan.target.tree.as_deref().unwrap_or_default())?;
    let merged = &stage.merged;
    for made in merged.onto.iter().chain([&tree]) {
        gathered.store.adopt(&merged.store, made)?;
    }
    stores::carry(gathered, &merged.pointers, ports)?;
    let identity = stage.ground.identity(ports);
    // The first parent is the target's past: `git log --first-parent` tells its promotions.
    let before = merged.onto.as_ref().or(gathered.to.tip.as_ref());
    // With the source as a parent, what was not chosen would count as merged.
    let second = if request.said.is_partial() { None } else { Some(source) };
    let parents: Vec<&Revision> = before.into_iter().chain(second).collect();
    let more = plan.merge.part.iter().flat_map(|part| {
        let commit = part.commit.clone().map(|commit| ("Promote-Only-Commit", commit));
        part.path.clone().map(|path| ("Promote-Only", path)).into_iter().chain(commit)
    });
    let left_out = plan.merge.reverted.iter().filter(|_| request.said.leave_out);
    let more = more.chain(left_out.map(|reverted| (git::LEFT_OUT, reverted.commit.clone())));
    let message = CommitMessage {
        subject: format!("Promote {} to {}", plan.from, plan.to),
        body: String::new(),
        trailers: [
            ("Promote-From", plan.from.clone()),
            ("Promote-To", plan.to.clone()),
            ("Promote-Source", plan.source.commit.clone()),
            ("Promote-Plan", plan.plan_id.clone()),
            ("Promote-By", identity.to_string()),
            ("Promote-Engine", plan.merge.engine.clone()),
        ]
        .into_iter()
        .chain(more)
        .map(|(key, value)| (key.to_owned(), value))
        .collect(),
    };
    Ok(git::commit(&gathered.store, &tree, &parents, &message, &identity)?)
}

/// Gives the migrations that the warehouse holds and the journal does not: this run's, and those of a run
/// that was cut short.
async fn unrecorded(
    stage: &Stage,
    applying: &Applying<'_>,
    ports: &mut Ports<'_>,
) -> Result<Vec<AppliedMigration>, PromotionError> {
    match (&stage.known, migrate(stage)) {
        (Some(known), Migrate::Promotion) => {
            let recorded = known.recorded(applying, ports).await?;
            Ok(ledger::unrecorded(&recorded, &stage.records))
        }
        _ => Ok(Vec::new()),
    }
}

/// What comes after the push: the work tree, forced steps, their record.
pub(super) async fn finish(
    scene: Scene,
    after: Option<Revision>,
    request: &Request,
    ports: &mut Ports<'_>,
) -> Result<Applied, PromotionError> {
    let Scene { mut plan, findings, mut stage, .. } = scene;
    if let Location::Local(folder) = &stage.gathered.to.site.location {
        git::finish(folder)?;
    }
    plan.target.after = after.map(|after| after.to_string());
    forced(&plan, &mut stage, request, ports).await.map_err(|error| PromotionError::Partial {
        what: format!("the branch of `{}` has moved, its schema still lacks what was let through", plan.to),
        command: crate::report::command_with(&plan, &[]),
        source: Box::new(error),
    })?;
    border("recorded", ports);
    plan.outcome = Outcome::Promoted;
    plan.next.clear();
    Ok(Applied { plan, findings, stage })
}

/// Applies what was let through, and records that it was.
async fn forced(
    plan: &Plan,
    stage: &mut Stage,
    request: &Request,
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    if migrate(stage) != Migrate::Promotion {
        return Ok(());
    }
    let by = stage.ground.identity(ports).to_string();
    let applying = applying(plan, &by, request);
    let Some(known) = &stage.known else { return Ok(()) };
    if !known.apply(&applying, Half::AfterPush, ports).await? {
        return Ok(());
    }
    let site = stage.gathered.to.site.clone();
    stage.gathered = Gathered::of(&stage.ground, stage.gathered.from.site.clone(), site, ports)?;
    stage.records = stage.gathered.records()?;
    let migrations = unrecorded(stage, &applying, ports).await?;
    let entry = Entry::Followed {
        plan_id: plan.plan_id.clone(),
        what: "migrated".to_owned(),
        detail: "what was let through is applied".to_owned(),
        migrations,
    };
    journal::append(&stage.ground, &stage.gathered, entry, ports)
}
