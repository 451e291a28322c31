//! `retype-column`: another kind of value; readers break even where every value can be cast.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::fit::misfits;
use crate::migration::harmless::beyond;
use crate::migration::statement::{alter_column, bracketed, renamed_in, typed, without_indexes};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Column;
use crate::warehouse::{name, path, words};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Step {
    if let Some(expression) = context.using(table, &to.name) {
        return told(context, (table, "retype-column"), (from, to), &expression);
    }
    let affected = context.affected(table, Some(&to.name));
    let probe = round_trip(context, table, from, to);
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    let settled =
        if context.empty(table) && affected.is_empty() { Verdict::Compatible } else { Verdict::Incompatible };
    let lost = match rows {
        Some(0) | None => String::new(),
        Some(rows) => format!("{} rows hold a value that does not survive it, and ", thousands(rows)),
    };
    Draft::new(context, "retype-column", table)
        .column(&to.name)
        .judged(Verdict::Incompatible, Mechanics::Rewrite)
        .settled(settled)
        .reason(format!(
            "`{}` would go from {} to {}: {lost}comparing, sorting and computing with it change",
            to.name, from.data_type, to.data_type
        ))
        .affected(affected)
        .way(beside(context, table, from, to))
        .ddl(ddl(context, table, from, to))
        .probed(context, (table, &from.name), probe, rows)
        .done()
}

/// A change of type whose files say how: the data decides whether that gives a value for each.
pub(super) fn told(
    context: &Context<'_>,
    (table, code): (&Coordinate, &str),
    (from, to): (&Column, &Column),
    expression: &str,
) -> Step {
    let column = name(&from.name);
    let place = renamed_in(&path(&context.live_name(table)), table, &[(from, to)]);
    let beyond = beyond(expression, context.desired.dialect);
    let probe = beyond.is_none().then(|| {
        format!("SELECT count(*) FROM {place} WHERE {column} IS NOT NULL AND ({expression}) IS NULL")
    });
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    let settled = match rows {
        _ if context.empty(table) => Verdict::CompatibleWithCost,
        Some(0) => Verdict::CompatibleWithCost,
        Some(_) => Verdict::Incompatible,
        None => Verdict::NeedsDataCheck,
    };
    let what = format!("`{}` goes from {} to {} by {expression}", to.name, from.data_type, to.data_type);
    let reason = match rows {
        Some(0) => format!("{what}: it gives a value for every old one"),
        Some(rows) => format!("{what}: {} rows hold a value for which it gives none", thousands(rows)),
        None => {
            let why = beyond.as_ref().map(|beyond| format!(", as `{beyond}` may do more than compute"));
            let why = why.unwrap_or_default();
            format!("{what}: the data could not be asked whether it gives a value for each{why}")
        }
    };
    let (there, named) = (path(table), name(&to.name));
    let select =
        format!("SELECT * FROM {there} WHERE {named} IS NOT NULL AND ({expression}) IS NULL LIMIT 10");
    let select = if beyond.is_none() { vec![select] } else { Vec::new() };
    let way = Way::new(context)
        .unchanged(table, from, to)
        .expand(format!("keep `{}` as it is; promote", to.name))
        .fill("look at the values for which it gives none, and mend them or the expression", select)
        .back()
        .contract("then declare it as it is now; promote", &[]);
    Draft::new(context, code, table)
        .column(&to.name)
        .judged(Verdict::NeedsDataCheck, Mechanics::Rewrite)
        .settled(settled)
        .reason(reason)
        .affected(context.affected(table, Some(&to.name)))
        .way(way)
        .ddl(ddl(context, table, from, to))
        .probed(context, (table, &from.name), probe, rows)
        .done()
}

/// The statements of any change of type. A default is not cast with its column: it goes before and comes after.
pub(super) fn ddl(context: &Context<'_>, table: &Coordinate, from: &Column, to: &Column) -> Vec<String> {
    let mut ddl = Vec::new();
    if from.default.is_some() {
        ddl.push(alter_column(table, &to.name, "DROP DEFAULT"));
    }
    let using = context.using(table, &to.name).map(|expression| format!(" USING ({expression})"));
    ddl.push(alter_column(table, &to.name, &format!("TYPE {}{}", typed(to), using.unwrap_or_default())));
    if let (Some(_), Some(default)) = (&from.default, &to.default) {
        ddl.push(alter_column(table, &to.name, &format!("SET DEFAULT {}", bracketed(default))));
    }
    without_indexes(table, &context.indexes(table), ddl)
}

/// Counts the values that do not come back from a cast there and back: a cast that succeeds may still lose.
///
/// Shape: nothing where no question can be asked that every value survives.
pub(super) fn round_trip(
    context: &Context<'_>,
    table: &Coordinate,
    from: &Column,
    to: &Column,
) -> Option<String> {
    let column = name(&from.name);
    if context.is_postgres() {
        let broken = misfits(&column, &from.data_type, &to.data_type)?;
        return Some(format!("SELECT count(*) FROM {} WHERE {broken}", path(&context.live_name(table))));
    }
    Some(format!(
        "SELECT count(*) FROM {} WHERE {column} IS NOT NULL AND TRY_CAST(TRY_CAST({column} AS {}) AS {}) IS DISTINCT FROM {column}",
        path(&context.live_name(table)),
        to.data_type,
        from.data_type
    ))
}

/// What to do about the keys and indexes of a column that goes, where it has some.
fn kept(context: &Context<'_>, table: &Coordinate, from: &Column, new: &str) -> String {
    let has = context.relation(table).is_some_and(|live| {
        let names = |index: &String| words(index).contains(&from.name.to_lowercase());
        live.constraints.iter().any(|key| key.columns.contains(&from.name))
            || live.indexes.values().any(names)
    });
    if has { format!(", and declare for `{new}` the keys and indexes that it needs") } else { String::new() }
}

/// A column of the new type comes beside the old one; or the files say how a value becomes another.
pub(super) fn beside<'a>(
    context: &'a Context<'_>,
    table: &Coordinate,
    from: &Column,
    to: &Column,
) -> Way<'a> {
    let (this, new) = (&to.name, format!("{}_v2", to.name));
    let value = format!("cast({} as {})", name(this), to.data_type);
    let second = Column { name: new.clone(), nullable: true, default: None, ..to.clone() };
    let way = Way::new(context);
    let (way, fill) = if context.managed(table).derived {
        let old = format!("cast({} as {})", name(this), from.data_type);
        (way.outputs(table, &[(this.clone(), old), (new.clone(), name(this))]), Vec::new())
    } else {
        let fill = format!("UPDATE {} SET {} = {value} WHERE {1} IS NULL", path(table), name(&new));
        (way.unchanged(table, from, to).column(table, &second), vec![fill])
    };
    way.expand(format!("keep `{this}` as it is and declare `{new}` {} beside it; promote", to.data_type))
        .fill(format!("fill `{new}`, and let whoever writes fill both"), fill)
        .moves(format!("move whoever reads `{this}` to `{new}`{}", kept(context, table, from, &new)))
        .without_column(table, this)
        .contract(format!("then remove `{this}` and the keys, indexes and comments that name it; promote"), &[format!("drop-column:{table}.{this}")])
        .afresh()
        .using(table, this, &value)
        .instead(format!("or say how old values become new ones, by `migrate_using` at `{this}`: readers see the new type at once"))
}
