//! `drop-trigger`: a trigger is no longer declared, or is declared otherwise.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::trigger::{function, is_ours};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::warehouse::same_name;

pub(super) fn step(context: &Context<'_>, table: &Coordinate, trigger: &str) -> Step {
    let triggers = context.relation(table).map(|live| live.extra.triggers.clone()).unwrap_or_default();
    let definition = triggers.get(trigger).map(String::as_str).unwrap_or_default();
    let again = context.wanted(table).is_some_and(|wanted| wanted.extra.triggers.contains_key(trigger));
    let draft = Draft::new(context, "drop-trigger", table).affected(context.affected(table, None));
    let what = format!("trigger `{trigger}` of `{table}`");
    if again && is_ours(context.ledger, table, trigger) {
        return draft
            .judged(Verdict::Notice, Mechanics::Metadata)
            .reason(format!("{what} goes, and comes again as it is declared now"))
            .done();
    }
    // Such a trigger only looks at what is written.
    if !again && definition.starts_with("CREATE CONSTRAINT TRIGGER ") {
        return draft
            .judged(Verdict::Notice, Mechanics::Metadata)
            .reason(format!("{what} no longer runs: what it kept is kept no more"))
            .done();
    }
    let settled = if !again && context.empty(table) { Verdict::Compatible } else { Verdict::Incompatible };
    let reason = if again {
        format!("{what} is not ours, and would go for the one that is declared under its name")
    } else {
        format!(
            "{what} would no longer run: what it fills or keeps is not there, and a write that needs it fails"
        )
    };
    draft
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .settled(settled)
        .reason(reason)
        .way(way(context, table, (trigger, definition), again))
        .done()
}

/// It stays declared until nobody needs it.
fn way<'a>(
    context: &'a Context<'_>,
    table: &Coordinate,
    (trigger, definition): (&str, &str),
    again: bool,
) -> Way<'a> {
    if again {
        return Way::new(context).instead(format!("declare it under another name than `{trigger}`"));
    }
    let runs = function(definition);
    let is_it = |routine: &Coordinate| match runs.as_slice() {
        [.., schema, name] => routine.dataset.schema == *schema && same_name(&routine.name, name),
        _ => false,
    };
    let undeclared = |routine: &Coordinate| !context.desired.schema.routines.contains_key(routine);
    let routines = context.live.routines.iter().filter(|(routine, _)| is_it(routine) && undeclared(routine));
    let bodies = routines.flat_map(|(_, known)| known.overloads.iter().map(|overload| overload.body.clone()));
    let statements: Vec<String> = bodies.chain([definition.to_owned()]).collect();
    Way::new(context)
        .also(table, &statements)
        .expand(format!("keep `{trigger}` declared: nothing breaks; promote"))
        .moves(format!("let whoever writes `{table}` do what `{trigger}` does"))
        .back()
        .contract(
            format!("remove `{trigger}` once nobody needs it; promote"),
            &[format!("drop-trigger:{table}")],
        )
}
