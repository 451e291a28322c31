//! A promotion that somebody else merges: pushed to a branch of its own, with a pull request or without.
//!
//! The branch, its record and the lock move in one push. The pull request comes after it: where that fails, the same
//! command again finds the branch as it is and goes on with the pull request.

use std::time::Instant;

use crate::ci::{Forge, ForgeError, PullRequest, compare_page};
use crate::config::Mask;
use crate::git::{self, Lock, Revision, Standing, Transport};
use crate::model::environment::Via;
use crate::model::finding::Finding;
use crate::model::outcome::Outcome;
use crate::model::plan::{Plan, Proposal};
use crate::model::record::Entry;
use crate::report;

use super::apply::{Applied, behind_the_last, border, commit, look_again};
use super::error::PromotionError;
use super::journal;
use super::ledger::{self, Circumstances};
use super::lock;
use super::observe::{Scene, Stage, milliseconds};
use super::observed::Histories;
use super::publish::{Move, publish};
use super::request::{Ports, Request};
use super::site::Location;

/// Room for the trailer below a pull request's text.
const TRAILER_BYTES: usize = 200;

/// Names the branch that a promotion waits in.
///
/// Pure.
pub(super) fn branch_name(from: &str, to: &str) -> String {
    let clean = |name: &str| -> String {
        let letter =
            |letter: char| if letter.is_ascii_alphanumeric() || "-_".contains(letter) { letter } else { '-' };
        name.chars().map(letter).collect()
    };
    format!("promote/{}-to-{}", clean(from), clean(to))
}

/// Pushes a promotion to its branch, and opens its pull request or brings it up to date.
///
/// Effects: the lock; branch, record and lock in one push; the pull request. The target's branch stays as it is.
///
/// # Errors
///
/// [`PromotionError::Forge`] if the forge cannot be asked: nothing has changed then; [`PromotionError::NotOurs`];
/// [`PromotionError::Stale`]; [`PromotionError::Git`]; [`PromotionError::Unopened`] after the push.
pub(super) fn propose(
    scene: Scene,
    mut proposal: Proposal,
    request: &Request,
    ports: &mut Ports<'_>,
) -> Result<Applied, PromotionError> {
    let Scene { mut plan, mut stage, findings, mask } = scene;
    let forge = forge(&stage, proposal.via, ports)?;
    let purpose = (format!("promote {} {}", plan.from, plan.to), plan.plan_id.clone());
    let began = Instant::now();
    let lock = lock::take(&stage.ground, &stage.gathered, purpose, ports)?;
    stage.durations.lock_ms = milliseconds(began);
    border("locked", ports);
    let pushed = under_lock(&plan, &mut stage, request, (&proposal.branch, &lock), ports);
    if let Err(error) = &pushed {
        lock::give_back_after(error, (&stage.ground, &stage.gathered), &lock, ports);
    }
    proposal.commit = Some(pushed?.to_string());
    plan.outcome = Outcome::Proposed;
    plan.next.clear();
    plan.proposal = Some(proposal.clone());
    match &forge {
        Some(forge) => {
            let wanted = pull_request(&plan, (&findings, &mask), &proposal.branch, forge);
            let what = format!("opening the pull request on {}", forge.kind().as_str());
            let opened = ports.doing(what, || forge.propose(&wanted));
            let opened = opened.map_err(|error| unopened(&stage, &proposal, error))?;
            border("opened", ports);
            (proposal.number, proposal.url) = (Some(opened.number), Some(opened.url));
        }
        None => proposal.url = page(&stage, &proposal.branch, ports),
    }
    plan.proposal = Some(proposal);
    Ok(Applied { plan, findings, stage })
}

fn forge(stage: &Stage, via: Via, ports: &Ports<'_>) -> Result<Option<Forge>, PromotionError> {
    match (via, &stage.gathered.to.site.location) {
        (Via::Push | Via::Branch, _) => Ok(None),
        (Via::PullRequest, Location::Remote(url)) => {
            Ok(Some(Forge::of(url, ports.variables, &ports.interrupted)?))
        }
        (Via::PullRequest, Location::Local(folder)) => {
            Err(ForgeError::Unknown { address: folder.display().to_string() }.into())
        }
    }
}

fn unopened(stage: &Stage, proposal: &Proposal, error: ForgeError) -> PromotionError {
    if matches!(error, ForgeError::Interrupted) {
        return PromotionError::Interrupted;
    }
    let repository = stage.gathered.to.site.location.words();
    PromotionError::Unopened { branch: proposal.branch.clone(), repository, source: Box::new(error) }
}

/// Gives the page on which a person opens the pull request.
fn page(stage: &Stage, branch: &str, ports: &Ports<'_>) -> Option<String> {
    let to = &stage.gathered.to.site;
    match &to.location {
        Location::Remote(url) => compare_page(url, (branch, &to.branch), ports.variables),
        Location::Local(_) => None,
    }
}

/// What happens between the lock and the pull request; gives the commit that the branch holds.
fn under_lock(
    plan: &Plan,
    stage: &mut Stage,
    request: &Request,
    (branch, lock): (&str, &Lock),
    ports: &mut Ports<'_>,
) -> Result<Revision, PromotionError> {
    look_again(stage, ports)?;
    border("checked", ports);
    ports.stop_if_asked()?;
    let head = head(stage, branch, ports)?;
    if let Some(head) = &head {
        if is_proposed(plan, stage, branch, head) {
            lock::give_back(&stage.ground, &stage.gathered, lock, ports);
            return Ok(head.clone());
        }
        ours(stage, branch, head)?;
    }
    let after = commit(plan, stage, request, ports)?;
    let circumstances = Circumstances {
        commit: Some(after.to_string()),
        source_project: stage.source_project.clone(),
        target_project: stage.target_project.clone(),
        unrelated: stage.histories == Histories::Unrelated,
        migrate: super::apply::migrate(stage),
        migrations: Vec::new(),
        durations: stage.durations,
    };
    let promotion = Box::new(ledger::promoted(plan, circumstances));
    let entry = Entry::Proposed { branch: branch.to_owned(), promotion };
    behind_the_last(stage, ports, |stage, ports| {
        let gathered = &stage.gathered;
        let last = gathered.to.journal.as_ref();
        let journal = journal::record((&stage.ground, gathered), last, entry.clone(), ports)?;
        border("committed", ports);
        ports.stop_if_asked()?;
        let moved = Move::of(gathered, Some(&after), &journal).unlocking(lock);
        let moved = Move { branch, before: head.as_ref(), ..moved };
        publish(&stage.ground, gathered, &moved, ports)
    })?;
    border("published", ports);
    Ok(after)
}

/// Asks where the branch is.
fn head(stage: &Stage, branch: &str, ports: &mut Ports<'_>) -> Result<Option<Revision>, PromotionError> {
    let store = &stage.gathered.store;
    let url = match &stage.gathered.to.site.location {
        Location::Local(_) => return Ok(store.tip(&format!("refs/heads/{branch}"))?),
        Location::Remote(url) => url,
    };
    let transport = Transport { program: ports.git, interrupt: &ports.interrupted };
    match git::standing(store, url, branch, transport)? {
        Standing::At(tip) => Ok(Some(tip)),
        Standing::NoRepository(_) | Standing::Empty | Standing::OtherBranches => Ok(None),
    }
}

/// Whether the branch holds this very promotion already.
fn is_proposed(plan: &Plan, stage: &Stage, branch: &str, head: &Revision) -> bool {
    let last = ledger::waiting(&stage.records, branch).last();
    last.is_some_and(|promoted| {
        promoted.commit.as_deref() == Some(head.as_str())
            && promoted.plan_id == plan.plan_id
            && promoted.tree == plan.target.tree
    })
}

/// Refuses to replace what somebody else has pushed to the branch.
fn ours(stage: &Stage, branch: &str, head: &Revision) -> Result<(), PromotionError> {
    let gathered = &stage.gathered;
    let recorded = ledger::waiting(&stage.records, branch)
        .any(|promoted| promoted.commit.as_deref() == Some(head.as_str()));
    let merged = match &gathered.to.tip {
        Some(tip) if gathered.store.has(head) => gathered.store.contains(tip, head)?,
        Some(_) | None => false,
    };
    if recorded || merged {
        return Ok(());
    }
    let repository = match gathered.to.site.location.words().as_str() {
        "." => "this repository".to_owned(),
        words => format!("`{words}`"),
    };
    Err(PromotionError::NotOurs { branch: branch.to_owned(), repository })
}

/// Writes the pull request: the report, cut to what the forge takes, and the trailer by which it is found again.
fn pull_request(
    plan: &Plan,
    (findings, mask): (&[Finding], &Mask),
    branch: &str,
    forge: &Forge,
) -> PullRequest {
    let view = report::plan_view(plan, findings);
    let text = mask.text(&report::markdown(&view, forge.kind().body_budget_bytes() - TRAILER_BYTES));
    PullRequest {
        source_branch: branch.to_owned(),
        target_branch: plan.target.branch.clone(),
        title: format!("Promote {} to {}", plan.from, plan.to),
        body: format!("{}\n\nPromote-Plan: {}\n", text.trim_end(), plan.plan_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_branches_that_git_accepts() {
        assert_eq!(branch_name("staging", "prod"), "promote/staging-to-prod");
        assert_eq!(branch_name("a b/..", "x~1.lock"), "promote/a-b----to-x-1-lock");
    }
}
