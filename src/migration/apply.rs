//! Carrying out the steps: each half in one transaction, with what is to be remembered of it.

use std::collections::{BTreeMap, BTreeSet};

use super::ahead::mark;
use super::desired::Desired;
use super::error::MigrationError;
use super::prove::definition;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::migration::{Probe, Step, Verdict};
use crate::model::plan::Acknowledgements;
use crate::warehouse::{Execute, Guard, Intent, Ledger, Mark, Owned, Ownership, Standing};

/// Which half of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Half {
    /// Compatible steps.
    BeforePush,
    /// Forced steps, and what needs them.
    AfterPush,
}

/// A plan on its way into the warehouse.
#[derive(Clone)]
pub struct Application<'a> {
    /// What is declared.
    pub desired: &'a Desired,
    /// What was recorded before.
    pub ledger: &'a Ledger,
    /// All steps of the plan, as they run.
    pub steps: &'a [Step],
    /// The same steps as they are shown and recorded: without secrets.
    pub shown: &'a [Step],
    /// The plan.
    pub plan_id: &'a str,
    /// When, RFC 3339, UTC.
    pub at: &'a str,
    /// Who: `Name <mail>`.
    pub by: &'a str,
    /// What was said to the plan.
    pub acknowledgements: &'a Acknowledgements,
    /// Told of every group that is committed, with its number.
    pub committed: &'a dyn Fn(u32),
    /// Datasets and fingerprint of the live schema that the plan was made for; none: not checked.
    pub planned_for: Option<(&'a [Dataset], &'a str)>,
}

impl Application<'_> {
    /// Applies one half; gives whether there was anything to do.
    ///
    /// Effects: group by group, all statements of one and its record in one transaction, or nothing of it; a second
    /// run finishes what a broken one has left. The schema is checked
    /// against the plan in the same transaction, before the first half that has statements.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Warehouse`] with what the warehouse said; nothing of the half is left then.
    pub async fn apply(&self, execute: &mut dyn Execute, half: Half) -> Result<bool, MigrationError> {
        let Some(whole) = self.intent(half) else { return Ok(false) };
        let groups: BTreeSet<u32> =
            whole.steps.iter().map(|step| step.group).filter(|group| *group != 0).collect();
        let groups: Vec<u32> = if groups.is_empty() { vec![0] } else { groups.into_iter().collect() };
        for (index, group) in groups.iter().enumerate() {
            let running = self.steps.iter().filter(|step| step.group == *group);
            let statements: Vec<String> = running.flat_map(|step| step.ddl.clone()).collect();
            // What runs in no group is recorded with the first; what a group makes is ours before it is made.
            let of_group = |step: &Step| step.group == *group || (step.group == 0 && index == 0);
            let steps: Vec<Step> = whole.steps.iter().filter(|step| of_group(step)).cloned().collect();
            let first = index == 0;
            let intent = Intent {
                owned: if first { whole.owned.clone() } else { Vec::new() },
                disowned: self.disowned(&steps),
                applied: self.marks(&whole, *group, first),
                guard: if first { whole.guard.clone() } else { Guard::default() },
                steps,
                ..whole.clone()
            };
            execute.apply(&statements, &intent).await?;
            (self.committed)(*group);
        }
        Ok(true)
    }

    fn is_of(step: &Step, half: Half) -> bool {
        step.after_push == (half == Half::AfterPush)
    }

    /// What a half runs and remembers; none where there is nothing to do.
    pub fn intent(&self, half: Half) -> Option<Intent> {
        let of_half = |steps: &[Step]| -> Vec<Step> {
            steps.iter().filter(|step| Self::is_of(step, half)).cloned().collect()
        };
        let (running, steps) = (of_half(self.steps), of_half(self.shown));
        let runs =
            |step: &Step| !step.ddl.is_empty() || matches!(step.code.as_str(), "adopt-object" | "orphan");
        if !steps.iter().any(runs) {
            return None;
        }
        let guard = self.guard(half, &running);
        Some(Intent {
            dataset: self.desired.dataset.clone()?,
            plan_id: self.plan_id.to_owned(),
            at: self.at.to_owned(),
            by: self.by.to_owned(),
            acknowledgements: self.acknowledgements.clone(),
            owned: self.owned(half),
            disowned: self.disowned(&steps),
            applied: Vec::new(),
            steps,
            guard,
        })
    }

    /// What objects are once a group has run: those that no later group changes again.
    fn marks(&self, whole: &Intent, group: u32, first: bool) -> Vec<Mark> {
        let mut last: BTreeMap<&str, u32> = BTreeMap::new();
        for step in self.steps.iter().filter(|step| !step.ddl.is_empty()) {
            let group = last.entry(&step.object).or_default();
            *group = step.group.max(*group);
        }
        let owned = |object: &Coordinate| first && whole.owned.iter().any(|row| row.object == *object);
        let due = |object: &Coordinate| match last.get(object.to_string().as_str()) {
            Some(its) => *its == group,
            None => owned(object),
        };
        let declared = self.desired.objects.iter().filter(|(object, _)| due(object));
        declared
            .filter_map(|(object, managed)| {
                mark(self.desired, self.ledger, self.steps, (object, &managed.source_hash))
            })
            .collect()
    }

    fn guard(&self, half: Half, steps: &[Step]) -> Guard {
        let earlier = |step: &Step| !step.after_push && !step.ddl.is_empty();
        let first = half == Half::BeforePush || !self.steps.iter().any(earlier);
        let (datasets, fingerprint) = match self.planned_for {
            Some((datasets, fingerprint)) if first => (datasets.to_vec(), fingerprint.to_owned()),
            _ => (Vec::new(), String::new()),
        };
        // What the data decided is asked again; what was let through knowingly is not.
        let decided = steps.iter().filter(|step| step.verdict == Verdict::NeedsDataCheck && !step.allowed);
        let probes = decided.filter_map(|step| step.probe.clone()).filter(|probe| probe.rows == Some(0));
        let probes: Vec<Probe> = if first { probes.collect() } else { Vec::new() };
        Guard { datasets, fingerprint, probes }
    }

    /// Ownership that is written with a half: that of objects which only the other half makes waits for it.
    fn owned(&self, half: Half) -> Vec<Ownership> {
        let late: BTreeSet<&str> =
            self.steps.iter().filter(|step| step.after_push).map(|step| step.object.as_str()).collect();
        let declared = self
            .desired
            .objects
            .iter()
            .filter(|(object, _)| half == Half::AfterPush || !late.contains(object.to_string().as_str()));
        let mut rows: Vec<Ownership> = declared
            .map(|(object, managed)| {
                let before = self.ledger.owned.get(object);
                let plan_id = before.map_or_else(|| self.plan_id.to_owned(), |owned| owned.plan_id.clone());
                let owned = Owned {
                    kind: self.kind(object).to_owned(),
                    standing: Standing::Managed,
                    plan_id,
                    source_hash: managed.source_hash.clone(),
                    definition: definition(&self.desired.schema, object),
                };
                Ownership { object: object.clone(), owned }
            })
            .filter(|row| self.ledger.owned.get(&row.object) != Some(&row.owned))
            .collect();
        for step in self.steps.iter().filter(|step| step.code == "orphan") {
            let known = self.ledger.owned.iter().find(|(object, _)| object.to_string() == step.object);
            if let Some((object, owned)) = known {
                let owned = Owned { standing: Standing::Orphaned, ..owned.clone() };
                rows.push(Ownership { object: object.clone(), owned });
            }
        }
        rows
    }

    fn kind(&self, object: &Coordinate) -> &'static str {
        use crate::model::schema::RelationKind;
        match self.desired.schema.relations.get(object).map(|relation| relation.kind) {
            Some(RelationKind::Table) => "table",
            Some(RelationKind::View) => "view",
            Some(RelationKind::MaterializedView) => "materialized view",
            Some(RelationKind::Sequence) => "sequence",
            None if self.desired.schema.types.contains_key(object) => "type",
            None => "routine",
        }
    }

    /// Objects that a step drops or renames away.
    fn disowned(&self, steps: &[Step]) -> Vec<Coordinate> {
        let ran = |name: &str, codes: &[&str]| {
            steps.iter().any(|step| step.object == name && codes.contains(&step.code.as_str()))
        };
        let codes = ["drop-table", "drop-view", "drop-routine", "drop-sequence", "drop-type"];
        let known = self.ledger.owned.keys().chain(self.desired.dropped.keys());
        let dropped = known.filter(|object| ran(&object.to_string(), &codes));
        let renamed = self.desired.objects.iter().filter_map(|(object, managed)| {
            let from = managed.renamed_from.as_ref()?;
            ran(&object.to_string(), &["rename-table", "rename-sequence"]).then_some(from)
        });
        dropped.chain(renamed).cloned().collect()
    }
}
