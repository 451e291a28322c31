//! A live database: reading it, and changing it in transactions.

use std::time::Duration;

use async_trait::async_trait;

use super::declaring::on_table;
use super::introspect::{outside, schema};
use super::parameters::Parameters;
use super::record;
use super::server::{Row, Session};
use crate::model::coordinate::Dataset;
use crate::model::schema::Schema;
use crate::warehouse::connect::{Access, Reach};
use crate::warehouse::quote::joined;
use crate::warehouse::{
    Execute, Guard, Inspect, Intent, Kind, Ledger, WarehouseError, fingerprint, head, literal, name,
};

/// How long a statement waits for a lock that somebody else holds, before it lets everybody else through again.
const LOCK_TIMEOUT: &str = "3s";
/// How often a transaction is tried whose lock somebody else held.
const TRIES: u32 = 5;

/// An open database.
pub(in crate::warehouse) struct Postgres {
    session: Session,
    version: String,
    database: String,
    access: Access,
    questions: Duration,
}

impl Postgres {
    /// Opens a session.
    pub(in crate::warehouse) async fn open(url: &str, reach: &Reach) -> Result<Self, WarehouseError> {
        let parameters = Parameters::read(url, &reach.variables)?;
        let session = Session::open(&parameters, &reach.interrupt).await?;
        if reach.access == Access::ReadOnly {
            session.run("SET default_transaction_read_only = on").await?;
        }
        let rows = session.ask("SELECT current_setting('server_version_num'), current_database()").await?;
        let of = |index| rows.first().map(|row| row.text(index)).unwrap_or_default();
        let (version, database) = (of(0), of(1));
        for dataset in &reach.datasets {
            if let Some(catalog) = dataset.catalog.as_ref().filter(|catalog| **catalog != database) {
                return Err(WarehouseError::Unreachable {
                    path: parameters.place(),
                    message: format!(
                        "dataset `{dataset}` lies in database `{catalog}`, and the connection is to `{database}`"
                    ),
                });
            }
        }
        Ok(Self { session, version, database, access: reach.access, questions: reach.questions })
    }

    /// Holds the lock of a dataset for as long as the session lasts.
    async fn lock(&self, dataset: &Dataset) -> Result<(), WarehouseError> {
        let key = literal(&format!("promote {}", dataset.schema));
        let sql = format!(
            "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('promote'), pg_catalog.hashtext({key}))"
        );
        for _ in 0..TRIES * 2 {
            if self.session.ask(&sql).await?.first().is_some_and(|row| row.is(0)) {
                return Ok(());
            }
            self.session.pause()?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let sql = format!(
            "SELECT pid::text FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted \
             AND objid::bigint = (pg_catalog.hashtext({key})::bigint & 4294967295) LIMIT 1"
        );
        let pid = self.session.ask(&sql).await?.first().and_then(|row| row.text(0).parse().ok());
        Err(WarehouseError::Busy { path: format!("{}.{}", self.database, dataset.schema), pid })
    }

    /// Names who holds a lock on the table of a statement: process, user and what it runs.
    async fn holders(&self, sql: &str) -> Vec<String> {
        let table = table(sql).iter().map(|part| name(part)).collect::<Vec<_>>().join(".");
        let sql = format!(
            "SELECT a.pid::text, a.usename, a.application_name, a.state, pg_catalog.left(a.query, 200) \
             FROM pg_catalog.pg_stat_activity a WHERE a.pid <> pg_catalog.pg_backend_pid() AND a.pid IN \
             (SELECT l.pid FROM pg_catalog.pg_locks l WHERE l.granted AND l.relation = pg_catalog.to_regclass({})) \
             ORDER BY a.xact_start LIMIT 3",
            literal(&table)
        );
        // Who it is helps; that it cannot be told is no further fault.
        let rows = self.session.ask(&sql).await.unwrap_or_default();
        let words = |row: &Row| {
            let program = row.text(2);
            let program = if program.is_empty() { program } else { format!(" with {program}") };
            let query = row.text(4).split_whitespace().collect::<Vec<_>>().join(" ");
            format!("PID {} (user {}{program}, {}): {query}", row.text(0), row.text(1), row.text(3))
        };
        rows.iter().map(words).collect()
    }

    /// Checks that what the plan knew is still so.
    async fn check(&self, guard: &Guard) -> Result<(), WarehouseError> {
        if !guard.datasets.is_empty() {
            let found = fingerprint(&schema(&self.session, &guard.datasets).await?);
            if found != guard.fingerprint {
                return Err(WarehouseError::Moved { expected: guard.fingerprint.clone(), found });
            }
        }
        for probe in &guard.probes {
            let expected = probe.rows.unwrap_or(0);
            let found = self.session.ask(&probe.sql).await?;
            let found = found.first().and_then(|row| row.text(0).parse().ok()).unwrap_or(0);
            if found > expected {
                return Err(WarehouseError::DataMoved { sql: probe.sql.clone(), expected, found });
            }
        }
        Ok(())
    }

    /// Runs the statements of a group that the engine takes in one transaction, with their record.
    async fn together(&self, statements: &[String], intent: &Intent) -> Result<(), WarehouseError> {
        self.session
            .run(&format!(
                "BEGIN; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL check_function_bodies = off"
            ))
            .await?;
        let done = async {
            self.check(&intent.guard).await?;
            for sql in statements {
                self.session.pause()?;
                self.session.run(sql).await?;
            }
            record::remember(&self.session, intent).await?;
            self.session.pause()?;
            self.session.run("COMMIT").await
        };
        self.rolled_back(done.await).await
    }

    /// Runs statements that the engine takes outside of a transaction only; a second run finds what is left of one.
    ///
    /// Their record goes first, so that a kill loses none; it is taken back where they fail.
    async fn apart(&self, statements: &[String], intent: &Intent) -> Result<(), WarehouseError> {
        self.together(&[], intent).await?;
        let done = self.alone(statements).await;
        if done.is_err() {
            // Over a session that is lost the record stays, as after a kill: it says what was begun.
            drop(record::forget(&self.session, intent).await);
        }
        done
    }

    async fn alone(&self, statements: &[String]) -> Result<(), WarehouseError> {
        self.session.run(&format!("SET lock_timeout = '{LOCK_TIMEOUT}'")).await?;
        for sql in statements {
            self.session.pause()?;
            self.session.run(sql).await?;
        }
        Ok(())
    }

    /// Writes out which columns an `INSERT … BY NAME` fills: the engine itself goes by their order.
    async fn by_name(&self, sql: &str) -> Result<String, WarehouseError> {
        let Some((into, query)) =
            sql.split_once(" BY NAME\n").filter(|(into, _)| into.starts_with("INSERT INTO "))
        else {
            return Ok(sql.to_owned());
        };
        let columns: Vec<String> =
            self.session.names(query).await?.iter().map(|column| name(column)).collect();
        Ok(format!("{into} ({})\n{query}", columns.join(", ")))
    }

    /// Asks questions to the data, for as long as they may take.
    async fn bounded(&self, sql: &str) -> Result<Vec<Row>, WarehouseError> {
        let limit = self.questions.as_millis();
        self.session.run(&format!("BEGIN READ ONLY; SET LOCAL statement_timeout = '{limit}ms'")).await?;
        let answers = self.session.ask(sql).await;
        drop(self.session.run("ROLLBACK").await);
        answers.map_err(|error| {
            let late = matches!(&error, WarehouseError::Statement { message, .. } if message.contains("statement timeout"));
            if late { WarehouseError::TooLong { seconds: self.questions.as_secs() } } else { error }
        })
    }

    async fn rolled_back<T>(&self, done: Result<T, WarehouseError>) -> Result<T, WarehouseError> {
        if done.is_err() {
            // A session that is lost has nothing to roll back: the server has done it.
            drop(self.session.run("ROLLBACK").await);
        }
        done
    }
}

/// Reads some datasets, and who reads them from elsewhere.
async fn whole(session: &Session, datasets: &[Dataset]) -> Result<Schema, WarehouseError> {
    let mut found = schema(session, datasets).await?;
    if !found.datasets.is_empty() {
        found.outside = outside(session, datasets).await?;
    }
    Ok(found)
}

/// The table that a statement needs a lock on.
fn table(sql: &str) -> Vec<String> {
    let said = head(sql);
    if matches!(said.kind, Kind::Index | Kind::Trigger) { on_table(sql) } else { said.name }
}

/// Whether the engine refuses a statement within a transaction.
fn stands_alone(sql: &str) -> bool {
    let words: Vec<String> = sql.split_whitespace().take(4).map(str::to_uppercase).collect();
    words.iter().any(|word| word == "CONCURRENTLY")
}

#[async_trait(?Send)]
impl Inspect for Postgres {
    async fn schema(&mut self, datasets: &[Dataset]) -> Result<Schema, WarehouseError> {
        self.session.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
        let found = whole(&self.session, datasets).await;
        drop(self.session.run("ROLLBACK").await);
        found
    }

    fn engine(&self) -> String {
        format!("postgres {}", self.version)
    }

    async fn ledger(&mut self, dataset: &Dataset) -> Result<Ledger, WarehouseError> {
        record::ledger(&self.session, dataset).await
    }

    async fn counts(&mut self, questions: &[String]) -> Result<Vec<u64>, WarehouseError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.bounded(&format!("SELECT ({})", questions.join("), ("))).await?;
        let row = answers.first();
        let answer = |index| row.map(|row| row.text(index)).unwrap_or_default().parse().unwrap_or(0);
        Ok((0..questions.len()).map(answer).collect())
    }

    async fn texts(&mut self, questions: &[String]) -> Result<Vec<Vec<String>>, WarehouseError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.bounded(&joined(questions)).await?;
        let row = answers.first();
        let answer = |index: usize| -> Vec<String> {
            let text = row.and_then(|row| row.optional(index)).unwrap_or_default();
            text.split('\u{1f}').filter(|key| !key.is_empty()).map(str::to_owned).collect()
        };
        Ok((0..questions.len()).map(answer).collect())
    }
}

#[async_trait(?Send)]
impl Execute for Postgres {
    async fn apply(&mut self, statements: &[String], intent: &Intent) -> Result<(), WarehouseError> {
        debug_assert_eq!(self.access, Access::ReadWrite, "a plan is applied over a connection that writes");
        self.lock(&intent.dataset).await?;
        let mut tries = 1;
        loop {
            let done = if statements.iter().any(|sql| stands_alone(sql)) {
                self.apart(statements, intent).await
            } else {
                self.together(statements, intent).await
            };
            match done {
                Err(WarehouseError::Locked { .. }) if tries < TRIES => {
                    tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(tries)).await;
                    self.session.pause()?;
                    tries += 1;
                }
                Err(WarehouseError::Locked { sql, message, .. }) => {
                    let holders = self.holders(&sql).await;
                    return Err(WarehouseError::Locked { sql, message, holders });
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        if record::is_recorded(&self.session, intent).await? {
            return Ok(());
        }
        Err(WarehouseError::NotRecorded { plan_id: intent.plan_id.clone() })
    }

    async fn run(&mut self, statements: &[String]) -> Result<u64, WarehouseError> {
        self.session.run("BEGIN").await?;
        let done = async {
            let mut changed = 0;
            for sql in statements {
                self.session.pause()?;
                let rows = self.session.changed(&self.by_name(sql).await?).await?;
                if head(sql).kind == Kind::Insert || rows > 0 {
                    changed = rows;
                }
            }
            self.session.run("COMMIT").await?;
            Ok(changed)
        };
        self.rolled_back(done.await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_runs_outside_of_a_transaction() {
        assert!(stands_alone("CREATE UNIQUE INDEX CONCURRENTLY i ON a.t (b)"));
        assert!(!stands_alone("COMMENT ON TABLE a.t IS 'CONCURRENTLY'"));
        assert!(!stands_alone("CREATE INDEX i ON a.t (b)"));
    }
}
