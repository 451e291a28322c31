//! A rollback: forward to an earlier tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::merge::{FileChange, Loss};
use super::outcome::Outcome;
use super::plan::Gate;

/// What a rollback does, or did: the `result` of `rollback`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rollback {
    /// The environment.
    pub environment: String,
    /// Branch.
    pub branch: String,
    /// How it ended; `promoted`: it was done.
    pub outcome: Outcome,
    /// The tip before, full id.
    pub before: String,
    /// The commit that rolls back, full id; null until it is there.
    pub after: Option<String>,
    /// The tree that comes again, full id.
    pub tree: String,
    /// What comes again, in words.
    pub to: String,
    /// `--to`: the promotion that was named; null: what was there before the last one.
    pub chosen: Option<String>,
    /// `--accept-loss`: `PATH`, `PATH:LINES` or `all`.
    pub accept_loss: Vec<String>,
    /// Commits of the promotions that are taken back, the newest first.
    pub promotions: Vec<String>,
    /// What changes, ordered by path.
    pub files: Vec<FileChange>,
    /// Work in the environment since its last promotion that goes too.
    pub losses: Vec<Loss>,
    /// What must be so.
    pub gates: Vec<Gate>,
    /// What it cannot bring back.
    pub limits: Vec<String>,
}
