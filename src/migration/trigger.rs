//! Triggers: whose they are, and what stands in for a function that lies where nothing is read. Pure.

use super::context::Context;
use super::drift::Kept;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::warehouse::{Ledger, head, name};

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

/// The function of a trigger, where it lies in none of these datasets.
pub(super) fn outside_function(definition: &str, datasets: &[&Dataset]) -> Option<(String, String)> {
    let function = function(definition);
    let [.., schema, routine] = function.as_slice() else { return None };
    let known = datasets.iter().any(|dataset| dataset.schema == *schema);
    (!known && !schema.starts_with("pg_")).then(|| (name(schema), name(routine)))
}

/// The statements that make something to stand in for such a function, where triggers are tried.
pub(super) fn stand_in(definition: &str, datasets: &[&Dataset]) -> Vec<String> {
    let Some((schema, routine)) = outside_function(definition, datasets) else { return Vec::new() };
    vec![
        format!("CREATE SCHEMA IF NOT EXISTS {schema}"),
        format!(
            "CREATE FUNCTION {schema}.{routine}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_function_that_a_trigger_runs() {
        let shop = Dataset::new("shop");
        for (ending, stands) in [
            ("EXECUTE FUNCTION audit.f()", Some("audit.f")),
            ("EXECUTE FUNCTION audit.f('execute it')", Some("audit.f")),
            ("execute\nprocedure \"My audit\".\"F\"('a')", Some("\"My audit\".\"F\"")),
            ("EXECUTE FUNCTION shop.f()", None),
            ("EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()", None),
            ("EXECUTE FUNCTION f()", None),
        ] {
            let sql = format!("CREATE TRIGGER execute_it BEFORE INSERT ON shop.t FOR EACH ROW {ending}");
            let found =
                outside_function(&sql, &[&shop]).map(|(schema, routine)| format!("{schema}.{routine}"));
            assert_eq!(found.as_deref(), stands, "{ending}");
        }
    }
}
