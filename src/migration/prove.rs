//! The proof: the plan is run on a copy of the live schema, and must give what is desired.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::ahead::AHEAD_OF_CODE;
use super::desired::Desired;
use super::diff::{Adoption, Change, changes, with_defaults};
use super::error::MigrationError;
use super::spoken::Spoken;
use super::trigger::stand_in;
use super::{postgres, statement};
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::migration::Step;
use crate::model::schema::{Relation, RelationKind, Schema};
use crate::sql::Dialect;
use crate::warehouse::{
    Ledger, Owned, Routines, Scratch, Standing, Texts, WarehouseError, name, path, words,
};

/// What a try-out of the plan gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// The statements ran, gave what is declared, and every view still binds.
    Proven,
    /// It could not be tried.
    Unproven {
        /// Why.
        why: String,
    },
    /// It was tried and is wrong: such a plan is not offered.
    Failed {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven => formatter.write_str("proven"),
            Self::Unproven { why } => write!(formatter, "unproven: {why}"),
            Self::Failed { why } => write!(formatter, "failed: {why}"),
        }
    }
}

/// Runs the steps on a copy of the part of `live` that they concern.
///
/// Effects: the scratch is emptied and filled; nothing else is touched. Without statements nothing is built.
///
/// # Errors
///
/// [`MigrationError::Warehouse`] if the scratch itself fails; a plan that does not work is [`Proof::Failed`].
pub async fn prove(
    live: &Schema,
    desired: &Desired,
    ledger: &Ledger,
    steps: &[Step],
    scratch: &mut dyn Scratch,
) -> Result<Proof, MigrationError> {
    if steps.iter().all(|step| step.ddl.is_empty()) {
        return Ok(Proof::Proven);
    }
    let mut copy = Copy { live, desired, ledger, steps, scratch, texts: Texts::AsMade };
    let touched = copy.touched();
    if copy.needs_storing(&touched) {
        copy.texts = Texts::Stored;
    }
    match copy.run(&touched).await? {
        Ok(()) => Ok(Proof::Proven),
        Err(proof) => Ok(proof),
    }
}

struct Copy<'a> {
    live: &'a Schema,
    desired: &'a Desired,
    ledger: &'a Ledger,
    steps: &'a [Step],
    scratch: &'a mut dyn Scratch,
    /// Which form of the texts is looked at first.
    texts: Texts,
}

impl Copy<'_> {
    async fn run(&mut self, touched: &BTreeSet<Coordinate>) -> Result<Result<(), Proof>, MigrationError> {
        self.scratch.reset(self.texts).await?;
        for dataset in &self.live.datasets {
            self.scratch.build(&statement::create_dataset(dataset)).await?;
        }
        let views = match self.build(touched).await {
            Ok(views) => views,
            Err(why) => return Ok(Err(Proof::Unproven { why })),
        };
        let before: Vec<Coordinate> = views
            .iter()
            .filter(|view| !self.steps.iter().any(|step| step.object == view.to_string()))
            .cloned()
            .collect();
        let groups: BTreeSet<u32> =
            self.steps.iter().map(|step| step.group).filter(|group| *group != 0).collect();
        for group in groups {
            let steps = self.steps.iter().filter(|step| step.group == group);
            let ddl: Vec<String> = steps.flat_map(|step| step.ddl.clone()).collect();
            if let Err(error) = self.scratch.rehearse(&ddl).await {
                let why = said(&error);
                let untried = matches!(error, WarehouseError::Untried { .. });
                return Ok(Err(if untried { Proof::Unproven { why } } else { Proof::Failed { why } }));
            }
            // A server lets nobody take away what a view reads.
            if self.is_postgres() {
                continue;
            }
            if let Err(why) = self.bind(&before).await {
                return Ok(Err(Proof::Failed { why }));
            }
        }
        self.compare(touched).await
    }

    /// Whether the texts of what is changed surely differ before they are stored: the engine writes casts anew.
    fn needs_storing(&self, touched: &BTreeSet<Coordinate>) -> bool {
        let schema = &self.desired.schema;
        let cast = |text: &str| text.contains("CAST(");
        touched.iter().any(|object| {
            let views = schema.relations.get(object).filter(|relation| relation.kind.is_view());
            let bodies = schema.routines.get(object).into_iter().flat_map(|routine| &routine.overloads);
            views.is_some_and(|view| cast(&view.definition))
                || bodies.into_iter().any(|body| cast(&body.body))
        })
    }

    /// The objects that a step changes.
    fn touched(&self) -> BTreeSet<Coordinate> {
        let steps: BTreeSet<&str> = self.steps.iter().map(|step| step.object.as_str()).collect();
        let named = |object: &Coordinate| steps.contains(object.to_string().as_str());
        let live = self.live.names();
        let all = live.chain(self.desired.objects.keys()).chain(self.desired.dropped.keys());
        let mut found: BTreeSet<Coordinate> = all.filter(|object| named(object)).cloned().collect();
        let before = found.iter().filter_map(|object| self.desired.objects.get(object)?.renamed_from.clone());
        let before: Vec<Coordinate> = before.collect();
        found.extend(before);
        found
    }

    /// Builds what the steps concern: what they change, what reads that, and what these read.
    ///
    /// Gives the views that bind before the plan runs.
    async fn build(&mut self, touched: &BTreeSet<Coordinate>) -> Result<Vec<Coordinate>, String> {
        let mut wanted = self.concerned(touched);
        if !self.is_postgres() {
            // A default names its sequence in a string.
            let counts =
                self.live.relations.iter().filter(|(_, relation)| relation.kind == RelationKind::Sequence);
            wanted.extend(counts.map(|(sequence, _)| sequence.clone()));
        }
        self.stand_ins(&wanted).await;
        let mut waiting: Vec<(&Coordinate, Vec<String>)> = Vec::new();
        for object in &wanted {
            if self.is_postgres() {
                waiting.extend(server_copy(self.live, object));
                continue;
            }
            if let Some(relation) = self.live.relations.get(object) {
                waiting.push((object, copied(object, relation)));
            }
            if let Some(routine) = self.live.routines.get(object) {
                let routine = with_defaults(routine, self.ledger.owned.get(object));
                waiting.push((object, vec![statement::create_routine(object, &routine)]));
            }
        }
        waiting.sort_by_key(|(object, _)| {
            self.live.relations.get(*object).map_or(1, |relation| match relation.kind {
                RelationKind::Table => 0,
                RelationKind::Sequence if !self.is_postgres() => 0,
                RelationKind::View | RelationKind::MaterializedView | RelationKind::Sequence => 2,
            })
        });
        if self.is_postgres() {
            // Keys that point at other tables, and sequences that columns own, come once all tables are there.
            waiting.sort_by_key(|(_, ddl)| ddl.first().is_some_and(|sql| sql.starts_with("ALTER ")));
        }
        loop {
            let before = waiting.len();
            let mut failed = Vec::new();
            let mut words = String::new();
            for (object, ddl) in waiting {
                if let Err(error) = self.all(&ddl).await {
                    words = format!("`{object}`: {error}");
                    failed.push((object, ddl));
                }
            }
            if failed.is_empty() || failed.len() == before {
                // A view that is broken already is nobody's fault here, unless the plan is about it.
                if failed.iter().any(|(object, _)| touched.contains(*object) && !self.is_view(object)) {
                    return Err(format!("a copy of {words}"));
                }
                let missing: BTreeSet<&Coordinate> = failed.iter().map(|(object, _)| *object).collect();
                let built = wanted.iter().filter(|object| !missing.contains(object) && self.is_view(object));
                return Ok(built.cloned().collect());
            }
            waiting = failed;
        }
    }

    /// Makes something to stand in for the functions of triggers that lie where nothing is read.
    async fn stand_ins(&mut self, wanted: &BTreeSet<Coordinate>) {
        let datasets: Vec<&Dataset> = self.live.datasets.iter().chain(self.desired.datasets()).collect();
        let sides = [&self.live.relations, &self.desired.schema.relations];
        let relations = wanted.iter().flat_map(|object| sides.map(|side| side.get(object)));
        let triggers = relations.flatten().flat_map(|relation| relation.extra.triggers.values());
        for sql in triggers.flat_map(|trigger| stand_in(trigger, &datasets)) {
            // One that is there already needs nothing to stand in for it.
            drop(self.scratch.build(&sql).await);
        }
    }

    fn is_postgres(&self) -> bool {
        self.desired.dialect == Dialect::Postgres
    }

    fn is_view(&self, object: &Coordinate) -> bool {
        self.live.relations.get(object).is_some_and(|relation| relation.kind == RelationKind::View)
    }

    async fn all(&mut self, ddl: &[String]) -> Result<(), String> {
        for sql in ddl {
            self.scratch.build(sql).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn concerned(&self, touched: &BTreeSet<Coordinate>) -> BTreeSet<Coordinate> {
        let lower = |object: &Coordinate| object.name.to_lowercase();
        let (live, mut texts) = (self.live, BTreeMap::new());
        for (object, relation) in &live.relations {
            texts.insert(object, Spoken::new([relation.definition.as_str()]));
        }
        for (object, named) in &live.types {
            texts.insert(object, Spoken::new([named.definition.as_str()]));
        }
        for (object, routine) in &live.routines {
            let bodies = routine.overloads.iter().map(|overload| overload.body.as_str());
            texts.insert(object, Spoken::new(bodies));
        }
        let mut found: BTreeSet<Coordinate> = touched.clone();
        let mut names: BTreeSet<String> = touched.iter().map(lower).collect();
        while !names.is_empty() {
            let readers = texts.iter().filter(|(object, spoken)| {
                !found.contains(**object) && names.iter().any(|name| spoken.has(name))
            });
            let readers: Vec<&Coordinate> = readers.map(|(object, _)| *object).collect();
            names = readers.iter().map(|object| lower(object)).collect();
            found.extend(readers.into_iter().cloned());
        }
        let declared = touched.iter().filter_map(|object| self.desired.objects.get(object)?.sql.as_deref());
        let mut read: BTreeSet<String> = declared.flat_map(words).collect();
        // The function of a new trigger is there already, and nothing else may name it.
        let wanted = touched.iter().filter_map(|object| self.desired.schema.relations.get(object));
        let triggers = wanted.flat_map(|relation| relation.extra.triggers.values());
        read.extend(triggers.flat_map(|trigger| words(trigger)));
        let spoken = found.iter().filter_map(|object| texts.get(object));
        read.extend(spoken.flat_map(Spoken::words).cloned());
        let named: Vec<(String, &Coordinate)> = texts.keys().map(|object| (lower(object), *object)).collect();
        loop {
            let more = named.iter().filter(|(name, object)| !found.contains(*object) && read.contains(name));
            let more: Vec<&Coordinate> = more.map(|(_, object)| *object).collect();
            if more.is_empty() {
                return found;
            }
            let spoken = more.iter().filter_map(|object| texts.get(*object));
            read.extend(spoken.flat_map(Spoken::words).cloned());
            found.extend(more.into_iter().cloned());
        }
    }

    /// Binds the views that the plan does not change itself: the engine only notices when they are read.
    async fn bind(&mut self, views: &[Coordinate]) -> Result<(), String> {
        for view in views {
            let Err(error) = self.scratch.columns(&format!("SELECT * FROM {}", path(view))).await else {
                continue;
            };
            let name = view.to_string();
            let acknowledged = self.steps.iter().any(|step| {
                let named = step.affected.iter().any(|affected| affected.object == name);
                named && step.allow.is_some()
            });
            let managed = self.desired.objects.contains_key(view);
            if managed || !acknowledged {
                return Err(format!("view `{name}` would break: {error}"));
            }
        }
        Ok(())
    }

    /// Reads the copy and looks for what still differs.
    async fn compare(&mut self, touched: &BTreeSet<Coordinate>) -> Result<Result<(), Proof>, MigrationError> {
        let foreign: BTreeSet<String> = self
            .steps
            .iter()
            .filter(|step| step.ddl.is_empty() && step.code == "not-ours")
            .map(|step| step.object.clone())
            .collect();
        let wanted = |object: &Coordinate| touched.contains(object) && !foreign.contains(&object.to_string());
        let routine = |object: &Coordinate| {
            self.live.routines.contains_key(object) || self.desired.schema.routines.contains_key(object)
        };
        let routines = if touched.iter().any(routine) { Routines::All } else { Routines::Unasked };
        let desired = self.desired.only(wanted);
        let owned = desired.objects.keys().chain(desired.dropped.keys()).map(|object| {
            let owned = Owned {
                kind: String::new(),
                standing: Standing::Orphaned,
                plan_id: String::new(),
                source_hash: String::new(),
                definition: definition(&desired.schema, object),
            };
            (object.clone(), owned)
        });
        let ledger = Ledger { owned: owned.collect(), ..Ledger::default() };
        let mut datasets: BTreeSet<Dataset> = self.desired.datasets().iter().cloned().collect();
        datasets.extend(touched.iter().map(|object| object.dataset.clone()));
        let datasets: Vec<Dataset> = datasets.into_iter().collect();
        let mut why = String::new();
        let looks: &[Texts] = match self.texts {
            Texts::AsMade => &[Texts::AsMade, Texts::Stored],
            Texts::Stored => &[Texts::Stored],
        };
        for &texts in looks {
            let actual = self.scratch.schema(&datasets, routines, texts).await?.only(wanted);
            let left = changes(&actual, &desired, &ledger, &Adoption::default());
            // What is refused for good has no statements; it is still there.
            let left = left.iter().find(|change| {
                let stays = matches!(change, Change::ForeignTrigger { .. });
                !stays && !self.refused(change) && !self.is_uncopied(change)
            });
            let Some(change) = left else { return Ok(Ok(())) };
            why = format!("it would not give what is declared: {change:?}");
        }
        Ok(Err(Proof::Failed { why }))
    }

    /// Whether a difference is only that a copy does not have what no change is planned for.
    fn is_uncopied(&self, change: &Change) -> bool {
        let Change::NotPlanned { object, .. } = change else { return false };
        let features =
            |schema: &Schema| schema.relations.get(object).map(|relation| relation.extra.features.clone());
        features(self.live) == features(&self.desired.schema)
    }

    fn refused(&self, change: &Change) -> bool {
        change.object().is_some_and(|object| {
            let name = object.to_string();
            let stays = |step: &Step| {
                let column =
                    if let Change::DropColumn { column, .. } = change { Some(&column.name) } else { None };
                let lessens = column.is_some() || matches!(change, Change::ChangeView(_));
                lessens && step.code == AHEAD_OF_CODE && step.column.as_ref() == column
            };
            let refused = |step: &Step| step.blocks() && step.allow.is_none();
            self.steps.iter().any(|step| step.object == name && (refused(step) || stays(step)))
        })
    }
}

/// Says which statement the engine rejects.
fn said(error: &WarehouseError) -> String {
    if let WarehouseError::Statement { sql, message, .. } = error {
        return format!("`{sql}`: {message}");
    }
    if let WarehouseError::Untried { sql, .. } = error {
        return format!("`{sql}`: {error}");
    }
    error.to_string()
}

/// The statements that build a copy of a live relation, without rows.
fn copied(object: &Coordinate, relation: &Relation) -> Vec<String> {
    let mut ddl = match relation.kind {
        RelationKind::Table => vec![statement::create_table(object, relation)],
        RelationKind::View | RelationKind::MaterializedView => {
            return statement::create_view(object, relation, false);
        }
        RelationKind::Sequence => return vec![statement::create_sequence(object)],
    };
    ddl.extend(relation.indexes.values().cloned());
    ddl.extend(statement::comments(object, relation));
    ddl
}

/// The statements that build a copy of a live object on a server.
fn server_copy<'a>(live: &'a Schema, object: &'a Coordinate) -> Vec<(&'a Coordinate, Vec<String>)> {
    if let Some(relation) = live.relations.get(object) {
        return server_relation(object, relation);
    }
    let mut found = Vec::new();
    if let Some(routine) = live.routines.get(object) {
        found.push((object, postgres::create_routine(object, routine)));
    }
    if let Some(named) = live.types.get(object) {
        found.push((object, postgres::create_type(object, named)));
    }
    found
}

/// The same for a relation: what needs all tables to be there is apart.
fn server_relation<'a>(object: &'a Coordinate, relation: &'a Relation) -> Vec<(&'a Coordinate, Vec<String>)> {
    match relation.kind {
        RelationKind::Table => {
            let mut ddl = vec![postgres::create_table(object, relation)];
            ddl.extend(relation.indexes.values().cloned());
            ddl.extend(statement::comments(object, relation));
            let mut found = vec![(object, ddl)];
            let keys = relation.constraints.iter().filter(|key| key.kind == "FOREIGN KEY");
            for key in keys {
                let constraint = name(key.name.as_deref().unwrap_or_default());
                let add = format!("ADD CONSTRAINT {constraint} {}", key.definition);
                found.push((object, vec![statement::alter(object, &add)]));
            }
            // The function of a trigger may be built later; a trigger is an alteration too.
            found.extend(relation.extra.triggers.values().map(|sql| (object, vec![sql.clone()])));
            found
        }
        RelationKind::View | RelationKind::MaterializedView => {
            vec![(object, postgres::create_view(object, relation))]
        }
        RelationKind::Sequence => {
            let mut found =
                vec![(object, vec![format!("CREATE SEQUENCE {} {}", path(object), relation.definition)])];
            if let Some((owner, column)) =
                relation.extra.reads.first().and_then(|read| Some((&read.object, read.column.as_ref()?)))
            {
                let owner = statement::column_path(owner, column);
                found.push((object, vec![format!("ALTER SEQUENCE {} OWNED BY {owner}", path(object))]));
            }
            found
        }
    }
}

/// What the ledger will hold of a routine.
pub(super) fn definition(schema: &Schema, object: &Coordinate) -> Option<String> {
    schema.routines.get(object).and_then(|routine| serde_json::to_string(routine).ok())
}
