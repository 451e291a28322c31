//! The whole decision in one call: read, build, compare, ask, prove.

use std::pin::Pin;

use super::declared::Declared;
use super::desired::{Desired, desired};
use super::drift::drift;
use super::error::MigrationError;
use super::memory::{self, Memory};
use super::prove::{Proof, prove};
use super::steps::{Options, Steps, facts, questions, samples, steps};
use crate::model::coordinate::Dataset;
use crate::model::finding::Finding;
use crate::model::migration::Drift;
use crate::model::schema::Schema;
use crate::warehouse::{Inspect, Ledger, Scratch, Typed, WarehouseError, fingerprint};

use super::context::Facts;

/// A migration that was decided on, with everything that it was decided from.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The datasets that were read.
    pub datasets: Vec<Dataset>,
    /// What is live.
    pub live: Schema,
    /// Its digest.
    pub fingerprint: String,
    /// What was recorded.
    pub ledger: Ledger,
    /// What is declared.
    pub desired: Desired,
    /// The steps from one to the other.
    pub steps: Steps,
    /// Whether they were tried.
    pub proof: Proof,
    /// What somebody changed by hand since the last one.
    pub drift: Vec<Drift>,
}

/// How a scratch is opened, if one is needed: what is remembered needs none.
pub type OpenScratch<'a> = dyn FnMut() -> Opening<'a> + 'a;

/// A scratch that is being opened.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<(Box<dyn Scratch>, Typed), WarehouseError>> + 'a>>;

/// Decides how to get from what is live to what is declared.
///
/// Effects: reads through `inspect`, builds in a scratch unless `memory` knows the answer; leaves nothing behind
/// but in `memory`.
///
/// # Errors
///
/// [`MigrationError::Faults`] for declarations that the engine rejects; [`MigrationError::Warehouse`].
pub async fn plan(
    declared: &Declared,
    inspect: &mut dyn Inspect,
    open: &mut OpenScratch<'_>,
    memory: &mut dyn Memory,
    options: &Options,
) -> Result<Planned, MigrationError> {
    let datasets = declared.datasets();
    let live = inspect.schema(&datasets).await?;
    let ledger = inspect.ledger(&declared.dataset).await?;
    let mut scratch = None;
    let key = memory::key(declared, &live, &ledger, &inspect.engine());
    let known = key.as_ref().and_then(|key| memory::recall::<Desired>(memory, key));
    let desired = if let Some(desired) = known {
        Desired { texts: declared.texts.clone(), ..desired }
    } else {
        let (opened, typed) = open().await?;
        let desired = desired(declared, &live, &ledger, &typed, scratch.insert(opened).as_mut()).await?;
        if let Some(key) = &key {
            memory::keep(memory, key, &desired);
        }
        desired
    };
    let first = steps(&live, &desired, &ledger, options, &Facts::default());
    let facts = facts(inspect, questions(&live, &first.steps)).await?;
    let mut steps = steps(&live, &desired, &ledger, options, &facts);
    samples(inspect, &mut steps.steps).await?;
    steps.findings.extend(facts.unanswered.as_ref().map(|why| {
        Finding::warning("data-not-asked", format!("the data could not be asked: {why}"))
            .hint("what the data decides stays refused until it is let through with `--allow`")
    }));
    let fingerprint = fingerprint(&live);
    let proof_key = key.as_ref().and_then(|key| memory::proof_key(key, &fingerprint, &steps.steps));
    let proven = proof_key.as_ref().is_some_and(|key| memory::recall::<bool>(memory, key) == Some(true));
    let runs = steps.steps.iter().any(|step| !step.ddl.is_empty());
    let proof = if proven || !runs {
        Proof::Proven
    } else {
        match place(&mut scratch, open).await? {
            Ok(scratch) => prove(&live, &desired, &ledger, &steps.steps, scratch).await?,
            Err(why) => Proof::Unproven { why },
        }
    };
    if let (Proof::Proven, Some(key)) = (&proof, &proof_key) {
        memory::keep(memory, key, &true);
    }
    let drift = drift(&live, &desired, &ledger);
    Ok(Planned { datasets, live, fingerprint, ledger, desired, steps, proof, drift })
}

/// Gives the place to try the plan in, opened already or now; why, where it may not be opened.
async fn place<'a>(
    opened: &'a mut Option<Box<dyn Scratch>>,
    open: &mut OpenScratch<'_>,
) -> Result<Result<&'a mut dyn Scratch, String>, WarehouseError> {
    if opened.is_none() {
        match open().await {
            Ok((scratch, _)) => *opened = Some(scratch),
            Err(error @ WarehouseError::Permission { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        }
    }
    let scratch = opened.as_mut().expect("it was opened above");
    Ok(Ok(scratch.as_mut()))
}
