//! `view-to-table`: a table takes the place of a view; it is empty until it is filled.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{alter, comments, create_table};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    let Some(wanted) = context.wanted(object) else { return super::drop_view::step(context, object) };
    let shared = context.relation(object).into_iter().flat_map(|live| &live.columns);
    let shared: Vec<String> = shared
        .filter(|old| wanted.column(&old.name).is_some_and(|new| new.generated.is_none()))
        .map(|column| name(&column.name))
        .collect();
    let kept = context.relation(object).is_some_and(|live| live.columns.len() == shared.len());
    let new = object.dataset.object(format!("_promote_new_{}", object.name));
    let mut ddl = vec![create_table(&new, wanted)];
    if !shared.is_empty() {
        let list = shared.join(", ");
        ddl.push(format!("INSERT INTO {} ({list}) SELECT {list} FROM {}", path(&new), path(object)));
    }
    ddl.push(format!("DROP VIEW {}", path(object)));
    ddl.push(alter(&new, &format!("RENAME TO {}", name(&object.name))));
    ddl.extend(wanted.indexes.values().cloned());
    ddl.extend(comments(object, wanted));
    let settled = if kept { Verdict::CompatibleWithCost } else { Verdict::Incompatible };
    let reason = if kept {
        format!(
            "view `{object}` becomes a table with the rows that it gives now; from then on a run fills it"
        )
    } else {
        format!("view `{object}` becomes a table without all of its columns: whoever reads the others fails")
    };
    Draft::new(context, "view-to-table", object)
        .judged(settled, Mechanics::Rebuild)
        .reason(reason)
        .affected(context.affected(object, None))
        .way(way(context, object))
        .ddl(ddl)
        .done()
}

/// The table keeps every column of the view until nobody reads it.
fn way<'a>(context: &'a Context<'_>, object: &Coordinate) -> Way<'a> {
    let wanted = context.wanted(object);
    let gone = context.relation(object).into_iter().flat_map(|live| &live.columns);
    let gone = gone.filter(|column| wanted.is_none_or(|wanted| wanted.column(&column.name).is_none()));
    let (mut way, mut allow) = (Way::new(context), Vec::new());
    for column in gone {
        way = way.column(object, column);
        allow.push(format!("drop-column:{object}.{}", column.name));
    }
    way.expand("keep every column of the view in the table; promote")
        .moves("move whoever reads what goes")
        .back()
        .contract("then declare it as it is now; promote", &allow)
}
