//! The schema alone, of one environment: `promote migrate`.

use crate::migration::Half;
use crate::model::environment::{ProofPolicy, Warehouse};
use crate::model::finding::Finding;
use crate::model::migration::Migration;
use crate::model::plan::Acknowledgements;
use crate::models::Models;

use serde_json::json;

use super::digest::digest;
use super::error::PromotionError;
use super::known::Known;
use super::mask;
use super::plan::TOOL;
use super::planner;
use super::reading::Reading;
use super::request::Ports;
use super::schema::{self, Applying, Presence, Subject};

/// A planned migration, and what applying it needs.
pub struct Migrating {
    /// The plan.
    pub migration: Migration,
    /// Digest of everything that decides.
    pub plan_id: String,
    /// What a person should know.
    pub findings: Vec<Finding>,
    pub(super) proof: ProofPolicy,
    pub(super) known: Option<Known>,
}

impl Migrating {
    /// Whether something stands in the way.
    pub fn is_blocked(&self) -> bool {
        self.migration.steps.iter().any(crate::model::migration::Step::blocks)
            || self.lacks_proof()
            || self.migration.refusal().is_some()
            || self.findings.iter().any(|finding| finding.code == "force-forbidden")
    }

    /// Whether it was tried and is wrong, or could not be tried where that is asked for.
    pub fn lacks_proof(&self) -> bool {
        let required = self.proof == ProofPolicy::Required;
        self.migration.is_disproven() || (required && self.migration.is_unproven())
    }

    /// Whether there is anything to run or to remember.
    pub fn is_pending(&self, said: &Acknowledgements) -> bool {
        let applying = Applying { migration: &self.migration, plan_id: &self.plan_id, by: "", said };
        let has = |half| self.known.as_ref().is_some_and(|known| known.has(&applying, half));
        has(Half::BeforePush) || has(Half::AfterPush)
    }

    /// Applies it: each half in one transaction.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Stale`] if the live schema moved; [`PromotionError::Warehouse`].
    pub async fn apply(
        &self,
        said: &Acknowledgements,
        by: &str,
        ports: &mut Ports<'_>,
    ) -> Result<(), PromotionError> {
        let Some(known) = &self.known else { return Ok(()) };
        let applying = Applying { migration: &self.migration, plan_id: &self.plan_id, by, said };
        known.apply(&applying, Half::BeforePush, ports).await?;
        known.apply(&applying, Half::AfterPush, ports).await?;
        Ok(())
    }
}

/// Plans the schema of the environment that was read.
///
/// # Errors
///
/// [`PromotionError::Config`] if it names no warehouse or dataset; [`PromotionError::Models`];
/// [`PromotionError::Migration`]; [`PromotionError::Warehouse`].
pub async fn plan_migration(
    reading: &Reading,
    models: &Models,
    said: &Acknowledgements,
    ports: &mut Ports<'_>,
) -> Result<Migrating, PromotionError> {
    let mut schema = if let Some(Warehouse::Command { .. }) = &reading.resolved.environment.warehouse {
        planner::plan(&reading.resolved, reading.folder(ports)?, said, ports).await?
    } else {
        let subject = Subject::of(&reading.resolved)?;
        schema::plan_schema(subject, models, said, Presence::Needed, ports).await?
    };
    let parts = json!({
        "tool": TOOL,
        "target": schema.migration.target,
        "fingerprint": schema.migration.fingerprint,
        "steps": schema.migration.steps,
        "said": said,
    });
    let plan_id = digest(&parts.to_string());
    mask::migration(&mut schema.migration, &reading.mask());
    mask::findings(&mut schema.findings, &reading.mask());
    let proof = reading.resolved.environment.proof;
    Ok(Migrating {
        migration: schema.migration,
        plan_id,
        findings: schema.findings,
        proof,
        known: schema.known,
    })
}

/// Tells who does it.
pub fn who(reading: &Reading, ports: &Ports<'_>) -> String {
    reading.ground.identity(ports).to_string()
}
