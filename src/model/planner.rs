//! The contract with somebody else's planner: what it is asked, what it answers, what a plan keeps of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::migration::Verdict;

/// The contract's version; rises when a field's meaning changes.
pub const PLANNER_FORMAT: u32 = 1;

/// What a planner reads on its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannerRequest {
    /// The contract's version.
    pub format: u32,
    /// What it is to do.
    pub action: PlannerAction,
    /// The environment.
    pub environment: String,
    /// The environment's dataset.
    pub dataset: String,
    /// The plan's id, when it is applied.
    pub plan_id: Option<String>,
    /// What was let through: `--allow CODE:OBJECT`.
    pub allow: Vec<String>,
    /// Whether `--force` lets everything through that was shown.
    pub force: bool,
    /// The environment's effective root keys by path, references expanded. May hold secrets.
    pub settings: BTreeMap<String, Value>,
    /// Its own answer, when that is applied.
    pub plan: Option<PlannerAnswer>,
}

/// What a planner is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlannerAction {
    /// Say what would happen, and change nothing.
    Plan,
    /// Do exactly what was said.
    Apply,
}

/// What a planner prints when it is asked for a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannerAnswer {
    /// The contract's version.
    pub format: u32,
    /// A sentence about the whole.
    #[serde(default)]
    pub summary: Option<String>,
    /// Anything that names what was looked at: where it differs when the plan is applied, the plan is stale.
    #[serde(default)]
    pub state: Option<String>,
    /// Whether the steps were tried on a copy.
    #[serde(default)]
    pub proven: bool,
    /// What would happen, in order; empty where there is nothing to do.
    pub steps: Vec<PlannerStep>,
}

/// A step of a planner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannerStep {
    /// Kebab-case: `add-column`, `rebuild-model`.
    pub code: String,
    /// The object: `analytics.orders`.
    pub object: String,
    /// The column, where it is about one.
    #[serde(default)]
    pub column: Option<String>,
    /// How it is judged.
    pub verdict: Verdict,
    /// Why, in a sentence.
    #[serde(default)]
    pub reason: String,
    /// Statements, where it knows them.
    #[serde(default)]
    pub ddl: Vec<String>,
    /// Objects that are affected.
    #[serde(default)]
    pub affected: Vec<String>,
    /// The way that breaks nobody.
    #[serde(default)]
    pub recipe: Vec<String>,
}

/// What a plan, report and record keep of a planner.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Planner {
    /// The command that planned, without secrets.
    pub command: String,
    /// What it says of the whole.
    pub summary: Option<String>,
    /// Why it refuses, in its own words; null where it does not.
    pub refused: Option<String>,
    /// The end of what it printed beside its answer, without secrets.
    pub output: Vec<String>,
}
