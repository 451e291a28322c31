//! The decision as a value: everything that a reviewer needs and that the act follows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::environment::Via;
use super::merge::{Merge, Resolution};
use super::migration::Migration;
use super::origin::Origin;
use super::outcome::Outcome;

/// A plan or a promotion: the `result` of `plan`, `apply` and `show`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Digest of everything below that decides, no clock, no variable, no secret in it.
    pub plan_id: String,
    /// Source environment (or branch, without a project file).
    pub from: String,
    /// Target environment (or branch).
    pub to: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The source's code.
    pub source: Side,
    /// The target's code, before and after.
    pub target: TargetSide,
    /// The merge.
    pub merge: Merge,
    /// The configuration's change.
    pub config: ConfigChange,
    /// The schema's change.
    pub migration: Migration,
    /// Models to build afterwards.
    pub runs: Vec<Run>,
    /// Where it waits to be merged, where the target's branch is not pushed to; else null.
    #[serde(default)]
    pub proposal: Option<Proposal>,
    /// What must be so.
    pub gates: Vec<Gate>,
    /// Commands to run next.
    pub next: Vec<String>,
    /// What was said to this plan.
    pub acknowledgements: Acknowledgements,
    /// The tool's version.
    pub tool: String,
}

impl Plan {
    /// Whether it comes to the same as an earlier one that somebody said yes to: outcome, losses, conflicts, values, steps.
    pub fn is_as_confirmed(&self, confirmed: &Self) -> bool {
        self.outcome == confirmed.outcome
            && self.merge.losses == confirmed.merge.losses
            && self.merge.conflicts == confirmed.merge.conflicts
            && self.merge.reverted == confirmed.merge.reverted
            && self.merge.undone == confirmed.merge.undone
            && self.merge.taken_back == confirmed.merge.taken_back
            && self.merge.part == confirmed.merge.part
            && self.config == confirmed.config
            && self.migration.steps == confirmed.migration.steps
    }
}

/// The source's code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// Repository in words, without secrets; `.` for the local one.
    pub repository: String,
    /// Branch.
    pub branch: String,
    /// Its tip, full id.
    pub commit: String,
}

/// The target's code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetSide {
    /// Repository in words, without secrets; `.` for the local one.
    pub repository: String,
    /// Branch.
    pub branch: String,
    /// Its tip before, full id; null for a branch that is not there yet.
    pub before: Option<String>,
    /// Its tip after; null until it moved.
    pub after: Option<String>,
    /// The merged tree, full id; null where a conflict stops it.
    pub tree: Option<String>,
}

/// A promotion that somebody else merges.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// With a pull request or without.
    pub via: Via,
    /// The branch that holds it.
    pub branch: String,
    /// Its commit, full id; null until it is pushed.
    pub commit: Option<String>,
    /// The pull request's number; null where there is none yet.
    pub number: Option<u64>,
    /// The pull request's page, or the one where it can be opened; null where it is not known.
    pub url: Option<String>,
}

/// The effective configuration's change, for every environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigChange {
    /// Changed values by environment; an environment without a change has an empty list.
    pub environments: BTreeMap<String, Vec<ValueChange>>,
}

/// A value of the effective configuration that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueChange {
    /// `TYPE/NAME.setting`, or a root key's path.
    pub key: String,
    /// Value before, masked where sensitive; null where it was not set.
    pub before: Option<Value>,
    /// Value after.
    pub after: Option<Value>,
    /// Where it came from.
    pub origin_before: Option<Origin>,
    /// Where it comes from.
    pub origin_after: Option<Origin>,
}

/// A model to build.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The model's name.
    pub model: String,
    /// The partition; null for the whole.
    pub partition: Option<String>,
    /// Why.
    pub reason: String,
}

/// How a gate stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Satisfied.
    Passed,
    /// Not yet.
    Waiting,
    /// No.
    Refused,
    /// Let through by somebody.
    Overridden,
}

/// Something that must be so before the act.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// `order`, `losses`, `conflicts`, `migration`, `hold`, `coordinates`, …
    pub name: String,
    /// How it stands.
    pub state: GateState,
    /// Why, in a sentence.
    pub detail: String,
}

/// What a person said to a plan; part of its id and of the record.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that was typed or not, and is recorded as such"
)]
pub struct Acknowledgements {
    /// `--accept-loss`: `PATH`, `PATH:LINES` or `all`.
    pub accept_loss: Vec<String>,
    /// `--keep`: `PATH` or `PATH:LINES`.
    pub keep: Vec<String>,
    /// `--resolve PATH=SIDE`.
    pub resolve: BTreeMap<String, Resolution>,
    /// `--allow CODE:OBJECT`.
    pub allow: Vec<String>,
    /// `--force`.
    pub force: bool,
    /// `--adopt`: objects, `declared` or `all`.
    pub adopt: Vec<String>,
    /// `--prune`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prune: bool,
    /// `--allow-unrelated`.
    pub allow_unrelated: bool,
    /// `--create-branch`.
    pub create_branch: bool,
    /// `--no-migrate`.
    pub no_migrate: bool,
    /// `--dataset`.
    pub dataset: Option<String>,
    /// `--only`: paths to which the promotion is confined.
    pub only: Vec<String>,
    /// `--only-commit`: commits of the source to which it is confined, beside the paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_commit: Vec<String>,
    /// `--base`: a commit of the source, or `auto`.
    pub base: Option<String>,
    /// `--reinstate`: what was taken back in the target comes again.
    pub reinstate: bool,
    /// `--leave-out`: what was taken back in the target stays away.
    pub leave_out: bool,
}

impl Acknowledgements {
    /// Whether only a part of the source is wanted.
    pub fn is_partial(&self) -> bool {
        !self.only.is_empty() || !self.only_commit.is_empty()
    }
}
