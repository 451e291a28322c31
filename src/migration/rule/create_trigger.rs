//! `create-trigger`: a trigger that is not there is made, or takes the place of its old self.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::trigger::outside_function;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, trigger: &str) -> Step {
    let datasets: Vec<&Dataset> = context.live.datasets.iter().chain(context.desired.datasets()).collect();
    let definition = context.wanted(table).and_then(|wanted| wanted.extra.triggers.get(trigger));
    let outside = definition.and_then(|definition| outside_function(definition, &datasets));
    let unproven = outside.map(|(schema, routine)| {
        format!(
            "; that its function `{schema}.{routine}` is there is not proven: nothing is read where it lies"
        )
    });
    Draft::new(context, "create-trigger", table)
        .judged(Verdict::CompatibleWithCost, Mechanics::Metadata)
        .reason(format!(
            "trigger `{trigger}` runs on every write of `{table}` from now on{}",
            unproven.unwrap_or_default()
        ))
        .done()
}
