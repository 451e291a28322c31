//! Runs of models: the transform room's loop over the warehouse's transactions.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::config::Resolved;
use crate::model::coordinate::Coordinate;
use crate::model::plan::Run;
use crate::models::{self, Models};
use crate::transform::{self, Refresh, RefreshError, Refreshment, RunResult};
use crate::warehouse::{self, Connection, Interrupt, Reach, WarehouseError};

use super::apply::Applied;
use super::error::PromotionError;
use super::request::Ports;

/// Lists what would be built.
///
/// # Errors
///
/// [`PromotionError::Select`] if a selector selects nothing.
pub fn runs(models: &Models, selectors: &[String]) -> Result<Vec<Run>, PromotionError> {
    Ok(transform::schedule(models, &models::select(models, selectors)?))
}

/// Builds models into the environment's dataset, in dependency order.
///
/// Effects: each table is replaced in a transaction of its own; what hangs on a failed one is left alone.
///
/// # Errors
///
/// [`PromotionError::Warehouse`] if the warehouse cannot be opened or is lost.
pub async fn build(
    resolved: &Resolved,
    models: &Models,
    runs: &[Run],
    ports: &mut Ports<'_>,
) -> Result<Vec<RunResult>, PromotionError> {
    let folder = tempfile::Builder::new().prefix("promote-seeds-").tempdir().map_err(|source| {
        PromotionError::File { doing: "make a folder in", path: std::env::temp_dir(), source }
    })?;
    let place = folder.path().to_string_lossy().into_owned();
    let refreshments = transform::refreshments(models, runs, &place)?;
    let datasets: BTreeSet<_> = models.datasets.iter().cloned().collect();
    let reach = Reach {
        patience: std::time::Duration::from_secs(2),
        interrupt: Interrupt::clone(&ports.interrupted),
        variables: ports.variables.clone(),
        ..Reach::writing(datasets.into_iter().collect())
    };
    let environment = resolved.environment.name.to_string();
    let failed = |source| PromotionError::Warehouse {
        environment: environment.clone(),
        warehouse: resolved
            .environment
            .warehouse
            .as_ref()
            .map_or("", |warehouse| warehouse.kind())
            .to_owned(),
        source,
    };
    let connection = warehouse::connect(resolved.warehouse()?, &reach).await.map_err(failed)?;
    let mut filler = Filler { connection };
    let results = transform::execute(&refreshments, &mut filler, ports.listener).await;
    ports.stop_if_asked()?;
    Ok(results?)
}

/// Builds the models of a promotion that was applied.
///
/// Shape: nothing where its environment has no models.
///
/// # Errors
///
/// As [`build`].
pub async fn build_promoted(
    applied: &Applied,
    ports: &mut Ports<'_>,
) -> Result<Vec<RunResult>, PromotionError> {
    let Some(target) = &applied.stage.target else { return Ok(Vec::new()) };
    let Some(models) = &target.models else { return Ok(Vec::new()) };
    build(&target.resolved, models, &applied.plan.runs, ports).await
}

/// Fills tables over a connection.
struct Filler {
    connection: Connection,
}

#[async_trait(?Send)]
impl Refresh for Filler {
    async fn refresh(&mut self, refreshment: &Refreshment) -> Result<u64, RefreshError> {
        if let Some(seed) = &refreshment.seed {
            std::fs::write(&seed.path, &seed.csv)
                .map_err(|error| failed(&refreshment.coordinate, &error.to_string()))?;
        }
        self.connection
            .run(&refreshment.statements)
            .await
            .map_err(|error| lost_or_failed(refreshment, &error))?;
        let counts = self.connection.counts(std::slice::from_ref(&refreshment.count)).await;
        counts
            .map(|counts| counts.first().copied().unwrap_or_default())
            .map_err(|error| lost_or_failed(refreshment, &error))
    }
}

fn failed(coordinate: &Coordinate, message: &str) -> RefreshError {
    RefreshError::Statement { sql: coordinate.to_string(), message: message.to_owned() }
}

fn lost_or_failed(refreshment: &Refreshment, error: &WarehouseError) -> RefreshError {
    if let WarehouseError::Statement { sql, message, .. } = error {
        return RefreshError::Statement { sql: sql.clone(), message: message.clone() };
    }
    if matches!(error, WarehouseError::Interrupted) {
        return RefreshError::Lost { message: "interrupted".to_owned() };
    }
    failed(&refreshment.coordinate, &error.to_string())
}
