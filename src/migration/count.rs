//! Columns that count: the sequence of a `serial` bears its table's name, and goes where that goes; what begins to count
//! in a column goes on behind the greatest value there, and behind what counted before. Pure.

use std::borrow::Cow;

use super::context::Context;
use super::desired::{Desired, Managed};
use super::rename;
use super::statement::{alter_column, column_path};
use crate::model::coordinate::Coordinate;
use crate::model::schema::{Column, Relation, RelationKind, Schema};
use crate::sql::Dialect;
use crate::warehouse::{literal, path};

/// Says of each new sequence, and of its table, which live one it was: that of the same column under its old name.
pub(super) fn follow(live: &Schema, desired: &mut Desired) {
    if desired.dialect != Dialect::Postgres {
        return;
    }
    let new = desired.objects.keys().filter(|object| !live.relations.contains_key(object));
    let found: Vec<_> = new.filter_map(|new| before(live, desired, new)).collect();
    for (table, from, to) in found {
        if let Some(managed) = desired.objects.get_mut(&to) {
            managed.renamed_from = Some(from.clone());
        }
        if let Some(managed) = desired.objects.get_mut(&table) {
            managed.sequences.push((from, to));
        }
    }
}

/// Gives the table, the live sequence and the new one, where a table or column that counts gets another name.
fn before(
    live: &Schema,
    desired: &Desired,
    sequence: &Coordinate,
) -> Option<(Coordinate, Coordinate, Coordinate)> {
    let (table, column) = owner(&desired.schema, sequence)?;
    let (wanted, managed) = (desired.schema.relations.get(table)?, desired.objects.get(table)?);
    let place = if live.relations.contains_key(table) { table } else { managed.renamed_from.as_ref()? };
    let old = rename::before((live.relations.get(place)?, wanted), &managed.renamed_columns, column)?;
    let is = |other: &Coordinate| {
        owner(live, other) == Some((place, old.name.as_str())) && old.default == Some(next(other))
    };
    let from = live.relations.keys().find(|other| is(other))?;
    let stays = owner(&desired.schema, from).is_some_and(|(owner, _)| owner == table);
    let moves = place != table || old.name != column;
    (moves && !stays).then(|| (table.clone(), from.clone(), sequence.clone()))
}

/// The column that a sequence belongs to.
fn owner<'a>(schema: &'a Schema, sequence: &Coordinate) -> Option<(&'a Coordinate, &'a str)> {
    let relation =
        schema.relations.get(sequence).filter(|relation| relation.kind == RelationKind::Sequence)?;
    let read = relation.extra.reads.first()?;
    Some((&read.object, read.column.as_deref()?))
}

/// A live table whose columns count by the names that its sequences will bear.
pub(super) fn with_sequences<'a>(live: &'a Relation, managed: &Managed) -> Cow<'a, Relation> {
    let mut live = Cow::Borrowed(live);
    for (from, to) in &managed.sequences {
        let (old, new) = (Some(next(from)), Some(next(to)));
        for column in live.to_mut().columns.iter_mut().filter(|column| column.default == old) {
            column.default.clone_from(&new);
        }
    }
    live
}

/// A default that counts by a sequence, as the engine writes it.
fn next(sequence: &Coordinate) -> String {
    format!("nextval({}::regclass)", literal(&path(sequence)))
}

/// Sets a default; a sequence that comes with it belongs to the column, and goes on from what is there.
pub(super) fn default_set(
    context: &Context<'_>,
    table: &Coordinate,
    from: &Column,
    to: &Column,
) -> Vec<String> {
    let Some(default) = &to.default else { return vec![alter_column(table, &to.name, "DROP DEFAULT")] };
    let mut ddl = vec![alter_column(table, &to.name, &format!("SET DEFAULT {default}"))];
    let live = &context.live.relations;
    let comes = |sequence: &&Coordinate| {
        *default == next(sequence) && !live.contains_key(&context.live_name(sequence))
    };
    if let Some(sequence) = context.desired.schema.relations.keys().find(comes) {
        if owner(&context.desired.schema, sequence) == Some((table, to.name.as_str())) {
            let column = column_path(table, &to.name);
            ddl.push(format!("ALTER SEQUENCE {} OWNED BY {column}", path(sequence)));
        }
        let counted = live.keys().find(|other| from.default == Some(next(other)));
        ddl.push(goes_on(table, &to.name, &literal(&path(sequence)), counted));
    }
    ddl
}

/// Says that a column counts by itself, otherwise, or no longer; a sequence that counted for it goes.
pub(super) fn identity(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Vec<String> {
    let kind = match (&from.identity, &to.identity) {
        // A sequence may come under the name of what goes here, so that goes before the column is renamed.
        (_, None) => return vec![alter_column(table, &from.name, "DROP IDENTITY")],
        (Some(_), Some(kind)) => {
            return vec![alter_column(table, &to.name, &format!("SET GENERATED {kind}"))];
        }
        (None, Some(kind)) => kind,
    };
    let place = context.live_name(table);
    let is_its = |other: &&Coordinate| {
        owner(context.live, other) == Some((&place, from.name.as_str()))
            && !context.desired.objects.contains_key(*other)
    };
    let old: Vec<&Coordinate> = context.live.relations.keys().filter(is_its).collect();
    let mut ddl = Vec::new();
    if from.default.is_some() {
        ddl.push(alter_column(table, &to.name, "DROP DEFAULT"));
    }
    ddl.extend(old.iter().map(|old| format!("ALTER SEQUENCE {} OWNED BY NONE", path(old))));
    ddl.push(alter_column(table, &to.name, &format!("ADD GENERATED {kind} AS IDENTITY")));
    let own = format!("pg_catalog.pg_get_serial_sequence({}, {})", literal(&path(table)), literal(&to.name));
    ddl.push(goes_on(table, &to.name, &own, old.first().copied()));
    ddl.extend(old.iter().map(|old| format!("DROP SEQUENCE {}", path(old))));
    ddl
}

/// Has a sequence go on behind the greatest value of a column, and behind another one.
///
/// Shape: nothing happens where the first number is free, or where it counts down.
fn goes_on(table: &Coordinate, column: &str, sequence: &str, before: Option<&Coordinate>) -> String {
    let column = crate::warehouse::name(column);
    let before = before.map(|before| format!(", (SELECT last_value FROM {} WHERE is_called)", path(before)));
    format!(
        "SELECT pg_catalog.setval(s.seqrelid::pg_catalog.regclass, m.most) FROM pg_catalog.pg_sequence s, \
         (SELECT greatest(max({column})::bigint{}) AS most FROM {}) m \
         WHERE s.seqrelid = {sequence}::pg_catalog.regclass AND s.seqincrement > 0 \
         AND m.most BETWEEN s.seqstart AND s.seqmax",
        before.unwrap_or_default(),
        path(table)
    )
}
