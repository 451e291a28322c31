//! A place for declarations in the live database itself, for whoever may make no database: one transaction that is
//! rolled back.
//!
//! In it the managed schemas bear another name, so that what is declared can bear its own. Others see neither:
//! the transaction never commits, and renaming a schema locks nothing in it. What runs here has the rights of whoever
//! is connected, so a routine is made but never called, and nothing but the managed schemas is altered.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::declaring::{columns, counts_on, declaring, on_table, types};
use super::introspect::schema;
use super::parameters::Parameters;
use super::server::Session;
use crate::model::coordinate::Dataset;
use crate::model::schema::{Column, Schema};
use crate::warehouse::connect::Reach;
use crate::warehouse::{
    Files, Head, Kind, Routines, Scratch, Texts, Typed, WarehouseError, literal, name, words,
};

/// What a schema's name begins with while its place is taken.
const PREFIX: &str = "_promote_aside_";

/// A transaction that is rolled back.
pub(in crate::warehouse) struct AsideScratch {
    session: Session,
    managed: Vec<Dataset>,
    /// What is only read lies where it is.
    read: Vec<Dataset>,
    /// Names of routines that were made: nothing may call them.
    routines: BTreeSet<String>,
}

impl AsideScratch {
    /// Begins the transaction and takes the managed schemas aside.
    pub(in crate::warehouse) async fn open(
        url: &str,
        reach: &Reach,
        files: &Files,
    ) -> Result<(Self, Typed), WarehouseError> {
        let parameters = Parameters::read(url, &reach.variables)?;
        let session = Session::open(&parameters, &reach.interrupt).await?;
        allowed(&session, &parameters, &reach.managed).await?;
        session.run("BEGIN; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '120s'").await?;
        for (index, dataset) in reach.managed.iter().enumerate() {
            if is_there(&session, dataset).await? {
                let aside = format!("ALTER SCHEMA {} RENAME TO {PREFIX}{index}", name(&dataset.schema));
                session.run(&aside).await?;
            }
        }
        let read = reach.datasets.iter().filter(|dataset| !reach.managed.contains(dataset));
        let scratch = Self {
            session,
            managed: reach.managed.clone(),
            read: read.cloned().collect(),
            routines: BTreeSet::new(),
        };
        scratch.session.run(&format!("SET LOCAL search_path = {}; SAVEPOINT empty", scratch.path())).await?;
        Ok((scratch, types(files)))
    }

    fn path(&self) -> String {
        let all = self.managed.iter().chain(&self.read).map(|dataset| name(&dataset.schema));
        all.chain(["public".to_owned()]).collect::<Vec<_>>().join(", ")
    }

    /// Whether a statement has to be run: what lies where it is need not be made.
    fn is_here(&self, only: &str, said: &Head) -> Result<bool, WarehouseError> {
        let attached = matches!(said.kind, Kind::Index | Kind::Trigger);
        let table = if attached { on_table(only) } else { Vec::new() };
        let named = if attached { &table } else { &said.name };
        let schema = if said.kind == Kind::Dataset { named.last() } else { named.iter().rev().nth(1) };
        let Some(schema) = schema else { return Ok(true) };
        let is = |datasets: &[Dataset]| datasets.iter().any(|dataset| dataset.schema == *schema);
        if is(&self.managed) {
            return Ok(true);
        }
        if is(&self.read) {
            return Ok(false);
        }
        let changes = attached || matches!(said.kind, Kind::Alter | Kind::Drop | Kind::Insert);
        if changes {
            return Err(untried(only, format!("it changes what lies in schema `{schema}`")));
        }
        Ok(true)
    }

    /// Whether running a statement would call a routine that nobody has approved yet.
    fn calls(&self, only: &str, said: &Head) -> bool {
        let runs = matches!(said.kind, Kind::Alter | Kind::Index | Kind::Insert);
        runs && !words(only).is_disjoint(&self.routines)
    }

    async fn one(&mut self, statement: &str) -> Result<(), WarehouseError> {
        let Some((only, said)) = declaring(statement)? else { return Ok(()) };
        if !self.is_here(only, &said)? {
            return Ok(());
        }
        if said.keyword.starts_with("REFRESH") {
            return Ok(());
        }
        if self.calls(only, &said) {
            return Err(untried(only, "running it would call a routine that is declared".to_owned()));
        }
        if said.kind == Kind::Routine {
            self.routines.extend(said.name.last().map(|routine| routine.to_lowercase()));
        }
        // A transaction of one's own is what this keyword asks for, and there is but one here.
        let mut only = only.replacen("INDEX CONCURRENTLY ", "INDEX ", 1);
        let materialized = said.kind == Kind::View && words(&only).contains("materialized");
        if materialized && !only.to_uppercase().ends_with("NO DATA") {
            // Its query is not run: what it reads may be live.
            only.push_str("\nWITH NO DATA");
        }
        self.kept(&only).await
    }

    /// Runs a statement so that one that fails leaves the transaction alive.
    async fn kept(&self, sql: &str) -> Result<(), WarehouseError> {
        self.session.run("SAVEPOINT before").await?;
        let done = self.session.run(sql).await;
        let end = if done.is_ok() {
            "RELEASE SAVEPOINT before"
        } else {
            "ROLLBACK TO SAVEPOINT before; RELEASE SAVEPOINT before"
        };
        let ended = self.session.run(end).await;
        done.and(ended)
    }

    async fn rehearsed(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        for statement in statements.iter().filter(|sql| !counts_on(sql)) {
            self.one(statement).await?;
        }
        Ok(())
    }
}

/// Checks the rights that this takes, and names those that are missing.
async fn allowed(
    session: &Session,
    parameters: &Parameters,
    managed: &[Dataset],
) -> Result<(), WarehouseError> {
    let rights = session
        .ask(
            "SELECT pg_catalog.has_database_privilege(current_database(), 'CREATE'), \
             pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(current_database())",
        )
        .await?;
    let of = |index: usize| rights.first().map(|row| row.text(index)).unwrap_or_default();
    let (role, database) = (of(1), of(2));
    let mut missing = Vec::new();
    if of(0) != "t" {
        missing.push(format!("GRANT CREATE ON DATABASE {database} TO {role}"));
    }
    for dataset in managed {
        let sql = format!(
            "SELECT pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = {}",
            literal(&dataset.schema)
        );
        if session.ask(&sql).await?.first().is_some_and(|row| !row.is(0)) {
            missing.push(format!("ALTER SCHEMA {} OWNER TO {role}", name(&dataset.schema)));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(WarehouseError::Denied {
        server: parameters.place(),
        message: format!(
            "what is declared is tried in a database of its own (ALTER ROLE {role} CREATEDB), or in a transaction that \
             is rolled back ({})",
            missing.join("; ")
        ),
    })
}

async fn is_there(session: &Session, dataset: &Dataset) -> Result<bool, WarehouseError> {
    let sql = format!("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {}", literal(&dataset.schema));
    Ok(!session.ask(&sql).await?.is_empty())
}

fn untried(sql: &str, why: String) -> WarehouseError {
    WarehouseError::Untried { sql: sql.to_owned(), why }
}

#[async_trait(?Send)]
impl Scratch for AsideScratch {
    async fn reset(&mut self, _texts: Texts) -> Result<(), WarehouseError> {
        self.routines.clear();
        self.session.run("ROLLBACK TO SAVEPOINT empty").await
    }

    async fn build(&mut self, statement: &str) -> Result<(), WarehouseError> {
        self.one(statement).await
    }

    async fn rehearse(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        // As it will run: names written out, and bodies as they are.
        let strict = "SAVEPOINT rehearsal; SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off";
        self.session.run(strict).await?;
        let done = self.rehearsed(statements).await;
        if done.is_err() {
            self.session.run("ROLLBACK TO SAVEPOINT rehearsal").await?;
        }
        let loose = format!(
            "RELEASE SAVEPOINT rehearsal; SET LOCAL search_path = {}; SET LOCAL check_function_bodies = on",
            self.path()
        );
        let ended = self.session.run(&loose).await;
        done.and(ended)
    }

    async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError> {
        self.session.run("SAVEPOINT asking").await?;
        let found = columns(&self.session, query).await;
        self.session.run("ROLLBACK TO SAVEPOINT asking; RELEASE SAVEPOINT asking").await?;
        found
    }

    async fn schema(
        &mut self,
        datasets: &[Dataset],
        _routines: Routines,
        _texts: Texts,
    ) -> Result<Schema, WarehouseError> {
        self.session.run("SET LOCAL search_path = ''").await?;
        let found = schema(&self.session, datasets).await;
        self.session.run(&format!("SET LOCAL search_path = {}", self.path())).await?;
        let mut found = found?;
        for relation in found.relations.values_mut() {
            // That is so of every one here.
            relation.extra.features.retain(|feature| feature != "not populated");
        }
        Ok(found)
    }
}
