//! A session with a server: opening it, asking it, letting an interrupt through.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_postgres::{Client, Config, SimpleQueryMessage, SimpleQueryRow};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{failed, unreachable};
use super::parameters::Parameters;
use super::tls;
use crate::warehouse::WarehouseError;
use crate::warehouse::connect::Interrupt;

/// How often the interrupt is looked at while a statement runs.
const LOOK: Duration = Duration::from_millis(20);

/// An open session.
pub(super) struct Session {
    client: Client,
    tls: MakeRustlsConnect,
    interrupt: Interrupt,
    user: String,
}

/// A row of texts.
pub(super) struct Row(SimpleQueryRow);

impl Row {
    /// Gives a text; an absent one is empty.
    pub(super) fn text(&self, index: usize) -> String {
        self.0.get(index).unwrap_or_default().to_owned()
    }

    /// Gives a text, where there is one.
    pub(super) fn optional(&self, index: usize) -> Option<String> {
        self.0.get(index).map(str::to_owned)
    }

    /// Gives a truth.
    pub(super) fn is(&self, index: usize) -> bool {
        self.0.get(index) == Some("t")
    }

    /// Gives a list of texts that the query wrote as JSON.
    pub(super) fn list(&self, index: usize) -> Vec<String> {
        self.0.get(index).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

impl Session {
    /// Opens a session. What is set in it: names written out, texts read as UTF-8, no notices.
    pub(super) async fn open(parameters: &Parameters, interrupt: &Interrupt) -> Result<Self, WarehouseError> {
        let (mode, tls) = tls::connector(parameters)?;
        let config = configuration(parameters, mode)?;
        let place = parameters.place();
        let (client, connection) =
            config.connect(tls.clone()).await.map_err(|error| unreachable(&place, &error))?;
        // The task ends with the client; what went wrong is told to whoever asks next.
        drop(tokio::spawn(connection));
        let user = parameters.get("user").unwrap_or_default().to_owned();
        let session = Self { client, tls, interrupt: Interrupt::clone(interrupt), user };
        session.run("SET search_path = ''; SET client_min_messages = warning; SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 3; SET standard_conforming_strings = on; SET TimeZone = 'UTC'").await?;
        Ok(session)
    }

    /// Runs statements that give no rows that matter.
    pub(super) async fn run(&self, sql: &str) -> Result<(), WarehouseError> {
        self.messages(sql).await.map(drop)
    }

    /// Runs a statement and gives how many rows it changed.
    pub(super) async fn changed(&self, sql: &str) -> Result<u64, WarehouseError> {
        let messages = self.messages(sql).await?;
        let counts = messages.iter().filter_map(|message| {
            let SimpleQueryMessage::CommandComplete(rows) = message else { return None };
            Some(*rows)
        });
        Ok(counts.last().unwrap_or(0))
    }

    /// Asks a query.
    pub(super) async fn ask(&self, sql: &str) -> Result<Vec<Row>, WarehouseError> {
        let messages = self.messages(sql).await?;
        let rows = messages.into_iter().filter_map(|message| {
            let SimpleQueryMessage::Row(row) = message else { return None };
            Some(Row(row))
        });
        Ok(rows.collect())
    }

    async fn messages(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, WarehouseError> {
        let running = self.client.simple_query(sql);
        tokio::pin!(running);
        let mut cancelled = false;
        loop {
            tokio::select! {
                done = &mut running => {
                    return match done {
                        Err(_) if cancelled => Err(WarehouseError::Interrupted),
                        done => done.map_err(|error| failed(sql, &error, &self.user)),
                    };
                }
                () = tokio::time::sleep(LOOK) => {
                    if self.interrupt.load(Ordering::Relaxed) && !cancelled {
                        cancelled = true;
                        // A server that cannot be told to stop goes on; then the statement's own end is waited for.
                        drop(self.client.cancel_token().cancel_query(self.tls.clone()).await);
                    }
                }
            }
        }
    }

    /// Names the columns of a query, without running it.
    pub(super) async fn names(&self, query: &str) -> Result<Vec<String>, WarehouseError> {
        let statement =
            self.client.prepare(query).await.map_err(|error| failed(query, &error, &self.user))?;
        Ok(statement.columns().iter().map(|column| column.name().to_owned()).collect())
    }

    /// Stops where somebody wants the work to stop.
    pub(super) fn pause(&self) -> Result<(), WarehouseError> {
        if self.interrupt.load(Ordering::Relaxed) { Err(WarehouseError::Interrupted) } else { Ok(()) }
    }
}

fn configuration(
    parameters: &Parameters,
    mode: tokio_postgres::config::SslMode,
) -> Result<Config, WarehouseError> {
    let bad = |key: &str| WarehouseError::Unreachable {
        path: parameters.place(),
        message: format!("`{key}` is no number"),
    };
    let mut config = Config::new();
    config.ssl_mode(mode).application_name(parameters.get("application_name").unwrap_or("promote"));
    for host in parameters.get("host").unwrap_or_default().split(',').filter(|host| !host.is_empty()) {
        config.host(host);
    }
    for address in parameters.get("hostaddr").unwrap_or_default().split(',').filter(|host| !host.is_empty()) {
        config.hostaddr(address.parse().map_err(|_| bad("hostaddr"))?);
    }
    for port in parameters.get("port").unwrap_or("5432").split(',') {
        config.port(port.parse().map_err(|_| bad("port"))?);
    }
    if let Some(user) = parameters.get("user") {
        config.user(user);
    }
    if let Some(password) = parameters.get("password") {
        config.password(password);
    }
    if let Some(database) = parameters.get("dbname") {
        config.dbname(database);
    }
    if let Some(options) = parameters.get("options") {
        config.options(options);
    }
    let seconds =
        parameters.get("connect_timeout").unwrap_or("10").parse().map_err(|_| bad("connect_timeout"))?;
    if seconds > 0 {
        config.connect_timeout(Duration::from_secs(seconds));
    }
    Ok(config)
}
