//! Settings of plugins in an environment: the winner of each is expanded, put together if it is an object, cast.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::reference::Rules;
use super::cast::{cast, post_processed, stringified};
use super::definition::Definition;
use super::flat::Leaf;
use super::layers::Said;
use super::nest::in_the_way;
use super::prepare::Prepared;
use super::process;
use super::setting::{Setting, SettingKind};
use super::surroundings::{Surroundings, redefined};
use super::variables::{Settled, Variable, may_refer, settle, variable_name};
use crate::model::environment::{EffectivePlugin, EffectiveValue, Nesting, is_extra};
use crate::model::finding::Finding;
use crate::model::origin::{Layer, Origin};

/// Resolves all plugins of an environment.
pub(in crate::config) fn resolve_all(around: &Surroundings<'_>) -> BTreeMap<String, EffectivePlugin> {
    let resolved =
        |(key, definition): (&String, &Arc<Definition>)| (key.clone(), resolve(around, definition));
    let changed = redefined(around);
    let known = around.written.definitions.plugins.iter().filter(|(key, _)| !changed.contains_key(*key));
    known.chain(&changed).map(resolved).collect()
}

fn resolve(around: &Surroundings<'_>, definition: &Definition) -> EffectivePlugin {
    match Prepared::new(around, definition).and_then(|prepared| prepared.effective()) {
        Ok(plugin) => plugin,
        Err(finding) => EffectivePlugin { error: Some(*finding), ..EffectivePlugin::default() },
    }
}
/// A setting's value on its way.
pub(super) struct Worked {
    pub(super) value: Value,
    raw: Option<Value>,
    pub(super) layer: Layer,
    pub(super) said: Option<usize>,
    pub(super) expandable: bool,
    secret: bool,
    parts: Vec<String>,
    /// References without a value.
    unset: Vec<String>,
}

/// Whether references are expanded: what is inherited is expanded by the child.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum References {
    Expanded,
    Kept,
}
impl Prepared<'_> {
    /// Works a setting out: its winner, expanded, put together if it is an object, cast.
    pub(super) fn worked(&self, setting: &Setting, references: References) -> Result<Worked, Box<Finding>> {
        let number = self.layers.winner(&setting.name);
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
        worked.expandable &= references == References::Kept;
        if references == References::Expanded && said.leaf.expandable && may_refer(&said.leaf.value) {
            let settled = self.settled(setting, said.leaf);
            self.strictly(&settled, said.leaf.place.as_ref())?;
            worked.secret = settled.secret;
            worked.unset = settled.unset;
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

    /// Whether there are settings below an object.
    pub(super) fn has_parts(&self, setting: &Setting) -> bool {
        let is_part = |part: &Arc<Setting>| setting.keys().any(|key| below(key, part).is_some());
        setting.kind == SettingKind::Object && self.settings.iter().any(is_part)
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
            for (part, name) in self.settings.iter().filter_map(|part| Some((part, below(key, part)?))) {
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
        let prefixes = self.definition.prefixes.iter();
        let rests: Vec<&str> = prefixes.filter_map(|prefix| name.strip_prefix(prefix.as_str())).collect();
        let ours = |setting: &Setting| {
            let named = || rests.contains(&variable_name(&[&setting.name]).as_str());
            setting.env.as_deref() == Some(name)
                || (!rests.is_empty() && named())
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
        let ground = self.ground.as_deref();
        let mut plugin = EffectivePlugin {
            nesting: self.definition.nesting,
            groups: self.definition.groups.clone(),
            place: Some(self.definition.place.clone()),
            settings: ground.map(|ground| ground.values.clone()).unwrap_or_default(),
            attributes: Arc::clone(self.definition.shown.get_or(|| Arc::new(self.attributes()))),
            ..EffectivePlugin::default()
        };
        let adds = self.settings.len() > self.definition.settings.len();
        let own = |(number, setting): &(usize, &Arc<Setting>)| {
            self.layers.decides(&setting.name)
                || ground.is_none_or(|ground| ground.leaves_open(*number, adds))
        };
        for (_, setting) in self.settings.iter().enumerate().filter(own) {
            let worked = self.worked(setting, References::Expanded)?;
            if let Some(processed) = post_processed(setting, &worked.value) {
                plugin.processed.insert(setting.name.clone(), processed);
            }
            let unset = worked.unset.iter().map(|name| (setting.name.clone(), name.clone()));
            plugin.unset.extend(unset);
            plugin.settings.insert(setting.name.clone(), Arc::new(self.value(setting, worked)));
        }
        Self::nests(&plugin)?;
        plugin.env = process::variables(self);
        Ok(plugin)
    }

    /// Gives what was worked out with its origin.
    pub(super) fn value(&self, setting: &Setting, worked: Worked) -> EffectiveValue {
        EffectiveValue {
            origin: self.origin(worked.layer, worked.said),
            raw: worked.raw,
            value: worked.value,
            sensitive: worked.secret || setting.sensitive,
            secret_parts: worked.parts,
        }
    }

    /// Gives what runs.
    fn attributes(&self) -> BTreeMap<String, EffectiveValue> {
        let attribute = |(key, leaf): &(String, Leaf)| {
            let origin = self.origin_of(Layer::MeltanoYml, leaf);
            (key.clone(), EffectiveValue::plain(leaf.value.clone(), origin))
        };
        self.definition.attributes.iter().map(attribute).collect()
    }

    /// What the plugin is handed is nested: a key may not stand below one that is no mapping.
    fn nests(plugin: &EffectivePlugin) -> Result<(), Box<Finding>> {
        let unescape = match plugin.nesting {
            Nesting::Flat => return Ok(()),
            Nesting::Nested => false,
            Nesting::Texts => true,
        };
        let values = plugin
            .settings
            .iter()
            .filter(|(name, value)| !is_extra(name) && (unescape || !value.value.is_null()));
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
    pub(super) fn sound(&self) -> Result<(), Box<Finding>> {
        let mut settings = self.settings.iter().filter(|setting| !setting.is_extra());
        settings.try_for_each(|setting| self.worked(setting, References::Expanded).map(drop))
    }

    fn origin(&self, layer: Layer, said: Option<usize>) -> Origin {
        said.map_or_else(|| Origin::of(layer), |number| self.origin_of(layer, self.layers.said(number).leaf))
    }

    pub(super) fn origin_of(&self, layer: Layer, leaf: &Leaf) -> Origin {
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
/// Gives the name of a setting below a key.
fn below<'a>(key: &str, setting: &'a Setting) -> Option<&'a str> {
    setting.name.strip_prefix(key)?.strip_prefix('.')
}

fn misfit(setting: &Setting, wanted: &str, said: Option<Said<'_>>) -> Finding {
    let leaf = said.map(|said| said.leaf);
    let variable = leaf.and_then(|leaf| leaf.variable.as_ref());
    let from = variable.map(|variable| format!(" (from variable `{variable}`)")).unwrap_or_default();
    let mut finding = Finding::error("wrong-type", format!("`{}` {wanted}{from}", setting.name));
    finding.place = leaf.and_then(|leaf| leaf.place.clone());
    finding.hint("correct the value, or the setting's `kind`")
}
