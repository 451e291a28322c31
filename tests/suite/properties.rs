//! Random schemas and random edits of them, on the real engines: what is planned converges, a second plan is empty,
//! nothing is lost by what is called compatible, and a refusal leaves no trace.
//!
//! `PROMOTE_PROPERTIES=DUCKDB,POSTGRES` says how many cases each engine gets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use promote::migration::{
    Application, Body, Declared, DeclaredObject, Forgetful, Half, MigrationError, Opening, Options, Planned,
    Proof, plan,
};
use promote::model::coordinate::Dataset;
use promote::model::environment::Warehouse;
use promote::model::origin::Place;
use promote::model::plan::Acknowledgements;
use promote::sql::Dialect;
use promote::warehouse::{Reach, connect, scratch};

use super::support::server::server;

/// A small generator of numbers: the same seed gives the same case.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Column {
    name: String,
    data_type: &'static str,
    required: bool,
    default: bool,
    comment: Option<u8>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Table {
    columns: Vec<Column>,
    key: bool,
    check: bool,
    indexes: Vec<String>,
    parent: Option<String>,
    comment: Option<u8>,
}

#[derive(Clone, Debug, PartialEq)]
struct View {
    of: String,
    columns: Vec<String>,
    filter: bool,
}

/// Tables and views by name; a view reads a table or an earlier view.
#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    tables: BTreeMap<String, Table>,
    views: BTreeMap<String, View>,
}

const NAMES: &[&str] =
    &["a", "b", "select", "Mixed", "with space", "ü", "long_name_of_a_column_that_goes_on"];
const TYPES: &[(&str, &str, &str)] = &[
    ("integer", "integer", "7"),
    ("bigint", "bigint", "7"),
    ("smallint", "smallint", "7"),
    ("decimal(10,2)", "numeric(10,2)", "7.25"),
    ("decimal(14,2)", "numeric(14,2)", "7.25"),
    ("varchar", "text", "'it''s'"),
    ("varchar", "character varying(20)", "'it''s'"),
    ("date", "date", "DATE '2026-01-02'"),
    ("boolean", "boolean", "true"),
];

fn data_type(dialect: Dialect, index: usize) -> &'static str {
    if dialect == Dialect::Postgres { TYPES[index].1 } else { TYPES[index].0 }
}

fn value(data_type: &str) -> &'static str {
    TYPES.iter().find(|(duck, server, _)| *duck == data_type || *server == data_type).unwrap().2
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn column(dialect: Dialect, dice: &mut Dice, name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: data_type(dialect, dice.roll(TYPES.len())),
        required: dice.roll(4) == 0,
        default: dice.roll(4) == 0,
        comment: None,
    }
}

fn world(dialect: Dialect, dice: &mut Dice) -> World {
    let mut world = World::default();
    for _ in 0..6 + dice.roll(8) {
        edit(dialect, dice, &mut world);
    }
    world
}

/// Changes one thing, if there is one of the kind that the dice say.
fn edit(dialect: Dialect, dice: &mut Dice, world: &mut World) {
    let tables: Vec<String> = world.tables.keys().cloned().collect();
    let kind = dice.roll(16);
    if tables.is_empty() || kind == 0 {
        let name = format!("t{}", dice.roll(4));
        let mut id = column(dialect, dice, "id");
        (id.data_type, id.required, id.default) = (data_type(dialect, 0), false, false);
        let mut columns = vec![id];
        for name in NAMES.iter().take(dice.roll(4)) {
            columns.push(column(dialect, dice, name));
        }
        world.tables.entry(name).or_insert(Table { columns, key: dice.roll(2) == 0, ..Table::default() });
        return;
    }
    let name = dice.pick(&tables).clone();
    let free = !world.views.values().any(|view| view.of == name);
    let table = world.tables.get_mut(&name).unwrap();
    let at = dice.roll(table.columns.len());
    match kind {
        1 if free => drop(world.tables.remove(&name)),
        2..=4 => {
            let name = *dice.pick(NAMES);
            if !table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
                let place = 1 + dice.roll(table.columns.len());
                table.columns.insert(place, column(dialect, dice, name));
            }
        }
        5 if at > 0 => {
            let gone = table.columns.remove(at).name;
            table.indexes.retain(|index| *index != gone);
            for view in world.views.values_mut() {
                view.columns.retain(|column| *column != gone);
            }
        }
        6 | 7 if at > 0 => table.columns[at].data_type = data_type(dialect, dice.roll(TYPES.len())),
        8 if at > 0 => table.columns[at].required ^= true,
        9 if at > 0 => table.columns[at].default ^= true,
        10 => table.columns[at].comment = (dice.roll(3) > 0).then(|| u8::try_from(dice.roll(3)).unwrap()),
        11 => {
            let column = table.columns[at].name.clone();
            match table.indexes.iter().position(|index| *index == column) {
                Some(index) => drop(table.indexes.remove(index)),
                None => table.indexes.push(column),
            }
        }
        12 => table.key ^= true,
        13 => table.check ^= true,
        14 => table.comment = (dice.roll(3) > 0).then(|| u8::try_from(dice.roll(3)).unwrap()),
        _ => view(dice, world),
    }
}

/// Makes, changes or drops a view.
fn view(dice: &mut Dice, world: &mut World) {
    let name = format!("v{}", dice.roll(4));
    let read = world.views.values().any(|view| view.of == name);
    if world.views.contains_key(&name) && dice.roll(3) == 0 && !read {
        world.views.remove(&name);
        return;
    }
    let earlier = world.views.iter().filter(|(other, view)| **other < name && !view.columns.is_empty());
    let mut sources: Vec<(String, Vec<String>)> =
        earlier.map(|(name, view)| (name.clone(), view.columns.clone())).collect();
    let tables = world.tables.iter();
    sources.extend(tables.map(|(name, table)| {
        (name.clone(), table.columns.iter().map(|column| column.name.clone()).collect())
    }));
    let (of, mut columns) = dice.pick(&sources).clone();
    columns.retain(|column| column == "id" || dice.roll(3) > 0);
    world.views.insert(name, View { of, columns, filter: dice.roll(2) == 0 });
    mend(world);
}

/// Leaves no view with a column that what it reads does not have.
fn mend(world: &mut World) {
    let mut known: BTreeMap<String, Vec<String>> = world
        .tables
        .iter()
        .map(|(name, table)| (name.clone(), table.columns.iter().map(|column| column.name.clone()).collect()))
        .collect();
    let mut gone = Vec::new();
    for (name, view) in &mut world.views {
        let there = known.get(&view.of).cloned().unwrap_or_default();
        view.columns.retain(|column| there.contains(column));
        if view.columns.is_empty() {
            gone.push(name.clone());
        } else {
            known.insert(name.clone(), view.columns.clone());
        }
    }
    for name in gone {
        world.views.remove(&name);
    }
}

/// Writes the world as DDL.
fn written(world: &World) -> String {
    let mut text = String::new();
    for (name, table) in &world.tables {
        let mut lines: Vec<String> = table.columns.iter().map(line).collect();
        if table.key {
            lines.push("PRIMARY KEY (id)".to_owned());
        }
        if table.check {
            lines.push("CHECK (id > -5)".to_owned());
        }
        writeln!(text, "CREATE TABLE {name} ({});", lines.join(", ")).unwrap();
        for (number, index) in table.indexes.iter().enumerate() {
            writeln!(text, "CREATE INDEX {name}_i{number} ON {name} ({});", quoted(index)).unwrap();
        }
        if let Some(comment) = table.comment {
            writeln!(text, "COMMENT ON TABLE {name} IS 'it''s {comment}';").unwrap();
        }
        for column in &table.columns {
            if let Some(comment) = column.comment {
                writeln!(text, "COMMENT ON COLUMN {name}.{} IS 'n{comment}';", quoted(&column.name)).unwrap();
            }
        }
    }
    for (name, view) in &world.views {
        let columns: Vec<String> = view.columns.iter().map(|column| quoted(column)).collect();
        let filter = if view.filter { format!(" WHERE {} IS NOT NULL", columns[0]) } else { String::new() };
        writeln!(text, "CREATE VIEW {name} AS SELECT {} FROM {}{filter};", columns.join(", "), view.of)
            .unwrap();
    }
    text
}

fn line(column: &Column) -> String {
    let default =
        if column.default { format!(" DEFAULT {}", value(column.data_type)) } else { String::new() };
    let required = if column.required { " NOT NULL" } else { "" };
    format!("{} {}{default}{required}", quoted(&column.name), column.data_type)
}

/// Where cases are tried.
struct Engine {
    dialect: Dialect,
    warehouse: Warehouse,
    runtime: tokio::runtime::Runtime,
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
    fn new(dialect: Dialect, warehouse: Warehouse) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { dialect, warehouse, runtime }
    }

    fn own() -> Dataset {
        Dataset::new("analytics")
    }

    fn declared(&self, world: &World) -> Declared {
        let object = |sql: &str| {
            DeclaredObject::new(None, Body::Ddl { sql: sql.to_owned() }, Place::file("schema/all.sql"))
        };
        // Names without a dataset are the project's to place; here that is done by hand.
        let names = world.tables.keys().chain(world.views.keys());
        let text = names.fold(written(world), |text, name| placed(&text, name));
        Declared {
            dataset: Self::own(),
            dialect: self.dialect,
            objects: vec![object(&text)],
            sources: Vec::new(),
            files: Vec::new(),
            texts: std::collections::BTreeMap::new(),
        }
    }

    async fn plan(&self, world: &World, force: bool) -> Result<Planned, MigrationError> {
        let declared = self.declared(world);
        let options = Options { force, prune: true, adopt: vec!["all".to_owned()], ..Options::default() };
        let reach = Reach { routines: declared.routines(), ..Reach::reading(declared.datasets()) };
        let mut live = connect(&self.warehouse, &reach).await?;
        let files = declared.outside();
        let mut open = || -> Opening<'_> { Box::pin(scratch(&self.warehouse, &reach, &files)) };
        plan(&declared, live.as_mut(), &mut open, &mut Forgetful, &options).await
    }

    async fn apply(&self, planned: &Planned) -> Result<(), MigrationError> {
        let mut live = connect(&self.warehouse, &Reach::writing(planned.datasets.clone())).await?;
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
        application.apply(live.as_mut(), Half::BeforePush).await?;
        application.apply(live.as_mut(), Half::AfterPush).await.map(drop)
    }

    async fn by_hand(&self, sql: &[String]) {
        let mut live = connect(&self.warehouse, &Reach::writing(vec![Self::own()])).await.unwrap();
        live.run(sql).await.unwrap();
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
        let mut live = connect(&self.warehouse, &Reach::reading(vec![Self::own()])).await.unwrap();
        live.counts(&questions).await.unwrap()
    }

    /// Goes from one world to another; the first has rows.
    async fn case(&self, before: &World, after: &World, force: bool) -> Result<Came, String> {
        self.by_hand(&["DROP SCHEMA IF EXISTS analytics CASCADE".to_owned()]).await;
        let first = self.plan(before, false).await.map_err(|error| format!("the first plan: {error:?}"))?;
        self.apply(&first).await.map_err(|error| format!("the first world: {error}"))?;
        self.by_hand(&rows(before)).await;
        let planned = self.plan(after, force).await.map_err(|error| format!("the plan: {error:?}"))?;
        let steps = || {
            planned
                .steps
                .steps
                .iter()
                .map(|step| format!("{} {} {:?}", step.code, step.subject(), step.ddl))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let blocked = planned.steps.steps.iter().any(promote::model::migration::Step::blocks);
        match &planned.proof {
            _ if blocked => return Ok(Came::Refused),
            Proof::Failed { why } if force => return Err(format!("the proof failed: {why}\n{}", steps())),
            Proof::Failed { .. } => return Ok(Came::FailedProof),
            Proof::Unproven { .. } => return Ok(Came::Unproven),
            Proof::Proven => {}
        }
        let sums = self.sums(before, after).await;
        if let Err(error) = self.apply(&planned).await {
            // Rows that do not fit make a forced change fail as a whole.
            return if force { Ok(Came::Refused) } else { Err(format!("applying: {error}\n{}", steps())) };
        }
        let again = self.plan(after, force).await.map_err(|error| format!("the second plan: {error}"))?;
        if !again.steps.steps.is_empty() {
            return Err(format!(
                "the second plan is not empty: {:#?}\nafter\n{}",
                again.steps.steps,
                steps()
            ));
        }
        if !force && self.sums(before, after).await != sums {
            return Err(format!("something was lost by\n{}", steps()));
        }
        Ok(Came::Applied)
    }
}

/// Writes a dataset before a name wherever one stands.
fn placed(text: &str, name: &str) -> String {
    let words = ["CREATE TABLE ", "CREATE VIEW ", "FROM ", "COMMENT ON TABLE ", "COMMENT ON COLUMN ", " ON "];
    let ends = [" ", ";", "."];
    words.iter().flat_map(|before| ends.map(|after| (before, after))).fold(
        text.to_owned(),
        |text, (before, after)| {
            text.replace(&format!("{before}{name}{after}"), &format!("{before}analytics.{name}{after}"))
        },
    )
}

/// Two rows for each table; what may be absent is so in the second.
fn rows(world: &World) -> Vec<String> {
    let mut sql = Vec::new();
    for (name, table) in &world.tables {
        for row in 0..2 {
            let value = |column: &Column| match (
                column.name.as_str(),
                column.required || table.key && column.name == "id",
            ) {
                ("id", _) => row.to_string(),
                (_, false) if row == 1 => "NULL".to_owned(),
                _ => value(column.data_type).to_owned(),
            };
            let values: Vec<String> = table.columns.iter().map(value).collect();
            sql.push(format!("INSERT INTO analytics.{name} VALUES ({})", values.join(", ")));
        }
    }
    sql
}

/// Tries many cases; one that fails is made smaller and shown as its two worlds.
fn explore(engine: &Engine, count: u64) {
    let mut came: BTreeMap<Came, u32> = BTreeMap::new();
    let only: Option<u64> = std::env::var("PROMOTE_SEED").ok().and_then(|text| text.parse().ok());
    for seed in (0..count).filter(|seed| only.is_none_or(|only| only == *seed)) {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
        let before = world(engine.dialect, &mut dice);
        let edits: Vec<Dice> =
            (0..=dice.roll(8)).map(|number| Dice(dice.0 ^ (number as u64 * 7919))).collect();
        let force = seed % 2 == 0;
        let after = edited(engine.dialect, &before, &edits);
        match engine.runtime.block_on(engine.case(&before, &after, force)) {
            Ok(what) => *came.entry(what).or_default() += 1,
            Err(fault) => {
                let (edits, fault) = smaller(engine, &before, edits, force, fault);
                let after = edited(engine.dialect, &before, &edits);
                panic!(
                    "seed {seed}, force {force}: {fault}\n-- before\n{}\n-- after\n{}",
                    written(&before),
                    written(&after)
                );
            }
        }
    }
    super::support::told(&format!("{:?}: {count} cases: {came:?}", engine.dialect));
    assert!(
        u64::from(came.get(&Came::Applied).copied().unwrap_or(0)) * 3 > count,
        "too little is applied: {came:?}"
    );
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
    force: bool,
    mut fault: String,
) -> (Vec<Dice>, String) {
    let mut at = 0;
    while at < edits.len() {
        let mut fewer = edits.clone();
        fewer.remove(at);
        let after = edited(engine.dialect, before, &fewer);
        match engine.runtime.block_on(engine.case(before, &after, force)) {
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
    said.map_or((100, 40), |(duck, server)| (number(duck), number(server)))
}

#[test]
fn random_edits_converge_on_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.duckdb").to_string_lossy().into_owned();
    explore(&Engine::new(Dialect::DuckDb, Warehouse::DuckDb { path }), counts().0);
}

#[test]
fn random_edits_converge_on_postgres() {
    let Some(server) = server() else { return };
    let url = server.url("postgres", &server.database());
    explore(&Engine::new(Dialect::Postgres, Warehouse::Postgres { url, scratch: None }), counts().1);
}
