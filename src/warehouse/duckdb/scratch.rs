//! A throw-away engine for declarations that nobody has approved yet.
//!
//! Its catalog is a file in a folder of its own: the engine writes a view or macro anew when it reads its own
//! file (`CAST(a AS "DATE")` becomes `CAST(a AS DATE)`), so what is declared is stored and read back once, as
//! what is live was, before the two are compared.

use std::path::Path;

use ::duckdb::Connection;
use async_trait::async_trait;
use tempfile::TempDir;

use super::engine::{Threads, catalog, start};
use super::introspect::schema;
use super::rows::{ask, run};
use crate::model::coordinate::Dataset;
use crate::model::schema::{Column, Schema};
use crate::warehouse::{
    Files, Head, Kind, Routines, Scratch, Texts, Typed, WarehouseError, literal, name, only_query,
    only_statement, same_name,
};

/// What closes the engine to the outside, for good; its own folder stays open.
///
/// The other settings are not locked: the engine itself sets one while it adds a column whose default is a cast. What
/// is closed here cannot be opened again while it runs, and no statement that sets anything is let in.
fn close(folder: &Path) -> String {
    format!(
        "SET memory_limit = '1GB'; SET temp_directory = ''; SET allowed_directories = [{}]; \
         SET enable_external_access = false;",
        literal(&folder.to_string_lossy())
    )
}

/// An engine without files but its own, network, or settings that can be changed.
pub(in crate::warehouse) struct DuckDbScratch {
    connection: Connection,
    catalog: String,
    folder: TempDir,
    /// What its texts are needed for: in memory there is nothing to read them back from.
    texts: Texts,
    stored: bool,
    /// Whether only what its log gives back as it is was run since it was emptied.
    logged: bool,
    /// What was run since it was emptied, by transaction.
    done: Vec<Vec<String>>,
    /// Whether statements are collected in the last of them.
    open: bool,
    optimizer: Optimizer,
    /// How many files it has had: each time it is emptied it gets another one.
    files: u32,
}

/// Whether the engine looks for a better way to run what it is given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Optimizer {
    On,
    /// It only binds: what a query returns depends on nothing else.
    Off,
}

impl DuckDbScratch {
    /// Starts it, types the files, and closes it to the outside.
    pub(in crate::warehouse) fn open(
        path: &Path,
        datasets: &[Dataset],
        files: &Files,
    ) -> Result<(Self, Typed), WarehouseError> {
        let connection = start(path, Threads::One)?;
        let mut typed = Typed::default();
        for (object, glob) in &files.sources {
            match describe(&connection, &format!("SELECT * FROM {}", reading(glob))) {
                Ok(columns) => drop(typed.columns.insert(object.clone(), columns)),
                Err(error) => typed.faults.push((object.clone(), error.to_string())),
            }
        }
        for (object, bytes) in &files.seeds {
            match sniff(&connection, bytes) {
                Ok(columns) => drop(typed.columns.insert(object.clone(), columns)),
                Err(error) => typed.faults.push((object.clone(), error.to_string())),
            }
        }
        let catalog = catalog(path, datasets);
        let folder = tempfile::Builder::new().prefix("promote-scratch-").tempdir().map_err(|error| {
            WarehouseError::Unreachable { path: "temporary folder".to_owned(), message: error.to_string() }
        })?;
        let scratch = Self {
            connection,
            catalog,
            folder,
            texts: Texts::Stored,
            stored: true,
            logged: true,
            done: Vec::new(),
            open: false,
            optimizer: Optimizer::On,
            files: 0,
        };
        // What is thrown away need not be stored on the way.
        run(&scratch.connection, "PRAGMA disable_checkpoint_on_shutdown")?;
        run(&scratch.connection, &scratch.attaching())?;
        run(&scratch.connection, &close(scratch.folder.path()))?;
        Ok((scratch, typed))
    }

    fn attaching(&self) -> String {
        let file = self.folder.path().join(format!("scratch-{}.duckdb", self.files));
        let place = match self.texts {
            Texts::Stored => file.to_string_lossy().into_owned(),
            Texts::AsMade => ":memory:".to_owned(),
        };
        format!("ATTACH {} AS {1}; USE {1};", literal(&place), name(&self.catalog))
    }

    /// Leaves its catalog for an empty one.
    fn emptied(&mut self, texts: Texts) -> Result<(), WarehouseError> {
        run(&self.connection, &format!("USE memory; DETACH {};", name(&self.catalog)))?;
        self.another(texts)
    }

    fn another(&mut self, texts: Texts) -> Result<(), WarehouseError> {
        (self.files, self.texts) = (self.files + 1, texts);
        run(&self.connection, &self.attaching())?;
        self.done.clear();
        (self.stored, self.logged) = (true, true);
        Ok(())
    }

    /// Turns the optimizer on or off.
    fn optimize(&mut self, optimizer: Optimizer) -> Result<(), WarehouseError> {
        if self.optimizer != optimizer {
            let verb = if optimizer == Optimizer::On { "enable" } else { "disable" };
            run(&self.connection, &format!("PRAGMA {verb}_optimizer"))?;
            self.optimizer = optimizer;
        }
        Ok(())
    }

    /// Ends the transaction that statements are collected in.
    fn settle(&mut self) -> Result<(), WarehouseError> {
        if std::mem::take(&mut self.open) {
            run(&self.connection, "COMMIT")?;
        }
        Ok(())
    }

    /// Stores everything and reads it back, so that texts are as the engine reads them from a file.
    ///
    /// What was only created is read from the log of the file, for a fifth of what the file itself costs: there the
    /// engine keeps statistics of every column. It writes both in one form, but for 1.5.6 there are types in no log: it
    /// cannot read back where they belong. A log that it cannot read back at all is written anew, as a file.
    fn store(&mut self) -> Result<(), WarehouseError> {
        self.settle()?;
        if self.texts == Texts::AsMade {
            let done = std::mem::take(&mut self.done);
            self.emptied(Texts::Stored)?;
            self.again(&done)?;
        }
        if self.stored {
            return Ok(());
        }
        let catalog = name(&self.catalog);
        let file = if self.logged { String::new() } else { format!("CHECKPOINT {catalog}; ") };
        run(&self.connection, &format!("{file}USE memory; DETACH {catalog};"))?;
        if let Err(error) = run(&self.connection, &self.attaching()) {
            if !self.logged {
                return Err(error);
            }
            let done = std::mem::take(&mut self.done);
            self.another(Texts::Stored)?;
            self.again(&done)?;
            self.logged = false;
            return self.store();
        }
        self.stored = true;
        Ok(())
    }

    /// Runs one statement in a transaction with its neighbours: one that fails costs a repetition of those
    /// before it, which is rare; a commit for each would cost more, always.
    fn collected(&mut self, statement: &str) -> Result<(), WarehouseError> {
        if !self.open {
            self.begin()?;
            self.open = true;
        }
        let Err(error) = self.one(statement) else { return Ok(()) };
        self.repeat()?;
        Err(error)
    }

    /// Runs again what was collected, after an error that may have ended its transaction.
    fn repeat(&mut self) -> Result<(), WarehouseError> {
        if !std::mem::take(&mut self.open) {
            return Ok(());
        }
        let collected = self.rolled_back();
        self.transaction(&collected)
    }

    fn begin(&mut self) -> Result<(), WarehouseError> {
        run(&self.connection, "BEGIN TRANSACTION")?;
        self.done.push(Vec::new());
        Ok(())
    }

    /// Gives up a transaction, and gives what was run in it.
    fn rolled_back(&mut self) -> Vec<String> {
        // A transaction that the engine has already ended has nothing to roll back.
        drop(self.connection.execute_batch("ROLLBACK"));
        self.done.pop().unwrap_or_default()
    }

    fn transaction(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        self.begin()?;
        let done = statements.iter().try_for_each(|statement| self.one(statement));
        let done = done.and_then(|()| run(&self.connection, "COMMIT"));
        if done.is_err() {
            self.rolled_back();
        }
        done
    }

    /// Runs in another catalog what was run in this one.
    fn again(&mut self, done: &[Vec<String>]) -> Result<(), WarehouseError> {
        done.iter().try_for_each(|statements| self.transaction(statements))
    }

    /// Says that something is made in another database: the engine has some of its own, which are there to be made in.
    fn elsewhere(&self, head: &Head) -> Option<String> {
        let makes =
            matches!(head.kind, Kind::Table | Kind::View | Kind::Routine | Kind::Type | Kind::Sequence);
        let [catalog, _, _] = head.name.as_slice() else { return None };
        let name = head.name.join(".");
        (makes && !same_name(catalog, &self.catalog)).then(|| {
            format!("`{name}` lies in database `{catalog}`, and that of the warehouse is `{}`", self.catalog)
        })
    }

    /// Runs one statement that declares or alters.
    fn one(&mut self, statement: &str) -> Result<(), WarehouseError> {
        let (only, head) = only_statement(statement)?;
        if !head.kind.is_tried() && head.kind != Kind::Routine {
            return Err(WarehouseError::NotDeclaring { sql: only.to_owned(), keyword: head.keyword });
        }
        if let Some(message) = self.elsewhere(&head) {
            return Err(WarehouseError::Statement { sql: only.to_owned(), message, line: None });
        }
        self.logged &= is_logged(head.kind);
        self.stored = false;
        run(&self.connection, only)?;
        self.done.last_mut().expect("a transaction has begun").push(only.to_owned());
        Ok(())
    }
}

#[async_trait(?Send)]
impl Scratch for DuckDbScratch {
    async fn reset(&mut self, texts: Texts) -> Result<(), WarehouseError> {
        self.settle()?;
        if self.done.is_empty() && self.texts == texts {
            return Ok(());
        }
        self.emptied(texts)
    }

    async fn build(&mut self, statement: &str) -> Result<(), WarehouseError> {
        self.collected(statement)
    }

    async fn rehearse(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        self.settle()?;
        self.optimize(Optimizer::On)?;
        self.transaction(statements)
    }

    async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError> {
        let only = only_query(query)?;
        self.optimize(Optimizer::Off)?;
        let found = describe(&self.connection, only);
        if found.is_err() {
            self.repeat()?;
        }
        found
    }

    async fn schema(
        &mut self,
        datasets: &[Dataset],
        routines: Routines,
        texts: Texts,
    ) -> Result<Schema, WarehouseError> {
        match texts {
            Texts::Stored => self.store()?,
            Texts::AsMade => self.settle()?,
        }
        self.optimize(Optimizer::On)?;
        schema(&self.connection, &self.catalog, datasets, routines)
    }
}

/// Whether the engine reads from its log what it reads from its file.
fn is_logged(kind: Kind) -> bool {
    match kind {
        Kind::Table | Kind::View | Kind::Routine | Kind::Dataset | Kind::Comment => true,
        Kind::FilledTable
        | Kind::Index
        | Kind::Type
        | Kind::Sequence
        | Kind::Alter
        | Kind::Trigger
        | Kind::Drop
        | Kind::Insert
        | Kind::Query
        | Kind::Other => false,
    }
}

/// Asks what a query returns.
fn describe(connection: &Connection, query: &str) -> Result<Vec<Column>, WarehouseError> {
    ask(connection, &format!("DESCRIBE {query}"), |row| Ok(Column::plain(row.get(0)?, row.get(1)?)))
}

/// Types a seed: the engine reads files only, so it becomes one for a moment.
fn sniff(connection: &Connection, bytes: &[u8]) -> Result<Vec<Column>, WarehouseError> {
    let failed = |error: &std::io::Error| WarehouseError::Unreachable {
        path: "temporary folder".to_owned(),
        message: error.to_string(),
    };
    let file = tempfile::Builder::new().suffix(".csv").tempfile().map_err(|error| failed(&error))?;
    std::fs::write(file.path(), bytes).map_err(|error| failed(&error))?;
    let path = literal(&file.path().to_string_lossy());
    describe(connection, &format!("SELECT * FROM read_csv({path}, header = true)"))
}

/// The function that reads a file, by its ending.
fn reading(glob: &str) -> String {
    let lower = glob.to_lowercase();
    let plain = lower.trim_end_matches(".gz").trim_end_matches(".zst");
    let ends = |ending: &str| plain.ends_with(ending);
    let function = if ends(".parquet") {
        "read_parquet"
    } else if ends(".json") || ends(".jsonl") || ends(".ndjson") {
        "read_json"
    } else {
        "read_csv"
    };
    format!("{function}({})", literal(glob))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the log of a scratch one that the engine refuses, as that of a statement which it cannot read back is.
    fn damage(scratch: &DuckDbScratch) {
        let file = format!("scratch-{}.duckdb.wal", scratch.files);
        let log = scratch.folder.path().join(file);
        let mut bytes = std::fs::read(&log).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8].fill(0xff);
        std::fs::write(&log, bytes).unwrap();
    }

    #[tokio::test]
    async fn reads_from_a_file_what_the_engine_cannot_read_back_from_its_log() {
        let datasets = [Dataset::new("analytics")];
        let open = || DuckDbScratch::open(Path::new("shop.duckdb"), &datasets, &Files::default()).unwrap().0;
        let mut found = Vec::new();
        for damaged in [false, true] {
            let mut scratch = open();
            for sql in ["CREATE SCHEMA analytics", "CREATE TABLE analytics.t(a INT, b DATE)"] {
                scratch.build(sql).await.unwrap();
            }
            let view = "CREATE VIEW analytics.v AS SELECT a::DATE AS d, b FROM analytics.t";
            scratch.rehearse(&[view.to_owned()]).await.unwrap();
            if damaged {
                damage(&scratch);
            }
            found.push(scratch.schema(&datasets, Routines::All, Texts::Stored).await.unwrap());
            scratch.reset(Texts::Stored).await.unwrap();
            assert!(
                scratch.schema(&datasets, Routines::All, Texts::Stored).await.unwrap().datasets.is_empty()
            );
        }
        assert_eq!(found[0], found[1]);
        assert_eq!(found[0].relations.len(), 2);
    }
}
