//! What PostgreSQL would lock writers out for, cut into steps that do not: a required column, a key.
//!
//! `SET NOT NULL` reads the table while nobody reads or writes it, unless a check that was looked at before says that no
//! row has a NULL. A key builds its index in the same way, unless that is there already. Each part is a step in the
//! transaction group that it needs; what a broken run has left is taken up again. Pure.

use std::collections::BTreeSet;

use super::context::Context;
use super::diff::Change;
use super::order::Judged;
use super::postgres::key_name;
use super::rule;
use super::statement::{alter, alter_column};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Verdict};
use crate::model::schema::{Column, Constraint};
use crate::warehouse::{name, path};

/// What turns an index that is there into a key.
pub(super) const USING_INDEX: &str = " USING INDEX ";

/// What the name of a check begins with that stands for NOT NULL for a while.
const GUARD: &str = "_promote_not_null_";

/// Bytes of a name that the engine keeps.
const NAME_BYTES: usize = 63;

/// Adds the steps that come before a required column and a key, and says for which.
///
/// Shape: tables by their coordinate with the column, or with the name of the key. None for a table without a row.
pub(super) fn prepared(context: &Context<'_>, judged: &mut Vec<Judged>) -> BTreeSet<(Coordinate, String)> {
    let (mut done, mut more) = (BTreeSet::new(), Vec::new());
    for Judged { change, step } in judged.iter() {
        let refused = step.settled == Verdict::Incompatible && step.allow.is_none();
        let Some(table) = change.object() else { continue };
        if refused || step.mechanics == Mechanics::Impossible || !has_rows(context, table) {
            continue;
        }
        if let Change::SetNotNull { column, .. } = change {
            more.extend(before_not_null(context, table, column));
            done.insert((table.clone(), column.name.clone()));
        }
        if let Change::AddConstraint { constraint, .. } = change
            && can_be_built(context, table, constraint, judged)
        {
            if left_index(context, table, constraint) != indexed(table, constraint).as_ref() {
                let (table, constraint) = (table.clone(), constraint.clone());
                more.push(Change::BuildKey { table, constraint });
            }
            done.insert((table.clone(), constraint.name.clone().unwrap_or_default()));
        }
    }
    judged.retain(|judged| !takes_away(&judged.change, &done));
    judged.extend(more.into_iter().map(|change| Judged { step: rule::step(context, &change), change }));
    done
}

/// The check and the look at it, unless a broken run has left them.
fn before_not_null(context: &Context<'_>, table: &Coordinate, column: &Column) -> Vec<Change> {
    let mut found = Vec::new();
    let left = guard_of(context, table, column);
    if left.is_none() {
        found.push(Change::GuardNotNull { table: table.clone(), column: column.clone() });
    }
    if left.is_none_or(|check| check.definition.ends_with(" NOT VALID")) {
        found.push(Change::LookNotNull { table: table.clone(), column: column.clone() });
    }
    found
}

/// Whether a change takes away what a broken run has left: that is taken up instead.
fn takes_away(change: &Change, done: &BTreeSet<(Coordinate, String)>) -> bool {
    if let Change::DropConstraint { table, constraint } = change {
        let guards = |(other, column): &(Coordinate, String)| {
            other == table && constraint.name.as_ref() == Some(&guard_name(column))
        };
        return done.iter().any(guards);
    }
    let Change::DropIndex { table, index } = change else { return false };
    done.contains(&(table.clone(), index.clone()))
}

/// Whether a table is there and may hold rows; in a partitioned one nothing is built aside.
fn has_rows(context: &Context<'_>, table: &Coordinate) -> bool {
    context
        .relation(table)
        .is_some_and(|live| !live.extra.features.iter().any(|feature| feature.starts_with("partitioned")))
        && !context.empty(table)
}

/// The check of an earlier run that was broken off.
fn guard_of<'a>(context: &'a Context<'_>, table: &Coordinate, column: &Column) -> Option<&'a Constraint> {
    let name = guard_name(&column.name);
    context.relation(table)?.constraints.iter().find(|check| check.name.as_deref() == Some(&name))
}

fn guard_name(column: &str) -> String {
    let mut name = format!("{GUARD}{column}");
    while name.len() > NAME_BYTES {
        name.pop();
    }
    name
}

/// Whether the index of a key can be built aside: it is a plain one, and takes the place of none.
fn can_be_built(
    context: &Context<'_>,
    table: &Coordinate,
    constraint: &Constraint,
    judged: &[Judged],
) -> bool {
    let replaces = |gone: &Constraint| {
        gone.name == constraint.name || (gone.kind == "PRIMARY KEY" && constraint.kind == "PRIMARY KEY")
    };
    let replaced = judged.iter().any(|judged| {
        matches!(&judged.change, Change::DropConstraint { table: other, constraint: gone }
            if other == table && replaces(gone))
    });
    constraint.name.is_some()
        && !replaced
        && indexed(table, constraint).is_some()
        && context.relation(table).is_some()
}

/// An index of the key's name that is there already.
fn left_index<'a>(
    context: &'a Context<'_>,
    table: &Coordinate,
    constraint: &Constraint,
) -> Option<&'a String> {
    context.relation(table)?.indexes.get(constraint.name.as_deref()?)
}

/// The index of a plain key as the engine writes it; none where the key says more than its columns.
fn indexed(table: &Coordinate, constraint: &Constraint) -> Option<String> {
    let columns: Vec<String> = constraint.columns.iter().map(|column| name(column)).collect();
    let list = columns.join(", ");
    let plain = constraint.definition == format!("{} ({list})", constraint.kind);
    let key = matches!(constraint.kind.as_str(), "PRIMARY KEY" | "UNIQUE");
    (key && plain).then(|| {
        format!("CREATE UNIQUE INDEX {} ON {} USING btree ({list})", key_name(constraint), path(table))
    })
}

/// Whether a required column was prepared by a check.
pub(super) fn is_guarded(context: &Context<'_>, table: &Coordinate, column: &Column) -> bool {
    context.is_prepared(table, &column.name)
}

/// Whether a key's index is there when the key comes.
pub(super) fn is_built(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> bool {
    constraint.name.as_ref().is_some_and(|name| context.is_prepared(table, name))
}

/// The statements of a required column: with a check that was looked at they read no row.
pub(super) fn set_not_null(context: &Context<'_>, table: &Coordinate, column: &Column) -> Vec<String> {
    let mut ddl = vec![alter_column(table, &column.name, "SET NOT NULL")];
    if is_guarded(context, table, column) {
        ddl.push(alter(table, &format!("DROP CONSTRAINT {}", name(&guard_name(&column.name)))));
    }
    ddl
}

/// The check that no row has a NULL, for rows that come from now on.
pub(super) fn guard(table: &Coordinate, column: &Column) -> String {
    let check = name(&guard_name(&column.name));
    alter(table, &format!("ADD CONSTRAINT {check} CHECK ({} IS NOT NULL) NOT VALID", name(&column.name)))
}

/// The look at rows that were there before.
pub(super) fn look(table: &Coordinate, column: &Column) -> String {
    alter(table, &format!("VALIDATE CONSTRAINT {}", name(&guard_name(&column.name))))
}

/// The index of a key, built while others write; one of its name that a broken run has left goes first.
pub(super) fn build_key(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Vec<String> {
    let mut ddl = Vec::new();
    if left_index(context, table, constraint).is_some() {
        let index = table.dataset.object(constraint.name.clone().unwrap_or_default());
        ddl.push(format!("DROP INDEX CONCURRENTLY {}", path(&index)));
    }
    ddl.extend(indexed(table, constraint).map(|sql| sql.replacen("INDEX ", "INDEX CONCURRENTLY ", 1)));
    ddl
}

/// The key that an index becomes.
pub(super) fn key_of_index(
    context: &Context<'_>,
    table: &Coordinate,
    constraint: &Constraint,
) -> Option<String> {
    let (key, kind) = (key_name(constraint), &constraint.kind);
    let add = format!("ADD CONSTRAINT {key} {kind}{USING_INDEX}{key}");
    is_built(context, table, constraint).then(|| alter(table, &add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_the_index_of_a_plain_key_only() {
        let table: Coordinate = "a.t".parse().unwrap();
        let key = |kind: &str, definition: &str| Constraint {
            name: Some("k".to_owned()),
            kind: kind.to_owned(),
            definition: definition.to_owned(),
            columns: vec!["x".to_owned(), "Y".to_owned()],
        };
        for (kind, definition, built) in [
            ("UNIQUE", "UNIQUE (x, \"Y\")", true),
            ("PRIMARY KEY", "PRIMARY KEY (x, \"Y\")", true),
            ("UNIQUE", "UNIQUE NULLS NOT DISTINCT (x, \"Y\")", false),
            ("UNIQUE", "UNIQUE (x, \"Y\") DEFERRABLE", false),
            ("EXCLUDE", "EXCLUDE (x, \"Y\")", false),
        ] {
            assert_eq!(indexed(&table, &key(kind, definition)).is_some(), built, "{definition}");
        }
    }

    #[test]
    fn keeps_a_name_within_what_the_engine_keeps() {
        assert_eq!(guard_name("total"), "_promote_not_null_total");
        assert_eq!(guard_name(&"ä".repeat(60)).len(), 62);
    }
}
