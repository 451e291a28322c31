//! The rows of a ledger: the statements that write them, the questions that read them, and what they say. Pure.

use super::ledger::TABLES;
use super::quote::dataset as written;
use super::{Intent, Ledger, Owned, Standing, WarehouseError, literal};
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::record::AppliedMigration;

/// A row of texts.
pub(super) type Row = Vec<Option<String>>;

/// A table of the ledger that is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kept {
    /// What is ours.
    Objects,
    /// What was applied to it.
    Applied,
    /// Migrations in their order.
    Migrations,
}

impl Kept {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Objects, Self::Applied, Self::Migrations];

    /// Its name.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Objects => "_promote_objects",
            Self::Applied => "_promote_applied",
            Self::Migrations => "_promote_migrations",
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Objects => &["dataset", "name", "kind", "standing", "plan_id", "source_hash", "definition"],
            Self::Applied => &["dataset", "name", "source_hash", "definition"],
            Self::Migrations => &["plan_id", "applied_at", "applied_by", "steps", "acknowledgements"],
        }
    }

    /// How many columns are asked for.
    pub(super) fn width(self) -> usize {
        self.columns().len()
    }

    /// The question for its rows. Those of migrations are only ever added, so their `place` in the table is their order.
    pub(super) fn question(self, dataset: &Dataset, place: &str) -> String {
        let order = if self == Self::Migrations { format!(" ORDER BY {place}") } else { String::new() };
        format!("SELECT {} FROM {}.{}{order}", self.columns().join(", "), written(dataset), self.table())
    }

    /// Takes its rows over. A dataset that is the ledger's is written as that was asked for.
    pub(super) fn read(
        self,
        rows: Vec<Row>,
        (dataset, same): (&Dataset, fn(&str, &str) -> bool),
        ledger: &mut Ledger,
    ) -> Result<(), WarehouseError> {
        for mut row in rows {
            row.resize(self.width(), None);
            let definition = row.last().cloned().flatten();
            let mut texts = row.into_iter().map(Option::unwrap_or_default);
            let mut text = || texts.next().unwrap_or_default();
            let object = |text: &mut dyn FnMut() -> String| -> Result<Coordinate, WarehouseError> {
                let place: Dataset = text().parse().map_err(|error| self.unreadable(&error))?;
                let place = if same(&place.schema, &dataset.schema) { dataset.clone() } else { place };
                Ok(place.object(text()))
            };
            match self {
                Self::Objects => {
                    let object = object(&mut text)?;
                    let (kind, standing) = (text(), Standing::parse(&text()));
                    let owned = Owned { kind, standing, plan_id: text(), source_hash: text(), definition };
                    ledger.owned.insert(object, owned);
                }
                Self::Applied => {
                    let object = object(&mut text)?;
                    ledger.applied.entry(object).or_default().take(text(), definition);
                }
                Self::Migrations => ledger.migrations.push(AppliedMigration {
                    plan_id: text(),
                    at: text(),
                    by: text(),
                    steps: serde_json::from_str(&text()).map_err(|error| self.unreadable(&error))?,
                    acknowledgements: serde_json::from_str(&text())
                        .map_err(|error| self.unreadable(&error))?,
                }),
            }
        }
        Ok(())
    }

    fn unreadable(self, error: &dyn std::fmt::Display) -> WarehouseError {
        WarehouseError::Ledger { table: self.table().to_owned(), message: error.to_string() }
    }
}

/// The statements that write what is to be remembered. The tables are made where they are not there yet.
pub(super) fn remembering(intent: &Intent) -> Vec<String> {
    let place = written(&intent.dataset);
    let make =
        |(table, columns): &(&str, &str)| format!("CREATE TABLE IF NOT EXISTS {place}.{table} ({columns})");
    let mut statements: Vec<String> = TABLES.iter().map(make).collect();
    let json = |value: serde_json::Result<String>| value.expect("steps have string keys only");
    let row = [
        Some(intent.plan_id.as_str()),
        Some(&intent.at),
        Some(&intent.by),
        Some(&json(serde_json::to_string(&intent.steps))),
        Some(&json(serde_json::to_string(&intent.acknowledgements))),
    ];
    statements.push(insert(&format!("{place}._promote_migrations"), &row));
    let kept = intent.owned.iter().map(|ownership| &ownership.object);
    for object in kept.chain(&intent.disowned) {
        statements.push(format!(
            "DELETE FROM {place}._promote_objects WHERE dataset = {} AND name = {}",
            literal(&object.dataset.to_string()),
            literal(&object.name)
        ));
    }
    for ownership in &intent.owned {
        let (object, owned) = (&ownership.object, &ownership.owned);
        let dataset = object.dataset.to_string();
        let row = [
            Some(dataset.as_str()),
            Some(&object.name),
            Some(&owned.kind),
            Some(owned.standing.as_str()),
            Some(&owned.plan_id),
            Some(&owned.source_hash),
            owned.definition.as_deref(),
        ];
        statements.push(insert(&format!("{place}._promote_objects"), &row));
    }
    statements.extend(intent.applied.iter().flat_map(|mark| mark.statements(&place, &intent.plan_id)));
    statements
}

/// Writes an INSERT of one row of texts.
fn insert(table: &str, row: &[Option<&str>]) -> String {
    let values: Vec<String> =
        row.iter().map(|value| value.map_or_else(|| "NULL".to_owned(), literal)).collect();
    format!("INSERT INTO {table} VALUES ({})", values.join(", "))
}
