//! Several files as one document.
//!
//! Meltano joins the files of `include_paths` before anything is merged by environment: mappings
//! key by key, lists one behind the other, of scalars the later file's. Where the project file is ours, two
//! items of one name are one item. This is about what is *written*; layers are merged by figment.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Check;
use crate::model::origin::Place;
use crate::yaml::{Entry, Kind, Node};

/// Adds a document to those before it.
pub(super) fn join(base: &mut Node, other: Node, by_name: bool) {
    match (&mut base.value, other.value) {
        (Kind::Mapping(entries), Kind::Mapping(others)) => {
            for entry in others {
                join_entry(entries, entry, by_name);
            }
        }
        (Kind::Sequence(items), Kind::Sequence(others)) => {
            for item in others {
                join_item(items, item, by_name);
            }
        }
        (_, Kind::Null) if other.tag.is_none() => {}
        (_, value) => *base = Node { value, ..other },
    }
}

fn join_entry(entries: &mut Vec<Entry>, entry: Entry, by_name: bool) {
    match entries.iter_mut().find(|known| known.name == entry.name) {
        Some(known) => join(&mut known.value, entry.value, by_name),
        None => entries.push(entry),
    }
}

fn join_item(items: &mut Vec<Node>, item: Node, by_name: bool) {
    let name = item.get("name").and_then(Node::as_str).filter(|_| by_name);
    let known = name.and_then(|name| {
        items.iter().position(|known| known.get("name").and_then(Node::as_str) == Some(name))
    });
    match known {
        Some(index) => join(&mut items[index], item, by_name),
        None => items.push(item),
    }
}

/// Leaves of environments and plugins that bear one name only the first, as Meltano does.
pub(super) fn keep_first(root: &mut Node, check: &mut Check) {
    check.first_wins = true;
    if let Some(environments) = child(root, "environments") {
        keep_first_of(environments, "environments", check);
        if let Kind::Sequence(items) = &mut environments.value {
            for item in items {
                let name = item.get("name").and_then(Node::as_str).unwrap_or_default().to_owned();
                if let Some(plugins) = child(item, "config").and_then(|config| child(config, "plugins")) {
                    keep_first_plugins(plugins, &format!("environments.{name}.config.plugins"), check);
                }
            }
        }
    }
    if let Some(plugins) = child(root, "plugins") {
        keep_first_plugins(plugins, "plugins", check);
    }
}

fn keep_first_plugins(plugins: &mut Node, path: &str, check: &mut Check) {
    if let Kind::Mapping(types) = &mut plugins.value {
        for entry in types {
            let path = format!("{path}.{}", entry.name);
            keep_first_of(&mut entry.value, &path, check);
        }
    }
}

fn keep_first_of(list: &mut Node, path: &str, check: &mut Check) {
    let Kind::Sequence(items) = &mut list.value else { return };
    let mut seen = BTreeSet::new();
    let mut kept: Vec<Node> = Vec::new();
    for item in std::mem::take(items) {
        let name = item.get("name").and_then(Node::as_str).map(str::to_owned);
        match name {
            Some(name) if !seen.insert(name.clone()) => {
                if let Some(first) =
                    kept.iter().find(|node| node.get("name").and_then(Node::as_str) == Some(&name))
                {
                    check.twice(path, &name, &item, first);
                }
            }
            _ => kept.push(item),
        }
    }
    *items = kept;
}

/// What included files name: two of them may not name one thing.
#[derive(Default)]
pub(super) struct Indexed {
    places: BTreeMap<(String, String), Place>,
}

impl Indexed {
    /// Adds an included file, and reports what an included file has named before.
    pub(super) fn add(&mut self, root: &Node, check: &mut Check) {
        for key in ["environments", "jobs", "schedules"] {
            self.add_list(key, root.get(key), check);
        }
        for entry in root.get("plugins").map(Node::entries).unwrap_or_default() {
            self.add_list(&format!("plugins.{}", entry.name), Some(&entry.value), check);
        }
    }

    fn add_list(&mut self, path: &str, list: Option<&Node>, check: &mut Check) {
        for item in list.map(Node::items).unwrap_or_default() {
            let Some(name) = item.get("name").and_then(Node::as_str) else { continue };
            let known = self.places.insert((path.to_owned(), name.to_owned()), item.place());
            if let Some(first) = known {
                let message = format!("`{name}` is twice in `{path}` of included files: first at {first}");
                let hint = "merge the two, or rename one".to_owned();
                check.error("duplicate-name", item, message, Some(hint));
            }
        }
    }
}

/// Joins a list that waits under one key to the list under another, by name.
pub(super) fn take_part(root: &mut Node, from: &str, to: &str) {
    let Kind::Mapping(entries) = &mut root.value else { return };
    let Some(at) = entries.iter().position(|entry| &*entry.name == from) else { return };
    let mut part = entries.remove(at);
    part.name = to.into();
    join_entry(entries, part, true);
}

fn child<'a>(node: &'a mut Node, name: &str) -> Option<&'a mut Node> {
    let Kind::Mapping(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|entry| &*entry.name == name).map(|entry| &mut entry.value)
}
