//! `change-view` and its kin: the query or the output of a view is another.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::fit::{Fit, fit};
use crate::migration::statement::create_view;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::name;

pub(super) fn step(context: &Context<'_>, view: &Coordinate) -> Step {
    let (Some(live), Some(wanted)) = (context.relation(view), context.wanted(view)) else {
        return super::create_view::step(context, view);
    };
    let ddl = create_view(view, wanted, true);
    let gone: Vec<&str> = live
        .columns
        .iter()
        .filter(|column| wanted.column(&column.name).is_none())
        .map(|column| column.name.as_str())
        .collect();
    if !gone.is_empty() {
        return refused(context, view, "drop-view-column", &gone, "would no longer return").ddl(ddl).done();
    }
    let retyped = |wanted_fit: fn(Fit) -> bool| -> Vec<&str> {
        let columns = wanted.columns.iter().filter(|column| {
            live.column(&column.name).is_some_and(|old| wanted_fit(fit(&old.data_type, &column.data_type)))
        });
        columns.map(|column| column.name.as_str()).collect()
    };
    let broken = retyped(|fit| matches!(fit, Fit::Narrower | Fit::Other));
    if !broken.is_empty() {
        return refused(context, view, "retype-view-column", &broken, "would return another type for")
            .ddl(ddl)
            .done();
    }
    let added = wanted.columns.iter().filter(|column| live.column(&column.name).is_none());
    let added: Vec<&str> = added.map(|column| column.name.as_str()).collect();
    let wider = retyped(|fit| fit == Fit::Wider);
    let reason = match (added.is_empty(), wider.is_empty()) {
        (true, true) => format!("the query of `{view}` changes, its columns do not: its rows may be others"),
        (false, _) => format!("`{view}` also returns {}", list(&added)),
        (true, false) => format!("`{view}` returns a wider type for {}", list(&wider)),
    };
    let code = if added.is_empty() { "change-view" } else { "add-view-column" };
    let affected = context.affected(view, None);
    Draft::new(context, code, view).reason(reason).affected(affected).ddl(ddl).done()
}

fn refused(context: &Context<'_>, view: &Coordinate, code: &str, columns: &[&str], verb: &str) -> Draft {
    let draft = Draft::new(context, code, view);
    let (draft, column) = match columns {
        [only] => (draft.column(only), Some(*only)),
        _ => (draft, None),
    };
    let kept: Vec<String> =
        columns.iter().map(|column| format!("CAST(NULL AS …) AS {}", name(column))).collect();
    draft
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!("`{view}` {verb} {}: whoever reads that fails", list(columns)))
        .affected(context.affected(view, column))
        .recipe(&[
            format!("keep it in the query: {}", kept.join(", ")),
            format!("or declare a second view `{view}_v2` and move the readers"),
        ])
}

fn list(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}
