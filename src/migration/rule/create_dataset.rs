//! `create-dataset`: a dataset that is not there is made.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::create_dataset;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, dataset: &Dataset) -> Step {
    let object: Coordinate = dataset.object("");
    let mut step = Draft::new(context, "create-dataset", &object)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("dataset `{dataset}` is not there yet"))
        .ddl(vec![create_dataset(dataset)])
        .done();
    step.object = dataset.to_string();
    step
}
