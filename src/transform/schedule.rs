//! Which tables are built, and why.

use std::collections::BTreeSet;

use crate::model::coordinate::Coordinate;
use crate::model::plan::Run;
use crate::models::{Materialized, Models, Object, ObjectKind, State};

/// Lists the runs of a full refresh.
///
/// Shape: tables, incremental models and seeds among `selection`, what others need first. Views need no
/// run, and others fill external tables.
/// Pure: equal inputs give equal output.
pub fn schedule(models: &Models, selection: &BTreeSet<Coordinate>) -> Vec<Run> {
    models
        .objects
        .iter()
        .filter(|object| selection.contains(&object.coordinate) && runnable(object))
        .map(|object| Run { model: object.name.clone(), partition: None, reason: reason(object) })
        .collect()
}

/// Whether a run fills an object.
pub(super) fn runnable(object: &Object) -> bool {
    let filled = match object.kind {
        ObjectKind::Seed => true,
        ObjectKind::Model => match object.materialized {
            Materialized::Table | Materialized::Incremental => true,
            Materialized::View | Materialized::External => false,
        },
        ObjectKind::Ddl | ObjectKind::Routine => false,
    };
    filled && object.state == State::Present
}

fn reason(object: &Object) -> String {
    match &object.seed {
        Some(seed) if seed.rows == 1 => format!("full refresh: 1 row of {}", object.place.file),
        Some(seed) => format!("full refresh: {} rows of {}", seed.rows, object.place.file),
        None => match object.depends_on.len() {
            0 => "full refresh".to_owned(),
            1 => format!("full refresh from {}", object.depends_on[0].name),
            _ => {
                let names: Vec<&str> = object.depends_on.iter().map(|need| need.name.as_str()).collect();
                format!("full refresh from {}", names.join(", "))
            }
        },
    }
}
