//! A project from what is live: `promote migrate --import`.
//!
//! What is live and not declared is written down, and a plan in which it is taken over says whether the files declare
//! just that: an object for which they do not is left out and named. Nothing is written before [`Importing::write`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use crate::migration::{self, MigrationError};
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::model::migration::Step;
use crate::model::origin::Place;
use crate::model::plan::Acknowledgements;
use crate::model::schema::Schema;
use crate::models::{Models, ModelsError};
use crate::sql::Dialect;
use crate::warehouse::same_name;

use super::error::PromotionError;
use super::load;
use super::mask;
use super::migrate::{Migrating, plan_migration};
use super::reading::Reading;
use super::request::Ports;
use super::schema::{self, Subject};

/// The code of the only step that an import is made of.
const ADOPT_OBJECT: &str = "adopt-object";

/// An import that was planned.
pub struct Importing {
    /// The plan that takes over what the files declare.
    pub migrating: Migrating,
    /// The files, by their path in the project.
    files: BTreeMap<String, Written>,
    root: PathBuf,
}

/// A file that declares one object.
struct Written {
    object: Coordinate,
    text: String,
    /// What is tried where the text does not declare the object.
    placed: Option<String>,
}

impl Importing {
    /// Gives the paths of the files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Gives steps that are none of an import: what was declared before differs from what is live.
    pub fn others(&self) -> impl Iterator<Item = &Step> {
        self.migrating.migration.steps.iter().filter(|step| step.code != ADOPT_OBJECT)
    }

    /// Writes the files; one that is there already is left as it is.
    ///
    /// # Errors
    ///
    /// [`PromotionError::File`] if one cannot be written.
    pub fn write(&self) -> Result<(), PromotionError> {
        for (path, written) in &self.files {
            let path = self.root.join(path);
            let make = || {
                path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
                file.write_all(written.text.as_bytes())
            };
            make().map_err(|source| PromotionError::File { doing: "write", path: path.clone(), source })?;
        }
        Ok(())
    }
}

/// Plans to declare what is live in the dataset of the environment that was read.
///
/// Effects: reads the warehouse; builds and tries things in a scratch; leaves nothing behind.
///
/// # Errors
///
/// As [`plan_migration`], for what was declared before.
pub async fn plan_import(
    reading: &Reading,
    said: &Acknowledgements,
    ports: &mut Ports<'_>,
) -> Result<Importing, PromotionError> {
    let subject = Subject::of(&reading.resolved)?;
    let live = schema::live(&subject, ports).await?;
    let before = reading.models(ports)?;
    let dialect = Dialect::of(&subject.warehouse);
    let import = migration::import(&live, &subject.dataset, dialect);
    let mut findings: Vec<Finding> = import
        .left_out
        .iter()
        .filter(|(object, _)| !declares(&before, object))
        .map(|(object, why)| left_out(object, why))
        .collect();
    let new = import.objects.into_iter().filter(|imported| !declares(&before, &imported.object));
    let mut files = BTreeMap::new();
    for imported in new {
        let path = free_path(reading, &files, &imported.object.name);
        files.insert(
            path,
            Written { object: imported.object, text: imported.text, placed: Some(imported.placed) },
        );
    }
    let mut migrating = loop {
        match attempt(reading, &files, said, ports).await? {
            Attempt::Planned(migrating) => break *migrating,
            Attempt::Faulty(faults) => {
                for (path, why) in faults {
                    findings.extend(retried(&mut files, &path, &why));
                }
            }
        }
    };
    findings.extend(files.iter().map(|(path, written)| noted(path, &written.object, &live, dialect)));
    mask::findings(&mut findings, &reading.mask());
    migrating.findings.extend(findings);
    Ok(Importing { migrating, files, root: reading.resolved.root.clone() })
}

/// Takes the other text of a file, or leaves its object out.
fn retried(files: &mut BTreeMap<String, Written>, path: &str, why: &str) -> Option<Finding> {
    let written = files.get_mut(path)?;
    if let Some(placed) = written.placed.take().filter(|placed| *placed != written.text) {
        written.text = placed;
        return None;
    }
    let finding = left_out(&written.object, why);
    files.remove(path);
    Some(finding)
}

/// What came of planning with the files.
enum Attempt {
    Planned(Box<Migrating>),
    /// Files that declare something else than what is live, or nothing, with why.
    Faulty(BTreeMap<String, String>),
}

async fn attempt(
    reading: &Reading,
    files: &BTreeMap<String, Written>,
    said: &Acknowledgements,
    ports: &mut Ports<'_>,
) -> Result<Attempt, PromotionError> {
    let mut snapshot = reading.snapshot.clone();
    snapshot
        .files
        .extend(files.iter().map(|(path, written)| (path.clone(), written.text.clone().into_bytes())));
    let planned = match load::load_models(&snapshot, &reading.resolved, &reading.written, ports) {
        Ok(models) => plan_migration(reading, &models, said, ports).await,
        Err(error) => Err(error),
    };
    let faults: BTreeMap<String, String> = match &planned {
        Ok(migrating) => differing(&migrating.migration.steps, files),
        Err(
            PromotionError::Models(ModelsError::Faults(faults))
            | PromotionError::Migration(MigrationError::Faults(faults)),
        ) => {
            let placed = faults.iter().filter_map(|fault| Some((fault.place.as_ref()?, &fault.message)));
            let ours = placed.filter(|(place, _)| files.contains_key(&*place.file));
            ours.map(|(place, why)| (place.file.to_string(), why.clone())).collect()
        }
        Err(_) => BTreeMap::new(),
    };
    if faults.is_empty() {
        planned.map(|planned| Attempt::Planned(Box::new(planned)))
    } else {
        Ok(Attempt::Faulty(faults))
    }
}

/// Finds the files whose object a plan would change.
fn differing(steps: &[Step], files: &BTreeMap<String, Written>) -> BTreeMap<String, String> {
    let others: Vec<&Step> = steps.iter().filter(|step| step.code != ADOPT_OBJECT).collect();
    let differs = |(path, written): (&String, &Written)| {
        let object = written.object.to_string();
        let step = others.iter().find(|step| step.object == object)?;
        Some((
            path.clone(),
            format!("its declaration would not be what is live: {} ({})", step.reason, step.code),
        ))
    };
    files.iter().filter_map(differs).collect()
}

fn declares(models: &Models, object: &Coordinate) -> bool {
    models.objects.iter().any(|known| {
        known.coordinate.dataset == object.dataset && same_name(&known.coordinate.name, &object.name)
    })
}

fn left_out(object: &Coordinate, why: &str) -> Finding {
    Finding::warning("not-imported", format!("`{object}` is left as it is and not declared: {why}"))
        .hint("declare it by hand, as a source where others look after it, or leave it alone")
}

fn noted(path: &str, object: &Coordinate, live: &Schema, dialect: Dialect) -> Finding {
    let place = Place::file(path);
    let takes = live
        .routines
        .get(object)
        .is_some_and(|routine| routine.overloads.iter().any(|overload| !overload.parameters.is_empty()));
    if takes && dialect == Dialect::DuckDb {
        let message =
            format!("declares `{object}` as it is live; DuckDB does not tell the defaults of its parameters");
        return Finding::warning("imported", message)
            .at(place)
            .hint("write the defaults in, where it has some, before it is changed");
    }
    Finding::notice("imported", format!("declares `{object}` as it is live")).at(place)
}

/// Gives a path that no file has, whatever the case.
fn free_path(reading: &Reading, files: &BTreeMap<String, Written>, name: &str) -> String {
    let folders = &reading.resolved.environment.paths.schema;
    let folder = folders.first().map_or("schema", String::as_str);
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let plain = |next: char| if next.is_alphanumeric() || next == '_' { next } else { '_' };
    let stem: String = name.to_lowercase().chars().map(plain).collect();
    let taken: BTreeSet<String> =
        reading.snapshot.files.keys().chain(files.keys()).map(|path| path.to_lowercase()).collect();
    let path = |number: u32| {
        let ending = if number == 1 { String::new() } else { format!("_{number}") };
        let file = format!("{stem}{ending}.sql");
        if matches!(folder, "" | ".") { file } else { format!("{folder}/{file}") }
    };
    (1..=u32::MAX).map(path).find(|path| !taken.contains(&path.to_lowercase())).expect("some number is free")
}
