//! The one match on the kind of a warehouse.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::duckdb::{DuckDb, DuckDbScratch};
use super::postgres::{AsideScratch, Postgres, PostgresScratch};
use super::{Connection, Files, Scratch, Typed, WarehouseError};
use crate::model::coordinate::Dataset;
use crate::model::environment::Warehouse;

/// Set by whoever wants the work to stop; statements that run are interrupted.
pub type Interrupt = Arc<AtomicBool>;

/// What a connection may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Reads only. A file that is not there is an empty warehouse, and is not made.
    ReadOnly,
    /// Reads and writes. A file that is not there is made, with its folder.
    ReadWrite,
}

/// Whether routines are listed: on DuckDB that costs more than all the rest of the introspection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Routines {
    /// All of them.
    All,
    /// Only where a view or default calls one, or the ledger holds one.
    ///
    /// A plan and its application must ask alike, or the fingerprint differs.
    WhereCalled,
    /// None of them.
    Unasked,
}

/// How a warehouse is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// What the connection may do.
    pub access: Access,
    /// How long to wait for a file that another process holds.
    pub patience: Duration,
    /// Stops the work.
    pub interrupt: Interrupt,
    /// The datasets that will be spoken of: their names must not be taken for a catalog.
    pub datasets: Vec<Dataset>,
    /// Those of them whose objects are declared; the others are only read.
    pub managed: Vec<Dataset>,
    /// Whether routines are listed.
    pub routines: Routines,
    /// Variables that complete a connection: `PGHOST` and its like, `HOME`.
    pub variables: BTreeMap<String, String>,
    /// How long the questions of a plan to the data may take, all of them.
    pub questions: Duration,
}

/// How long the questions of a plan to the data may take.
const QUESTIONS: Duration = Duration::from_secs(60);

impl Reach {
    /// Reads only, without waiting.
    pub fn reading(datasets: Vec<Dataset>) -> Self {
        Self {
            access: Access::ReadOnly,
            patience: Duration::ZERO,
            interrupt: Interrupt::default(),
            datasets,
            managed: Vec::new(),
            routines: Routines::All,
            variables: BTreeMap::new(),
            questions: QUESTIONS,
        }
    }

    /// Reads and writes, without waiting.
    pub fn writing(datasets: Vec<Dataset>) -> Self {
        Self { access: Access::ReadWrite, ..Self::reading(datasets) }
    }
}

/// Opens a warehouse.
///
/// Effects: with [`Access::ReadWrite`] makes the file and its folder; with [`Access::ReadOnly`] leaves nothing.
///
/// # Errors
///
/// [`WarehouseError::Busy`] if another process still holds the file when the patience is over;
/// [`WarehouseError::Permission`], [`WarehouseError::Denied`], [`WarehouseError::Unreachable`].
pub async fn connect(warehouse: &Warehouse, reach: &Reach) -> Result<Connection, WarehouseError> {
    match warehouse {
        Warehouse::DuckDb { path } => Ok(Box::new(DuckDb::open(Path::new(path), reach).await?)),
        Warehouse::Postgres { url, .. } => Ok(Box::new(Box::pin(Postgres::open(url, reach)).await?)),
        Warehouse::Command { plan, .. } => Err(no_connection(plan)),
    }
}

/// Opens a place to try declarations in: the warehouse's engine, empty, closed to files and network once
/// `files` were typed.
///
/// Effects: on a server, a database that is dropped with what is returned; where none may be made, a transaction
/// of the live one that is rolled back.
///
/// # Errors
///
/// [`WarehouseError::Unreachable`] if the engine does not start; [`WarehouseError::Denied`] if neither
/// is allowed.
pub async fn scratch(
    warehouse: &Warehouse,
    reach: &Reach,
    files: &Files,
) -> Result<(Box<dyn Scratch>, Typed), WarehouseError> {
    match warehouse {
        Warehouse::DuckDb { path } => {
            let (scratch, typed) = DuckDbScratch::open(Path::new(path), &reach.datasets, files)?;
            Ok((Box::new(scratch), typed))
        }
        Warehouse::Postgres { scratch: Some(url), .. } => server(url, reach, files).await,
        Warehouse::Postgres { url, scratch: None } => match server(url, reach, files).await {
            Err(WarehouseError::Denied { .. }) => {
                let (scratch, typed) = Box::pin(AsideScratch::open(url, reach, files)).await?;
                Ok((Box::new(scratch), typed))
            }
            opened => opened,
        },
        Warehouse::Command { plan, .. } => Err(no_connection(plan)),
    }
}

async fn server(
    url: &str,
    reach: &Reach,
    files: &Files,
) -> Result<(Box<dyn Scratch>, Typed), WarehouseError> {
    let (scratch, typed) = Box::pin(PostgresScratch::open(url, reach, files)).await?;
    Ok((Box::new(scratch), typed))
}

fn no_connection(command: &str) -> WarehouseError {
    WarehouseError::Planner {
        command: command.to_owned(),
        message: "plans this environment: there is no connection to its warehouse".to_owned(),
    }
}
