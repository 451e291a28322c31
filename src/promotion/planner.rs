//! Somebody else's planner: asked for its plan in the merged tree, asked again before it is applied, and told to apply.
//!
//! What it prints is judged like everything that comes from outside: an answer that is no plan, a failure, a hang and
//! a plan that differs at the time of applying are refused with its own words. Its words are masked.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{self, Mask, Resolved};
use crate::migration::Half;
use crate::model::environment::Warehouse;
use crate::model::migration::{
    Affected, Mechanics, Migration, MigrationState, MigrationTarget, Step, Verdict,
};
use crate::model::plan::Acknowledgements;
use crate::model::planner::{
    PLANNER_FORMAT, Planner, PlannerAction, PlannerAnswer, PlannerRequest, PlannerStep,
};
use crate::model::record::{AppliedMigration, Entry};
use crate::warehouse::{self, Call, Interrupt, Said, WarehouseError};

use super::digest::digest;
use super::error::PromotionError;
use super::folder::Folder;
use super::known::Known;
use super::request::Ports;
use super::schema::{Applying, SchemaPlan, Subject};

/// How many lines of its talk are kept.
const LINES: usize = 40;

/// A planner that has answered.
pub(super) struct Planning {
    subject: Subject,
    mask: Mask,
    commands: Commands,
    folder: Folder,
    variables: BTreeMap<String, String>,
    request: PlannerRequest,
    answer: PlannerAnswer,
    /// As they are shown and recorded.
    steps: Vec<Step>,
    done: Cell<bool>,
}

struct Commands {
    plan: String,
    apply: String,
    timeout: Duration,
}

/// What a planner said, as far as it was understood.
struct Heard {
    answer: PlannerAnswer,
    refused: Option<String>,
    output: Vec<String>,
}

/// Has the environment's planner plan; nothing is changed.
///
/// # Errors
///
/// [`PromotionError::Warehouse`] if it fails, hangs or prints what is no plan, with its words.
pub(super) async fn plan(
    resolved: &Resolved,
    folder: Folder,
    said: &Acknowledgements,
    ports: &mut Ports<'_>,
) -> Result<SchemaPlan, PromotionError> {
    let subject = Subject::of(resolved)?;
    let Warehouse::Command { plan, apply, timeout } = &subject.warehouse else {
        return Ok(SchemaPlan::off("the environment's warehouse is no command"));
    };
    let commands = Commands { plan: plan.clone(), apply: apply.clone(), timeout: *timeout };
    let request = request(resolved, &subject, said);
    let variables = variables(resolved, ports.variables);
    let secret = variables.iter().filter(|(name, _)| config::is_secret_name(name));
    let mut mask = subject.mask.clone();
    mask.extend(Mask::new(secret.map(|(_, value)| value.clone())));
    let empty = PlannerAnswer {
        format: PLANNER_FORMAT,
        summary: None,
        state: None,
        proven: false,
        steps: Vec::new(),
    };
    let mut planning = Planning {
        subject,
        mask,
        commands,
        folder,
        variables,
        request,
        answer: empty,
        steps: Vec::new(),
        done: Cell::new(false),
    };
    let heard = planning.ask(ports).await?;
    planning.answer = heard.answer;
    planning.steps = planning.steps(said);
    Ok(planning.shown(heard.refused, heard.output))
}

fn request(resolved: &Resolved, subject: &Subject, said: &Acknowledgements) -> PlannerRequest {
    let settings = resolved.effective.root.iter().filter(|(_, value)| !value.is_unset());
    PlannerRequest {
        format: PLANNER_FORMAT,
        action: PlannerAction::Plan,
        environment: subject.name.clone(),
        dataset: subject.dataset.to_string(),
        plan_id: None,
        allow: said.allow.clone(),
        force: said.force,
        settings: settings.map(|(key, value)| (key.clone(), value.value.clone())).collect(),
        plan: None,
    }
}

/// The process's variables, and those that the project's `env` sets in this environment.
fn variables(resolved: &Resolved, process: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut variables = process.clone();
    for (key, value) in &resolved.effective.root {
        if let (Some(name), Some(text)) = (key.strip_prefix("env."), value.value.as_str()) {
            variables.insert(name.to_owned(), text.to_owned());
        }
    }
    variables
}

impl Planning {
    /// Runs a command of it.
    async fn call(
        &self,
        command: &str,
        request: &PlannerRequest,
        ports: &Ports<'_>,
    ) -> Result<Said, PromotionError> {
        let request = serde_json::to_string(request).expect("a request has string keys only");
        let folder = self.folder.path();
        let call = Call {
            command,
            folder: &folder,
            variables: &self.variables,
            request: &request,
            timeout: self.commands.timeout,
            interrupt: &Interrupt::clone(&ports.interrupted),
        };
        warehouse::call(&call).await.map_err(|error| self.failed(error))
    }

    /// An error of it, with nothing secret in it.
    fn failed(&self, error: WarehouseError) -> PromotionError {
        let WarehouseError::Planner { command, message } = error else { return self.subject.failed(error) };
        let (command, message) = (self.mask.text(&command), self.mask.text(&message));
        let error = WarehouseError::Planner { command, message };
        self.subject.failed(error)
    }

    fn wrong(&self, command: &str, message: &str, talk: &str) -> PromotionError {
        let talk = if talk.is_empty() { String::new() } else { format!(": {}", lines(talk).join("\n")) };
        let message = format!("{message}{talk}");
        self.failed(WarehouseError::Planner { command: command.to_owned(), message })
    }

    /// Asks for the plan.
    async fn ask(&self, ports: &mut Ports<'_>) -> Result<Heard, PromotionError> {
        let command = &self.commands.plan;
        ports.begins(format!("{} plans", self.mask.text(command)));
        let said = self.call(command, &self.request, ports).await;
        ports.ends();
        let said = said?;
        let answer = || -> Result<PlannerAnswer, PromotionError> {
            let broken =
                |why: String| self.wrong(command, &format!("printed what is no plan: {why}"), &said.talk);
            let answer: PlannerAnswer =
                serde_json::from_str(&said.product).map_err(|error| broken(error.to_string()))?;
            faults(&answer).map_or(Ok(answer), |why| Err(broken(why)))
        };
        let output = lines(&self.mask.text(&said.talk));
        match said.status {
            Some(0) => Ok(Heard { answer: answer()?, refused: None, output }),
            Some(1) => {
                let words = output.last().cloned();
                let refused = Some(words.unwrap_or_else(|| "it says no, and nothing else".to_owned()));
                let answer = if said.product.trim().is_empty() { self.answer.clone() } else { answer()? };
                Ok(Heard { answer, refused, output })
            }
            Some(status) => Err(self.wrong(command, &format!("failed with status {status}"), &said.talk)),
            None => Err(self.wrong(command, "was ended by a signal", &said.talk)),
        }
    }

    /// The steps as everything else knows them: what one lets through comes after the push, and with it the rest,
    /// because a planner applies its plan as a whole.
    fn steps(&self, said: &Acknowledgements) -> Vec<Step> {
        let forced = said.force && self.subject.force == crate::model::environment::Force::Allowed;
        let mut steps: Vec<Step> = self.answer.steps.iter().map(|one| self.step(one, said, forced)).collect();
        let late = steps.iter().any(Step::forced);
        for step in steps.iter_mut().filter(|step| step.group != 0) {
            (step.after_push, step.group) = (late, if late { 2 } else { 1 });
        }
        steps
    }

    fn step(&self, one: &PlannerStep, said: &Acknowledgements, forced: bool) -> Step {
        let runs = one.verdict != Verdict::Notice || !one.ddl.is_empty();
        let stands = matches!(one.verdict, Verdict::Incompatible | Verdict::NeedsDataCheck);
        let subject = one
            .column
            .as_ref()
            .map_or_else(|| one.object.clone(), |column| format!("{}.{column}", one.object));
        let token = format!("{}:{subject}", one.code);
        let ddl = match (runs, one.ddl.is_empty()) {
            (false, _) => Vec::new(),
            (true, true) => vec![self.commands.apply.clone()],
            (true, false) => one.ddl.clone(),
        };
        let affected = one.affected.iter().map(|object| Affected {
            object: object.clone(),
            managed: false,
            place: None,
            through: None,
        });
        Step {
            code: one.code.clone(),
            object: one.object.clone(),
            column: one.column.clone(),
            verdict: one.verdict,
            settled: one.verdict,
            mechanics: Mechanics::None,
            group: u32::from(runs),
            after_push: false,
            ddl,
            reason: one.reason.clone(),
            affected: affected.collect(),
            recipe: one.recipe.clone(),
            way: Vec::new(),
            probe: None,
            allowed: stands && (forced || said.allow.contains(&token)),
            allow: stands.then_some(token),
            place: None,
        }
    }

    fn shown(self, refused: Option<String>, output: Vec<String>) -> SchemaPlan {
        let command = self.mask.text(&self.commands.plan);
        let proof = if self.answer.proven {
            format!("proven, says `{command}`")
        } else {
            format!("unproven: `{command}` does not say that it tried its plan")
        };
        let answer = serde_json::to_string(&self.answer).expect("an answer has string keys only");
        let migration = Migration {
            state: MigrationState::Known,
            target: Some(MigrationTarget {
                warehouse: self.mask.text(&self.subject.words()),
                ..self.subject.target()
            }),
            note: None,
            compatible: refused.is_none() && !self.steps.iter().any(Step::blocks),
            fingerprint: Some(digest(&answer)),
            proof: Some(proof),
            drift: Vec::new(),
            planner: Some(Planner {
                command,
                summary: self.answer.summary.as_ref().map(|text| self.mask.text(text)),
                refused,
                output,
            }),
            steps: self.steps.clone(),
        };
        SchemaPlan { migration, findings: Vec::new(), known: Some(Known::Planner(Box::new(self))) }
    }

    /// Whether a half has anything to run.
    pub(super) fn has(&self, half: Half) -> bool {
        let late = half == Half::AfterPush;
        self.steps.iter().any(|step| !step.ddl.is_empty() && step.after_push == late)
    }

    /// Has it plan again, and apply the plan if it is the same.
    pub(super) async fn apply(
        &self,
        applying: &Applying<'_>,
        half: Half,
        ports: &mut Ports<'_>,
    ) -> Result<bool, PromotionError> {
        if !self.has(half) {
            return Ok(false);
        }
        let command = self.mask.text(&self.commands.plan);
        let again = self.ask(ports).await?;
        if again.refused.is_some() || again.answer != self.answer {
            let words =
                again.refused.or(again.answer.summary).map_or_else(String::new, |words| format!(": {words}"));
            let words = self.mask.text(&words);
            return Err(PromotionError::Stale { what: format!("`{command}` plans differently now{words}") });
        }
        let request = PlannerRequest {
            action: PlannerAction::Apply,
            plan_id: Some(applying.plan_id.to_owned()),
            plan: Some(self.answer.clone()),
            ..self.request.clone()
        };
        let command = &self.commands.apply;
        ports.begins(format!("{} applies", self.mask.text(command)));
        let said = self.call(command, &request, ports).await;
        ports.ends();
        let said = said?;
        match said.status {
            Some(0) => {
                self.done.set(true);
                for line in lines(&self.mask.text(&said.talk)) {
                    ports.says(line);
                }
                Ok(true)
            }
            Some(status) => Err(self.wrong(command, &format!("failed with status {status}"), &said.talk)),
            None => Err(self.wrong(command, "was ended by a signal", &said.talk)),
        }
    }

    /// Gives the record that goes before its statements: it keeps none itself.
    pub(super) fn begun(&self, applying: &Applying<'_>, ports: &Ports<'_>) -> Option<Entry> {
        self.has(Half::BeforePush).then(|| Entry::Followed {
            plan_id: applying.plan_id.to_owned(),
            what: "migrating".to_owned(),
            detail: format!("`{}` is told to apply its plan", self.mask.text(&self.commands.apply)),
            migrations: vec![applied(applying, ports)],
        })
    }

    /// Gives what it applied.
    pub(super) fn recorded(&self, applying: &Applying<'_>, ports: &Ports<'_>) -> Vec<AppliedMigration> {
        if self.done.get() { vec![applied(applying, ports)] } else { Vec::new() }
    }
}

/// What it applies, as it is recorded.
fn applied(applying: &Applying<'_>, ports: &Ports<'_>) -> AppliedMigration {
    AppliedMigration {
        plan_id: applying.plan_id.to_owned(),
        at: ports.now.to_string(),
        by: applying.by.to_owned(),
        steps: applying.migration.steps.clone(),
        acknowledgements: applying.said.clone(),
    }
}

/// Says what is wrong with an answer, if anything is.
fn faults(answer: &PlannerAnswer) -> Option<String> {
    if answer.format != PLANNER_FORMAT {
        return Some(format!("its format is {}, and this is format {PLANNER_FORMAT}", answer.format));
    }
    let kebab = |code: &str| {
        !code.is_empty()
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let bad = answer.steps.iter().position(|step| !kebab(&step.code) || step.object.trim().is_empty());
    bad.map(|index| format!("step {} has no kebab-case `code`, or no `object`", index + 1))
}

/// The last lines of a talk.
fn lines(talk: &str) -> Vec<String> {
    let all: Vec<&str> = talk.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    all[all.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned()).collect()
}
