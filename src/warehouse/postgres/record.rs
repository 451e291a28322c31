//! What `promote` keeps in a dataset, read and written.

use super::server::Session;
use crate::model::coordinate::Dataset;
use crate::warehouse::quote::dataset as written;
use crate::warehouse::rows::{Kept, remembering};
use crate::warehouse::{Intent, Ledger, WarehouseError, literal};

/// Reads the ledger of a dataset; empty where there is none.
pub(super) async fn ledger(session: &Session, dataset: &Dataset) -> Result<Ledger, WarehouseError> {
    let sql = format!(
        "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = {} AND c.relkind = 'r' AND c.relname IN ('_promote_objects', '_promote_applied', '_promote_migrations')",
        literal(&dataset.schema)
    );
    let there: Vec<String> = session.ask(&sql).await?.iter().map(|row| row.text(0)).collect();
    let exactly: fn(&str, &str) -> bool = |left, right| left == right;
    let mut ledger = Ledger::default();
    for kept in Kept::ALL.into_iter().filter(|kept| there.iter().any(|name| name == kept.table())) {
        let rows = session.ask(&kept.question(dataset, "ctid")).await?;
        let row = |row: &super::server::Row| (0..kept.width()).map(|index| row.optional(index)).collect();
        kept.read(rows.iter().map(row).collect(), (dataset, exactly), &mut ledger)?;
    }
    Ok(ledger)
}

/// Writes what is to be remembered.
pub(super) async fn remember(session: &Session, intent: &Intent) -> Result<(), WarehouseError> {
    for chunk in remembering(intent).chunks(200) {
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
