//! Columns that count: the sequence of a `serial` bears its table's name, and goes where that goes. Pure.

use std::borrow::Cow;

use super::desired::{Desired, Managed};
use super::rename;
use crate::model::coordinate::Coordinate;
use crate::model::schema::{Relation, RelationKind, Schema};
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
    let relation = schema.relations.get(sequence).filter(|relation| relation.kind == RelationKind::Sequence)?;
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
