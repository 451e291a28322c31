//! Why a value is what it is: every layer that has a say, in order.

use serde_json::Value;

use super::convert::Path;
use super::error::ConfigError;
use super::plugin::{Settled, Surroundings, keys_of, trace};
use super::resolve::{Everything, Inputs, settled_root, stack};
use super::suggest::did_you_mean;
use super::written::Written;
use crate::model::environment::{Effective, EffectiveValue};
use crate::model::name::EnvironmentName;
use crate::model::origin::Origin;

/// What a layer says of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Say {
    /// The value as it is written, and what it comes to; where it comes from.
    pub value: EffectiveValue,
    /// How it stands to the others.
    pub standing: Standing,
}

/// How what a layer says stands to what the others say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It wins.
    Wins,
    /// A layer above has another word.
    Beaten,
    /// It is null, which never unsets.
    FallsThrough,
}

/// Why a key has its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The key, whole: `extractors/tap-x.setting`, `warehouse.path`.
    pub key: String,
    /// The value in force; absent where nothing sets it.
    pub value: Option<EffectiveValue>,
    /// What the layers say, the strongest first.
    pub says: Vec<Say>,
}

/// What a layer has written for a key.
pub(super) struct Word {
    pub(super) written: Value,
    /// Whether it is `!unset`.
    pub(super) unset: bool,
    pub(super) origin: Origin,
}

impl Word {
    fn say(self, settled: Settled, sensitive: bool) -> Say {
        let sensitive = sensitive || settled.secret;
        let (raw, value) = if self.unset {
            (Some(Value::from("!unset")), Value::Null)
        } else {
            ((settled.value != self.written).then_some(self.written), settled.value)
        };
        let value = EffectiveValue { raw, sensitive, ..EffectiveValue::plain(value, self.origin) };
        Say { value, standing: Standing::Beaten }
    }
}

impl Explanation {
    /// Says in a sentence why the winner wins.
    pub fn why(&self) -> String {
        let layer = |say: &Say| say.value.origin.layer.as_str();
        let Some(winner) = self.says.iter().find(|say| say.standing == Standing::Wins) else {
            return if self.value.as_ref().is_some_and(|value| !value.value.is_null()) {
                "it is put together from the settings below it".to_owned()
            } else {
                "nothing sets it".to_owned()
            };
        };
        let mut why = match self.says.iter().find(|say| say.standing == Standing::Beaten) {
            None => format!("`{}` is the only layer that sets it", layer(winner)),
            Some(below) if layer(below) == layer(winner) => {
                format!("the later entry of `{}` counts", layer(winner))
            }
            Some(below) => format!("`{}` is above `{}`", layer(winner), layer(below)),
        };
        if winner.value.written() == "!unset" {
            why.push_str(" and unsets it");
        } else if winner.value.value.is_null() {
            why.push_str("; what it refers to has no value, and that hides the layers below");
        }
        why
    }
}

impl Written {
    /// Explains a key, or all keys below it.
    ///
    /// Shape: a setting may be named without the type of its plugin (`tap-x.setting`), an extra without its `_`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::UnknownKey`] if there is no such key; else as [`environment`](Self::environment).
    pub fn explain(
        &self,
        name: Option<&EnvironmentName>,
        key: &str,
        inputs: &Inputs,
    ) -> Result<Vec<Explanation>, ConfigError> {
        let everything = self.settled(name, inputs)?;
        let around = Surroundings::new(self, name.map(EnvironmentName::as_str), inputs);
        let mut found = of_plugins(&around, &everything.effective, key);
        found.extend(self.of_root(name, key, inputs, &everything));
        if found.is_empty() {
            let known = everything.effective.values().map(|(key, _)| key);
            let short =
                known.flat_map(|key| [key.split_once('/').map(|(_, short)| short.to_owned()), Some(key)]);
            let known: Vec<String> = short.flatten().collect();
            let meant = did_you_mean(key, known.iter().map(String::as_str)).map(str::to_owned);
            return Err(ConfigError::UnknownKey { key: key.to_owned(), meant });
        }
        Ok(found)
    }

    fn of_root(
        &self,
        name: Option<&EnvironmentName>,
        key: &str,
        inputs: &Inputs,
        everything: &Everything,
    ) -> Vec<Explanation> {
        let name = name.map(EnvironmentName::as_str);
        let stack = stack(self, name, inputs, &mut Vec::new());
        let around = Surroundings::new(self, name, inputs);
        let prefix = format!("{key}.");
        let mut paths: Vec<Path> = stack.paths();
        paths.retain(|path| {
            let path = path.join(".");
            path == key || path.starts_with(&prefix)
        });
        let explain = |path: &Path| {
            let key = path.join(".");
            let value = everything.effective.root.get(&key).cloned();
            let sensitive = value.as_ref().is_some_and(|value| value.sensitive);
            let says = stack.says(path).into_iter().map(|word| {
                let settled = settled_root(&word, (&key, name), &around);
                word.say(settled, sensitive)
            });
            let says = ranked(says.collect());
            Explanation { key, value, says }
        };
        paths.iter().map(explain).collect()
    }
}

fn of_plugins(around: &Surroundings<'_>, effective: &Effective, key: &str) -> Vec<Explanation> {
    let mut found = Vec::new();
    for (plugin, resolved) in &effective.plugins {
        let short = plugin.split_once('/').map_or(plugin.as_str(), |(_, name)| name);
        let rest = [plugin.as_str(), short].into_iter().find_map(|name| {
            let rest = key.strip_prefix(name)?;
            if rest.is_empty() { Some("") } else { rest.strip_prefix('.') }
        });
        let Some(rest) = rest else { continue };
        for setting in keys_of(around, plugin, rest) {
            let value = resolved.settings.get(&*setting).map(|value| (**value).clone());
            if rest.is_empty() && value.as_ref().is_none_or(|value| value.is_unset() || value.is_built_in()) {
                continue;
            }
            let Some(Ok(said)) = trace(around, plugin, &setting) else { continue };
            let sensitive = value.as_ref().is_some_and(|value| value.sensitive);
            let says = said.into_iter().map(|(word, settled)| word.say(settled, sensitive));
            let value = value.filter(|value| !value.is_unset());
            found.push(Explanation {
                key: format!("{plugin}.{setting}"),
                value,
                says: ranked(says.collect()),
            });
        }
    }
    found
}

/// Turns what was said, the weakest first, round and marks the winner.
fn ranked(mut says: Vec<Say>) -> Vec<Say> {
    says.reverse();
    let mut won = false;
    for say in &mut says {
        say.standing = match (say.value.written().is_null(), won) {
            (true, _) => Standing::FallsThrough,
            (false, true) => Standing::Beaten,
            (false, false) => Standing::Wins,
        };
        won |= say.standing == Standing::Wins;
    }
    says
}
