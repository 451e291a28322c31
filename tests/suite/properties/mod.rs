//! Random schemas and random edits of them, on the real engines. What is planned converges and a second plan is
//! empty; what is called compatible loses nothing and leaves old readers and old writers as they were; planning and
//! refusing leave no trace, a stale plan does nothing, what is not ours stays as it is; neither the order of files nor
//! what is remembered from earlier plans makes a difference; what stopped half-way is finished by a second run.
//!
//! `PROMOTE_PROPERTIES=DUCKDB,POSTGRES` says how many cases each engine gets, `PROMOTE_SEED` names one of them, or `FROM..TO`.

mod held;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use promote::migration::{
    Application, Body, Declared, DeclaredColumn, DeclaredObject, Described, Forgetful, Half, Memory,
    MigrationError, Opening, Options, Planned, Proof, plan,
};
use promote::model::coordinate::Dataset;
use promote::model::environment::Warehouse;
use promote::model::migration::{Step, Verdict};
use promote::model::origin::Place;
use promote::model::plan::Acknowledgements;
use promote::model::schema::Schema;
use promote::sql::Dialect;
use promote::warehouse::{Files, Ledger, Reach, WarehouseError};

use super::support::server::server;
use held::{Held, Pool};
use world::{
    Column, Dice, Table, World, awkward, edit, mend, objects, placed, quoted, reads, rows, world, writes,
};

/// Where cases are tried.
struct Engine {
    dialect: Dialect,
    warehouse: Warehouse,
    runtime: tokio::runtime::Runtime,
    memory: RefCell<Remembering>,
    held: Held,
    pool: Pool,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Came {
    Applied,
    Unproven,
    Refused,
    FailedProof,
}

impl Engine {
    fn new(dialect: Dialect, warehouse: Warehouse, pool: Pool) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let held = Held::new(warehouse.clone());
        Self { dialect, warehouse, runtime, memory: RefCell::default(), held, pool }
    }

    fn own() -> Dataset {
        Dataset::new("analytics")
    }

    fn declared(&self, world: &World, order: Order) -> Declared {
        let mut line = 1;
        let mut object = |sql: &String| {
            // Names without a dataset are the project's to place; here that is done by hand.
            let names = world.tables.keys().chain(world.views.keys()).chain(world.routines.keys());
            let placed = names.fold(sql.clone(), |text, name| placed(&text, name));
            let place = Place::at("schema/all.sql", line, 1);
            line += u32::try_from(sql.lines().count()).unwrap();
            let table =
                world.tables.iter().find(|(name, _)| sql.starts_with(&format!("CREATE TABLE {name} ")));
            let described = table.filter(|(_, table)| table.described);
            DeclaredObject {
                columns: table.map(|(_, table)| self.properties(table)).unwrap_or_default(),
                described: described
                    .map(|(name, _)| Described { file: "schema/all.yml".to_owned(), name: name.clone() }),
                ..DeclaredObject::new(None, Body::Ddl { sql: placed }, place)
            }
        };
        let texts = objects(self.dialect, world);
        let mut objects: Vec<DeclaredObject> = texts.iter().map(&mut object).collect();
        match order {
            Order::AsWritten => {}
            Order::Backwards => objects.reverse(),
        }
        Declared {
            dataset: Self::own(),
            dialect: self.dialect,
            objects,
            sources: Vec::new(),
            files: Vec::new(),
            texts: BTreeMap::from([("schema/all.sql".to_owned(), texts.concat())]),
        }
    }

    /// What properties say of a table's columns.
    fn properties(&self, table: &Table) -> Vec<DeclaredColumn> {
        let text = if self.dialect == Dialect::Postgres { "text" } else { "varchar" };
        let said = table.columns.iter().filter(|column| column.using || column.renamed_from.is_some());
        let column = |column: &Column| DeclaredColumn {
            name: column.name.clone(),
            renamed_from: column.renamed_from.clone(),
            migrate_using: column
                .using
                .then(|| format!("CAST(CAST({} AS {text}) AS {})", quoted(&column.name), column.data_type)),
            ..DeclaredColumn::default()
        };
        said.map(column).collect()
    }

    /// Plans; the memory is that of all cases before, so that each begins with what others have left in it.
    async fn plan(&self, world: &World, force: bool) -> Result<Planned, MigrationError> {
        let mut memory = self.memory.borrow().clone();
        let planned = self.plan_as(world, force, Order::AsWritten, &mut memory).await;
        self.memory.replace(memory);
        planned
    }

    async fn plan_as(
        &self,
        world: &World,
        force: bool,
        order: Order,
        memory: &mut dyn Memory,
    ) -> Result<Planned, MigrationError> {
        let declared = self.declared(world, order);
        let options = Options { force, prune: true, ..Options::default() };
        let reach = Reach {
            routines: declared.routines(),
            managed: declared.managed_datasets(),
            ..Reach::reading(declared.datasets())
        };
        let mut live = self.held.open(reach.clone()).await?;
        let files = declared.outside();
        let mut open = || -> Opening<'_> { Box::pin(self.pool.open(&self.warehouse, &reach, &files)) };
        plan(&declared, live.connection(), &mut open, memory, &options).await
    }

    /// Applies both halves; what comes then reads a file that is opened anew.
    async fn apply(&self, planned: &Planned) -> Result<(), MigrationError> {
        let first = self.apply_half(planned, Half::BeforePush).await;
        let done = if first.is_ok() { self.apply_half(planned, Half::AfterPush).await } else { first };
        self.held.close();
        done
    }

    async fn apply_half(&self, planned: &Planned, half: Half) -> Result<(), MigrationError> {
        let mut live = self.held.open(Reach::writing(planned.datasets.clone())).await?;
        let said = Acknowledgements::default();
        let application = Application {
            desired: &planned.desired,
            ledger: &planned.ledger,
            steps: &planned.steps.steps,
            shown: &planned.steps.steps,
            plan_id: "p",
            at: "2026-01-01T00:00:00Z",
            by: "A <a@b>",
            acknowledgements: &said,
            committed: &|_| (),
            planned_for: Some((&planned.datasets, &planned.fingerprint)),
        };
        application.apply(live.connection(), half).await.map(drop)
    }

    /// Everything that is there, with what was recorded of it.
    async fn facts(&self) -> (Schema, Ledger) {
        let mut live = self.reading().await.unwrap();
        let live = live.connection();
        (live.schema(&[Self::own()]).await.unwrap(), live.ledger(&Self::own()).await.unwrap())
    }

    async fn answers(&self, questions: &[String]) -> Result<Vec<u64>, WarehouseError> {
        self.reading().await?.connection().counts(questions).await
    }

    async fn by_hand(&self, sql: &[String]) {
        self.wrote(sql).await.unwrap();
    }

    async fn reading(&self) -> Result<held::Lent<'_>, WarehouseError> {
        self.held.open(Reach::reading(vec![Self::own()])).await
    }

    async fn wrote(&self, sql: &[String]) -> Result<u64, WarehouseError> {
        self.held.open(Reach::writing(vec![Self::own()])).await?.connection().run(sql).await
    }

    /// Counts rows, and adds up what is in every column that keeps its type.
    async fn sums(&self, before: &World, after: &World) -> Vec<u64> {
        let mut questions = Vec::new();
        for (name, table) in before.tables.iter().filter(|(name, _)| after.tables.contains_key(*name)) {
            questions.push(format!("SELECT count(*) FROM analytics.{name}"));
            for column in &table.columns {
                let kept = after.tables[name]
                    .columns
                    .iter()
                    .any(|other| (&other.name, other.data_type) == (&column.name, column.data_type));
                let text = if self.dialect == Dialect::Postgres { "text" } else { "varchar" };
                if kept {
                    questions.push(format!(
                        "SELECT coalesce(sum(length(CAST({} AS {text}))), 0) FROM analytics.{name}",
                        quoted(&column.name)
                    ));
                }
            }
        }
        self.answers(&questions).await.unwrap()
    }

    /// Goes from one world to another; the first has rows, and beside it there is something of somebody else's.
    async fn case(&self, before: &World, after: &World, seed: u64) -> Result<Came, String> {
        let force = seed.is_multiple_of(2);
        self.given(before, seed).await?;
        let reader = if seed.is_multiple_of(7) { self.read_by_others(before).await } else { None };
        let planned = self.plan(after, force).await.map_err(|error| format!("the plan: {error:?}"))?;
        let steps = || words(&planned);
        let seen = |planned: &Planned| (planned.live.clone(), planned.ledger.clone());
        if self.facts().await != seen(&planned) {
            return Err(format!("planning changed something\n{}", steps()));
        }
        self.planned_well((before, after), &planned, seed).await?;
        let below = reader.map(|reader| changed_below(&planned, &reader)).unwrap_or_default();
        if !below.is_empty() {
            let named = knows_readers(&below).map(|()| Came::Refused);
            return named.map_err(|error| format!("{error}\n{}", steps()));
        }
        let blocked = planned.steps.steps.iter().any(Step::blocks);
        if blocked && !force {
            self.emptied(before, after).await?;
        }
        match &planned.proof {
            _ if blocked => return Ok(Came::Refused),
            Proof::Failed { why } if force => return Err(format!("the proof failed: {why}\n{}", steps())),
            Proof::Failed { .. } => return Ok(Came::FailedProof),
            Proof::Unproven { .. } => return Ok(Came::Unproven),
            Proof::Proven => {}
        }
        self.applied((before, after), &planned, seed).await
    }

    /// A plan hangs on nothing but what is live and declared, and names everybody.
    async fn planned_well(
        &self,
        (before, after): (&World, &World),
        planned: &Planned,
        seed: u64,
    ) -> Result<(), String> {
        let force = seed.is_multiple_of(2);
        match seed % 4 {
            0 => self.same_with_an_empty_memory(after, force, planned).await?,
            1 => self.same_in_any_order(after, force, planned).await?,
            _ => {}
        }
        if seed % 8 == 5 {
            self.names_everybody(before, after, planned).await?;
        }
        Ok(())
    }

    /// A plan that is offered is applied: it converges, and what it calls compatible is so.
    async fn applied(
        &self,
        (before, after): (&World, &World),
        planned: &Planned,
        seed: u64,
    ) -> Result<Came, String> {
        let (force, steps) = (seed.is_multiple_of(2), || words(planned));
        if seed.is_multiple_of(3) && !planned.steps.steps.is_empty() {
            self.stale(planned).await?;
        }
        let sums = self.sums(before, after).await;
        let bank = reads(before, after);
        let read = self.answers(&bank).await.map_err(|error| format!("the readers before: {error}"))?;
        let standing = self.standing(before, planned).await;
        match self.converge(after, planned, seed).await {
            Ok(None) => {}
            Ok(Some(otherwise)) => return Err(otherwise),
            // Rows that do not fit make a forced change fail as a whole.
            Err(error) if force && is_of_rows(&format!("{error:?}")) => return Ok(Came::Refused),
            Err(error) => return Err(format!("applying: {error}\n{}", steps())),
        }
        self.was_right_to_stand(&standing).await.map_err(|error| format!("{error}\n{}", steps()))?;
        let again = self.plan(after, force).await.map_err(|error| format!("the second plan: {error}"))?;
        if !again.steps.steps.is_empty() {
            return Err(format!("the second plan is not empty:\n{}\nafter\n{}", words(&again), steps()));
        }
        let renames = planned.steps.steps.iter().any(|step| step.code == "rename-column");
        let foreign = |schema: &Schema| {
            let mut foreign = schema.only(|object| object.name.starts_with("foreign_"));
            // A server writes a column's new name into the text of each view that reads it, which gives what it gave.
            if renames && self.dialect == Dialect::Postgres {
                for relation in foreign.relations.values_mut() {
                    relation.query = None;
                    relation.definition.clear();
                    relation.extra.reads.clear();
                }
            }
            foreign
        };
        if foreign(&again.live) != foreign(&planned.live) {
            return Err(format!("what is not ours was changed by\n{}", steps()));
        }
        if force {
            return Ok(Came::Applied);
        }
        if self.sums(before, after).await != sums {
            return Err(format!("something was lost by\n{}", steps()));
        }
        self.old_ones_go_on(before, planned, (&bank, &read)).await?;
        if seed % 4 == 3 {
            self.taken_back(before).await?;
        }
        Ok(Came::Applied)
    }

    /// Whose output or validity differs where a table alone changes is named by the plan, by a step or as affected by
    /// one; and nobody is said to be affected who does not read the table, directly or through others.
    async fn names_everybody(&self, before: &World, after: &World, planned: &Planned) -> Result<(), String> {
        let live = self.outputs(before).await;
        for (name, table) in &before.tables {
            let Some(changed) = after.tables.get(name).filter(|changed| *changed != table) else { continue };
            let mut alone = before.clone();
            alone.tables.insert(name.clone(), changed.clone());
            let outputs = self.outputs(&alone).await;
            let object = format!("analytics.{name}");
            let of_table = || planned.steps.steps.iter().filter(|step| step.object == object);
            let said: BTreeSet<&str> =
                of_table().flat_map(|step| &step.affected).map(|affected| affected.object.as_str()).collect();
            let own: BTreeSet<&str> = planned.steps.steps.iter().map(|step| step.object.as_str()).collect();
            // What reads a view that the plan changes too reads that one as it will be.
            let changes_below = |view: &&String| {
                let below = std::iter::successors(before.views.get(*view), |view| before.views.get(&view.of));
                let mut below = below.map(|view| &view.of).filter(|of| before.views.contains_key(*of));
                below.any(|of| own.contains(format!("analytics.{of}").as_str()))
            };
            let differ = before.views.keys().filter(|view| outputs[*view] != live[*view]);
            for view in differ.filter(|view| !changes_below(view)) {
                let view = format!("analytics.{view}");
                if !said.contains(view.as_str()) && !own.contains(view.as_str()) {
                    return Err(format!("{view} is affected by {object} and not named\n{}", words(planned)));
                }
            }
            let reads = |view: &str| before.reaches(view, name) || after.reaches(view, name);
            let ours = said.iter().filter_map(|said| said.strip_prefix("analytics."));
            for view in ours.filter(|said| after.views.contains_key(*said)) {
                if !reads(view) {
                    return Err(format!("{view} does not read {object}\n{}", words(planned)));
                }
            }
        }
        Ok(())
    }

    /// What each view gives in a place of its own; nothing where it is not valid.
    async fn outputs(&self, world: &World) -> BTreeMap<String, Option<Vec<(String, String)>>> {
        let reach = Reach { managed: vec![Self::own()], ..Reach::reading(vec![Self::own()]) };
        let (mut place, _) = self.pool.open(&self.warehouse, &reach, &Files::default()).await.unwrap();
        place.build("CREATE SCHEMA analytics").await.unwrap();
        let declared = self.declared(world, Order::AsWritten);
        let texts = declared.objects.iter().filter_map(|object| object.body.sql());
        for sql in texts.flat_map(|text| text.split_inclusive(";\n")) {
            // A view that cannot be made is not valid, nor is what reads it.
            drop(place.build(sql).await);
        }
        let mut found = BTreeMap::new();
        for view in world.views.keys() {
            let columns = place.columns(&format!("SELECT * FROM analytics.{view}")).await.ok();
            let shape = |columns: Vec<promote::model::schema::Column>| {
                columns.into_iter().map(|column| (column.name, column.data_type)).collect()
            };
            found.insert(view.clone(), columns.map(shape));
        }
        found
    }

    /// What probes have found to be in the way of a plan that is let through all the same: the values there.
    async fn standing(&self, before: &World, planned: &Planned) -> Vec<Standing> {
        let text = if self.dialect == Dialect::Postgres { "text" } else { "varchar" };
        let mut found = Vec::new();
        for step in &planned.steps.steps {
            if step.ddl.is_empty() || step.probe.as_ref().and_then(|probe| probe.rows).unwrap_or(0) == 0 {
                continue;
            }
            let of = before.tables.iter().find(|(name, _)| step.object == format!("analytics.{name}"));
            let column = of.and_then(|(_, table)| {
                table.columns.iter().find(|column| Some(&column.name) == step.column.as_ref())
            });
            let retyped = ["narrow-type", "retype-column", "widen-type"].contains(&step.code.as_str());
            if !retyped && step.verdict != Verdict::NeedsDataCheck {
                continue;
            }
            let values = match column.filter(|_| retyped) {
                Some(Column { name, data_type, .. }) => {
                    let back = format!(
                        "SELECT CAST(CAST({} AS {data_type}) AS {text}) AS k FROM {}",
                        quoted(name),
                        step.object
                    );
                    Some((self.values(&back).await.unwrap_or_default(), back))
                }
                None if retyped => continue,
                None => None,
            };
            found.push(Standing { step: format!("{} {}", step.code, step.subject()), values });
        }
        found
    }

    async fn values(&self, question: &str) -> Result<Vec<String>, WarehouseError> {
        Ok(self.reading().await?.connection().texts(&[question.to_owned()]).await?.concat())
    }

    /// The engine has taken what a probe was against: then something was lost by it.
    async fn was_right_to_stand(&self, standing: &[Standing]) -> Result<(), String> {
        for Standing { step, values } in standing {
            let Some((before, question)) = values else {
                return Err(format!("{step}: the probe was against it, and the engine takes it"));
            };
            // Where not even the question can be asked, nothing comes back.
            if self.values(question).await.is_ok_and(|after| after == *before) {
                return Err(format!("{step}: the probe was against it, and no value is lost"));
            }
        }
        Ok(())
    }

    /// The first world, with rows, and beside it something of somebody else's; now and then changed by hand.
    async fn given(&self, before: &World, seed: u64) -> Result<(), String> {
        self.by_hand(&["DROP SCHEMA IF EXISTS analytics CASCADE".to_owned()]).await;
        let first = self.plan(before, false).await.map_err(|error| format!("the first plan: {error:?}"))?;
        self.apply(&first).await.map_err(|error| format!("the first world: {error}"))?;
        self.by_hand(&rows(before)).await;
        if !seed.is_multiple_of(3) {
            self.by_hand(&awkward(before, seed)).await;
        }
        self.by_hand(&FOREIGN.map(str::to_owned)).await;
        if seed.is_multiple_of(5) {
            self.drifted(before).await;
        }
        Ok(())
    }

    /// Old readers read what they have read, and old writers write.
    async fn old_ones_go_on(
        &self,
        before: &World,
        planned: &Planned,
        (bank, read): (&[String], &[u64]),
    ) -> Result<(), String> {
        let steps = || words(planned);
        let checked = planned.steps.steps.iter().any(|step| step.verdict == Verdict::NeedsDataCheck);
        let old = self.answers(bank).await.map_err(|error| format!("an old reader: {error}\n{}", steps()))?;
        if old != read && !checked {
            return Err(format!("an old reader reads {old:?} instead of {read:?} after\n{}", steps()));
        }
        if !checked {
            let wrote = self.wrote(&writes(before)).await;
            wrote.map_err(|error| format!("an old writer: {error}\n{}", steps()))?;
        }
        Ok(())
    }

    /// Somebody else reads a column; gives its table and name.
    async fn read_by_others(&self, before: &World) -> Option<(String, String)> {
        let (name, table) = before.tables.iter().find(|(_, table)| table.columns.len() > 1)?;
        let column = &table.columns[1].name;
        let view =
            format!("CREATE VIEW analytics.{READER} AS SELECT {} FROM analytics.{name}", quoted(column));
        self.by_hand(&[view]).await;
        Some((name.clone(), column.clone()))
    }

    /// Where there is no row, nothing that only the rows decide stands in the way.
    async fn emptied(&self, before: &World, after: &World) -> Result<(), String> {
        let delete = |table: &String| format!("DELETE FROM analytics.{table}");
        self.by_hand(&before.tables.keys().map(delete).collect::<Vec<_>>()).await;
        let planned = self.plan(after, false).await.map_err(|error| format!("without rows: {error:?}"))?;
        let over =
            |step: &&Step| step.verdict == Verdict::NeedsDataCheck && step.settled == Verdict::Incompatible;
        match planned.steps.steps.iter().find(over) {
            Some(step) => Err(format!("{} {} is refused without any row", step.code, step.subject())),
            None => Ok(()),
        }
    }

    /// Somebody changes something by hand.
    async fn drifted(&self, before: &World) {
        let add = |table: &String| format!("ALTER TABLE analytics.{table} ADD COLUMN by_hand integer");
        self.by_hand(&before.tables.keys().take(1).map(add).collect::<Vec<_>>()).await;
    }

    /// The code goes back to what it was: nothing goes that was applied in between, and the memory knows of both.
    async fn taken_back(&self, before: &World) -> Result<(), String> {
        let planned = self.plan(before, false).await.map_err(|error| format!("going back: {error:?}"))?;
        self.same_with_an_empty_memory(before, false, &planned).await?;
        let steps = &planned.steps.steps;
        if steps.iter().any(Step::blocks) || !matches!(planned.proof, Proof::Proven) {
            return Ok(());
        }
        self.apply(&planned).await.map_err(|error| format!("going back: {error}\n{}", words(&planned)))?;
        let again = self.plan(before, false).await.map_err(|error| format!("having gone back: {error}"))?;
        if again.steps.steps.iter().any(|step| !step.ddl.is_empty()) {
            return Err(format!("not settled after going back:\n{}", words(&again)));
        }
        Ok(())
    }

    /// Applies a plan; now and then it stops between the halves, and another plan goes on. Gives what ran otherwise
    /// than it was shown.
    async fn converge(
        &self,
        after: &World,
        planned: &Planned,
        seed: u64,
    ) -> Result<Option<String>, MigrationError> {
        if !seed.is_multiple_of(6) {
            let logged = self.dialect == Dialect::DuckDb && seed % 6 == 1;
            return if logged {
                self.logged(planned).await
            } else {
                self.apply(planned).await.map(|()| None)
            };
        }
        self.apply_half(planned, Half::BeforePush).await?;
        let rest = self.plan(after, true).await?;
        self.apply(&rest).await.map(|()| None)
    }

    /// Applies a plan while the engine logs what it is given: that is the plan's statements, in their order.
    async fn logged(&self, planned: &Planned) -> Result<Option<String>, MigrationError> {
        self.by_hand(&["CALL enable_logging('QueryLog')".to_owned()]).await;
        self.apply_half(planned, Half::BeforePush).await?;
        self.apply_half(planned, Half::AfterPush).await?;
        let question = "SELECT printf('%09d ', row_number() OVER ()) || message AS k FROM duckdb_logs \
                        WHERE type = 'QueryLog'";
        let mut live = self.held.open(Reach::writing(vec![Self::own()])).await?;
        let log = live.connection().texts(&[question.to_owned()]).await?.concat();
        drop(live);
        self.held.close();
        let seen: Vec<&str> = log.iter().map(|line| &line[10..]).filter(|sql| !is_ours(sql)).collect();
        let steps = || planned.steps.steps.iter();
        let halves = steps().filter(|step| !step.after_push).chain(steps().filter(|step| step.after_push));
        let shown: Vec<&str> = halves.flat_map(|step| &step.ddl).map(String::as_str).collect();
        Ok((seen != shown).then(|| format!("what ran is not what was shown: {seen:?} instead of {shown:?}")))
    }

    /// A plan is the same with an empty memory.
    async fn same_with_an_empty_memory(
        &self,
        after: &World,
        force: bool,
        planned: &Planned,
    ) -> Result<(), String> {
        let fresh = self.plan_as(after, force, Order::AsWritten, &mut Forgetful).await;
        let fresh = fresh.map_err(|error| format!("planning again: {error:?}"))?;
        if fresh == *planned {
            return Ok(());
        }
        let (old, new) = (words(planned), words(&fresh));
        Err(format!("what is remembered makes another plan:\n{old}\ninstead of\n{new}"))
    }

    /// A plan has the same steps whatever the order of the files.
    async fn same_in_any_order(&self, after: &World, force: bool, planned: &Planned) -> Result<(), String> {
        let turned = self.plan_as(after, force, Order::Backwards, &mut Forgetful).await;
        let turned = turned.map_err(|error| format!("planning backwards: {error:?}"))?;
        let codes = |planned: &Planned| {
            let steps = planned.steps.steps.iter();
            steps.map(|step| (step.subject(), step.code.clone())).collect::<BTreeSet<_>>()
        };
        if turned.desired.schema != planned.desired.schema || codes(&turned) != codes(planned) {
            return Err(format!("another order of files, another plan:\n{}", words(&turned)));
        }
        Ok(())
    }

    /// A plan is refused where something moved since, and nothing of it is done.
    async fn stale(&self, planned: &Planned) -> Result<(), String> {
        self.by_hand(&["CREATE TABLE analytics.intruder(a integer)".to_owned()]).await;
        let facts = self.facts().await;
        let moved = self.apply(planned).await;
        let runs = planned.steps.steps.iter().any(|step| !step.ddl.is_empty());
        let refused = matches!(moved, Err(MigrationError::Warehouse(WarehouseError::Moved { .. })));
        if runs && (!refused || self.facts().await != facts) {
            return Err(format!(
                "a stale plan was not refused, or left something: {moved:?}\n{}",
                words(planned)
            ));
        }
        self.by_hand(&["DROP TABLE analytics.intruder".to_owned()]).await;
        Ok(())
    }
}

/// A step that a probe is against; for a change of type the values that there were, and how they are asked for again.
struct Standing {
    step: String,
    values: Option<(Vec<String>, String)>,
}

/// Whether a statement is none of a plan's: what is asked, what is recorded, what holds both together.
fn is_ours(sql: &str) -> bool {
    let begins = ["BEGIN", "COMMIT", "SELECT", "CALL"].iter().any(|word| sql.starts_with(word));
    // A record of steps holds their statements, those on a rebuilt table as well.
    let named = sql.find("._promote_").map(|at| &sql[at..]);
    let kept = named.is_some_and(|named| !named.starts_with("._promote_new_"));
    begins || kept || sql.ends_with(" WHERE false")
}

/// What is somebody else's.
const FOREIGN: [&str; 3] = [
    "CREATE TABLE analytics.foreign_t(id integer, a integer DEFAULT 3)",
    "CREATE INDEX foreign_i ON analytics.foreign_t(a)",
    "CREATE VIEW analytics.foreign_v AS SELECT id + 1 AS b FROM analytics.foreign_t",
];

/// A view of somebody else's on something of ours.
const READER: &str = "foreign_reader";

/// What a plan does to a column that somebody else reads, or to its whole table.
fn changed_below<'a>(planned: &'a Planned, (table, column): &(String, String)) -> Vec<&'a Step> {
    let object = format!("analytics.{table}");
    let steps = planned.steps.steps.iter().filter(|step| step.object == object);
    steps.filter(|step| step.column.as_ref().is_none_or(|known| known == column)).collect()
}

/// Whoever reads what would go is named.
fn knows_readers(steps: &[&Step]) -> Result<(), String> {
    let gone = ["drop-column", "drop-table", "rename-column"];
    let mut taken = steps.iter().filter(|step| gone.contains(&step.code.as_str()));
    let view = format!("analytics.{READER}");
    match taken.find(|step| !step.affected.iter().any(|affected| affected.object == view)) {
        Some(step) => Err(format!("{} {} does not name who reads it", step.code, step.subject())),
        None => Ok(()),
    }
}

/// The order in which what is declared is read.
#[derive(Clone, Copy, Debug)]
enum Order {
    AsWritten,
    Backwards,
}

fn words(planned: &Planned) -> String {
    let steps = planned.steps.steps.iter();
    steps
        .map(|step| format!("{} {} {:?}", step.code, step.subject(), step.ddl))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Remembers everything.
#[derive(Clone, Debug, Default)]
struct Remembering(BTreeMap<String, String>);

impl Memory for Remembering {
    fn recall(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn keep(&mut self, key: &str, text: &str) {
        // The latest few are enough.
        if self.0.len() > 200 {
            self.0.clear();
        }
        self.0.insert(key.to_owned(), text.to_owned());
    }
}

/// Tries many cases; one that fails is made smaller and shown as its two worlds, and the others go on.
fn explore(engine: &Engine, count: u64) {
    let mut came: BTreeMap<Came, u64> = BTreeMap::new();
    let mut faults = Vec::new();
    for seed in seeds(count) {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
        let before = world(engine.dialect, &mut dice);
        let edits: Vec<Dice> =
            (0..=dice.roll(8)).map(|number| Dice(dice.0 ^ (number as u64 * 7919))).collect();
        let after = edited(engine.dialect, &before, &edits);
        match engine.runtime.block_on(engine.case(&before, &after, seed)) {
            Ok(what) => *came.entry(what).or_default() += 1,
            Err(fault) => faults.push(shown(engine, &before, edits, (seed, fault))),
        }
        let tried = came.values().sum::<u64>() + faults.len() as u64;
        if tried.is_multiple_of(100) {
            super::support::told(&format!("{:?}: {tried} cases: {came:?}", engine.dialect));
        }
        assert!(faults.len() < 10, "{}", faults.join("\n\n"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    let tried = came.values().sum::<u64>();
    super::support::told(&format!("{:?}: {tried} cases: {came:?}", engine.dialect));
    let applied = came.get(&Came::Applied).copied().unwrap_or(0);
    assert!(applied * 3 > tried || tried < 20, "too little is applied: {came:?}");
}

/// Whether the engine's words are about rows, and not about what it was told to do.
fn is_of_rows(words: &str) -> bool {
    const OF_ROWS: [&str; 11] = [
        "Constraint Error",
        "Conversion Error",
        "Invalid Input Error",
        "Out of Range Error",
        "contains null values",
        "could not create unique index",
        "is violated by some row",
        "out of range",
        "invalid input syntax",
        "value too long",
        "numeric field overflow",
    ];
    OF_ROWS.iter().any(|part| words.contains(part))
}

/// The numbers of the cases: `PROMOTE_SEED` is one of them, or `FROM..TO`.
fn seeds(count: u64) -> Range<u64> {
    let Ok(said) = std::env::var("PROMOTE_SEED") else { return 0..count };
    let number = |text: &str| text.trim().parse::<u64>().expect("a number, or two with `..` between them");
    said.split_once("..")
        .map_or_else(|| number(&said)..number(&said) + 1, |(from, to)| number(from)..number(to))
}

/// Makes a fault smaller, says it at once, and gives it.
fn shown(engine: &Engine, before: &World, edits: Vec<Dice>, (seed, fault): (u64, String)) -> String {
    let (edits, fault) = smaller(engine, before, edits, seed, fault);
    let after = edited(engine.dialect, before, &edits);
    let shown = format!(
        "seed {seed}: {fault}\n-- before\n{}\n-- after\n{}",
        objects(engine.dialect, before).concat(),
        objects(engine.dialect, &after).concat()
    );
    super::support::told(&shown);
    shown
}

fn edited(dialect: Dialect, before: &World, edits: &[Dice]) -> World {
    let mut after = before.clone();
    for dice in edits {
        edit(dialect, &mut dice.clone(), &mut after);
        mend(&mut after);
    }
    after
}

/// Leaves out every edit that the fault does not need.
fn smaller(
    engine: &Engine,
    before: &World,
    mut edits: Vec<Dice>,
    seed: u64,
    mut fault: String,
) -> (Vec<Dice>, String) {
    let mut at = 0;
    while at < edits.len() {
        let mut fewer = edits.clone();
        fewer.remove(at);
        let after = edited(engine.dialect, before, &fewer);
        match engine.runtime.block_on(engine.case(before, &after, seed)) {
            Err(still) => (edits, fault) = (fewer, still),
            Ok(_) => at += 1,
        }
    }
    (edits, fault)
}

/// How many cases each engine gets.
fn counts() -> (u64, u64) {
    let said = std::env::var("PROMOTE_PROPERTIES").ok();
    let said = said.as_deref().and_then(|text| text.split_once(','));
    let number = |text: &str| text.trim().parse().expect("two numbers");
    said.map_or((50, 20), |(duck, server)| (number(duck), number(server)))
}

#[test]
fn random_edits_converge_on_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.duckdb").to_string_lossy().into_owned();
    explore(&Engine::new(Dialect::DuckDb, Warehouse::DuckDb { path }, Pool::keeping()), counts().0);
}

#[test]
fn random_edits_converge_on_postgres() {
    let Some(server) = server() else { return };
    let url = server.url("postgres", &server.database());
    let warehouse = Warehouse::Postgres { url, scratch: None };
    explore(&Engine::new(Dialect::Postgres, warehouse, Pool::keeping()), counts().1);
}

#[test]
fn random_edits_converge_in_a_transaction_of_the_live_database() {
    let Some(server) = server() else { return };
    let database = server.database();
    server.sql(
        &database,
        &format!("CREATE ROLE only_{database} LOGIN; GRANT CREATE ON DATABASE {database} TO only_{database}"),
    );
    let url = server.url(&format!("only_{database}"), &database);
    let warehouse = Warehouse::Postgres { url, scratch: None };
    // What is tried lies in the live database, so it may not stay.
    explore(&Engine::new(Dialect::Postgres, warehouse, Pool::default()), counts().1.div_ceil(2));
}
