//! What `config` says of a model, in its properties and in its file.

use serde_json::{Map, Value};

use super::object::Materialized;

/// A model's configuration: the file's own `config(…)` over its properties' `config`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Configuration {
    values: Map<String, Value>,
    tags: Vec<String>,
}

impl Configuration {
    /// Merges both; tags add up, anything else is replaced.
    pub(super) fn of(properties: Option<&Map<String, Value>>, file: &Map<String, Value>) -> Self {
        let mut merged = Self::default();
        for layer in properties.into_iter().chain([file]) {
            merged.tags.extend(layer.get("tags").map(strings).unwrap_or_default());
            merged.values.extend(layer.clone());
        }
        merged.tags.sort();
        merged.tags.dedup();
        merged
    }

    /// Gives how it is kept, or the word that says it and is none.
    pub(super) fn materialized(&self, default: Materialized) -> Result<Materialized, String> {
        match self.values.get("materialized") {
            None | Some(Value::Null) => Ok(default),
            Some(Value::String(name)) => Materialized::of(name).ok_or_else(|| name.clone()),
            Some(other) => Err(other.to_string()),
        }
    }

    /// Whether it is turned on.
    pub(super) fn enabled(&self) -> bool {
        self.values.get("enabled") != Some(&Value::Bool(false))
    }

    /// Gives its name in the warehouse, where it has another.
    pub(super) fn alias(&self) -> Option<&str> {
        self.text("alias")
    }

    /// Gives a text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).and_then(Value::as_str)
    }

    /// Gives a list of texts; one text is a list of one.
    pub(super) fn list(&self, key: &str) -> Vec<String> {
        self.values.get(key).map(strings).unwrap_or_default()
    }

    /// Gives a mapping.
    pub(super) fn mapping(&self, key: &str) -> Option<&Map<String, Value>> {
        self.values.get(key).and_then(Value::as_object)
    }

    /// Gives the tags, each once.
    pub(super) fn tags(&self) -> &[String] {
        &self.tags
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}
