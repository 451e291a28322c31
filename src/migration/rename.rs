//! Keys of a table that bears another name: an engine that names them after their table names the same key otherwise.

use crate::model::schema::{Constraint, Relation};

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

/// A live table with the names that its keys will bear.
pub(super) fn with_keys(live: &Relation, wanted: &Relation) -> Relation {
    let mut renamed = live.clone();
    for (old, new) in keys(live, wanted) {
        for key in renamed.constraints.iter_mut().filter(|key| *key == old) {
            key.name.clone_from(&new.name);
        }
    }
    renamed.constraints.sort();
    renamed
}
