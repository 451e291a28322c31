//! What a rule may look at while it judges a change.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::desired::{Desired, Managed};
use crate::model::coordinate::Coordinate;
use crate::model::migration::Affected;
use crate::model::schema::{Relation, Schema};
use crate::sql::Dialect;
use crate::warehouse::{Ledger, path, words};

/// Answers to questions about the data, by the question's SQL.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// Counts by query.
    pub answers: BTreeMap<String, u64>,
}

/// Both sides of the comparison, and what is known of the data.
pub(super) struct Context<'a> {
    pub(super) live: &'a Schema,
    pub(super) desired: &'a Desired,
    pub(super) ledger: &'a Ledger,
    pub(super) facts: &'a Facts,
    readers: OnceCell<Vec<Reader<'a>>>,
    lifted: BTreeSet<Coordinate>,
}

/// Something whose text may name an object.
struct Reader<'a> {
    object: &'a Coordinate,
    managed: Option<&'a Managed>,
    words: BTreeSet<String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(live: &'a Schema, desired: &'a Desired, ledger: &'a Ledger, facts: &'a Facts) -> Self {
        Self { live, desired, ledger, facts, readers: OnceCell::new(), lifted: BTreeSet::new() }
    }

    /// Everything whose text may name an object; most plans never ask.
    fn readers(&self) -> &[Reader<'a>] {
        self.readers.get_or_init(|| {
            let declared = self.desired.objects.iter().filter_map(|(object, managed)| {
                let words = words(managed.sql.as_deref()?);
                Some(Reader { object, managed: Some(managed), words })
            });
            let others = self.live.relations.iter().filter(|(object, relation)| {
                relation.kind.is_view() && !self.desired.objects.contains_key(object)
            });
            let others = others.map(|(object, relation)| Reader {
                object,
                managed: None,
                words: words(relation.query.as_deref().unwrap_or_default()),
            });
            declared.chain(others).collect()
        })
    }

    /// The same, with the views that are taken away while what they read changes.
    pub(super) fn lifting(self, lifted: BTreeSet<Coordinate>) -> Self {
        Self { lifted, ..self }
    }

    /// Whether a view is taken away while what it reads changes.
    pub(super) fn is_lifted(&self, view: &Coordinate) -> bool {
        self.lifted.contains(view)
    }

    /// Whether the engine is PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        self.desired.dialect == Dialect::Postgres
    }

    /// What is known of a managed object.
    pub(super) fn managed(&self, object: &Coordinate) -> Managed {
        self.desired.objects.get(object).cloned().unwrap_or_default()
    }

    /// Where an object is declared, in words.
    pub(super) fn place(&self, object: &Coordinate) -> Option<String> {
        let place = self.desired.objects.get(object).and_then(|managed| managed.place.as_ref());
        place.or_else(|| self.desired.dropped.get(object)).map(ToString::to_string)
    }

    /// The name under which an object is live now: another one where it is renamed.
    pub(super) fn live_name(&self, object: &Coordinate) -> Coordinate {
        if self.live.relations.contains_key(object) {
            return object.clone();
        }
        let before = self.desired.objects.get(object).and_then(|managed| managed.renamed_from.clone());
        before.unwrap_or_else(|| object.clone())
    }

    /// An object as it is live.
    pub(super) fn relation(&self, object: &Coordinate) -> Option<&Relation> {
        self.live.relations.get(&self.live_name(object))
    }

    /// An object as it is wanted.
    pub(super) fn wanted(&self, object: &Coordinate) -> Option<&Relation> {
        self.desired.schema.relations.get(object)
    }

    /// How many rows a table has, where that was asked.
    pub(super) fn rows(&self, table: &Coordinate) -> Option<u64> {
        self.answer(&count_of(&self.live_name(table)))
    }

    /// Whether a table is known to have no row.
    pub(super) fn empty(&self, table: &Coordinate) -> bool {
        self.rows(table) == Some(0)
    }

    /// The answer to a question, where it was asked.
    pub(super) fn answer(&self, sql: &str) -> Option<u64> {
        self.facts.answers.get(sql).copied()
    }

    /// Who reads an object, or one of its columns.
    ///
    /// By the words of its text: an over-estimate rather than an omission.
    pub(super) fn affected(&self, object: &Coordinate, column: Option<&str>) -> Vec<Affected> {
        let (name, column) = (object.name.to_lowercase(), column.map(str::to_lowercase));
        self.readers()
            .iter()
            .filter(|reader| reader.object != object)
            .filter(|reader| reader.words.contains(&name))
            .filter(|reader| column.as_ref().is_none_or(|column| reader.words.contains(column)))
            .map(|reader| Affected {
                object: reader.object.to_string(),
                managed: reader.managed.is_some(),
                place: reader.managed.and_then(|managed| managed.place.as_ref()).map(ToString::to_string),
            })
            .collect()
    }

    /// Everything that a live object's text speaks of, in lower case.
    pub(super) fn live_words(&self, object: &Coordinate) -> BTreeSet<String> {
        if let Some(relation) = self.live.relations.get(object) {
            return words(&relation.definition);
        }
        if let Some(routine) = self.live.routines.get(object) {
            return routine.overloads.iter().flat_map(|overload| words(&overload.body)).collect();
        }
        let named = self.live.types.get(object);
        named.map(|named| words(&named.definition)).unwrap_or_default()
    }

    /// Live indexes that stay: those that a change of the table must take away and make again.
    pub(super) fn indexes(&self, table: &Coordinate) -> BTreeMap<String, String> {
        let (Some(live), managed) = (self.relation(table), self.managed(table)) else {
            return BTreeMap::new();
        };
        let wanted = self.wanted(table).map(|wanted| &wanted.indexes);
        live.indexes
            .iter()
            .filter(|(index, definition)| match wanted.and_then(|wanted| wanted.get(*index)) {
                Some(wanted) => wanted == *definition,
                None => !managed.indexed,
            })
            .map(|(index, definition)| (index.clone(), definition.clone()))
            .collect()
    }

    /// A live table whose foreign key points at this one.
    pub(super) fn child(&self, table: &Coordinate) -> Option<&Coordinate> {
        let target = format!("REFERENCES {}(", path(&self.live_name(table)));
        let points = |relation: &Relation| {
            relation.constraints.iter().any(|constraint| constraint.definition.contains(&target))
        };
        self.live.relations.iter().find(|(_, relation)| points(relation)).map(|(object, _)| object)
    }
}

/// The question how many rows a table has.
pub(super) fn count_of(table: &Coordinate) -> String {
    format!("SELECT count(*) FROM {}", path(table))
}

/// A number as people read it: `1,204,331`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_204_331, "1,204,331")] {
            assert_eq!(thousands(number), text);
        }
    }
}
