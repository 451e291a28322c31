//! `change-routine`: the body or the signature of a routine is another.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::diff::with_defaults;
use crate::migration::fit::{Fit, fit};
use crate::migration::statement::{create_routine, routine_noun};
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::{Overload, Routine};
use crate::warehouse::{path, same_name};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    let draft = Draft::new(context, "change-routine", object);
    let wanted = context.desired.schema.routines.get(object);
    let (Some(live), Some(wanted)) = (context.live.routines.get(object), wanted) else {
        return super::create_routine::step(context, object);
    };
    let live = with_defaults(live, context.ledger.owned.get(object));
    let mut ddl = super::create_routine::ddl(context, object);
    if live.kind != wanted.kind {
        ddl.insert(0, format!("DROP {} {}", routine_noun(live.kind), path(object)));
    }
    let draft = draft.affected(context.affected(object, None)).ddl(ddl);
    if let Some(why) = not_given_back(context, &live, wanted) {
        return draft
            .judged(Verdict::Incompatible, Mechanics::Impossible)
            .reason(format!("routine `{object}` would be dropped and made again, and {why}"))
            .way(Way::new(context).instead(
                "have somebody promote it who may act as its owner, or give its overloads the same rights first",
            ))
            .refused();
    }
    if live.kind == wanted.kind && live.overloads.iter().all(|old| accepted(old, wanted)) {
        let same = live
            .overloads
            .iter()
            .all(|old| wanted.overloads.iter().any(|new| new.parameters == old.parameters));
        let what = if same { "its body changes" } else { "it takes more than before" };
        return draft.reason(format!("routine `{object}`: {what}; every old call still works")).done();
    }
    draft
        .judged(Verdict::Incompatible, Mechanics::Metadata)
        .reason(format!(
            "routine `{object}` would no longer take what it takes now: whoever calls it so fails"
        ))
        .way(way(context, object, &live))
        .done()
}

/// Says why the rights to what is dropped cannot be given to its new self.
fn not_given_back(context: &Context<'_>, live: &Routine, wanted: &Routine) -> Option<String> {
    if !context.is_postgres() {
        return None;
    }
    let lost = crate::migration::postgres::lost(live, wanted);
    let (_, first) = lost.first()?;
    if let Some((_, rights)) = lost.iter().find(|(_, rights)| rights.out_of_reach) {
        return Some(super::change_type::not_returned(rights));
    }
    let moved = |old: &Overload| !wanted.overloads.iter().any(|new| new.identity == old.identity);
    let unlike = lost.iter().any(|(old, rights)| moved(old) && rights != first);
    unlike
        .then(|| "its overloads have different rights, of which its new self can have only one's".to_owned())
}

/// Whether every call of an old signature still works: the same names, in order, and only defaults after them.
fn accepted(old: &Overload, wanted: &Routine) -> bool {
    wanted.overloads.iter().any(|new| {
        let kept = old.parameters.iter().zip(&new.parameters).all(|(old, new)| {
            let retyped = match (&old.data_type, &new.data_type) {
                (_, None) => true,
                (Some(old), Some(new)) => matches!(fit(old, new), Fit::Same | Fit::Wider),
                (None, Some(_)) => false,
            };
            same_name(&old.name, &new.name) && retyped && (old.default.is_none() || new.default.is_some())
        });
        let more = new.parameters.iter().skip(old.parameters.len());
        kept && new.parameters.len() >= old.parameters.len()
            && more.into_iter().all(|new| new.default.is_some())
    })
}

/// The new one comes beside the old one until every caller has moved.
fn way<'a>(context: &'a Context<'_>, object: &Coordinate, live: &Routine) -> Way<'a> {
    let new = format!("{}_v2", object.name);
    let old = if context.is_postgres() {
        crate::migration::postgres::create_routine(object, live)
    } else {
        vec![create_routine(object, live)]
    };
    Way::new(context)
        .second_routine(object, &new, &old)
        .expand(format!("keep `{object}` as it is and declare `{new}` beside it; promote"))
        .moves(format!("move whoever calls `{object}` to `{new}`"))
        .back()
        .contract("then declare it as it is now; promote", &[format!("change-routine:{object}")])
        .instead("or give every new parameter a default, at the end")
}
