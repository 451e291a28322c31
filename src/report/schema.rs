//! JSON Schemas of everything that a program may read.

use std::collections::BTreeMap;

use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::configuration::{ConfigurationResult, ConfigurationsResult};
use super::environment::{EnvironmentAddResult, EnvironmentListResult, EnvironmentRemoveResult};
use super::explanation::{ConfigurationDiffResult, ExplanationResult};
use super::json::Document;
use super::runs::ShownRun;
use crate::model::examined::Examined;
use crate::model::migration::{Drift, Migration, MigrationTarget, Step};
use crate::model::plan::Plan;
use crate::model::planner::{Planner, PlannerAnswer, PlannerRequest};
use crate::model::record::Record;
use crate::model::rollback::Rollback;
use crate::model::status::Status;

/// The `result` of `migrate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrateResult {
    /// Where it goes.
    pub target: Option<MigrationTarget>,
    /// Whether nothing stands in the way.
    pub compatible: bool,
    /// Digest of the live schema; null where it is not known.
    pub fingerprint: Option<String>,
    /// Whether the statements were tried on a copy.
    pub proof: Option<String>,
    /// What is live otherwise than it was last applied.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// Who planned it, where that is another program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planner: Option<Planner>,
    /// Whether the statements were run.
    pub applied: bool,
    /// The steps, in the order in which they run.
    pub steps: Vec<Step>,
}

impl MigrateResult {
    /// Takes a migration's part of a plan.
    pub fn of(migration: &Migration, applied: bool) -> Self {
        Self {
            target: migration.target.clone(),
            compatible: migration.compatible,
            fingerprint: migration.fingerprint.clone(),
            proof: migration.proof.clone(),
            drift: migration.drift.clone(),
            planner: migration.planner.clone(),
            applied,
            steps: migration.steps.clone(),
        }
    }
}

/// The `result` of `drift`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriftResult {
    /// Where it was looked.
    pub target: Option<MigrationTarget>,
    /// Digest of the live schema.
    pub fingerprint: Option<String>,
    /// What is live otherwise than it was last applied.
    pub drift: Vec<Drift>,
    /// What the live schema has for a later version of the code: `analytics.orders.note`.
    pub ahead_of_code: Vec<String>,
}

impl DriftResult {
    /// Takes it out of a migration's part of a plan.
    pub fn of(migration: &Migration) -> Self {
        let ahead = migration.steps.iter().filter(|step| step.code == "ahead-of-code");
        Self {
            target: migration.target.clone(),
            fingerprint: migration.fingerprint.clone(),
            drift: migration.drift.clone(),
            ahead_of_code: ahead.map(Step::subject).collect(),
        }
    }
}

/// The `result` of `run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunResults {
    /// The environment.
    pub environment: String,
    /// The dataset that was built.
    pub dataset: String,
    /// The runs, in the order in which they went.
    pub runs: Vec<ShownRun>,
}

/// The `result` of `history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryResult {
    /// The environment.
    pub environment: String,
    /// The records, the oldest first.
    pub records: Vec<Record>,
}

/// The `result` of `check`; what it found is in the envelope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The project file.
    pub file: String,
    /// How many of the findings are errors.
    pub errors: u64,
}

/// The `result` of `hold` and `release`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldResult {
    /// The environment.
    pub environment: String,
    /// Why.
    pub reason: String,
    /// Whether it takes no promotion now.
    pub held: bool,
}

/// The `result` of `unlock`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnlockResult {
    /// The environment.
    pub environment: String,
    /// Who holds the lock, or held it; null where it is free.
    pub holder: Option<LockedBy>,
    /// Whether it was taken away.
    pub removed: bool,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LockedBy {
    /// `Name <mail>`.
    pub holder: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// `promote staging prod`.
    pub purpose: String,
    /// Since when, RFC 3339, UTC.
    pub at: String,
}

/// Gives the schema of the envelope and of each command's result, by file name without `.json`.
pub fn schemas() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("check", schema_for!(CheckResult).to_value()),
        ("config-show", schema_for!(ConfigurationResult).to_value()),
        ("doctor", schema_for!(Examined).to_value()),
        ("drift", schema_for!(DriftResult).to_value()),
        ("config-diff", schema_for!(ConfigurationDiffResult).to_value()),
        ("config-explain", schema_for!(ExplanationResult).to_value()),
        ("config-show-all", schema_for!(ConfigurationsResult).to_value()),
        ("envelope", schema_for!(Document).to_value()),
        ("environment-add", schema_for!(EnvironmentAddResult).to_value()),
        ("environment-list", schema_for!(EnvironmentListResult).to_value()),
        ("environment-remove", schema_for!(EnvironmentRemoveResult).to_value()),
        ("history", schema_for!(HistoryResult).to_value()),
        ("hold", schema_for!(HoldResult).to_value()),
        ("migrate", schema_for!(MigrateResult).to_value()),
        ("planner-answer", schema_for!(PlannerAnswer).to_value()),
        ("planner-request", schema_for!(PlannerRequest).to_value()),
        ("plan", schema_for!(Plan).to_value()),
        ("release", schema_for!(HoldResult).to_value()),
        ("rollback", schema_for!(Rollback).to_value()),
        ("run", schema_for!(RunResults).to_value()),
        ("status", schema_for!(Status).to_value()),
        ("unlock", schema_for!(UnlockResult).to_value()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_up_to_date() {
        #[expect(clippy::disallowed_methods, reason = "a test asks whether to rewrite what it compares")]
        let update = std::env::var_os("UPDATE_EXPECTED").is_some();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        for (name, schema) in schemas() {
            let path = folder.join(format!("{name}.json"));
            let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
            if update {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(
                written,
                text,
                "{} is stale: UPDATE_EXPECTED=1 cargo test rewrites it",
                path.display()
            );
        }
    }

    #[test]
    fn a_plan_keeps_to_its_schema() {
        let plan = serde_json::to_value(crate::report::example::refused()).unwrap();
        assert!(jsonschema::is_valid(&schemas()["plan"], &plan));
        for list in ["/merge/losses", "/merge/left_behind", "/merge/conflicts", "/runs", "/gates", "/next"] {
            assert!(plan.pointer(list).unwrap().is_array(), "{list}");
        }
    }

    #[test]
    fn an_empty_envelope_keeps_to_its_schema() {
        let document = serde_json::to_value(Document::of("plan")).unwrap();
        assert!(jsonschema::is_valid(&schemas()["envelope"], &document));
    }
}
