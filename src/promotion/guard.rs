//! Whether a plan may be carried out: one gate for each thing that must be so. Pure.

use crate::model::environment::{Migrate, ProofPolicy};
use crate::model::merge::{Merge, Reverted};
use crate::model::migration::{Migration, MigrationState};
use crate::model::outcome::Outcome;
use crate::model::plan::{Acknowledgements, Gate, GateState};
use crate::model::project::Direction;
use crate::report::quoted;

use super::observed::{Histories, NoTarget, Observed};

/// Lists the gates of what was observed.
///
/// Shape: only gates that say something, in a fixed order.
pub(super) fn gates(observed: &Observed, said: &Acknowledgements) -> Vec<Gate> {
    [
        order(observed),
        hold(observed),
        pair(observed),
        branch(observed, said),
        proposal(observed),
        histories(observed, said),
        work_tree(observed),
        conflicts(&observed.merge),
        scattered(observed),
        reverted(observed, said),
        losses(&observed.merge),
        stranded(observed),
        coordinates(observed, said),
        migration(&observed.migration, observed),
        proof(&observed.migration, observed.policy.proof),
    ]
    .into_iter()
    .flatten()
    .chain(declared(observed))
    .collect()
}

/// Says how a plan stands, from its gates and what it holds.
pub(super) fn outcome(observed: &Observed, gates: &[Gate]) -> Outcome {
    if observed.merge.conflicts.iter().any(|conflict| conflict.resolution.is_none()) {
        return Outcome::Conflict;
    }
    let undecided = gates.iter().any(|gate| gate.name == "reverted" && gate.state == GateState::Refused);
    if nothing_to_do(observed) && !undecided {
        return Outcome::NothingToDo;
    }
    if gates.iter().any(|gate| gate.state == GateState::Refused) {
        return Outcome::Refused;
    }
    Outcome::Planned
}

fn nothing_to_do(observed: &Observed) -> bool {
    observed.histories == Histories::Contained
        && observed.migration.steps.iter().all(|step| step.ddl.is_empty() && !step.blocks())
}

#[expect(clippy::unnecessary_wraps, reason = "every caller gives a gate or nothing")]
fn gate(name: &str, state: GateState, detail: impl Into<String>) -> Option<Gate> {
    Some(Gate { name: name.to_owned(), state, detail: detail.into() })
}

fn order(observed: &Observed) -> Option<Gate> {
    let (from, to) = (&observed.from, &observed.to);
    match observed.policy.direction {
        Direction::Forward => None,
        Direction::Backward => {
            gate("order", GateState::Passed, format!("`{from}` comes after `{to}`: conflicts go to a person"))
        }
        Direction::Skips => {
            let way = match &observed.policy.expected_from {
                Some(between) => format!("; promote `{between}` to `{to}`"),
                None => String::new(),
            };
            gate(
                "order",
                GateState::Refused,
                format!("`{from}` to `{to}` skips a step of `promotion.order`{way}"),
            )
        }
    }
}

fn hold(observed: &Observed) -> Option<Gate> {
    let reason = observed.policy.hold.as_ref()?;
    let to = &observed.to;
    gate(
        "hold",
        GateState::Refused,
        format!("`{to}` is on hold: {reason}; `promote release {}` lets it go on", quoted(to)),
    )
}

fn pair(observed: &Observed) -> Option<Gate> {
    gate("repository", GateState::Refused, observed.policy.wrong_pair.clone()?)
}

/// A plugin that one side moved to another file and the other changed where it was: it would be in both, and what the
/// one file says of it would hide what the other does.
fn scattered(observed: &Observed) -> Option<Gate> {
    let (plugin, files) = observed.policy.scattered.first()?;
    let more = match observed.policy.scattered.len() {
        1 => String::new(),
        count => format!(" (and {} more likewise)", count - 1),
    };
    let (from, to) = (&observed.from, &observed.to);
    gate(
        "plugins",
        GateState::Refused,
        format!(
            "`{plugin}`{more} would be in {}: `{from}` and `{to}` have it in one file each, and one of them moved what the other \
             changed; move it in `{to}` too, in a commit of its own, then promote",
            files.join(" and ")
        ),
    )
}

fn branch(observed: &Observed, said: &Acknowledgements) -> Option<Gate> {
    let target = &observed.target;
    match observed.histories {
        Histories::NoTarget(NoTarget::Missing) if !said.create_branch => gate(
            "branch",
            GateState::Refused,
            format!(
                "branch `{}` is not in {}{}; `--create-branch` makes it",
                target.branch,
                in_words(&target.repository),
                observed.near.as_ref().map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
            ),
        ),
        Histories::NoTarget(_) => {
            gate("branch", GateState::Passed, format!("branch `{}` will be created", target.branch))
        }
        Histories::Contained | Histories::Related | Histories::Unrelated => None,
    }
}

/// What somebody else merges needs a branch to be merged into, and cannot take the schema with it.
fn proposal(observed: &Observed) -> Option<Gate> {
    let waiting = observed.proposal.as_ref()?;
    let to = &observed.to;
    if matches!(observed.histories, Histories::NoTarget(_)) {
        let (target, branch) = (&observed.target, &waiting.branch);
        let repository = in_words(&target.repository);
        let detail = format!(
            "branch `{}` is not in {repository} yet: push it first, then `{branch}` can be merged into it",
            target.branch
        );
        return gate("proposal", GateState::Refused, detail);
    }
    let steps = observed.migration.steps.iter().any(|step| !step.ddl.is_empty());
    if !steps
        || observed.migration.state != MigrationState::Known
        || observed.policy.migrate != Migrate::Promotion
    {
        return None;
    }
    gate(
        "proposal",
        GateState::Refused,
        format!(
            "`{to}` takes what somebody merges, so its schema cannot be changed before that: with `migrate: ci` CI changes it \
             then; `--no-migrate` leaves it alone"
        ),
    )
}

fn in_words(repository: &str) -> String {
    if repository == "." { "this repository".to_owned() } else { format!("`{repository}`") }
}

fn histories(observed: &Observed, said: &Acknowledgements) -> Option<Gate> {
    if observed.histories != Histories::Unrelated {
        return None;
    }
    if said.allow_unrelated {
        return gate(
            "histories",
            GateState::Overridden,
            "the histories have no commit in common; they are joined",
        );
    }
    let only = observed.merge.target_only.len() + observed.merge.zombies.len();
    gate(
        "histories",
        GateState::Refused,
        format!(
            "the histories have no commit in common, so nobody can tell a deletion from an addition ({only} {} only in \
             the target); is it the right repository? `--allow-unrelated` joins them, once",
            if only == 1 { "file is" } else { "files are" }
        ),
    )
}

fn work_tree(observed: &Observed) -> Option<Gate> {
    let dirty = &observed.policy.dirty;
    let first = dirty.first()?;
    let more = match dirty.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    gate(
        "work-tree",
        GateState::Refused,
        format!(
            "branch `{}` is checked out here with uncommitted changes (`{first}`{more}); commit or stash them first",
            observed.target.branch
        ),
    )
}

fn conflicts(merge: &Merge) -> Option<Gate> {
    if merge.conflicts.is_empty() {
        return None;
    }
    let open = merge.conflicts.iter().filter(|conflict| conflict.resolution.is_none()).count();
    match open {
        0 => gate(
            "conflicts",
            GateState::Overridden,
            format!("{} settled by `--resolve` or `promotion.resolve`", merge.conflicts.len()),
        ),
        open => gate(
            "conflicts",
            GateState::Refused,
            format!("{open} {} that no preference settles", if open == 1 { "conflict" } else { "conflicts" }),
        ),
    }
}

/// What was taken back on one side is neither brought again nor left out without a word.
fn reverted(observed: &Observed, said: &Acknowledgements) -> Option<Gate> {
    let Observed { merge, from, to, .. } = observed;
    let short = |commit: &str| commit.get(..7).unwrap_or_default().to_owned();
    let revert = |one: &Reverted| {
        format!(
            "what was promoted with {} was taken back by {} in {}",
            short(&one.promotion),
            one.author,
            short(&one.commit)
        )
    };
    let [again, away, open] = if merge.taken_back.is_empty() {
        [
            "it comes again".to_owned(),
            "it stays away".to_owned(),
            "a merge would leave it out in silence: `--reinstate` brings it again, `--leave-out` leaves it out"
                .to_owned(),
        ]
    } else {
        [
            format!("it is in `{to}`, not in `{from}`"),
            format!("it is in neither `{from}` nor `{to}`"),
            format!(
                "a merge would take it out of `{to}` as well as of `{from}`: with `--reinstate` `{to}` has it, with \
                 `--leave-out` neither"
            ),
        ]
    };
    let undone = merge.undone.iter().map(|one| match (&one.author, &one.commit) {
        (Some(author), Some(commit)) => {
            format!("`{}` was put back to what it was before by {author} in {}", one.path, short(commit))
        }
        _ => format!("`{}` was put back to what it was before", one.path),
    });
    let reverts = merge.reverted.iter().chain(&merge.taken_back).map(revert);
    let list: Vec<String> = reverts.chain(undone).collect();
    if list.is_empty() {
        return None;
    }
    let (state, end) = if said.reinstate {
        (GateState::Overridden, again)
    } else if said.leave_out {
        (GateState::Overridden, away)
    } else {
        (GateState::Refused, open)
    };
    gate("reverted", state, format!("{}; {end}", list.join(", ")))
}

fn losses(merge: &Merge) -> Option<Gate> {
    if merge.losses.is_empty() {
        return None;
    }
    let open = merge.losses.iter().filter(|loss| !loss.accepted).count();
    match open {
        0 => gate(
            "losses",
            GateState::Overridden,
            format!("{} accepted", count(merge.losses.len(), "loss", "losses")),
        ),
        open => gate(
            "losses",
            GateState::Refused,
            format!("{} of work that is only in the target", count(open, "loss", "losses")),
        ),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Pointers to what the target's store lacks would be files that nobody can read.
fn stranded(observed: &Observed) -> Option<Gate> {
    gate("lfs", GateState::Refused, observed.stranded.clone()?)
}

fn coordinates(observed: &Observed, said: &Acknowledgements) -> Option<Gate> {
    let moved = observed.policy.moved.as_ref()?;
    let token = format!("move-dataset:{}", observed.to);
    if said.allow.contains(&token) {
        return gate("coordinates", GateState::Overridden, format!("{moved}, allowed"));
    }
    gate(
        "coordinates",
        GateState::Refused,
        format!("the merged file moves the data of `{}`: {moved}; `--allow {token}` lets it", observed.to),
    )
}

fn migration(migration: &Migration, observed: &Observed) -> Option<Gate> {
    if migration.state != MigrationState::Known {
        return None;
    }
    if let Some(refusal) = migration.refusal() {
        return gate("migration", GateState::Refused, refusal);
    }
    let blocking = migration.steps.iter().filter(|step| step.blocks()).count();
    if blocking > 0 {
        let why = if observed.policy.force_forbidden {
            format!("; `{}` forbids `--force`, `--allow CODE:OBJECT` lets one through", observed.to)
        } else {
            String::new()
        };
        return gate(
            "migration",
            GateState::Refused,
            format!(
                "{} would break somebody{why}",
                count(blocking, "change of the schema", "changes of the schema")
            ),
        );
    }
    let forced = migration.after_push().count();
    if forced > 0 {
        return gate(
            "migration",
            GateState::Overridden,
            format!("{} let through", count(forced, "incompatible change", "incompatible changes")),
        );
    }
    None
}

/// A plan that was tried and is wrong is never offered; one that could not be tried where the target allows it.
fn proof(migration: &Migration, required: ProofPolicy) -> Option<Gate> {
    let proof = migration.proof.as_deref()?;
    if migration.is_disproven() || (migration.is_unproven() && required == ProofPolicy::Required) {
        return gate("proof", GateState::Refused, proof);
    }
    None
}

/// Gates that the target declares and that this version cannot check: they are never passed over.
fn declared(observed: &Observed) -> impl Iterator<Item = Gate> {
    let gates = &observed.policy.gates;
    let names = [
        (gates.approvals > 0).then_some("approvals"),
        gates.soak.is_some().then_some("soak"),
        (!gates.freeze.is_empty()).then_some("freeze"),
        (!gates.checks.is_empty()).then_some("checks"),
    ];
    names.into_iter().flatten().map(|name| Gate {
        name: name.to_owned(),
        state: GateState::Waiting,
        detail: format!("the environment asks for `{name}`, which this version of promote cannot check yet"),
    })
}
