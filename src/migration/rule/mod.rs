//! Rules: one a file, each turning one kind of change into a judged step.
//!
//! In: a [`Change`] and the [`Context`] that it stands in. Out: a [`Step`] with verdict, statements, reason,
//! the affected, and a way out. Codes are kebab-case and for ever. Nothing here asks the data: a rule
//! writes its question into the step, and reads the answer from the context when it is called again.

mod add_column;
mod add_constraint;
mod add_enum_value;
mod adopt_object;
mod build_key;
mod change_collation;
mod change_comment;
mod change_default;
mod change_generated;
mod change_identity;
mod change_options;
mod change_routine;
mod change_sequence;
mod change_type;
mod change_view;
mod create_dataset;
mod create_index;
mod create_routine;
mod create_sequence;
mod create_table;
mod create_trigger;
mod create_type;
mod create_view;
mod draft;
mod drop_column;
mod drop_constraint;
mod drop_index;
mod drop_not_null;
mod drop_routine;
mod drop_sequence;
mod drop_table;
mod drop_trigger;
mod drop_type;
mod drop_view;
mod foreign_trigger;
mod guard_not_null;
mod judge;
mod lift_view;
mod lower_view;
mod narrow_type;
mod not_ours;
mod not_planned;
mod orphan;
mod rename_column;
mod rename_sequence;
mod rename_table;
mod retype_column;
mod set_not_null;
mod table_to_view;
mod validate_constraint;
mod view_to_table;
mod widen_type;

pub(super) use judge::step;
