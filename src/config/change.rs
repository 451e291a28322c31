//! What changes between two effective configurations, with secrets masked.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::secret::{
    MASK, MIN_LENGTH, Needles, evident, is_reference, is_secret_name, mask_evident, secrets,
};
use crate::model::environment::{Effective, EffectivePlugin, EffectiveValue};
use crate::model::plan::ValueChange;

/// Labels of masked values: equal values have equal labels within one document.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    known: BTreeMap<String, usize>,
    /// Whether nothing is masked.
    open: bool,
    /// Secrets to look for in other values.
    secrets: Needles,
}

impl Labels {
    /// Begins a document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a document in which nothing is masked (`--reveal`).
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// Learns the secrets of a configuration, so that they are masked in other values too.
    pub fn learn(&mut self, effective: &Effective) {
        self.learn_all(&secrets(effective));
    }

    /// Learns secrets that are known already: see [`secrets`].
    pub fn learn_all(&mut self, secrets: &[String]) {
        let long = secrets.iter().filter(|secret| secret.chars().count() >= MIN_LENGTH);
        self.secrets.add(long.cloned());
    }

    /// Gives what stands for a secret: `•••• #1`.
    pub fn label(&mut self, secret: &str) -> String {
        let next = self.known.len() + 1;
        let number = *self.known.entry(secret.to_owned()).or_insert(next);
        format!("{MASK} #{number}")
    }

    /// Gives a value as it may be shown: masked where it is sensitive, and what is evidently a secret in it masked.
    ///
    /// Shape: a reference that has no value is shown as it is written.
    pub fn shown<'v>(&mut self, value: &'v EffectiveValue) -> Cow<'v, Value> {
        if self.open {
            return Cow::Borrowed(&value.value);
        }
        let shown = if value.value.is_null() { value.written() } else { &value.value };
        if !value.secret_parts.is_empty() {
            return Cow::Owned(self.parts(shown, &value.secret_parts));
        }
        if !value.sensitive || (value.value.is_null() && shown.as_str().is_none_or(is_reference)) {
            return if self.is_clear(shown) { Cow::Borrowed(shown) } else { Cow::Owned(self.evident(shown)) };
        }
        let text = shown.as_str().map_or_else(|| shown.to_string(), str::to_owned);
        Cow::Owned(Value::String(self.label(&text)))
    }

    /// Whether there is nothing in a value that could have to be masked.
    fn is_clear(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.secrets.is_empty() && evident(text).is_empty(),
            Value::Array(items) => items.iter().all(|item| self.is_clear(item)),
            Value::Object(fields) => {
                fields.iter().all(|(name, value)| self.is_clear(value) && !is_secret_name(name))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }

    /// Gives a value as it is written, references unexpanded: what they come to may be a secret, their names are none.
    pub fn written(&mut self, value: &EffectiveValue) -> Value {
        let names = value.raw.as_ref().and_then(Value::as_str).is_some_and(is_reference);
        let written = EffectiveValue { raw: None, value: value.written().clone(), ..value.clone() };
        self.shown(&EffectiveValue { sensitive: value.sensitive && !names, ..written }).into_owned()
    }

    /// Masks the secret parts of a mapping, flat or nested, and what else of it is known as a secret.
    fn parts(&mut self, value: &Value, parts: &[String]) -> Value {
        let mut shown = self.evident(value);
        for part in parts {
            let flat = shown.get_mut(part).is_some();
            let slot = if flat {
                shown.get_mut(part)
            } else {
                part.split('.').try_fold(&mut shown, |value, name| value.get_mut(name))
            };
            if let Some(slot) = slot.filter(|slot| !slot.is_null()) {
                let text = slot.as_str().map_or_else(|| slot.to_string(), str::to_owned);
                if !text.starts_with(MASK) {
                    *slot = Value::String(self.label(&text));
                }
            }
        }
        shown
    }

    /// Masks what stands inside of a value under a secret's name.
    fn field(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if is_secret_name(name) && !is_reference(text) => {
                Value::String(self.label(text))
            }
            Value::Number(number) if is_secret_name(name) => Value::String(self.label(&number.to_string())),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => self.evident(value),
        }
    }

    fn evident(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let text = mask_evident(text, &mut |secret| self.label(secret));
                let secrets = std::mem::take(&mut self.secrets);
                let masked = secrets.replace(&text, &mut |secret| self.label(secret)).into_owned();
                self.secrets = secrets;
                Value::String(masked)
            }
            Value::Array(items) => items.iter().map(|item| self.evident(item)).collect(),
            Value::Object(fields) => Value::Object(
                fields.iter().map(|(key, value)| (key.clone(), self.field(key, value))).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

/// Lists the values that differ, masked where they are sensitive.
///
/// Shape: ordered by key, root keys before plugins; an environment that is new or gone has only one
/// side. A value that only moved, or only comes from another layer, is no change.
pub fn changes(before: Option<&Effective>, after: Option<&Effective>, mask: &mut Labels) -> Vec<ValueChange> {
    before.into_iter().chain(after).for_each(|effective| mask.learn(effective));
    let mut differing = differing(before, after);
    differing.sort_by(|(one, _), (other, _)| (one.contains('/'), one).cmp(&(other.contains('/'), other)));
    differing.into_iter().map(|(key, sides)| change(key, sides, mask)).collect()
}

/// Something before and after; nothing for a side that has it not.
type Beside<'e, T> = [Option<&'e T>; 2];

fn beside<'e, K: Ord, T>(
    [before, after]: [impl Iterator<Item = (K, &'e T)>; 2],
) -> BTreeMap<K, Beside<'e, T>> {
    let mut both: BTreeMap<K, Beside<'_, T>> = before.map(|(key, one)| (key, [Some(one), None])).collect();
    for (key, one) in after {
        both.entry(key).or_insert([None, None])[1] = Some(one);
    }
    both
}

/// Finds what differs, by the keys that [`Effective::values`] gives.
fn differing<'e>(
    before: Option<&'e Effective>,
    after: Option<&'e Effective>,
) -> Vec<(String, Beside<'e, EffectiveValue>)> {
    let sides = [before, after];
    let roots = sides.map(|side| side.into_iter().flat_map(|side| &side.root));
    let differing = beside(roots).into_iter().filter(|(_, sides)| differs(*sides));
    let mut found: Vec<_> = differing.map(|(key, sides)| (key.clone(), sides)).collect();
    let plugins = sides.map(|side| side.into_iter().flat_map(|side| &side.plugins));
    for (name, plugins) in beside(plugins) {
        let values = plugins.map(|plugin| plugin.into_iter().flat_map(EffectivePlugin::values));
        let differing = beside(values).into_iter().filter(|(_, sides)| differs(*sides));
        found.extend(differing.map(|((mark, key), sides)| (format!("{name}{mark}{key}"), sides)));
    }
    found
}

fn differs(sides: Beside<'_, EffectiveValue>) -> bool {
    match sides {
        [Some(before), Some(after)] => before.value != after.value || before.written() != after.written(),
        // A plugin that comes or goes comes or goes with what is built in.
        [Some(only), None] | [None, Some(only)] => !only.is_built_in(),
        [None, None] => false,
    }
}

fn change(key: String, [before, after]: Beside<'_, EffectiveValue>, mask: &mut Labels) -> ValueChange {
    let (before, after) = (before.filter(|value| !value.is_unset()), after.filter(|value| !value.is_unset()));
    // Where only the reference changes, its value would look the same on both sides.
    let written = before.zip(after).is_some_and(|(before, after)| before.value == after.value);
    let hidden = before.is_some_and(|value| value.sensitive) || after.is_some_and(|value| value.sensitive);
    let mut show = |value: &EffectiveValue| {
        let mut value = value.clone();
        value.sensitive = hidden;
        if written {
            value.value = value.written().clone();
        }
        mask.shown(&value).into_owned()
    };
    let (shown_before, shown_after) = (before.map(&mut show), after.map(&mut show));
    ValueChange {
        key,
        before: shown_before,
        after: shown_after,
        origin_before: before.map(|value| value.origin.clone()),
        origin_after: after.map(|value| value.origin.clone()),
    }
}
