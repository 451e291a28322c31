//! The layers of one plugin's settings: a figment provider each, and beside them the leaves.
//!
//! figment decides which layer's leaf a key has. It is given the number of the leaf and not its value: figment
//! would merge a mapping with the one below it, and a leaf is replaced whole. Of what a single layer says nothing has
//! to be decided: most keys are such, and figment is not asked. What the lowest layers come to is decided once for all
//! environments: see [`Layers::on`].

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
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

/// What a layer says of a setting.
pub(super) type Spoken = (Arc<str>, Arc<Leaf>);

/// What a layer says of a key, and which layer that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    pub(super) key: &'a Arc<str>,
    pub(super) layer: Layer,
    pub(super) leaf: &'a Arc<Leaf>,
}

/// Layers, the strongest last.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Those at the bottom.
    below: Option<Arc<Layers>>,
    /// Each with what it says.
    stacked: Vec<(Layer, Vec<Spoken>)>,
    /// What wins each key of which one of these says something, by number.
    winners: IndexMap<Arc<str>, usize>,
}

impl Layers {
    /// Begins on top of layers that are decided, and have none below them.
    pub(super) fn on(below: Arc<Self>) -> Self {
        Self { below: Some(below), ..Self::default() }
    }

    /// Puts a layer on top; what falls through is only remembered.
    pub(super) fn push(&mut self, layer: Layer, said: Vec<Spoken>) {
        self.stacked.push((layer, said));
    }

    /// Finds out what wins each key of which one of these layers says something.
    pub(super) fn decide(&mut self, precedence: &Precedence) {
        let first = self.below.as_ref().map_or(0, |below| below.count());
        let mut voices: IndexMap<&Arc<str>, Vec<(usize, Layer)>> = IndexMap::new();
        for (number, said) in self.own().enumerate().filter(|(_, said)| !said.leaf.falls_through()) {
            let voices = voices.entry(said.key).or_insert_with(|| self.below(said.key).into_iter().collect());
            voices.push((first + number, said.layer));
        }
        let mut winners = IndexMap::with_capacity(voices.len());
        for (key, voices) in &voices {
            winners.insert(Arc::clone(key), precedence.winner(voices));
        }
        if self.all().any(|said| said.leaf.unset) {
            let contested = voices.iter().filter(|(_, voices)| voices.len() > 1).map(|(key, _)| *key);
            let unset = self.own().filter(|said| said.leaf.unset).map(|said| said.key);
            winners.extend(self.merged(&contested.chain(unset).collect()));
        }
        self.winners = winners;
    }

    /// Gives what the layers below say of a key: which of them wins there is decided.
    fn below(&self, key: &str) -> Option<(usize, Layer)> {
        let below = self.below.as_ref()?;
        let number = below.winner(key)?;
        Some((number, below.said(number).layer))
    }

    /// Gives the number of what wins a key.
    pub(super) fn winner(&self, key: &str) -> Option<usize> {
        let own = self.winners.get(key).copied();
        own.or_else(|| self.below.as_ref().and_then(|below| below.winner(key)))
    }

    /// Whether these layers have a say in a key, and not only those below.
    pub(super) fn decides(&self, key: &str) -> bool {
        self.winners.contains_key(key)
    }

    /// Has figment merge the layers, as far as they say something of these keys.
    fn merged(&self, contested: &BTreeSet<&Arc<str>>) -> Vec<(Arc<str>, usize)> {
        let mut figment = Figment::new();
        let mut number = 0;
        for (layer, spoken) in self.each() {
            let mut data = Dict::new();
            for (key, leaf) in spoken {
                if leaf.unset {
                    // What is unset takes with it all that is below it.
                    let below = self.all().take(number).filter(|known| is_below(known.key, key));
                    data.extend(below.map(|known| (known.key.to_string(), Value::from(number))));
                }
                if !leaf.falls_through() && contested.contains(key) {
                    data.insert(key.to_string(), Value::from(number));
                }
                number += 1;
            }
            if !data.is_empty() {
                figment = figment.merge(Provided { layer: *layer, data: Cell::new(data) });
            }
        }
        let merged = figment.find_value("").ok().and_then(Value::into_dict).unwrap_or_default();
        merged.into_iter().filter_map(|(key, value)| Some((key.into(), number_of(&value)?))).collect()
    }

    /// Gives the layers with what they say, the weakest first.
    fn each(&self) -> impl Iterator<Item = &(Layer, Vec<Spoken>)> {
        self.below.iter().flat_map(|below| &below.stacked).chain(&self.stacked)
    }

    /// Gives all that is said, the weakest layer first: the place in it is a number.
    fn all(&self) -> impl Iterator<Item = Said<'_>> {
        self.each().flat_map(of_layer)
    }

    /// Gives what is said by these layers and not by those below.
    fn own(&self) -> impl Iterator<Item = Said<'_>> {
        self.stacked.iter().flat_map(of_layer)
    }

    /// Counts all that is said.
    fn count(&self) -> usize {
        self.each().map(|(_, said)| said.len()).sum()
    }

    /// Gives what was said under a number.
    pub(super) fn said(&self, number: usize) -> Said<'_> {
        self.all().nth(number).expect("a number is that of something said")
    }

    /// Gives all that was said of a key, the weakest layer first.
    pub(super) fn all_said<'a>(&'a self, key: &'a str) -> impl Iterator<Item = Said<'a>> {
        let below = move |said: &Said<'_>| **said.key == *key || (said.leaf.unset && is_below(key, said.key));
        self.all().filter(below)
    }
}

fn of_layer((layer, said): &(Layer, Vec<Spoken>)) -> impl Iterator<Item = Said<'_>> {
    said.iter().map(|(key, leaf)| Said { key, layer: *layer, leaf })
}

/// Which of several layers wins a key, as figment says.
///
/// Shape: that hangs on the layers alone, as long as none of them unsets anything. There are few combinations and many
/// keys: figment is asked once for each combination.
#[derive(Debug, Default)]
pub(super) struct Precedence {
    /// The place of the winner.
    known: RefCell<BTreeMap<Vec<Layer>, usize>>,
}

impl Precedence {
    /// Gives the number of the voice that wins; the weakest layer is first.
    fn winner(&self, voices: &[(usize, Layer)]) -> usize {
        if let [(number, _)] = voices {
            return *number;
        }
        let layers: Vec<Layer> = voices.iter().map(|(_, layer)| *layer).collect();
        let mut known = self.known.borrow_mut();
        let place = *known.entry(layers).or_insert_with_key(|layers| {
            let provided = layers.iter().enumerate().map(|(place, layer)| {
                let data = Dict::from([(CONTESTED.to_owned(), Value::from(place))]);
                Provided { layer: *layer, data: Cell::new(data) }
            });
            let figment = provided.fold(Figment::new(), Figment::merge);
            let winner = figment.find_value(CONTESTED).ok().and_then(|value| number_of(&value));
            winner.expect("figment gives what one of the layers said")
        });
        voices[place].0
    }
}

/// The key that layers contest when figment is asked for a combination.
const CONTESTED: &str = "contested";

fn number_of(value: &Value) -> Option<usize> {
    value.to_u128().and_then(|number| usize::try_from(number).ok())
}

/// Whether a key stands below another: `a.b` below `a`.
fn is_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}
