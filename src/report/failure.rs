//! Why a command could not go on, in the words of every format.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::origin::Place;

/// Where a failure is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Location {
    /// In a file.
    At(Place),
    /// In something that is not a file: `environment variable PROMOTE_WAREHOUSE__PORT`.
    From {
        /// The source, in words.
        from: String,
    },
    /// In an environment: `prod analytics.orders`.
    In {
        /// The environment and what it is in it.
        #[serde(rename = "in")]
        inside: String,
    },
}

/// Why a command failed: the `error` of the envelope, and the last words on stderr.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// `<what was attempted>: <what is wrong>`, lower case, no full stop.
    pub message: String,
    /// Where.
    #[serde(rename = "where")]
    pub location: Option<Location>,
    /// What led to it, the nearest first.
    pub causes: Vec<String>,
    /// One thing to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a message and nothing else.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), location: None, causes: Vec::new(), hint: None }
    }
}
