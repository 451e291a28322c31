//! Casting by kind, and the processors of values.

use serde_json::{Map, Number, Value};

use super::literal::literal;
use super::nest::{in_the_way, nest_object};
use super::setting::{Processor, Setting, SettingKind};

/// Words that mean true; every other text is false.
const TRUTHY: [&str; 4] = ["true", "1", "yes", "on"];

/// Whether a text means true.
pub(super) fn truthy(text: &str) -> bool {
    TRUTHY.contains(&text.to_lowercase().as_str())
}

/// Casts a value by its setting's kind; only texts are cast.
///
/// Pure: the error says what was wanted, and quotes nothing of the value: it may be a secret.
pub(super) fn cast(setting: &Setting, value: Value) -> Result<Value, String> {
    let value = match (&value, setting.kind) {
        (Value::String(text), SettingKind::Boolean) => return Ok(Value::Bool(truthy(text))),
        (Value::String(text), SettingKind::Integer) => {
            return integer(text).ok_or_else(|| wanted("a whole number"));
        }
        (Value::String(text), SettingKind::Decimal) => {
            return decimal(text).ok_or_else(|| wanted("a number"));
        }
        (Value::String(text), SettingKind::Object) => {
            parsed(text).filter(Value::is_object).ok_or_else(|| wanted("a mapping in JSON"))?
        }
        (Value::String(text), SettingKind::Array) => list(text).ok_or_else(|| wanted("a list in JSON"))?,
        _ => value,
    };
    if setting.kind == SettingKind::Options && !value.is_null() && !setting.options.contains(&value) {
        let options: Vec<String> = setting.options.iter().map(plain).collect();
        return Err(format!("must be one of {}", options.join(", ")));
    }
    match setting.processor {
        Some(Processor::NestObject)
            if value.as_object().is_some_and(|fields| {
                in_the_way(fields.iter().map(|(key, value)| (key.as_str(), value)), true).is_some()
            }) =>
        {
            Err("must not have a key below one that is no mapping".to_owned())
        }
        Some(processor) if !value.is_null() => Ok(process(processor, value)),
        _ => Ok(value),
    }
}

fn wanted(what: &str) -> String {
    format!("must be {what}")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| format!("`{text}`"))
}

/// Gives the value that the plugin is handed, where that is another.
pub(super) fn post_processed(setting: &Setting, value: &Value) -> Option<Value> {
    // A relative date is worked out against the clock when the plugin runs; here it stays as it is.
    setting
        .post_processor
        .filter(|processor| *processor != Processor::ParseDate && !value.is_null())
        .map(|processor| process(processor, value.clone()))
}

fn process(processor: Processor, value: Value) -> Value {
    match (processor, value) {
        (Processor::NestObject, Value::Object(fields)) => {
            nest_object(fields.iter().map(|(key, value)| (key.as_str(), value.clone())), true)
        }
        (Processor::UpcaseString, Value::String(text)) => Value::String(text.to_uppercase()),
        (
            Processor::Stringify,
            value @ (Value::Array(_) | Value::Object(_) | Value::Number(_) | Value::Bool(_)),
        ) => Value::String(python_json(&value)),
        (
            Processor::NestObject | Processor::UpcaseString | Processor::Stringify | Processor::ParseDate,
            value,
        ) => value,
    }
}

/// Reads a whole number as Python's `int` does: blanks around it and `_` between digits are fine.
fn integer(text: &str) -> Option<Value> {
    let digits = digits(text)?;
    if let Ok(number) = digits.parse::<i64>() {
        return Some(Value::from(number));
    }
    digits.parse::<u64>().ok().map(Value::from)
}

/// Reads a number as Python's `Decimal` does; what JSON has no number for stays a text.
fn decimal(text: &str) -> Option<Value> {
    let digits = digits(text)?;
    let named = digits.trim_start_matches(['+', '-']).to_lowercase();
    if matches!(named.as_str(), "nan" | "snan" | "inf" | "infinity") {
        return Some(Value::String(digits));
    }
    let sound = named.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let number = digits.parse::<f64>().ok().filter(|number| sound && number.is_finite())?;
    if let Ok(whole) = digits.parse::<i64>() {
        return Some(Value::from(whole));
    }
    Number::from_f64(number).map(Value::Number)
}

/// Gives a number's text without blanks around it and without `_` between digits.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let misplaced = text.starts_with('_') || text.ends_with('_') || text.contains("__") || text.is_empty();
    (!misplaced).then(|| text.replace('_', ""))
}

/// Reads JSON, else a Python literal.
fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| literal(text))
}

/// Reads a list; a text is one, too: that of its characters.
fn list(text: &str) -> Option<Value> {
    match parsed(text)? {
        list @ Value::Array(_) => Some(list),
        Value::String(text) => {
            Some(text.chars().map(|character| Value::from(character.to_string())).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// Gives a value as a variable holds it for the plugin's process.
pub(super) fn stringified(setting: &Setting, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) if matches!(setting.kind, SettingKind::None) => {
            if *flag {
                "True".to_owned()
            } else {
                "False".to_owned()
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            python_json(value)
        }
    }
}

/// Writes JSON with the blanks that Python puts in.
pub(super) fn python_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(python_json).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => python_fields(fields),
        Value::String(text) => ascii(&Value::from(text.as_str()).to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn python_fields(fields: &Map<String, Value>) -> String {
    let field = |(key, value): (&String, &Value)| {
        format!("{}: {}", ascii(&Value::from(key.as_str()).to_string()), python_json(value))
    };
    format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
}

/// Escapes what is not ASCII, as Python does.
fn ascii(json: &str) -> String {
    let mut out = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
            continue;
        }
        let mut units = [0; 2];
        out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn setting(kind: SettingKind) -> Setting {
        Setting { kind, ..Setting::named("x") }
    }

    #[test]
    fn casts_texts_by_kind_and_nothing_else() {
        use SettingKind as Kind;
        for (kind, given, cast_to) in [
            (Kind::Boolean, json!("YES"), Some(json!(true))),
            (Kind::Boolean, json!("nope"), Some(json!(false))),
            (Kind::Boolean, json!(1), Some(json!(1))),
            (Kind::Integer, json!(" 1_0 "), Some(json!(10))),
            (Kind::Integer, json!("1.5"), None),
            (Kind::Integer, json!(1.5), Some(json!(1.5))),
            (Kind::Decimal, json!("0.5"), Some(json!(0.5))),
            (Kind::Decimal, json!("2"), Some(json!(2))),
            (Kind::Decimal, json!("x"), None),
            (Kind::Decimal, json!("NaN"), Some(json!("NaN"))),
            (Kind::Array, json!("[1, 'a']"), Some(json!([1, "a"]))),
            (Kind::Array, json!("{}"), None),
            (Kind::Array, json!("\"ab\""), Some(json!(["a", "b"]))),
            (Kind::Object, json!("{\"a\": 1}"), Some(json!({"a": 1}))),
            (Kind::Object, json!("[]"), None),
            (Kind::None, json!("1"), Some(json!("1"))),
            (Kind::Text, json!(1), Some(json!(1))),
        ] {
            assert_eq!(cast(&setting(kind), given.clone()).ok(), cast_to, "{kind:?} {given}");
        }
    }

    #[test]
    fn options_are_checked_and_processors_run() {
        let choice = Setting { options: vec![json!("a"), json!(2)], ..setting(SettingKind::Options) };
        assert_eq!(cast(&choice, json!("a")), Ok(json!("a")));
        assert_eq!(cast(&choice, json!("b")), Err("must be one of `a`, 2".to_owned()));
        assert_eq!(cast(&choice, Value::Null), Ok(Value::Null));
        let upper = Setting { processor: Some(Processor::UpcaseString), ..setting(SettingKind::None) };
        assert_eq!(cast(&upper, json!("ab")), Ok(json!("AB")));
        let text = Setting { post_processor: Some(Processor::Stringify), ..setting(SettingKind::None) };
        assert_eq!(post_processed(&text, &json!({"k": [1, "é"]})), Some(json!("{\"k\": [1, \"\\u00e9\"]}")));
    }
}
