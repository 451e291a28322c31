//! Views whose text names what they read without its dataset.
//!
//! The engine looks such a name up where the view lies, so the same view can be written in two ways. Here it gets the
//! one with the dataset, which is how the project's files are placed.

use std::collections::{BTreeMap, BTreeSet};

use super::introspect::query;
use crate::model::coordinate::Coordinate;
use crate::model::schema::{Relation, RelationKind};
use crate::sql::{Dialect, Role, references};
use crate::warehouse::quote::dataset;

/// Writes the dataset before every name of a relation that lies where the view does.
pub(super) fn placed(relations: &mut BTreeMap<Coordinate, Relation>) {
    let bare = |relation: &Relation| relation.kind == RelationKind::View && reads_bare(&relation.definition);
    if !relations.values().any(bare) {
        return;
    }
    let known: BTreeSet<(String, String)> = relations.keys().map(folded).collect();
    for (view, relation) in relations.iter_mut().filter(|(_, relation)| bare(relation)) {
        let there = |name: &str| known.contains(&(view.dataset.to_string(), name.to_lowercase()));
        let Ok(found) = references(&relation.definition, Dialect::DuckDb) else { continue };
        let mut text = relation.definition.clone();
        for reference in found.iter().rev().filter(|reference| reference.role == Role::Relation) {
            if let [part] = reference.parts.as_slice()
                && there(&part.text)
            {
                text.insert_str(part.span.start, &format!("{}.", dataset(&view.dataset)));
            }
        }
        relation.query = Some(query(&text));
        relation.definition = text;
    }
}

fn folded(object: &Coordinate) -> (String, String) {
    (object.dataset.to_string(), object.name.to_lowercase())
}

/// Whether something stands behind FROM or JOIN, or in a list of these, without a dataset. The engine prints keywords
/// in capitals; to take a word for one in a string costs a little time and nothing else.
fn reads_bare(text: &str) -> bool {
    let listed = text.contains(" , ");
    let mut sources = ["FROM ", "JOIN "]
        .iter()
        .flat_map(|word| text.match_indices(word).map(|(at, _)| &text[at + word.len()..]));
    listed || sources.any(|source| !source.starts_with('(') && !is_placed(source))
}

/// Whether a name is followed by a period.
fn is_placed(source: &str) -> bool {
    let rest = match source.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map_or("", |(_, rest)| rest),
        None => source.trim_start_matches(|next: char| next.is_alphanumeric() || next == '_'),
    };
    rest.starts_with('.')
}
