//! What a rule may look at while it judges a change.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::desired::{Desired, Managed};
use super::rename::on;
use super::spoken::Spoken;
use crate::model::coordinate::Coordinate;
use crate::model::migration::Affected;
use crate::model::schema::{Read, Relation, Schema};
use crate::sql::Dialect;
use crate::warehouse::{Ledger, path, words};

/// Answers to questions about the data, by the question's SQL.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// Counts by query.
    pub answers: BTreeMap<String, u64>,
    /// Why some of them were not answered.
    pub unanswered: Option<String>,
}

/// Both sides of the comparison, and what is known of the data.
pub(super) struct Context<'a> {
    pub(super) live: &'a Schema,
    pub(super) desired: &'a Desired,
    pub(super) ledger: &'a Ledger,
    pub(super) facts: &'a Facts,
    readers: OnceCell<Vec<Reader>>,
    lifted: BTreeSet<Coordinate>,
    /// Required columns and keys that steps of their own prepare.
    pub(super) prepared: BTreeSet<(Coordinate, String)>,
}

/// Something whose text may name an object.
struct Reader {
    object: Coordinate,
    managed: bool,
    spoken: Spoken<'static>,
    /// For a view of a dataset that nothing is managed in: what it is bound to, as far as the engine says it.
    outside: Option<BTreeSet<Read>>,
}

impl Reader {
    /// Whether it reads an object, or one of its columns. From outside an object is named with its dataset, unless that
    /// is where the engine looks by itself.
    fn reads(&self, object: &Coordinate, column: Option<&str>) -> bool {
        let says = |word: &str| self.spoken.has(&word.to_lowercase());
        let bound = self.outside.as_ref().filter(|reads| !reads.is_empty());
        let Some(bound) = bound else {
            let placed = self.outside.is_none()
                || self.object.dataset == object.dataset
                || object.dataset.schema == "main"
                || says(&object.dataset.schema);
            return placed && says(&object.name) && column.is_none_or(says);
        };
        bound.iter().any(|read| {
            let all = column.is_none() || read.column.is_none();
            read.object == *object && (all || read.column.as_deref() == column)
        })
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(live: &'a Schema, desired: &'a Desired, ledger: &'a Ledger, facts: &'a Facts) -> Self {
        Self {
            live,
            desired,
            ledger,
            facts,
            readers: OnceCell::new(),
            lifted: BTreeSet::new(),
            prepared: BTreeSet::new(),
        }
    }

    /// Everything whose text may name an object; most plans never ask.
    fn readers(&self) -> &[Reader] {
        self.readers.get_or_init(|| {
            let (live, desired) = (self.live, self.desired);
            let reader = |object: &Coordinate, texts: Vec<String>| {
                let managed = desired.objects.contains_key(object);
                Reader { object: object.clone(), managed, spoken: Spoken::new(texts), outside: None }
            };
            let declared = desired
                .objects
                .iter()
                .filter_map(|(object, managed)| Some(reader(object, vec![managed.sql.clone()?])));
            let is_other = |object: &Coordinate| !desired.objects.contains_key(object);
            let views = live.relations.iter().filter(|(view, known)| known.kind.is_view() && is_other(view));
            let views = views.map(|(view, known)| reader(view, known.query.iter().cloned().collect()));
            let routines = live.routines.iter().filter(|(routine, _)| is_other(routine));
            let routines = routines.map(|(routine, known)| {
                reader(routine, known.overloads.iter().map(|overload| overload.body.clone()).collect())
            });
            let outside = live.outside.iter().filter(|(view, _)| is_other(view)).map(|(view, known)| {
                Reader { outside: Some(known.reads.clone()), ..reader(view, vec![known.definition.clone()]) }
            });
            declared.chain(views).chain(routines).chain(outside).collect()
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

    /// Whether a required column, or a key by its name, is prepared by steps of its own.
    pub(super) fn is_prepared(&self, table: &Coordinate, name: &str) -> bool {
        self.prepared.iter().any(|(known, prepared)| known == table && prepared == name)
    }

    /// Whether the engine is PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        self.desired.dialect == Dialect::Postgres
    }

    /// What is known of a managed object.
    pub(super) fn managed(&self, object: &Coordinate) -> Managed {
        self.desired.objects.get(object).cloned().unwrap_or_default()
    }

    /// How a column's old values become those of another type, where the files say it.
    pub(super) fn using(&self, object: &Coordinate, column: &str) -> Option<String> {
        self.desired.objects.get(object)?.using.get(&column.to_lowercase()).cloned()
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

    /// Who reads an object, or one of its columns; and who reads that through what we do not manage.
    ///
    /// By the words of its text: an over-estimate rather than an omission.
    pub(super) fn affected(&self, object: &Coordinate, column: Option<&str>) -> Vec<Affected> {
        let live = self.live_name(object);
        let reads = |reader: &&Reader| {
            let named = if reader.outside.is_some() { &live } else { object };
            reader.object != *object && reader.reads(named, column)
        };
        let word = column.unwrap_or(&object.name).to_lowercase();
        let mut found: Vec<Affected> =
            self.readers().iter().filter(reads).map(|reader| self.reader(reader, &word, None)).collect();
        let mut at = 0;
        while at < found.len() {
            if found[at].managed {
                at += 1;
                continue;
            }
            let through = found[at].object.clone();
            let word = through.rsplit('.').next().unwrap_or(&through).to_lowercase();
            let outside = self.live.outside.keys().find(|view| view.to_string() == through);
            let asked = !self.live.outside.is_empty();
            let named = |object: &&Coordinate| asked && object.to_string() == through;
            let known = outside.or_else(|| self.live.names().find(named));
            let reads = |reader: &&Reader| match (known, outside) {
                (Some(known), _) if reader.outside.is_some() => reader.reads(known, None),
                (_, Some(view)) => {
                    reader.spoken.has(&view.dataset.schema.to_lowercase()) && reader.spoken.has(&word)
                }
                _ => reader.spoken.has(&word),
            };
            for reader in self.readers().iter().filter(reads) {
                let known = reader.object.to_string();
                if reader.object != *object && !found.iter().any(|affected| affected.object == known) {
                    found.push(self.reader(reader, &word, Some(&through)));
                }
            }
            at += 1;
        }
        found
    }

    fn reader(&self, reader: &Reader, word: &str, through: Option<&String>) -> Affected {
        Affected {
            object: reader.object.to_string(),
            managed: reader.managed,
            place: self.desired.objects.get(&reader.object).and_then(|managed| self.spoken_at(managed, word)),
            through: through.cloned(),
        }
    }

    /// Where a declaration first speaks of a word; its beginning where that cannot be told.
    fn spoken_at(&self, managed: &Managed, word: &str) -> Option<String> {
        let place = managed.place.as_ref()?;
        let first = place.line.unwrap_or(1);
        let lines = self.desired.texts.get(&*place.file).into_iter().flat_map(|text| text.lines());
        let speaks =
            |line: &&str| words(line).contains(word) || line.to_lowercase().contains(&format!("'{word}'"));
        let skipped = usize::try_from(first - 1).unwrap_or(0);
        let at = lines.skip(skipped).position(|line| speaks(&line)).and_then(|at| u32::try_from(at).ok());
        let Some(at) = at.filter(|at| *at > 0) else { return Some(place.to_string()) };
        Some(format!("{}:{}", place.file, first + at))
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

    /// Live indexes that stay, as they are made again: those that a change of the table must take away.
    pub(super) fn indexes(&self, table: &Coordinate) -> BTreeMap<String, String> {
        let (Some(live), managed) = (self.relation(table), self.managed(table)) else {
            return BTreeMap::new();
        };
        let wanted = self.wanted(table).map(|wanted| &wanted.indexes);
        let before = self.live_name(table);
        let all = live.indexes.iter().map(|(index, sql)| (index.clone(), on(sql, &before, table)));
        all.filter(|(index, definition)| match wanted.and_then(|wanted| wanted.get(index)) {
            Some(wanted) => wanted == definition,
            None => !managed.indexed,
        })
        .collect()
    }

    /// Another live table whose foreign key points at this one.
    pub(super) fn child(&self, table: &Coordinate) -> Option<&Coordinate> {
        let table = self.live_name(table);
        let others = self.live.relations.iter().filter(|(object, _)| **object != table);
        others.into_iter().find(|(_, relation)| points_at(relation, &table)).map(|(object, _)| object)
    }
}

/// Whether a foreign key of a relation points at a table.
pub(super) fn points_at(relation: &Relation, table: &Coordinate) -> bool {
    let target = format!("REFERENCES {}(", path(table));
    relation.constraints.iter().any(|constraint| constraint.definition.contains(&target))
}

/// The question how many rows a table has.
pub(super) fn count_of(table: &Coordinate) -> String {
    format!("SELECT count(*) FROM {}", path(table))
}

/// Whether a question is how many rows a table has.
pub(super) fn counts_rows(sql: &str) -> bool {
    sql.strip_prefix("SELECT count(*) FROM ")
        .is_some_and(|rest| !rest.contains(" WHERE ") && !rest.starts_with('('))
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
