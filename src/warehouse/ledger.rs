//! What `promote` keeps in a dataset: what it owns there, and what it did.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::migration::{Probe, Step};
use crate::model::plan::Acknowledgements;
use crate::model::record::AppliedMigration;

use super::literal;

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
        "_promote_applied",
        "dataset VARCHAR, name VARCHAR, plan_id VARCHAR, source_hash VARCHAR, definition VARCHAR",
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
    /// What was applied to each of them.
    #[serde(default)]
    pub applied: BTreeMap<Coordinate, Applied>,
    /// Migrations in the order in which they were committed.
    pub migrations: Vec<AppliedMigration>,
}

/// What was applied to an object.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// What it was last, as JSON.
    pub definition: String,
    /// Digest of what that was made from.
    pub source_hash: String,
    /// Digests of what it was made from before.
    pub earlier: BTreeSet<String>,
}

impl Applied {
    /// Takes over a row: the one with a definition is the last.
    pub(super) fn take(&mut self, source_hash: String, definition: Option<String>) {
        match definition {
            Some(definition) => (self.source_hash, self.definition) = (source_hash, definition),
            None => drop(self.earlier.insert(source_hash)),
        }
    }
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

/// What an object is once the statements have run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mark {
    /// The object.
    pub object: Coordinate,
    /// Digest of what it was made from.
    pub source_hash: String,
    /// What it is, as JSON.
    pub definition: String,
}

impl Mark {
    /// Gives the statements that keep it in a ledger.
    pub(super) fn statements(&self, place: &str, plan_id: &str) -> [String; 2] {
        let (dataset, object) = (literal(&self.object.dataset.to_string()), literal(&self.object.name));
        let (hash, definition) = (literal(&self.source_hash), literal(&self.definition));
        [
            format!(
                "UPDATE {place}._promote_applied SET definition = NULL \
                 WHERE dataset = {dataset} AND name = {object} AND definition IS NOT NULL"
            ),
            format!(
                "INSERT INTO {place}._promote_applied VALUES ({dataset}, {object}, {}, {hash}, {definition})",
                literal(plan_id)
            ),
        ]
    }
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
    /// What objects are from then on, so that a change by hand is seen.
    pub applied: Vec<Mark>,
    /// What must be so right before.
    pub guard: Guard,
}
