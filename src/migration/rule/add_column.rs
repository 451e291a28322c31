//! `add-column`: a column that is not there is added.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::statement::{
    alter, alter_column, bracketed, column_path, comment, computed_default, empty_value, typed,
    without_indexes,
};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;
use crate::warehouse::{name, path, with_calls};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, column: &Column) -> Step {
    let draft =
        Draft::new(context, "add-column", table).column(&column.name).ddl(added(context, table, column));
    let what = format!("column `{}` {} is new", column.name, column.data_type);
    match (column.nullable, &column.default) {
        (true, None) => draft.reason(format!("{what}; old rows have NULL in it")).done(),
        (true, Some(default)) if default.contains('(') || computed(context, column).is_some() => draft
            .judged(Verdict::CompatibleWithCost, Mechanics::Rewrite)
            .reason(format!("{what}; old rows are filled with {default}, each anew"))
            .done(),
        (true, Some(default)) => draft.reason(format!("{what}; old rows get {default}")).done(),
        (false, Some(default)) => draft
            .judged(
                Verdict::CompatibleWithCost,
                if computed(context, column).is_some() { Mechanics::Rewrite } else { Mechanics::Scan },
            )
            .reason(format!("{what} and required; old rows get {default}"))
            .done(),
        (false, None) => required(context, draft, table, column),
    }
}

/// The statements that add it.
fn added(context: &Context<'_>, table: &Coordinate, column: &Column) -> Vec<String> {
    let mut add = format!("ADD COLUMN {} {}", name(&column.name), typed(column));
    // DuckDB changes nothing else of a table that a foreign key points at.
    let filled = computed(context, column).filter(|_| context.child(table).is_none());
    if let Some(default) = column.default.as_ref().filter(|_| filled.is_none()) {
        add.push_str(" DEFAULT ");
        add.push_str(&bracketed(default));
    }
    let mut ddl = vec![alter(table, &add)];
    if let Some(default) = filled {
        let using = format!("TYPE {} USING {}", typed(column), bracketed(&with_calls(default)));
        ddl.push(alter_column(table, &column.name, &using));
        ddl.push(alter_column(table, &column.name, &format!("SET DEFAULT {}", bracketed(default))));
    }
    if !column.nullable {
        ddl.push(alter_column(table, &column.name, "SET NOT NULL"));
    }
    if !column.nullable || filled.is_some() {
        ddl = without_indexes(table, &context.indexes(table), ddl);
    }
    if let Some(text) = &column.comment {
        ddl.push(comment("COLUMN", &column_path(table, &column.name), Some(text)));
    }
    ddl
}

fn computed<'a>(context: &Context<'_>, column: &'a Column) -> Option<&'a String> {
    computed_default(column).filter(|_| !context.is_postgres())
}

/// Old writers do not know a required column without a default, and old rows have nothing in it.
fn required(context: &Context<'_>, draft: Draft, table: &Coordinate, column: &Column) -> Step {
    let draft = draft.judged(Verdict::Incompatible, Mechanics::Scan);
    let what =
        format!("column `{}` {} is new and required, without a default", column.name, column.data_type);
    if context.empty(table) {
        let reason = format!("{what}; the table has no row");
        return draft.settled(Verdict::Compatible).reason(reason).done();
    }
    let rows =
        context.rows(table).map_or_else(|| "the old".to_owned(), |rows| format!("{} old", thousands(rows)));
    draft
        .reason(format!("{what}: {rows} rows have nothing in it, and whoever writes without it fails"))
        .affected(context.affected(table, None))
        .way(way(context, table, column))
        .refused()
}

/// It comes without being required, is filled, and is required once whoever writes knows it.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, column: &Column) -> Way<'a> {
    let (this, value) = (&column.name, empty_value(&column.data_type));
    let fill = format!("UPDATE {} SET {} = {value} WHERE {1} IS NULL", path(table), name(this));
    Way::new(context)
        .nullable(table, this)
        .expand(format!("declare `{this}` without NOT NULL; promote"))
        .fill(format!("fill `{this}`, and let whoever writes `{table}` fill it from now on"), vec![fill])
        .back()
        .contract(
            format!("then declare `{this}` as it is now; promote"),
            &[format!("set-not-null:{table}.{this}")],
        )
        .afresh()
        .default(table, this, Some(value))
        .instead(format!("or declare a default for `{this}`: old rows and old writers get it"))
}
