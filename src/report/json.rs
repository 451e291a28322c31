//! The envelope that programs read: one document per command, also for a failure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::Failure;
use crate::model::finding::Finding;

/// The envelope's version: rises when a field's meaning changes.
pub const FORMAT: u32 = 1;

/// What every command prints with `--format json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// [`FORMAT`].
    pub format: u32,
    /// The command: `plan`, `config show`.
    pub command: String,
    /// What it found or did; null where it did not get that far.
    pub result: Option<Value>,
    /// What a person should know.
    pub findings: Vec<Finding>,
    /// Why it failed; set with every status but 0 and 10.
    pub error: Option<Failure>,
}

impl Document {
    /// An envelope for a command that has nothing to say yet.
    pub fn of(command: &str) -> Self {
        Self { format: FORMAT, command: command.to_owned(), result: None, findings: Vec::new(), error: None }
    }

    /// Sets the result.
    ///
    /// Shape: results are plain values with text for keys, which JSON can always hold.
    #[must_use]
    pub fn result(mut self, result: &impl Serialize) -> Self {
        self.result = Some(
            serde_json::to_value(result).expect("a result is made of texts, numbers, lists and mappings"),
        );
        self
    }

    /// Sets the findings.
    #[must_use]
    pub fn findings(mut self, findings: &[Finding]) -> Self {
        self.findings = findings.to_vec();
        self
    }

    /// Sets why it failed.
    #[must_use]
    pub fn error(mut self, error: Option<Failure>) -> Self {
        self.error = error;
        self
    }
}

/// Writes a value on one line, for documents that are printed piece by piece.
pub fn compact(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a result is made of texts, numbers, lists and mappings")
}

/// Does the same behind what is written already.
pub fn add_compact(value: &impl Serialize, written: &mut Vec<u8>) {
    serde_json::to_writer(written, value).expect("a result is made of texts, numbers, lists and mappings");
}

/// Writes an envelope, indented, with a line end.
pub fn json(document: &Document) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("an envelope has text for keys");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::Place;
    use crate::report::Location;

    #[test]
    fn a_failure_is_a_document_too() {
        let mut failure = Failure::new("cannot load `project.yml`: a tab");
        failure.location = Some(Location::At(Place::at("project.yml", 2, 1)));
        let document = Document::of("check").error(Some(failure));
        let expected = serde_json::json!({
            "format": 1,
            "command": "check",
            "result": null,
            "findings": [],
            "error": {
                "message": "cannot load `project.yml`: a tab",
                "where": {"file": "project.yml", "line": 2, "column": 1},
                "causes": [],
                "hint": null,
            },
        });
        let written: Value = serde_json::from_str(&json(&document)).unwrap();
        assert_eq!(written, expected);
    }
}
