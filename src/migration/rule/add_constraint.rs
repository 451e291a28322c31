//! `add-constraint`: a key or check that is not there; the data decides.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::harmless::beyond;
use crate::migration::sample::keys_of;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Constraint;
use crate::warehouse::{name, path};

/// How a key begins to which a NULL is a value like others.
const NULLS_EQUAL: &str = "UNIQUE NULLS NOT DISTINCT";

pub(super) fn step(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Step {
    let probe = violations(context, table, constraint);
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    if context.relation(table).is_none() {
        return Draft::new(context, "add-constraint", table)
            .reason(format!("{} is new, as its table is", constraint.definition))
            .done();
    }
    let fresh = constraint
        .columns
        .iter()
        .any(|column| context.relation(table).is_none_or(|live| live.column(column).is_none()));
    // A new column without a value in it breaks no foreign key and no uniqueness, unless NULL equals NULL.
    let blank = matches!(constraint.kind.as_str(), "FOREIGN KEY" | "UNIQUE")
        && !constraint.definition.starts_with(NULLS_EQUAL)
        && constraint.columns.iter().any(|column| {
            let wanted = context.wanted(table).and_then(|wanted| wanted.column(column));
            let live = context.relation(table).and_then(|live| live.column(column));
            live.is_none()
                && wanted.is_some_and(|new| new.nullable && new.default.is_none() && new.generated.is_none())
                && !context.managed(table).renamed_columns.contains_key(&column.to_lowercase())
        });
    let settled = match rows {
        _ if context.empty(table) || blank => Verdict::CompatibleWithCost,
        Some(0) => Verdict::CompatibleWithCost,
        Some(_) => Verdict::Incompatible,
        None => Verdict::NeedsDataCheck,
    };
    let what = format!("{} is new", constraint.definition);
    let reason = match rows {
        Some(0) => format!("{what}: every row keeps it"),
        Some(rows) => format!("{what}: {} rows break it", thousands(rows)),
        None if context.empty(table) => format!("{what}; the table has no row"),
        None if blank => format!("{what}: its new column has no value yet"),
        None => {
            let unasked =
                unasked(context, constraint).unwrap_or_else(|| "the data has to be asked".to_owned());
            format!("{what}: {unasked}, and rows that break it make the change fail")
        }
    };
    let mut draft = Draft::new(context, "add-constraint", table)
        .judged(Verdict::NeedsDataCheck, Mechanics::Rebuild)
        .settled(settled)
        .reason(reason)
        .way(without_it(context, table, constraint));
    if let [column] = constraint.columns.as_slice() {
        draft = draft.column(column);
    }
    let names: Vec<&String> = constraint.columns.iter().collect();
    match probe {
        Some(probe) if !fresh => {
            let twice = duplicates(context, table, constraint);
            let sample = keys_of(context, table, &names, twice.as_ref().unwrap_or(&probe));
            draft.probe(probe, rows).sampled(sample).done()
        }
        _ => draft.done(),
    }
}

/// The expression of a check, of which nobody has approved that it is run on live rows.
fn expression(constraint: &Constraint) -> Option<&str> {
    let definition = constraint.definition.trim_end_matches(" NOT VALID").trim_end_matches(" NO INHERIT");
    definition.strip_prefix("CHECK").filter(|_| constraint.kind == "CHECK")
}

/// Says why a check is not asked of live rows: it does not only compute.
pub(super) fn unasked(context: &Context<'_>, constraint: &Constraint) -> Option<String> {
    let beyond = beyond(expression(constraint)?, context.desired.dialect)?;
    Some(format!("the data is not asked, as `{beyond}` may do more than compute"))
}

/// Counts the rows that break it, where one query can say so: not where a column is renamed, retyped or
/// new, nor where a check does not only compute.
pub(super) fn violations(
    context: &Context<'_>,
    table: &Coordinate,
    constraint: &Constraint,
) -> Option<String> {
    let live = context.relation(table)?;
    let wanted = context.wanted(table)?;
    let as_it_is = |column: &String| {
        let types = live.column(column).zip(wanted.column(column));
        types.is_some_and(|(live, wanted)| live.data_type == wanted.data_type)
    };
    if !constraint.columns.iter().all(as_it_is) {
        return None;
    }
    let columns: Vec<String> = constraint.columns.iter().map(|column| name(column)).collect();
    let list = columns.join(", ");
    let table = path(&context.live_name(table));
    let nulls = columns.iter().map(|column| format!("{column} IS NULL")).collect::<Vec<_>>().join(" OR ");
    let definition = constraint.definition.trim_end_matches(" NOT VALID");
    match constraint.kind.as_str() {
        "PRIMARY KEY" => Some(format!(
            "SELECT (SELECT count(*) FROM {table} WHERE {nulls}) + (SELECT count(*) FROM (SELECT {list} FROM {table} GROUP BY {list} HAVING count(*) > 1) AS x)"
        )),
        "UNIQUE" if definition.starts_with(NULLS_EQUAL) => Some(format!(
            "SELECT count(*) FROM (SELECT {list} FROM {table} GROUP BY {list} HAVING count(*) > 1) AS x"
        )),
        "UNIQUE" => Some(format!(
            "SELECT count(*) FROM (SELECT {list} FROM {table} WHERE NOT ({nulls}) GROUP BY {list} HAVING count(*) > 1) AS x"
        )),
        "CHECK" => {
            let expression = expression(constraint).filter(|_| unasked(context, constraint).is_none())?;
            Some(format!("SELECT count(*) FROM {table} WHERE NOT {expression}"))
        }
        "FOREIGN KEY" if context.is_postgres() => orphans(context, &table, &columns, definition),
        _ => None,
    }
}

/// Counts the rows that point at nothing.
fn orphans(context: &Context<'_>, table: &str, columns: &[String], definition: &str) -> Option<String> {
    let (target, rest) = definition.split_once(" REFERENCES ")?.1.split_once('(')?;
    let (keys, _) = rest.split_once(')')?;
    let there = context.live.relations.iter().find(|(name, _)| path(name) == target)?.1;
    let keys: Vec<&str> = keys.split(", ").collect();
    if !keys.iter().all(|key| there.columns.iter().any(|column| name(&column.name) == *key)) {
        return None;
    }
    let set: Vec<String> = columns.iter().map(|column| format!("x.{column} IS NOT NULL")).collect();
    let same: Vec<String> =
        columns.iter().zip(&keys).map(|(column, key)| format!("y.{key} = x.{column}")).collect();
    Some(format!(
        "SELECT count(*) FROM {table} AS x WHERE {} AND NOT EXISTS (SELECT 1 FROM {target} AS y WHERE {})",
        set.join(" AND "),
        same.join(" AND ")
    ))
}

/// It waits until every row keeps it.
fn without_it<'a>(context: &'a Context<'_>, table: &Coordinate, constraint: &Constraint) -> Way<'a> {
    Way::new(context)
        .without_key(table, constraint)
        .expand("leave it out for now; promote")
        .fill("look at the rows that break it, and mend them", breaking(context, table, constraint))
        .back()
        .contract("then declare it as it is now; promote", &[])
}

/// Shows rows that break it, by the condition that counts them.
fn breaking(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Vec<String> {
    let place = path(&context.live_name(table));
    let columns: Vec<String> = constraint.columns.iter().map(|column| name(column)).collect();
    let list = columns.join(", ");
    match constraint.kind.as_str() {
        "PRIMARY KEY" | "UNIQUE" => {
            vec![format!("SELECT {list}, count(*) FROM {place} GROUP BY {list} HAVING count(*) > 1 LIMIT 10")]
        }
        _ => violations(context, table, constraint)
            .map(|sql| format!("{} LIMIT 10", sql.replacen("SELECT count(*)", "SELECT *", 1)))
            .into_iter()
            .collect(),
    }
}

/// Counts the values of a primary key that are there twice: what its own question adds NULLs to.
fn duplicates(context: &Context<'_>, table: &Coordinate, constraint: &Constraint) -> Option<String> {
    let columns: Vec<String> = constraint.columns.iter().map(|column| name(column)).collect();
    let (list, place) = (columns.join(", "), path(&context.live_name(table)));
    let grouped = format!("SELECT {list} FROM {place} GROUP BY {list} HAVING count(*) > 1");
    (constraint.kind == "PRIMARY KEY").then(|| format!("SELECT count(*) FROM ({grouped}) AS x"))
}
