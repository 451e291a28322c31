//! `rename-table`: a table bears another name, as `renamed_from` says.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::rename::before;
use crate::migration::statement::{alter, create_table, without_indexes};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::{Column, RelationKind};
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Coordinate) -> Step {
    let rename = alter(from, &format!("RENAME TO {}", name(&table.name)));
    let stands_in = stood_in_for(context, table, from);
    let what = format!("table `{from}` becomes `{table}`: no row is lost");
    let reason = if stands_in {
        format!("{what}, and a view stands in for the old name")
    } else {
        format!("{what}, but whoever reads or writes `{from}` fails")
    };
    Draft::new(context, "rename-table", table)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .settled(if stands_in { Verdict::Compatible } else { Verdict::Incompatible })
        .reason(reason)
        .affected(context.affected(from, None))
        .way(way(context, table, from))
        .ddl(without_indexes(table, &context.indexes(table), vec![rename]))
        .done()
}

/// Whether a view under the old name gives all that was there; where others write the table, it must take that too.
pub(super) fn stood_in_for(context: &Context<'_>, table: &Coordinate, from: &Coordinate) -> bool {
    let written = context.is_postgres() || context.managed(table).derived;
    let (Some(view), Some(live)) = (context.wanted(from), context.live.relations.get(from)) else {
        return false;
    };
    let gives =
        |column: &Column| view.column(&column.name).is_some_and(|given| given.data_type == column.data_type);
    written && view.kind == RelationKind::View && live.columns.iter().all(gives)
}

/// Columns as they are and as they are to be.
type Pairs<'a> = Vec<(&'a Column, &'a Column)>;

/// Pairs each old column with the new one, where every row that is there fits into the new table as it is.
fn pairs<'a>(context: &'a Context<'_>, table: &Coordinate, from: &Coordinate) -> Option<Pairs<'a>> {
    let (live, wanted) = (context.live.relations.get(from)?, context.wanted(table)?);
    let renamed = context.managed(table).renamed_columns;
    let mut found = Vec::new();
    for new in &wanted.columns {
        match before((live, wanted), &renamed, &new.name) {
            Some(old) => found.push((old, new)),
            None if new.nullable || new.default.is_some() => {}
            None => return None,
        }
    }
    let fits = |(old, new): &(&Column, &Column)| {
        old.data_type == new.data_type
            && (!old.nullable || new.nullable)
            && (new.generated.is_none() || new.generated == old.generated)
    };
    let to = |column: &String| found.iter().find(|(old, _)| old.name == *column).map(|(_, new)| &new.name);
    let known = wanted.constraints.iter().all(|new| {
        live.constraints
            .iter()
            .any(|old| old.kind == new.kind && old.columns.iter().map(to).eq(new.columns.iter().map(Some)))
    });
    let whole = live.columns.iter().all(|column| to(&column.name).is_some());
    (known && whole && found.iter().all(fits)).then_some(found)
}

/// The old name stays: as a view where that can be written too, else as the table that it is.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, from: &Coordinate) -> Way<'a> {
    let old = &from.name;
    let gone = |way: Way<'a>, code: &str| {
        way.dropped_beside(table, old).contract(
            format!("declare `{old}` with `state: dropped` once nobody uses it; promote"),
            &[format!("{code}:{from}")],
        )
    };
    let Some(pairs) = pairs(context, table, from) else {
        return Way::new(context).instead(format!(
            "rename `{from}` by itself first, with its columns and keys as they are; what else changes comes in a promotion of its own"
        ));
    };
    if context.is_postgres() || context.managed(table).derived {
        let way = Way::new(context)
            .view_beside(table, old, &pairs)
            .expand(format!("declare a view `{old}` of `{table}` in the same change; promote"))
            .moves(format!("move whoever reads or writes `{old}` to `{table}`"));
        return gone(way, "drop-view");
    }
    let live = context.live.relations.get(from).map(|live| create_table(from, live)).unwrap_or_default();
    let filled = pairs.iter().filter(|(_, new)| new.generated.is_none());
    let (read, written): (Vec<String>, Vec<String>) =
        filled.map(|(old, new)| (name(&old.name), name(&new.name))).unzip();
    let (read, written) = (read.join(", "), written.join(", "));
    let fill = format!("INSERT INTO {} ({written}) SELECT {read} FROM {}", path(table), path(from));
    let way = Way::new(context)
        .without_rename(table, None)
        .beside(table, old, &live)
        .expand(format!("declare `{table}` beside `{from}`, without `renamed_from`; promote"))
        .fill(format!("fill `{table}`, and let whoever writes write both"), vec![fill])
        .moves(format!("move whoever reads or writes `{old}` to `{table}`"));
    gone(way, "drop-table")
}
