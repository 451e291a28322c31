//! `create-index`: an index that is not there is made; a unique one asks the data.

use super::draft::Draft;
use crate::migration::context::{Context, thousands};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::path;

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
    let list = definition.split_once('(').and_then(|(_, list)| list.strip_suffix(')')).unwrap_or("1");
    let probe = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {} GROUP BY {list} HAVING count(*) > 1)",
        path(&context.live_name(table))
    );
    let rows = context.answer(&probe);
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
        _ => format!("unique index `{index}` is built over all rows"),
    };
    draft
        .settled(settled)
        .reason(reason)
        .recipe(&["remove the duplicates first; promote".to_owned()])
        .probe(probe, rows)
        .done()
}
