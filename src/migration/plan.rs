//! The whole decision in one call: read, build, compare, ask, prove.

use std::borrow::Cow;
use std::pin::Pin;

use super::count;
use super::declared::Declared;
use super::desired::{Desired, desired, renewed};
use super::drift::drift;
use super::error::MigrationError;
use super::memory::{self, Key, Memory};
use super::prove::{Proof, prove};
use super::renew::Renewal;
use super::reuse::{Earlier, Units};
use super::steps::{Options, Steps, facts, questions, samples, steps};
use crate::model::coordinate::Dataset;
use crate::model::finding::Finding;
use crate::model::migration::Drift;
use crate::model::origin::Place;
use crate::model::schema::Schema;
use crate::sql::Dialect;
use crate::warehouse::{Inspect, Ledger, Scratch, Typed, WarehouseError, fingerprint, same_name};

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
    let ledger = inspect.ledger(&declared.dataset).await?;
    let datasets = with_owned(declared, &ledger);
    let live = inspect.schema(&datasets).await?;
    let mut scratch = None;
    // What only the ledger names is read by nothing that is declared.
    let spoken = declared.datasets();
    let near = (spoken != datasets).then(|| live.only(|object| spoken.contains(&object.dataset)));
    let near = near.map_or_else(|| Cow::Borrowed(&live), Cow::Owned);
    let key = memory::key(declared, &near, &ledger, &inspect.engine());
    let known = key.as_ref().and_then(|key| memory::recall::<Earlier>(memory, &key.whole));
    let mut desired = if let Some(known) = known {
        known.described(declared)
    } else {
        let mut making =
            Making { declared, live: &near, ledger: &ledger, open: &mut *open, scratch: &mut scratch };
        making.desired(key.as_ref(), &inspect.engine(), memory).await?
    };
    desired.texts.clone_from(&declared.texts);
    count::follow(&live, &mut desired);
    let first = steps(&live, &desired, &ledger, options, &Facts::default());
    let asked = questions(&live, &first.steps);
    let mut steps = if asked.is_empty() {
        first
    } else {
        let facts = facts(inspect, asked).await?;
        let mut steps = steps(&live, &desired, &ledger, options, &facts);
        samples(inspect, &mut steps.steps).await?;
        steps.findings.extend(facts.unanswered.as_ref().map(|why| {
            Finding::warning("data-not-asked", format!("the data could not be asked: {why}"))
                .hint("what the data decides stays refused until it is let through with `--allow`")
        }));
        steps
    };
    let fingerprint = fingerprint(&live);
    let proof_key = key.as_ref().and_then(|key| memory::proof_key(&key.whole, &fingerprint, &steps.steps));
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
    steps.findings.extend(undescribed(declared, &desired));
    let drift = drift(&live, &desired, &ledger);
    Ok(Planned { datasets, live, fingerprint, ledger, desired, steps, proof, drift })
}

/// Adds the datasets of what is ours: one of them may be named by no declaration any more.
fn with_owned(declared: &Declared, ledger: &Ledger) -> Vec<Dataset> {
    let mut found = declared.datasets();
    for owned in ledger.owned.keys().map(|object| &object.dataset) {
        let folds = declared.dialect != Dialect::Postgres;
        let is = |known: &Dataset| known == owned || (folds && same_name(&known.schema, &owned.schema));
        if !found.iter().any(is) {
            found.push(owned.clone());
        }
    }
    found
}

/// Warns of columns that properties describe and that what they describe does not have.
fn undescribed(declared: &Declared, desired: &Desired) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in declared.objects.iter().filter(|object| !object.columns.is_empty()) {
        let Some(name) = &object.coordinate else { continue };
        let Some(relation) = desired.schema.relations.get(name) else { continue };
        for column in object
            .columns
            .iter()
            .filter(|column| !relation.columns.iter().any(|held| same_name(&held.name, &column.name)))
        {
            let message = format!("`{name}.{}` is described, and there is no such column", column.name);
            let place =
                object.described.as_ref().map_or_else(|| object.place.clone(), |by| Place::file(&*by.file));
            let finding = Finding::warning("no-such-column", message).at(place);
            findings.push(finding.hint("correct the name, or take the entry out"));
        }
    }
    findings
}

/// Gives the place to try the plan in, opened already or now; why, where it may not be opened.
async fn place<'a>(
    opened: &'a mut Option<Box<dyn Scratch>>,
    open: &mut OpenScratch<'_>,
) -> Result<Result<&'a mut dyn Scratch, String>, WarehouseError> {
    if opened.is_none() {
        match open().await {
            Ok((scratch, _)) => *opened = Some(scratch),
            Err(error @ WarehouseError::Denied { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        }
    }
    let scratch = opened.as_mut().expect("it was opened above");
    Ok(Ok(scratch.as_mut()))
}

/// What a desired state is made from where it is not remembered.
struct Making<'a, 'b, 'c> {
    declared: &'a Declared,
    live: &'a Schema,
    ledger: &'a Ledger,
    open: &'b mut OpenScratch<'c>,
    scratch: &'b mut Option<Box<dyn Scratch>>,
}

impl Making<'_, '_, '_> {
    /// Builds what changed since the latest desired state that is remembered, or all of it, and remembers that.
    async fn desired(
        &mut self,
        key: Option<&Key>,
        engine: &str,
        memory: &mut dyn Memory,
    ) -> Result<Desired, MigrationError> {
        let Some(key) = key else { return self.built(self.declared).await };
        let units = Units::of(self.declared, &key.each, self.live, engine);
        let latest = memory::latest(self.declared, engine);
        let earlier = memory::recall::<String>(memory, &latest);
        let earlier = earlier.and_then(|key| memory::recall::<Earlier>(memory, &key));
        let made = if let Some(units) = units {
            let earlier = earlier.filter(|earlier| !earlier.made.is_empty());
            let desired = match earlier {
                Some(earlier) => self.joined(&units, earlier).await?,
                None => self.built(self.declared).await?,
            };
            units.earlier(desired)
        } else {
            Earlier::whole(self.declared, self.built(self.declared).await?)
        };
        memory::keep(memory, &key.whole, &made);
        memory::keep(memory, &latest, &key.whole);
        Ok(made.described(self.declared))
    }

    /// Builds what changed. Where that does not go by itself, everything is built, and says what is wrong.
    async fn joined(&mut self, units: &Units<'_>, earlier: Earlier) -> Result<Desired, MigrationError> {
        let Some(renewal) = Renewal::of(units, &earlier) else { return Ok(units.joined(earlier, None)) };
        let typed = self.opened().await?;
        let scratch = self.scratch.as_mut().expect("it was opened above").as_mut();
        match renewed(&renewal, (self.live, self.ledger), &typed, scratch).await {
            Ok(built) => Ok(units.joined(earlier, Some(built))),
            Err(MigrationError::Faults(_)) => self.built(self.declared).await,
            Err(error) => Err(error),
        }
    }

    async fn built(&mut self, declared: &Declared) -> Result<Desired, MigrationError> {
        let typed = self.opened().await?;
        let scratch = self.scratch.as_mut().expect("it was opened above").as_mut();
        desired(declared, self.live, self.ledger, &typed, scratch).await
    }

    /// Opens a scratch: one that is open already may hold what the next one needs.
    async fn opened(&mut self) -> Result<Typed, MigrationError> {
        *self.scratch = None;
        let (opened, typed) = (self.open)().await?;
        *self.scratch = Some(opened);
        Ok(typed)
    }
}
