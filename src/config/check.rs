//! Faults of a written mapping against the keys it may have: all at once, each with place and hint.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::plugin::SETTING_KINDS;
use super::shape::{Field, PLUGIN_TYPES, Shape};
use super::suggest::did_you_mean;
use crate::model::coordinate::Dataset;
use crate::model::finding::Finding;
use crate::yaml::{Kind, Node};

/// Gathers faults.
#[derive(Debug, Default)]
pub(super) struct Check {
    /// What was found; the same may be there twice.
    pub(super) findings: Vec<Finding>,
    /// Whether a name that is there twice is what Meltano makes of it: the first wins, a warning.
    pub(super) first_wins: bool,
}

impl Check {
    /// Adds a finding.
    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds an error at a node.
    pub(super) fn error(&mut self, code: &str, node: &Node, message: String, hint: Option<String>) {
        let mut finding = Finding::error(code, message).at(node.place());
        finding.hint = hint;
        self.add(finding);
    }

    fn wrong_type(&mut self, path: &str, node: &Node, wanted: &str) {
        let found = match node.as_str() {
            // Only where it cannot be a secret that slipped.
            Some(text) if wanted == "a whole number" && text.len() <= 40 => format!("`{text}`"),
            _ => node.describe().to_owned(),
        };
        let quote = wanted == "a text" && node.text().is_some();
        let hint = quote.then(|| {
            format!("put it into quotes: `{}: \"{}\"`", last(path), node.text().unwrap_or_default())
        });
        self.error("wrong-type", node, format!("`{path}` must be {wanted}, found {found}"), hint);
    }

    /// Checks the keys of a mapping and their values.
    pub(super) fn mapping(
        &mut self,
        path: &str,
        node: &Node,
        fields: &[Field],
        unknown_ok: &dyn Fn(&str) -> bool,
    ) {
        if !matches!(node.value, Kind::Mapping(_)) {
            return self.wrong_type(path, node, "a mapping");
        }
        for entry in node.entries() {
            let name: &str = &entry.name;
            let path = join(path, name);
            match fields.iter().find(|field| field.name == name) {
                Some(field) => self.value(&path, &entry.value, field.shape),
                None if unknown_ok(name) => {}
                None => self.unknown(&path, name, &entry.key, fields),
            }
        }
    }

    fn unknown(&mut self, path: &str, name: &str, key: &Node, fields: &[Field]) {
        let hint = did_you_mean(name, fields.iter().map(|field| field.name)).map_or_else(
            || {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                (names.len() <= 12).then(|| format!("the keys here are {}", names.join(", ")))
            },
            |meant| Some(format!("did you mean `{meant}`?")),
        );
        self.error("unknown-key", key, format!("unknown key `{path}`"), hint);
    }

    /// Checks a value.
    pub(super) fn value(&mut self, path: &str, node: &Node, shape: Shape) {
        if node.is_null() || node.is_unset() {
            return;
        }
        match shape {
            Shape::Any => {}
            Shape::Text => {
                if node.as_str().is_none() {
                    self.wrong_type(path, node, "a text");
                }
            }
            Shape::Count => {
                if !matches!(node.value, Kind::Int(number) if u32::try_from(number).is_ok()) {
                    self.wrong_type(path, node, "a whole number");
                }
            }
            Shape::Version => self.version(path, node),
            Shape::Choice(choices) => self.choice(path, node, choices),
            Shape::Duration => self.duration(path, node),
            Shape::Dataset => self.dataset(path, node),
            Shape::List(inner) => self.list(path, node, *inner),
            Shape::Named(fields) => self.named(path, node, &mut |check, path, item| {
                check.mapping(path, item, fields, &|_| false);
            }),
            Shape::Mapping(fields) => self.mapping(path, node, fields, &|_| false),
            Shape::Open(inner) => self.open(path, node, *inner),
            Shape::Plugins => self.plugins(path, node),
        }
    }

    fn version(&mut self, path: &str, node: &Node) {
        if node.value != Kind::Int(1) {
            let found = node.text().unwrap_or_else(|| node.describe().to_owned());
            let message = format!("`{path}` must be 1, found `{found}`");
            self.error("bad-version", node, message, Some("write `version: 1`".to_owned()));
        }
    }

    fn choice(&mut self, path: &str, node: &Node, choices: &[&str]) {
        let Some(text) = node.as_str() else { return self.wrong_type(path, node, &one_of(choices)) };
        if !choices.contains(&text) {
            let hint =
                did_you_mean(text, choices.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
            self.error(
                "bad-value",
                node,
                format!("`{path}` must be {}, found `{text}`", one_of(choices)),
                hint,
            );
        }
    }

    fn duration(&mut self, path: &str, node: &Node) {
        if node.as_str().and_then(super::decode::duration).is_none() {
            let found = node.text().unwrap_or_else(|| node.describe().to_owned());
            let message = format!("`{path}` must be a length of time, found `{found}`");
            self.error("bad-value", node, message, Some("write it as `30m`, `24h` or `7d`".to_owned()));
        }
    }

    fn dataset(&mut self, path: &str, node: &Node) {
        let Some(text) = node.as_str() else { return self.wrong_type(path, node, "a text") };
        // What holds a reference is known later.
        let open = text.contains('$') || text.contains("{{");
        if !open && text.parse::<Dataset>().is_err() {
            let message = format!("`{path}` is neither `dataset` nor `project.dataset`: `{text}`");
            self.error("bad-dataset", node, message, None);
        }
    }

    fn list(&mut self, path: &str, node: &Node, inner: Shape) {
        if !matches!(node.value, Kind::Sequence(_)) {
            let hint = node.text().map(|text| format!("write `[{text}]`"));
            let message = format!("`{path}` must be a list, found {}", node.describe());
            return self.error("wrong-type", node, message, hint);
        }
        for (index, item) in node.items().iter().enumerate() {
            if item.is_null() {
                self.wrong_type(&format!("{path}[{index}]"), item, "a value");
            }
            self.value(&format!("{path}[{index}]"), item, inner);
        }
    }

    fn open(&mut self, path: &str, node: &Node, inner: Shape) {
        if !matches!(node.value, Kind::Mapping(_)) {
            return self.wrong_type(path, node, "a mapping");
        }
        // Most mappings of a large project may hold anything: no path is needed for what cannot be wrong.
        let entries = node.entries().iter().filter(|_| !matches!(inner, Shape::Any));
        for entry in entries {
            self.value(&join(path, &entry.name), &entry.value, inner);
        }
    }

    /// Checks a list whose items have names, and each item.
    pub(super) fn named(&mut self, path: &str, node: &Node, each: &mut dyn FnMut(&mut Self, &str, &Node)) {
        if node.is_null() || node.is_unset() {
            return;
        }
        if !matches!(node.value, Kind::Sequence(_)) {
            return self.wrong_type(path, node, "a list");
        }
        let mut seen: BTreeMap<&str, &Node> = BTreeMap::new();
        for item in node.items() {
            let Some(name) = item.get("name").and_then(Node::as_str).filter(|name| !name.is_empty()) else {
                self.nameless(path, item);
                continue;
            };
            match seen.entry(name) {
                Entry::Occupied(first) => self.twice(path, name, item, first.get()),
                Entry::Vacant(free) => {
                    free.insert(item);
                }
            }
            each(self, &join(path, name), item);
        }
    }

    fn nameless(&mut self, path: &str, item: &Node) {
        if !matches!(item.value, Kind::Mapping(_)) {
            return self.wrong_type(
                &format!("an item of `{path}`").replace('`', ""),
                item,
                "a mapping with a name",
            );
        }
        let name = item.get("name").filter(|name| !name.is_null());
        let message = match name {
            Some(name) => {
                format!("the `name` of an item of `{path}` must be a text, found {}", name.describe())
            }
            None => format!("an item of `{path}` has no `name`"),
        };
        let hint = "give it a `name`: items are merged by it".to_owned();
        self.error("missing-name", name.unwrap_or(item), message, Some(hint));
    }

    /// Says that a name is there twice, with both places.
    pub(super) fn twice(&mut self, path: &str, name: &str, item: &Node, first: &Node) {
        let message = format!("`{name}` is twice in `{path}`: first at {}", first.place());
        let finding = if self.first_wins {
            Finding::warning("duplicate-name", message).hint("remove this one: the first wins")
        } else {
            Finding::error("duplicate-name", message).hint("merge the two, or rename one")
        };
        self.add(finding.at(item.place()));
    }

    fn plugins(&mut self, path: &str, node: &Node) {
        if !matches!(node.value, Kind::Mapping(_)) {
            return self.wrong_type(path, node, "a mapping of plugin types");
        }
        for entry in node.entries() {
            let name: &str = &entry.name;
            let path = join(path, name);
            if !PLUGIN_TYPES.contains(&name) {
                let meant = did_you_mean(name, PLUGIN_TYPES);
                let hint = meant.map_or_else(
                    || format!("the types are {}", PLUGIN_TYPES.join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                );
                self.error(
                    "unknown-plugin-type",
                    &entry.key,
                    format!("unknown plugin type `{name}`"),
                    Some(hint),
                );
                continue;
            }
            if entry.value.is_null() {
                self.wrong_type(&path, &entry.value, "a list");
                continue;
            }
            self.named(&path, &entry.value, &mut |check, path, plugin| check.plugin(path, plugin));
        }
    }

    fn plugin(&mut self, path: &str, node: &Node) {
        for setting in node.get("settings").map(Node::items).unwrap_or_default() {
            if let Some(kind) = setting.get("kind").filter(|kind| !kind.is_null()) {
                self.choice(&format!("{path}.settings.kind"), kind, &SETTING_KINDS);
            }
        }
        for key in ["config", "env"] {
            if let Some(value) = node.get(key) {
                self.value(&join(path, key), value, Shape::Open(&Shape::Any));
            }
        }
        if let Some(name) =
            node.get("name").filter(|name| name.as_str().is_some_and(|name| name.contains(':')))
        {
            self.error("bad-value", name, format!("the name of `{path}` may hold no `:`"), None);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { [path, ".", name].concat() }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn one_of(choices: &[&str]) -> String {
    match choices {
        [.., last] if choices.len() > 1 => {
            let others: Vec<String> =
                choices[..choices.len() - 1].iter().map(|choice| format!("`{choice}`")).collect();
            format!("{} or `{last}`", others.join(", "))
        }
        _ => format!("`{}`", choices.concat()),
    }
}
