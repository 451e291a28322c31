//! An environment's effective configuration: what `config show` prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::label::Sign;
use super::section::{place, shown};
use super::view::{Item, Section, View};
use crate::model::origin::Origin;

/// An effective configuration that is ready to be shown: masked, unless it is to be revealed.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownConfiguration {
    /// The environment; absent: the project without one.
    pub environment: Option<String>,
    /// Why that one: `--environment`, `default_environment of project.yml`.
    pub why: String,
    /// What was read: `the working tree`, `branch main at 3f2c1ab`; may be empty.
    pub read: String,
    /// The values, in order.
    pub values: Vec<ShownValue>,
}

/// A value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownValue {
    /// `TYPE/NAME.setting`, or a root key's path.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// The `result` of `config show`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigurationResult {
    /// The environment, or null.
    pub environment: Option<String>,
    /// Why that one.
    pub why: String,
    /// Root keys, nested; named lists by name.
    pub project: Map<String, Value>,
    /// Root keys' origins by path.
    pub project_origins: BTreeMap<String, Origin>,
    /// Plugins by `TYPE/NAME`.
    pub plugins: BTreeMap<String, PluginResult>,
}

/// A plugin's effective settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginResult {
    /// Setting → value.
    pub config: BTreeMap<String, Value>,
    /// Setting → the layer that it comes from.
    pub sources: BTreeMap<String, String>,
    /// Setting → origin.
    pub origins: BTreeMap<String, Origin>,
}

/// Splits `TYPE/NAME.setting`; a root key has no slash in its first part.
fn plugin_setting(key: &str) -> Option<(&str, &str)> {
    let slash = key.find('/')?;
    let first_dot = key.find('.')?;
    let dot = slash + key.get(slash..)?.find('.')?;
    (slash < first_dot).then(|| (&key[..dot], &key[dot + 1..]))
}

/// Gives the JSON form.
pub fn configuration_result(shown: &ShownConfiguration) -> ConfigurationResult {
    let mut result = ConfigurationResult {
        environment: shown.environment.clone(),
        why: shown.why.clone(),
        project: Map::new(),
        project_origins: BTreeMap::new(),
        plugins: BTreeMap::new(),
    };
    for value in &shown.values {
        if let Some((plugin, setting)) = plugin_setting(&value.key) {
            let plugin = result.plugins.entry(plugin.to_owned()).or_default();
            plugin.config.insert(setting.to_owned(), value.value.clone());
            plugin.sources.insert(setting.to_owned(), value.origin.layer.as_str().to_owned());
            plugin.origins.insert(setting.to_owned(), value.origin.clone());
        } else {
            nest(&mut result.project, &value.key, value.value.clone());
            result.project_origins.insert(value.key.clone(), value.origin.clone());
        }
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
pub fn configuration_view(shown: &ShownConfiguration) -> View {
    let mut view = View::titled(match &shown.environment {
        Some(environment) => format!("Configuration of {environment}"),
        None => "Configuration without an environment".to_owned(),
    });
    view.fact("chosen by", shown.why.as_str());
    view.fact("read", shown.read.as_str());
    let mut root = Vec::new();
    let mut plugins: BTreeMap<&str, Vec<Item>> = BTreeMap::new();
    for value in &shown.values {
        match plugin_setting(&value.key) {
            Some((plugin, setting)) => plugins.entry(plugin).or_default().push(value_item(setting, value)),
            None => root.push(value_item(&value.key, value)),
        }
    }
    view.add(Section::new("Project").items(root));
    for (plugin, items) in plugins {
        view.add(Section::new(plugin).items(items));
    }
    view
}

fn value_item(name: &str, value: &ShownValue) -> Item {
    Item::new(Sign::None, [name.to_owned(), shown(&value.value), place(&value.origin)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::{Layer, Place};
    use crate::report::{Color, terminal};

    fn example() -> ShownConfiguration {
        let value = |key: &str, value: Value, origin| ShownValue { key: key.to_owned(), value, origin };
        let at = |layer, line| Origin::in_file(layer, &Place::at("project.yml", line, 12));
        ShownConfiguration {
            environment: Some("prod".to_owned()),
            why: "--environment".to_owned(),
            read: "the working tree".to_owned(),
            values: vec![
                value("dataset", Value::from("analytics"), at(Layer::Base, 4)),
                value("vars.lookback_days", Value::from(3), Origin::of(Layer::Default)),
                value(
                    "extractors/tap-auth0.client_secret",
                    Value::from("•••• #1"),
                    at(Layer::Environment, 20),
                ),
            ],
        }
    }

    #[test]
    fn shows_each_value_with_its_place() {
        assert_eq!(
            terminal(&configuration_view(&example()), Color::Off),
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
        let result = configuration_result(&example());
        assert_eq!(
            Value::Object(result.project),
            serde_json::json!({"dataset": "analytics", "vars": {"lookback_days": 3}})
        );
        assert_eq!(result.plugins["extractors/tap-auth0"].sources["client_secret"], "environment");
    }
}
