//! Protected keys of the project file: the target's values stay, byte for byte where they can. Pure.

use serde_json::Value;

use crate::git::KeysKept;
use crate::model::merge::Protected;
use crate::yaml::{self, Node, edit};

/// Keeps the target's values of protected keys in the merged text.
///
/// Shape: where the merge has no such file, the target's stays as it is. Keys are paths of root keys (`default_environment`, `warehouse.path`); nothing where no value would
/// change or a text does not parse (that is somebody else's fault to report).
pub(super) fn keep_keys(keys: &[String], target: &str, merged: Option<&str>) -> Option<KeysKept> {
    let before = yaml::parse(target, "target").ok()?;
    let Some(merged) = merged else {
        let set = keys.iter().filter(|key| value(&before, &key.split('.').collect::<Vec<_>>()).is_some());
        let gone = |key: &String| Protected { path: None, key: Some(key.clone()), source_wanted: None };
        let protected: Vec<Protected> = set.map(gone).collect();
        return (!protected.is_empty()).then(|| KeysKept { text: target.to_owned(), protected });
    };
    let mut text = merged.to_owned();
    let mut protected = Vec::new();
    for key in keys {
        let after = yaml::parse(&text, "merged").ok()?;
        let parts: Vec<&str> = key.split('.').collect();
        let (own, wanted) = (value(&before, &parts), value(&after, &parts));
        if own == wanted {
            continue;
        }
        let Some(kept) = kept(&text, &after, &parts, own.as_ref()) else { continue };
        text = kept;
        protected.push(Protected {
            path: None,
            key: Some(key.clone()),
            source_wanted: wanted
                .map(|wanted| wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned)),
        });
    }
    (!protected.is_empty()).then_some(KeysKept { text, protected })
}

fn value(node: &Node, parts: &[&str]) -> Option<Value> {
    node.at(parts).map(Node::to_json)
}

fn kept(text: &str, after: &Node, parts: &[&str], own: Option<&Value>) -> Option<String> {
    let Some(own) = own else { return without_line(text, after, parts) };
    // Where the source took away what the key stands in, or made something else of it, that comes back with it alone.
    let is_there = |depth: &usize| {
        let above = parts.get(..*depth).and_then(|above| after.at(above));
        above.is_some_and(|node| !node.entries().is_empty() || node.is_null())
    };
    let depth = (0..parts.len()).rev().find(is_there)?;
    let (above, below) = parts.split_at(depth);
    let (key, below) = below.split_first()?;
    let nested = |value, key: &&str| Value::Object([((*key).to_owned(), value)].into_iter().collect());
    let value = below.iter().rev().fold(own.clone(), nested);
    let path: Vec<edit::Step<'_>> = above.iter().map(|part| edit::Step::Key(part)).collect();
    edit::set(text, "merged", &path, key, &value).ok()
}

/// Takes a key out whose value stands on its line.
fn without_line(text: &str, after: &Node, parts: &[&str]) -> Option<String> {
    let (last, above) = parts.split_last()?;
    let entry = after.at(above)?.entry(last)?;
    let start = text[..entry.key.span.start].rfind('\n').map_or(0, |end| end + 1);
    let end =
        text[entry.value.span.end..].find('\n').map_or(text.len(), |end| entry.value.span.end + end + 1);
    let alone =
        text[start..entry.key.span.start].trim().is_empty() && !text[start..end].trim_end().contains('\n');
    alone.then(|| format!("{}{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_values_stay() {
        let keys = ["default_environment".to_owned()];
        for (target, merged, text) in [
            (
                "default_environment: staging\na: 1\n",
                "a: 2\ndefault_environment: dev # here\n",
                "a: 2\ndefault_environment: staging # here\n",
            ),
            ("a: 1\n", "a: 2\ndefault_environment: dev\nb: 3\n", "a: 2\nb: 3\n"),
        ] {
            let kept = keep_keys(&keys, target, Some(merged)).unwrap();
            assert_eq!(kept.text, text);
            assert_eq!(kept.protected[0].source_wanted.as_deref(), Some("dev"));
        }
        assert_eq!(
            keep_keys(&keys, "default_environment: dev\n", Some("default_environment: dev\nb: 1\n")),
            None
        );
        let added = keep_keys(&keys, "default_environment: dev\n", Some("b: 1\n")).unwrap();
        assert!(added.text.contains("default_environment: dev"), "{}", added.text);
        let gone = keep_keys(&keys, "default_environment: dev\n", None).unwrap();
        assert_eq!(
            (gone.text.as_str(), &gone.protected[0].source_wanted),
            ("default_environment: dev\n", &None)
        );
        assert_eq!(keep_keys(&keys, "a: 1\n", None), None);
    }

    #[test]
    fn a_value_stays_when_what_it_stands_in_goes() {
        let keys = ["vars.region.code".to_owned()];
        let target = "a: 1\nvars:\n  region: {code: eu, x: 1}\n  y: 2\n";
        for merged in ["a: 2\n", "a: 2\nvars:\n", "a: 2\nvars: {z: 1}\n", "a: 2\nvars: gone\n"] {
            let kept = keep_keys(&keys, target, Some(merged)).unwrap();
            let read = yaml::parse(&kept.text, "").unwrap().to_json();
            assert_eq!(read["vars"]["region"]["code"], "eu", "{}", kept.text);
            assert_eq!((&read["a"], &read["vars"]["y"]), (&Value::from(2), &Value::Null), "{}", kept.text);
            assert_eq!(kept.protected.len(), 1);
        }
    }
}
