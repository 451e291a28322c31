//! What a machine and the environments' repositories can do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `result` of `doctor`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Examined {
    /// What was looked at, in order.
    pub findings: Vec<Examination>,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Examination {
    /// What: `git`, `merge`, `environment staging`.
    pub what: String,
    /// Whether it is as it should be.
    pub good: bool,
    /// What was found.
    pub found: String,
    /// What helps.
    pub hint: Option<String>,
}

impl Examined {
    /// Adds what was found.
    pub fn add(&mut self, what: impl Into<String>, good: bool, found: impl Into<String>, hint: Option<&str>) {
        let hint = hint.map(str::to_owned);
        self.findings.push(Examination { what: what.into(), good, found: found.into(), hint });
    }
}
