//! Runs of models: which tables are built, in which order, by which statements, and what came of it.
//!
//! In: the models and what is selected. Out: runs, the statements of each, and a result for each. Tables
//! are there already (the migration makes them); a run fills them, each in one transaction, so that a
//! reader sees the old rows or the new ones. What is downstream of a failure is left alone. Knows no
//! database: [`Refresh`] is passed in. Start at [`schedule()`], then [`execute()`].

mod error;
mod execute;
mod refresh;
mod schedule;
#[cfg(test)]
mod shop;

use async_trait::async_trait;

pub use error::{RefreshError, TransformError};
pub use execute::{RunResult, RunStatus, execute};
pub use refresh::{Refreshment, SeedFile, refresh, refreshments};
pub use schedule::schedule;

/// Fills one table.
#[async_trait(?Send)]
pub trait Refresh {
    /// Runs the statements of a refreshment in one transaction and counts the rows that are then there.
    ///
    /// Effects: writes the seed's file first, where there is one; after a failure the table holds what
    /// it held before.
    ///
    /// # Errors
    ///
    /// [`RefreshError`] if a statement fails or the warehouse is lost.
    async fn refresh(&mut self, refreshment: &Refreshment) -> Result<u64, RefreshError>;
}
