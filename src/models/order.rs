//! Objects in the order in which they build, or the circle that has none.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, Order};
use super::object::{Object, ObjectKind};
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::sql::{self, CreationKind, Dialect, Leading};

const KINDS: [ObjectKind; 4] = [ObjectKind::Model, ObjectKind::Seed, ObjectKind::Ddl, ObjectKind::Routine];

/// A table and a function may share a name.
type Key = (Coordinate, ObjectKind);

/// Sorts objects: what others depend on comes first, else by coordinate; a circle becomes a finding.
///
/// Tables whose foreign keys go round in a circle are made without these, and the last of them adds them all, where
/// the engine can add a key to a table that is there.
pub(super) fn sort(objects: Vec<Object>, dialect: Dialect, findings: &mut Vec<Finding>) -> Vec<Object> {
    let key = |object: Object| ((object.coordinate.clone(), object.kind), object);
    let mut by_key: BTreeMap<Key, Object> = objects.into_iter().map(key).collect();
    loop {
        match graph(&by_key).order() {
            Order::Sorted(keys) => return keys.iter().filter_map(|key| by_key.remove(key)).collect(),
            Order::Cycle(circle) => {
                let cut = dialect == Dialect::Postgres && cut(&mut by_key, &circle, dialect);
                if !cut {
                    findings.push(round(&by_key, &circle));
                    return by_key.into_values().collect();
                }
            }
        }
    }
}

fn graph(by_key: &BTreeMap<Key, Object>) -> Graph<Key> {
    let mut graph = Graph::default();
    for (key, object) in by_key {
        let needs = object.depends_on.iter().flat_map(|need| KINDS.map(|kind| (need.clone(), kind)));
        graph.add(key.clone(), needs.filter(|need| by_key.contains_key(need)));
    }
    graph
}

/// Words a circle.
fn round(by_key: &BTreeMap<Key, Object>, circle: &[Key]) -> Finding {
    let names: Vec<&str> = circle.iter().chain(circle.first()).map(|key| by_key[key].name.as_str()).collect();
    let names = names.join(" → ");
    let mut finding = if circle.iter().all(|key| is_table(&by_key[key])) {
        let message = format!("foreign keys of tables point at each other in a circle: {names}");
        Finding::error("key-cycle", message)
            .hint("take one of these keys out: this engine adds no foreign key to a table that is there")
    } else {
        Finding::error("model-cycle", format!("models need each other in a circle: {names}"))
            .hint("take one of these references out, or move what both need into a model of its own")
    };
    finding.place = circle.first().map(|key| by_key[key].place.clone());
    finding
}

fn is_table(object: &Object) -> bool {
    object.kind == ObjectKind::Ddl && object.creates == Some(CreationKind::Table)
}

/// Moves the foreign keys within a circle of tables to the last of them; gives whether that ended the circle.
fn cut(by_key: &mut BTreeMap<Key, Object>, circle: &[Key], dialect: Dialect) -> bool {
    if !circle.iter().all(|key| is_table(&by_key[key])) {
        return false;
    }
    let members: BTreeSet<Coordinate> = circle.iter().map(|(coordinate, _)| coordinate.clone()).collect();
    let mut keys = Vec::new();
    for key in circle {
        let object = by_key.get_mut(key).expect("the circle is made of these");
        let others = |name: &str| {
            members.iter().any(|other| *other != object.coordinate && other.name.eq_ignore_ascii_case(name))
        };
        let mut statements = Vec::new();
        for statement in std::mem::take(&mut object.statements) {
            let alters = matches!(sql::leading(&statement, dialect), Ok(Leading::Alter(_)));
            if alters && speaks_of(&statement, dialect, &others) {
                keys.push(statement);
            } else if let Some((left, added)) = sql::table::without_foreign_keys(&statement, dialect, others)
            {
                keys.extend(added);
                statements.push(left);
            } else {
                statements.push(statement);
            }
        }
        let free = |need: &Coordinate| {
            let name = |name: &str| need.name.eq_ignore_ascii_case(name);
            members.contains(need) && !statements.iter().any(|statement| speaks_of(statement, dialect, &name))
        };
        object.depends_on.retain(|need| !free(need));
        object.sql = Some(statements.join(";\n"));
        object.statements = statements;
    }
    let last = circle.last().and_then(|key| by_key.get_mut(key)).expect("a circle has members");
    let added = !keys.is_empty();
    last.statements.extend(keys);
    last.sql = Some(last.statements.join(";\n"));
    let others = members.into_iter().filter(|other| *other != last.coordinate);
    last.depends_on.extend(others);
    last.depends_on.sort();
    last.depends_on.dedup();
    added
}

/// Whether a statement reads a relation that is meant.
fn speaks_of(statement: &str, dialect: Dialect, meant: &impl Fn(&str) -> bool) -> bool {
    let found = sql::references(statement, dialect).unwrap_or_default();
    let relations = found.iter().filter(|reference| reference.role == sql::Role::Relation);
    relations.filter_map(|reference| reference.parts.last()).any(|part| meant(&part.text))
}
