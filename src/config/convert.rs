//! Written mappings → figment dictionaries, with what a dictionary cannot keep beside them.

use std::collections::BTreeMap;

use figment::value::{Dict, Empty, Num, Tag, Value};

use crate::model::origin::Place;
use crate::yaml::{Kind, Node};

/// A path of keys.
pub(super) type Path = Vec<String>;

/// One layer on its way into figment.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The values; a list whose items have names is a dictionary by name.
    pub(super) data: Dict,
    /// Where each value is written.
    pub(super) places: BTreeMap<Path, Place>,
    /// Which variable supplied a value.
    pub(super) variables: BTreeMap<Path, String>,
    /// Paths of named lists with the names in their order.
    pub(super) lists: BTreeMap<Path, Vec<String>>,
    /// Paths of mappings.
    pub(super) mappings: Vec<Path>,
    /// Paths that are unset (`!unset`).
    pub(super) unset: Vec<Path>,
}

impl Content {
    /// Takes the entries of a mapping whose keys are wanted.
    pub(super) fn take(node: &Node, wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut content = Self::default();
        for entry in node.entries().iter().filter(|entry| wanted(&entry.name)) {
            let path = vec![entry.name.to_string()];
            if let Some(value) = content.value(&entry.value, &path) {
                content.data.insert(entry.name.to_string(), value);
            }
        }
        content
    }

    /// Converts a value; null is left out, because it falls through.
    fn value(&mut self, node: &Node, path: &Path) -> Option<Value> {
        if node.is_unset() {
            self.unset.push(path.clone());
            return None;
        }
        if node.is_null() {
            return None;
        }
        self.places.insert(path.clone(), node.place());
        match &node.value {
            Kind::Mapping(entries) => {
                self.mappings.push(path.clone());
                let pairs = entries.iter().map(|entry| (entry.name.to_string(), &entry.value)).collect();
                Some(self.dictionary(pairs, path))
            }
            Kind::Sequence(items) => match named(items) {
                Some(names) => {
                    self.lists.insert(path.clone(), names.iter().map(|(name, _)| name.clone()).collect());
                    Some(self.dictionary(names, path))
                }
                None => Some(plain(node)),
            },
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {
                Some(plain(node))
            }
        }
    }

    fn dictionary(&mut self, pairs: Vec<(String, &Node)>, path: &Path) -> Value {
        let in_list = self.lists.contains_key(path);
        let mut dict = Dict::new();
        for (name, node) in pairs {
            let mut deeper = path.clone();
            deeper.push(name.clone());
            if in_list {
                let inner = self.item(node, &deeper);
                dict.insert(name, inner);
            } else if let Some(value) = self.value(node, &deeper) {
                dict.insert(name, value);
            }
        }
        Value::Dict(Tag::Default, dict)
    }

    /// Converts an item of a named list: its name is the key and not a value.
    fn item(&mut self, node: &Node, path: &Path) -> Value {
        self.places.insert(path.clone(), node.place());
        let pairs = node
            .entries()
            .iter()
            .filter(|entry| &*entry.name != "name")
            .map(|entry| (entry.name.to_string(), &entry.value))
            .collect();
        self.dictionary(pairs, path)
    }
}

/// Gives the items of a list by name, if each has one of its own.
fn named(items: &[Node]) -> Option<Vec<(String, &Node)>> {
    let pairs: Option<Vec<(String, &Node)>> =
        items.iter().map(|item| Some((item.get("name")?.as_str()?.to_owned(), item))).collect();
    pairs.filter(|pairs| !pairs.is_empty())
}

/// Converts a value as it is, lists in it included.
pub(super) fn plain(node: &Node) -> Value {
    match &node.value {
        Kind::Null => Value::Empty(Tag::Default, Empty::None),
        Kind::Bool(flag) => Value::from(*flag),
        Kind::Int(number) => Value::from(*number),
        Kind::UInt(number) => Value::from(*number),
        Kind::Float(number) => Value::from(*number),
        Kind::String(text) => Value::from(text.as_str()),
        Kind::Sequence(items) => Value::Array(Tag::Default, items.iter().map(plain).collect()),
        Kind::Mapping(entries) => Value::Dict(
            Tag::Default,
            entries.iter().map(|entry| (entry.name.to_string(), plain(&entry.value))).collect(),
        ),
    }
}

/// Converts back.
pub(super) fn json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::String(_, text) => Json::from(text.as_str()),
        Value::Char(_, character) => Json::from(character.to_string()),
        Value::Bool(_, flag) => Json::from(*flag),
        Value::Num(_, number) => number_json(*number),
        Value::Empty(..) => Json::Null,
        Value::Dict(_, dict) => {
            Json::Object(dict.iter().map(|(key, value)| (key.clone(), json(value))).collect())
        }
        Value::Array(_, items) => items.iter().map(json).collect(),
    }
}

fn number_json(number: Num) -> serde_json::Value {
    use serde_json::Value as Json;
    if let Some(float) = number.to_f64() {
        return serde_json::Number::from_f64(float)
            .map_or_else(|| Json::from(float.to_string()), Json::Number);
    }
    let unsigned = number.to_u128().and_then(|number| u64::try_from(number).ok());
    let signed = number.to_i128().and_then(|number| i64::try_from(number).ok());
    unsigned.map(Json::from).or_else(|| signed.map(Json::from)).unwrap_or(Json::Null)
}
