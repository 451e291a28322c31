//! A setting as a definition declares it, or as a key of the configuration implies it.

use std::sync::Arc;

use serde_json::Value;

use super::super::secret::is_secret_name;
use super::flat::Leaf;
use super::ground::Once;
use crate::model::environment::{EffectiveValue, is_extra};
use crate::yaml::{Kind, Node};

/// Kinds of settings, as definitions spell them.
pub(in crate::config) const KINDS: [&str; 13] = [
    "string",
    "integer",
    "boolean",
    "decimal",
    "date_iso8601",
    "email",
    "password",
    "oauth",
    "options",
    "file",
    "array",
    "object",
    "hidden",
];

/// What the kind of a setting means for its value; kinds that mean nothing for it are texts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SettingKind {
    /// No kind at all.
    None,
    /// A text: `string`, `email`, `password`, `oauth`, `file`, `hidden`.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Decimal,
    /// A date; relative ones are worked out when the plugin runs.
    Date,
    /// One of [`Setting::options`].
    Options,
    /// A list.
    Array,
    /// A mapping, put together from the settings below it.
    Object,
}

/// What is done to a value after casting, or before the plugin gets it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Processor {
    /// Dotted keys become mappings.
    NestObject,
    /// Capitals.
    UpcaseString,
    /// JSON, unless it is a text.
    Stringify,
    /// A relative date becomes an absolute one.
    ParseDate,
}

/// A setting.
#[derive(Clone, Debug)]
pub(in crate::config) struct Setting {
    /// Its name; that of an extra begins with `_`.
    pub(in crate::config) name: Arc<str>,
    /// Other names that the files may use.
    pub(super) aliases: Vec<String>,
    /// The variable that the plugin's process gets it in.
    pub(super) env: Option<String>,
    /// Variables that set it beside those named after it; `!` before one negates.
    pub(super) env_aliases: Vec<String>,
    pub(super) kind: SettingKind,
    /// Its default.
    pub(super) default: Option<Arc<Leaf>>,
    /// Whether its value is masked: by declaration, or by its name.
    pub(in crate::config) sensitive: bool,
    /// Values that it may have.
    pub(super) options: Vec<Value>,
    pub(super) processor: Option<Processor>,
    pub(super) post_processor: Option<Processor>,
    /// Whether a definition declares it.
    pub(in crate::config) declared: bool,
    /// Its value where no file and no variable says anything of it, once that was asked for.
    pub(super) unwritten: Once<Option<Arc<EffectiveValue>>>,
}

impl Setting {
    /// A setting that is only a name.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            env: None,
            env_aliases: Vec::new(),
            kind: SettingKind::None,
            default: None,
            sensitive: is_secret_name(name),
            options: Vec::new(),
            processor: None,
            post_processor: None,
            declared: false,
            unwritten: Once::default(),
        }
    }

    /// A setting that no definition declares: its kind is that of the first value seen.
    pub(super) fn implied(name: &str, value: &Value) -> Arc<Self> {
        let kind = match value {
            Value::Bool(_) => SettingKind::Boolean,
            Value::Number(number) if number.is_f64() => SettingKind::Decimal,
            Value::Number(_) => SettingKind::Integer,
            Value::Object(_) => SettingKind::Object,
            Value::Array(_) => SettingKind::Array,
            Value::Null | Value::String(_) => SettingKind::None,
        };
        Arc::new(Self { kind, ..Self::named(name) })
    }

    /// Reads an entry of a definition's `settings`; nothing where it has no name.
    pub(super) fn read(node: &Node) -> Option<Arc<Self>> {
        let text = |key: &str| node.get(key).and_then(Node::text);
        let texts = |key: &str| {
            node.get(key).map(Node::items).unwrap_or_default().iter().filter_map(Node::text).collect()
        };
        let truthy = |key: &str| node.get(key).is_some_and(|flag| flag.value == Kind::Bool(true));
        let name = text("name")?;
        let kind = text("kind");
        let default = node.get("value").filter(|value| !value.is_null());
        let options = node.get("options").map(Node::items).unwrap_or_default();
        Some(Arc::new(Self {
            name: name.as_str().into(),
            aliases: texts("aliases"),
            env: text("env"),
            env_aliases: texts("env_aliases"),
            kind: kind_of(kind.as_deref()),
            default: default.map(|value| Arc::new(Leaf::written(value))),
            sensitive: truthy("sensitive")
                || matches!(kind.as_deref(), Some("password" | "oauth"))
                || is_secret_name(&name),
            options: options.iter().filter_map(|option| Some(option.get("value")?.to_json())).collect(),
            processor: text("value_processor").as_deref().and_then(processor),
            post_processor: text("value_post_processor").as_deref().and_then(processor),
            declared: true,
            unwritten: Once::default(),
        }))
    }

    /// Whether it is an extra of the plugin rather than a setting.
    pub(super) fn is_extra(&self) -> bool {
        is_extra(&self.name)
    }

    /// Gives the names that files may use for it.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.aliases.iter().map(String::as_str))
    }
}

fn kind_of(kind: Option<&str>) -> SettingKind {
    match kind {
        None => SettingKind::None,
        Some("integer") => SettingKind::Integer,
        Some("boolean") => SettingKind::Boolean,
        Some("decimal") => SettingKind::Decimal,
        Some("date_iso8601") => SettingKind::Date,
        Some("options") => SettingKind::Options,
        Some("array") => SettingKind::Array,
        Some("object") => SettingKind::Object,
        Some(_) => SettingKind::Text,
    }
}

fn processor(name: &str) -> Option<Processor> {
    match name {
        "nest_object" => Some(Processor::NestObject),
        "upcase_string" => Some(Processor::UpcaseString),
        "stringify" => Some(Processor::Stringify),
        "parse_date" => Some(Processor::ParseDate),
        _ => None,
    }
}
