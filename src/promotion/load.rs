//! Project files and models of a commit, a tree or the working tree.

use std::collections::BTreeMap;

use crate::config::{self, Resolved, Written};
use crate::git::{Revision, Store};
use crate::model::coordinate::Dataset;
use crate::model::environment::Warehouse;
use crate::model::finding::Finding;
use crate::model::snapshot::Snapshot;
use crate::models::{self, Models, ModelsError};
use crate::sql::Dialect;

use super::error::PromotionError;
use super::ground::is_wanted;
use super::request::Ports;

/// Reads a project file of a commit or tree, with the files that models and schema need.
pub(super) fn load(
    store: &Store,
    revision: &Revision,
    prefix: &str,
    file: &str,
) -> Result<Option<(Written, Snapshot)>, PromotionError> {
    read(store, revision, (prefix, file), &is_wanted)
}

/// Reads a project file of a commit or tree with what it includes, and nothing else.
pub(super) fn load_written(
    store: &Store,
    revision: &Revision,
    prefix: &str,
    file: &str,
) -> Result<Option<Written>, PromotionError> {
    let found = read(store, revision, (prefix, file), &config::is_project_file)?;
    Ok(found.map(|(written, _)| written))
}

fn read(
    store: &Store,
    revision: &Revision,
    (prefix, file): (&str, &str),
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Option<(Written, Snapshot)>, PromotionError> {
    // Without a project file nothing is looked for in a tree that may be large.
    if store.read_file(revision, &format!("{prefix}{file}"))?.is_none() {
        return Ok(None);
    }
    let mut snapshot = store.snapshot(revision, &|path| path.strip_prefix(prefix).is_some_and(wanted))?;
    if !prefix.is_empty() {
        let files = std::mem::take(&mut snapshot.files);
        snapshot.files =
            files.into_iter().map(|(path, bytes)| (path[prefix.len()..].to_owned(), bytes)).collect();
    }
    if !snapshot.files.contains_key(file) {
        return Ok(None);
    }
    Ok(Some((config::load(&snapshot, file)?, snapshot)))
}

/// Loads the models for an environment; datasets of the other environments are not to be referred to.
pub(super) fn load_models(
    snapshot: &Snapshot,
    resolved: &Resolved,
    written: &Written,
    ports: &Ports<'_>,
) -> Result<Models, PromotionError> {
    if let Some(Warehouse::Command { .. }) = &resolved.environment.warehouse {
        return Ok(somebody_elses());
    }
    let other_datasets = other_datasets(resolved, written, ports);
    let context =
        models::Context { environment: &resolved.environment, other_datasets, variables: ports.variables };
    let models = models::load(snapshot, &context)?;
    let faults = views_over_files(&models);
    if faults.is_empty() { Ok(models) } else { Err(ModelsError::Faults(faults).into()) }
}

/// Models that another planner knows are none of ours.
fn somebody_elses() -> Models {
    Models {
        dialect: Dialect::Generic,
        objects: Vec::new(),
        sources: Vec::new(),
        datasets: Vec::new(),
        disabled: Vec::new(),
        texts: BTreeMap::new(),
        findings: Vec::new(),
    }
}

/// Lists views that read a source which is files: a view is made where no file may be read.
fn views_over_files(models: &Models) -> Vec<Finding> {
    let files = models.files();
    let views = models.objects.iter().filter(|object| {
        object.kind == models::ObjectKind::Model && object.materialized == models::Materialized::View
    });
    let over =
        views.filter_map(|view| Some((view, view.reads.iter().find(|read| files.contains_key(*read))?)));
    over.map(|(view, source)| {
        Finding::error(
            "view-over-files",
            format!(
                "view `{}` reads `{source}`, which is files: views are made where no file may be read",
                view.name
            ),
        )
        .at(view.place.clone())
        .hint("make it a table: config(materialized='table')")
    })
    .collect()
}

/// Lists the datasets of the other environments, as far as they are known here, and the environment's own where a flag
/// sends it into another one.
fn other_datasets(resolved: &Resolved, written: &Written, ports: &Ports<'_>) -> Vec<Dataset> {
    let inputs = config::Inputs {
        variables: ports.variables.clone(),
        root: resolved.root.clone(),
        ..config::Inputs::default()
    };
    let own = &resolved.environment;
    let names = written.project().environments.iter();
    let mut datasets: Vec<Dataset> = names
        .filter_map(|name| written.without_plugins(name, &inputs).ok()?.environment.dataset)
        .filter(|dataset| Some(dataset) != own.dataset.as_ref())
        .collect();
    datasets.sort();
    datasets.dedup();
    datasets
}
