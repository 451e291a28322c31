//! No two environments may write to one place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::Check;
use super::resolve::{Inputs, Templates, render, stack};
use super::written::Written;
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::yaml::Node;

/// Reports environments that have one warehouse and dataset, references compared as they are written.
pub(super) fn check(written: &Written, check: &mut Check) {
    let mut seen: BTreeMap<String, &EnvironmentName> = BTreeMap::new();
    for name in &written.project.environments {
        let Some(target) = target(written, name) else { continue };
        let Some(first) = seen.get(target.as_str()) else {
            seen.insert(target, name);
            continue;
        };
        let node = super::environments::find(&written.root, name.as_str());
        let place = node.and_then(|node| node.get("dataset").or_else(|| node.get("name"))).map(Node::place);
        let message = format!("environments `{first}` and `{name}` have one warehouse and dataset");
        let mut finding = Finding::error("same-target", message)
            .hint(format!("give `{name}` a `dataset` or a `warehouse` of its own"));
        finding.place = place;
        check.add(finding);
    }
}

/// Gives what tells one place from another; nothing where warehouse or dataset is missing.
fn target(written: &Written, name: &EnvironmentName) -> Option<String> {
    let stack = stack(written, Some(name.as_str()), &Inputs::default(), &mut Vec::new());
    let engine = Templates::of(name.as_str());
    let mut warehouse = BTreeMap::new();
    let mut dataset = None;
    for leaf in stack.leaves(usize::MAX) {
        let value: Value = render(&leaf.value, &engine).unwrap_or(leaf.value);
        match leaf.path.first().map(String::as_str) {
            Some("warehouse") => {
                warehouse.insert(leaf.path.join("."), value.to_string());
            }
            Some("dataset") => dataset = Some(value.to_string()),
            _ => {}
        }
    }
    if warehouse.is_empty() {
        return None;
    }
    Some(format!("{warehouse:?} {}", dataset?))
}
