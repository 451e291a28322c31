//! What is recorded of a promotion, and what earlier records say. Pure.

use std::collections::BTreeSet;

use crate::model::environment::Migrate;
use crate::model::plan::{Acknowledgements, Plan};
use crate::model::record::{AppliedMigration, Entry, Promoted, Record};

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
}

/// Makes the entry of a promotion.
pub(super) fn promoted(plan: &Plan, circumstances: Circumstances) -> Entry {
    Entry::Promotion(Box::new(Promoted {
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
        tool: plan.tool.clone(),
    }))
}

/// Gives the reason of the hold on an environment, where the last word of its journal is one.
pub(super) fn hold<'a>(records: &'a [Record], name: &str) -> Option<&'a str> {
    records.iter().rev().find_map(|record| match &record.entry {
        Entry::Hold { environment, reason } if environment == name => Some(Some(reason.as_str())),
        Entry::Release { environment, .. } if environment == name => Some(None),
        Entry::Hold { .. }
        | Entry::Release { .. }
        | Entry::Promotion(_)
        | Entry::Followed { .. }
        | Entry::RolledBack { .. } => None,
    })?
}

/// Gives the promotion that a record tells of.
pub(super) fn promotion(record: &Record) -> Option<&Promoted> {
    match &record.entry {
        Entry::Promotion(promoted) => Some(promoted),
        Entry::Followed { .. } | Entry::Hold { .. } | Entry::Release { .. } | Entry::RolledBack { .. } => {
            None
        }
    }
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
        | Entry::Followed { .. }
        | Entry::Hold { .. }
        | Entry::Release { .. } => None,
    }
}

/// Gives the last commit that a promotion or rollback made in an environment.
pub(super) fn last_commit<'a>(records: &'a [Record], name: &str) -> Option<&'a str> {
    records.iter().rev().find_map(|record| match &record.entry {
        Entry::Promotion(promoted) if promoted.to == name => promoted.commit.as_deref(),
        Entry::RolledBack { environment, commit, .. } if environment == name => Some(commit.as_str()),
        Entry::Promotion(_)
        | Entry::RolledBack { .. }
        | Entry::Followed { .. }
        | Entry::Hold { .. }
        | Entry::Release { .. } => None,
    })
}

/// Gives the last promotion into an environment.
pub(super) fn last_promotion<'a>(records: &'a [Record], to: &str) -> Option<&'a Promoted> {
    records.iter().rev().filter_map(promotion).find(|promoted| promoted.to == to)
}

/// Lists what was promoted by path into an environment since its last whole promotion: source commit and paths.
pub(super) fn selected<'a>(records: &'a [Record], to: &str) -> Vec<(&'a str, &'a [String])> {
    let mut selected = Vec::new();
    for promoted in records.iter().filter_map(promotion).filter(|promoted| promoted.to == to) {
        if promoted.acknowledgements.only.is_empty() {
            selected.clear();
        } else {
            selected.push((promoted.source_commit.as_str(), promoted.acknowledgements.only.as_slice()));
        }
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
}

/// Lists the migrations of the warehouse's ledger that no record of the journal holds: an earlier run
/// committed them and was cut short before its push.
pub(super) fn unrecorded(ledger: &[AppliedMigration], records: &[Record]) -> Vec<AppliedMigration> {
    let known: BTreeSet<(&str, &str)> = records
        .iter()
        .flat_map(|record| match &record.entry {
            Entry::Promotion(promoted) => promoted.migrations.as_slice(),
            Entry::Followed { migrations, .. } => migrations.as_slice(),
            Entry::Hold { .. } | Entry::Release { .. } | Entry::RolledBack { .. } => &[],
        })
        .map(|migration| (migration.plan_id.as_str(), migration.at.as_str()))
        .collect();
    ledger
        .iter()
        .filter(|migration| !known.contains(&(migration.plan_id.as_str(), migration.at.as_str())))
        .cloned()
        .collect()
}
