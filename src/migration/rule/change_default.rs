//! `change-default`: new rows get another default, or none.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{alter_column, bracketed};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    let draft = Draft::new(context, "change-default", table).column(&to.name);
    let Some(default) = &to.default else {
        let draft = draft.ddl(vec![alter_column(table, &to.name, "DROP DEFAULT")]);
        let before = from.default.as_deref().unwrap_or("NULL");
        let what = format!("`{}` loses its default {before}; old rows stay as they are", to.name);
        if to.nullable || context.managed(table).derived {
            return draft.reason(what).done();
        }
        return draft
            .judged(Verdict::Incompatible, Mechanics::Metadata)
            .reason(format!("{what}, and whoever writes without it fails, for it is required"))
            .affected(context.affected(table, None))
            .way(way(context, table, to, before))
            .done();
    };
    draft
        .reason(format!("new rows get {default} in `{}`; old rows stay as they are", to.name))
        .ddl(vec![alter_column(table, &to.name, &format!("SET DEFAULT {}", bracketed(default)))])
        .done()
}

/// The default stays until whoever writes fills the column.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, to: &Column, before: &str) -> Way<'a> {
    let this = &to.name;
    Way::new(context)
        .default(table, this, Some(before))
        .expand(format!("keep `{before}` as the default of `{this}`; promote"))
        .moves(format!("let whoever writes `{table}` fill `{this}`"))
        .back()
        .contract("then remove the default; promote", &[format!("change-default:{table}.{this}")])
}
