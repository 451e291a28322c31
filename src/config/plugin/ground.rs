//! What the files say of a plugin for all environments: stacked, decided and worked out once.
//!
//! Most settings of most plugins are the same everywhere: environments share their values, and each works out only
//! what it says something of itself, and what refers to variables. A plugin with a parent has no ground: what it
//! inherits lies between its defaults and its own configuration, and may differ from environment to environment.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

use super::definition::Definition;
use super::layers::Layers;
use super::prepare::{Prepared, by_setting, defaults};
use super::resolve::References;
use super::setting::{Setting, SettingKind};
use super::surroundings::Surroundings;
use super::variables::may_refer;
use crate::model::environment::EffectiveValue;
use crate::model::finding::Finding;
use crate::model::origin::{Layer, Origin};

/// What is worked out when it is needed for the first time; a copy begins without, as it may be changed.
#[derive(Debug)]
pub(super) struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    /// Gives it.
    pub(super) fn get_or(&self, work_out: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(work_out)
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Clone for Once<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What holds for a plugin in all environments.
#[derive(Debug)]
pub(super) struct Ground {
    /// Its defaults and its own configuration.
    pub(super) layers: Arc<Layers>,
    /// The settings of the definition; those that are not shared have nothing yet.
    pub(super) values: IndexMap<Arc<str>, Arc<EffectiveValue>>,
    /// Who shares the value of each.
    shared: Vec<Shared>,
}

/// Which of the environments that say nothing of a setting share its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shared {
    /// All.
    Always,
    /// Those that add no setting: it is an object, and a part of it may be among them.
    WithoutMore,
    /// None.
    Never,
}

impl Ground {
    /// Works it out. Any environment serves: what is taken from it here is the same in all.
    pub(super) fn of(around: &Surroundings<'_>, definition: &Definition) -> Result<Self, Box<Finding>> {
        let mut layers = Layers::default();
        layers.push(Layer::Default, defaults(&definition.settings));
        layers.push(Layer::MeltanoYml, by_setting(&definition.settings, &definition.base)?);
        layers.decide(&around.precedence);
        let prepared = Prepared::with(around, definition, layers);
        let nothing = Arc::new(EffectiveValue::plain(serde_json::Value::Null, Origin::of(Layer::Default)));
        let (mut values, mut shared) = (IndexMap::with_capacity(definition.settings.len()), Vec::new());
        for setting in &definition.settings {
            let value = Self::value(&prepared, setting);
            shared.push(match (&value, setting.kind) {
                (None, _) => Shared::Never,
                (Some(_), SettingKind::Object) => Shared::WithoutMore,
                (Some(_), _) => Shared::Always,
            });
            values.insert(setting.name.clone(), value.unwrap_or_else(|| Arc::clone(&nothing)));
        }
        if values.len() < shared.len() {
            // Of a name that is there twice the later one counts, whoever shares it.
            shared.fill(Shared::Never);
        }
        Ok(Self { layers: Arc::new(prepared.layers), values, shared })
    }

    /// Gives the value of a setting, if environments that say nothing of it share it.
    fn value(prepared: &Prepared<'_>, setting: &Setting) -> Option<Arc<EffectiveValue>> {
        let said = prepared.layers.winner(&setting.name).map(|number| prepared.layers.said(number));
        let refers = said.is_some_and(|said| may_refer(&said.leaf.value));
        if refers || setting.post_processor.is_some() || prepared.has_parts(setting) {
            return None;
        }
        let value = || {
            let worked = prepared.worked(setting, References::Expanded).ok()?;
            Some(Arc::new(prepared.value(setting, worked)))
        };
        // What no file says is the same for all plugins that have the setting: there are thousands with the same extras.
        let no_file = said.is_none_or(|said| said.layer == Layer::Default && said.leaf.place.is_none());
        if no_file { setting.unwritten.get_or(value).clone() } else { value() }
    }

    /// Whether an environment works out a setting of the definition itself, although it says nothing of it.
    pub(super) fn leaves_open(&self, number: usize, adds_settings: bool) -> bool {
        match self.shared.get(number) {
            Some(Shared::Always) => false,
            Some(Shared::WithoutMore) => adds_settings,
            Some(Shared::Never) | None => true,
        }
    }
}
