//! The one loop that builds tables.

use std::collections::BTreeSet;

use super::Refresh;
use super::error::{RefreshError, TransformError};
use super::refresh::Refreshment;
use crate::model::coordinate::Coordinate;
use crate::model::event::{Event, Listener};

/// What came of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunResult {
    /// The model's name.
    pub model: String,
    /// The table.
    pub coordinate: Coordinate,
    /// What came of it.
    pub status: RunStatus,
}

/// How a run ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RunStatus {
    /// The table holds the new rows.
    Built {
        /// How many.
        rows: u64,
    },
    /// The table holds what it held before.
    Failed {
        /// The engine's words.
        message: String,
    },
    /// It was not tried.
    Skipped {
        /// The table that failed and that it needs.
        because: Coordinate,
    },
}

/// Builds tables one after the other.
///
/// Shape: a result for each refreshment, in their order.
/// Effects: each table is replaced in a transaction of its own; one that fails stays as it was, what
/// needs it is skipped, the others go on.
///
/// # Errors
///
/// [`TransformError::Lost`] if the warehouse is lost on the way; what was built until then stays.
pub async fn execute(
    refreshments: &[Refreshment],
    warehouse: &mut dyn Refresh,
    listener: &mut dyn Listener,
) -> Result<Vec<RunResult>, TransformError> {
    let mut failed: BTreeSet<Coordinate> = BTreeSet::new();
    let mut results = Vec::with_capacity(refreshments.len());
    for refreshment in refreshments {
        let status = match refreshment.upstream.intersection(&failed).next() {
            Some(because) => RunStatus::Skipped { because: because.clone() },
            None => build(refreshment, warehouse, listener).await?,
        };
        if matches!(status, RunStatus::Failed { .. }) {
            failed.insert(refreshment.coordinate.clone());
        }
        listener.hear(Event::Says(sentence(refreshment, &status)));
        let Refreshment { model, coordinate, .. } = refreshment;
        results.push(RunResult { model: model.clone(), coordinate: coordinate.clone(), status });
    }
    Ok(results)
}

async fn build(
    refreshment: &Refreshment,
    warehouse: &mut dyn Refresh,
    listener: &mut dyn Listener,
) -> Result<RunStatus, TransformError> {
    listener.hear(Event::Begins(format!("building {}", refreshment.coordinate)));
    let outcome = warehouse.refresh(refreshment).await;
    listener.hear(Event::Ends);
    match outcome {
        Ok(rows) => Ok(RunStatus::Built { rows }),
        Err(RefreshError::Statement { message, .. }) => Ok(RunStatus::Failed { message }),
        Err(source @ RefreshError::Lost { .. }) => {
            Err(TransformError::Lost { model: refreshment.model.clone(), source })
        }
    }
}

fn sentence(refreshment: &Refreshment, status: &RunStatus) -> String {
    let table = &refreshment.coordinate;
    match status {
        RunStatus::Built { rows: 1 } => format!("Built {table}: 1 row."),
        RunStatus::Built { rows } => format!("Built {table}: {rows} rows."),
        RunStatus::Failed { message } => {
            format!("Could not build {table}: {}.", message.trim_end_matches('.'))
        }
        RunStatus::Skipped { because } => format!("Skipped {table}, because {because} failed."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;

    struct Scripted;

    #[async_trait(?Send)]
    impl Refresh for Scripted {
        async fn refresh(&mut self, refreshment: &Refreshment) -> Result<u64, RefreshError> {
            match refreshment.model.as_str() {
                "bad" => Err(RefreshError::Statement { sql: String::new(), message: "no".into() }),
                "gone" => Err(RefreshError::Lost { message: "gone".into() }),
                _ => Ok(3),
            }
        }
    }

    fn refreshment(model: &str, upstream: &[&str]) -> Refreshment {
        let coordinate = |name: &str| format!("s.{name}").parse::<Coordinate>().unwrap();
        Refreshment {
            model: model.to_owned(),
            coordinate: coordinate(model),
            seed: None,
            statements: Vec::new(),
            count: String::new(),
            upstream: upstream.iter().map(|name| coordinate(name)).collect(),
        }
    }

    fn run(refreshments: &[Refreshment]) -> (Result<Vec<RunResult>, TransformError>, Vec<Event>) {
        let mut events = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut listener = |event| events.push(event);
        let results = runtime.block_on(execute(refreshments, &mut Scripted, &mut listener));
        (results, events)
    }

    #[test]
    fn skips_what_is_downstream_of_a_failure_and_goes_on() {
        let (results, events) = run(&[
            refreshment("bad", &[]),
            refreshment("below", &["bad", "view"]),
            refreshment("other", &["raw"]),
        ]);
        let statuses: Vec<RunStatus> = results.unwrap().into_iter().map(|result| result.status).collect();
        assert_eq!(
            statuses,
            [
                RunStatus::Failed { message: "no".into() },
                RunStatus::Skipped { because: "s.bad".parse().unwrap() },
                RunStatus::Built { rows: 3 },
            ]
        );
        assert_eq!(events.last(), Some(&Event::Says("Built s.other: 3 rows.".into())));
    }

    #[test]
    fn stops_when_the_warehouse_is_lost() {
        let (results, _) = run(&[refreshment("gone", &[]), refreshment("other", &[])]);
        assert!(matches!(results, Err(TransformError::Lost { model, .. }) if model == "gone"));
    }
}
