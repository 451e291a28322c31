//! A desired state as it is remembered: whole, or as what differs from one that was remembered before.
//!
//! Where one object of a thousand changed, writing all of them again would cost more than building that one. What is
//! remembered as a difference needs what it differs from; where that is gone, so is it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::desired::Desired;
use super::memory::{self, Memory};
use crate::model::coordinate::Coordinate;

/// How many differences may stand on each other.
const DEPTH: u32 = 8;
/// Differences that are more than such a part of the whole are none.
const PART: usize = 4;

/// A desired state with what made it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The state.
    pub(super) desired: Desired,
    /// What each declaration made of it, by the declaration's digest; empty where nothing may be reused.
    pub(super) made: BTreeMap<String, Vec<Coordinate>>,
}

/// One that was recalled.
pub(super) struct Recalled {
    /// Its key.
    pub(super) key: String,
    /// It.
    pub(super) kept: Kept,
    /// How many differences it was put together from.
    depth: u32,
}

/// What one has that an earlier one has not.
#[derive(Debug, Serialize, Deserialize)]
struct Difference {
    /// The earlier one's key.
    since: String,
    /// What is new or other than it was; what is no object is there in any case.
    desired: Desired,
    /// What is no longer there.
    gone: Vec<Coordinate>,
    /// Declarations that are new, or make other objects.
    made: BTreeMap<String, Vec<Coordinate>>,
    /// Declarations that are no longer there.
    unmade: Vec<String>,
}

impl Kept {
    /// Makes what is to be remembered where nothing may be reused.
    pub(super) fn whole(desired: Desired) -> Self {
        Self { desired, made: BTreeMap::new() }
    }

    /// Whether parts of it may be reused.
    pub(super) fn has_parts(&self) -> bool {
        !self.made.is_empty()
    }

    /// Recalls one, put together from differences where it was kept so.
    pub(super) fn recall(memory: &dyn Memory, key: &str) -> Option<Recalled> {
        Self::recall_within(memory, key, DEPTH)
    }

    fn recall_within(memory: &dyn Memory, key: &str, depth: u32) -> Option<Recalled> {
        if let Some(kept) = memory::recall::<Self>(memory, key) {
            return Some(Recalled { key: key.to_owned(), kept, depth: 0 });
        }
        let difference: Difference = memory::recall(memory, &since(key))?;
        let base = Self::recall_within(memory, &difference.since, depth.checked_sub(1)?)?;
        let kept = difference.applied(base.kept);
        Some(Recalled { key: key.to_owned(), kept, depth: base.depth + 1 })
    }

    /// Keeps it, as a difference where it is one that is worth it.
    pub(super) fn keep(&self, memory: &mut dyn Memory, key: &str, before: Option<&Recalled>) {
        let before = before.filter(|before| before.depth < DEPTH && self.has_parts());
        let difference = before.map(|before| Difference::between(before, self));
        let all = self.desired.objects.len();
        match difference.filter(|difference| difference.weight() <= all / PART) {
            Some(difference) => memory::keep(memory, &since(key), &difference),
            None => memory::keep(memory, key, self),
        }
    }
}

impl Difference {
    fn between(before: &Recalled, after: &Kept) -> Self {
        let (old, new) = (&before.kept.desired, &after.desired);
        let same = |object: &Coordinate| {
            old.objects.get(object) == new.objects.get(object)
                && old.schema.relations.get(object) == new.schema.relations.get(object)
                && old.schema.routines.get(object) == new.schema.routines.get(object)
                && old.schema.types.get(object) == new.schema.types.get(object)
        };
        let there = |desired: &Desired, object: &Coordinate| {
            desired.objects.contains_key(object) || desired.schema.holds(object)
        };
        let names: BTreeSet<&Coordinate> = new.objects.keys().chain(new.schema.names()).collect();
        let other: BTreeSet<&Coordinate> = names.into_iter().filter(|object| !same(object)).collect();
        let names: BTreeSet<&Coordinate> = old.objects.keys().chain(old.schema.names()).collect();
        let gone = names.into_iter().filter(|object| !there(new, object)).cloned().collect();
        let made = after.made.iter().filter(|(digest, names)| before.kept.made.get(*digest) != Some(*names));
        let unmade = before.kept.made.keys().filter(|digest| !after.made.contains_key(*digest));
        Self {
            since: before.key.clone(),
            desired: Desired { dropped: new.dropped.clone(), ..new.only(|object| other.contains(object)) },
            gone,
            made: made.map(|(digest, names)| (digest.clone(), names.clone())).collect(),
            unmade: unmade.cloned().collect(),
        }
    }

    /// How many objects it speaks of.
    fn weight(&self) -> usize {
        self.desired.objects.len() + self.gone.len()
    }

    fn applied(self, base: Kept) -> Kept {
        let Kept { desired: old, mut made } = base;
        let Desired { mut schema, mut objects, .. } = old;
        let other: Vec<Coordinate> =
            self.desired.objects.keys().chain(self.desired.schema.names()).cloned().collect();
        for object in self.gone.iter().chain(&other) {
            schema.relations.remove(object);
            schema.routines.remove(object);
            schema.types.remove(object);
            objects.remove(object);
        }
        let Desired { dataset, dialect, schema: new, objects: known, dropped, texts } = self.desired;
        schema.datasets = new.datasets;
        schema.relations.extend(new.relations);
        schema.routines.extend(new.routines);
        schema.types.extend(new.types);
        objects.extend(known);
        for digest in &self.unmade {
            made.remove(digest);
        }
        made.extend(self.made);
        Kept { desired: Desired { dataset, dialect, schema, objects, dropped, texts }, made }
    }
}

/// The key of a difference.
fn since(key: &str) -> String {
    format!("{key}-since")
}
