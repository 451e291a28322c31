//! What can be wrong with a migration.

use crate::model::finding::Finding;
use crate::warehouse::WarehouseError;

/// A migration that cannot be planned or applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Declarations that the engine rejects, all at once.
    #[error("{} of the declared objects cannot be built", .0.len())]
    Faults(Vec<Finding>),
    /// The warehouse said no.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}
