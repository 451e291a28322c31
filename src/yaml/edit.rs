//! Edits of a YAML text that touch no byte but those of the value in question.
//!
//! In: a text, a path and a value. Out: the new text, or an error that says why it has to be done by
//! hand. Every edit is read again: the value must be there and all else must be as it was, so an
//! edit either is exact or does not happen.

use serde_json::Value;

pub use super::list::{append, copy, remove};

use super::error::YamlError;
use super::node::{Kind, Node};
use super::parse::parse;
use super::print::to_text;

/// One step of a path through a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step<'a> {
    /// A key of a mapping.
    Key(&'a str),
    /// The item of a list whose `name` is this one.
    Named(&'a str),
    /// The item of a list at this position, from 0.
    Index(usize),
}

/// Replaces the value at a path.
///
/// # Errors
///
/// [`YamlError`] if the text is not sound, nothing is at the path, or the value there has a tag or
/// came by an alias or merge key, where an edit would change other values too.
pub fn replace(text: &str, file: &str, path: &[Step<'_>], value: &Value) -> Result<String, YamlError> {
    let root = parse(text, file)?;
    let node = find(&root, path)?;
    editable(node)?;
    let written = flow(value);
    let space = match &node.value {
        _ if node.span.is_empty() && node.span.start > 0 => " ",
        // A list may stand as far left as its key; nothing else may.
        Kind::Sequence(_) if !is_flow(text, node) => "  ",
        Kind::Null
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::UInt(_)
        | Kind::Float(_)
        | Kind::String(_)
        | Kind::Sequence(_)
        | Kind::Mapping(_) => "",
    };
    let mut edited = text.to_owned();
    let block_end = text[node.span.clone()].ends_with('\n');
    let newline = if block_end { line_end(text) } else { "" };
    edited.replace_range(node.span.clone(), &format!("{space}{written}{newline}"));
    let mut wanted = root.to_json();
    if let Some(slot) = slot(&mut wanted, path) {
        *slot = value.clone();
    }
    checked(edited, file, &wanted, node)
}

/// Sets a key of the mapping at a path: replaces its value, or inserts it behind the last key.
///
/// # Errors
///
/// [`YamlError`] as for [`replace`], and if there is no mapping at the path.
pub fn set(text: &str, file: &str, path: &[Step<'_>], key: &str, value: &Value) -> Result<String, YamlError> {
    let root = parse(text, file)?;
    let node = find(&root, path)?;
    editable(node)?;
    if node.entry(key).is_some_and(|entry| !entry.merged) {
        let longer: Vec<Step<'_>> = path.iter().copied().chain([Step::Key(key)]).collect();
        return replace(text, file, &longer, value);
    }
    let mut wanted = root.to_json();
    let Some(Value::Object(object)) = slot(&mut wanted, path) else {
        if node.value == Kind::Null {
            let object = Value::Object([(key.to_owned(), value.clone())].into_iter().collect());
            return replace(text, file, path, &object);
        }
        return Err(YamlError::new(
            node.place(),
            format!("`{key}` needs a mapping, found {}", node.describe()),
        ));
    };
    object.insert(key.to_owned(), value.clone());
    let own: Vec<_> = node.entries().iter().filter(|entry| !entry.merged).collect();
    let pair = format!("{}: {}", flow(&Value::from(key)), flow(value));
    let edited = match own.last() {
        Some(last) if !is_flow(text, node) => {
            let lines = block(&Value::Object([(key.to_owned(), value.clone())].into_iter().collect()));
            insert_lines(text, end_of(&last.value), own[0].key.span.start, &lines)
        }
        Some(last) => insert_at(text, end_of(&last.value), &format!(", {pair}")),
        None if is_flow(text, node) => insert_at(text, node.span.end - 1, &pair),
        None => return Err(by_hand(node)),
    };
    checked(edited, file, &wanted, node)
}

pub(super) fn find<'a>(root: &'a Node, path: &[Step<'_>]) -> Result<&'a Node, YamlError> {
    path.iter().try_fold(root, |node, step| {
        let (next, what) = match step {
            Step::Key(key) => (node.get(key), format!("the key `{key}`")),
            Step::Named(name) => (node.named(name), format!("an item named `{name}`")),
            Step::Index(index) => (node.items().get(*index), format!("item {index}")),
        };
        next.ok_or_else(|| YamlError::new(node.place(), format!("there is not {what}")))
    })
}

pub(super) fn slot<'a>(root: &'a mut Value, path: &[Step<'_>]) -> Option<&'a mut Value> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get_mut(*key),
        Step::Index(index) => value.get_mut(*index),
        Step::Named(name) => {
            value.as_array_mut()?.iter_mut().find(|item| item.get("name") == Some(&Value::from(*name)))
        }
    })
}

pub(super) fn editable(node: &Node) -> Result<(), YamlError> {
    let why = if node.alias.is_some() {
        "an alias"
    } else if node.tag.is_some() {
        "a tag"
    } else {
        return Ok(());
    };
    Err(YamlError::new(node.place(), format!("the value has {why}; it is left alone"))
        .hint("edit it by hand"))
}

pub(super) fn end_of(node: &Node) -> usize {
    node.alias.as_ref().map_or(node.span.end, |alias| alias.end)
}

pub(super) fn is_flow(text: &str, node: &Node) -> bool {
    // An anchor or tag may stand before it.
    let mut written = &text[node.span.clone()];
    while written.starts_with(['&', '!']) {
        let word = written.find([' ', '\t', '\r', '\n']).unwrap_or(written.len());
        written = written[word..].trim_start();
    }
    written.starts_with(['{', '['])
}

/// Writes a value on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(_) => {
            let text = to_text(value);
            let text = text.trim_end_matches('\n');
            let plain = super::scalar::plain(text) == Kind::String(text.to_owned());
            let risky = text.contains(['\n', ',', '[', ']', '{', '}', '#', ':', '"', '\'']);
            if plain && !risky { text.to_owned() } else { value.to_string() }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let pairs =
                fields.iter().map(|(key, value)| format!("{}: {}", flow(&Value::from(&**key)), flow(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

pub(super) fn block(value: &Value) -> Vec<String> {
    to_text(value).lines().map(str::to_owned).collect()
}

pub(super) fn line_end(text: &str) -> &'static str {
    if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) { "\r\n" } else { "\n" }
}

pub(super) fn insert_at(text: &str, at: usize, what: &str) -> String {
    format!("{}{what}{}", &text[..at], &text[at..])
}

/// Inserts lines below the line in which `after` lies, indented as the line of `like` is.
fn insert_lines(text: &str, after: usize, like: usize, lines: &[String]) -> String {
    let end = line_end(text);
    let line_start = text[..like].rfind('\n').map_or(0, |at| at + 1);
    let indent = " ".repeat(text[line_start..like].trim_start_matches('\u{feff}').chars().count());
    let body: Vec<String> = lines.iter().map(|line| format!("{indent}{line}")).collect();
    let body = body.join(end);
    if text[..after].ends_with('\n') {
        return format!("{}{body}{end}{}", &text[..after], &text[after..]);
    }
    match text[after..].find('\n') {
        Some(rest) => insert_at(text, after + rest + 1, &format!("{body}{end}")),
        None => format!("{text}{end}{body}{end}"),
    }
}

/// Reads an edited text again: it must say what was wanted, and nothing else may differ.
pub(super) fn checked(edited: String, file: &str, wanted: &Value, node: &Node) -> Result<String, YamlError> {
    match parse(&edited, file) {
        Ok(root) if root.to_json() == *wanted => Ok(edited),
        _ => Err(by_hand(node)),
    }
}

pub(super) fn by_hand(node: &Node) -> YamlError {
    YamlError::new(node.place(), "the place cannot be edited without changing more than the value")
        .hint("edit it by hand")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use Step::{Key, Named};

    const TEXT: &str = "# top\nversion: 1   # one\nplugins:\n  extractors:\n  - name: tap-é # x\n    config: {a: 1, b: [x]}\n  - name: tap-b\n    config:\n      url: \"old\" # keep\n      note: |\n        long\n\nempty:\nlast: x";

    #[test]
    fn replaces_only_the_value() {
        for (path, value, from, to) in [
            (vec![Key("version")], json!(2), "version: 1 ", "version: 2 "),
            (
                vec![Key("plugins"), Key("extractors"), Named("tap-é"), Key("config"), Key("a")],
                json!("yes, no"),
                "{a: 1,",
                "{a: \"yes, no\",",
            ),
            (
                vec![Key("plugins"), Key("extractors"), Named("tap-b"), Key("config"), Key("url")],
                json!("new"),
                "\"old\"",
                "new",
            ),
            (vec![Key("empty")], json!({"a": 1}), "empty:", "empty: {a: 1}"),
            (vec![Key("last")], json!("123"), "last: x", "last: \"123\""),
        ] {
            for text in [TEXT.to_owned(), TEXT.replace('\n', "\r\n"), format!("\u{feff}{TEXT}")] {
                let edited = replace(&text, "f", &path, &value).unwrap();
                assert_eq!(edited, text.replacen(from, to, 1), "{path:?}");
            }
        }
    }

    #[test]
    fn inserts_where_the_key_is_not_there() {
        let tap = [Key("plugins"), Key("extractors"), Named("tap-b")];
        let edited = set(TEXT, "f", &[tap.as_slice(), &[Key("config")]].concat(), "id", &json!("x")).unwrap();
        assert_eq!(edited, TEXT.replacen("        long\n", "        long\n      id: x\n", 1));
        let edited = set(TEXT, "f", &tap, "env", &json!({"A": "1"})).unwrap();
        assert_eq!(edited, TEXT.replacen("        long\n", "        long\n    env:\n      A: '1'\n", 1));
        let edited = set(
            TEXT,
            "f",
            &[Key("plugins"), Key("extractors"), Named("tap-é"), Key("config")],
            "c",
            &json!(3),
        )
        .unwrap();
        assert_eq!(edited, TEXT.replacen("b: [x]}", "b: [x], \"c\": 3}", 1).replacen("\"c\"", "c", 1));
        assert_eq!(set(TEXT, "f", &[], "more", &json!(1)).unwrap(), format!("{TEXT}\nmore: 1\n"));
        let edited = append(TEXT, "f", &[Key("plugins"), Key("extractors")], &json!({"name": "n"})).unwrap();
        assert_eq!(edited, TEXT.replacen("        long\n", "        long\n  - name: n\n", 1));
    }

    /// Lists the paths of all values.
    fn paths<'a>(node: &'a Node, path: &[Step<'a>], out: &mut Vec<Vec<Step<'a>>>) {
        out.push(path.to_vec());
        for entry in node.entries() {
            paths(&entry.value, &[path, &[Key(&entry.name)]].concat(), out);
        }
        for (index, item) in node.items().iter().enumerate() {
            paths(item, &[path, &[Step::Index(index)]].concat(), out);
        }
    }

    /// Tries every edit at a path and lists those that are refused.
    fn refusals(text: &str, root: &Node, path: &[Step<'_>]) -> Vec<String> {
        let mut refused = Vec::new();
        for value in [json!("é: x"), json!([1, {"a": null}]), json!(null)] {
            let mut tried = vec![("replace", replace(text, "f", path, &value))];
            match find(root, path).unwrap().value {
                Kind::Mapping(_) => tried.push(("set", set(text, "f", path, "new", &value))),
                Kind::Sequence(_) => tried.push(("append", append(text, "f", path, &value))),
                Kind::Null
                | Kind::Bool(_)
                | Kind::Int(_)
                | Kind::UInt(_)
                | Kind::Float(_)
                | Kind::String(_) => {}
            }
            let names = tried.into_iter().filter(|(_, result)| result.is_err()).map(|(name, _)| name);
            refused.extend(names.map(|name| format!("{name} {path:?}")));
        }
        refused
    }

    #[test]
    fn edits_every_value_of_a_whole_file_or_says_no() {
        let text = include_str!("../../project.example.yml");
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let root = parse(&text, "f").unwrap();
            let mut all = Vec::new();
            paths(&root, &[], &mut all);
            let refused: Vec<String> = all.iter().flat_map(|path| refusals(&text, &root, path)).collect();
            // The one value with a tag.
            let tagged = all.iter().find(|path| find(&root, path).unwrap().is_unset()).unwrap();
            assert_eq!(refused, vec![format!("replace {tagged:?}"); 3]);
        }
    }

    #[test]
    fn leaves_shared_values_alone() {
        let text = "a: &x {k: 1}\nb: *x\n";
        assert!(replace(text, "f", &[Key("b")], &json!(1)).is_err());
        assert!(set(text, "f", &[Key("b")], "k", &json!(1)).is_err());
        assert!(replace(text, "f", &[Key("c")], &json!(1)).is_err());
    }
}
