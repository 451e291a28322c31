//! A live DuckDB file: reading it, and changing it in one transaction.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::duckdb::{Connection, InterruptHandle};
use async_trait::async_trait;

use super::engine::{Threads, attach, attach_memory, catalog, start};
use super::introspect::{outside, schema};
use super::rows::{ask, count, failed, list, run};
use crate::model::coordinate::Dataset;
use crate::model::schema::Schema;
use crate::warehouse::connect::{Access, Interrupt, Reach, Routines};
use crate::warehouse::quote::{dataset as written, joined};
use crate::warehouse::rows::{Kept, Row, remembering};
use crate::warehouse::{
    Execute, Guard, Inspect, Intent, Ledger, WarehouseError, fingerprint, literal, name, same_name,
};

/// How often the interrupt is looked at while a statement runs.
const LOOK: Duration = Duration::from_millis(20);

/// An open DuckDB file, or the empty stand-in for one that is not there.
pub(in crate::warehouse) struct DuckDb {
    connection: Connection,
    catalog: String,
    interrupt: Interrupt,
    routines: Routines,
    questions: Duration,
}

impl DuckDb {
    /// Opens a file.
    pub(in crate::warehouse) async fn open(path: &Path, reach: &Reach) -> Result<Self, WarehouseError> {
        let catalog = catalog(path, &reach.datasets);
        let (threads, there) = match reach.access {
            Access::ReadOnly => (Threads::One, present(path)?),
            Access::ReadWrite => (Threads::All, true),
        };
        let connection = start(path, threads)?;
        if there {
            if let (Access::ReadWrite, Some(folder)) = (reach.access, path.parent()) {
                std::fs::create_dir_all(folder).map_err(|error| unopened(path, &error))?;
            }
            attach(&connection, path, &catalog, reach).await?;
        } else {
            attach_memory(&connection, &catalog)?;
        }
        Ok(Self {
            connection,
            catalog,
            interrupt: Arc::clone(&reach.interrupt),
            routines: reach.routines,
            questions: reach.questions,
        })
    }

    /// Reads a schema; routines that the ledger knows of are asked for in any case.
    fn read(&self, datasets: &[Dataset]) -> Result<Schema, WarehouseError> {
        let mut routines = self.routines;
        if routines == Routines::WhereCalled {
            let kept = self.kept()?;
            let ledgers = datasets.iter().filter(|dataset| holds(&kept, dataset, "_promote_objects"));
            for dataset in ledgers {
                let sql = format!(
                    "SELECT 1 FROM {}._promote_objects WHERE kind = 'routine' LIMIT 1",
                    written(dataset)
                );
                if !ask(&self.connection, &sql, |row| row.get::<_, i32>(0))?.is_empty() {
                    routines = Routines::All;
                }
            }
        }
        schema(&self.connection, &self.catalog, datasets, routines)
    }

    /// Lists the tables of ours: schema and name.
    fn kept(&self) -> Result<Vec<(String, String)>, WarehouseError> {
        let sql = format!(
            "SELECT schema_name, table_name FROM duckdb_tables() \
             WHERE database_name = {} AND starts_with(table_name, '_promote_')",
            literal(&self.catalog)
        );
        ask(&self.connection, &sql, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Runs `work` in a transaction, with somebody watching the interrupt; rolls back whatever goes wrong.
    ///
    /// The engine may accept a COMMIT of a transaction that an error has ended, so an error never gets there.
    fn transaction<T>(&self, work: impl FnOnce() -> Result<T, WarehouseError>) -> Result<T, WarehouseError> {
        run(&self.connection, "BEGIN TRANSACTION")?;
        let done = self.watched(|| {
            let value = work()?;
            self.pause()?;
            run(&self.connection, "COMMIT")?;
            Ok(value)
        });
        done.map_err(|error| {
            // A transaction that the engine has already ended has nothing to roll back.
            drop(self.connection.execute_batch("ROLLBACK"));
            if self.interrupt.load(Ordering::Relaxed) { WarehouseError::Interrupted } else { error }
        })
    }

    /// Lets a second thread hand the interrupt on to the engine while a statement runs.
    fn watched<T>(&self, work: impl FnOnce() -> T) -> T {
        let (over, interrupt) = (AtomicBool::new(false), &self.interrupt);
        let (over, handle) = (&over, self.connection.interrupt_handle());
        std::thread::scope(|scope| {
            let watcher = scope.spawn(move || watch(over, interrupt, None, &handle));
            let value = work();
            over.store(true, Ordering::Relaxed);
            watcher.thread().unpark();
            value
        })
    }

    /// Asks questions to the data, for as long as they may take.
    fn bounded<T>(&self, work: impl FnOnce() -> Result<T, WarehouseError>) -> Result<T, WarehouseError> {
        let (over, late, interrupt) = (AtomicBool::new(false), AtomicBool::new(false), &self.interrupt);
        let (over, handle) = (&over, self.connection.interrupt_handle());
        let limit = Some((self.questions, &late));
        let done = std::thread::scope(|scope| {
            let watcher = scope.spawn(move || watch(over, interrupt, limit, &handle));
            let value = work();
            over.store(true, Ordering::Relaxed);
            watcher.thread().unpark();
            value
        });
        match done {
            Err(_) if late.load(Ordering::Relaxed) => {
                Err(WarehouseError::TooLong { seconds: self.questions.as_secs() })
            }
            Err(_) if interrupt.load(Ordering::Relaxed) => Err(WarehouseError::Interrupted),
            done => done,
        }
    }

    fn pause(&self) -> Result<(), WarehouseError> {
        if self.interrupt.load(Ordering::Relaxed) { Err(WarehouseError::Interrupted) } else { Ok(()) }
    }

    /// Has the engine load the indexes that are dropped before they are.
    ///
    /// They are loaded when something first writes their table. DuckDB 1.5.6 ends the whole process where one that
    /// is not loaded is dropped and made again in the same transaction; a write of no row is enough.
    fn load_indexes(&self, statements: &[String]) -> Result<(), WarehouseError> {
        let dropped: Vec<&str> =
            statements.iter().filter_map(|sql| sql.strip_prefix("DROP INDEX ")).collect();
        if dropped.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT schema_name, table_name, index_name FROM duckdb_indexes() WHERE database_name = {}",
            literal(&self.catalog)
        );
        let indexes = ask(&self.connection, &sql, |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for (schema, table, index) in indexes {
            if dropped.iter().any(|path| path.ends_with(&name(&index))) {
                run(
                    &self.connection,
                    &format!("DELETE FROM {}.{} WHERE false", name(&schema), name(&table)),
                )?;
            }
        }
        Ok(())
    }

    fn statements(&self, statements: &[String]) -> Result<u64, WarehouseError> {
        let mut changed = 0;
        self.load_indexes(statements)?;
        for sql in statements {
            self.pause()?;
            let rows = self.connection.execute(sql, []).map_err(|error| failed(sql, &error))?;
            changed = u64::try_from(rows).unwrap_or(u64::MAX);
        }
        Ok(changed)
    }

    /// Checks that what the plan knew is still so.
    fn check(&self, guard: &Guard) -> Result<(), WarehouseError> {
        if !guard.datasets.is_empty() {
            let found = fingerprint(&self.read(&guard.datasets)?);
            if found != guard.fingerprint {
                return Err(WarehouseError::Moved { expected: guard.fingerprint.clone(), found });
            }
        }
        for probe in &guard.probes {
            let expected = probe.rows.unwrap_or(0);
            let found = ask(&self.connection, &probe.sql, |row| count(row, 0))?.first().copied().unwrap_or(0);
            if found > expected {
                return Err(WarehouseError::DataMoved { sql: probe.sql.clone(), expected, found });
            }
        }
        Ok(())
    }
}

#[async_trait(?Send)]
impl Inspect for DuckDb {
    async fn schema(&mut self, datasets: &[Dataset]) -> Result<Schema, WarehouseError> {
        let mut found = self.read(datasets)?;
        if !found.datasets.is_empty() {
            found.outside = outside(&self.connection, &self.catalog, datasets)?;
        }
        Ok(found)
    }

    fn engine(&self) -> String {
        format!("duckdb {}", self.connection.version().unwrap_or_default())
    }

    async fn ledger(&mut self, dataset: &Dataset) -> Result<Ledger, WarehouseError> {
        let kept = self.kept()?;
        let mut ledger = Ledger::default();
        for table in Kept::ALL.into_iter().filter(|table| holds(&kept, dataset, table.table())) {
            let rows = ask(&self.connection, &table.question(dataset, "rowid"), |row| {
                (0..table.width()).map(|index| row.get(index)).collect::<::duckdb::Result<Row>>()
            })?;
            table.read(rows, (dataset, same_name), &mut ledger)?;
        }
        Ok(ledger)
    }

    async fn counts(&mut self, questions: &[String]) -> Result<Vec<u64>, WarehouseError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT ({})", questions.join("), ("));
        let answers = self.bounded(|| {
            ask(&self.connection, &sql, |row| {
                (0..questions.len()).map(|index| count(row, index)).collect::<::duckdb::Result<Vec<u64>>>()
            })
        })?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    async fn texts(&mut self, questions: &[String]) -> Result<Vec<Vec<String>>, WarehouseError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.bounded(|| {
            ask(&self.connection, &joined(questions), |row| {
                (0..questions.len())
                    .map(|index| Ok(list(row.get::<_, Option<String>>(index)?.as_deref())))
                    .collect::<::duckdb::Result<Vec<Vec<String>>>>()
            })
        })?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }
}

#[async_trait(?Send)]
impl Execute for DuckDb {
    async fn apply(&mut self, statements: &[String], intent: &Intent) -> Result<(), WarehouseError> {
        self.transaction(|| {
            self.check(&intent.guard)?;
            self.statements(statements)?;
            remembering(intent).iter().try_for_each(|sql| run(&self.connection, sql))
        })?;
        let sql = format!(
            "SELECT count(*) FROM {}._promote_migrations WHERE plan_id = {} AND applied_at = {}",
            written(&intent.dataset),
            literal(&intent.plan_id),
            literal(&intent.at)
        );
        let found = ask(&self.connection, &sql, |row| count(row, 0))?;
        if found.first().is_none_or(|rows| *rows == 0) {
            return Err(WarehouseError::NotRecorded { plan_id: intent.plan_id.clone() });
        }
        Ok(())
    }

    async fn run(&mut self, statements: &[String]) -> Result<u64, WarehouseError> {
        self.transaction(|| self.statements(statements))
    }
}

/// Whether a dataset holds a table of ours.
fn holds(kept: &[(String, String)], dataset: &Dataset, table: &str) -> bool {
    kept.iter().any(|(schema, name)| same_name(schema, &dataset.schema) && name == table)
}

/// Looks at the interrupt until the work is over, and hands it on; likewise that the time is over, and says so.
fn watch(
    over: &AtomicBool,
    interrupt: &AtomicBool,
    limit: Option<(Duration, &AtomicBool)>,
    handle: &InterruptHandle,
) {
    let mut waited = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        let late = limit.filter(|(limit, _)| waited >= *limit).map(|(_, late)| late);
        if let Some(late) = late {
            late.store(true, Ordering::Relaxed);
        }
        if late.is_some() || interrupt.load(Ordering::Relaxed) {
            handle.interrupt();
        }
        std::thread::park_timeout(LOOK);
        waited += LOOK;
    }
}

/// Whether the file is there; a folder that may not be entered is a fault, not an absence.
fn present(path: &Path) -> Result<bool, WarehouseError> {
    path.try_exists().map_err(|error| unopened(path, &error))
}

fn unopened(path: &Path, error: &std::io::Error) -> WarehouseError {
    let (path, message) = (path.display().to_string(), error.to_string());
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        WarehouseError::Permission { path, message }
    } else {
        WarehouseError::Unreachable { path, message }
    }
}
