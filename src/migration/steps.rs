//! The decision: which steps lead from live to desired, judged, let through or not, grouped and in order.

use std::collections::BTreeSet;

use super::ahead::Retreat;
use super::context::{Context, Facts, count_of, counts_rows};
use super::desired::Desired;
use super::diff::{Adoption, Change, changes};
use super::lift::{lift, lifted};
use super::online::prepared;
use super::order::{AFTER_PUSH, Judged, apart, grouped, ordered};
use super::postgres;
use super::rebuild::{blocked_by_children, blocked_by_itself, rebuilt};
use super::rule;
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::{RelationKind, Schema};
use crate::sql::Dialect;
use crate::warehouse::{Inspect, Ledger, WarehouseError, same_name};

/// What was said to the plan.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Options {
    /// `--allow CODE:OBJECT[.COLUMN]`.
    pub allow: Vec<String>,
    /// `--force`.
    pub force: bool,
    /// Whether the environment forbids `--force`.
    pub forbidden: bool,
    /// `--adopt`: objects, `declared` or `all`.
    pub adopt: Vec<String>,
    /// `--prune`: what is ours and no longer declared goes.
    pub prune: bool,
}

/// The steps, and what is to be said about what was said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// In the order in which they run.
    pub steps: Vec<Step>,
    /// A `--force` that is forbidden, an `--allow` or `--adopt` that matches nothing.
    pub findings: Vec<Finding>,
}

/// Lists the steps that turn `live` into `desired`.
///
/// Pure: equal inputs give equal output. Call it once with no facts, ask the [`questions`] of its steps, and call
/// it again with the answers.
pub fn steps(live: &Schema, desired: &Desired, ledger: &Ledger, options: &Options, facts: &Facts) -> Steps {
    let adoption = Adoption { adopt: options.adopt.clone(), prune: options.prune };
    let all = changes(live, desired, ledger, &adoption);
    let (staying, others) = Retreat { live, desired, ledger, options }.apart(all.clone());
    let both = (live, desired);
    let mut judged = in_order(both, ledger, facts, others);
    let rebuilt = |step: &Step| step.mechanics == Mechanics::Rebuild;
    // A table that is built anew would lose what stays: then it is a deletion like any other.
    let kept =
        if judged.iter().any(|step| rebuilt(step) && staying.iter().any(|stays| stays.object == step.object))
        {
            judged = in_order(both, ledger, facts, all);
            Vec::new()
        } else {
            staying
        };
    judged.extend(kept);
    let findings = let_through(&mut judged, options);
    Steps { steps: judged, findings }
}

/// Judges changes and brings their steps into the order in which they run.
fn in_order(
    (live, desired): (&Schema, &Desired),
    ledger: &Ledger,
    facts: &Facts,
    changes: Vec<Change>,
) -> Vec<Step> {
    let context = Context::new(live, desired, ledger, facts);
    let postgres = desired.dialect == Dialect::Postgres;
    let mut context = if postgres { with_lifted(context, &changes) } else { context };
    let mut judged: Vec<Judged> =
        changes.into_iter().map(|change| Judged { step: rule::step(&context, &change), change }).collect();
    if postgres {
        lift(&context, &mut judged);
        let done = prepared(&context, &mut judged);
        context.prepared = done;
        written(&context, &mut judged);
    } else {
        blocked_by_children(&context, &mut judged);
        blocked_by_itself(&context, &mut judged);
        rebuilt(&context, &mut judged);
    }
    grouped(&mut judged, desired);
    together(&mut judged);
    let judged = if postgres { apart(&context, judged) } else { ordered(judged, desired) };
    let mut steps: Vec<Step> = judged.into_iter().map(|judged| judged.step).collect();
    if !postgres {
        for step in &mut steps {
            step.after_push = step.group == AFTER_PUSH;
        }
    }
    steps
}

fn with_lifted<'a>(context: Context<'a>, changes: &[Change]) -> Context<'a> {
    let lifted = lifted(&context, changes);
    context.lifting(lifted)
}

/// Writes the statements as PostgreSQL takes them; what is refused for good has none.
fn written(context: &Context<'_>, judged: &mut [Judged]) {
    for judged in judged {
        let step = &mut judged.step;
        let refused = step.settled == Verdict::Incompatible && step.allow.is_none();
        step.ddl = if refused { Vec::new() } else { postgres::statements(context, &judged.change) };
        if !refused {
            step.mechanics = postgres::mechanics(context, &judged.change, step.mechanics);
        }
    }
}

/// Keeps what belongs to one rebuilt or renamed table in one group: the later one.
fn together(judged: &mut [Judged]) {
    let renamed: BTreeSet<_> = judged
        .iter()
        .filter(|judged| judged.step.group == AFTER_PUSH)
        .filter(|judged| matches!(judged.change, Change::RenameTable { .. }))
        .filter_map(|judged| judged.change.object().cloned())
        .collect();
    for judged in judged.iter_mut() {
        let moved = judged.change.object().is_some_and(|object| renamed.contains(object));
        if moved && judged.step.group != 0 {
            judged.step.group = AFTER_PUSH;
        }
    }
    // A new index would be in the way of what changes its table later.
    let altered: BTreeSet<_> = judged
        .iter()
        .filter(|judged| judged.step.group == AFTER_PUSH)
        .filter_map(|judged| judged.change.object().cloned())
        .collect();
    for judged in judged.iter_mut().filter(|judged| judged.step.group != 0) {
        if let Change::CreateIndex { table, .. } = &judged.change
            && altered.contains(table)
        {
            judged.step.group = AFTER_PUSH;
        }
    }
    let late: BTreeSet<_> =
        judged.iter().filter(|judged| judged.step.group == AFTER_PUSH).flat_map(made_or_moved).collect();
    for judged in judged.iter_mut() {
        let (Some(object), Some(column)) = (judged.change.object(), &judged.step.column) else { continue };
        if judged.step.group != 0 && late.contains(&(object.clone(), column.to_lowercase())) {
            judged.step.group = AFTER_PUSH;
        }
    }
}

/// The column that a step makes, renames or retypes: others on it can only follow, and so can a new one under the
/// name that it leaves.
fn made_or_moved(judged: &Judged) -> Vec<(Coordinate, String)> {
    let column = judged.step.column.as_deref();
    let (table, left) = if let Change::RenameColumn { table, from, .. } = &judged.change {
        (table, Some(from.as_str()))
    } else if let Change::RetypeColumn { table, .. } | Change::AddColumn { table, .. } = &judged.change {
        (table, None)
    } else {
        return Vec::new();
    };
    column.into_iter().chain(left).map(|column| (table.clone(), column.to_lowercase())).collect()
}

/// Marks the steps that were let through, and says what was said in vain.
fn let_through(steps: &mut [Step], options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    if options.force && options.forbidden {
        findings.push(
            Finding::error("force-forbidden", "this environment forbids `--force`")
                .hint("let single changes through with `--allow CODE:OBJECT`"),
        );
    }
    let forced = options.force && !options.forbidden;
    for step in steps.iter_mut().filter(|step| step.allow.is_some()) {
        step.allowed = forced || options.allow.iter().any(|said| names(said, step));
    }
    for said in &options.allow {
        if !steps.iter().any(|step| step.allow.is_some() && names(said, step)) {
            let possible: Vec<&str> = steps.iter().filter_map(|step| step.allow.as_deref()).collect();
            let finding = Finding::warning("allow-unused", format!("`--allow {said}` lets nothing through"));
            let hint = if possible.is_empty() {
                "leave it out: nothing stands in the way that it could let through".to_owned()
            } else {
                format!("what could be let through: {}", possible.join(", "))
            };
            findings.push(finding.hint(hint));
        }
    }
    findings
}

/// Whether `--allow` means this step: its object, or just the column.
fn names(said: &str, step: &Step) -> bool {
    let Some((code, subject)) = said.split_once(':') else { return false };
    code == step.code && (same_name(subject, &step.object) || same_name(subject, &step.subject()))
}

/// Gives the questions to the data that the steps depend on: their probes, and how many rows their tables have.
pub fn questions(live: &Schema, steps: &[Step]) -> Vec<String> {
    let weighs = |step: &&Step| matches!(step.verdict, Verdict::Incompatible | Verdict::NeedsDataCheck);
    let weighed: BTreeSet<&str> = steps.iter().filter(weighs).map(|step| step.object.as_str()).collect();
    let mut found: BTreeSet<String> =
        steps.iter().filter_map(|step| step.probe.as_ref()).map(|probe| probe.sql.clone()).collect();
    if !weighed.is_empty() {
        let tables = live.relations.iter().filter(|(_, relation)| relation.kind == RelationKind::Table);
        let counted = tables.filter(|(name, _)| weighed.contains(name.to_string().as_str()));
        found.extend(counted.map(|(name, _)| count_of(name)));
    }
    found.into_iter().collect()
}

/// Asks the questions, all in one go; where one of them fails, only how many rows there are.
///
/// Shape: what is not answered within its time is left out, and why is said.
///
/// # Errors
///
/// [`WarehouseError::Statement`] if not even that can be asked.
pub async fn facts(inspect: &mut dyn Inspect, questions: Vec<String>) -> Result<Facts, WarehouseError> {
    let (questions, answers, why) = match inspect.counts(&questions).await {
        Ok(answers) => (questions, answers, None),
        Err(error @ WarehouseError::TooLong { .. }) => (Vec::new(), Vec::new(), Some(error)),
        Err(error @ WarehouseError::Statement { .. }) => {
            let rows: Vec<String> = questions.into_iter().filter(|sql| counts_rows(sql)).collect();
            let answers = inspect.counts(&rows).await?;
            (rows, answers, Some(error))
        }
        Err(error) => return Err(error),
    };
    let unanswered = why.map(|error| error.to_string());
    Ok(Facts { answers: questions.into_iter().zip(answers).collect(), unanswered })
}

/// Asks for the keys of up to three rows that stand in the way of each step, all in one go.
///
/// Shape: steps without such rows, or without a question for them, stay as they are; so do all where it takes too long.
///
/// # Errors
///
/// [`WarehouseError`] if the warehouse is gone.
pub async fn samples(inspect: &mut dyn Inspect, steps: &mut [Step]) -> Result<(), WarehouseError> {
    let probes = || steps.iter().filter_map(|step| step.probe.as_ref()?.sample_sql.clone());
    let questions: Vec<String> = probes().collect();
    let answers = match inspect.texts(&questions).await {
        Ok(answers) => answers,
        Err(WarehouseError::TooLong { .. } | WarehouseError::Statement { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let asked =
        steps.iter_mut().filter_map(|step| step.probe.as_mut()).filter(|probe| probe.sample_sql.is_some());
    for (probe, answer) in asked.zip(answers) {
        probe.sample = answer;
    }
    Ok(())
}
