//! What is kept of a promotion for ever: the journal's records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::merge::{Loss, Part};
use super::migration::Step;
use super::plan::{Acknowledgements, Gate};
use super::planner::Planner;

/// One record of the journal: `records/<number>.json`, canonical JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Rises when a field's meaning changes.
    pub format: u32,
    /// Its place in the chain, from 1.
    pub number: u64,
    /// SHA-256 of its predecessor's bytes, hexadecimal; null for the first.
    pub previous: Option<String>,
    /// When it was made, RFC 3339, UTC.
    pub at: String,
    /// Who made it: `Name <mail>`.
    pub by: String,
    /// What it says.
    pub entry: Entry,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A promotion: goes with the push that it tells of.
    Promotion(Box<Promoted>),
    /// A promotion that waits in a branch of its own until somebody merges it. A promotion follows when that is seen.
    Proposed {
        /// The branch.
        branch: String,
        /// What is proposed; its commit is the branch's tip.
        promotion: Box<Promoted>,
    },
    /// What became of an earlier promotion's schema or models.
    Followed {
        /// The promotion's plan id.
        plan_id: String,
        /// `migrated`, `ran`, `refused`.
        what: String,
        /// One sentence.
        detail: String,
        /// Steps that were applied.
        migrations: Vec<AppliedMigration>,
    },
    /// An environment went back to an earlier tree.
    RolledBack {
        /// The environment.
        environment: String,
        /// The commit that does it.
        commit: String,
        /// The tip before.
        before: String,
        /// The tree that came again.
        tree: String,
        /// Commits of the promotions that were taken back, the newest first.
        promotions: Vec<String>,
        /// Later work that went too, each accepted.
        losses: Vec<Loss>,
    },
    /// The environment takes no promotion until it is released.
    Hold {
        /// The environment.
        environment: String,
        /// Why.
        reason: String,
    },
    /// The hold ends.
    Release {
        /// The environment.
        environment: String,
        /// Why.
        reason: String,
    },
}

/// A promotion as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Promoted {
    /// The plan's id.
    pub plan_id: String,
    /// Source environment.
    pub from: String,
    /// Target environment.
    pub to: String,
    /// Source repository in words, without secrets.
    pub source_repository: String,
    /// Source branch.
    pub source_branch: String,
    /// Source commit.
    pub source_commit: String,
    /// `project_id` of the source's project file, where there is one.
    pub source_project: Option<String>,
    /// Target branch.
    pub target_branch: String,
    /// Target's tip before.
    pub target_before: Option<String>,
    /// `project_id` of the target's project file, where there is one.
    pub target_project: Option<String>,
    /// The promotion's commit; null where only the schema changed.
    pub commit: Option<String>,
    /// The merged tree.
    pub tree: Option<String>,
    /// Whether the histories were unrelated.
    pub unrelated: bool,
    /// Losses that were accepted.
    pub losses: Vec<Loss>,
    /// What was said to the plan.
    pub acknowledgements: Acknowledgements,
    /// The part of the source that was promoted, and what came with it; empty: the whole.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub part: Vec<Part>,
    /// How the gates stood.
    pub gates: Vec<Gate>,
    /// Who applies the migration: `promotion`, `ci`, `off`.
    pub migrate: String,
    /// Schema changes that were applied for it, also by an earlier run that was cut short.
    pub migrations: Vec<AppliedMigration>,
    /// Schema changes that come after the push.
    pub after_push: Vec<Step>,
    /// Who planned the schema's changes, where that was another program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planner: Option<Planner>,
    /// How long it took until the push that this record goes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durations: Option<Durations>,
    /// The tool's version.
    pub tool: String,
}

/// How long the parts of a promotion took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Durations {
    /// Looking at both sides and deciding.
    pub plan_ms: u64,
    /// Waiting for the lock and taking it.
    pub lock_ms: u64,
    /// Statements before the push.
    pub migration_ms: u64,
}

/// A migration that was committed in the warehouse, as its ledger keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedMigration {
    /// The plan that it belongs to.
    pub plan_id: String,
    /// When it was committed, RFC 3339, UTC.
    pub at: String,
    /// Who did it.
    pub by: String,
    /// The steps.
    pub steps: Vec<Step>,
    /// What was said to the plan.
    pub acknowledgements: Acknowledgements,
}
