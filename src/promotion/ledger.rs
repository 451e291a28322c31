//! What is recorded of a promotion, and what earlier records say. Pure.

use std::collections::BTreeSet;

use crate::git;
use crate::model::environment::Migrate;
use crate::model::plan::{Acknowledgements, Plan};
use crate::model::record::{AppliedMigration, Durations, Entry, Promoted, Record};

/// What the record of a promotion needs beside its plan.
#[derive(Clone, Debug)]
pub(super) struct Circumstances {
    /// The promotion's commit; absent where only the schema changed.
    pub(super) commit: Option<String>,
    /// `project_id` of the source's project file.
    pub(super) source_project: Option<String>,
    /// `project_id` of the target's project file.
    pub(super) target_project: Option<String>,
    /// Whether the histories were unrelated.
    pub(super) unrelated: bool,
    /// Who applies the migration.
    pub(super) migrate: Migrate,
    /// Migrations that were committed for it.
    pub(super) migrations: Vec<AppliedMigration>,
    /// How long it took so far.
    pub(super) durations: Durations,
}

/// Makes the record of a promotion.
pub(super) fn promoted(plan: &Plan, circumstances: Circumstances) -> Promoted {
    Promoted {
        plan_id: plan.plan_id.clone(),
        from: plan.from.clone(),
        to: plan.to.clone(),
        source_repository: plan.source.repository.clone(),
        source_branch: plan.source.branch.clone(),
        source_commit: plan.source.commit.clone(),
        source_project: circumstances.source_project,
        target_branch: plan.target.branch.clone(),
        target_before: plan.target.before.clone(),
        target_project: circumstances.target_project,
        commit: circumstances.commit,
        tree: plan.target.tree.clone(),
        unrelated: circumstances.unrelated,
        losses: plan.merge.losses.clone(),
        acknowledgements: plan.acknowledgements.clone(),
        part: plan.merge.part.clone(),
        gates: plan.gates.clone(),
        migrate: match circumstances.migrate {
            Migrate::Promotion => "promotion",
            Migrate::Ci => "ci",
            Migrate::Off => "off",
        }
        .to_owned(),
        migrations: circumstances.migrations,
        after_push: plan.migration.after_push().cloned().collect(),
        planner: plan.migration.planner.clone(),
        durations: Some(circumstances.durations),
        tool: plan.tool.clone(),
    }
}

/// Gives the reason of the hold on an environment, where the last word of its journal is one.
pub(super) fn hold<'a>(records: &'a [Record], name: &str) -> Option<&'a str> {
    records.iter().rev().find_map(|record| match &record.entry {
        Entry::Hold { environment, reason } if environment == name => Some(Some(reason.as_str())),
        Entry::Release { environment, .. } if environment == name => Some(None),
        Entry::Hold { .. }
        | Entry::Release { .. }
        | Entry::Promotion(_)
        | Entry::Proposed { .. }
        | Entry::Followed { .. }
        | Entry::RolledBack { .. } => None,
    })?
}

/// Gives the promotion that a record tells of.
pub(super) fn promotion(record: &Record) -> Option<&Promoted> {
    match &record.entry {
        Entry::Promotion(promoted) => Some(promoted),
        Entry::Proposed { .. }
        | Entry::Followed { .. }
        | Entry::Hold { .. }
        | Entry::Release { .. }
        | Entry::RolledBack { .. } => None,
    }
}

/// Whether a plan was carried out or proposed.
pub(super) fn knows(records: &[Record], plan_id: &str) -> bool {
    records.iter().any(|record| match &record.entry {
        Entry::Promotion(promoted) | Entry::Proposed { promotion: promoted, .. } => {
            promoted.plan_id == plan_id
        }
        Entry::RolledBack { .. } | Entry::Followed { .. } | Entry::Hold { .. } | Entry::Release { .. } => {
            false
        }
    })
}

/// Lists the promotions into an environment that wait for somebody to merge them: the last from each environment.
pub(super) fn proposed<'a>(records: &'a [Record], to: &str) -> Vec<&'a Promoted> {
    let mut waiting: Vec<&Promoted> = Vec::new();
    for record in records {
        match &record.entry {
            Entry::Proposed { promotion, .. } if promotion.to == to => {
                waiting.retain(|other| other.from != promotion.from);
                waiting.push(promotion);
            }
            Entry::Promotion(promoted) if promoted.to == to => {
                waiting.retain(|other| other.plan_id != promoted.plan_id);
            }
            Entry::Proposed { .. }
            | Entry::Promotion(_)
            | Entry::RolledBack { .. }
            | Entry::Followed { .. }
            | Entry::Hold { .. }
            | Entry::Release { .. } => {}
        }
    }
    waiting
}

/// Lists what was proposed in a branch, the oldest first.
pub(super) fn waiting<'a>(
    records: &'a [Record],
    name: &str,
) -> impl DoubleEndedIterator<Item = &'a Promoted> {
    records.iter().filter_map(move |record| match &record.entry {
        Entry::Proposed { branch, promotion } if branch == name => Some(promotion.as_ref()),
        Entry::Proposed { .. }
        | Entry::Promotion(_)
        | Entry::RolledBack { .. }
        | Entry::Followed { .. }
        | Entry::Hold { .. }
        | Entry::Release { .. } => None,
    })
}

/// Lists the promotions into an environment that moved its branch and were not taken back, with their numbers.
pub(super) fn standing<'a>(records: &'a [Record], name: &str) -> Vec<(&'a Promoted, u64)> {
    let mut standing: Vec<(&Promoted, u64)> = Vec::new();
    for record in records {
        match &record.entry {
            Entry::Promotion(promoted) if promoted.to == name && promoted.commit.is_some() => {
                standing.push((promoted, record.number));
            }
            Entry::RolledBack { environment, promotions, .. } if environment == name => {
                standing.retain(|(promoted, _)| {
                    promoted.commit.as_ref().is_none_or(|commit| !promotions.contains(commit))
                });
            }
            Entry::Promotion(_)
            | Entry::Proposed { .. }
            | Entry::RolledBack { .. }
            | Entry::Followed { .. }
            | Entry::Hold { .. }
            | Entry::Release { .. } => {}
        }
    }
    standing
}

/// Finds a rollback whose branch has not moved: its commit and tree, and the records before it.
pub(super) fn cut_short<'a>(
    records: &'a [Record],
    name: &str,
    tip: &str,
) -> Option<((&'a str, &'a str), &'a [Record])> {
    let index = records.iter().rposition(|record| {
        let (promoted, rolled_back) = (promotion(record), &record.entry);
        let back = matches!(rolled_back, Entry::RolledBack { environment, .. } if environment == name);
        back || promoted.is_some_and(|promoted| promoted.to == name)
    })?;
    match &records.get(index)?.entry {
        Entry::RolledBack { commit, tree, before, .. } if before == tip => {
            Some(((commit.as_str(), tree.as_str()), &records[..index]))
        }
        Entry::RolledBack { .. }
        | Entry::Promotion(_)
        | Entry::Proposed { .. }
        | Entry::Followed { .. }
        | Entry::Hold { .. }
        | Entry::Release { .. } => None,
    }
}

/// Lists the source commits of all promotions into an environment.
pub(super) fn sources<'a>(records: &'a [Record], to: &str) -> impl Iterator<Item = &'a str> {
    let promotions = records.iter().filter_map(promotion).filter(move |promoted| promoted.to == to);
    promotions.map(|promoted| promoted.source_commit.as_str())
}

/// Gives the last promotion into an environment.
pub(super) fn last_promotion<'a>(records: &'a [Record], to: &str) -> Option<&'a Promoted> {
    records.iter().rev().filter_map(promotion).find(|promoted| promoted.to == to)
}

/// A part of a source that was promoted before the rest.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct SelectedPart<'a> {
    /// The source's commit.
    pub(super) source: &'a str,
    /// Paths, also those that came because others refer to them.
    pub(super) paths: Vec<&'a str>,
    /// Commits.
    pub(super) commits: Vec<&'a str>,
}

/// Lists what was promoted in part into an environment since its last whole promotion.
pub(super) fn selected<'a>(records: &'a [Record], to: &str) -> Vec<SelectedPart<'a>> {
    let mut selected = Vec::new();
    for promoted in records.iter().filter_map(promotion).filter(|promoted| promoted.to == to) {
        if !promoted.acknowledgements.is_partial() {
            selected.clear();
            continue;
        }
        let part = &promoted.part;
        let mut paths: Vec<&str> = part.iter().filter_map(|part| part.path.as_deref()).collect();
        if part.is_empty() {
            // The record of an older version names what was said, and there was nothing else.
            paths.extend(promoted.acknowledgements.only.iter().map(String::as_str));
        }
        let commits = part.iter().filter_map(|part| part.commit.as_deref()).collect();
        selected.push(SelectedPart { source: &promoted.source_commit, paths, commits });
    }
    selected
}

/// Gives what was said to the last promotion into an environment, where it was of this commit.
pub(super) fn said_to(records: &[Record], to: &str, commit: &str) -> Option<Acknowledgements> {
    last_promotion(records, to)
        .filter(|promoted| promoted.commit.as_deref() == Some(commit))
        .map(|promoted| promoted.acknowledgements.clone())
}

/// Says why this pair is not the one that the journal knows, if it is not.
///
/// Shape: a project is known by its `project_id` on both sides; a promotion of unrelated histories joins
/// one pair, and only that one.
pub(super) fn wrong_pair(records: &[Record], plan_from: &Pair<'_>, unrelated: bool) -> Option<String> {
    let pair = |promoted: &&Promoted| promoted.from == plan_from.from && promoted.to == plan_from.to;
    let last = records.iter().rev().filter_map(promotion).find(pair)?;
    if let (Some(known), Some(found)) = (&last.source_project, plan_from.source_project)
        && known != found
    {
        return Some(format!(
            "wrong repository: project `{found}` would go where `{}` was promoted from project `{known}` before",
            last.to
        ));
    }
    if !plan_from.joined && !git::may_be_same(&last.source_repository, plan_from.source_repository) {
        return Some(format!(
            "wrong repository: `{}` was promoted to `{}` from {} before, and is {} now; if it moved there, \
             `--allow-unrelated` says so, once",
            last.from, last.to, last.source_repository, plan_from.source_repository
        ));
    }
    unrelated.then(|| {
        format!(
            "wrong repository: `{}` was promoted to `{}` before with a common history, and now there is none",
            last.from, last.to
        )
    })
}

/// The two sides of a promotion, as far as the journal knows them again.
pub(super) struct Pair<'a> {
    /// Source environment.
    pub(super) from: &'a str,
    /// Target environment.
    pub(super) to: &'a str,
    /// `project_id` of the source's project file.
    pub(super) source_project: Option<&'a str>,
    /// The source's repository in words.
    pub(super) source_repository: &'a str,
    /// Whether somebody said that what has nothing in common is to be joined.
    pub(super) joined: bool,
}

/// Lists the migrations of the warehouse's ledger that no record of the journal holds: an earlier run
/// committed them and was cut short before its push.
pub(super) fn unrecorded(ledger: &[AppliedMigration], records: &[Record]) -> Vec<AppliedMigration> {
    let known: BTreeSet<(&str, &str)> = records
        .iter()
        .flat_map(|record| match &record.entry {
            Entry::Promotion(promoted) => promoted.migrations.as_slice(),
            Entry::Followed { migrations, .. } => migrations.as_slice(),
            Entry::Proposed { .. }
            | Entry::Hold { .. }
            | Entry::Release { .. }
            | Entry::RolledBack { .. } => &[],
        })
        .map(|migration| (migration.plan_id.as_str(), migration.at.as_str()))
        .collect();
    ledger
        .iter()
        .filter(|migration| !known.contains(&(migration.plan_id.as_str(), migration.at.as_str())))
        .cloned()
        .collect()
}
