//! Variables: who sets them, which one a plugin sees, and which of them set a setting.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::Value;

use super::super::reference::{Rules, expand};
use super::super::secret::is_secret_name;
use super::setting::Setting;
use crate::model::origin::Place;
use crate::yaml::{Kind, Node};

/// A variable's value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Variable {
    /// Its text.
    pub text: String,
    /// Where a file sets it.
    pub place: Option<Place>,
    /// Whether it holds a secret.
    pub secret: bool,
}

impl Variable {
    /// A variable that no file sets.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// Variables by name.
pub type Block = BTreeMap<String, Variable>;

/// Gives an `env` block literally.
pub(in crate::config) fn block(node: &Node) -> Block {
    let entries = node.get("env").map(Node::entries).unwrap_or_default();
    let mut block = Block::new();
    for entry in entries {
        // Python writes these with a capital.
        let text = match entry.value.value {
            Kind::Bool(true) => Some("True".to_owned()),
            Kind::Bool(false) => Some("False".to_owned()),
            Kind::Null
            | Kind::Int(_)
            | Kind::UInt(_)
            | Kind::Float(_)
            | Kind::String(_)
            | Kind::Sequence(_)
            | Kind::Mapping(_) => entry.value.text(),
        };
        if let Some(text) = text {
            let variable = Variable { text, place: Some(entry.value.place()), secret: false };
            block.insert(entry.name.to_string(), variable);
        }
    }
    block
}

/// Blocks on top of each other.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct Scope<'a> {
    /// The strongest first.
    blocks: Vec<&'a Block>,
}

impl<'a> Scope<'a> {
    /// Puts blocks on top of each other, the strongest first.
    pub(in crate::config) fn of(blocks: impl IntoIterator<Item = &'a Block>) -> Self {
        Self { blocks: blocks.into_iter().filter(|block| !block.is_empty()).collect() }
    }

    /// Puts a block below all.
    pub(in crate::config) fn below(&self, block: &'a Block) -> Self {
        let mut blocks = self.blocks.clone();
        blocks.push(block);
        Self { blocks }
    }

    /// Finds a variable.
    pub(in crate::config) fn get(&self, name: &str) -> Option<&'a Variable> {
        self.blocks.iter().find_map(|block| block.get(name))
    }

    /// Whether any variable's name begins so.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        let begins = |block: &&Block| {
            let mut names = block.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
            names.next().is_some_and(|(name, _)| name.starts_with(prefix))
        };
        self.blocks.iter().any(begins)
    }

    /// Expands the references of every text in a value, as Meltano does.
    pub(in crate::config) fn expanded(&self, value: &Value) -> Settled {
        settle(value, Rules::Meltano, &|name| self.get(name).cloned())
    }
}

/// Whether a value may hold a reference.
pub(super) fn may_refer(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('$'),
        Value::Array(items) => items.iter().any(may_refer),
        Value::Object(fields) => fields.values().any(may_refer),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value with its references expanded.
#[derive(Debug, Default)]
pub(in crate::config) struct Settled {
    /// The value.
    pub(in crate::config) value: Value,
    /// References that have no value.
    pub(in crate::config) unset: Vec<String>,
    /// Whether a reference to a secret is in it.
    pub(in crate::config) secret: bool,
}

/// Expands the references of every text in a value.
///
/// Shape: a text that becomes empty is null: by Meltano's rules always, by ours where a reference has no value.
pub(in crate::config) fn settle(
    value: &Value,
    rules: Rules,
    lookup: &dyn Fn(&str) -> Option<Variable>,
) -> Settled {
    let mut settled = Settled::default();
    settled.value = walk(value, rules, lookup, &mut settled);
    let emptied = value != &settled.value && settled.value == Value::String(String::new());
    if emptied && (rules == Rules::Meltano || !settled.unset.is_empty()) {
        settled.value = Value::Null;
    }
    settled
}

fn walk(
    value: &Value,
    rules: Rules,
    lookup: &dyn Fn(&str) -> Option<Variable>,
    settled: &mut Settled,
) -> Value {
    match value {
        Value::String(text) if text.contains('$') => {
            let secret = std::cell::Cell::new(settled.secret);
            let expanded = expand(text, rules, &|name| {
                let variable = lookup(name)?;
                secret.set(secret.get() || variable.secret);
                Some(variable.text)
            });
            settled.secret = secret.get() || expanded.used.iter().any(|name| is_secret_name(name));
            settled.unset.extend(expanded.unset);
            Value::String(expanded.text)
        }
        Value::Array(items) => items.iter().map(|item| walk(item, rules, lookup, settled)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, value)| (key.clone(), walk(value, rules, lookup, settled))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Gives the name of the variable for these parts: `tap-x`, `a.b` → `TAP_X_A_B`.
pub(super) fn variable_name(parts: &[&str]) -> String {
    let mut name = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !name.is_empty() {
            name.push('_');
        }
        name.extend(part.chars().map(|character| {
            if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' }
        }));
    }
    name
}

/// A variable that sets a setting.
pub(super) struct Setter<'a> {
    /// Its name.
    pub(super) name: String,
    /// The variable.
    pub(super) variable: &'a Variable,
    /// Whether it means the contrary.
    pub(super) negated: bool,
}

/// Finds the variables that set a setting; more than one is a conflict, also where they agree.
///
/// Shape: a prefix is as variables have it, with its line at the end: `TAP_X_`.
pub(super) fn setters<'a>(
    setting: &Setting,
    prefixes: &[String],
    custom: bool,
    scope: &Scope<'a>,
) -> Vec<Setter<'a>> {
    let mut names: Vec<(String, bool)> = Vec::new();
    let mut add = |name: String, negated: bool| {
        if !names.iter().any(|(known, _)| *known == name) {
            names.push((name, negated));
        }
    };
    for key in setting.keys() {
        for prefix in prefixes {
            add(format!("{prefix}{}", variable_name(&[key])), false);
        }
    }
    for alias in setting.env_aliases.iter().filter(|_| custom) {
        match alias.strip_prefix('!') {
            Some(name) => add(name.to_owned(), true),
            None => add(alias.clone(), false),
        }
    }
    let found = |(name, negated): (String, bool)| Some(Setter { variable: scope.get(&name)?, name, negated });
    names.into_iter().filter_map(found).collect()
}
