//! What stands in the way of a change below it on PostgreSQL: views that are taken away and made again.

use std::collections::BTreeSet;

use super::context::Context;
use super::diff::Change;
use super::order::Judged;
use super::postgres::{holders, replaces};
use super::rule;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Verdict};
use crate::model::schema::Read;

/// What a change needs to be free of views: a whole object, or one of its columns.
struct Need {
    object: Coordinate,
    column: Option<String>,
}

/// Finds the live views that have to be taken away for these changes: those that read what changes, and all that
/// read these.
pub(super) fn lifted(context: &Context<'_>, changes: &[Change]) -> BTreeSet<Coordinate> {
    changes
        .iter()
        .flat_map(|change| needs(context, change))
        .flat_map(|need| in_the_way(context, &need))
        .collect()
}

fn needs(context: &Context<'_>, change: &Change) -> Vec<Need> {
    let column = |table: &Coordinate, column: &str| {
        vec![Need { object: context.live_name(table), column: Some(column.to_owned()) }]
    };
    let whole = |object: &Coordinate| vec![Need { object: object.clone(), column: None }];
    if let Change::RetypeColumn { table, from, .. }
    | Change::ChangeCollation { table, from, .. }
    | Change::ChangeGenerated { table, from, .. }
    | Change::DropColumn { table, column: from } = change
    {
        return column(table, &from.name);
    }
    if let Change::DropTable(object)
    | Change::DropView(object)
    | Change::TableToView(object)
    | Change::ViewToTable(object) = change
    {
        return whole(object);
    }
    if let Change::ChangeView(view) = change {
        let sides = context.relation(view).zip(context.wanted(view));
        let replaced = sides.is_none_or(|(live, wanted)| replaces(live, wanted));
        return if replaced { Vec::new() } else { whole(view) };
    }
    let Change::ChangeType(object) = change else { return Vec::new() };
    let holders = holders(context, object).into_iter();
    holders.map(|(table, column)| Need { object: table.clone(), column: Some(column.name.clone()) }).collect()
}

/// Whether a view that is made would read what a change needs to be free of views, or a view that goes or comes by it.
pub(super) fn would_stand(context: &Context<'_>, view: &Coordinate, change: &Change) -> bool {
    let Some(wanted) = context.wanted(view) else { return false };
    let moved =
        if let Change::LiftView(other) | Change::CreateView(other) | Change::ChangeView(other) = change {
            Some(other)
        } else {
            None
        };
    let needs = needs(context, change);
    wanted
        .extra
        .reads
        .iter()
        .any(|read| moved == Some(&read.object) || needs.iter().any(|need| need.is_read(read)))
}

impl Need {
    fn is_read(&self, read: &Read) -> bool {
        read.object == self.object
            && (self.column.is_none() || read.column.is_none() || read.column == self.column)
    }
}

/// The live views that read what is needed, directly or through others.
fn in_the_way(context: &Context<'_>, need: &Need) -> BTreeSet<Coordinate> {
    let views = || {
        let relations = context.live.relations.iter().filter(|(_, relation)| relation.kind.is_view());
        let known = relations.map(|(name, relation)| (name, &relation.extra.reads));
        known.chain(context.live.outside.iter().map(|(name, outside)| (name, &outside.reads)))
    };
    let direct = views().filter(|(_, reads)| reads.iter().any(|read| need.is_read(read)));
    let mut found: BTreeSet<Coordinate> = direct.map(|(name, _)| name.clone()).collect();
    loop {
        let more = views().filter(|(name, reads)| {
            !found.contains(*name) && reads.iter().any(|read| found.contains(&read.object))
        });
        let more: Vec<Coordinate> = more.map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Adds the steps that take views away and make them again, each in the half of the change that needs it.
///
/// Shape: what else the plan has for such a view is part of its making again. A view that is not ours is not
/// touched: the change that needs it away is refused.
pub(super) fn lift(context: &Context<'_>, judged: &mut Vec<Judged>) {
    refuse_foreign(context, judged);
    let needing: Vec<Change> = judged
        .iter()
        .filter(|judged| judged.step.mechanics != Mechanics::Impossible)
        .map(|judged| judged.change.clone())
        .collect();
    let mut away = lifted(context, &needing);
    // A view that cannot be replaced in place goes itself.
    away.extend(needing.iter().filter_map(|change| {
        let Change::ChangeView(view) = change else { return None };
        (!needs(context, change).is_empty()).then(|| view.clone())
    }));
    let drops = |view: &Coordinate| {
        needing.iter().any(|change| matches!(change, Change::DropView(object) | Change::ViewToTable(object) if object == view))
    };
    for view in away.into_iter().filter(|view| !drops(view)) {
        let changes = judged.iter().any(|judged| judged.change == Change::ChangeView(view.clone()));
        judged.retain(|judged| {
            let part = matches!(
                judged.change,
                Change::ChangeComment { .. }
                    | Change::CreateTrigger { .. }
                    | Change::ChangeOptions(_)
                    | Change::CreateIndex { .. }
                    | Change::DropIndex { .. }
            );
            // One that goes for good is still judged.
            let part = part
                || (matches!(judged.change, Change::DropTrigger { .. })
                    && judged.step.settled == Verdict::Notice);
            !(part && judged.change.object() == Some(&view))
        });
        let mut steps = vec![Change::LiftView(view.clone())];
        if !changes {
            steps.push(Change::LowerView(view));
        }
        judged.extend(steps.into_iter().map(|change| Judged { step: rule::step(context, &change), change }));
    }
}

/// A change that somebody else's view stands in the way of is refused: that view is not ours to drop.
fn refuse_foreign(context: &Context<'_>, judged: &mut [Judged]) {
    let ours = |view: &Coordinate| {
        let known = context.desired.objects.contains_key(view)
            || context.ledger.owned.contains_key(view)
            || context.desired.dropped.contains_key(view);
        known && !context.live.outside.contains_key(view)
    };
    let dropped: BTreeSet<Coordinate> = judged
        .iter()
        .filter_map(|judged| {
            let Change::DropView(view) = &judged.change else { return None };
            Some(view.clone())
        })
        .collect();
    for judged in judged.iter_mut() {
        let foreign: Vec<String> = needs(context, &judged.change)
            .iter()
            .flat_map(|need| in_the_way(context, need))
            .filter(|view| !ours(view) && !dropped.contains(view))
            .map(|view| format!("`{view}`"))
            .collect();
        if foreign.is_empty() {
            continue;
        }
        let foreign = foreign.join(", ");
        judged.make_impossible(
            context,
            &format!("{foreign} is in the way, which is not ours to drop"),
            format!("declare {foreign} too, or have its owner drop it first"),
        );
    }
}
