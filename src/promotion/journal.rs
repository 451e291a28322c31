//! Looking back and steering: history and holds.

use crate::config;
use crate::git::{self, Revision};
use crate::model::finding::Finding;
use crate::model::record::{Entry, Record};

use super::error::PromotionError;
use super::gather::Gathered;
use super::ground::{Ground, inputs};
use super::landing;
use super::publish::{Move, publish};
use super::request::Ports;

/// How often a record is tried when the journal moves meanwhile.
pub(super) const TRIES: usize = 5;

/// The records of an environment.
pub struct History {
    /// The environment.
    pub environment: String,
    /// What concerns it, the oldest first.
    pub records: Vec<Record>,
    /// How many records the journal holds in all.
    pub total: usize,
    /// What does not fit to them.
    pub findings: Vec<Finding>,
}

/// Reads the journal of an environment's repository, and checks its chain.
///
/// # Errors
///
/// [`PromotionError::Git`] if the chain is broken or the repository cannot be reached.
pub fn history(name: Option<&str>, ports: &mut Ports<'_>) -> Result<History, PromotionError> {
    let ground = Ground::find(ports)?;
    let environment = match (name, &ground.project) {
        (Some(name), _) => name.to_owned(),
        (None, Some(project)) => {
            let dotenv = inputs(&project.root, ports, config::Flags::default())?.dotenv;
            let asked = config::Asked::Nothing;
            let chosen =
                config::choose_environment(asked, ports.variables, &dotenv, Some(project.written.project()));
            let known = || project.written.project().environments.iter().map(ToString::to_string).collect();
            chosen
                .name
                .map(|name| name.to_string())
                .ok_or_else(|| PromotionError::NoneChosen { known: known() })?
        }
        (None, None) => return Err(PromotionError::NoneChosen { known: Vec::new() }),
    };
    let site = ground.site(&environment, ports)?;
    let gathered = Gathered::of(&ground, site.clone(), site, ports)?;
    let records = gathered.records()?;
    let total = records.len();
    let unknown = landing::unknown(&gathered.store, &records, (&environment, gathered.to.tip.as_ref()))?;
    let findings = Vec::from_iter(unknown);
    let plans: Vec<String> =
        records.iter().filter_map(|record| promotion_into(record, &environment)).collect();
    let concerns = |record: &Record| match &record.entry {
        Entry::Promotion(promoted) | Entry::Proposed { promotion: promoted, .. } => {
            promoted.to == environment
        }
        Entry::Hold { environment: name, .. }
        | Entry::Release { environment: name, .. }
        | Entry::RolledBack { environment: name, .. } => *name == environment,
        Entry::Followed { plan_id, .. } => plans.contains(plan_id),
    };
    Ok(History { records: records.into_iter().filter(concerns).collect(), environment, total, findings })
}

fn promotion_into(record: &Record, environment: &str) -> Option<String> {
    match &record.entry {
        Entry::Promotion(promoted) if promoted.to == environment => Some(promoted.plan_id.clone()),
        Entry::Promotion(_)
        | Entry::Proposed { .. }
        | Entry::Followed { .. }
        | Entry::Hold { .. }
        | Entry::Release { .. }
        | Entry::RolledBack { .. } => None,
    }
}

/// Appends a record about an environment to the journal of its repository.
///
/// # Errors
///
/// [`PromotionError::Git`] if the repository cannot be reached or declines.
pub fn note(name: &str, entry: &Entry, ports: &mut Ports<'_>) -> Result<(), PromotionError> {
    let ground = Ground::find(ports)?;
    let site = ground.site(name, ports)?;
    let mut tries = 0;
    loop {
        tries += 1;
        let gathered = Gathered::of(&ground, site.clone(), site.clone(), ports)?;
        match append(&ground, &gathered, entry.clone(), ports) {
            Err(PromotionError::Git(git::GitError::JournalMoved { .. })) if tries < TRIES => {}
            result => return result,
        }
    }
}

/// Appends a record where the journal was seen.
pub(super) fn append(
    ground: &Ground,
    gathered: &Gathered,
    entry: Entry,
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let after = record((ground, gathered), gathered.to.journal.as_ref(), entry, ports)?;
    publish(ground, gathered, &Move::of(gathered, None, &after), ports)
}

/// Writes a record that follows another, for whoever moves the journal.
pub(super) fn record(
    (ground, gathered): (&Ground, &Gathered),
    before: Option<&Revision>,
    entry: Entry,
    ports: &Ports<'_>,
) -> Result<Revision, PromotionError> {
    let identity = ground.identity(ports);
    let (by, at) = (identity.to_string(), ports.now.to_string());
    let (revision, _) = git::append(&gathered.store, before, entry, (&by, &at), &identity)?;
    Ok(revision)
}
