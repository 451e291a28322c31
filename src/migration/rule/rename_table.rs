//! `rename-table`: a table bears another name, as `renamed_from` says.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::statement::{alter, drop_index};
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::{name, path};

pub(super) fn step(context: &Context<'_>, table: &Coordinate, from: &Coordinate) -> Step {
    let rename = alter(from, &format!("RENAME TO {}", name(&table.name)));
    let live = context.relation(table).map(|relation| relation.indexes.clone()).unwrap_or_default();
    let mut ddl: Vec<String> = live.keys().map(|index| drop_index(from, index)).collect();
    ddl.push(rename);
    ddl.extend(context.wanted(table).into_iter().flat_map(|wanted| wanted.indexes.values().cloned()));
    Draft::new(context, "rename-table", table)
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!(
            "table `{from}` becomes `{table}`: no row is lost, but whoever reads or writes `{from}` fails"
        ))
        .affected(context.affected(from, None))
        .recipe(&[
            format!("declare `{table}` beside `{from}` and fill both"),
            format!("or declare a view `{from}` as SELECT * FROM {} in the same change", path(table)),
            format!("when nobody reads `{from}` any more, declare it with `state: dropped`"),
        ])
        .ddl(ddl)
        .done()
}
