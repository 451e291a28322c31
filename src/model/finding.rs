//! Something that a person should know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::origin::Place;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The command fails because of it.
    Error,
    /// It may be a mistake.
    Warning,
    /// It is good to know.
    Notice,
}

/// Something that a person should know, with a code, a place and a hint.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Kebab-case code that stays for ever.
    pub code: String,
    /// Its weight.
    pub level: Level,
    /// One sentence, lower case, no full stop, names in backticks.
    pub message: String,
    /// Where it stands.
    #[serde(rename = "where")]
    pub place: Option<Place>,
    /// One thing to do.
    pub hint: Option<String>,
}

impl Finding {
    /// Makes a finding without a place or hint.
    pub fn new(code: &str, level: Level, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), level, message: message.into(), place: None, hint: None }
    }

    /// Makes an error.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Level::Error, message)
    }

    /// Makes a warning.
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Level::Warning, message)
    }

    /// Makes a notice.
    pub fn notice(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Level::Notice, message)
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
