//! Which tables ALTER cannot bring to what is wanted, and what is done instead.

use std::collections::BTreeSet;

use super::context::{Context, points_at};
use super::diff::Change;
use super::order::Judged;
use super::statement::{Rebuild, computed_default, drop_index};
use crate::model::coordinate::Coordinate;
use crate::model::migration::Mechanics;
use crate::model::schema::{Column, Relation};
use crate::warehouse::{same_name, words};

/// Refuses what the engine cannot do to a table that another one's foreign key points at.
pub(super) fn blocked_by_children(context: &Context<'_>, judged: &mut [Judged]) {
    let added: Vec<Coordinate> =
        judged.iter().filter_map(|judged| Some(gains(&judged.change)?.0.clone())).collect();
    for judged in judged {
        let Some(child) = judged.change.object().and_then(|table| context.child(table)) else { continue };
        let alone = |table: &Coordinate| added.iter().filter(|other| *other == table).count() == 1;
        let (why, say) = if !is_free(&judged.change) {
            (
                format!("the engine changes no table that a foreign key of `{child}` points at"),
                format!("take the foreign key of `{child}` away first; promote"),
            )
        } else if gains(&judged.change)
            .is_some_and(|(table, column)| computed_default(column).is_some() && !alone(table))
        {
            (
                format!(
                    "the engine computes a default in a table that a foreign key of `{child}` points at only where \
                     no other column is new"
                ),
                "declare one of the new columns; promote; then the next".to_owned(),
            )
        } else {
            continue;
        };
        judged.make_impossible(context, &why, say);
    }
}

/// Refuses what the engine cannot do to a table with a foreign key to itself: under another name the key goes on
/// pointing at the old one, and whoever writes fails.
pub(super) fn blocked_by_itself(context: &Context<'_>, judged: &mut [Judged]) {
    for judged in judged {
        let Some(table) = judged.change.object() else { continue };
        let live = context.live_name(table);
        let has = context.relation(table).is_some_and(|relation| points_at(relation, &live));
        let keeps = context.wanted(table).is_some_and(|relation| points_at(relation, table));
        let renamed = has && matches!(judged.change, Change::RenameTable { .. });
        let rebuilt = keeps && needs_rebuild(context, &judged.change);
        if !renamed && !rebuilt {
            continue;
        }
        let why = "the engine does not take a foreign key of a table to itself along to another name, not even \
                   where the table is built anew";
        let say = if has {
            format!("take the foreign key of `{live}` to itself away for good; promote; then this")
        } else {
            format!("leave the foreign key of `{table}` to itself out, or declare a new table with it")
        };
        judged.make_impossible(context, why, say);
    }
}

/// The table that a change gives a column, and the column.
fn gains(change: &Change) -> Option<(&Coordinate, &Column)> {
    if let Change::AddColumn { table, column } = change { Some((table, column)) } else { None }
}

/// Whether the engine makes a change also to a table that a foreign key points at.
fn is_free(change: &Change) -> bool {
    let takes_null = matches!(change, Change::AddColumn { column, .. } if column.nullable);
    takes_null || !reshapes(change)
}

/// Whether a change takes an ALTER of its table beyond a default, or the table itself away.
fn reshapes(change: &Change) -> bool {
    match change {
        Change::AddColumn { .. }
        | Change::RenameTable { .. }
        | Change::DropColumn { .. }
        | Change::RenameColumn { .. }
        | Change::RetypeColumn { .. }
        | Change::SetNotNull { .. }
        | Change::DropNotNull { .. }
        | Change::ChangeGenerated { .. }
        | Change::ChangeCollation { .. }
        | Change::AddConstraint { .. }
        | Change::DropConstraint { .. }
        | Change::DropTable(_)
        | Change::TableToView(_) => true,
        Change::CreateDataset(_)
        | Change::NotOurs(_)
        | Change::Adopt(_)
        | Change::Orphan(_)
        | Change::CreateTable(_)
        | Change::ChangeDefault { .. }
        | Change::CreateIndex { .. }
        | Change::DropIndex { .. }
        | Change::CreateView(_)
        | Change::ChangeView(_)
        | Change::DropView(_)
        | Change::ViewToTable(_)
        | Change::CreateRoutine(_)
        | Change::ChangeRoutine(_)
        | Change::DropRoutine(_)
        | Change::CreateSequence(_)
        | Change::RenameSequence { .. }
        | Change::ChangeSequence(_)
        | Change::DropSequence(_)
        | Change::CreateType(_)
        | Change::AddEnumValue { .. }
        | Change::ChangeType(_)
        | Change::DropType(_)
        | Change::CreateTrigger { .. }
        | Change::DropTrigger { .. }
        | Change::ChangeOptions(_)
        | Change::NotPlanned { .. }
        | Change::ChangeIdentity { .. }
        | Change::ValidateConstraint { .. }
        | Change::GuardNotNull { .. }
        | Change::LookNotNull { .. }
        | Change::BuildKey { .. }
        | Change::LiftView(_)
        | Change::LowerView(_)
        | Change::ForeignTrigger { .. }
        | Change::ChangeComment { .. } => false,
    }
}

/// Puts one rebuild in the place of all statements of a table that ALTER cannot change so.
///
/// Shape: the last of the gravest steps of the table carries it; the others are part of it and run nothing.
pub(super) fn rebuilt(context: &Context<'_>, judged: &mut [Judged]) {
    let tables: BTreeSet<Coordinate> = judged
        .iter()
        .filter(|judged| {
            judged.step.mechanics != Mechanics::Impossible && needs_rebuild(context, &judged.change)
        })
        .filter_map(|judged| judged.change.object().cloned())
        .collect();
    for table in tables {
        let (Some(live), Some(desired)) = (context.relation(&table), context.wanted(&table)) else {
            continue;
        };
        let mut indexes = context.indexes(&table);
        indexes.extend(desired.indexes.clone());
        let managed = context.managed(&table);
        let (renamed, using) = (&managed.renamed_columns, &managed.using);
        let rebuild = Rebuild { table: &table, desired, live, renamed, using, indexes: &indexes };
        let mut ddl = rebuild.statements();
        let mut worst: Option<usize> = None;
        for (index, judged) in judged.iter_mut().enumerate() {
            if judged.change.object() != Some(&table) {
                continue;
            }
            if let Change::RenameTable { .. } = judged.change {
                let rename = judged.step.ddl.iter().filter(|sql| sql.starts_with("ALTER TABLE")).cloned();
                let all = live.indexes.keys().map(|index| drop_index(&table, index));
                ddl.splice(0..0, all.chain(rename));
            }
            if judged.step.mechanics == Mechanics::None {
                continue;
            }
            judged.step.ddl.clear();
            judged.step.mechanics = Mechanics::Rebuild;
            worst = Some(index);
        }
        let gravest = judged
            .iter()
            .enumerate()
            .filter(|(_, judged)| judged.change.object() == Some(&table))
            .max_by_key(|(index, judged)| (judged.step.settled, *index))
            .map(|(index, _)| index);
        if let Some(index) = gravest.or(worst) {
            judged[index].step.ddl = ddl;
        }
    }
}

/// Whether ALTER has no statement for a change, given what hangs on the column.
fn needs_rebuild(context: &Context<'_>, change: &Change) -> bool {
    let Some(live) = change.object().filter(|_| reshapes(change)).and_then(|table| context.relation(table))
    else {
        return false;
    };
    if let Change::AddColumn { column, .. } = change {
        return column.generated.is_some();
    }
    if let Change::RetypeColumn { from, .. } | Change::ChangeCollation { from, .. } = change {
        let indexed = live.indexes.values().any(|index| words(index).contains(&from.name.to_lowercase()));
        return indexed || keyed(live, &from.name) || computed_from(live, &from.name);
    }
    if let Change::RenameColumn { from, .. } = change {
        return keyed(live, from) || computed_from(live, from);
    }
    if let Change::DropColumn { column, .. } = change {
        return keyed(live, &column.name)
            || computed_from(live, &column.name)
            || followed_by_keys(live, column)
            || live.indexes.values().any(|index| follows(live, column, &words(index)));
    }
    matches!(
        change,
        Change::AddConstraint { .. } | Change::DropConstraint { .. } | Change::ChangeGenerated { .. }
    )
}

/// Whether a key or check covers the column.
fn keyed(live: &Relation, column: &str) -> bool {
    live.constraints.iter().any(|constraint| constraint.columns.iter().any(|name| same_name(name, column)))
}

/// Whether a generated column is computed from it.
fn computed_from(live: &Relation, column: &str) -> bool {
    let column = column.to_lowercase();
    live.columns.iter().filter_map(|other| other.generated.as_ref()).any(|text| words(text).contains(&column))
}

/// Whether a key covers a column after this one.
fn followed_by_keys(live: &Relation, column: &Column) -> bool {
    live.constraints.iter().filter(|constraint| constraint.kind != "CHECK").any(|constraint| {
        follows(live, column, &constraint.columns.iter().map(|name| name.to_lowercase()).collect())
    })
}

/// Whether one of the named columns stands after this one, or is it.
fn follows(live: &Relation, column: &Column, names: &BTreeSet<String>) -> bool {
    let from = live.columns.iter().position(|other| other.name == column.name).unwrap_or(0);
    live.columns[from..].iter().any(|other| names.contains(&other.name.to_lowercase()))
}
