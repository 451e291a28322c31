//! What CI does: plans on a pull request; on a push migrates, builds, and keeps the record.

use crate::ci::{CiContext, Trigger, same_repository};
use crate::config::{Chosen, Flags};
use crate::git::{GitError, Revision, Store};
use crate::model::environment::{Migrate, Via};
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::model::plan::{Acknowledgements, Run};
use crate::model::record::{AppliedMigration, Entry};
use crate::transform::{RunResult, RunStatus};
use std::sync::Arc;

use super::error::PromotionError;
use super::gather::{Gathered, Side};
use super::ground::{Ground, inputs};
use super::journal;
use super::landing;
use super::ledger;
use super::load;
use super::migrate::{Migrating, plan_migration, who};
use super::observe::{self, Scene};
use super::reading::Reading;
use super::request::{Ports, Request};
use super::run;
use super::site::{self, Location, Site};
use super::submodules;

/// What CI is asked to do.
pub struct CiRequest {
    /// The environment; absent: the one whose workspace is this repository and branch.
    pub environment: Option<String>,
    /// Where it runs.
    pub context: CiContext,
    /// What is said beside what the promotion's record holds.
    pub said: Acknowledgements,
    /// Whether the models are built.
    pub run: bool,
}

/// What came of a push.
pub struct CiPush {
    /// The environment, as the pushed commit has it.
    pub reading: Reading,
    /// What was said, the record's part included.
    pub said: Acknowledgements,
    /// The migration; absent where CI has none to make.
    pub migrating: Option<Migrating>,
    /// Whether something stood in the way: then nothing was done, and the environment is on hold.
    pub refused: bool,
    /// The models that were to be built.
    pub runs: Vec<Run>,
    /// What came of them.
    pub results: Vec<RunResult>,
}

/// Plans the promotion that merging a pull request would be; changes nothing.
///
/// # Errors
///
/// [`PromotionError`] where it cannot go on.
pub async fn ci_plan(request: &CiRequest, ports: &mut Ports<'_>) -> Result<Scene, PromotionError> {
    let Trigger::PullRequest { source_branch, target_branch, commit } = &request.context.trigger else {
        return Err(PromotionError::NotInCi);
    };
    let store = Store::local(ports.folder)?;
    let source = store.resolve(commit.as_deref().unwrap_or("HEAD"))?;
    let ground = Ground::at_commit(&store, &source, ports)?;
    let name = environment(request, &ground, target_branch, ports)?;
    let asked = Request { from: source_branch.clone(), to: name, said: request.said.clone(), run: false };
    let gathered = checkout(store, &ground, (source, source_branch), target_branch)?;
    let mut scene = observe::observe_gathered(&asked, Arc::new(ground), gathered, ports).await?;
    landing::look(&mut scene)?;
    submodules::unasked(&mut scene);
    Ok(scene)
}

/// Both sides as a checkout for a pull request has them.
fn checkout(
    store: Store,
    ground: &Ground,
    (source, source_branch): (Revision, &str),
    target_branch: &str,
) -> Result<Gathered, PromotionError> {
    let folder = store.git_dir().to_path_buf();
    let tip = match store.tip(&format!("refs/remotes/origin/{target_branch}"))? {
        Some(tip) => Some(tip),
        None => store.tip(&format!("refs/heads/{target_branch}"))?,
    };
    let refs = ground.refs();
    let journal = format!("{refs}/journal");
    let journal = match (store.tip(&journal)?, journal.strip_prefix("refs/heads/")) {
        // A clone keeps its origin's branches apart.
        (None, Some(branch)) => store.tip(&format!("refs/remotes/origin/{branch}"))?,
        (tip, _) => tip,
    };
    let origin = ground.local.as_ref().and_then(|local| local.origin.clone());
    let location = origin.map_or(Location::Local(folder.clone()), Location::Remote);
    let side = |location: Location, branch: &str, tip: Option<Revision>| Side {
        site: Site { location, branch: branch.to_owned(), via: Via::Push },
        tip,
        journal: journal.clone(),
        has_branches: true,
        near: None,
    };
    Ok(Gathered {
        from: side(Location::Local(folder.clone()), source_branch, Some(source)),
        to: side(location, target_branch, tip),
        refs,
        memory: folder,
        store,
    })
}

/// Migrates and builds what was pushed, and records it.
///
/// Effects: the warehouse's migration in one transaction, tables one by one, records in the journal of the
/// pushed repository; where something stands in the way only the hold is recorded.
///
/// # Errors
///
/// [`PromotionError`] where it cannot go on.
pub async fn ci_push(request: CiRequest, ports: &mut Ports<'_>) -> Result<CiPush, PromotionError> {
    let Trigger::Push { branch, commit } = &request.context.trigger else {
        return Err(PromotionError::NotInCi);
    };
    let store = Store::local(ports.folder)?;
    let pushed = store.resolve(commit)?;
    let ground = Ground::at_commit(&store, &pushed, ports)?;
    let name = environment(&request, &ground, branch, ports)?;
    let site = own_site(&store, &ground, branch);
    landing::record(&ground, (&site, &name), ports)?;
    let gathered = Gathered::of(&ground, site.clone(), site.clone(), ports)?;
    let records = gathered.records()?;
    let recorded = ledger::said_to(&records, &name, commit);
    let said = together(request.said, recorded);
    let plan_id = ledger::last_promotion(&records, &name)
        .filter(|promoted| promoted.commit.as_deref() == Some(commit))
        .map(|promoted| promoted.plan_id.clone());
    let on_hold = ledger::hold(&records, &name).is_some();
    let reading = reading_at(ground, (&store, &pushed), &name, &said, ports)?;
    let keeper = Keeper { site, name: name.clone() };
    let mut push =
        CiPush { reading, said, migrating: None, refused: false, runs: Vec::new(), results: Vec::new() };
    let models = push.reading.models(ports)?;
    if push.reading.resolved.environment.migrate == Migrate::Ci {
        let migrating = plan_migration(&push.reading, &models, &push.said, ports).await?;
        push.refused = migrating.is_blocked();
        if !push.refused {
            migrate(&push, &migrating, plan_id.as_deref(), &keeper, ports).await?;
        }
        push.migrating = Some(migrating);
    }
    if push.refused {
        let reason = format!("CI refused the migration of {}", pushed.short());
        keeper.keep(&push.reading.ground, &Entry::Hold { environment: name, reason }, ports)?;
        return Ok(push);
    }
    if on_hold {
        let reason = format!("CI migrated {}", pushed.short());
        keeper.keep(&push.reading.ground, &Entry::Release { environment: name, reason }, ports)?;
    }
    if request.run {
        push.runs = run::runs(&models, &[])?;
        push.results = run::build(&push.reading.resolved, &models, &push.runs, ports).await?;
        let entry = ran(plan_id.unwrap_or_default(), &push.results);
        keeper.keep(&push.reading.ground, &entry, ports)?;
    }
    Ok(push)
}

async fn migrate(
    push: &CiPush,
    migrating: &Migrating,
    plan_id: Option<&str>,
    keeper: &Keeper,
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let by = who(&push.reading, ports);
    if !migrating.is_pending(&push.said) {
        return Ok(());
    }
    migrating.apply(&push.said, &by, ports).await?;
    let applied = AppliedMigration {
        plan_id: migrating.plan_id.clone(),
        at: ports.now.to_string(),
        by,
        steps: migrating.migration.steps.clone(),
        acknowledgements: push.said.clone(),
    };
    let entry = Entry::Followed {
        plan_id: plan_id.unwrap_or(&migrating.plan_id).to_owned(),
        what: "migrated".to_owned(),
        detail: format!("CI migrated {}", keeper.name),
        migrations: vec![applied],
    };
    keeper.keep(&push.reading.ground, &entry, ports)
}

fn ran(plan_id: String, results: &[RunResult]) -> Entry {
    let built = results.iter().filter(|result| matches!(result.status, RunStatus::Built { .. })).count();
    let failed = results.len() - built;
    let detail = match failed {
        0 => format!("{built} models built"),
        failed => format!("{built} models built, {failed} not"),
    };
    Entry::Followed { plan_id, what: "ran".to_owned(), detail, migrations: Vec::new() }
}

/// Keeps records in the journal of the repository that was pushed to.
struct Keeper {
    site: Site,
    name: String,
}

impl Keeper {
    fn keep(&self, ground: &Ground, entry: &Entry, ports: &mut Ports<'_>) -> Result<(), PromotionError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let gathered = Gathered::of(ground, self.site.clone(), self.site.clone(), ports)?;
            match journal::append(ground, &gathered, entry.clone(), ports) {
                Err(PromotionError::Git(GitError::JournalMoved { .. })) if tries < journal::TRIES => {}
                result => return result,
            }
        }
    }
}

/// Where the records are kept: in the bare repository itself, or in the checkout's origin.
fn own_site(store: &Store, ground: &Ground, branch: &str) -> Site {
    let origin =
        ground.local.as_ref().filter(|_| store.work_dir().is_some()).and_then(|local| local.origin.clone());
    let location = origin.map_or_else(|| Location::Local(store.git_dir().to_path_buf()), Location::Remote);
    Site { location, branch: branch.to_owned(), via: Via::Push }
}

/// Finds the environment: the one that was named, else the one whose workspace is this repository and branch.
fn environment(
    request: &CiRequest,
    ground: &Ground,
    branch: &str,
    ports: &Ports<'_>,
) -> Result<String, PromotionError> {
    let project = ground.need_project(ports)?;
    let names = &project.written.project().environments;
    if let Some(name) = &request.environment {
        // An unknown name is refused by the configuration, with those that there are.
        return Ok(name.clone());
    }
    let remote = request.context.remote.as_deref();
    let is_this = |name: &&EnvironmentName| {
        let resolved = project.resolve(name.as_str(), ports).ok();
        resolved.and_then(|resolved| resolved.environment.workspace).is_some_and(|workspace| {
            let same = match (&workspace.repository, remote) {
                (Some(one), Some(other)) => same_repository(one, other) || site::is_same(one, other),
                (None, _) => true,
                (Some(_), None) => false,
            };
            same && workspace.branch == branch
        })
    };
    names
        .iter()
        .find(is_this)
        .map(ToString::to_string)
        .ok_or_else(|| PromotionError::NoneChosen { known: names.iter().map(ToString::to_string).collect() })
}

/// What is typed and what the promotion's record holds count together.
fn together(mut said: Acknowledgements, recorded: Option<Acknowledgements>) -> Acknowledgements {
    if let Some(recorded) = recorded {
        said.allow.extend(recorded.allow);
        said.adopt.extend(recorded.adopt);
        said.force |= recorded.force;
        said.prune |= recorded.prune;
        for list in [&mut said.allow, &mut said.adopt] {
            list.sort();
            list.dedup();
        }
    }
    said
}

/// Reads an environment from a commit.
fn reading_at(
    ground: Ground,
    (store, commit): (&Store, &Revision),
    name: &str,
    said: &Acknowledgements,
    ports: &Ports<'_>,
) -> Result<Reading, PromotionError> {
    let project = ground.need_project(ports)?;
    let found = load::load(store, commit, &project.prefix, &project.file)?;
    let (written, snapshot) =
        found.ok_or_else(|| PromotionError::NoProject { folder: ports.folder.to_owned() })?;
    let flags = Flags { dataset: said.dataset.clone() };
    let resolved = written.environment(&EnvironmentName::new(name), &inputs(&project.root, ports, flags)?)?;
    let mut findings: Vec<Finding> = written.findings().to_vec();
    findings.extend(resolved.findings.iter().cloned());
    let chosen = Chosen { name: Some(EnvironmentName::new(name)), why: "the push".to_owned() };
    let read = format!("commit {}", commit.short());
    let store = Some(store.git_dir().to_path_buf());
    Ok(Reading { resolved, chosen, read, findings, written, snapshot, store, ground })
}
