//! Settings of plugins in an environment: layers stacked, winners expanded, cast and put together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::super::environments;
use super::super::explain::Word;
use super::super::reference::Rules;
use super::super::resolve::Inputs;
use super::super::written::Written;
use super::builtin::project_settings;
use super::cast::{cast, post_processed, stringified, truthy};
use super::definition::{Definition, Source, imply, index, singular};
use super::flat::{Flat, Leaf, leaves};
use super::layers::{Layers, Said};
use super::nest::in_the_way;
use super::overlay::Overlays;
use super::process;
use super::setting::{Setting, SettingKind};
use super::variables::{Block, Scope, Setter, Settled, Variable, block, setters, settle, variable_name};
use crate::model::environment::{EffectivePlugin, EffectiveValue, Nesting};
use crate::model::finding::Finding;
use crate::model::origin::{Layer, Origin, Place};
use crate::yaml::Node;

/// What plugins of an environment see around them.
pub(in crate::config) struct Surroundings<'a> {
    written: &'a Written,
    overlays: Overlays<'a>,
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
    strict: bool,
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
    fn outside(&self) -> [&Block; 4] {
        [&self.settings, &self.root, &self.project, &self.process]
    }
}

/// Resolves all plugins of an environment.
pub(in crate::config) fn resolve_all(around: &Surroundings<'_>) -> BTreeMap<String, EffectivePlugin> {
    let plugins = definitions(around);
    plugins.iter().map(|(key, definition)| (key.clone(), resolve(around, definition))).collect()
}

/// Gives the plugins of an environment: those of the base, and what the environment itself defines or changes.
fn definitions(around: &Surroundings<'_>) -> IndexMap<String, Arc<Definition>> {
    let known = &around.written.definitions;
    let mut plugins = known.plugins.clone();
    let base = index(&around.written.root);
    for (kind, name) in around.overlays.redefined() {
        let own = base.get(&(kind, name)).copied();
        let overlays = around.overlays.get(kind, name).iter().rev().filter(|overlay| overlay.redefines);
        let nodes: Vec<&Node> = overlays.map(|overlay| overlay.node).chain(own).collect();
        let source = Source { kind, name, nodes: &nodes, base: own };
        let parent = source.parent(|parent| known.plugins.contains_key(&format!("{kind}/{parent}")));
        let definition = source.define(known, parent);
        plugins.insert(format!("{kind}/{name}"), Arc::new(definition));
    }
    plugins
}

fn resolve(around: &Surroundings<'_>, definition: &Definition) -> EffectivePlugin {
    match Prepared::new(around, definition).and_then(|prepared| prepared.effective()) {
        Ok(plugin) => plugin,
        Err(finding) => EffectivePlugin { error: Some(*finding), ..EffectivePlugin::default() },
    }
}

/// Gives the settings of a plugin that are meant by a name: itself, an alias, an extra without its `_`, else all
/// that are below it; with no name all.
pub(in crate::config) fn keys_of(around: &Surroundings<'_>, plugin: &str, name: &str) -> Vec<String> {
    let definitions = definitions(around);
    let Some(Ok(prepared)) = definitions.get(plugin).map(|definition| Prepared::new(around, definition))
    else {
        return Vec::new();
    };
    let keys = |wanted: &dyn Fn(&Setting) -> bool| -> Vec<String> {
        let settings = prepared.settings.iter().filter(|setting| wanted(setting));
        settings.map(|setting| setting.name.to_string()).collect()
    };
    let extra = format!("_{name}");
    let exact = keys(&|setting| name.is_empty() || *setting.name == *name || *setting.name == *extra);
    if !exact.is_empty() {
        return exact;
    }
    let alias = keys(&|setting| setting.keys().any(|key| key == name));
    if !alias.is_empty() {
        return alias;
    }
    let below = [format!("{name}."), format!("{extra}.")];
    keys(&|setting| below.iter().any(|prefix| setting.name.starts_with(prefix)))
}

/// What the layers of a setting say, the weakest first: as written with its origin, and what it comes to.
pub(in crate::config) fn trace(
    around: &Surroundings<'_>,
    plugin: &str,
    key: &str,
) -> Option<Result<Vec<(Word, Settled)>, Box<Finding>>> {
    let definition = definitions(around).get(plugin)?.clone();
    let prepared = match Prepared::new(around, &definition) {
        Ok(prepared) => prepared,
        Err(finding) => return Some(Err(finding)),
    };
    let setting = prepared.settings.iter().find(|setting| *setting.name == *key)?;
    let said = prepared.layers.all_said(&setting.name).map(|said| {
        let origin = prepared.origin_of(said.layer, &said.leaf);
        let word = Word { written: said.leaf.value.clone(), unset: said.leaf.unset, origin };
        (word, prepared.settled(setting, &said.leaf))
    });
    Some(Ok(said.collect()))
}

/// A plugin whose layers are stacked.
pub(super) struct Prepared<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) definition: &'a Definition,
    pub(super) settings: Vec<Arc<Setting>>,
    layers: Layers,
    winners: BTreeMap<String, usize>,
    /// Its own blocks: the environment's entry for it, the environment's `env` expanded, its `env`, its names.
    pub(super) blocks: Blocks,
}

/// The variables that only one plugin sees.
#[derive(Default)]
pub(super) struct Blocks {
    /// The `env` of the environment's entry for it.
    pub(super) overlay: Block,
    /// The environment's `env`, expanded once.
    pub(super) environment: Block,
    /// Its names: `MELTANO_EXTRACTOR_NAME`.
    pub(super) names: Block,
    /// What its parent's entries and `env` say, the nearest first.
    pub(super) parents: Vec<Block>,
}

/// A setting's value on its way.
struct Worked {
    value: Value,
    raw: Option<Value>,
    layer: Layer,
    said: Option<usize>,
    expandable: bool,
    secret: bool,
    parts: Vec<String>,
    /// References without a value.
    unset: Vec<String>,
}

/// Whether references are expanded: what is inherited is expanded by the child.
#[derive(Clone, Copy, Eq, PartialEq)]
enum References {
    Expanded,
    Kept,
}

impl<'a> Prepared<'a> {
    fn new(around: &'a Surroundings<'a>, definition: &'a Definition) -> Result<Self, Box<Finding>> {
        if let Some(fault) = &definition.fault {
            return Err(Box::new(fault.clone()));
        }
        let mut settings = definition.settings.clone();
        let overlays = around.overlays.get(&definition.kind, &definition.name);
        let said: Vec<Flat> = overlays.iter().map(|overlay| leaves(overlay.node, overlay.known())).collect();
        said.iter().for_each(|flat| imply(&mut settings, flat));
        let mut prepared = Self {
            around,
            definition,
            settings,
            layers: Layers::default(),
            winners: BTreeMap::new(),
            blocks: Blocks::default(),
        };
        let parent = prepared.parent()?;
        prepared.blocks = prepared.own_blocks(parent.as_ref())?;
        prepared.layers.push(Layer::Default, prepared.defaults());
        if let Some(parent) = &parent {
            parent.sound()?;
            let inherited = prepared.inherited(parent)?;
            prepared.layers.push(Layer::Inherited, inherited);
        }
        let base = prepared.by_setting(&definition.base)?;
        prepared.layers.push(Layer::MeltanoYml, base);
        for flat in &said {
            let leaves = prepared.by_setting(flat)?;
            prepared.layers.push(Layer::MeltanoEnvironment, leaves);
        }
        let dotenv = prepared.from_variables(&Scope::of([&around.dotenv]))?;
        let process = prepared.from_variables(&prepared.scope())?;
        prepared.layers.push(Layer::Dotenv, dotenv);
        prepared.layers.push(Layer::Env, process);
        prepared.winners = prepared.layers.winners();
        Ok(prepared)
    }

    fn parent(&self) -> Result<Option<Prepared<'a>>, Box<Finding>> {
        let key = self.definition.parent.as_ref();
        let parent = key.and_then(|key| self.around.written.definitions.plugins.get(key));
        parent.map(|parent| Prepared::new(self.around, parent)).transpose()
    }

    fn own_blocks(&self, parent: Option<&Prepared<'_>>) -> Result<Blocks, Box<Finding>> {
        let definition = self.definition;
        let kind = singular(&definition.kind);
        let name = |key: &str| variable_name(&["meltano", kind, key]);
        let names = Block::from([
            (name("name"), Variable::text(definition.name.as_str())),
            (name("namespace"), Variable::text(definition.namespace.as_str())),
            (name("variant"), Variable::text(definition.variant.as_deref().unwrap_or("None"))),
        ]);
        let overlays = self.around.overlays.get(&definition.kind, &definition.name);
        let overlay = overlays.iter().filter(|overlay| !overlay.redefines);
        let mut blocks = Blocks {
            overlay: overlay.flat_map(|overlay| block(overlay.node)).collect(),
            names,
            ..Blocks::default()
        };
        if let Some(parent) = parent {
            blocks.parents.extend([parent.blocks.overlay.clone(), parent.definition.env.clone()]);
            blocks.parents.extend(parent.blocks.parents.iter().cloned());
        }
        let outside = self.around.outside();
        let below = [&definition.env, &blocks.names].into_iter().chain(outside).chain(&blocks.parents);
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
    fn strictly(&self, settled: &Settled, place: Option<&Place>) -> Result<(), Box<Finding>> {
        let Some(name) = settled.unset.first().filter(|_| self.around.strict) else { return Ok(()) };
        let message = format!("`{name}` is referred to and not set, and `ff.strict_env_var_mode` is on");
        let mut finding = Finding::error("unset-reference", message);
        finding.place = place.cloned();
        Err(Box::new(finding.hint(format!("set the variable `{name}`"))))
    }

    /// Gives what sets settings by variables, `.env` aside.
    pub(super) fn scope(&self) -> Scope<'_> {
        let own = [&self.blocks.overlay, &self.blocks.environment, &self.definition.env, &self.blocks.names];
        Scope::of(own.into_iter().chain(self.around.outside()).chain(&self.blocks.parents))
    }

    fn defaults(&self) -> Vec<(Arc<str>, Leaf)> {
        let default = |setting: &Arc<Setting>| {
            let leaf = Leaf {
                value: setting.value.clone()?,
                place: setting.place.clone(),
                variable: None,
                expandable: true,
                unset: false,
                inherited: None,
            };
            Some((setting.name.clone(), leaf))
        };
        self.settings.iter().filter_map(default).collect()
    }

    /// Gives what the parent's files and variables come to, references unexpanded and defaults left out.
    fn inherited(&self, parent: &Prepared<'_>) -> Result<Vec<(Arc<str>, Leaf)>, Box<Finding>> {
        let known: BTreeMap<&str, &Arc<Setting>> =
            parent.settings.iter().map(|setting| (&*setting.name, setting)).collect();
        let mut inherited = Vec::new();
        for setting in &self.settings {
            let Some(theirs) = known.get(&*setting.name) else { continue };
            let worked = parent.worked(theirs, References::Kept)?;
            if worked.value.is_null() || worked.layer == Layer::Default {
                continue;
            }
            let said = worked.said.map(|number| &parent.layers.said(number).leaf);
            let leaf = Leaf {
                value: worked.value,
                place: said.and_then(|leaf| leaf.place.clone()),
                variable: said.and_then(|leaf| leaf.variable.clone()),
                expandable: worked.expandable,
                unset: false,
                inherited: Some(worked.layer),
            };
            inherited.push((setting.name.clone(), leaf));
        }
        Ok(inherited)
    }

    /// Brings the leaves of a file to the settings that they are for; an alias is an equal name.
    fn by_setting(&self, flat: &Flat) -> Result<Vec<(Arc<str>, Leaf)>, Box<Finding>> {
        let mut leaves: Vec<(Arc<str>, Leaf)> =
            flat.iter().map(|(key, leaf)| (key.clone(), leaf.clone())).collect();
        for setting in self.settings.iter().filter(|setting| !setting.aliases.is_empty()) {
            let there: Vec<(&str, &Leaf)> =
                setting.keys().filter_map(|key| Some((key, flat.get(key)?))).collect();
            if let Some((key, other)) = there.iter().skip(1).find(|(_, leaf)| leaf.value != there[0].1.value)
            {
                let message =
                    format!("`{}` and its other name `{key}` have different values in one place", there[0].0);
                let mut finding = Finding::error("alias-conflict", message).hint("keep one of the two");
                finding.place.clone_from(&other.place);
                return Err(Box::new(finding));
            }
            if let Some((key, leaf)) = there.first().filter(|(key, _)| **key != *setting.name) {
                let _: &&str = key;
                leaves.push((setting.name.clone(), (*leaf).clone()));
            }
        }
        Ok(leaves)
    }

    /// Gives what variables say of the settings.
    fn from_variables(&self, scope: &Scope<'_>) -> Result<Vec<(Arc<str>, Leaf)>, Box<Finding>> {
        let definition = self.definition;
        let mut prefixes = vec![definition.name.clone()];
        if definition.namespace != definition.name {
            prefixes.push(definition.namespace.clone());
        }
        let begins = |prefix: &String| scope.has_prefix(&format!("{}_", variable_name(&[prefix])));
        let custom = definition.custom_variables
            && self.settings.iter().any(|setting| !setting.env_aliases.is_empty());
        if !prefixes.iter().any(begins) && !custom {
            return Ok(Vec::new());
        }
        let mut leaves = Vec::new();
        for setting in &self.settings {
            let found = setters(setting, &prefixes, definition.custom_variables, scope);
            if found.len() > 1 {
                return Err(Box::new(several(setting, &found)));
            }
            if let Some(setter) = found.first() {
                leaves.push((setting.name.clone(), leaf_of(setter)));
            }
        }
        Ok(leaves)
    }

    /// Works a setting out: its winner, expanded, put together if it is an object, cast.
    fn worked(&self, setting: &Setting, references: References) -> Result<Worked, Box<Finding>> {
        let number = self.winners.get(&*setting.name).copied();
        let Some(said) = number.map(|number| self.layers.said(number)) else {
            let nothing = Worked {
                value: Value::Null,
                raw: None,
                layer: Layer::Default,
                said: None,
                expandable: false,
                secret: false,
                parts: Vec::new(),
                unset: Vec::new(),
            };
            return self.finished(setting, nothing, references);
        };
        let mut worked = Worked {
            value: said.leaf.value.clone(),
            raw: None,
            layer: said.layer,
            said: number,
            expandable: said.leaf.expandable,
            secret: false,
            parts: Vec::new(),
            unset: Vec::new(),
        };
        if references == References::Expanded && said.leaf.expandable {
            let settled = self.settled(setting, &said.leaf);
            self.strictly(&settled, said.leaf.place.as_ref())?;
            worked.secret = settled.secret;
            worked.unset = settled.unset;
            worked.expandable = false;
            if settled.value != worked.value {
                worked.raw = Some(std::mem::replace(&mut worked.value, settled.value));
            }
        }
        self.finished(setting, worked, references)
    }

    fn finished(
        &self,
        setting: &Setting,
        mut worked: Worked,
        references: References,
    ) -> Result<Worked, Box<Finding>> {
        if setting.kind == SettingKind::Object && matches!(worked.layer, Layer::Default | Layer::Inherited) {
            self.put_together(setting, &mut worked, references)?;
        }
        if !worked.expandable {
            let place = worked.said.map(|number| self.layers.said(number));
            worked.value = cast(setting, std::mem::take(&mut worked.value))
                .map_err(|wanted| Box::new(misfit(setting, &wanted, place)))?;
        }
        Ok(worked)
    }

    /// Puts a `kind: object` together from the settings below it, which then replace its default.
    fn put_together(
        &self,
        setting: &Setting,
        worked: &mut Worked,
        references: References,
    ) -> Result<(), Box<Finding>> {
        let mut object = Map::new();
        let mut best: Option<(Layer, Option<usize>)> = None;
        for key in setting.keys() {
            let prefix = format!("{key}.");
            for part in self.settings.iter().filter(|part| part.name.starts_with(&prefix)) {
                let name = &part.name[prefix.len()..];
                if object.contains_key(name) {
                    continue;
                }
                let inner = self.worked(part, references)?;
                if best.is_none_or(|(layer, _)| inner.layer.rank() > layer.rank()) {
                    best = Some((inner.layer, inner.said));
                }
                if inner.secret || part.sensitive {
                    worked.parts.push(name.to_owned());
                }
                object.insert(name.to_owned(), inner.value);
            }
        }
        if !object.is_empty() {
            worked.value = Value::Object(object);
            worked.raw = None;
            if let Some((layer, said)) = best.filter(|(layer, _)| layer.rank() > worked.layer.rank()) {
                (worked.layer, worked.said) = (layer, said);
            }
        }
        Ok(())
    }

    /// Expands what a layer says; extras see the plugin's own settings as variables, too.
    pub(super) fn settled(&self, setting: &Setting, leaf: &Leaf) -> Settled {
        if !leaf.expandable {
            return Settled { value: leaf.value.clone(), ..Settled::default() };
        }
        let scope = self.scope().below(&self.around.dotenv);
        settle(&leaf.value, Rules::Meltano, &|name| {
            let own = setting.is_extra().then(|| self.own_variable(name)).flatten();
            own.or_else(|| scope.get(name).cloned())
        })
    }

    /// Gives the variable in which the plugin's process gets one of its settings.
    pub(super) fn own_variable(&self, name: &str) -> Option<Variable> {
        let prefixes: Vec<String> =
            self.definition.prefixes.iter().map(|prefix| variable_name(&[prefix])).collect();
        let ours = |setting: &Setting| {
            let named = || {
                let own = variable_name(&[&setting.name]);
                prefixes.iter().any(|prefix| {
                    let rest = name.strip_prefix(prefix.as_str()).and_then(|rest| rest.strip_prefix('_'));
                    rest == Some(&own)
                })
            };
            setting.env.as_deref() == Some(name)
                || named()
                || setting.env_aliases.iter().any(|alias| alias == name)
        };
        let setting = self.settings.iter().rev().find(|setting| !setting.is_extra() && ours(setting))?;
        let worked =
            self.worked(setting, References::Expanded).ok().filter(|worked| !worked.value.is_null())?;
        let text = stringified(setting, &worked.value);
        let secret = worked.secret || setting.sensitive;
        Some(Variable { text, place: None, secret })
    }

    fn effective(&self) -> Result<EffectivePlugin, Box<Finding>> {
        let mut plugin = EffectivePlugin {
            nesting: self.definition.nesting,
            groups: self.definition.groups.clone(),
            place: Some(self.definition.place.clone()),
            ..EffectivePlugin::default()
        };
        for setting in &self.settings {
            let worked = self.worked(setting, References::Expanded)?;
            if let Some(processed) = post_processed(setting, &worked.value) {
                plugin.processed.insert(setting.name.clone(), processed);
            }
            let unset = worked.unset.iter().map(|name| (setting.name.clone(), name.clone()));
            plugin.unset.extend(unset);
            let sensitive = worked.secret || setting.sensitive;
            let value = EffectiveValue {
                origin: self.origin(worked.layer, worked.said),
                raw: worked.raw,
                value: worked.value,
                sensitive,
                secret_parts: worked.parts,
            };
            plugin.settings.insert(setting.name.clone(), value);
        }
        for (key, leaf) in &self.definition.attributes {
            let origin = self.origin_of(Layer::MeltanoYml, leaf);
            let value = EffectiveValue::plain(leaf.value.clone(), origin);
            plugin.attributes.insert(key.clone(), value);
        }
        self.nests(&plugin)?;
        plugin.env = process::variables(self);
        Ok(plugin)
    }

    /// What the plugin is handed is nested: a key may not stand below one that is no mapping.
    fn nests(&self, plugin: &EffectivePlugin) -> Result<(), Box<Finding>> {
        let unescape = match plugin.nesting {
            Nesting::Flat => return Ok(()),
            Nesting::Nested => false,
            Nesting::Texts => true,
        };
        let values = plugin
            .settings
            .iter()
            .filter(|(name, value)| !name.starts_with('_') && (unescape || !value.value.is_null()));
        let values =
            values.map(|(name, value)| (&**name, plugin.processed.get(name).unwrap_or(&value.value)));
        let Some((key, above)) = in_the_way(values, unescape) else { return Ok(()) };
        let message = format!("`{key}` cannot be handed over: `{above}` has a value that is no mapping");
        let mut finding =
            Finding::error("not-a-mapping", message).hint(format!("remove `{above}` or `{key}`"));
        finding.place = plugin.settings.get(key).and_then(|value| value.origin.place());
        Err(Box::new(finding))
    }

    /// Whoever inherits from a plugin whose settings cannot be resolved cannot be resolved either.
    fn sound(&self) -> Result<(), Box<Finding>> {
        let settings = self.settings.iter().filter(|setting| !setting.is_extra());
        settings.map(|setting| self.worked(setting, References::Expanded).map(drop)).collect()
    }

    fn origin(&self, layer: Layer, said: Option<usize>) -> Origin {
        said.map_or_else(|| Origin::of(layer), |number| self.origin_of(layer, &self.layers.said(number).leaf))
    }

    fn origin_of(&self, layer: Layer, leaf: &Leaf) -> Origin {
        let mut origin = match &leaf.place {
            Some(place) => Origin::in_file(layer, place),
            None => Origin::of(layer),
        };
        if origin.file.is_some() && leaf.variable.is_none() {
            origin.commit.clone_from(&self.around.written.commit);
        }
        origin.variable.clone_from(&leaf.variable);
        origin
    }
}

fn leaf_of(setter: &Setter<'_>) -> Leaf {
    let text = &setter.variable.text;
    let value = match (setter.negated, truthy(text)) {
        (false, _) => text.as_str(),
        (true, true) => "False",
        (true, false) => "True",
    };
    Leaf {
        value: Value::from(value),
        place: setter.variable.place.clone(),
        variable: Some(setter.name.clone()),
        expandable: false,
        unset: false,
        inherited: None,
    }
}

fn several(setting: &Setting, setters: &[Setter<'_>]) -> Finding {
    let names: BTreeSet<String> = setters.iter().map(|setter| format!("`{}`", setter.name)).collect();
    let names: Vec<String> = names.into_iter().collect();
    let message = format!("`{}` is set by several variables: {}", setting.name, names.join(", "));
    Finding::error("several-variables", message).hint("unset all but one of them")
}

fn misfit(setting: &Setting, wanted: &str, said: Option<&Said>) -> Finding {
    let leaf = said.map(|said| &said.leaf);
    let variable = leaf.and_then(|leaf| leaf.variable.as_ref());
    let from = variable.map(|variable| format!(" (from variable `{variable}`)")).unwrap_or_default();
    let mut finding = Finding::error("wrong-type", format!("`{}` {wanted}{from}", setting.name));
    finding.place = leaf.and_then(|leaf| leaf.place.clone());
    finding.hint("correct the value, or the setting's `kind`")
}
