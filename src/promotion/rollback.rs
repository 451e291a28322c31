//! Rolling an environment back: a new commit with the tree of an earlier promotion, and a hold.
//!
//! History is never rewritten. The schema and the data stay as they are.

use crate::git::{self, CommitMessage, GitError, Identity, Lock, Revision, WorkTreeState};
use crate::model::finding::Finding;
use crate::model::outcome::Outcome;
use crate::model::plan::{Gate, GateState};
use crate::model::record::{Entry, Promoted, Record};
use crate::model::rollback::Rollback;

use super::error::PromotionError;
use super::gather::Gathered;
use super::ground::Ground;
use super::journal;
use super::ledger;
use super::lock;
use super::publish::{Move, prepare_work_tree, publish};
use super::recover;
use super::request::Ports;
use super::site::Location;

/// A rollback that is asked for.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// The environment.
    pub environment: String,
    /// The promotion that is to be the last again: a record's number, or the begin of a plan's id or a commit.
    pub to: Option<String>,
    /// Words of `--accept-loss`.
    pub accept_losses: Vec<String>,
}

/// A planned rollback, and what carrying it out needs.
pub struct RollbackScene {
    /// What is to be done.
    pub rollback: Rollback,
    /// What a person should know.
    pub findings: Vec<Finding>,
    ground: Ground,
    gathered: Gathered,
    /// The commit of a run that was killed after its record and before the branch moved.
    cut_short: Option<Revision>,
}

/// What comes again, and what is taken back for it.
struct Goal<'r> {
    tree: Revision,
    words: String,
    /// The newest first.
    taken_back: Vec<&'r Promoted>,
    /// The commit that has the tree: what came after, and not from a source, is somebody's own work.
    before: Revision,
    /// The source commits of all promotions.
    brought: Vec<Revision>,
}

/// Looks what a rollback would do; changes nothing.
///
/// # Errors
///
/// [`PromotionError::NothingToRollBack`] where there is no such promotion; [`PromotionError::Git`].
pub fn plan_rollback(
    request: &RollbackRequest,
    ports: &mut Ports<'_>,
) -> Result<RollbackScene, PromotionError> {
    let ground = Ground::find(ports)?;
    let site = ground.site(&request.environment, ports)?;
    let gathered = Gathered::of(&ground, site.clone(), site.clone(), ports)?;
    let records = gathered.records()?;
    let none = |why: &str| PromotionError::NothingToRollBack {
        environment: request.environment.clone(),
        why: why.to_owned(),
    };
    let tip = gathered.to.tip.clone().ok_or_else(|| none("its branch is not there"))?;
    let cut_short = ledger::cut_short(&records, &request.environment, tip.as_str());
    let records = cut_short.map_or(records.as_slice(), |(_, before)| before);
    let goal = goal(records, request, &gathered).map_err(|error| {
        error.unwrap_or_else(|| {
            none("nothing was promoted into it by `promote`, or all of it is taken back already")
        })
    })?;
    if gathered.store.tree_of(&tip)? == goal.tree {
        return Err(none("its branch has that tree already"));
    }
    let way = git::Backwards { tip: &tip, before: &goal.before, brought: &goal.brought };
    let back = git::back(&gathered.store, &way, &request.accept_losses)?;
    let gates = gates(&back.losses, &dirty(&gathered, &back)?);
    let refused = gates.iter().any(|gate| gate.state == GateState::Refused);
    let rollback = Rollback {
        environment: request.environment.clone(),
        branch: site.branch,
        outcome: if refused { Outcome::Refused } else { Outcome::Planned },
        before: tip.to_string(),
        after: None,
        tree: goal.tree.to_string(),
        to: goal.words,
        chosen: request.to.clone(),
        accept_loss: request.accept_losses.clone(),
        promotions: goal.taken_back.iter().filter_map(|promoted| promoted.commit.clone()).collect(),
        files: back.files,
        losses: back.losses,
        gates,
        limits: limits(&goal.taken_back),
    };
    let same = cut_short.filter(|((_, tree), _)| *tree == rollback.tree);
    let cut_short = same.map(|((commit, _), _)| Revision::new(commit)).transpose()?;
    let cut_short = cut_short.filter(|commit| gathered.store.has(commit));
    Ok(RollbackScene { rollback, findings: back.findings, cut_short, ground, gathered })
}

/// Finds the tree; the error is nothing where no promotion is there at all.
fn goal<'r>(
    records: &'r [Record],
    request: &RollbackRequest,
    gathered: &Gathered,
) -> Result<Goal<'r>, Option<PromotionError>> {
    let standing = ledger::standing(records, &request.environment);
    let (last, _) = standing.last().ok_or(None)?;
    let place = match &request.to {
        None => None,
        Some(word) => {
            let numbered = |(_, number): &(&Promoted, u64)| number.to_string() == *word;
            let named = |(promoted, _): &(&Promoted, u64)| {
                let ids = [Some(promoted.plan_id.as_str()), promoted.commit.as_deref()];
                ids.into_iter().flatten().any(|id| id.starts_with(word))
            };
            let mut found = standing.iter().position(numbered);
            // What begins two of them names none.
            if found.is_none()
                && may_abbreviate(word)
                && standing.iter().filter(|one| named(one)).count() == 1
            {
                found = standing.iter().position(named);
            }
            Some(found.ok_or_else(|| {
                let numbers = standing.iter().map(|(_, number)| number.to_string()).collect();
                Some(PromotionError::NoPromotion { word: word.clone(), known: numbers })
            })?)
        }
    };
    let broken = |error: GitError| Some(error.into());
    let (tree, words, from, before) = if let Some(place) = place {
        let (promoted, number) = standing[place];
        let tree = Revision::new(promoted.tree.as_deref().ok_or(None)?).map_err(broken)?;
        let commit = Revision::new(promoted.commit.as_deref().ok_or(None)?).map_err(broken)?;
        (tree, format!("promotion {number} (from {})", promoted.from), place + 1, commit)
    } else {
        let before = Revision::new(last.target_before.as_deref().ok_or(None)?).map_err(broken)?;
        let tree = gathered.store.tree_of(&before).map_err(broken)?;
        let words = format!("what was there before the last promotion ({})", before.short());
        (tree, words, standing.len() - 1, before)
    };
    let taken_back = standing[from..].iter().rev().map(|(promoted, _)| *promoted).collect();
    let brought = ledger::sources(records, &request.environment);
    let brought = brought.map(Revision::new).collect::<Result<_, _>>().map_err(broken)?;
    Ok(Goal { tree, words, taken_back, before, brought })
}

/// Whether a word is long enough for an id that is cut short: four characters, as Git has it; of digits alone as many
/// as reports show, because any fewer are a number that there is not.
fn may_abbreviate(word: &str) -> bool {
    word.len() >= if word.bytes().all(|byte| byte.is_ascii_digit()) { 7 } else { 4 }
}

fn dirty(gathered: &Gathered, back: &git::Back) -> Result<Vec<String>, PromotionError> {
    let Location::Local(folder) = &gathered.to.site.location else { return Ok(Vec::new()) };
    let incoming: Vec<String> = back.files.iter().map(|file| file.path.clone()).collect();
    match git::state(folder, &gathered.to.site.branch, &incoming)? {
        WorkTreeState::Dirty(_, files) => Ok(files),
        WorkTreeState::Clean(_) | WorkTreeState::NotCheckedOut => Ok(Vec::new()),
    }
}

fn gates(losses: &[crate::model::merge::Loss], dirty: &[String]) -> Vec<Gate> {
    let gate = |name: &str, state, detail: String| Gate { name: name.to_owned(), state, detail };
    let mut gates = Vec::new();
    if let Some(first) = dirty.first() {
        let detail = format!(
            "the branch is checked out here with uncommitted changes (`{first}`); commit or stash them"
        );
        gates.push(gate("work-tree", GateState::Refused, detail));
    }
    let open = losses.iter().filter(|loss| !loss.accepted).count();
    if open > 0 {
        let detail = format!("{open} of what was done here since the last promotion would go too");
        gates.push(gate("losses", GateState::Refused, detail));
    } else if !losses.is_empty() {
        gates.push(gate("losses", GateState::Overridden, format!("{} accepted", losses.len())));
    }
    gates
}

/// Says what stays as it is although the code goes back.
fn limits(taken_back: &[&Promoted]) -> Vec<String> {
    let steps: usize = taken_back
        .iter()
        .map(|promoted| {
            promoted.migrations.iter().map(|one| one.steps.len()).sum::<usize>() + promoted.after_push.len()
        })
        .sum();
    let mut limits = vec!["data that was written stays as it is".to_owned()];
    if steps > 0 {
        limits.push(format!("{steps} changes of the schema stay: it is ahead of the code then"));
    }
    limits
}

/// Carries a rollback out, and puts the environment on hold.
///
/// Effects: the lock; one commit on the branch, its record and the hold, in one push; the work tree of a
/// checked-out branch. Nothing where it fails.
///
/// # Errors
///
/// [`PromotionError::Stale`] if the branch moved; [`PromotionError::Git`].
pub fn roll_back(scene: RollbackScene, ports: &mut Ports<'_>) -> Result<Rollback, PromotionError> {
    let RollbackScene { mut rollback, ground, gathered, cut_short, .. } = scene;
    let purpose = (format!("promote rollback {}", rollback.environment), rollback.tree.clone());
    recover::catch_up(&gathered, ports)?;
    let lock = lock::take(&ground, &gathered, purpose, ports)?;
    match under_lock(&rollback, (&ground, &gathered), cut_short, &lock, ports) {
        Ok(after) => {
            if let Location::Local(folder) = &gathered.to.site.location {
                git::finish(folder)?;
            }
            rollback.after = Some(after.to_string());
            rollback.outcome = Outcome::Promoted;
            Ok(rollback)
        }
        Err(error) => {
            lock::give_back_after(&error, (&ground, &gathered), &lock, ports);
            Err(error)
        }
    }
}

fn under_lock(
    rollback: &Rollback,
    (ground, before): (&Ground, &Gathered),
    cut_short: Option<Revision>,
    lock: &Lock,
    ports: &mut Ports<'_>,
) -> Result<Revision, PromotionError> {
    let site = before.to.site.clone();
    let gathered = Gathered::of(ground, site.clone(), site, ports)?;
    let tip = gathered.to.tip.as_ref().filter(|tip| tip.as_str() == rollback.before);
    let tip = tip.ok_or_else(|| PromotionError::Stale {
        what: format!("branch `{}` moved since this was shown", rollback.branch),
    })?;
    let identity = ground.identity(ports);
    let (after, journal) = if let (Some(after), Some(journal)) = (cut_short, &gathered.to.journal) {
        (after, journal.clone())
    } else {
        let after = commit(rollback, &gathered, tip, &identity)?;
        let journal = recorded(rollback, ground, &gathered, &after, ports)?;
        (after, journal)
    };
    prepare_work_tree(&gathered, &after)?;
    let moved = Move::of(&gathered, Some(&after), &journal).unlocking(lock);
    publish(ground, &gathered, &moved, ports)?;
    Ok(after)
}

/// Writes the commit, and proves that its tree is the one that was shown.
fn commit(
    rollback: &Rollback,
    gathered: &Gathered,
    tip: &Revision,
    identity: &Identity,
) -> Result<Revision, PromotionError> {
    let mut trailers = vec![("Promote-Rollback".to_owned(), rollback.environment.clone())];
    let taken_back = rollback.promotions.iter().map(|commit| (git::REVERTS.to_owned(), commit.clone()));
    trailers.extend(taken_back);
    trailers.push(("Promote-By".to_owned(), identity.to_string()));
    let message = CommitMessage {
        subject: format!("Roll {} back to {}", rollback.environment, rollback.to),
        body: String::new(),
        trailers,
    };
    let tree = Revision::new(&rollback.tree)?;
    let after = git::commit(&gathered.store, &tree, &[tip], &message, identity)?;
    let found = gathered.store.tree_of(&after)?;
    if found != tree {
        return Err(PromotionError::OtherTree { planned: tree.to_string(), found: found.to_string() });
    }
    Ok(after)
}

/// Writes the rollback's record and the hold.
fn recorded(
    rollback: &Rollback,
    ground: &Ground,
    gathered: &Gathered,
    after: &Revision,
    ports: &Ports<'_>,
) -> Result<Revision, PromotionError> {
    let (name, reason) = (rollback.environment.clone(), format!("rolled back to {}", rollback.to));
    let entry = Entry::RolledBack {
        environment: name.clone(),
        commit: after.to_string(),
        before: rollback.before.clone(),
        tree: rollback.tree.clone(),
        promotions: rollback.promotions.clone(),
        losses: rollback.losses.clone(),
    };
    let first = journal::record((ground, gathered), gathered.to.journal.as_ref(), entry, ports)?;
    let hold = Entry::Hold { environment: name, reason };
    journal::record((ground, gathered), Some(&first), hold, ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_there_is_not_is_no_id() {
        for (word, may) in
            [("9", false), ("123456", false), ("1234567", true), ("9ab", false), ("9abc", true), ("", false)]
        {
            assert_eq!(may_abbreviate(word), may, "{word}");
        }
    }
}
