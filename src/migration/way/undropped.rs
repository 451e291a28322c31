//! The way out of `state: dropped` and `--prune`: what nobody declares any more stays as it is. Pure.

use super::stage::Way;
use crate::migration::context::Context;
use crate::model::coordinate::Coordinate;

/// It stays, unmanaged, until nobody uses it.
pub(in crate::migration) fn undropped<'a>(
    context: &'a Context<'_>,
    object: &Coordinate,
    code: &str,
) -> Way<'a> {
    let said = context.desired.dropped.contains_key(object);
    let say = if said {
        format!("remove the declaration of `{object}`: it then stays as it is, unmanaged; promote")
    } else {
        format!("leave `--prune` out: `{object}` then stays as it is, unmanaged; promote")
    };
    Way::new(context)
        .without_entry(object)
        .expand(say)
        .moves(format!("move whoever uses `{object}`, and keep elsewhere what is worth keeping"))
        .back()
        .contract("then drop it", &[format!("{code}:{object}")])
}
