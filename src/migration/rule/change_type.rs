//! `change-type`: labels of an enumeration, or fields of a composite type, are others.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

use crate::model::schema::{Rights, TypeKind};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    let parts = |side: Option<&crate::model::schema::NamedType>| {
        side.map(|named| named.parts.clone()).unwrap_or_default()
    };
    let (before, wanted) = (context.live.types.get(object), context.desired.schema.types.get(object));
    let (old, new) = (parts(before), parts(wanted));
    let gone: Vec<&str> = old.iter().filter(|part| !new.contains(part)).map(String::as_str).collect();
    let is_enum = wanted.is_some_and(|wanted| wanted.kind == TypeKind::Enum);
    let mechanics = if is_enum { Mechanics::Rewrite } else { Mechanics::Metadata };
    let draft = Draft::new(context, "change-type", object).affected(context.affected(object, None));
    if gone.is_empty() && !is_enum {
        return draft
            .judged(Verdict::Compatible, mechanics)
            .reason(format!("type `{object}` has more fields"))
            .done();
    }
    if let Some(before) = before.filter(|before| is_enum && before.rights.out_of_reach) {
        return draft
            .judged(Verdict::Incompatible, Mechanics::Impossible)
            .reason(format!("type `{object}` would be made anew, and {}", not_returned(&before.rights)))
            .way(Way::new(context).instead("have somebody promote it who may act as its owner"))
            .refused();
    }
    let what = if gone.is_empty() {
        "would be in another order".to_owned()
    } else {
        format!("would lose {}", gone.join(", "))
    };
    draft
        .judged(Verdict::Incompatible, mechanics)
        .reason(format!(
            "type `{object}` {what}: rows that hold it make the change fail, and whoever names it fails"
        ))
        .way(way(context, object, &old, &new, is_enum))
        .done()
}

/// Says that what is made again cannot be given back to its owner.
pub(super) fn not_returned(rights: &Rights) -> String {
    let owner = rights.owner.as_deref().unwrap_or_default();
    format!("`{owner}` owns it, to whom only a member of `{owner}` can give it back")
}

/// What it holds stays, with what is new at its end, until no row and nobody uses it.
fn way<'a>(
    context: &'a Context<'_>,
    object: &Coordinate,
    old: &[String],
    new: &[String],
    is_enum: bool,
) -> Way<'a> {
    let more = new.iter().filter(|part| !old.contains(part));
    let parts = old.iter().chain(more);
    let parts: Vec<String> = if is_enum {
        parts.map(|part| crate::warehouse::literal(part)).collect()
    } else {
        parts.cloned().collect()
    };
    Way::new(context)
        .parts(object, &parts.join(", "))
        .expand(format!("keep what `{object}` holds, with what is new at its end; promote"))
        .moves("move the rows and readers that use what goes")
        .back()
        .contract("then declare it as it is now; promote", &[format!("change-type:{object}")])
}
