//! What can be wrong with a warehouse.

/// A warehouse that cannot be reached, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// Another process holds the file.
    #[error("`{path}` is held by another process{}", pid.map(|pid| format!(" (PID {pid})")).unwrap_or_default())]
    Busy {
        /// The file.
        path: String,
        /// The process, where the engine says which.
        pid: Option<u32>,
    },
    /// The user may not read or write it.
    #[error("no permission for `{path}`: {message}")]
    Permission {
        /// The file.
        path: String,
        /// The system's or engine's own words.
        message: String,
    },
    /// A server's user may not do it, or may not come in.
    #[error("no permission for `{server}`: {message}")]
    Denied {
        /// The server, without secrets.
        server: String,
        /// What is missing, or the server's own words.
        message: String,
    },
    /// It is not there, or is no warehouse.
    #[error("cannot open `{path}`: {message}")]
    Unreachable {
        /// The file or server, without secrets.
        path: String,
        /// The engine's own words.
        message: String,
    },
    /// A statement failed; nothing of its transaction is left.
    #[error("{message}")]
    Statement {
        /// The statement.
        sql: String,
        /// The engine's own words.
        message: String,
        /// The line of the statement, from 1, where the engine says one.
        line: Option<u32>,
    },
    /// The engine lists no keys and checks, because it does not find what some of them call.
    #[error(
        "DuckDB lists the keys and checks of no table, because it cannot bind a CHECK of {}: {message}",
        listed(tables)
    )]
    Unbound {
        /// The tables.
        tables: Vec<String>,
        /// The engine's own words.
        message: String,
    },
    /// Somebody else held a lock for too long; nothing of the transaction is left.
    #[error("somebody else holds a lock that this needs: {message}{}", held(holders))]
    Locked {
        /// The statement.
        sql: String,
        /// The engine's own words.
        message: String,
        /// Who holds a lock on what the statement names, as far as it can be told.
        holders: Vec<String>,
    },
    /// The connection broke; the server has undone what was not committed.
    #[error("the connection was lost: {message}")]
    Lost {
        /// Why.
        message: String,
    },
    /// A statement that does not declare anything, where only declarations are allowed.
    #[error(
        "`{keyword}` is not a declaration: only CREATE TABLE|VIEW|INDEX|TYPE|SEQUENCE|FUNCTION|MACRO|SCHEMA and COMMENT ON are"
    )]
    NotDeclaring {
        /// The statement.
        sql: String,
        /// Its leading words.
        keyword: String,
    },
    /// A statement that is not tried where it would run with too many rights.
    #[error("this is not tried within the live database, because {why}")]
    Untried {
        /// The statement.
        sql: String,
        /// Why.
        why: String,
    },
    /// Somebody else's planner did not do what it was asked.
    #[error("`{command}` {message}")]
    Planner {
        /// The command.
        command: String,
        /// What it did instead, in its own words.
        message: String,
    },
    /// It was interrupted; nothing of the transaction is left.
    #[error("interrupted; nothing was changed")]
    Interrupted,
    /// The questions of a plan to the data took too long.
    #[error("the questions to the data took longer than {seconds} s")]
    TooLong {
        /// How long they may take.
        seconds: u64,
    },
    /// The live schema is not the one that was planned for.
    #[error("the live schema changed since the plan was made")]
    Moved {
        /// The fingerprint of the plan.
        expected: String,
        /// The fingerprint of what is live.
        found: String,
    },
    /// The data is not what was planned for.
    #[error("the data changed since the plan was made: {found} rows stand in the way where {expected} did")]
    DataMoved {
        /// The question.
        sql: String,
        /// The answer in the plan.
        expected: u64,
        /// The answer now.
        found: u64,
    },
    /// The commit was accepted, but what it wrote is not there.
    #[error("the commit of plan `{plan_id}` was accepted, but its record is not there")]
    NotRecorded {
        /// The plan.
        plan_id: String,
    },
    /// What the warehouse keeps for us cannot be read.
    #[error("`{table}` holds what cannot be read: {message}")]
    Ledger {
        /// The table.
        table: String,
        /// Why.
        message: String,
    },
}

/// Names tables.
fn listed(tables: &[String]) -> String {
    tables.iter().map(|table| format!("`{table}`")).collect::<Vec<_>>().join(", ")
}

/// Names who holds a lock.
fn held(holders: &[String]) -> String {
    holders.iter().flat_map(|holder| ["; held by ", holder]).collect()
}
