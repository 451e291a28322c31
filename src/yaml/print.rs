//! Values as YAML text.

use serde_json::Value;

/// Writes a value as YAML, for people to read.
pub fn to_text(value: &Value) -> String {
    serde_yaml::to_string(value).expect("every JSON value is a YAML value")
}
