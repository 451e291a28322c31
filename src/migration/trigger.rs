//! Triggers: whose they are, and what they run. Pure.

use super::context::Context;
use super::drift::Kept;
use crate::model::coordinate::Coordinate;
use crate::warehouse::{Ledger, head};

/// Whether a trigger is ours: a plan applied it. What somebody else put on a table of ours stays somebody else's.
pub(super) fn is_ours(ledger: &Ledger, object: &Coordinate, trigger: &str) -> bool {
    let kept = ledger.applied.get(object).and_then(|applied| Kept::read(&applied.definition));
    let relation = kept.and_then(|kept| kept.relation);
    relation.is_some_and(|relation| relation.extra.triggers.contains_key(trigger))
}

/// The statements that make a view's live triggers again which no declaration speaks of, where the view is made again.
pub(super) fn staying(context: &Context<'_>, view: &Coordinate) -> Vec<String> {
    let (Some(live), Some(wanted)) = (context.live.relations.get(view), context.wanted(view)) else {
        return Vec::new();
    };
    let indexed = context.managed(view).indexed;
    let goes = |trigger: &String| indexed && is_ours(context.ledger, view, trigger);
    let known = |trigger: &String| wanted.extra.triggers.contains_key(trigger) || goes(trigger);
    let triggers = live.extra.triggers.iter().filter(|(trigger, _)| live.kind.is_view() && !known(trigger));
    triggers.map(|(_, definition)| definition.clone()).collect()
}

/// The function that a trigger runs, as it is written: schema and name, or its name alone.
pub(super) fn function(definition: &str) -> Vec<String> {
    let upper = definition.to_ascii_uppercase();
    let mut words = upper.rmatch_indices("EXECUTE");
    let called = words.find_map(|(at, word)| {
        let rest = upper[at + word.len()..].trim_start();
        let called = rest.strip_prefix("FUNCTION").or_else(|| rest.strip_prefix("PROCEDURE"))?;
        Some(&definition[definition.len() - called.len()..])
    });
    called.map(|called| head(&format!("CREATE FUNCTION {called}")).name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_function_that_a_trigger_runs() {
        for (ending, parts) in [
            ("EXECUTE FUNCTION audit.f()", &["audit", "f"][..]),
            ("EXECUTE FUNCTION audit.f('execute it')", &["audit", "f"]),
            ("execute\nprocedure \"My audit\".\"F\"('a')", &["My audit", "F"]),
            ("EXECUTE FUNCTION f()", &["f"]),
        ] {
            let sql = format!("CREATE TRIGGER execute_it BEFORE INSERT ON shop.t FOR EACH ROW {ending}");
            assert_eq!(function(&sql), parts, "{ending}");
        }
    }
}
