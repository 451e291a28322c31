//! What environments say of plugins.

use std::collections::BTreeMap;

use super::super::shape::{OVERLAY_PLUGIN_KEYS, PLUGIN_KEYS};
use crate::yaml::Node;

/// An environment's entry for a plugin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlay<'a> {
    /// The entry.
    pub(super) node: &'a Node,
    /// Whether it may change the plugin itself (`plugins`), and not only its configuration (`config.plugins`).
    pub(super) redefines: bool,
    /// The mapping that it stands in, by number.
    round: usize,
}

impl Overlay<'_> {
    /// Gives the keys that are not extras.
    pub(super) fn known(&self) -> &'static [&'static str] {
        if self.redefines { PLUGIN_KEYS } else { OVERLAY_PLUGIN_KEYS }
    }
}

/// The entries of an environment and those it inherits from, by type and name of the plugin.
#[derive(Debug, Default)]
pub(super) struct Overlays<'a> {
    by_type: BTreeMap<&'a str, BTreeMap<&'a str, Vec<Overlay<'a>>>>,
    /// How many mappings were looked at.
    rounds: usize,
}

impl<'a> Overlays<'a> {
    /// Indexes the entries of a chain of environments, the farthest first.
    ///
    /// Shape: of two entries of one environment for one plugin the first counts.
    pub(super) fn of(chain: &[&'a Node]) -> Self {
        let mut overlays = Self::default();
        for environment in chain {
            overlays.add(environment.get("plugins"), true);
            overlays.add(environment.at(&["config", "plugins"]), false);
        }
        overlays
    }

    fn add(&mut self, plugins: Option<&'a Node>, redefines: bool) {
        self.rounds += 1;
        for entry in plugins.map(Node::entries).unwrap_or_default() {
            for node in entry.value.items() {
                let Some(name) = node.get("name").and_then(Node::as_str) else { continue };
                let overlays = self.by_type.entry(&*entry.name).or_default().entry(name).or_default();
                if overlays.last().is_none_or(|last| last.round != self.rounds) {
                    overlays.push(Overlay { node, redefines, round: self.rounds });
                }
            }
        }
    }

    /// Gives the entries for a plugin, the strongest last.
    pub(super) fn get(&self, kind: &str, name: &str) -> &[Overlay<'a>] {
        self.by_type.get(kind).and_then(|by_name| by_name.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Lists the plugins that an environment defines or changes.
    pub(super) fn redefined(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let redefines = |overlays: &Vec<Overlay<'_>>| overlays.iter().any(|overlay| overlay.redefines);
        self.by_type.iter().flat_map(move |(kind, by_name)| {
            let redefined = by_name.iter().filter(move |(_, overlays)| redefines(overlays));
            redefined.map(move |(name, _)| (*kind, *name))
        })
    }
}
