//! Configuration mappings as their leaves: `a: {b: 1}` and `a.b: 1` are one key.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::model::origin::{Layer, Place};
use crate::yaml::{Entry, Node};

/// A leaf of a layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    /// Its value, references unexpanded; null falls through to the layer below.
    pub(super) value: Value,
    /// Where it is written.
    pub(super) place: Option<Place>,
    /// The variable that supplied it.
    pub(super) variable: Option<String>,
    /// Whether references in it are expanded: those of files are, those of variables are not.
    pub(super) expandable: bool,
    /// Whether it is `!unset`: nothing below it has a say.
    pub(super) unset: bool,
    /// The parent's layer that it comes from, of an inherited one.
    pub(super) inherited: Option<Layer>,
}

impl Leaf {
    /// A leaf that a file holds.
    pub(super) fn written(node: &Node) -> Self {
        Self { place: Some(node.place()), unset: node.is_unset(), ..Self::of(node.to_json()) }
    }

    /// A leaf that no file holds.
    pub(super) fn of(value: Value) -> Self {
        Self { value, place: None, variable: None, expandable: true, unset: false, inherited: None }
    }

    /// Whether it has no say.
    pub(super) fn falls_through(&self) -> bool {
        self.value.is_null() && !self.unset
    }
}

/// Leaves by flat key, in the order of the file; every environment shares those of the base.
pub(super) type Flat = IndexMap<Arc<str>, Arc<Leaf>>;

/// Adds the leaves of a mapping's entry.
///
/// Shape: mappings are split to their leaves, but for `{}`, which is one; lists are leaves; a key that comes
/// twice (dotted and nested) keeps its place and has the later value.
pub(super) fn flatten(into: &mut Flat, prefix: &str, entry: &Entry) {
    if prefix.is_empty() {
        add(into, &entry.name, &entry.value);
    } else {
        add(into, &[prefix, &entry.name].concat(), &entry.value);
    }
}

fn add(into: &mut Flat, key: &str, node: &Node) {
    if node.entries().is_empty() || node.is_unset() {
        into.insert(key.into(), Arc::new(Leaf::written(node)));
        return;
    }
    for entry in node.entries() {
        add(into, &[key, ".", &entry.name].concat(), &entry.value);
    }
}

/// Gives the leaves of a plugin's entry: its `config`, and its other keys as extras with `_` before them.
pub(super) fn leaves(node: &Node, known: &[&str]) -> Flat {
    let mut flat = Flat::new();
    for entry in node.get("config").map(Node::entries).unwrap_or_default() {
        flatten(&mut flat, "", entry);
    }
    for entry in node.entries().iter().filter(|entry| !known.contains(&&*entry.name)) {
        flatten(&mut flat, "_", entry);
    }
    flat
}
