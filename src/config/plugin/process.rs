//! The variables of a plugin's process, as far as `env` blocks name them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::secret::is_secret_name;
use super::prepare::Prepared;
use super::variables::{Block, Scope, Variable};
use crate::model::environment::EffectiveValue;
use crate::model::origin::{Layer, Origin};

/// Gives the variables that are named in the `env` blocks which a plugin sees, as its process gets them.
///
/// Shape: the variables that the root and any environment name, and those that its own blocks name; one that
/// has no value, or only that of a setting, is left out. References go along another chain than for the configuration: the root's see the process, the
/// environment's see the root's, the plugin's see the environment's, the environment's entry sees the plugin's.
pub(super) fn variables(plugin: &Prepared<'_>) -> BTreeMap<String, EffectiveValue> {
    let around = plugin.around;
    let own = plugin.blocks.overlay.keys().chain(plugin.definition.env.keys());
    let names: BTreeSet<&String> = around.named.iter().chain(own).collect();
    if names.is_empty() {
        return BTreeMap::new();
    }
    let chain = Chain::of(plugin);
    let value = |name: &&String| Some(((*name).clone(), effective(plugin, name, &chain.get(name)?)));
    names.iter().filter_map(value).collect()
}

fn effective(plugin: &Prepared<'_>, name: &str, variable: &Variable) -> EffectiveValue {
    let layer = if plugin.blocks.overlay.contains_key(name) {
        Layer::MeltanoEnvironment
    } else if plugin.definition.env.contains_key(name) && !plugin.blocks.environment.contains_key(name) {
        Layer::MeltanoYml
    } else {
        Layer::Env
    };
    let origin = match &variable.place {
        Some(place) => Origin::in_file(layer, place),
        None => Origin::of(layer),
    };
    let sensitive = variable.secret || is_secret_name(name);
    EffectiveValue { sensitive, ..EffectiveValue::plain(Value::from(variable.text.as_str()), origin) }
}

/// The blocks, each expanded by the one below it.
struct Chain<'a> {
    plugin: &'a Prepared<'a>,
    project: Block,
    environment: Block,
    own: Block,
    overlay: Block,
}

impl<'a> Chain<'a> {
    fn of(plugin: &'a Prepared<'a>) -> Self {
        let around = plugin.around;
        let process = Scope::of([&around.process]);
        let below: Block = [&around.process, &around.project, &around.root]
            .into_iter()
            .flat_map(|block| block.iter().map(|(name, variable)| (name.clone(), variable.clone())))
            .collect();
        let mut project = expanded(&below, &process);
        project.extend(expanded(&around.dotenv, &process));
        let environment =
            if around.active { expanded(&around.environment, &Scope::of([&project])) } else { Block::new() };
        let own = expanded(&plugin.definition.env, &Scope::of([&environment]));
        let overlay = expanded(&plugin.blocks.overlay, &Scope::of([&own]));
        Self { plugin, project, environment, own, overlay }
    }

    fn get(&self, name: &str) -> Option<Variable> {
        let first =
            [&self.overlay, &self.environment, &self.own].into_iter().find_map(|block| block.get(name));
        first
            .cloned()
            .or_else(|| self.plugin.own_variable(name).filter(|_| self.plugin.around.root.contains_key(name)))
            .or_else(|| self.plugin.scope().get(name).cloned())
            .or_else(|| self.plugin.around.dotenv.get(name).cloned())
            .or_else(|| self.project.get(name).cloned())
    }
}

fn expanded(block: &Block, scope: &Scope<'_>) -> Block {
    let expand = |(name, variable): (&String, &Variable)| {
        let settled = scope.expanded(&Value::from(variable.text.as_str()));
        let text = settled.value.as_str().unwrap_or_default().to_owned();
        (name.clone(), Variable { text, secret: settled.secret || variable.secret, ..variable.clone() })
    };
    block.iter().map(expand).collect()
}
