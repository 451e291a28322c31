//! What `promote` keeps in a dataset, read and written.

use std::collections::BTreeMap;

use super::server::Session;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::record::AppliedMigration;
use crate::warehouse::ledger::TABLES;
use crate::warehouse::quote::dataset as written;
use crate::warehouse::{Applied, Intent, Ledger, Owned, Standing, WarehouseError, literal};

/// Reads the ledger of a dataset; empty where there is none.
pub(super) async fn ledger(session: &Session, dataset: &Dataset) -> Result<Ledger, WarehouseError> {
    let sql = format!(
        "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = {} AND c.relkind = 'r' AND c.relname IN ('_promote_objects', '_promote_applied', '_promote_migrations')",
        literal(&dataset.schema)
    );
    let there: Vec<String> = session.ask(&sql).await?.iter().map(|row| row.text(0)).collect();
    let holds = |table: &str| there.iter().any(|name| name == table);
    let mut ledger = Ledger::default();
    if holds("_promote_objects") {
        ledger.owned = owned(session, dataset).await?.into_iter().collect();
    }
    if holds("_promote_applied") {
        ledger.applied = applied(session, dataset).await?;
    }
    if holds("_promote_migrations") {
        ledger.migrations = migrations(session, dataset).await?;
    }
    Ok(ledger)
}

async fn owned(session: &Session, dataset: &Dataset) -> Result<Vec<(Coordinate, Owned)>, WarehouseError> {
    let sql = format!(
        "SELECT dataset, name, kind, standing, plan_id, source_hash, definition FROM {}._promote_objects",
        written(dataset)
    );
    let mut found = Vec::new();
    for row in session.ask(&sql).await? {
        let place = placed(&row.text(0), dataset, "_promote_objects")?;
        let owned = Owned {
            kind: row.text(2),
            standing: Standing::parse(&row.text(3)),
            plan_id: row.text(4),
            source_hash: row.text(5),
            definition: row.optional(6),
        };
        found.push((place.object(row.text(1)), owned));
    }
    Ok(found)
}

async fn applied(
    session: &Session,
    dataset: &Dataset,
) -> Result<BTreeMap<Coordinate, Applied>, WarehouseError> {
    let sql =
        format!("SELECT dataset, name, source_hash, definition FROM {}._promote_applied", written(dataset));
    let mut found: BTreeMap<Coordinate, Applied> = BTreeMap::new();
    for row in session.ask(&sql).await? {
        let object = placed(&row.text(0), dataset, "_promote_applied")?.object(row.text(1));
        found.entry(object).or_default().take(row.text(2), row.optional(3));
    }
    Ok(found)
}

/// Reads the dataset of a row; that of the ledger is written as it was asked for.
fn placed(text: &str, dataset: &Dataset, table: &str) -> Result<Dataset, WarehouseError> {
    let place: Dataset = text.parse().map_err(|error| unreadable(table, &error))?;
    Ok(if place.schema == dataset.schema { dataset.clone() } else { place })
}

async fn migrations(session: &Session, dataset: &Dataset) -> Result<Vec<AppliedMigration>, WarehouseError> {
    // Rows are only ever added, so their place in the table is their order.
    let sql = format!(
        "SELECT plan_id, applied_at, applied_by, steps, acknowledgements FROM {}._promote_migrations ORDER BY ctid",
        written(dataset)
    );
    let mut found = Vec::new();
    for row in session.ask(&sql).await? {
        let unreadable = |error: serde_json::Error| unreadable("_promote_migrations", &error);
        found.push(AppliedMigration {
            plan_id: row.text(0),
            at: row.text(1),
            by: row.text(2),
            steps: serde_json::from_str(&row.text(3)).map_err(unreadable)?,
            acknowledgements: serde_json::from_str(&row.text(4)).map_err(unreadable)?,
        });
    }
    Ok(found)
}

/// Writes what is to be remembered. The tables are made where they are not there yet.
pub(super) async fn remember(session: &Session, intent: &Intent) -> Result<(), WarehouseError> {
    let place = written(&intent.dataset);
    for (table, columns) in TABLES {
        session.run(&format!("CREATE TABLE IF NOT EXISTS {place}.{table} ({columns})")).await?;
    }
    let json = |value: serde_json::Result<String>| value.expect("steps have string keys only");
    let row = [
        Some(intent.plan_id.as_str()),
        Some(&intent.at),
        Some(&intent.by),
        Some(&json(serde_json::to_string(&intent.steps))),
        Some(&json(serde_json::to_string(&intent.acknowledgements))),
    ];
    let mut statements = vec![insert(&format!("{place}._promote_migrations"), &row)];
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
    for chunk in statements.chunks(200) {
        session.run(&chunk.join(";\n")).await?;
    }
    Ok(())
}

/// Takes back the record of a plan of which nothing was done.
pub(super) async fn forget(session: &Session, intent: &Intent) -> Result<(), WarehouseError> {
    let sql = format!(
        "DELETE FROM {}._promote_migrations WHERE plan_id = {} AND applied_at = {} AND steps = {}",
        written(&intent.dataset),
        literal(&intent.plan_id),
        literal(&intent.at),
        literal(&serde_json::to_string(&intent.steps).expect("steps have string keys only"))
    );
    session.run(&sql).await
}

/// Whether the record of a plan is there.
pub(super) async fn is_recorded(session: &Session, intent: &Intent) -> Result<bool, WarehouseError> {
    let sql = format!(
        "SELECT 1 FROM {}._promote_migrations WHERE plan_id = {} AND applied_at = {} LIMIT 1",
        written(&intent.dataset),
        literal(&intent.plan_id),
        literal(&intent.at)
    );
    Ok(!session.ask(&sql).await?.is_empty())
}

/// Writes an INSERT of one row of texts.
fn insert(table: &str, row: &[Option<&str>]) -> String {
    let values: Vec<String> =
        row.iter().map(|value| value.map_or_else(|| "NULL".to_owned(), literal)).collect();
    format!("INSERT INTO {table} VALUES ({})", values.join(", "))
}

fn unreadable(table: &str, error: &dyn std::fmt::Display) -> WarehouseError {
    WarehouseError::Ledger { table: table.to_owned(), message: error.to_string() }
}
