//! Which rule judges which change.

use super::super::context::Context;
use super::super::diff::Change;
use super::super::fit::{Fit, fit};
use super::{
    add_column, add_constraint, add_enum_value, adopt_object, build_key, change_collation, change_comment,
    change_default, change_generated, change_identity, change_options, change_routine, change_sequence,
    change_type, change_view, create_dataset, create_index, create_routine, create_sequence, create_table,
    create_trigger, create_type, create_view, drop_column, drop_constraint, drop_index, drop_not_null,
    drop_routine, drop_sequence, drop_table, drop_trigger, drop_type, drop_view, foreign_trigger,
    guard_not_null, lift_view, lower_view, narrow_type, not_ours, not_planned, orphan, rename_column,
    rename_sequence, rename_table, retype_column, set_not_null, table_to_view, validate_constraint,
    view_to_table, widen_type,
};
use crate::model::coordinate::Coordinate;
use crate::model::migration::Step;
use crate::model::schema::Column;

/// Judges one change.
pub(in crate::migration) fn step(context: &Context<'_>, change: &Change) -> Step {
    match change {
        Change::CreateDataset(dataset) => create_dataset::step(context, dataset),
        Change::NotOurs(object) => not_ours::step(context, object),
        Change::Adopt(object) => adopt_object::step(context, object),
        Change::Orphan(object) => orphan::step(context, object),
        Change::CreateTable(table) => create_table::step(context, table),
        Change::DropTable(table) => drop_table::step(context, table),
        Change::RenameTable { table, from } => rename_table::step(context, table, from),
        Change::AddColumn { table, column } => add_column::step(context, table, column),
        Change::DropColumn { table, column } => drop_column::step(context, table, column),
        Change::RenameColumn { table, from, to } => rename_column::step(context, table, from, to),
        Change::RetypeColumn { table, from, to } => retyped(context, table, (from, to)),
        Change::SetNotNull { table, column } => set_not_null::step(context, table, column),
        Change::DropNotNull { table, column } => drop_not_null::step(context, table, column),
        Change::ChangeDefault { table, from, to } => change_default::step(context, table, from, to),
        Change::ChangeGenerated { table, from, to } => change_generated::step(context, table, from, to),
        Change::AddConstraint { table, constraint } => add_constraint::step(context, table, constraint),
        Change::DropConstraint { table, constraint } => drop_constraint::step(context, table, constraint),
        Change::CreateIndex { table, index, definition } => {
            create_index::step(context, table, index, definition)
        }
        Change::DropIndex { table, index } => drop_index::step(context, table, index),
        Change::CreateView(view) => create_view::step(context, view),
        Change::ChangeView(view) => change_view::step(context, view),
        Change::DropView(view) => drop_view::step(context, view),
        Change::TableToView(object) => table_to_view::step(context, object),
        Change::ViewToTable(object) => view_to_table::step(context, object),
        Change::CreateRoutine(object) => create_routine::step(context, object),
        Change::ChangeRoutine(object) => change_routine::step(context, object),
        Change::DropRoutine(object) => drop_routine::step(context, object),
        Change::CreateSequence(object) => create_sequence::step(context, object),
        Change::RenameSequence { sequence, from, .. } => rename_sequence::step(context, sequence, from),
        Change::ChangeSequence(object) => change_sequence::step(context, object),
        Change::DropSequence(object) => drop_sequence::step(context, object),
        Change::CreateType(object) => create_type::step(context, object),
        Change::AddEnumValue { object, label, .. } => add_enum_value::step(context, object, label),
        Change::ChangeType(object) => change_type::step(context, object),
        Change::DropType(object) => drop_type::step(context, object),
        Change::CreateTrigger { table, trigger, .. } => create_trigger::step(context, table, trigger),
        Change::DropTrigger { table, trigger } => drop_trigger::step(context, table, trigger),
        Change::ForeignTrigger { table, trigger } => foreign_trigger::step(context, table, trigger),
        Change::ChangeOptions(object) => change_options::step(context, object),
        Change::NotPlanned { object, what } => not_planned::step(context, object, what),
        Change::ChangeCollation { table, from, to } => change_collation::step(context, table, from, to),
        Change::ChangeIdentity { table, from, to } => change_identity::step(context, table, from, to),
        Change::ValidateConstraint { table, constraint } => {
            validate_constraint::step(context, table, constraint)
        }
        Change::GuardNotNull { table, column } => guard_not_null::step(context, table, column),
        Change::LookNotNull { table, column } => guard_not_null::look(context, table, column),
        Change::BuildKey { table, constraint } => build_key::step(context, table, constraint),
        Change::LiftView(view) => lift_view::step(context, view),
        Change::LowerView(view) => lower_view::step(context, view),
        Change::ChangeComment { object, column, to } => {
            change_comment::step(context, object, column.as_deref(), to.as_deref())
        }
    }
}

fn retyped(context: &Context<'_>, table: &Coordinate, (from, to): (&Column, &Column)) -> Step {
    match fit(&from.data_type, &to.data_type) {
        Fit::Same | Fit::Wider => widen_type::step(context, table, from, to),
        Fit::Narrower => narrow_type::step(context, table, from, to),
        Fit::Other => retype_column::step(context, table, from, to),
    }
}
