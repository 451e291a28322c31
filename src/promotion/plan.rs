//! The decision: from what was observed and what was said to a plan with its id. Pure.

use serde_json::json;

use crate::model::outcome::Outcome;
use crate::model::plan::{Acknowledgements, GateState, Plan};
use crate::report::command_with;

use super::digest::digest;
use super::guard;
use super::observed::Observed;

/// The tool and its version, as plans and records name it.
pub const TOOL: &str = concat!("promote ", env!("CARGO_PKG_VERSION"));

/// Decides.
///
/// Pure: equal inputs give equal output, to the byte of its JSON.
pub(super) fn plan(observed: Observed, said: &Acknowledgements) -> Plan {
    let gates = guard::gates(&observed, said);
    let outcome = guard::outcome(&observed, &gates);
    let plan_id = id(&observed, said);
    let mut plan = Plan {
        plan_id,
        from: observed.from,
        to: observed.to,
        outcome,
        source: observed.source,
        target: observed.target,
        merge: observed.merge,
        config: observed.config,
        migration: observed.migration,
        runs: if outcome == Outcome::NothingToDo { Vec::new() } else { observed.runs },
        proposal: observed.proposal,
        gates,
        next: Vec::new(),
        acknowledgements: said.clone(),
        tool: TOOL.to_owned(),
    };
    plan.next = next(&plan);
    plan
}

/// Digest of everything that decides: no clock, no variable, no secret.
fn id(observed: &Observed, said: &Acknowledgements) -> String {
    let parts = json!({
        "tool": TOOL,
        "from": observed.from,
        "to": observed.to,
        "source": observed.source.commit,
        "target": observed.target.before,
        "tree": observed.target.tree,
        "engine": observed.merge.engine,
        "config": observed.config_digest,
        "fingerprint": observed.migration.fingerprint,
        "steps": observed.migration.steps,
        "policy": observed.policy.digest,
        "proposal": observed.proposal,
        "said": said,
    });
    // `serde_json` keeps the keys of an object sorted, so the bytes are canonical.
    digest(&parts.to_string())
}

/// Gives the command that carries the plan out as it is, with all that was said; nothing where it would be refused.
fn next(plan: &Plan) -> Vec<String> {
    match plan.outcome {
        Outcome::Planned if plan.gates.iter().all(|gate| gate.state != GateState::Waiting) => {
            vec![command_with(plan, &[])]
        }
        Outcome::Planned
        | Outcome::Refused
        | Outcome::Conflict
        | Outcome::NothingToDo
        | Outcome::Promoted
        | Outcome::Proposed
        | Outcome::Partial
        | Outcome::Stale => Vec::new(),
    }
}
