//! What bears another name: columns that are said to have had it, and keys that an engine names after their table.

use std::collections::BTreeMap;

use crate::model::coordinate::Coordinate;
use crate::model::schema::{Column, Constraint, Relation};
use crate::warehouse::path;

/// Gives the live column that a wanted one comes from, if there is one: its own name's, or that of its old one.
///
/// Shape: an old name counts as long as only it is there: once a column bears the new one, it was renamed before.
/// A name that another wanted column takes away with it is free.
pub(super) fn before<'a>(
    (live, wanted): (&'a Relation, &Relation),
    renamed: &BTreeMap<String, String>,
    column: &str,
) -> Option<&'a Column> {
    if renamed.is_empty() {
        return live.column(column);
    }
    let old = |column: &str| {
        let old = renamed.get(&column.to_lowercase())?;
        if live.column(column).is_some() { None } else { live.column(old) }
    };
    let own = live.column(column).filter(|own| {
        !wanted.columns.iter().filter_map(|other| old(&other.name)).any(|taken| taken.name == own.name)
    });
    old(column).or(own)
}

/// Pairs of live keys and the wanted ones that say the same under another name.
pub(super) fn keys<'a>(live: &'a Relation, wanted: &'a Relation) -> Vec<(&'a Constraint, &'a Constraint)> {
    let mut taken: Vec<&Constraint> = Vec::new();
    let mut found = Vec::new();
    for old in live.constraints.iter().filter(|old| !wanted.constraints.contains(old)) {
        let same = |new: &&Constraint| {
            (&new.kind, &new.definition) == (&old.kind, &old.definition)
                && new.name.is_some()
                && !live.constraints.contains(new)
                && !taken.contains(new)
        };
        if let Some(new) = wanted.constraints.iter().find(same) {
            taken.push(new);
            found.push((old, new));
        }
    }
    found
}

/// A live table that bears another name: with the names that its keys will bear, and its indexes on the new one.
pub(super) fn under(
    (from, live): (&Coordinate, &Relation),
    (to, wanted): (&Coordinate, &Relation),
) -> Relation {
    let mut renamed = live.clone();
    for definition in renamed.indexes.values_mut() {
        *definition = on(definition, from, to);
    }
    for (old, new) in keys(live, wanted) {
        for key in renamed.constraints.iter_mut().filter(|key| *key == old) {
            key.name.clone_from(&new.name);
        }
    }
    renamed.constraints.sort();
    renamed
}

/// The statement of an index, on its table under another name.
pub(super) fn on(definition: &str, from: &Coordinate, to: &Coordinate) -> String {
    let behind = |table: &Coordinate| format!(" ON {}", path(table));
    definition.replacen(&behind(from), &behind(to), 1)
}
