//! `PROMOTE_…` variables as a layer: `PROMOTE_WAREHOUSE__PATH` is `warehouse.path`.

use figment::value::{Dict, Tag, Value};

use super::convert::Content;
use super::plugin::Block;
use super::suggest::did_you_mean;
use crate::model::finding::Finding;

/// What begins the name of a variable of ours.
const PREFIX: &str = "PROMOTE_";

/// Names that are no keys.
const RESERVED: [&str; 5] = ["ENVIRONMENT", "PROJECT", "DIGEST_KEY", "CONFORMANCE", "CACHE_DIR"];

/// Keys that decide what may be promoted: only files say that.
const POLICY: [&str; 5] = ["gates", "force", "migrate", "proof", "promotion"];

/// Keys that a variable may set.
const SETTABLE: [&str; 6] = ["warehouse", "workspace", "dataset", "vars", "paths", "sources"];

/// Turns variables into a layer on top of what has merged so far.
///
/// Shape: `__` separates keys; a key is found whatever its case, and `_` stands for any character
/// that a variable's name cannot have; a value is its text. Findings name the variable.
pub(super) fn content(variables: &Block, merged: &Dict, findings: &mut Vec<Finding>) -> Content {
    let mut content = Content::default();
    for (variable, value) in variables {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        if RESERVED.contains(&name) || name.is_empty() {
            continue;
        }
        let parts: Vec<String> = name.split("__").map(str::to_lowercase).collect();
        let first = parts[0].as_str();
        if let Err(finding) = settable(variable, &parts, first) {
            findings.extend(finding);
            continue;
        }
        let path = resolve(&parts, merged);
        if find(merged, &path).is_some_and(|value| value.as_dict().is_some()) {
            findings.push(names_a_mapping(variable, &path.join(".")));
            continue;
        }
        content.variables.insert(path.clone(), variable.clone());
        if let Some(place) = &value.place {
            content.places.insert(path.clone(), place.clone());
        }
        insert(&mut content.data, &path, &value.text);
    }
    content
}

fn settable(variable: &str, parts: &[String], first: &str) -> Result<(), Option<Finding>> {
    if POLICY.contains(&first) {
        let message = format!("variable `{variable}` cannot set `{first}`: policy is set in files only");
        let hint = format!("unset it, and set `{first}` in the project file");
        return Err(Some(Finding::error("policy-variable", message).hint(hint)));
    }
    if !SETTABLE.contains(&first) {
        // A variable that is like no key may be somebody else's.
        let meant = did_you_mean(first, SETTABLE);
        return Err(meant.map(|meant| {
            let message = format!("variable `{variable}` sets no key");
            Finding::warning("unknown-variable", message)
                .hint(format!("did you mean `{PREFIX}{}`?", meant.to_uppercase()))
        }));
    }
    let deep = parts.len() > 1 && parts.iter().all(|part| !part.is_empty());
    if first == "dataset" && parts.len() > 1 {
        let message = format!("variable `{variable}` sets no key: `dataset` is a text");
        return Err(Some(Finding::error("wrong-type", message).hint(format!("set `{PREFIX}DATASET`"))));
    }
    if first != "dataset" && !deep {
        return Err(Some(names_a_mapping(variable, first)));
    }
    Ok(())
}

fn names_a_mapping(variable: &str, key: &str) -> Finding {
    Finding::error("wrong-type", format!("variable `{variable}` must name a key below `{key}`"))
        .hint(format!("for example `{PREFIX}WAREHOUSE__PATH` for `warehouse.path`"))
}

/// Finds the spelling of each key in what has merged; a new key is lower case.
fn resolve(parts: &[String], merged: &Dict) -> Vec<String> {
    let mut path = Vec::new();
    let mut level = Some(merged);
    for part in parts {
        let known = level.and_then(|level| level.keys().find(|key| spelled(key) == *part));
        let name = known.cloned().unwrap_or_else(|| part.clone());
        level = level.and_then(|level| level.get(&name)).and_then(Value::as_dict);
        path.push(name);
    }
    path
}

fn spelled(key: &str) -> String {
    key.chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' })
        .collect()
}

fn find<'a>(merged: &'a Dict, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = merged.get(first)?;
    if rest.is_empty() { Some(value) } else { find(value.as_dict()?, rest) }
}

fn insert(dict: &mut Dict, path: &[String], text: &str) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        dict.insert(first.clone(), Value::from(text));
        return;
    }
    let below = dict.entry(first.clone()).or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
    if let Value::Dict(_, below) = below {
        insert(below, rest, text);
    }
}
