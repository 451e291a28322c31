//! What planning a migration costs: CPU time in one run, as ratios, beside `SQLMesh` and the bare engine.
//!
//! `cargo bench --bench migration [-- postgres]`, the last for the part on `PostgreSQL` alone. `SQLMESH` names the program
//! `sqlmesh` (else it is skipped, aloud);
//! `PROMOTE_BENCH_POSTGRES` is the URL of an empty database for the part on `PostgreSQL`; `PROMOTE_BENCH_TABLES` makes
//! the wide schema smaller than 10,000 tables. CPU time is that of the process and its children, as `times` of bash counts it;
//! on `PostgreSQL` that of all processes of servers on this machine is added, so nothing else should use one meanwhile.

#![expect(clippy::disallowed_methods, reason = "a benchmark asks the environment for what the machine has")]

mod memory;
mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memory::peak_megabytes;
use promote::model::coordinate::Dataset;
use promote::model::environment::Warehouse;
use promote::warehouse::{Reach, connect};
use support::{Cost, measure, median, milliseconds, print};

const TURNS: usize = 7;
const MODELS: usize = 1000;

/// What happened in the warehouse since the last plan: data are loaded all day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Since {
    Nothing,
    Written,
}

/// A project in a folder of its own, and where its cache lies.
struct Project {
    folder: PathBuf,
    home: PathBuf,
    /// Whether its warehouse is a server.
    served: bool,
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if !std::env::args().any(|argument| argument == "postgres") {
        duckdb(folder.path());
    }
    postgres(folder.path());
}

fn duckdb(folder: &Path) {
    let half = Project::models(folder, "half", MODELS / 2);
    let whole = Project::models(folder, "whole", MODELS);
    let cold = whole.cold();
    half.migrate();
    let none = whole.none();
    let peak = peak_megabytes(&whole.folder, binary(), &["migrate", "--plan"], &whole.home);
    figure("no change, 1,000 models, warm", none, &format!("{peak} MB; bar: 300 ms and 100 MB"));
    ratio("whole to half of the project", none, half.none(), 2.2, Bar::AtMost);
    ratio("one change to none", whole.one_change(Since::Nothing), none, 1.2, Bar::AtMost);
    let written = whole.none_since(Since::Written);
    ratio(
        "one change to none, each in a warehouse that was written since",
        whole.one_change(Since::Written),
        written,
        1.2,
        Bar::AtMost,
    );
    let engine = whole.engine();
    figure("the engine alone, creating all of it", engine, "");
    ratio("a first plan to the engine alone", cold, engine, 2.0, Bar::AtMost);
    whole.forget();
    ratio("no change with an empty cache to the engine alone", whole.plan(), engine, 2.0, Bar::AtMost);
    match std::env::var_os("SQLMESH") {
        Some(program) => {
            let theirs = sqlmesh(folder, &program.to_string_lossy());
            figure("sqlmesh plan, no change", theirs, "");
            ratio("sqlmesh to promote", theirs, none, 50.0, Bar::AtLeast);
        }
        None => print("skipped: SQLMesh, because the variable SQLMESH names no program"),
    }
    let live = folder.join("wide").join("live.duckdb").to_string_lossy().into_owned();
    wide(folder, "wide", &Warehouse::DuckDb { path: live });
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_promote")
}

/// The wide schema: what a plan without a change costs beside the bare questions to the catalog.
fn wide(folder: &Path, dataset: &str, warehouse: &Warehouse) {
    let tables =
        std::env::var("PROMOTE_BENCH_TABLES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    // A server keeps locks for each table that a transaction makes, about 6,400 where nobody has set more.
    let at_once = if warehouse.kind() == "postgres" { 2_500 } else { tables };
    let project = Project::new(folder, dataset, warehouse, dataset);
    for numbers in (0..tables).collect::<Vec<_>>().chunks(at_once) {
        project.write_wide(numbers);
        project.migrate();
    }
    let bare = bare(warehouse, dataset);
    let engine = warehouse.kind();
    figure(&format!("the bare questions to a catalog of {tables} tables of 20 columns, {engine}"), bare, "");
    ratio("a plan without a change to them", project.none(), bare, 1.5, Bar::AtMost);
}

fn postgres(folder: &Path) {
    let Ok(url) = std::env::var("PROMOTE_BENCH_POSTGRES") else {
        print("skipped: PostgreSQL, because the variable PROMOTE_BENCH_POSTGRES names no database");
        return;
    };
    let warehouse = Warehouse::Postgres { url, scratch: None };
    let project = Project::new(folder, "server", &warehouse, "peer");
    project.write_models(MODELS);
    project.migrate();
    let none = project.none();
    figure("no change, 1,000 models on PostgreSQL, with the server's part", none, "bar: 1000 ms");
    ratio("one change to none on PostgreSQL", project.one_change(Since::Nothing), none, 1.2, Bar::AtMost);
    ratio("no change to the bare questions", none, bare(&warehouse, "peer"), 1.5, Bar::AtMost);
    wide(folder, "wide_on_a_server", &warehouse);
}

impl Project {
    fn new(folder: &Path, name: &str, warehouse: &Warehouse, dataset: &str) -> Self {
        let served = warehouse.kind() == "postgres";
        let project = Self { folder: folder.join(name), home: folder.join(format!("{name}-home")), served };
        let warehouse = if let Warehouse::Postgres { url, .. } = warehouse {
            format!("{{kind: postgres, url: \"{url}\"}}")
        } else {
            "{kind: duckdb, path: live.duckdb}".to_owned()
        };
        project.write(
            "project.yml",
            &format!(
                "version: 1\nproject_id: peer\ndefault_environment: prod\nwarehouse: {warehouse}\n\
                 dataset: {dataset}\nenvironments:\n- {{name: prod}}\n"
            ),
        );
        project
    }

    fn models(folder: &Path, name: &str, count: usize) -> Self {
        let live = Warehouse::DuckDb { path: String::new() };
        let project = Self::new(folder, name, &live, "peer");
        project.write_models(count);
        project
    }

    /// Writes tables of 20 columns, a hundred in a file.
    fn write_wide(&self, numbers: &[usize]) {
        let columns: Vec<String> = (0..20).map(|number| format!("column_{number} VARCHAR")).collect();
        for numbers in numbers.chunks(100) {
            let mut text = String::new();
            for number in numbers {
                writeln!(text, "CREATE TABLE wide_{number} ({});", columns.join(", ")).expect("a String");
            }
            self.write(&format!("schema/{}.sql", numbers[0]), &text);
        }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn write_models(&self, count: usize) {
        for number in 0..count {
            let model = Model::of(number, count);
            let kind = if model.view { "view" } else { "table" };
            let query = model.query("", |name| format!("{{{{ ref('{name}') }}}}"));
            let text = format!("{{{{ config(materialized='{kind}') }}}}\n{query}\n");
            self.write(&format!("models/{}.sql", model.name), &text);
        }
    }

    fn plan(&self) -> Cost {
        let plan = format!("'{}' migrate --plan >/dev/null 2>&1", binary());
        counted(self.served, || measure(&self.folder, &self.home, &plan))
    }

    fn migrate(&self) {
        measure(&self.folder, &self.home, &format!("'{}' migrate --yes >/dev/null 2>&1", binary()));
        // A file that was written just now could be written again without its times telling.
        std::thread::sleep(Duration::from_secs(3));
    }

    /// A plan of everything with nothing remembered and nothing live; afterwards it is.
    fn cold(&self) -> Cost {
        let cold = self.plan();
        self.migrate();
        cold
    }

    fn none(&self) -> Cost {
        self.none_since(Since::Nothing)
    }

    fn none_since(&self, since: Since) -> Cost {
        self.plan();
        median((0..TURNS).map(|_| self.plan_since(since)).collect())
    }

    fn plan_since(&self, since: Since) -> Cost {
        if since == Since::Written {
            let file = std::fs::File::options().append(true).open(self.folder.join("live.duckdb"));
            file.and_then(|file| file.set_modified(std::time::SystemTime::now()))
                .expect("the warehouse's file");
        }
        self.plan()
    }

    /// Each turn another change, so that none is remembered: a view gets a column.
    fn one_change(&self, since: Since) -> Cost {
        let view = Model::of(MODELS / 5 + 14, MODELS);
        let path = format!("models/{}.sql", view.name);
        let query = |more: &str| view.query(more, |name| format!("{{{{ ref('{name}') }}}}"));
        let mut costs = Vec::new();
        for turn in 0..TURNS {
            let more = format!(", t0.quantity * 2 AS added_{turn}_{since:?}");
            self.write(&path, &format!("{{{{ config(materialized='view') }}}}\n{}\n", query(&more)));
            costs.push(self.plan_since(since));
        }
        self.write(&path, &format!("{{{{ config(materialized='view') }}}}\n{}\n", query("")));
        median(costs)
    }

    fn forget(&self) {
        std::fs::remove_dir_all(self.home.join("cache")).expect("the cache goes");
    }

    /// What the engine takes to create the same tables and views in a file.
    fn engine(&self) -> Cost {
        let statements = (0..MODELS).map(|number| {
            let model = Model::of(number, MODELS);
            let noun = if model.view { "VIEW" } else { "TABLE" };
            let query = model.query("", |name| format!("peer.{name}"));
            let limit = if model.view { "" } else { " LIMIT 0" };
            format!("CREATE {noun} peer.{} AS {query}{limit}", model.name)
        });
        let statements: Vec<String> =
            std::iter::once("CREATE SCHEMA peer".to_owned()).chain(statements).collect();
        let warehouse =
            Warehouse::DuckDb { path: self.folder.join("engine.duckdb").to_string_lossy().into_owned() };
        here(async || {
            let reach = Reach::writing(vec![Dataset::new("peer")]);
            let mut live = connect(&warehouse, &reach).await.expect("the engine starts");
            live.run(&statements).await.expect("the engine creates them");
        })
    }
}

/// A model of a project that is a fifth raw tables, a quarter views on them, and tables in two layers above.
struct Model {
    name: String,
    view: bool,
    reads: Vec<String>,
}

const COLUMNS: [(&str, &str); 9] = [
    ("id", "BIGINT"),
    ("category", "VARCHAR"),
    ("quantity", "INTEGER"),
    ("amount", "DECIMAL(18,2)"),
    ("rate", "DOUBLE PRECISION"),
    ("is_active", "BOOLEAN"),
    ("event_date", "DATE"),
    ("created_at", "TIMESTAMP"),
    ("label", "VARCHAR"),
];

impl Model {
    fn of(number: usize, count: usize) -> Self {
        let ends = [count / 5, count / 5 + count / 4, count / 5 + count / 4 + count / 3, count];
        let layer = ends.iter().position(|end| number < *end).unwrap_or(3);
        let name =
            |layer: usize, number: usize| format!("{}_{number:05}", ["raw", "stg", "core", "mart"][layer]);
        let below = layer.checked_sub(1).map(|below| {
            let start = below.checked_sub(1).map_or(0, |before| ends[before]);
            (below, start, ends[below] - start)
        });
        let reads = below.map_or_else(Vec::new, |(below, start, width)| {
            let parents = if layer == 1 { 1 } else { 1 + number % 3 };
            (0..parents).map(|parent| name(below, start + (number * 7 + parent * 13) % width)).collect()
        });
        Self { name: name(layer, number), view: layer == 1, reads }
    }

    fn query(&self, more: &str, place: impl Fn(&str) -> String) -> String {
        let Some(first) = self.reads.first() else {
            let row = COLUMNS.map(|(name, data_type)| format!("CAST(NULL AS {data_type}) AS {name}"));
            return format!("SELECT {}{more}", row.join(", "));
        };
        let columns = COLUMNS.map(|(name, _)| match name {
            "quantity" => "t0.quantity + 1 AS quantity".to_owned(),
            "label" => format!("COALESCE(t0.label, '{}') AS label", self.name),
            _ => format!("t0.{name} AS {name}"),
        });
        let mut query = format!("SELECT {}{more}\nFROM {} AS t0", columns.join(", "), place(first));
        for (number, read) in self.reads.iter().enumerate().skip(1) {
            write!(query, "\nLEFT JOIN {} AS t{number} ON t{number}.id = t0.id", place(read))
                .expect("a String");
        }
        query
    }
}

/// A plan of the same project without a change.
fn sqlmesh(folder: &Path, program: &str) -> Cost {
    let (home, served) = (folder.join("sqlmesh-home"), false);
    let project = Project { folder: folder.join("sqlmesh"), home, served };
    project.write(
        "config.yaml",
        "gateways:\n  local:\n    connection:\n      type: duckdb\n      database: db.duckdb\ndefault_gateway: local\n\
         disable_anonymized_analytics: true\nmodel_defaults:\n  dialect: duckdb\n  start: 2024-01-01\n",
    );
    for number in 0..MODELS {
        let model = Model::of(number, MODELS);
        let kind = if model.view { "VIEW" } else { "FULL" };
        let text = format!(
            "MODEL (name peer.{}, kind {kind});\n\n{}\n",
            model.name,
            model.query("", |name| format!("peer.{name}"))
        );
        project.write(&format!("models/{}.sql", model.name), &text);
    }
    let run = |command: &str| measure(&project.folder, &project.home, &format!("{command} >/dev/null 2>&1"));
    run(&format!("'{program}' plan --auto-apply --no-prompts"));
    median((0..3).map(|_| run(&format!("'{program}' plan --no-prompts </dev/null"))).collect())
}

/// Opens a warehouse and asks what is in it, and nothing else.
fn bare(warehouse: &Warehouse, dataset: &str) -> Cost {
    let datasets = vec![Dataset::new(dataset)];
    let ask = || {
        here(async || {
            let reach = Reach::reading(datasets.clone());
            let mut live = connect(warehouse, &reach).await.expect("the warehouse opens");
            live.schema(&datasets).await.expect("it can be read");
        })
    };
    let served = warehouse.kind() == "postgres";
    median((0..TURNS).map(|_| counted(served, ask)).collect())
}

/// Adds what servers on this machine took meanwhile, where the warehouse is served by one.
fn counted(served: bool, work: impl FnOnce() -> Cost) -> Cost {
    if !served {
        return work();
    }
    let before = server_cpu();
    let cost = work();
    // A session ends a moment after whom it was for, and its time is its parent's then.
    std::thread::sleep(Duration::from_millis(50));
    Cost { cpu: cost.cpu + server_cpu().saturating_sub(before), ..cost }
}

/// CPU time of all processes of `PostgreSQL` servers so far, also of those that ended.
fn server_cpu() -> Duration {
    let processes = std::fs::read_dir("/proc").expect("Linux tells").filter_map(Result::ok);
    let texts = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
    texts.filter(|text| text.contains("(postgres)")).map(|text| ticks(&text, 4)).sum()
}

/// What something takes in this process.
fn here(work: impl AsyncFnOnce()) -> Cost {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an ordinary runtime");
    let (before, began) = (own_cpu(), std::time::Instant::now());
    runtime.block_on(work());
    Cost { cpu: own_cpu().saturating_sub(before), wall: began.elapsed() }
}

/// CPU time of this process so far.
fn own_cpu() -> Duration {
    ticks(&std::fs::read_to_string("/proc/self/stat").expect("Linux tells"), 2)
}

/// Reads a `stat` of `/proc`: user and system time, then those of children that ended; in hundredths of a second.
fn ticks(stat: &str, fields: usize) -> Duration {
    let after = stat.rsplit(')').next().expect("there is something behind the name");
    let ticks = after.split_whitespace().skip(11).take(fields).filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

#[derive(Clone, Copy)]
enum Bar {
    AtMost,
    AtLeast,
}

fn figure(what: &str, cost: Cost, more: &str) {
    print(&format!(
        "{what}: cpu {:.0} ms, wall {:.0} ms; {more}",
        milliseconds(cost.cpu),
        milliseconds(cost.wall)
    ));
}

fn ratio(what: &str, cost: Cost, to: Cost, bar: f64, side: Bar) {
    let ratio = cost.cpu.as_secs_f64() / to.cpu.as_secs_f64();
    let (held, words) = match side {
        Bar::AtMost => (ratio <= bar, "at most"),
        Bar::AtLeast => (ratio >= bar, "at least"),
    };
    let said = if held { "held" } else { "missed" };
    print(&format!(
        "{what}: {:.0} ms to {:.0} ms of cpu, {ratio:.2}; bar: {words} {bar}: {said}",
        milliseconds(cost.cpu),
        milliseconds(to.cpu)
    ));
}
