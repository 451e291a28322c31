//! One file of a project: read, checked as it is written, and brought into one form.

use super::check::Check;
use super::shape::{
    ENVIRONMENT_MELTANO, ENVIRONMENT_OWN, ENVIRONMENT_SHARED, Field, OVERLAY, PER_ENVIRONMENT, ROOT_OWN,
    ROOT_SHARED, SETTINGS, SHARED_OVERLAY, Shape,
};
use crate::model::finding::Finding;
use crate::model::snapshot::Snapshot;
use crate::yaml::{Entry, Kind, Node, parse_all};

/// Whose rules a file is read by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    /// Ours: every key is known.
    Own,
    /// Meltano's: other root keys are fine, and ours stand under `annotations.promote`.
    Meltano,
}

/// The key under which parts of environments that stand under `annotations.promote` wait until all files are joined.
pub(super) const MORE_ENVIRONMENTS: &str = "annotations.promote.environments";

/// Tells the dialect of a file by its name.
pub(super) fn dialect(path: &str) -> Dialect {
    if path.rsplit('/').next() == Some("meltano.yml") { Dialect::Meltano } else { Dialect::Own }
}

/// Reads and checks a file; nothing where it is too broken to go on.
///
/// Shape: our keys are at the root and in each environment, wherever they were written.
pub(super) fn read(snapshot: &Snapshot, path: &str, dialect: Dialect, check: &mut Check) -> Option<Node> {
    let text = match snapshot.text(path) {
        Ok(text) => text?,
        Err(error) => {
            let place = crate::model::origin::Place::file(path);
            check.add(Finding::error("not-utf8", error.to_string()).at(place).hint("save the file as UTF-8"));
            return None;
        }
    };
    let root = match parse_all(text, path) {
        Ok(root) => root,
        Err(faults) => {
            for fault in faults {
                let mut finding = Finding::error("bad-yaml", fault.message).at(fault.place);
                finding.hint = fault.hint;
                check.add(finding);
            }
            return None;
        }
    };
    if !matches!(root.value, Kind::Mapping(_)) {
        let message = format!("`{path}` must be a mapping, found {}", root.describe());
        check.error("wrong-type", &root, message, Some("begin it with `version: 1`".to_owned()));
        return None;
    }
    check.first_wins = dialect == Dialect::Meltano;
    match dialect {
        Dialect::Own => {
            own(&root, check);
            Some(root)
        }
        Dialect::Meltano => {
            meltano(&root, check);
            Some(lift(root))
        }
    }
}

fn concat(parts: &[&[Field]]) -> Vec<Field> {
    parts.concat()
}

fn own(root: &Node, check: &mut Check) {
    let fields = concat(&[ROOT_SHARED, ROOT_OWN, OVERLAY, SHARED_OVERLAY]);
    check.mapping("", root, &fields, &|name| is_setting(name) || name.starts_with("x-"));
    let fields = concat(&[ENVIRONMENT_SHARED, ENVIRONMENT_OWN, OVERLAY, SHARED_OVERLAY]);
    environments(root, check, &mut |check, path, node| check.mapping(path, node, &fields, &is_setting));
}

fn is_setting(name: &str) -> bool {
    SETTINGS.contains(&name.split('.').next().unwrap_or(name))
}

fn environments(root: &Node, check: &mut Check, each: &mut dyn FnMut(&mut Check, &str, &Node)) {
    if let Some(list) = root.get("environments") {
        check.named("environments", list, each);
    }
}

fn meltano(root: &Node, check: &mut Check) {
    let fields = concat(&[ROOT_SHARED, SHARED_OVERLAY]);
    check.mapping("", root, &fields, &|_| true);
    for field in OVERLAY.iter().chain(ROOT_OWN) {
        if let Some(entry) = root.entry(field.name) {
            let finding = Finding::warning("misplaced-key", format!("`{}` has no effect here", entry.name));
            let hint = format!("move it to `annotations.promote.{}`", entry.name);
            check.add(finding.at(entry.key.place()).hint(hint));
        }
    }
    let inner = concat(&[ENVIRONMENT_OWN, OVERLAY, PER_ENVIRONMENT]);
    if let Some(promote) = promote_of(root) {
        let fields = concat(&[OVERLAY, ROOT_OWN]);
        check.mapping("annotations.promote", promote, &fields, &|name| name == "environments");
        if let Some(parts) = promote.get("environments") {
            let fields = concat(&[ENVIRONMENT_SHARED, &inner]);
            check.named("annotations.promote.environments", parts, &mut |check, path, node| {
                check.mapping(path, node, &fields, &is_setting);
            });
        }
    }
    environments(root, check, &mut |check, path, node| {
        meltano_environment(check, path, node, &inner);
    });
}

fn meltano_environment(check: &mut Check, path: &str, node: &Node, inner: &[Field]) {
    let ours = |name: &str| inner.iter().any(|field| field.name == name);
    check.mapping(path, node, ENVIRONMENT_MELTANO, &ours);
    for entry in node.get("config").map(Node::entries).unwrap_or_default() {
        let path = format!("{path}.config.{}", entry.name);
        if &*entry.name == "plugins" {
            check.value(&path, &entry.value, Shape::Plugins);
        } else {
            let finding = Finding::warning("dead-key", format!("`{path}` has no effect: Meltano ignores it"));
            check.add(finding.at(entry.key.place()).hint("remove it: an environment configures `plugins`"));
        }
    }
    for entry in node.entries().iter().filter(|entry| ours(&entry.name)) {
        let hint = format!("move it to `annotations.promote.{}`", entry.name);
        let message = format!("`{path}.{}` is a key that Meltano refuses", entry.name);
        check.error("misplaced-key", &entry.key, message, Some(hint));
    }
    if let Some(promote) = promote_of(node) {
        check.mapping(&format!("{path}.annotations.promote"), promote, inner, &is_setting);
    }
}

fn promote_of(node: &Node) -> Option<&Node> {
    node.at(&["annotations", "promote"]).filter(|promote| !promote.is_null())
}

/// Brings what stands under `annotations.promote` to where a `project.yml` has it.
fn lift(mut root: Node) -> Node {
    let ours = |name: &str| OVERLAY.iter().chain(ROOT_OWN).any(|field| field.name == name);
    let promote: Vec<Entry> = promote_of(&root).map(|promote| promote.entries().to_vec()).unwrap_or_default();
    if let Kind::Mapping(entries) = &mut root.value {
        entries.retain(|entry| !ours(&entry.name));
        entries.extend(promote.into_iter().map(|mut entry| {
            if &*entry.name == "environments" {
                entry.name = MORE_ENVIRONMENTS.into();
            }
            entry
        }));
        if let Some(environments) = entries.iter_mut().find(|entry| &*entry.name == "environments")
            && let Kind::Sequence(items) = &mut environments.value.value
        {
            items.iter_mut().for_each(lift_environment);
        }
    }
    root
}

fn lift_environment(node: &mut Node) {
    let promote: Vec<Entry> = promote_of(node).map(|promote| promote.entries().to_vec()).unwrap_or_default();
    if let Kind::Mapping(entries) = &mut node.value {
        entries.extend(promote);
    }
}
