//! Tables that are read and never written: what the environment says, over what properties say.

use std::collections::BTreeMap;

use super::object::UsedSource;
use super::properties::Properties;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::environment::Environment;

/// All declared sources.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    tables: BTreeMap<String, BTreeMap<String, UsedSource>>,
    /// Source and table, by where they are.
    places: BTreeMap<Coordinate, (String, String)>,
    /// Coordinates under which SQL may write a source's table, with the one that it has here.
    written: Vec<(Coordinate, Coordinate)>,
}

impl Sources {
    /// Takes the sources of properties, then the environment's over them.
    pub(super) fn of(environment: &Environment, properties: &Properties) -> Self {
        let mut sources = Self::default();
        let mut base: BTreeMap<&str, Dataset> = BTreeMap::new();
        for source in &properties.sources {
            let schema = source.schema.clone().unwrap_or_else(|| source.name.clone());
            let dataset = Dataset { catalog: source.database.clone(), schema };
            for table in &source.tables {
                let name = table.identifier.as_ref().unwrap_or(&table.name);
                sources.add(&source.name, &table.name, dataset.object(name), table.files.clone());
            }
            base.insert(&source.name, dataset);
        }
        for source in &environment.sources {
            let here = source.dataset.clone();
            let dataset = here.unwrap_or_else(|| {
                base.get(source.name.as_str()).cloned().unwrap_or_else(|| Dataset::new(&source.name))
            });
            for table in sources.tables.entry(source.name.clone()).or_default().values_mut() {
                table.coordinate.dataset = dataset.clone();
            }
            for table in &source.tables {
                let name = table.identifier.as_ref().unwrap_or(&table.name);
                sources.add(&source.name, &table.name, dataset.object(name), table.files.clone());
            }
        }
        sources.note_written(&base);
        sources
    }

    fn add(&mut self, source: &str, table: &str, coordinate: Coordinate, files: Option<String>) {
        let used = UsedSource { source: source.to_owned(), table: table.to_owned(), coordinate, files };
        self.tables.entry(source.to_owned()).or_default().insert(table.to_owned(), used);
    }

    fn note_written(&mut self, base: &BTreeMap<&str, Dataset>) {
        let (mut written, mut places) = (Vec::new(), BTreeMap::new());
        for (source, tables) in &self.tables {
            let declared = base.get(source.as_str()).cloned();
            for used in tables.values() {
                let here = &used.coordinate;
                places.insert(here.clone(), (source.clone(), used.table.clone()));
                let plain = Dataset::new(source);
                let froms = [Some(plain), declared.clone(), Some(here.dataset.clone())].into_iter().flatten();
                written.extend(froms.map(|dataset| (dataset.object(&here.name), here.clone())));
            }
        }
        self.written = written;
        self.places = places;
    }

    /// Finds a source's table.
    pub(super) fn table(&self, source: &str, table: &str) -> Option<&UsedSource> {
        self.tables.get(source)?.get(table)
    }

    /// Finds a table by where it is.
    pub(super) fn at(&self, coordinate: &Coordinate) -> Option<&UsedSource> {
        let (source, table) = self.places.get(coordinate)?;
        self.table(source, table)
    }

    /// Lists the coordinates that SQL may write, each with the one that it has here.
    pub(super) fn written(&self) -> &[(Coordinate, Coordinate)] {
        &self.written
    }

    /// Lists the tables of a source by name, or all sources' names where there is no such source.
    pub(super) fn candidates(&self, source: &str) -> Vec<&str> {
        match self.tables.get(source) {
            Some(tables) => tables.keys().map(String::as_str).collect(),
            None => self.tables.keys().map(String::as_str).collect(),
        }
    }

    /// Whether there is a source of the name.
    pub(super) fn has(&self, source: &str) -> bool {
        self.tables.contains_key(source)
    }

    /// Whether a dataset holds a source.
    pub(super) fn holds(&self, dataset: &Dataset) -> bool {
        self.tables.values().flat_map(BTreeMap::values).any(|used| used.coordinate.dataset == *dataset)
    }
}
