//! Which coordinate takes the place of which.

use std::collections::BTreeMap;

use crate::model::coordinate::{Coordinate, Dataset};

/// What a name stands for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Known {
    /// A table or view.
    Relation,
    /// A function, macro or procedure.
    Routine,
    /// A type, written without a dataset.
    Type,
}

/// Names that are known, and the coordinate that each has in this environment.
///
/// Shape: engines fold case, so names are found whatever their case.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    names: BTreeMap<(Known, Vec<String>), Coordinate>,
}

impl Mapping {
    /// Puts `to` in the place of `from`; the same one twice makes it known.
    pub fn coordinate(&mut self, known: Known, from: &Coordinate, to: &Coordinate) {
        let Dataset { catalog, schema } = &from.dataset;
        let parts = [catalog.as_deref(), Some(schema.as_str()), Some(from.name.as_str())];
        self.insert(known, parts.into_iter().flatten(), to);
    }

    /// Puts `to` in the place of a name without a dataset.
    pub fn bare(&mut self, known: Known, name: &str, to: &Coordinate) {
        self.insert(known, std::iter::once(name), to);
    }

    fn insert<'a>(&mut self, known: Known, parts: impl Iterator<Item = &'a str>, to: &Coordinate) {
        self.names.insert((known, parts.map(str::to_lowercase).collect()), to.clone());
    }

    /// Finds what takes the place of a chain of names.
    pub(super) fn find<'a>(&self, known: Known, parts: impl Iterator<Item = &'a str>) -> Option<&Coordinate> {
        self.names.get(&(known, parts.map(str::to_lowercase).collect()))
    }
}
