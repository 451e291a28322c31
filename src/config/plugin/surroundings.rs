//! What plugins of an environment see around them: variables, entries of environments, definitions.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::super::environments;
use super::super::resolve::Inputs;
use super::super::written::Written;
use super::builtin::project_settings;
use super::cast::truthy;
use super::definition::{Definition, Source, index};
use super::layers::Precedence;
use super::overlay::Overlays;
use super::variables::{Block, Scope, Settled, Variable, block};
use crate::yaml::Node;

/// What plugins of an environment see around them.
pub(in crate::config) struct Surroundings<'a> {
    pub(super) written: &'a Written,
    pub(super) overlays: Overlays<'a>,
    /// `.env`.
    pub(super) dotenv: Block,
    /// The process.
    pub(super) process: Block,
    /// What `env` blocks may replace of what Meltano sets.
    pub(super) project: Block,
    /// The root's `env`.
    pub(super) root: Block,
    /// The project's settings as `MELTANO_…`.
    pub(super) settings: Block,
    /// The `env` of the environment and of those it inherits from, literally.
    pub(super) environment: Block,
    /// The variables that the root and any environment name.
    pub(super) named: BTreeSet<String>,
    /// Whether there is an environment.
    pub(super) active: bool,
    pub(super) strict: bool,
    pub(super) precedence: Precedence,
}

impl<'a> Surroundings<'a> {
    /// Looks around in an environment, or without one.
    pub(in crate::config) fn new(written: &'a Written, name: Option<&str>, inputs: &Inputs) -> Self {
        let chain = name.map(|name| environments::chain(&written.root, name)).unwrap_or_default();
        let process = inputs.variables.iter();
        let process: Block =
            process.map(|(name, text)| (name.clone(), Variable::text(text.as_str()))).collect();
        let dotenv = written.dotenv(name, inputs);
        let root = block(&written.root);
        let (project, settings) =
            project_settings(&written.root, name, &inputs.root, &Scope::of([&root, &process, &dotenv]));
        let strict = settings.get("MELTANO_FF_STRICT_ENV_VAR_MODE").is_some_and(|mode| truthy(&mode.text));
        let environment = chain.iter().flat_map(|node| block(node)).collect();
        let overlays = Overlays::of(&chain);
        let all = written.root.get("environments").map(Node::items).unwrap_or_default();
        let named = root.keys().cloned().chain(all.iter().flat_map(|node| block(node).into_keys())).collect();
        Self {
            written,
            overlays,
            dotenv,
            process,
            project,
            root,
            settings,
            environment,
            named,
            active: name.is_some(),
            strict,
            precedence: Precedence::default(),
        }
    }

    /// Gives what our own keys see: `.env`, the process, the root's `env`, Meltano's, the environment's `env`.
    pub(in crate::config) fn lookup(&self, name: &str) -> Option<Variable> {
        let Some(variable) = self.environment.get(name) else {
            return self.outside_of_environment(name);
        };
        let text = Value::from(variable.text.as_str());
        let Settled { value, secret, .. } = Scope::of(self.outside()).expanded(&text);
        let text = value.as_str().unwrap_or_default().to_owned();
        Some(Variable { text, secret, ..variable.clone() })
    }

    /// Gives what `state_id_suffix` sees: all but the environment's own `env`.
    pub(in crate::config) fn outside_of_environment(&self, name: &str) -> Option<Variable> {
        Scope::of(self.outside().into_iter().chain([&self.dotenv])).get(name).cloned()
    }

    /// Gives the blocks that every plugin sees, the strongest first.
    pub(super) fn outside(&self) -> [&Block; 4] {
        [&self.settings, &self.root, &self.project, &self.process]
    }
}

/// Gives the plugins that the environment itself defines or changes, as they are then.
pub(super) fn redefined(around: &Surroundings<'_>) -> IndexMap<String, Arc<Definition>> {
    let mut redefined = around.overlays.redefined().peekable();
    if redefined.peek().is_none() {
        return IndexMap::new();
    }
    let known = &around.written.definitions;
    let base = index(&around.written.root);
    let define = |(kind, name)| {
        let own = base.get(&(kind, name)).copied();
        let overlays = around.overlays.get(kind, name).iter().rev().filter(|overlay| overlay.redefines);
        let nodes: Vec<&Node> = overlays.map(|overlay| overlay.node).chain(own).collect();
        let source = Source { kind, name, nodes: &nodes, base: own };
        let parent = source.parent(|parent| known.plugins.contains_key(&format!("{kind}/{parent}")));
        (format!("{kind}/{name}"), Arc::new(source.define(known, parent)))
    };
    redefined.map(define).collect()
}

/// Gives a plugin of an environment: what the environment itself defines, else what the base does.
pub(super) fn definition(around: &Surroundings<'_>, plugin: &str) -> Option<Arc<Definition>> {
    let mut changed = redefined(around);
    changed.swap_remove(plugin).or_else(|| around.written.definitions.plugins.get(plugin).cloned())
}
