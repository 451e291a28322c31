//! `change-collation`: a column is compared and sorted otherwise; its values stay.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{alter_column, typed, without_indexes};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    let text = |column: &Column| column.collation.clone().unwrap_or_else(|| "the default".to_owned());
    let retype = alter_column(table, &to.name, &format!("TYPE {}", typed(to)));
    Draft::new(context, "change-collation", table)
        .column(&to.name)
        .judged(Verdict::CompatibleWithCost, Mechanics::Rewrite)
        .reason(format!(
            "`{}` goes from collation {} to {}: it is compared and sorted otherwise from now on",
            to.name,
            text(from),
            text(to)
        ))
        .affected(context.affected(table, Some(&to.name)))
        .ddl(without_indexes(table, &context.indexes(table), vec![retype]))
        .done()
}
