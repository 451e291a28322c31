//! What can be wrong with a YAML text.

use crate::model::origin::Place;

/// A text that is not one sound YAML document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// Where it is wrong.
    pub place: Place,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// One thing to do, where there is one.
    pub hint: Option<String>,
}

impl YamlError {
    /// Makes an error without a hint.
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), hint: None }
    }

    /// Adds the hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
