//! `not-ours`: an object of the same name is there that we did not make.

use super::draft::Draft;
use crate::migration::context::Context;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};

pub(super) fn step(context: &Context<'_>, object: &Coordinate) -> Step {
    Draft::new(context, "not-ours", object)
        .judged(Verdict::Incompatible, Mechanics::None)
        .reason(format!(
            "`{object}` is there already and was not made by promote: it would be changed under its owner"
        ))
        .affected(context.affected(object, None))
        .way(
            Way::new(context)
                .expand(format!("take it over as it is; promote with `--adopt {object}`"))
                .flags(&["--adopt", &object.to_string()])
                .instead("or give the declared object another name"),
        )
        .refused()
}
