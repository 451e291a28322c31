//! What references see, and values with their references expanded.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reference::{Rules, expand};
use super::secret::is_secret_name;
use crate::yaml::Node;

/// The variables that references of an environment see.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// `.env`, then the process, then the root's `env`, then what Meltano sets.
    base: BTreeMap<String, String>,
    /// The environment's `env`, expanded once.
    environment: BTreeMap<String, String>,
}

/// What an environment's scope is made of.
pub(super) struct Sources<'a> {
    /// `.env`.
    pub(super) dotenv: &'a BTreeMap<String, String>,
    /// The process.
    pub(super) process: &'a BTreeMap<String, String>,
    /// The root of the project file.
    pub(super) root: &'a Node,
    /// The environment with those it inherits from, itself last.
    pub(super) chain: &'a [&'a Node],
    /// What Meltano sets: `MELTANO_ENVIRONMENT` and the like.
    pub(super) meltano: BTreeMap<String, String>,
}

impl Scope {
    /// Builds the scope of an environment.
    pub(super) fn of(sources: Sources<'_>) -> Self {
        let mut visible = sources.process.clone();
        visible.extend(block(sources.root));
        visible.extend(sources.meltano);
        let mut environment = BTreeMap::new();
        for node in sources.chain {
            for (name, text) in block(node) {
                let value = expand(&text, Rules::Meltano, &|name| visible.get(name).cloned()).text;
                environment.insert(name, value);
            }
        }
        let mut base = sources.dotenv.clone();
        base.extend(visible);
        Self { base, environment }
    }

    /// Looks a name up for our own keys.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.environment.get(name).or_else(|| self.base.get(name)).cloned()
    }

    /// Gives the scope of a plugin: its own names and `env` below the environment's, the environment's entry for it above.
    pub(super) fn of_plugin(&self, own: BTreeMap<String, String>, overlay: BTreeMap<String, String>) -> Self {
        let mut inner = self.clone();
        inner.base.extend(own);
        inner.environment.extend(overlay);
        inner
    }
}

/// Gives an `env` block literally.
pub(super) fn block(node: &Node) -> BTreeMap<String, String> {
    let entries = node.get("env").map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.name.to_string(), entry.value.text()?))).collect()
}

/// A value with its references expanded.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The value.
    pub(super) value: Value,
    /// References that have no value.
    pub(super) unset: Vec<String>,
    /// Whether a reference named like a secret is in it.
    pub(super) secret: bool,
}

/// Expands the references of every text in a value.
pub(super) fn settle(value: &Value, rules: Rules, scope: &Scope) -> Settled {
    let mut settled = Settled::default();
    settled.value = walk(value, rules, scope, &mut settled);
    let emptied = value != &settled.value && settled.value == Value::String(String::new());
    if emptied && (rules == Rules::Meltano || !settled.unset.is_empty()) {
        settled.value = Value::Null;
    }
    settled
}

fn walk(value: &Value, rules: Rules, scope: &Scope, settled: &mut Settled) -> Value {
    match value {
        Value::String(text) if text.contains('$') => {
            let expanded = expand(text, rules, &|name| scope.get(name));
            settled.secret |= expanded.used.iter().any(|name| is_secret_name(name));
            settled.unset.extend(expanded.unset);
            Value::String(expanded.text)
        }
        Value::Array(items) => items.iter().map(|item| walk(item, rules, scope, settled)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, value)| (key.clone(), walk(value, rules, scope, settled))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
