//! Starting the engine and attaching a file to it.

use std::path::Path;
use std::time::Duration;

use ::duckdb::{Config, Connection};

use super::rows::{run, words};
use crate::model::coordinate::Dataset;
use crate::warehouse::connect::{Access, Reach};
use crate::warehouse::{WarehouseError, literal, name, same_name};

/// How often a held file is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Names that the engine keeps for its own catalogs.
const TAKEN: &[&str] = &["memory", "temp", "system", "main"];

/// How many threads the engine takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Threads {
    /// One: catalogs are small, and planning must be cheap.
    One,
    /// As many as it likes.
    All,
}

/// Starts an empty engine in memory.
pub(super) fn start(path: &Path, threads: Threads) -> Result<Connection, WarehouseError> {
    let unreachable = |error: &::duckdb::Error| WarehouseError::Unreachable {
        path: path.display().to_string(),
        message: words(error),
    };
    let config = match threads {
        Threads::One => {
            Config::default().threads(1).and_then(|config| config.enable_autoload_extension(false))
        }
        Threads::All => Ok(Config::default()),
    };
    config.and_then(Connection::open_in_memory_with_flags).map_err(|error| unreachable(&error))
}

/// Gives the catalog's name for a file: its stem, unless a dataset or the engine bears that name.
pub(super) fn catalog(path: &Path, datasets: &[Dataset]) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let taken = |name: &str| {
        TAKEN.contains(&name.to_lowercase().as_str())
            || datasets.iter().any(|dataset| same_name(&dataset.schema, name))
    };
    let mut found = stem;
    while found.is_empty() || taken(&found) {
        found.push_str("_file");
    }
    found
}

/// Attaches an empty catalog in memory and makes it the one that is meant.
pub(super) fn attach_memory(connection: &Connection, catalog: &str) -> Result<(), WarehouseError> {
    run(connection, &format!("ATTACH ':memory:' AS {0}; USE {0};", name(catalog)))
}

/// Attaches a file and makes it the one that is meant; waits while another process holds it.
pub(super) async fn attach(
    connection: &Connection,
    path: &Path,
    catalog: &str,
    reach: &Reach,
) -> Result<(), WarehouseError> {
    let file = path.to_string_lossy();
    let options = match reach.access {
        Access::ReadOnly => " (READ_ONLY)",
        Access::ReadWrite => "",
    };
    let sql = format!("ATTACH {} AS {1}{options}; USE {1};", literal(&file), name(catalog));
    let mut waited = Duration::ZERO;
    loop {
        let error = match connection.execute_batch(&sql) {
            Ok(()) => return Ok(()),
            Err(error) => classify(&file, &words(&error)),
        };
        let busy = matches!(error, WarehouseError::Busy { .. });
        if !busy || waited >= reach.patience {
            return Err(error);
        }
        if reach.interrupt.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(WarehouseError::Interrupted);
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}

/// Tells apart why a file could not be opened.
fn classify(path: &str, message: &str) -> WarehouseError {
    let path = path.to_owned();
    if message.contains("Could not set lock") || message.contains("being used by another process") {
        let digits = message.split("PID ").nth(1).unwrap_or_default();
        let pid = digits.split(|next: char| !next.is_ascii_digit()).next().and_then(|pid| pid.parse().ok());
        return WarehouseError::Busy { path, pid };
    }
    if message.contains("Permission denied") || message.contains("read-only file system") {
        return WarehouseError::Permission { path, message: message.to_owned() };
    }
    WarehouseError::Unreachable { path, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_catalog_after_the_file_unless_that_is_taken() {
        let datasets = [Dataset::new("prod")];
        for (path, expected) in
            [("/a/shop.duckdb", "shop"), ("/a/prod.duckdb", "prod_file"), ("/a/memory.db", "memory_file")]
        {
            assert_eq!(catalog(Path::new(path), &datasets), expected);
        }
    }

    #[test]
    fn tells_a_held_file_from_a_forbidden_one() {
        let busy = classify(
            "f",
            "IO Error: Could not set lock on file \"f\": Conflicting lock is held in x (PID 42).",
        );
        assert!(matches!(busy, WarehouseError::Busy { pid: Some(42), .. }));
        assert!(matches!(classify("f", "IO Error: Permission denied"), WarehouseError::Permission { .. }));
        assert!(matches!(classify("f", "not a valid DuckDB database"), WarehouseError::Unreachable { .. }));
    }
}
