//! Values that functions of a template take and give.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, Serde};
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;

/// A text with named parts: it prints as the text, `value.part` gives a part.
#[derive(Debug)]
struct Named {
    text: String,
    parts: BTreeMap<String, String>,
}

impl Object for Named {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.parts.get(key.as_str()?).map(|part| Value::from(part.as_str()))
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Makes a text with named parts.
pub fn named(text: String, parts: BTreeMap<String, String>) -> Value {
    Value::from_object(Named { text, parts })
}

/// Makes a value of anything that serde knows.
pub fn serialized(value: impl Serialize) -> Value {
    Value::from(Serde(value))
}

/// Makes a value of a text.
pub fn text(value: &str) -> Value {
    Value::from(value)
}

/// Why a function of a template refuses, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(String);

/// Makes the error with which a function refuses; the rendering fails with these words.
pub fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, "refused").with_source(Refusal(message.into()))
}
