//! The layers of one plugin's settings in an environment, stacked: definition, parent, files, variables.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::cast::truthy;
use super::definition::Definition;
use super::flat::{Flat, Leaf, leaves};
use super::ground::Ground;
use super::layers::{Layers, Spoken};
use super::overlay::Overlay;
use super::resolve::References;
use super::setting::Setting;
use super::surroundings::Surroundings;
use super::variables::{Block, Scope, Setter, Settled, Variable, block, setters};
use crate::model::finding::Finding;
use crate::model::origin::{Layer, Place};

/// A plugin whose layers are stacked.
pub(super) struct Prepared<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) definition: &'a Definition,
    /// Those of the definition, then those that environments add.
    pub(super) settings: Cow<'a, [Arc<Setting>]>,
    pub(super) layers: Layers,
    /// What is the same in all environments; nothing where there is a parent.
    pub(super) ground: Option<Arc<Ground>>,
    /// Its own blocks: the environment's entry for it, the environment's `env` expanded, its parent's.
    pub(super) blocks: Blocks,
}

/// The variables that only one plugin sees.
#[derive(Default)]
pub(super) struct Blocks {
    /// The `env` of the environment's entry for it.
    pub(super) overlay: Block,
    /// The environment's `env`, expanded once.
    pub(super) environment: Block,
    /// What its parent's entries and `env` say, the nearest first.
    pub(super) parents: Vec<Block>,
}
impl<'a> Prepared<'a> {
    pub(super) fn new(
        around: &'a Surroundings<'a>,
        definition: &'a Definition,
    ) -> Result<Self, Box<Finding>> {
        if let Some(fault) = &definition.fault {
            return Err(Box::new(fault.clone()));
        }
        let overlays = around.overlays.get(&definition.kind, &definition.name);
        let said: Vec<Flat> = overlays.iter().map(|overlay| leaves(overlay.node, overlay.known())).collect();
        let mut prepared = Self::with(around, definition, Layers::default());
        for flat in &said {
            prepared.imply(flat);
        }
        let parent = prepared.parent()?;
        prepared.blocks = prepared.own_blocks(overlays, parent.as_ref())?;
        if let Some(parent) = &parent {
            parent.sound()?;
            prepared.layers.push(Layer::Default, defaults(&prepared.settings));
            let inherited = prepared.inherited(parent)?;
            prepared.layers.push(Layer::Inherited, inherited);
            prepared.layers.push(Layer::MeltanoYml, by_setting(&prepared.settings, &definition.base)?);
        } else {
            let ground = definition.ground.get_or(|| Ground::of(around, definition).map(Arc::new)).clone()?;
            prepared.layers = Layers::on(Arc::clone(&ground.layers));
            prepared.ground = Some(ground);
        }
        for flat in &said {
            let leaves = by_setting(&prepared.settings, flat)?;
            prepared.layers.push(Layer::MeltanoEnvironment, leaves);
        }
        let dotenv = prepared.by_variables(&Scope::of([&around.dotenv]))?;
        let process = prepared.by_variables(&prepared.scope())?;
        prepared.layers.push(Layer::Dotenv, dotenv);
        prepared.layers.push(Layer::Env, process);
        prepared.layers.decide(&around.precedence);
        Ok(prepared)
    }

    /// A plugin with the settings of its definition and with these layers.
    pub(super) fn with(around: &'a Surroundings<'a>, definition: &'a Definition, layers: Layers) -> Self {
        let (settings, blocks) = (Cow::Borrowed(definition.settings.as_slice()), Blocks::default());
        Self { around, definition, settings, layers, ground: None, blocks }
    }

    /// Adds a setting for each key of an environment's entry that none has.
    fn imply(&mut self, flat: &Flat) {
        for (key, leaf) in flat {
            if !self.settings.iter().any(|setting| setting.name == *key) {
                self.settings.to_mut().push(Setting::implied(key, &leaf.value));
            }
        }
    }

    fn parent(&self) -> Result<Option<Prepared<'a>>, Box<Finding>> {
        let key = self.definition.parent.as_ref();
        let parent = key.and_then(|key| self.around.written.definitions.plugins.get(key));
        parent.map(|parent| Prepared::new(self.around, parent)).transpose()
    }

    fn own_blocks(
        &self,
        overlays: &[Overlay<'_>],
        parent: Option<&Prepared<'_>>,
    ) -> Result<Blocks, Box<Finding>> {
        let definition = self.definition;
        let overlay = overlays.iter().filter(|overlay| !overlay.redefines);
        let mut blocks = Blocks {
            overlay: overlay.flat_map(|overlay| block(overlay.node)).collect(),
            ..Blocks::default()
        };
        if let Some(parent) = parent {
            blocks.parents.extend([parent.blocks.overlay.clone(), parent.definition.env.clone()]);
            blocks.parents.extend(parent.blocks.parents.iter().cloned());
        }
        let outside = self.around.outside();
        let below = [&definition.env, &definition.names].into_iter().chain(outside).chain(&blocks.parents);
        let scope = Scope::of(below);
        let mut environment = Block::new();
        for (name, variable) in &self.around.environment {
            let settled = scope.expanded(&Value::from(variable.text.as_str()));
            self.strictly(&settled, variable.place.as_ref())?;
            let text = settled.value.as_str().unwrap_or_default().to_owned();
            environment.insert(name.clone(), Variable { text, secret: settled.secret, ..variable.clone() });
        }
        blocks.environment = environment;
        Ok(blocks)
    }

    /// In the strict mode a reference without a value is an error.
    pub(super) fn strictly(&self, settled: &Settled, place: Option<&Place>) -> Result<(), Box<Finding>> {
        let Some(name) = settled.unset.first().filter(|_| self.around.strict) else { return Ok(()) };
        let message = format!("`{name}` is referred to and not set, and `ff.strict_env_var_mode` is on");
        let mut finding = Finding::error("unset-reference", message);
        finding.place = place.cloned();
        Err(Box::new(finding.hint(format!("set the variable `{name}`"))))
    }

    /// Gives what sets settings by variables, `.env` aside.
    pub(super) fn scope(&self) -> Scope<'_> {
        let own =
            [&self.blocks.overlay, &self.blocks.environment, &self.definition.env, &self.definition.names];
        Scope::of(own.into_iter().chain(self.around.outside()).chain(&self.blocks.parents))
    }

    /// Gives what the parent's files and variables come to, references unexpanded and defaults left out.
    fn inherited(&self, parent: &Prepared<'_>) -> Result<Vec<Spoken>, Box<Finding>> {
        let known: BTreeMap<&str, &Arc<Setting>> =
            parent.settings.iter().map(|setting| (&*setting.name, setting)).collect();
        let mut inherited = Vec::new();
        for setting in self.settings.iter() {
            let Some(theirs) = known.get(&*setting.name) else { continue };
            let worked = parent.worked(theirs, References::Kept)?;
            if worked.value.is_null() || worked.layer == Layer::Default {
                continue;
            }
            let said = worked.said.map(|number| parent.layers.said(number).leaf);
            let leaf = Leaf {
                value: worked.value,
                place: said.and_then(|leaf| leaf.place.clone()),
                variable: said.and_then(|leaf| leaf.variable.clone()),
                expandable: worked.expandable,
                unset: false,
                inherited: Some(worked.layer),
            };
            inherited.push((setting.name.clone(), Arc::new(leaf)));
        }
        Ok(inherited)
    }

    /// Gives what variables say of the settings.
    fn by_variables(&self, scope: &Scope<'_>) -> Result<Vec<Spoken>, Box<Finding>> {
        let definition = self.definition;
        let custom = definition.custom_variables
            && self.settings.iter().any(|setting| !setting.env_aliases.is_empty());
        if !definition.setters.iter().any(|prefix| scope.has_prefix(prefix)) && !custom {
            return Ok(Vec::new());
        }
        let mut leaves = Vec::new();
        for setting in self.settings.iter() {
            let found = setters(setting, &definition.setters, definition.custom_variables, scope);
            if found.len() > 1 {
                return Err(Box::new(several(setting, &found)));
            }
            if let Some(setter) = found.first() {
                leaves.push((setting.name.clone(), Arc::new(leaf_of(setter))));
            }
        }
        Ok(leaves)
    }
}

/// Gives the defaults of settings.
pub(super) fn defaults(settings: &[Arc<Setting>]) -> Vec<Spoken> {
    let default = |setting: &Arc<Setting>| Some((setting.name.clone(), setting.default.clone()?));
    settings.iter().filter_map(default).collect()
}

/// Brings the leaves of a file to the settings that they are for; an alias is an equal name.
pub(super) fn by_setting(settings: &[Arc<Setting>], flat: &Flat) -> Result<Vec<Spoken>, Box<Finding>> {
    let mut leaves: Vec<Spoken> = flat.iter().map(|(key, leaf)| (key.clone(), leaf.clone())).collect();
    for setting in settings.iter().filter(|setting| !setting.aliases.is_empty()) {
        let there: Vec<(&str, &Arc<Leaf>)> =
            setting.keys().filter_map(|key| Some((key, flat.get(key)?))).collect();
        if let Some((key, other)) = there.iter().skip(1).find(|(_, leaf)| leaf.value != there[0].1.value) {
            let message =
                format!("`{}` and its other name `{key}` have different values in one place", there[0].0);
            let mut finding = Finding::error("alias-conflict", message).hint("keep one of the two");
            finding.place.clone_from(&other.place);
            return Err(Box::new(finding));
        }
        if let Some((_, leaf)) = there.first().filter(|(key, _)| **key != *setting.name) {
            leaves.push((setting.name.clone(), Arc::clone(leaf)));
        }
    }
    Ok(leaves)
}

fn leaf_of(setter: &Setter<'_>) -> Leaf {
    let text = &setter.variable.text;
    let value = match (setter.negated, truthy(text)) {
        (false, _) => text.as_str(),
        (true, true) => "False",
        (true, false) => "True",
    };
    Leaf {
        place: setter.variable.place.clone(),
        variable: Some(setter.name.clone()),
        expandable: false,
        ..Leaf::of(Value::from(value))
    }
}

fn several(setting: &Setting, setters: &[Setter<'_>]) -> Finding {
    let names: BTreeSet<String> = setters.iter().map(|setter| format!("`{}`", setter.name)).collect();
    let names: Vec<String> = names.into_iter().collect();
    let message = format!("`{}` is set by several variables: {}", setting.name, names.join(", "));
    Finding::error("several-variables", message).hint("unset all but one of them")
}
