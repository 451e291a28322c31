//! The proof that a joined document is complete: it says what base and both sides together say.
//!
//! Knows values only, not the pieces that the document was joined of, so a mistake there does not hide
//! itself: each side's every change is in the result once, and nothing else changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::cut::means;
use super::dispute::{Dispute, Quarrel, Side};
use crate::yaml::{Kind, Node};

/// A value in the base, at the target, at the source, in the result; absent where it is not there.
#[derive(Clone, Copy)]
struct Four<'n> {
    base: Option<&'n Node>,
    target: Option<&'n Node>,
    source: Option<&'n Node>,
    result: Option<&'n Node>,
}

/// Proves a result; the error names the first place where it is wrong.
///
/// # Errors
///
/// The path of a value that is not what it has to be.
pub(super) fn prove(
    (base, target, source): (Option<&Node>, &Node, &Node),
    result: &Node,
    disputes: &[Dispute],
) -> Result<(), String> {
    let values = disputes.iter().filter(|dispute| dispute.quarrel != Quarrel::Layout);
    let disputes = values.map(|dispute| (dispute.path.clone(), dispute.winner)).collect();
    let four = Four { base, target: Some(target), source: Some(source), result: Some(result) };
    Proof { disputes }.check(four, &mut Vec::new())
}

struct Proof {
    disputes: BTreeMap<Vec<String>, Side>,
}

impl Proof {
    fn check(&self, four: Four<'_>, path: &mut Vec<String>) -> Result<(), String> {
        let wrong = |path: &[String]| Err(format!("`{}` would not be what both sides say", path.join(".")));
        if let Some(winner) = self.disputes.get(path) {
            let wanted = match winner {
                Side::Target => four.target,
                Side::Source => four.source,
            };
            return if said(wanted) == said(four.result) { Ok(()) } else { wrong(path) };
        }
        let there = [four.base, four.target, four.source, four.result].into_iter().flatten();
        let there: Vec<&Node> = there.collect();
        if there.iter().all(|node| is_mapping(node)) {
            return self.below(four, path, &|node, name| node.get(name), &keys);
        }
        if there.iter().all(|node| is_list(node)) {
            if there.iter().all(|node| names(node).is_some()) {
                let keys = |node: &Node| names(node).unwrap_or_default();
                return self.below(four, path, &|node, name| node.named(name), &keys);
            }
            return if is_joined_list(four) { Ok(()) } else { wrong(path) };
        }
        let wanted = expected(&said(four.base), said(four.target), said(four.source));
        if wanted == Some(said(four.result)) { Ok(()) } else { wrong(path) }
    }

    fn below(
        &self,
        four: Four<'_>,
        path: &mut Vec<String>,
        get: &dyn for<'n> Fn(&'n Node, &str) -> Option<&'n Node>,
        keys: &dyn Fn(&Node) -> BTreeSet<String>,
    ) -> Result<(), String> {
        let all = [four.base, four.target, four.source, four.result];
        let names: BTreeSet<String> = all.into_iter().flatten().flat_map(keys).collect();
        for name in names {
            let at = |node: Option<&'_ Node>| -> bool { node.is_some_and(|node| get(node, &name).is_some()) };
            if !all.into_iter().any(at) {
                continue;
            }
            let inner = Four {
                base: four.base.and_then(|node| get(node, &name)),
                target: four.target.and_then(|node| get(node, &name)),
                source: four.source.and_then(|node| get(node, &name)),
                result: four.result.and_then(|node| get(node, &name)),
            };
            path.push(name);
            self.check(inner, path)?;
            path.pop();
        }
        Ok(())
    }
}

fn said(node: Option<&Node>) -> Option<Json> {
    node.map(means)
}

/// What one side left alone is the other's; nothing where both changed it.
fn expected<T: PartialEq>(base: &T, target: T, source: T) -> Option<T> {
    if target == *base {
        Some(source)
    } else if source == *base || target == source {
        Some(target)
    } else {
        None
    }
}

fn is_mapping(node: &Node) -> bool {
    matches!(node.value, Kind::Mapping(_)) && node.tag.is_none()
}

fn is_list(node: &Node) -> bool {
    matches!(node.value, Kind::Sequence(_)) && node.tag.is_none()
}

fn keys(node: &Node) -> BTreeSet<String> {
    node.entries().iter().map(|entry| entry.name.to_string()).collect()
}

/// Gives the names of a list's items, where each has one of its own.
fn names(node: &Node) -> Option<BTreeSet<String>> {
    let names: Vec<String> =
        node.items().iter().filter_map(|item| item.get("name").and_then(Node::text)).collect();
    let count = names.len();
    let unique: BTreeSet<String> = names.into_iter().collect();
    (unique.len() == count && count == node.items().len()).then_some(unique)
}

/// Tells whether each item is there as often as base and both sides together say.
fn is_joined_list(four: Four<'_>) -> bool {
    let count = |node: Option<&Node>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for item in node.map(Node::items).unwrap_or_default() {
            *counts.entry(means(item).to_string()).or_default() += 1;
        }
        counts
    };
    let [base, target, source, result] = [four.base, four.target, four.source, four.result].map(count);
    let items: BTreeSet<&String> =
        [&base, &target, &source, &result].into_iter().flat_map(BTreeMap::keys).collect();
    items.into_iter().all(|item| {
        let of = |counts: &BTreeMap<String, usize>| counts.get(item).copied().unwrap_or_default();
        let (base, target, source) = (of(&base), of(&target), of(&source));
        let both = if target > base && source > base {
            // The same addition on both sides is one.
            target.max(source)
        } else if target < base && source < base {
            target.min(source)
        } else {
            (target + source).saturating_sub(base)
        };
        expected(&base, target, source).unwrap_or(both) == of(&result)
    })
}
