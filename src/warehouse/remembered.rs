//! A warehouse as it was seen before, while its file says that nothing has been written since.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Connection, Inspect, Ledger, Reach, WarehouseError, connect};
use crate::model::coordinate::Dataset;
use crate::model::environment::Warehouse;
use crate::model::schema::Schema;

/// A file that was written this recently may be written again without its times telling.
const SETTLED_SECONDS: i64 = 2;

/// What a warehouse held when it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The engine and its version.
    pub engine: String,
    /// The schema of the datasets that were asked for.
    pub schema: Schema,
    /// What was recorded.
    pub ledger: Ledger,
}

/// Names the state of a warehouse without opening it; a state never comes back once something was written.
///
/// Shape: none where that cannot be told: a server, a file that is not there or was written just now.
/// Units: `now_seconds` since 1970.
pub fn state(warehouse: &Warehouse, now_seconds: i64) -> Option<String> {
    let Warehouse::DuckDb { path } = warehouse else { return None };
    let file = stamp(Path::new(path), now_seconds)?;
    let log = format!("{path}.wal");
    // A log that is there belongs to the state; one that is there and not settled makes it unknown.
    let log =
        if Path::new(&log).exists() { stamp(Path::new(&log), now_seconds)? } else { "no log".to_owned() };
    Some(format!("{path} {file} {log}"))
}

fn stamp(path: &Path, now_seconds: i64) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    let settled = meta.ctime().max(meta.mtime()) + SETTLED_SECONDS <= now_seconds;
    settled.then(|| {
        let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
        format!("{} {} {} {times:?}", meta.dev(), meta.ino(), meta.len())
    })
}

/// Answers from what was seen; opens the warehouse only for questions to the data.
pub struct Remembered {
    seen: Seen,
    warehouse: Warehouse,
    reach: Reach,
    connection: Option<Connection>,
}

impl Remembered {
    /// Takes what was seen, and how to get to the data.
    pub fn new(seen: Seen, warehouse: Warehouse, reach: Reach) -> Self {
        Self { seen, warehouse, reach, connection: None }
    }

    async fn connected(&mut self) -> Result<&mut Connection, WarehouseError> {
        if self.connection.is_none() {
            self.connection = Some(connect(&self.warehouse, &self.reach).await?);
        }
        Ok(self.connection.as_mut().expect("it was opened just now"))
    }
}

#[async_trait(?Send)]
impl Inspect for Remembered {
    async fn schema(&mut self, _datasets: &[Dataset]) -> Result<Schema, WarehouseError> {
        Ok(self.seen.schema.clone())
    }

    fn engine(&self) -> String {
        self.seen.engine.clone()
    }

    async fn ledger(&mut self, _dataset: &Dataset) -> Result<Ledger, WarehouseError> {
        Ok(self.seen.ledger.clone())
    }

    async fn counts(&mut self, questions: &[String]) -> Result<Vec<u64>, WarehouseError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        self.connected().await?.counts(questions).await
    }

    async fn texts(&mut self, questions: &[String]) -> Result<Vec<Vec<String>>, WarehouseError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        self.connected().await?.texts(questions).await
    }
}
