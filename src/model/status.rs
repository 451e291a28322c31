//! How every environment stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `result` of `status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The environments, in the order of promotion.
    pub environments: Vec<EnvironmentStatus>,
}

/// How an environment stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentStatus {
    /// Its name.
    pub name: String,
    /// Repository in words, without secrets; `.` for the local one.
    pub repository: String,
    /// Branch.
    pub branch: String,
    /// Its tip, full id; null for a branch that is not there.
    pub tip: Option<String>,
    /// The environment before it, that promotions come from; null for the first.
    pub from: Option<String>,
    /// Commits that the one before has and this one lacks; null where there is nothing to compare.
    pub behind: Option<u64>,
    /// Commits that this one has and the one before lacks, promotions among them.
    pub ahead: Option<u64>,
    /// Work of its own that the one before lacks: not carried back yet, the newest first.
    pub hotfixes: Vec<Hotfix>,
    /// What the next promotion into it would come to; null where that is not known.
    pub next: Option<NextPromotion>,
    /// Why it takes no promotion.
    pub hold: Option<String>,
    /// The last promotion into it.
    pub last: Option<LastPromotion>,
    /// Why something of this is not known.
    pub problem: Option<String>,
}

/// A commit that was made in an environment itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hotfix {
    /// Full id.
    pub commit: String,
    /// Subject.
    pub subject: String,
    /// Author: `Name <mail>`.
    pub author: String,
    /// Author date, RFC 3339.
    pub date: String,
}

/// What a promotion would come to now.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NextPromotion {
    /// Files that change.
    pub files: u64,
    /// Work that is only in the target and that would be lost.
    pub losses: u64,
    /// Conflicts that need a person.
    pub conflicts: u64,
    /// Steps of the migration that would run; null where the schema is not known.
    pub steps: Option<u64>,
    /// Steps among them that would break somebody.
    pub refused: u64,
}

/// A promotion that was made.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LastPromotion {
    /// Its record's number.
    pub number: u64,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Who: `Name <mail>`.
    pub by: String,
    /// From which environment.
    pub from: String,
    /// Its commit, full id; null where only the schema changed.
    pub commit: Option<String>,
}
