//! The environments of a project: finding one, whom it inherits from, and what can be wrong with them.

use super::check::Check;
use super::document::Dialect;
use super::suggest::did_you_mean;
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::model::project::Project;
use crate::yaml::Node;

/// Gives the names in the order of the file.
pub(super) fn names(root: &Node) -> Vec<EnvironmentName> {
    let items = root.get("environments").map(Node::items).unwrap_or_default();
    let mut names: Vec<EnvironmentName> = Vec::new();
    for name in items.iter().filter_map(|item| item.get("name")?.as_str()) {
        if !names.iter().any(|known| known.as_str() == name) {
            names.push(EnvironmentName::new(name));
        }
    }
    names
}

/// Finds an environment.
pub(super) fn find<'a>(root: &'a Node, name: &str) -> Option<&'a Node> {
    root.get("environments")?.named(name)
}

/// Gives an environment and those it inherits from, the farthest first and itself last.
///
/// Shape: ends where a parent is not there or comes again; [`check`] reports both.
pub(super) fn chain<'a>(root: &'a Node, name: &str) -> Vec<&'a Node> {
    let mut chain: Vec<&Node> = Vec::new();
    let mut next = find(root, name);
    while let Some(node) = next {
        if chain.iter().any(|known| std::ptr::eq(*known, node)) {
            break;
        }
        chain.push(node);
        next = node.get("inherit_from").and_then(Node::as_str).and_then(|parent| find(root, parent));
    }
    chain.reverse();
    chain
}

/// Checks what names environments: `default_environment`, `promotion.order`, `inherit_from`.
pub(super) fn check(root: &Node, project: &Project, dialect: Dialect, check: &mut Check) {
    let default = root.get("default_environment");
    // Meltano finds a wrong default only when it uses it; so does a project that is Meltano's.
    let strict = dialect == Dialect::Own;
    if let Some(node) = default {
        unknown(node, "default_environment", project, check, strict);
    }
    for node in root.at(&["promotion", "order"]).map(Node::items).unwrap_or_default() {
        unknown(node, "promotion.order", project, check, true);
    }
    for node in root.at(&["promotion", "protect", "keys"]).map(Node::items).unwrap_or_default() {
        protects(root, node, check);
    }
    for environment in root.get("environments").map(Node::items).unwrap_or_default() {
        if let Some(parent) = environment.get("inherit_from") {
            unknown(parent, "inherit_from", project, check, true);
            cycle(root, environment, parent, check);
        }
        if let Some(name) =
            environment.get("name").filter(|name| name.as_str().is_some_and(|name| name.contains(':')))
        {
            check.error("bad-value", name, "the name of an environment may hold no `:`".to_owned(), None);
        }
    }
}

/// Warns of a protected key that is none of this file's: nothing would be kept.
fn protects(root: &Node, node: &Node, check: &mut Check) {
    let Some(key) = node.as_str() else { return };
    if root.at(&key.split('.').collect::<Vec<_>>()).is_some() || key == "default_environment" {
        return;
    }
    let message =
        format!("`promotion.protect.keys` names `{key}`, which is no key of this file: nothing is kept");
    let hint = "name a root key or a path of keys below one, such as `vars.region`; items of lists have no such path";
    check.add(Finding::warning("matches-nothing", message).at(node.place()).hint(hint));
}

fn unknown(node: &Node, key: &str, project: &Project, check: &mut Check, error: bool) {
    let Some(name) = node.as_str() else { return };
    if project.environments.iter().any(|known| known.as_str() == name) {
        return;
    }
    let message = format!("`{key}` names `{name}`, which is not an environment");
    let names = || project.environments.iter().map(EnvironmentName::as_str);
    let hint = match did_you_mean(name, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if project.environments.is_empty() => format!("add it to `environments`: `- name: {name}`"),
        None => format!("the environments are {}", names().collect::<Vec<_>>().join(", ")),
    };
    let finding = if error {
        Finding::error("unknown-environment", message)
    } else {
        Finding::warning("unknown-environment", message)
    };
    check.add(finding.at(node.place()).hint(hint));
}

fn cycle(root: &Node, environment: &Node, parent: &Node, check: &mut Check) {
    let name = |node: &Node| node.get("name").and_then(Node::as_str).unwrap_or_default().to_owned();
    let mut seen = vec![name(environment)];
    let mut next = parent.as_str().map(str::to_owned);
    while let Some(parent_name) = next {
        let again = seen.contains(&parent_name);
        seen.push(parent_name.clone());
        if again {
            // Each member of the cycle reports it; who only leads into it does not.
            if seen.first() == seen.last() {
                let message = format!("`inherit_from` goes round in a circle: {}", seen.join(" → "));
                check.error(
                    "inherit-cycle",
                    parent,
                    message,
                    Some("remove one `inherit_from` of these".to_owned()),
                );
            }
            return;
        }
        next = find(root, &parent_name)
            .and_then(|node| node.get("inherit_from"))
            .and_then(Node::as_str)
            .map(str::to_owned);
    }
}
