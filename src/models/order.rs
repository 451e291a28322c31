//! Objects in the order in which they build, or the circle that has none.

use std::collections::BTreeMap;

use super::graph::{Graph, Order};
use super::object::{Object, ObjectKind};
use crate::model::finding::Finding;

const KINDS: [ObjectKind; 4] = [ObjectKind::Model, ObjectKind::Seed, ObjectKind::Ddl, ObjectKind::Routine];

/// Sorts objects: what others depend on comes first, else by coordinate; a circle becomes a finding.
pub(super) fn sort(objects: Vec<Object>, findings: &mut Vec<Finding>) -> Vec<Object> {
    let mut graph = Graph::default();
    let mut by_key = BTreeMap::new();
    for object in objects {
        // A table and a function may share a name.
        let key = (object.coordinate.clone(), object.kind);
        graph.add(key.clone(), []);
        by_key.insert(key, object);
    }
    for (key, object) in &by_key {
        let needs = object.depends_on.iter().flat_map(|need| {
            KINDS.map(|kind| (need.clone(), kind)).into_iter().filter(|need| by_key.contains_key(need))
        });
        graph.add(key.clone(), needs);
    }
    match graph.order() {
        Order::Sorted(keys) => keys.iter().filter_map(|key| by_key.remove(key)).collect(),
        Order::Cycle(circle) => {
            let names: Vec<&str> =
                circle.iter().chain(circle.first()).map(|key| by_key[key].name.as_str()).collect();
            let place = circle.first().map(|key| by_key[key].place.clone());
            let message = format!("models need each other in a circle: {}", names.join(" → "));
            let mut finding = Finding::error("model-cycle", message)
                .hint("take one of these references out, or move what both need into a model of its own");
            finding.place = place;
            findings.push(finding);
            by_key.into_values().collect()
        }
    }
}
