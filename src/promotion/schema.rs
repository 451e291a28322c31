//! The schema's part of a plan: what is declared against what is live, asked of the warehouse.
//!
//! Used by a promotion, by `migrate` and by CI alike, so that they cannot judge differently.

use crate::config::{self, Mask, Resolved};
use crate::migration::{self, Application, Declared, Desired, Half, MigrationError, Options, Planned};
use crate::model::coordinate::Dataset;
use crate::model::environment::{Environment, Force, Migrate, Warehouse};
use crate::model::finding::Finding;
use crate::model::migration::{Migration, MigrationState, MigrationTarget, Step};
use crate::model::plan::Acknowledgements;
use crate::model::schema::Schema;
use crate::models::Models;
use crate::warehouse::{
    self, Connection, Inspect, Interrupt, Ledger, Reach, Remembered, Routines, Seen, WarehouseError,
};

use super::apply::crash;
use super::declare;
use super::digest::digest;
use super::error::PromotionError;
use super::known::Known;
use super::memory::FileMemory;
use super::plan::TOOL;
use super::request::Ports;

/// Whether a plan can do without the warehouse.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Presence {
    /// It cannot.
    Needed,
    /// It can: CI plans where it is.
    Optional,
}

/// Where a schema lives and what decides about it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// The environment's name.
    pub(super) name: String,
    /// The warehouse.
    pub(super) warehouse: Warehouse,
    /// The dataset.
    pub(super) dataset: Dataset,
    /// The project's folder.
    root: std::path::PathBuf,
    /// Whether `--force` is allowed.
    pub(super) force: Force,
    /// What must not be kept in any file.
    pub(super) mask: Mask,
}

/// A planned schema: the part of the plan, and what applying it needs.
pub(super) struct SchemaPlan {
    /// The part of the plan.
    pub(super) migration: Migration,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
    /// What applying it needs; absent where it is not known.
    pub(super) known: Option<Known>,
}

/// What applying steps of ours needs.
pub(super) struct Tables {
    subject: Subject,
    desired: Desired,
    datasets: Vec<Dataset>,
    routines: Routines,
    /// The steps as they run; those of the plan are masked.
    steps: Vec<Step>,
    /// What the warehouse had recorded when it was planned.
    ledger: Ledger,
}

impl Subject {
    /// Takes the coordinates of a resolved environment.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Config`] if it names no warehouse or dataset, or one that cannot be used.
    pub(super) fn of(resolved: &Resolved) -> Result<Self, PromotionError> {
        Ok(Self {
            name: resolved.environment.name.to_string(),
            warehouse: resolved.warehouse()?.clone(),
            dataset: resolved.dataset()?.clone(),
            root: resolved.root.clone(),
            force: resolved.environment.force,
            mask: Mask::new(config::secrets(&resolved.effective).into_iter()),
        })
    }

    /// Names the warehouse for people, without secrets; a file relative to the project where it lies there.
    pub(super) fn words(&self) -> String {
        match &self.warehouse {
            Warehouse::DuckDb { path } => {
                let path = std::path::Path::new(path);
                format!("duckdb {}", path.strip_prefix(&self.root).unwrap_or(path).display())
            }
            Warehouse::Postgres { url, .. } => format!("postgres {}", warehouse::server_words(url)),
            Warehouse::Command { plan, .. } => format!("command {plan}"),
        }
    }

    /// Names it for a plan.
    pub(super) fn target(&self) -> MigrationTarget {
        MigrationTarget {
            environment: self.name.clone(),
            warehouse: self.words(),
            dataset: self.dataset.to_string(),
        }
    }

    /// Opens the warehouse to read.
    async fn reading(
        &self,
        datasets: &[Dataset],
        routines: Routines,
        ports: &Ports<'_>,
    ) -> Result<Connection, PromotionError> {
        let reach = Reach {
            patience: PATIENCE,
            interrupt: Interrupt::clone(&ports.interrupted),
            routines,
            variables: ports.variables.clone(),
            ..Reach::reading(datasets.to_vec())
        };
        warehouse::connect(&self.warehouse, &reach).await.map_err(|error| self.failed(error))
    }

    pub(super) fn failed(&self, source: WarehouseError) -> PromotionError {
        if matches!(source, WarehouseError::Interrupted) {
            return PromotionError::Interrupted;
        }
        PromotionError::Warehouse {
            environment: self.name.clone(),
            warehouse: self.warehouse.kind().to_owned(),
            source,
        }
    }
}

/// Plans the schema of an environment.
///
/// Effects: reads the warehouse, once; builds and tries things in a scratch; leaves nothing behind. The
/// connection is closed before it returns.
///
/// # Errors
///
/// [`PromotionError::Migration`] with every declaration that the engine rejects;
/// [`PromotionError::Warehouse`] if the warehouse is needed and cannot be read.
pub(super) async fn plan_schema(
    subject: Subject,
    models: &Models,
    said: &Acknowledgements,
    presence: Presence,
    ports: &mut Ports<'_>,
) -> Result<SchemaPlan, PromotionError> {
    let declared = declare::declared(models, &subject.dataset);
    let target = subject.target();
    if presence == Presence::Optional && is_elsewhere(&subject.warehouse) {
        return Ok(SchemaPlan::unknown(target, "CI plans it"));
    }
    match ask(&subject, &declared, said, ports).await {
        Ok(planned) => Ok(SchemaPlan::known(subject, &declared, target, planned)),
        Err(PromotionError::Warehouse { .. }) if presence == Presence::Optional => {
            Ok(SchemaPlan::unknown(target, "CI plans it"))
        }
        Err(error) => Err(error),
    }
}

/// Reads what is live, builds what is declared in a scratch, and tries the way from one to the other there.
async fn ask(
    subject: &Subject,
    declared: &Declared,
    said: &Acknowledgements,
    ports: &mut Ports<'_>,
) -> Result<Planned, PromotionError> {
    let options = Options {
        allow: said.allow.iter().filter(|said| !said.starts_with("move-dataset:")).cloned().collect(),
        force: said.force,
        forbidden: subject.force == Force::Forbidden,
        adopt: said.adopt.clone(),
        prune: said.prune,
    };
    let datasets = declared.datasets();
    let reach = Reach {
        patience: PATIENCE,
        interrupt: Interrupt::clone(&ports.interrupted),
        routines: declared.routines(),
        variables: ports.variables.clone(),
        managed: declared.managed_datasets(),
        ..Reach::reading(datasets.clone())
    };
    ports.begins(format!("comparing the tables of {} with what is declared", subject.name));
    let failed = |error| subject.failed(error);
    let mut memory = FileMemory::new(ports.cache, ports.variables, subject.mask.clone());
    let key = seen_key(&subject.warehouse, &datasets, &reach, ports);
    let seen = key.as_ref().and_then(|key| migration::recall::<Seen>(&memory, key));
    let remembered = seen.is_some();
    let mut live: Box<dyn Inspect> = if let Some(seen) = seen {
        Box::new(Remembered::new(seen, subject.warehouse.clone(), reach.clone()))
    } else {
        warehouse::connect(&subject.warehouse, &reach).await.map_err(failed)?
    };
    let files = declared.outside();
    let mut open =
        || -> migration::Opening<'_> { Box::pin(warehouse::scratch(&subject.warehouse, &reach, &files)) };
    let planned = migration::plan(declared, live.as_mut(), &mut open, &mut memory, &options).await;
    ports.ends();
    if let (Ok(planned), Some(key), false) = (&planned, &key, remembered) {
        let (schema, ledger) = (planned.live.clone(), planned.ledger.clone());
        let seen = Seen { engine: live.engine(), schema, ledger };
        migration::keep(&mut memory, key, &seen);
    }
    planned.map_err(|error| match error {
        MigrationError::Warehouse(error) => subject.failed(error),
        error @ MigrationError::Faults(_) => PromotionError::Migration(error),
    })
}

/// Reads everything that is live in the dataset.
///
/// # Errors
///
/// [`PromotionError::Warehouse`] if it cannot be read.
pub(super) async fn live(subject: &Subject, ports: &Ports<'_>) -> Result<Schema, PromotionError> {
    let datasets = vec![subject.dataset.clone()];
    let mut connection = subject.reading(&datasets, Routines::All, ports).await?;
    connection.schema(&datasets).await.map_err(|error| subject.failed(error))
}

/// Gives the key of what was seen in a warehouse: its state, and what was asked.
fn seen_key(warehouse: &Warehouse, datasets: &[Dataset], reach: &Reach, ports: &Ports<'_>) -> Option<String> {
    let state = warehouse::state(warehouse, ports.now.as_second())?;
    Some(digest(&format!("{TOOL} {state} {datasets:?} {:?}", reach.routines)))
}

/// Whether a warehouse is surely not on this machine: its file and even its folder are not there.
fn is_elsewhere(warehouse: &Warehouse) -> bool {
    match warehouse {
        Warehouse::DuckDb { path } => !std::path::Path::new(path).exists(),
        Warehouse::Postgres { .. } | Warehouse::Command { .. } => false,
    }
}

/// How long a file that another process holds is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

impl SchemaPlan {
    /// There is no migration, and why.
    pub(super) fn off(note: &str) -> Self {
        Self { migration: Migration::off(note), findings: Vec::new(), known: None }
    }

    fn known(subject: Subject, declared: &Declared, target: MigrationTarget, planned: Planned) -> Self {
        let Planned { datasets, fingerprint, ledger, desired, steps, proof, drift, .. } = planned;
        let migration = Migration {
            state: MigrationState::Known,
            target: Some(target),
            note: None,
            compatible: !steps.steps.iter().any(Step::blocks),
            fingerprint: Some(fingerprint),
            proof: Some(proof.to_string()),
            drift,
            planner: None,
            steps: steps.steps,
        };
        let routines = declared.routines();
        let tables = Tables { subject, desired, datasets, routines, steps: migration.steps.clone(), ledger };
        Self { migration, findings: steps.findings, known: Some(Known::Tables(Box::new(tables))) }
    }

    /// The migration is not known here: CI plans it.
    pub(super) fn elsewhere(subject: &Subject) -> Self {
        Self::unknown(subject.target(), "CI plans it")
    }

    fn unknown(target: MigrationTarget, note: &str) -> Self {
        let migration = Migration {
            state: MigrationState::Unknown,
            target: Some(target),
            note: Some(note.to_owned()),
            compatible: true,
            fingerprint: None,
            proof: None,
            drift: Vec::new(),
            planner: None,
            steps: Vec::new(),
        };
        Self { migration, findings: Vec::new(), known: None }
    }
}

/// A plan whose schema is to be applied.
pub(super) struct Applying<'a> {
    /// The part of the plan.
    pub(super) migration: &'a Migration,
    /// The plan.
    pub(super) plan_id: &'a str,
    /// Who: `Name <mail>`.
    pub(super) by: &'a str,
    /// What was said to the plan.
    pub(super) said: &'a Acknowledgements,
}

impl Tables {
    /// Whether a half has anything to run or to remember.
    pub(super) fn has(&self, applying: &Applying<'_>, half: Half) -> bool {
        self.application((applying, ""), &|_| ()).intent(half).is_some()
    }

    /// Applies a half in one transaction, checked against the plan inside of it.
    ///
    /// Effects: the statements and their record, or nothing; the connection is closed before it returns.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Stale`] if the live schema or the data moved; [`PromotionError::Warehouse`].
    pub(super) async fn apply(
        &self,
        applying: &Applying<'_>,
        half: Half,
        ports: &mut Ports<'_>,
    ) -> Result<bool, PromotionError> {
        if !self.has(applying, half) {
            return Ok(false);
        }
        let reach = Reach {
            patience: PATIENCE,
            interrupt: Interrupt::clone(&ports.interrupted),
            routines: self.routines,
            variables: ports.variables.clone(),
            ..Reach::writing(self.datasets.clone())
        };
        let at = ports.now.to_string();
        ports.begins(format!("migrating {}", self.subject.name));
        let connection = warehouse::connect(&self.subject.warehouse, &reach).await;
        let mut connection = connection.map_err(|error| self.subject.failed(error))?;
        let border = crash_border(ports);
        let applied = self.application((applying, &at), &border).apply(connection.as_mut(), half).await;
        drop(connection);
        ports.ends();
        applied.map_err(|error| match error {
            MigrationError::Warehouse(
                error @ (WarehouseError::Moved { .. } | WarehouseError::DataMoved { .. }),
            ) => PromotionError::Stale { what: error.to_string() },
            MigrationError::Warehouse(error) => self.subject.failed(error),
            error @ MigrationError::Faults(_) => PromotionError::Migration(error),
        })
    }

    fn application<'a>(
        &'a self,
        (applying, at): (&'a Applying<'a>, &'a str),
        committed: &'a dyn Fn(u32),
    ) -> Application<'a> {
        let fingerprint = applying.migration.fingerprint.as_deref();
        Application {
            desired: &self.desired,
            ledger: &self.ledger,
            steps: &self.steps,
            shown: &applying.migration.steps,
            plan_id: applying.plan_id,
            at,
            by: applying.by,
            acknowledgements: applying.said,
            committed,
            planned_for: fingerprint.map(|fingerprint| (self.datasets.as_slice(), fingerprint)),
        }
    }

    /// Reads what the warehouse has recorded by now.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Warehouse`] if it cannot be read.
    pub(super) async fn recorded(&self, ports: &Ports<'_>) -> Result<Ledger, PromotionError> {
        let datasets = [self.subject.dataset.clone()];
        let mut connection = self.subject.reading(&datasets, self.routines, ports).await?;
        connection.ledger(&self.subject.dataset).await.map_err(|error| self.subject.failed(error))
    }
}

/// Where a crash test ends the process: after a transaction group, `group-2`.
fn crash_border(ports: &Ports<'_>) -> impl Fn(u32) + use<> {
    let (at, pid) = (ports.crash_at.map(str::to_owned), ports.pid);
    move |group| {
        if at.as_deref() == Some(format!("group-{group}").as_str()) {
            crash(pid);
        }
    }
}

/// Whether an environment's migration is planned at all, and how much it needs the warehouse.
pub(super) fn presence(environment: &Environment, said: &Acknowledgements) -> Result<Presence, &'static str> {
    if said.no_migrate {
        return Err("`--no-migrate`");
    }
    match environment.migrate {
        Migrate::Promotion => Ok(Presence::Needed),
        Migrate::Ci => Ok(Presence::Optional),
        Migrate::Off => Err("`migrate: off`"),
    }
}
