//! The layers of one plugin's settings: a figment provider each, and beside them the leaves.
//!
//! figment decides which layer's leaf a key has. It is given the number of the leaf and not its value: figment
//! would merge a mapping with the one below it, and a leaf is replaced whole.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::flat::Leaf;
use crate::model::origin::Layer;

/// A layer as figment sees it.
struct Provided {
    layer: Layer,
    data: Cell<Dict>,
}

impl Provider for Provided {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.layer.as_str())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.data.take()))
    }
}

/// What a layer says of a key.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) key: Arc<str>,
    pub(super) layer: Layer,
    pub(super) leaf: Leaf,
}

/// Layers, the strongest last.
#[derive(Default)]
pub(super) struct Layers {
    figment: Figment,
    said: Vec<Said>,
}

impl Layers {
    /// Puts a layer on top; what falls through is only remembered.
    pub(super) fn push(&mut self, layer: Layer, leaves: impl IntoIterator<Item = (Arc<str>, Leaf)>) {
        let mut data = Dict::new();
        for (key, leaf) in leaves {
            let number = self.said.len();
            if leaf.falls_through() {
                self.said.push(Said { key, layer, leaf });
                continue;
            }
            if leaf.unset {
                // What is unset takes with it all that is below it.
                let prefix = format!("{key}.");
                let below = self.said.iter().map(|said| &said.key).filter(|known| known.starts_with(&prefix));
                data.extend(below.map(|known| (known.to_string(), Value::from(number))));
            }
            data.insert(key.to_string(), Value::from(number));
            self.said.push(Said { key, layer, leaf });
        }
        if !data.is_empty() {
            let provided = Provided { layer, data: Cell::new(data) };
            self.figment = std::mem::take(&mut self.figment).merge(provided);
        }
    }

    /// Gives what wins each key.
    pub(super) fn winners(&self) -> BTreeMap<String, usize> {
        let merged = self.figment.find_value("").ok().and_then(Value::into_dict).unwrap_or_default();
        let number = |value: Value| value.to_u128().and_then(|number| usize::try_from(number).ok());
        merged.into_iter().filter_map(|(key, value)| Some((key, number(value)?))).collect()
    }

    /// Gives what was said under a number.
    pub(super) fn said(&self, number: usize) -> &Said {
        &self.said[number]
    }

    /// Gives all that was said of a key, the weakest layer first.
    pub(super) fn all_said<'a>(&'a self, key: &'a str) -> impl DoubleEndedIterator<Item = &'a Said> {
        let below = move |said: &&Said| {
            *said.key == *key
                || (said.leaf.unset && key.strip_prefix(&*said.key).is_some_and(|rest| rest.starts_with('.')))
        };
        self.said.iter().filter(below)
    }
}
