//! Flat keys as nested mappings: what a plugin is handed.

use serde_json::{Map, Value};

use crate::model::environment::{EffectivePlugin, EffectiveValue, Nesting, is_extra};

/// Nests by dots that no backslash escapes; what is there already is never replaced.
///
/// Shape: a key below one that is no mapping is left out; [`in_the_way`] finds those.
pub(super) fn nest_object<'a>(flat: impl IntoIterator<Item = (&'a str, Value)>, unescape: bool) -> Value {
    let mut object = Map::new();
    for (key, value) in flat {
        // As Meltano does it, nothing becomes an empty mapping here.
        let value = if value.is_null() { Value::Object(Map::new()) } else { value };
        put(&mut object, &segments(key), value, unescape);
    }
    Value::Object(object)
}

/// Splits at dots that no backslash stands before.
fn segments(key: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut start = 0;
    for (at, _) in key.match_indices('.') {
        if !key[..at].ends_with('\\') {
            segments.push(&key[start..at]);
            start = at + 1;
        }
    }
    segments.push(&key[start..]);
    segments
}

fn put(object: &mut Map<String, Value>, path: &[&str], value: Value, unescape: bool) {
    let Some((first, rest)) = path.split_first() else { return };
    let entry = object.entry(named(first, unescape));
    if rest.is_empty() {
        entry.or_insert(value);
        return;
    }
    if let Value::Object(below) = entry.or_insert_with(|| Value::Object(Map::new())) {
        put(below, rest, value, unescape);
    }
}

/// Gives a part of a key as the key of a mapping.
fn named(segment: &str, unescape: bool) -> String {
    if unescape { segment.replace("\\.", ".") } else { segment.to_owned() }
}

/// Finds a key that stands below one which is no mapping, and that one: the two cannot be nested.
pub(super) fn in_the_way<'a>(
    flat: impl IntoIterator<Item = (&'a str, &'a Value)>,
    unescape: bool,
) -> Option<(&'a str, String)> {
    let flat: Vec<(&str, &Value)> = flat.into_iter().collect();
    // Only below another key can one be in the way, and most keys stand below none.
    let nested =
        |key: &str| key.match_indices('.').any(|(at, _)| flat.iter().any(|(above, _)| *above == &key[..at]));
    if !flat.iter().any(|(key, _)| nested(key)) {
        return None;
    }
    let mut object = Map::new();
    for (key, value) in flat {
        let segments = segments(key);
        let mut level = &object;
        for (depth, segment) in segments[..segments.len() - 1].iter().enumerate() {
            match level.get(&named(segment, unescape)) {
                Some(Value::Object(below)) => level = below,
                Some(_) => {
                    let above = segments[..=depth].iter().map(|segment| named(segment, unescape));
                    return Some((key, above.collect::<Vec<_>>().join(".")));
                }
                None => break,
            }
        }
        put(&mut object, &segments, value.clone(), unescape);
    }
    None
}

/// Gives the configuration as the plugin gets it, with each value as `show` shows it.
///
/// Shape: of extractors, loaders and mappers nested, without nulls at the top and without what is there
/// nested already; of Airflow nested texts; of others the flat keys. `shown` is each setting's value as it is shown, in
/// their order.
pub fn handed_over<'a>(
    plugin: &EffectivePlugin,
    shown: impl Iterator<Item = &'a Value>,
    show: &mut dyn FnMut(&EffectiveValue) -> Value,
) -> Value {
    let settings = plugin.settings.iter().zip(shown).filter(|((name, _), _)| !is_extra(name));
    let mut values: Vec<(&str, Value)> = Vec::new();
    for ((name, value), shown) in settings {
        let shown = match plugin.processed.get(name) {
            Some(processed) => show(&EffectiveValue { value: processed.clone(), ..(**value).clone() }),
            None => shown.clone(),
        };
        values.push((name, shown));
    }
    match plugin.nesting {
        Nesting::Flat => {
            Value::Object(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        }
        Nesting::Texts => {
            nest_object(values.into_iter().map(|(name, value)| (name, python_text(&value))), true)
        }
        Nesting::Nested => {
            let values = values.into_iter().filter(|(_, value)| !value.is_null());
            let mut nested = nest_object(values, false);
            drop_dotted(&mut nested);
            nested
        }
    }
}

/// Leaves out keys with a dot, which are there nested, and turns escaped dots into dots.
fn drop_dotted(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    if !fields.keys().any(|key| key.contains('.')) {
        return fields.values_mut().for_each(drop_dotted);
    }
    let old = std::mem::take(fields);
    for (key, mut value) in old {
        if segments(&key).len() > 1 {
            continue;
        }
        drop_dotted(&mut value);
        fields.insert(key.replace("\\.", "."), value);
    }
}

fn python_text(value: &Value) -> Value {
    let text = match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    Value::String(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nests_by_dots_and_replaces_nothing() {
        let flat = [("a.b", json!(1)), ("a", json!({"c": 2})), ("s3\\.url", json!("u")), ("a.b.c", json!(3))];
        let nested = nest_object(flat.clone(), true);
        assert_eq!(nested, json!({"a": {"b": 1}, "s3.url": "u"}));
        let mut kept = nest_object([("o", json!({"x.y": 1, "x": {"y": 1}, "s\\.t": 2}))], false);
        drop_dotted(&mut kept);
        assert_eq!(kept, json!({"o": {"x": {"y": 1}, "s.t": 2}}));
    }
}
