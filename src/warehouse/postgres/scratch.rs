//! A database of its own for declarations that nobody has approved yet; it is dropped afterwards.
//!
//! It is made from the engine's empty template, so nothing of the project's is in it, and every name can be what it
//! is where it is live. Only statements that declare are run in it. Declaring can run what is declared (a default of a
//! new column, a function that does not change), so whoever has more than a database's rights does not do it himself:
//! a role that is made with the database does, and goes with it.

use async_trait::async_trait;

use super::declaring::{columns, counts_on, declaring, types};
use super::introspect::schema;
use super::parameters::Parameters;
use super::server::Session;
use crate::model::coordinate::Dataset;
use crate::model::schema::{Column, Schema};
use crate::warehouse::connect::{Interrupt, Reach};
use crate::warehouse::{Files, Routines, Scratch, Texts, Typed, WarehouseError, literal, name};

/// What the name of such a database begins with; a process's number and a counter follow.
const PREFIX: &str = "_promote_scratch_";

/// How the session that declares is set.
const SETTINGS: &str =
    "SET synchronous_commit = off; SET statement_timeout = '120s'; SET lock_timeout = '30s'";

/// A database that is made, filled, and dropped.
pub(in crate::warehouse) struct PostgresScratch {
    keeper: Session,
    session: Option<Session>,
    parameters: Parameters,
    interrupt: Interrupt,
    database: String,
    making: String,
    /// The role that declares, with its password, where whoever is connected may do too much.
    role: Option<(String, String)>,
    extensions: Vec<String>,
    path: String,
    used: bool,
}

impl PostgresScratch {
    /// Makes the database.
    pub(in crate::warehouse) async fn open(
        url: &str,
        reach: &Reach,
        files: &Files,
    ) -> Result<(Self, Typed), WarehouseError> {
        let parameters = Parameters::read(url, &reach.variables)?;
        let keeper = Session::open(&parameters, &reach.interrupt).await?;
        let rows = keeper
            .ask(
                "SELECT pg_catalog.pg_backend_pid()::text, pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype, \
                 (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) \
                 OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN ('pg_execute_server_program', \
                 'pg_read_server_files', 'pg_write_server_files') AND pg_catalog.pg_has_role(oid, 'MEMBER')) \
                 FROM pg_catalog.pg_database WHERE datname = current_database()",
            )
            .await?;
        let of = |index: usize| rows.first().map(|row| row.text(index)).unwrap_or_default();
        let database = format!("{PREFIX}{}", of(0));
        let powerful = rows.first().is_some_and(|row| row.is(4));
        let role = if powerful { Some((database.clone(), secret()?)) } else { None };
        let owner = role.as_ref().map(|(role, _)| format!(" OWNER {}", name(role))).unwrap_or_default();
        let making = format!(
            "CREATE DATABASE {}{owner} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            name(&database),
            literal(&of(1)),
            literal(&of(2)),
            literal(&of(3))
        );
        let extensions = extensions(&keeper).await?;
        let own = reach.datasets.iter().map(|dataset| name(&dataset.schema)).collect::<Vec<_>>();
        let path = own.into_iter().chain(["public".to_owned()]).collect::<Vec<_>>().join(", ");
        let interrupt = Interrupt::clone(&reach.interrupt);
        let mut scratch = Self {
            keeper,
            session: None,
            parameters,
            interrupt,
            database,
            making,
            role,
            extensions,
            path,
            used: false,
        };
        scratch.sweep().await?;
        if let Some((role, password)) = &scratch.role {
            let sql = format!("CREATE ROLE {} LOGIN PASSWORD {}", name(role), literal(password));
            scratch.keeper.run(&sql).await.map_err(|error| scratch.unmade(error))?;
        }
        scratch.make().await?;
        let typed = types(files);
        Ok((scratch, typed))
    }

    /// Drops what a killed run has left: databases of ours whose maker is gone.
    async fn sweep(&self) -> Result<(), WarehouseError> {
        let sql = format!(
            "SELECT datname FROM pg_catalog.pg_database d WHERE pg_catalog.starts_with(datname, '{PREFIX}') \
             AND pg_catalog.pg_has_role(d.datdba, 'MEMBER') AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a \
             WHERE '{PREFIX}' || a.pid = d.datname AND a.pid <> pg_catalog.pg_backend_pid())"
        );
        for row in self.keeper.ask(&sql).await? {
            // Another run may be at the same.
            drop(self.keeper.run(&dropping(&row.text(0))).await);
            drop(self.keeper.run(&format!("DROP ROLE IF EXISTS {}", name(&row.text(0)))).await);
        }
        Ok(())
    }

    /// Opens the session that declares.
    async fn enter(&self) -> Result<Session, WarehouseError> {
        let place = self.parameters.database(&self.database);
        let Some((role, password)) = &self.role else { return Session::open(&place, &self.interrupt).await };
        let maker = Session::open(&place, &self.interrupt).await?;
        for extension in &self.extensions {
            // One that is missing is missed by whoever needs it, with the engine's words.
            drop(maker.run(extension).await);
        }
        // What reaches other servers is declared by nobody's right here.
        let reaching = "SELECT p.oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc p \
             JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid \
             AND d.deptype = 'e' JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE e.extname = 'dblink'";
        for row in maker.ask(reaching).await? {
            maker.run(&format!("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC", row.text(0))).await?;
        }
        let schemas = "SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace \
             WHERE nspname <> 'information_schema' AND NOT pg_catalog.starts_with(nspname, 'pg_')";
        for row in maker.ask(schemas).await? {
            maker.run(&format!("ALTER SCHEMA {} OWNER TO {}", row.text(0), name(role))).await?;
        }
        let place = place.login(role, password);
        Session::open(&place, &self.interrupt).await.map_err(|error| WarehouseError::Denied {
            server: self.parameters.place(),
            message: format!(
                "what is declared is not tried with a superuser's rights, and a role of its own cannot log in \
                 ({error}): connect as a user without these rights, or name one in `warehouse.scratch`"
            ),
        })
    }

    async fn make(&mut self) -> Result<(), WarehouseError> {
        self.keeper.run(&self.making).await.map_err(|error| self.unmade(error))?;
        let session = self.enter().await?;
        session.run(SETTINGS).await?;
        for extension in &self.extensions {
            // One that is missing is missed by whoever needs it, with the engine's words.
            drop(session.run(extension).await);
        }
        session.run(&format!("SET search_path = {}", self.path)).await?;
        self.session = Some(session);
        self.used = false;
        Ok(())
    }

    /// Drops what was made, which costs less than another database; gives whether that was done.
    ///
    /// Extensions would have to be made again by whoever may, and to drop many objects takes more locks than a
    /// server may have.
    async fn emptied(&self) -> Result<bool, WarehouseError> {
        let session = self.session()?;
        if !self.extensions.is_empty() {
            return Ok(false);
        }
        let schemas = session
            .ask(
                "SELECT pg_catalog.quote_ident(nspname), count(c.oid) < 300 AND nspname <> 'public' \
                 FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid \
                 WHERE nspname <> 'information_schema' AND NOT pg_catalog.starts_with(nspname, 'pg_') \
                 AND (nspname <> 'public' OR c.oid IS NOT NULL \
                 OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace = n.oid) \
                 OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE typnamespace = n.oid)) GROUP BY nspname",
            )
            .await?;
        if schemas.iter().any(|row| !row.is(1)) {
            return Ok(false);
        }
        for row in &schemas {
            session.run(&format!("DROP SCHEMA {} CASCADE", row.text(0))).await?;
        }
        // What was declared may have set something while it was made.
        session.run("DISCARD ALL").await?;
        session.run(SETTINGS).await?;
        session.run(&format!("SET search_path = {}", self.path)).await?;
        Ok(true)
    }

    /// Says what is missing where the database may not be made.
    fn unmade(&self, error: WarehouseError) -> WarehouseError {
        let message = error.to_string();
        if !message.contains("permission denied") {
            return error;
        }
        WarehouseError::Denied {
            server: self.parameters.place(),
            message: format!("{message}; a plan is tried in a database of its own: ALTER ROLE … CREATEDB"),
        }
    }

    fn session(&self) -> Result<&Session, WarehouseError> {
        let gone = || WarehouseError::Lost { message: "the database to try things in is gone".to_owned() };
        self.session.as_ref().ok_or_else(gone)
    }

    /// Runs one statement that declares or alters.
    async fn one(&self, statement: &str) -> Result<(), WarehouseError> {
        match declaring(statement)? {
            Some((only, _)) => self.session()?.run(only).await,
            None => Ok(()),
        }
    }
}

/// Gives the statements that install the extensions of a database in another one.
async fn extensions(keeper: &Session) -> Result<Vec<String>, WarehouseError> {
    let sql = "SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(e.extname) FROM pg_catalog.pg_extension e \
         JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY e.oid";
    let install = |schema: String, extension: String| {
        format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA {schema} CASCADE"
        )
    };
    Ok(keeper.ask(sql).await?.iter().map(|row| install(row.text(0), row.text(1))).collect())
}

/// Gives a word that nobody can guess.
fn secret() -> Result<String, WarehouseError> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 24];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| WarehouseError::Unreachable {
        path: "/dev/urandom".to_owned(),
        message: error.to_string(),
    })?;
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    Ok(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

fn dropping(database: &str) -> String {
    format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", name(database))
}

#[async_trait(?Send)]
impl Scratch for PostgresScratch {
    async fn reset(&mut self, _texts: Texts) -> Result<(), WarehouseError> {
        if self.used && !self.emptied().await.unwrap_or(false) {
            self.session = None;
            self.keeper.run(&dropping(&self.database)).await?;
            self.make().await?;
        }
        self.used = false;
        Ok(())
    }

    async fn build(&mut self, statement: &str) -> Result<(), WarehouseError> {
        self.used = true;
        self.one(statement).await
    }

    async fn rehearse(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        self.used = true;
        let session = self.session()?;
        // As it will run: names written out, and bodies as they are.
        session.run("SET search_path = ''; SET check_function_bodies = off").await?;
        let alone = statements.iter().any(|sql| sql.contains(" CONCURRENTLY "));
        if !alone {
            session.run("BEGIN").await?;
        }
        let mut done = Ok(());
        for statement in statements.iter().filter(|sql| !counts_on(sql)) {
            done = self.one(statement).await;
            if done.is_err() {
                break;
            }
        }
        if !alone {
            let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = session.run(end).await;
            done = done.and(ended);
        }
        session.run(&format!("SET search_path = {}; SET check_function_bodies = on", self.path)).await?;
        done
    }

    async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError> {
        self.used = true;
        columns(self.session()?, query).await
    }

    async fn schema(
        &mut self,
        datasets: &[Dataset],
        _routines: Routines,
        _texts: Texts,
    ) -> Result<Schema, WarehouseError> {
        let session = self.session()?;
        session.run("SET search_path = ''").await?;
        let found = schema(session, datasets).await;
        session.run(&format!("SET search_path = {}", self.path)).await?;
        found
    }
}

impl Drop for PostgresScratch {
    /// Drops the database, over a session of its own: what is dropped cannot wait for the one that is at hand.
    fn drop(&mut self) {
        let (parameters, database) = (self.parameters.clone(), self.database.clone());
        let role = self.role.is_some();
        self.session = None;
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(async {
                let session = Session::open(&parameters, &Interrupt::default()).await.ok()?;
                session.run(&dropping(&database)).await.ok()?;
                if role {
                    session.run(&format!("DROP ROLE IF EXISTS {}", name(&database))).await.ok()
                } else {
                    Some(())
                }
            })
        });
        // What cannot be dropped now is swept away by the next plan.
        drop(dropped.join());
    }
}
