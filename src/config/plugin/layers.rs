//! The layers of one plugin's settings: a figment provider each, and beside them the leaves.
//!
//! figment decides which layer's leaf a key has. It is given the number of the leaf and not its value: figment
//! would merge a mapping with the one below it, and a leaf is replaced whole. Of what a single layer says nothing has
//! to be decided: most keys are such, and figment is not asked.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};
use indexmap::IndexMap;

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
    pub(super) leaf: Arc<Leaf>,
}

/// Layers, the strongest last.
#[derive(Default)]
pub(super) struct Layers {
    said: Vec<Said>,
    /// Each layer that has a say, with the number after its last leaf.
    ends: Vec<(Layer, usize)>,
}

impl Layers {
    /// Puts a layer on top; what falls through is only remembered.
    pub(super) fn push(&mut self, layer: Layer, leaves: impl IntoIterator<Item = (Arc<str>, Arc<Leaf>)>) {
        self.said.extend(leaves.into_iter().map(|(key, leaf)| Said { key, layer, leaf }));
        self.ends.push((layer, self.said.len()));
    }

    /// Gives what wins each key.
    pub(super) fn winners(&self) -> IndexMap<Arc<str>, usize> {
        let mut winners = IndexMap::with_capacity(self.said.len());
        let mut contested = BTreeSet::new();
        for (number, said) in self.voices() {
            if said.leaf.unset || winners.insert(said.key.clone(), number).is_some() {
                contested.insert(&*said.key);
            }
        }
        if !contested.is_empty() {
            winners.extend(self.merged(&contested));
        }
        winners
    }

    /// Gives what does not fall through, with its number.
    fn voices(&self) -> impl Iterator<Item = (usize, &Said)> {
        self.said.iter().enumerate().filter(|(_, said)| !said.leaf.falls_through())
    }

    /// Has figment merge the layers, as far as they say something of these keys.
    fn merged(&self, contested: &BTreeSet<&str>) -> Vec<(Arc<str>, usize)> {
        let mut figment = Figment::new();
        let mut start = 0;
        for (layer, end) in &self.ends {
            let voices = self.voices().skip_while(|(number, _)| *number < start);
            let mut data = Dict::new();
            for (number, said) in voices.take_while(|(number, _)| number < end) {
                if said.leaf.unset {
                    // What is unset takes with it all that is below it.
                    let below = self.said[..number].iter().map(|said| &*said.key);
                    let below = below.filter(|known| is_below(known, &said.key));
                    data.extend(below.map(|known| (known.to_owned(), Value::from(number))));
                }
                if contested.contains(&*said.key) {
                    data.insert(said.key.to_string(), Value::from(number));
                }
            }
            start = *end;
            if !data.is_empty() {
                figment = figment.merge(Provided { layer: *layer, data: Cell::new(data) });
            }
        }
        let merged = figment.find_value("").ok().and_then(Value::into_dict).unwrap_or_default();
        let number = |value: Value| value.to_u128().and_then(|number| usize::try_from(number).ok());
        merged.into_iter().filter_map(|(key, value)| Some((key.into(), number(value)?))).collect()
    }

    /// Gives what was said under a number.
    pub(super) fn said(&self, number: usize) -> &Said {
        &self.said[number]
    }

    /// Gives all that was said of a key, the weakest layer first.
    pub(super) fn all_said<'a>(&'a self, key: &'a str) -> impl DoubleEndedIterator<Item = &'a Said> {
        let below = move |said: &&Said| *said.key == *key || (said.leaf.unset && is_below(key, &said.key));
        self.said.iter().filter(below)
    }
}

/// Whether a key stands below another: `a.b` below `a`.
fn is_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}
