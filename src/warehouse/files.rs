//! Files that are typed before a scratch is closed to the outside.

use std::collections::BTreeMap;

use crate::model::coordinate::Coordinate;
use crate::model::schema::Column;

/// What may be read from outside, once, before untrusted SQL comes in.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Sources that are files: a path or glob each (CSV, JSON or Parquet by its ending).
    pub sources: Vec<(Coordinate, String)>,
    /// Seeds: CSV text.
    pub seeds: Vec<(Coordinate, Vec<u8>)>,
}

/// What the engine says these files hold.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// Columns by object.
    pub columns: BTreeMap<Coordinate, Vec<Column>>,
    /// Files that could not be typed, with the engine's own words.
    pub faults: Vec<(Coordinate, String)>,
}
