//! What `promote` keeps in a dataset: what it owns there, and what it did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::migration::{Probe, Step};
use crate::model::plan::Acknowledgements;
use crate::model::record::AppliedMigration;

/// Tables that hold the ledger, each with its columns.
pub(super) const TABLES: &[(&str, &str)] = &[
    (
        "_promote_objects",
        "dataset VARCHAR, name VARCHAR, kind VARCHAR, standing VARCHAR, plan_id VARCHAR, source_hash VARCHAR, definition VARCHAR",
    ),
    (
        "_promote_migrations",
        "plan_id VARCHAR, applied_at VARCHAR, applied_by VARCHAR, steps VARCHAR, acknowledgements VARCHAR",
    ),
    (
        "_promote_runs",
        "model VARCHAR, part VARCHAR, source_hash VARCHAR, started VARCHAR, finished VARCHAR, status VARCHAR, detail VARCHAR, affected BIGINT",
    ),
];

/// What is recorded in a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Objects that are ours: created or adopted by an earlier plan.
    pub owned: BTreeMap<Coordinate, Owned>,
    /// Migrations in the order in which they were committed.
    pub migrations: Vec<AppliedMigration>,
}

/// An object that is ours.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Owned {
    /// `table`, `view` or `routine`.
    pub kind: String,
    /// Whether it is still declared.
    pub standing: Standing,
    /// The plan that made it ours.
    pub plan_id: String,
    /// Digest of what it was made from.
    pub source_hash: String,
    /// What the engine's catalog does not keep of it (a routine's defaults), as JSON.
    pub definition: Option<String>,
}

/// Whether an object that is ours is still declared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is.
    Managed,
    /// Its declaration was removed; it is left alone.
    Orphaned,
}

impl Standing {
    /// Gives the word that the ledger holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Orphaned => "orphaned",
        }
    }

    /// Reads the word; what is not known counts as managed.
    pub(super) fn parse(text: &str) -> Self {
        if text == Self::Orphaned.as_str() { Self::Orphaned } else { Self::Managed }
    }
}

/// A row of ownership to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ownership {
    /// The object.
    pub object: Coordinate,
    /// What is written.
    pub owned: Owned,
}

/// What must be so right before the statements run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Guard {
    /// The datasets that the fingerprint covers; empty: none is checked.
    pub datasets: Vec<Dataset>,
    /// The live schema's fingerprint in the plan.
    pub fingerprint: String,
    /// Questions to the data with the plan's answers; more rows than that is a refusal.
    pub probes: Vec<Probe>,
}

/// What is written with the statements, in the same transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// The dataset whose ledger takes it.
    pub dataset: Dataset,
    /// The plan.
    pub plan_id: String,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Who: `Name <mail>`.
    pub by: String,
    /// The steps that these statements are.
    pub steps: Vec<Step>,
    /// What was said to the plan.
    pub acknowledgements: Acknowledgements,
    /// What becomes or stays ours.
    pub owned: Vec<Ownership>,
    /// What is no longer there.
    pub disowned: Vec<Coordinate>,
    /// What must be so right before.
    pub guard: Guard,
}
