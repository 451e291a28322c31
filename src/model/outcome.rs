//! How a promotion ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a plan or promotion ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Decided, nothing done.
    Planned,
    /// Done.
    Promoted,
    /// Pushed to a branch of its own, and waiting to be merged.
    Proposed,
    /// The schema is ahead of the code, or behind it after a forced change.
    Partial,
    /// Neither merge, nor migration, nor configuration has anything.
    NothingToDo,
    /// The answer is no.
    Refused,
    /// A conflict needs a person.
    Conflict,
    /// Something moved since the plan.
    Stale,
}

impl Outcome {
    /// Gives the name that JSON and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Promoted => "promoted",
            Self::Proposed => "proposed",
            Self::Partial => "partial",
            Self::NothingToDo => "nothing_to_do",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::Stale => "stale",
        }
    }
}
