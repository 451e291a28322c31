//! An environment's effective configuration: what `config show` prints.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::label::Sign;
use super::section::{place, shown};
use super::view::{Item, Section, View};
use crate::model::environment::is_extra;
use crate::model::finding::Finding;
use crate::model::origin::{Layer, Origin};

/// An effective configuration that is ready to be shown: masked, unless it is to be revealed.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownConfiguration<'a> {
    /// The environment; absent: the project without one.
    pub environment: Option<String>,
    /// Why that one: `--environment`, `default_environment of project.yml`.
    pub why: String,
    /// What was read: `the working tree`, `branch main at 3f2c1ab`; may be empty.
    pub read: String,
    /// Root keys, in order.
    pub root: Vec<ShownValue>,
    /// Plugins by `TYPE/NAME`.
    pub plugins: BTreeMap<String, PluginResult<'a>>,
}

/// A root key's value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownValue {
    /// Its path.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// The `result` of `config show`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConfigurationResult<'a> {
    /// The environment, or null.
    pub environment: Option<String>,
    /// Why that one.
    pub why: String,
    /// Root keys, nested; named lists by name.
    pub project: Map<String, Value>,
    /// Root keys' origins by path.
    pub project_origins: BTreeMap<String, Origin>,
    /// Plugins by `TYPE/NAME`; a mapping of a mapper is `mappers/NAME#MAPPING`.
    pub plugins: BTreeMap<String, PluginResult<'a>>,
}

/// The `result` of `config show --all-environments`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConfigurationsResult<'a> {
    /// Environments by name.
    pub environments: BTreeMap<String, ConfigurationResult<'a>>,
}

/// A plugin's configuration, or why it cannot be resolved.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PluginResult<'a> {
    /// Why it cannot be resolved.
    Error {
        /// Why.
        error: Finding,
    },
    /// What it comes to.
    Resolved(Box<PluginConfiguration<'a>>),
}

/// A mapping that is written once and then only read, ordered by key: building trees of thousands of small ones would
/// take longer than writing them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sorted<'a, T>(Vec<(&'a str, T)>);

impl<'a, T> Sorted<'a, T> {
    /// Takes pairs that are in the order of their keys, no key twice.
    pub fn of(pairs: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    fn get(&self, key: &str) -> Option<&T> {
        self.0.binary_search_by_key(&key, |(key, _)| key).ok().map(|place| &self.0[place].1)
    }
}

impl<T> Default for Sorted<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Serialize> Serialize for Sorted<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// A value as it is shown: that of the configuration, unless something is masked in it.
pub type Shown<'a> = Cow<'a, Value>;

/// A plugin's effective configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct PluginConfiguration<'a> {
    /// Setting → value; null where unset.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub config: Sorted<'a, Shown<'a>>,
    /// Setting → the layer that it comes from; `default` where unset.
    #[schemars(with = "BTreeMap<String, Layer>")]
    pub sources: Sorted<'a, Layer>,
    /// Setting or extra → origin, where it is set.
    #[schemars(with = "BTreeMap<String, Origin>")]
    pub origins: Sorted<'a, &'a Origin>,
    /// What the plugin is handed.
    pub processed: Value,
    /// Extra → value; null where unset.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub extras: Sorted<'a, Shown<'a>>,
    /// Extra → the layer that it comes from; `default` where unset.
    #[schemars(with = "BTreeMap<String, Layer>")]
    pub extras_sources: Sorted<'a, Layer>,
    /// Variables of the plugin's process, as far as `env` blocks name them.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub env: Sorted<'a, Shown<'a>>,
    /// Their origins; absent for what is a setting's value.
    #[schemars(with = "BTreeMap<String, Origin>")]
    pub env_origins: Sorted<'a, &'a Origin>,
    /// What runs: `pip_url`, `variant` and the like, as far as the project says it.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub attributes: Sorted<'a, Shown<'a>>,
}

/// Gives the JSON form.
pub fn configuration_result(shown: ShownConfiguration<'_>) -> ConfigurationResult<'_> {
    let mut result = ConfigurationResult {
        environment: shown.environment,
        why: shown.why,
        project: Map::new(),
        project_origins: BTreeMap::new(),
        plugins: shown.plugins,
    };
    for value in shown.root {
        nest(&mut result.project, &value.key, value.value);
        result.project_origins.insert(value.key, value.origin);
    }
    result
}

/// Puts a value at a path; where a part of the path is taken by a plain value, the rest stays one key.
fn nest(into: &mut Map<String, Value>, path: &str, value: Value) {
    if let Some((first, rest)) = path.split_once('.') {
        let entry = into.entry(first).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(inner) = entry {
            return nest(inner, rest, value);
        }
    }
    into.insert(path.to_owned(), value);
}

/// Shows an effective configuration: root keys, then each plugin, every value with its place.
pub fn configuration_view(shown: &ShownConfiguration<'_>) -> View {
    let mut view = View::titled(match &shown.environment {
        Some(environment) => format!("Configuration of {environment}"),
        None => "Configuration without an environment".to_owned(),
    });
    view.fact("chosen by", shown.why.as_str());
    view.fact("read", shown.read.as_str());
    for section in sections(shown) {
        view.add(section);
    }
    view
}

/// Adds an environment's configuration to a view of several.
pub fn add_configuration(view: &mut View, shown: &ShownConfiguration<'_>) {
    for mut section in sections(shown) {
        section.title = format!("{} · {}", shown.environment.as_deref().unwrap_or("(none)"), section.title);
        view.add(section);
    }
}

fn sections(shown: &ShownConfiguration<'_>) -> Vec<Section> {
    let root = shown.root.iter().map(|value| item(&value.key, &value.value, &value.origin));
    let plugins = shown.plugins.iter().map(|(name, plugin)| plugin_section(name, plugin));
    std::iter::once(Section::new("Project").items(root)).chain(plugins).collect()
}

/// Shows a plugin: what runs, its settings, its extras but for those that are built in.
fn plugin_section(name: &str, plugin: &PluginResult<'_>) -> Section {
    let plugin = match plugin {
        PluginResult::Resolved(plugin) => plugin,
        PluginResult::Error { error } => {
            let place = error.place.as_ref().map(ToString::to_string).unwrap_or_default();
            let item = Item::new(Sign::Danger, ["error".to_owned(), error.message.clone(), place]);
            return Section::risk(name).items([item.prose("hint", error.hint.clone())]);
        }
    };
    let mut items = Vec::new();
    for (key, value) in plugin.config.0.iter().chain(&plugin.extras.0) {
        let Some(origin) = plugin.origins.get(key) else { continue };
        if !(is_extra(key) && origin.layer == Layer::Default && origin.file.is_none()) {
            items.push(item(key, value, origin));
        }
    }
    for (key, value) in &plugin.env.0 {
        let origin = plugin.env_origins.get(key);
        // What the root's and the environment's `env` say is shown once, above.
        if let Some(origin) = origin.filter(|origin| origin.layer != Layer::Env) {
            items.push(item(&format!("env.{key}"), value, origin));
        }
    }
    if items.is_empty() {
        return Section::new(name).note("nothing is set");
    }
    Section::new(name).items(items)
}

fn item(name: &str, value: &Value, origin: &Origin) -> Item {
    Item::new(Sign::None, [name.to_owned(), shown(value), place(origin)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::{Layer, Place};
    use crate::report::{Color, terminal};

    fn at(layer: Layer, line: u32) -> Origin {
        Origin::in_file(layer, &Place::at("project.yml", line, 12))
    }

    fn example(secret: &Origin) -> ShownConfiguration<'_> {
        let value = |key: &str, value: Value, origin| ShownValue { key: key.to_owned(), value, origin };
        let masked = Cow::Owned(Value::from("•••• #1"));
        let plugin = PluginConfiguration {
            config: Sorted::of([("client_secret", masked), ("url", Cow::Owned(Value::Null))]),
            sources: Sorted::of([("client_secret", Layer::Environment), ("url", Layer::Default)]),
            origins: Sorted::of([("client_secret", secret)]),
            ..PluginConfiguration::default()
        };
        ShownConfiguration {
            environment: Some("prod".to_owned()),
            why: "--environment".to_owned(),
            read: "the working tree".to_owned(),
            root: vec![
                value("dataset", Value::from("analytics"), at(Layer::Base, 4)),
                value("vars.lookback_days", Value::from(3), Origin::of(Layer::Default)),
            ],
            plugins: [("extractors/tap-auth0".to_owned(), PluginResult::Resolved(Box::new(plugin)))].into(),
        }
    }

    #[test]
    fn shows_each_value_with_its_place() {
        assert_eq!(
            terminal(&configuration_view(&example(&at(Layer::Environment, 20))), Color::Off),
            "\
Configuration of prod

  chosen by  --environment
  read       the working tree

Project
    dataset             analytics  project.yml:4:12 (base)
    vars.lookback_days  3          default

extractors/tap-auth0
    client_secret  •••• #1  project.yml:20:12 (environment)
"
        );
    }

    #[test]
    fn nests_root_keys_and_groups_plugins() {
        let secret = at(Layer::Environment, 20);
        let result = configuration_result(example(&secret));
        assert_eq!(
            Value::Object(result.project),
            serde_json::json!({"dataset": "analytics", "vars": {"lookback_days": 3}})
        );
        let plugin = serde_json::to_value(&result.plugins["extractors/tap-auth0"]).unwrap();
        assert_eq!(plugin["sources"]["client_secret"], "environment");
    }
}
