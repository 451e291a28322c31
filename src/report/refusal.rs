//! What stands in the way of a plan, in the error format, with the way out of each.

use super::command::command_with;
use super::failure::Location;
use super::text::amount;
use crate::model::migration::Step;
use crate::model::origin::Place;
use crate::model::plan::{Gate, GateState, Plan};

/// Something that stands in the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Kebab-case code: a step's, a conflict's, `loss`, or a gate's name.
    pub code: String,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// Where.
    pub location: Option<Location>,
    /// What to do about it, one thing each.
    pub hints: Vec<String>,
}

/// Tells gates that need a line of their own: those that do not just sum up what the plan says in detail.
pub(super) fn tells_more(plan: &Plan, gate: &Gate) -> bool {
    match gate.name.as_str() {
        "losses" => !plan.merge.losses.iter().any(|loss| !loss.accepted),
        "conflicts" => !plan.merge.conflicts.iter().any(|conflict| conflict.resolution.is_none()),
        "migration" => !plan.migration.steps.iter().any(Step::blocks),
        _ => true,
    }
}

/// Lists what stands in the way: conflicts, losses, steps, gates.
///
/// Shape: empty where nothing does; in that order, each in the order of the plan.
pub fn refusals(plan: &Plan) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for conflict in plan.merge.conflicts.iter().filter(|conflict| conflict.resolution.is_none()) {
        refusals.push(Refusal {
            code: conflict.kind.code().to_owned(),
            message: format!(
                "`{}`: {} {}, {} {}",
                conflict.path, plan.from, conflict.source, plan.to, conflict.target
            ),
            location: Some(Location::At(Place::file(conflict.path.as_str()))),
            hints: vec![format!(
                "settle it with `{}`",
                command_with(plan, &["--resolve", &format!("{}=source|target|delete", conflict.path)])
            )],
        });
    }
    for loss in plan.merge.losses.iter().filter(|loss| !loss.accepted) {
        let place = super::risk::loss_place(loss);
        refusals.push(Refusal {
            code: "loss".to_owned(),
            message: format!("the merge would drop `{place}` of {}", plan.to),
            location: Some(Location::At(Place {
                file: loss.path.as_str().into(),
                line: loss.lines.map(|lines| lines.start),
                column: None,
            })),
            hints: vec![
                format!("drop it knowingly: `{}`", command_with(plan, &["--accept-loss", &place])),
                format!("keep it: `{}`", command_with(plan, &["--keep", &place])),
            ],
        });
    }
    let force = |allow: &str| command_with(plan, &["--allow", allow]);
    refusals.extend(step_refusals(&plan.to, &plan.migration.steps, force));
    let refused = plan.gates.iter().filter(|gate| gate.state == GateState::Refused && tells_more(plan, gate));
    refusals.extend(refused.map(|gate| Refusal {
        code: gate.name.clone(),
        message: gate.detail.clone(),
        location: None,
        hints: Vec::new(),
    }));
    refusals
}

/// Lists the steps that stand in the way; `force` gives the command that lets one through.
pub(super) fn step_refusals(
    environment: &str,
    steps: &[Step],
    force: impl Fn(&str) -> String,
) -> Vec<Refusal> {
    let blocked = steps.iter().filter(|step| step.blocks());
    let refusal = |step: &Step| Refusal {
        code: step.code.clone(),
        message: step.reason.clone(),
        location: Some(Location::In { inside: format!("{environment} {}", step.subject()) }),
        hints: step
            .recipe
            .iter()
            .cloned()
            .chain(step.allow.as_ref().map(|allow| format!("or let it through with `{}`", force(allow))))
            .collect(),
    };
    blocked.map(refusal).collect()
}

/// Sums up what stands in the way: `1 loss is not settled`.
pub(super) fn reasons(plan: &Plan) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut say = |count: usize, one: &str, is: &str, are: &str| {
        if count > 0 {
            reasons.push(format!("{} {}", amount(count as u64, one), if count == 1 { is } else { are }));
        }
    };
    let open = plan.merge.conflicts.iter().filter(|conflict| conflict.resolution.is_none()).count();
    say(open, "conflict", "needs a person", "need a person");
    let lost = plan.merge.losses.iter().filter(|loss| !loss.accepted).count();
    say(lost, "loss", "is not settled", "are not settled");
    let steps = plan.migration.steps.iter().filter(|step| step.blocks()).count();
    say(steps, "schema change", "is not compatible", "are not compatible");
    let gates = plan.gates.iter().filter(|gate| gate.state == GateState::Refused && tells_more(plan, gate));
    reasons.extend(gates.map(|gate| gate.detail.trim_end_matches('.').to_owned()));
    reasons
}
