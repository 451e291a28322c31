//! `drop-not-null`: a column is to take NULL.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{alter_column, without_indexes};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, column: &Column) -> Step {
    Draft::new(context, "drop-not-null", table)
        .column(&column.name)
        .judged(Verdict::Compatible, Mechanics::Metadata)
        .reason(format!("`{}` may be NULL from now on: readers may meet one", column.name))
        .affected(context.affected(table, Some(&column.name)))
        .ddl(without_indexes(
            table,
            &context.indexes(table),
            vec![alter_column(table, &column.name, "DROP NOT NULL")],
        ))
        .done()
}
