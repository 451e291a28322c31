//! The statements that fill a table.

use std::collections::{BTreeMap, BTreeSet};

use super::error::TransformError;
use super::schedule::runnable;
use crate::model::coordinate::Coordinate;
use crate::model::plan::Run;
use crate::models::{Models, Object};
use crate::sql::{self, Dialect};
use crate::warehouse::csv_rows;

/// Everything that fills one table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refreshment {
    /// The model's name.
    pub model: String,
    /// The table.
    pub coordinate: Coordinate,
    /// The seed's file, which has to be written before the statements run.
    pub seed: Option<SeedFile>,
    /// The statements, for one transaction.
    pub statements: Vec<String>,
    /// A query that counts the rows that are then there.
    pub count: String,
    /// Everything declared that it needs, directly or through others.
    pub upstream: BTreeSet<Coordinate>,
}

/// A copy of a seed's file that the engine can read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeedFile {
    /// Where it has to be.
    pub path: String,
    /// Its bytes.
    pub csv: Vec<u8>,
}

/// Gives what fills the tables of some runs.
///
/// Shape: one for each run, in their order; `folder` is where seeds' files go, without a slash at its end.
/// Pure: equal inputs give equal output.
///
/// # Errors
///
/// [`TransformError::NotRunnable`] if no run fills a model; [`TransformError::Sql`] if a query cannot be
/// taken apart.
pub fn refreshments(models: &Models, runs: &[Run], folder: &str) -> Result<Vec<Refreshment>, TransformError> {
    let graph = models.graph();
    let objects: BTreeMap<&str, &Object> = models
        .objects
        .iter()
        .filter(|object| runnable(object))
        .map(|object| (object.name.as_str(), object))
        .collect();
    let one = |run: &Run| {
        let not_runnable = || TransformError::NotRunnable { model: run.model.clone() };
        let object = *objects.get(run.model.as_str()).ok_or_else(not_runnable)?;
        let coordinate = object.coordinate.clone();
        let path = format!("{folder}/{}.csv", object.name);
        Ok(Refreshment {
            model: object.name.clone(),
            statements: refresh(models, object, &coordinate, &path)?,
            seed: object.seed.as_ref().map(|seed| SeedFile { path, csv: seed.csv.clone() }),
            count: format!("SELECT count(*) FROM {}", sql::qualified(&coordinate)),
            upstream: graph.upstream(&BTreeSet::from([coordinate.clone()])),
            coordinate,
        })
    };
    runs.iter().map(one).collect()
}

/// Gives the statements that replace all rows of a table by those of an object's query.
///
/// Shape: for one transaction; the table has to be there. Columns are matched by name, so that a table
/// with further columns keeps their defaults. `seed_path` is where a seed's file can be read.
/// Pure: equal inputs give equal output.
///
/// # Errors
///
/// [`TransformError::NotRunnable`] if the object has no query; [`TransformError::Sql`] if its query
/// cannot be taken apart.
pub fn refresh(
    models: &Models,
    object: &Object,
    into: &Coordinate,
    seed_path: &str,
) -> Result<Vec<String>, TransformError> {
    let table = sql::qualified(into);
    if let (Some(seed), Dialect::Postgres) = (&object.seed, models.dialect) {
        let rows = inserted(&table, &seed.csv)
            .map_err(|message| TransformError::Seed { coordinate: into.to_string(), message })?;
        return Ok(std::iter::once(format!("DELETE FROM {table}")).chain(rows).collect());
    }
    let query = match (object.seed_select(seed_path), &object.sql) {
        (Some(select), _) => select,
        (None, Some(sql)) => sql::replace(sql, models.dialect, &models.files())
            .map_err(|source| TransformError::Sql { coordinate: into.to_string(), source })?,
        (None, None) => return Err(TransformError::NotRunnable { model: object.name.clone() }),
    };
    Ok(vec![format!("DELETE FROM {table}"), format!("INSERT INTO {table} BY NAME\n{query}")])
}

/// How many rows of a seed one statement writes.
const ROWS: usize = 500;

/// Writes the rows of a CSV text as statements, for an engine that reads no files.
fn inserted(table: &str, csv: &[u8]) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(csv).map_err(|error| error.to_string())?;
    let mut rows = csv_rows(text)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let columns: Vec<String> =
        rows.remove(0).into_iter().map(|name| sql::quote(name.unwrap_or_default().trim())).collect();
    let value = |field: Option<&Option<String>>| match field {
        Some(Some(text)) => sql::literal(text),
        Some(None) | None => "NULL".to_owned(),
    };
    let row = |row: &Vec<Option<String>>| {
        let values: Vec<String> = (0..columns.len()).map(|index| value(row.get(index))).collect();
        format!("({})", values.join(", "))
    };
    let written = |rows: &[Vec<Option<String>>]| {
        let rows: Vec<String> = rows.iter().map(row).collect();
        format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), rows.join(", "))
    };
    Ok(rows.chunks(ROWS).map(written).collect())
}
