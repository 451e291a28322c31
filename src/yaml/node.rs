//! A value that knows where it is written.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::model::origin::Place;

/// A value of a YAML document with its place.
///
/// Shape: aliases are resolved; a value that came by one has the place where it is written, and
/// `alias` says where the alias stands.
/// Units: lines and columns from 1, columns in characters; `span` in bytes of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Kind,
    /// Line of its first character.
    pub line: u32,
    /// Column of its first character.
    pub column: u32,
    /// Its bytes, without tag and anchor; empty for a value that is not written.
    pub span: Range<usize>,
    /// The tag as written (`!unset`), where there is one.
    pub tag: Option<Box<str>>,
    /// The bytes of the alias through which it came, where it came through one.
    pub alias: Option<Range<usize>>,
    /// The file that it is written in.
    pub file: Arc<str>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above [`i64::MAX`]; what is above [`u64::MAX`] too stays text, so that no digit is lost.
    UInt(u64),
    /// A number with a point or exponent.
    Float(f64),
    /// A text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping; keys are unique texts.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as text.
    pub name: Box<str>,
    /// The key.
    pub key: Node,
    /// The value.
    pub value: Node,
    /// Whether it came through a merge key (`<<`).
    pub merged: bool,
}

impl Node {
    /// Gives the value's place.
    pub fn place(&self) -> Place {
        Place::at(self.file.clone(), self.line, self.column)
    }

    /// Gives the entries of a mapping; of anything else, none.
    pub fn entries(&self) -> &[Entry] {
        if let Kind::Mapping(entries) = &self.value { entries } else { &[] }
    }

    /// Gives the items of a list; of anything else, none.
    pub fn items(&self) -> &[Node] {
        if let Kind::Sequence(items) = &self.value { items } else { &[] }
    }

    /// Finds an entry of a mapping.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.name == name)
    }

    /// Finds a value of a mapping.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// Follows keys through mappings.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Finds the item of a list whose `name` is this one.
    pub fn named(&self, name: &str) -> Option<&Node> {
        self.items().iter().find(|item| item.get("name").and_then(Node::text).as_deref() == Some(name))
    }

    /// Gives a text.
    pub fn as_str(&self) -> Option<&str> {
        if let Kind::String(text) = &self.value { Some(text) } else { None }
    }

    /// Gives any scalar but null as text.
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Kind::String(text) => Some(text.clone()),
            Kind::Bool(flag) => Some(flag.to_string()),
            Kind::Int(number) => Some(number.to_string()),
            Kind::UInt(number) => Some(number.to_string()),
            Kind::Float(_) => Some(self.to_json().to_string()),
            Kind::Null | Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// Whether it is neither a list nor a mapping.
    pub fn is_leaf(&self) -> bool {
        !matches!(self.value, Kind::Sequence(_) | Kind::Mapping(_))
    }

    /// Whether it is null (and no tag says otherwise).
    pub fn is_null(&self) -> bool {
        self.value == Kind::Null && self.tag.is_none()
    }

    /// Whether it is tagged `!unset`.
    pub fn is_unset(&self) -> bool {
        self.tag.as_deref() == Some("!unset")
    }

    /// Names what it is, for messages: `a text`, `a list`.
    pub fn describe(&self) -> &'static str {
        match &self.value {
            Kind::Null => "nothing",
            Kind::Bool(_) => "`true` or `false`",
            Kind::Int(_) | Kind::UInt(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::String(_) => "a text",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    /// Gives the value without places; infinite numbers and NaN, which JSON lacks, become texts.
    pub fn to_json(&self) -> Value {
        match &self.value {
            Kind::Null => Value::Null,
            Kind::Bool(flag) => Value::Bool(*flag),
            Kind::Int(number) => Value::from(*number),
            Kind::UInt(number) => Value::from(*number),
            Kind::Float(number) => serde_json::Number::from_f64(*number)
                .map_or_else(|| Value::String(number.to_string()), Value::Number),
            Kind::String(text) => Value::String(text.clone()),
            Kind::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Kind::Mapping(entries) => {
                let pairs = entries.iter().map(|entry| (entry.name.to_string(), entry.value.to_json()));
                Value::Object(pairs.collect())
            }
        }
    }
}
