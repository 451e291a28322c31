//! `rename-column`: a column bears another name, as `renamed_from` says.

use super::draft::Draft;
use super::rename_table::stood_in_for;
use crate::migration::context::Context;
use crate::migration::statement::{alter, without_indexes};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &str, to: &str) -> Step {
    let rename = alter(table, &format!("RENAME COLUMN {} TO {}", name(from), name(to)));
    let affected = context.affected(table, Some(from));
    let before = context.live_name(table);
    let unseen = before != *table && stood_in_for(context, table, &before);
    let settled = if unseen || (context.empty(table) && affected.is_empty()) {
        Verdict::Compatible
    } else {
        Verdict::Incompatible
    };
    Draft::new(context, "rename-column", table)
        .column(to)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .settled(settled)
        .reason(format!("column `{from}` becomes `{to}`: no value is lost, but whoever names `{from}` fails"))
        .affected(affected)
        .way(way(context, table, from, to))
        .ddl(without_indexes(table, &context.indexes(table), vec![rename]))
        .done()
}

/// Both names are there until everybody has moved.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, from: &str, to: &str) -> Way<'a> {
    let before = context.live_name(table);
    if before != *table {
        return Way::new(context)
            .instead(format!("the way out of `rename-table:{table}` takes `{to}` with it"));
    }
    let loose =
        |column: &Column| Column { nullable: column.nullable || column.default.is_none(), ..column.clone() };
    let mut way = Way::new(context);
    if let Some(live) = context.relation(table).and_then(|live| live.column(from)) {
        way = way.column(table, &loose(live));
    }
    let wanted = context.wanted(table).and_then(|wanted| wanted.column(to));
    let tight = wanted.filter(|wanted| !wanted.nullable && wanted.default.is_none());
    if tight.is_some() {
        way = way.nullable(table, to);
    }
    let mut allow = vec![format!("drop-column:{table}.{from}")];
    allow.extend(tight.map(|_| format!("set-not-null:{table}.{to}")));
    let fill = format!("UPDATE {} SET {} = {} WHERE {1} IS NULL", path(table), name(to), name(from));
    way.without_rename(table, Some(to))
        .expand(format!("declare `{to}` beside `{from}`, without `renamed_from`; promote"))
        .fill(format!("fill `{to}`, and let whoever writes fill both"), vec![fill])
        .moves(format!("move whoever reads or writes `{from}` to `{to}`"))
        .back()
        .contract(format!("then remove `{from}`; promote"), &allow)
}
