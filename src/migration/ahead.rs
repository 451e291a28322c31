//! What the schema has more than the code since a promotion was taken back: it stays, and that is said.
//!
//! A rollback moves code only. What its promotions added to the schema is not declared any more, and dropping it
//! would lose values that were written since; so it is taken for declared until somebody lets it go by name.

use std::collections::BTreeSet;

use super::desired::Desired;
use super::steps::{Options, is_let_through};
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::model::schema::{Relation, Schema};
use crate::warehouse::Ledger;

/// Adds to what is declared what promotions that were taken back have left, with a notice for each.
///
/// Shape: of a table the columns that they added; a view that returns more than it is declared to as it is.
/// Pure: equal inputs give equal output.
pub(super) fn kept(
    mut desired: Desired,
    live: &Schema,
    ledger: &Ledger,
    options: &Options,
) -> (Desired, Vec<Finding>) {
    let mut findings = Vec::new();
    let back = ledger.migrations.iter().filter(|migration| options.taken_back.contains(&migration.plan_id));
    let steps = back.flat_map(|migration| &migration.steps);
    let touched: BTreeSet<(&str, Option<&str>)> = steps
        .filter(|step| matches!(step.code.as_str(), "add-column" | "add-view-column"))
        .map(|step| (step.object.as_str(), step.column.as_deref().filter(|_| step.code == "add-column")))
        .collect();
    for (object, column) in touched {
        let Some((name, wanted)) =
            desired.schema.relations.iter_mut().find(|(name, _)| name.to_string() == object)
        else {
            continue;
        };
        let Some(there) = live.relations.get(name).filter(|there| there.kind == wanted.kind) else {
            continue;
        };
        let more: Vec<String> = more(there, wanted, column);
        let code = if column.is_some() { "drop-column" } else { "drop-view-column" };
        if more.is_empty() || is_let_through(options, code, object, column) {
            continue;
        }
        match column {
            Some(_) => add(there, wanted, &more),
            None => *wanted = there.clone(),
        }
        findings.push(notice(name, &more, column.is_none()));
    }
    (desired, findings)
}

/// Lists the columns that are there and not declared.
fn more(there: &Relation, wanted: &Relation, only: Option<&str>) -> Vec<String> {
    let names = there.columns.iter().map(|column| column.name.clone());
    let names = names.filter(|name| only.is_none_or(|only| only == name));
    names.filter(|name| wanted.column(name).is_none()).collect()
}

/// Puts columns where they are live.
fn add(there: &Relation, wanted: &mut Relation, names: &[String]) {
    for (place, column) in there.columns.iter().enumerate() {
        if names.contains(&column.name) {
            wanted.columns.insert(place.min(wanted.columns.len()), column.clone());
        }
    }
}

fn notice(object: &Coordinate, columns: &[String], view: bool) -> Finding {
    let list: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    let (list, code) = (list.join(", "), if view { "drop-view-column" } else { "drop-column" });
    let stays = if view { "the view stays as it is" } else { "it stays" };
    let message = format!(
        "`{object}` has {list}, which a promotion brought that was taken back: the schema is ahead; {stays}"
    );
    let what = if view { object.to_string() } else { format!("{object}.{}", columns.join(",")) };
    Finding::notice("ahead-of-code", message).hint(format!("`--allow {code}:{what}` lets it go"))
}
