//! Everything that was read before deciding: plain values, so that the decision is pure.

use crate::model::environment::{Gates, Migrate, ProofPolicy};
use crate::model::finding::Finding;
use crate::model::merge::Merge;
use crate::model::migration::Migration;
use crate::model::plan::{ConfigChange, Proposal, Run, Side, TargetSide};
use crate::model::project::Direction;

/// What the merge, the configuration and the warehouse said.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    /// Source environment or branch.
    pub(super) from: String,
    /// Target environment or branch.
    pub(super) to: String,
    /// The source's code.
    pub(super) source: Side,
    /// The target's code; `after` is empty.
    pub(super) target: TargetSide,
    /// The merge.
    pub(super) merge: Merge,
    /// How the two histories stand to each other.
    pub(super) histories: Histories,
    /// A branch of the target's repository with a name like the one that is not there.
    pub(super) near: Option<String>,
    /// The configuration's change.
    pub(super) config: ConfigChange,
    /// Digest of the committed layers of the merged project's configuration; absent without a project.
    pub(super) config_digest: Option<String>,
    /// The schema's change.
    pub(super) migration: Migration,
    /// Models to build afterwards.
    pub(super) runs: Vec<Run>,
    /// Where it is to wait for somebody to merge it, where it is not pushed.
    pub(super) proposal: Option<Proposal>,
    /// What the target's policy says, and how things stand to it.
    pub(super) policy: Policy,
    /// Why what pointers of Git LFS point to cannot go along.
    pub(super) stranded: Option<String>,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
}

/// How the source's history stands to the target's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Histories {
    /// The target holds the source's tip already.
    Contained,
    /// They have a commit in common.
    Related,
    /// They have none.
    Unrelated,
    /// The target's branch is not there yet.
    NoTarget(NoTarget),
}

/// Why a target's branch is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoTarget {
    /// Its repository has no branch at all: this is its first content.
    Empty,
    /// Its repository has other branches: a name may be misspelt.
    Missing,
}

/// The target's policy as it stands, and the facts that it judges.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Policy {
    /// The pair's direction in `promotion.order`.
    pub(super) direction: Direction,
    /// The environment that a forward promotion into the target comes from, where one is skipped.
    pub(super) expected_from: Option<String>,
    /// Who applies the migration.
    pub(super) migrate: Migrate,
    /// The gates that the target declares.
    pub(super) gates: Gates,
    /// Why the target is on hold.
    pub(super) hold: Option<String>,
    /// How the merged file moves the target's data: `dataset analytics → mart`.
    pub(super) moved: Option<String>,
    /// Why this is the wrong repository: another pair is in the journal.
    pub(super) wrong_pair: Option<String>,
    /// Plugins that the merge spreads over several files, which neither side does: one moved what the other changed.
    pub(super) scattered: Vec<(String, Vec<String>)>,
    /// Files of the checked-out target branch that are not committed.
    pub(super) dirty: Vec<String>,
    /// Whether a migration that could not be tried is refused.
    pub(super) proof: ProofPolicy,
    /// Whether `--force` was typed where the environment forbids it.
    pub(super) force_forbidden: bool,
    /// Digest of the policy's text, for the plan's id.
    pub(super) digest: String,
}
