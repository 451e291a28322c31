//! `create-index`: an index that is not there is made; a unique one asks the data.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::migration::harmless::beyond;
use crate::migration::sample::keys_of;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, index: &str, definition: &str) -> Step {
    let unique = definition.starts_with("CREATE UNIQUE INDEX");
    let draft = Draft::new(context, "create-index", table).ddl(vec![definition.to_owned()]);
    if !unique {
        return draft
            .judged(Verdict::CompatibleWithCost, Mechanics::Scan)
            .reason(format!("index `{index}` is built over all rows"))
            .done();
    }
    let draft = draft.judged(Verdict::NeedsDataCheck, Mechanics::Scan);
    let probe = duplicates(context, table, definition);
    let rows = probe.as_ref().and_then(|probe| context.answer(probe));
    let settled = match rows {
        _ if context.empty(table) => Verdict::CompatibleWithCost,
        Some(0) => Verdict::CompatibleWithCost,
        Some(_) => Verdict::Incompatible,
        None => Verdict::NeedsDataCheck,
    };
    let reason = match rows {
        Some(rows) if rows > 0 => {
            format!("unique index `{index}`: {} values are there twice", thousands(rows))
        }
        _ => {
            let unasked = unasked(context, definition)
                .map(|beyond| format!("; the data is not asked, as `{beyond}` may do more than compute"));
            format!("unique index `{index}` is built over all rows{}", unasked.unwrap_or_default())
        }
    };
    let draft = draft.settled(settled).reason(reason).way(way(context, table, index, definition));
    match probe {
        Some(probe) => {
            let sample = keys_of(context, table, &[], &probe);
            draft.probe(probe, rows).sampled(sample).done()
        }
        None => draft.done(),
    }
}

/// Names what in an index may do more than compute: nobody has approved that it is run on live rows.
fn unasked(context: &Context<'_>, definition: &str) -> Option<String> {
    // PostgreSQL is asked about columns only, of the rows that a condition leaves.
    let (_, asked) = definition.split_once(if context.is_postgres() { " WHERE " } else { "(" })?;
    beyond(
        asked.strip_suffix(')').filter(|_| !context.is_postgres()).unwrap_or(asked),
        context.desired.dialect,
    )
}

/// Counts the values that are there twice; not where an expression or a new column is indexed, nor where it does not
/// only compute.
fn duplicates(context: &Context<'_>, table: &Coordinate, definition: &str) -> Option<String> {
    let place = path(&context.live_name(table));
    if unasked(context, definition).is_some() {
        return None;
    }
    if !context.is_postgres() {
        let list = definition.split_once('(').and_then(|(_, list)| list.strip_suffix(')')).unwrap_or("1");
        return Some(format!(
            "SELECT count(*) FROM (SELECT 1 FROM {place} GROUP BY {list} HAVING count(*) > 1) AS x"
        ));
    }
    let (_, rest) = definition.split_once(" USING ")?.1.split_once('(')?;
    let (list, rest) = rest.split_once(')')?;
    let (live, mut columns) = (context.relation(table)?, Vec::new());
    for part in list.split(", ") {
        let plain = live.columns.iter().map(|column| name(&column.name)).find(|column| {
            part.strip_prefix(column.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        columns.push(plain?);
    }
    let (kept, filter) =
        rest.split_once(" WHERE ").map_or((rest, None), |(kept, filter)| (kept, Some(filter)));
    let list = columns.join(", ");
    let mut rows: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    if kept.contains(" NULLS NOT DISTINCT") {
        rows.clear();
    }
    rows.extend(filter.map(str::to_owned));
    let rows = if rows.is_empty() { String::new() } else { format!(" WHERE {}", rows.join(" AND ")) };
    Some(format!(
        "SELECT count(*) FROM (SELECT 1 FROM {place}{rows} GROUP BY {list} HAVING count(*) > 1) AS x"
    ))
}

/// Shows values that are there twice, by the question that counts them.
fn select(probe: &str) -> Option<String> {
    let rows = probe.strip_prefix("SELECT count(*) FROM (SELECT 1 ")?.strip_suffix(") AS x")?;
    let (list, _) = rows.rsplit_once(" GROUP BY ")?.1.rsplit_once(" HAVING ")?;
    Some(format!("SELECT {list}, count(*) {rows} LIMIT 10"))
}

/// It comes without being unique, and is unique once the duplicates are gone.
fn way<'a>(context: &'a Context<'_>, table: &Coordinate, index: &str, definition: &str) -> Way<'a> {
    let select = duplicates(context, table, definition).as_deref().and_then(select);
    Way::new(context)
        .plain_index(table, index)
        .expand(format!("declare `{index}` without UNIQUE; promote"))
        .fill("look at the values that are there twice, and mend them", select.into_iter().collect())
        .back()
        .contract("then declare it as it is now; promote", &[])
}
