//! `change-view` and its kin: the query or the output of a view is another.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::fit::{Fit, fit};
use crate::migration::statement::create_view;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::{name, rows_of};

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
    let other_rows = live.query.as_deref().map(rows_of) != wanted.query.as_deref().map(rows_of);
    let reason = match (added.is_empty(), wider.is_empty()) {
        (true, true) => format!("the query of `{view}` changes, its columns do not: its rows may be others"),
        (false, _) if other_rows => {
            format!(
                "`{view}` also returns {}; more of its query changes: its rows may be others",
                list(&added)
            )
        }
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
    draft
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!("`{view}` {verb} {}: whoever reads that fails", list(columns)))
        .affected(context.affected(view, column))
        .way(way(context, view, code, columns))
}

fn list(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}

/// It goes on returning what it returns until nobody reads that.
fn way<'a>(context: &'a Context<'_>, view: &Coordinate, code: &str, columns: &[&str]) -> Way<'a> {
    let live = context.relation(view);
    let wanted = context.wanted(view);
    let values: Vec<(String, String)> = columns
        .iter()
        .filter_map(|&column| {
            let data_type = &live?.column(column)?.data_type;
            let there = wanted.is_some_and(|wanted| wanted.column(column).is_some());
            let value = if there { name(column) } else { "null".to_owned() };
            Some((column.to_owned(), format!("cast({value} as {data_type})")))
        })
        .collect();
    let subject = match columns {
        [only] => format!("{view}.{only}"),
        _ => view.to_string(),
    };
    Way::new(context)
        .outputs(view, &values)
        .expand(format!("go on returning {} as it is; promote", list(columns)))
        .moves("move whoever reads that")
        .back()
        .contract("then declare it as it is now; promote", &[format!("{code}:{subject}")])
}
