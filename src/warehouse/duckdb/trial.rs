//! A real file: held by another process, interrupted, killed, read without being made.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::DuckDbScratch;
use crate::model::coordinate::Dataset;
use crate::model::environment::Warehouse;
use crate::model::plan::Acknowledgements;
use crate::model::schema::Schema;
use crate::warehouse::{
    Connection, Files, Guard, Intent, Owned, Ownership, Reach, Routines, Scratch, Standing, Texts,
    WarehouseError, connect, fingerprint,
};

fn a() -> Dataset {
    Dataset::new("analytics")
}

fn warehouse(folder: &tempfile::TempDir) -> Warehouse {
    Warehouse::DuckDb { path: folder.path().join("new/shop.duckdb").to_string_lossy().into_owned() }
}

async fn writing(folder: &tempfile::TempDir) -> Connection {
    connect(&warehouse(folder), &Reach::writing(vec![a()])).await.unwrap()
}

fn texts(statements: &[&str]) -> Vec<String> {
    statements.iter().map(|&sql| sql.to_owned()).collect()
}

fn intent(guard: Guard) -> Intent {
    let owned = Owned {
        kind: "table".to_owned(),
        standing: Standing::Managed,
        plan_id: "p1".to_owned(),
        source_hash: "h".to_owned(),
        definition: None,
    };
    Intent {
        dataset: a(),
        plan_id: "p1".to_owned(),
        at: "2026-01-01T00:00:00Z".to_owned(),
        by: "it's me <a@b>".to_owned(),
        steps: Vec::new(),
        acknowledgements: Acknowledgements::default(),
        owned: vec![Ownership { object: a().object("t"), owned }],
        disowned: Vec::new(),
        applied: Vec::new(),
        guard,
    }
}

/// Starts this very program once more; it holds the file until its input ends.
fn another(folder: &tempfile::TempDir, test: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("ready")));
    child
}

#[tokio::test]
async fn gives_up_questions_that_take_too_long_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let reach = Reach { questions: Duration::from_millis(200), ..Reach::reading(vec![a()]) };
    let mut connection = connect(&warehouse(&folder), &reach).await.unwrap();
    let slow = "SELECT count(*) FROM range(1000000000000) AS r(i) WHERE hash(i) % 7 = 3";
    let error = connection.counts(&texts(&[slow])).await.unwrap_err();
    assert!(matches!(error, WarehouseError::TooLong { .. }), "{error:?}");
    assert_eq!(connection.counts(&texts(&["SELECT 7"])).await.unwrap(), [7]);
    let questions = texts(&["SELECT 'b' AS k UNION ALL SELECT 'a'", "SELECT 'x' AS k WHERE false"]);
    let keys = connection.texts(&questions);
    assert_eq!(keys.await.unwrap(), [vec!["a".to_owned(), "b".to_owned()], Vec::new()]);
}

#[tokio::test]
#[ignore = "run by `says_who_holds_the_file`, as another process"]
async fn holds_the_file() {
    let warehouse = Warehouse::DuckDb { path: "new/shop.duckdb".to_owned() };
    let _held = connect(&warehouse, &Reach::writing(vec![a()])).await.unwrap();
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[tokio::test]
#[ignore = "run by `leaves_nothing_of_a_transaction_that_was_killed`, as another process"]
async fn dies_in_the_middle() {
    let connection = ::duckdb::Connection::open("new/shop.duckdb").unwrap();
    connection
        .execute_batch("BEGIN; CREATE TABLE analytics.half(a INT); ALTER TABLE analytics.t ADD COLUMN b INT")
        .unwrap();
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Makes a file in which somebody has a table whose check calls a macro without its dataset.
fn with_a_bare_check(folder: &tempfile::TempDir, macros: &str) {
    std::fs::create_dir_all(folder.path().join("new")).unwrap();
    let connection = ::duckdb::Connection::open(folder.path().join("new/shop.duckdb")).unwrap();
    let theirs =
        "CREATE TABLE theirs(a INT, b INT CHECK (twice(b) > 2)); CREATE INDEX theirs_ix ON theirs(a)";
    let ours = "CREATE TABLE ours(a INT CHECK (a > 0)); CREATE INDEX ix ON ours(a)";
    let all = format!(
        "CREATE SCHEMA analytics; CREATE SCHEMA \"an, 'o\"; USE analytics; {macros}; {theirs}; {ours}"
    );
    connection.execute_batch(&all).unwrap();
}

#[tokio::test]
async fn reads_and_changes_what_lies_beside_a_check_that_names_a_macro_without_its_dataset() {
    let folder = tempfile::tempdir().unwrap();
    with_a_bare_check(&folder, "CREATE MACRO twice(a) AS a * 2");
    let mut connection = writing(&folder).await;
    let schema = connection.schema(&[a()]).await.unwrap();
    for (table, check) in [("theirs", "CHECK((twice(b) > 2))"), ("ours", "CHECK((a > 0))")] {
        assert_eq!(schema.relations[&a().object(table)].constraints[0].definition, check);
    }
    connection
        .run(&texts(&["DROP INDEX analytics.ix", "CREATE INDEX ix ON analytics.ours(a)"]))
        .await
        .unwrap();
    assert_eq!(connection.schema(&[a()]).await.unwrap(), schema);
    assert_eq!(connection.counts(&texts(&["SELECT 1 WHERE current_schema() = 'main'"])).await.unwrap(), [1]);
}

#[tokio::test]
async fn names_the_table_whose_check_calls_what_is_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    with_a_bare_check(&folder, "CREATE TEMP MACRO twice(a) AS a * 2");
    let mut connection = connect(&warehouse(&folder), &Reach::reading(vec![a()])).await.unwrap();
    let error = connection.schema(&[a()]).await.unwrap_err();
    let WarehouseError::Unbound { tables, .. } = &error else { panic!("{error:?}") };
    assert_eq!(tables, &["analytics.theirs"]);
    assert!(error.to_string().contains("twice"), "{error}");
}

#[tokio::test]
async fn says_who_holds_the_file() {
    let folder = tempfile::tempdir().unwrap();
    drop(writing(&folder).await);
    let mut child = another(&folder, "warehouse::duckdb::trial::holds_the_file");
    let impatient = connect(&warehouse(&folder), &Reach::reading(vec![a()])).await;
    let WarehouseError::Busy { pid, .. } = impatient.err().unwrap() else { panic!("not busy") };
    assert_eq!(pid, Some(child.id()));
    let patient = Reach { patience: Duration::from_secs(20), ..Reach::writing(vec![a()]) };
    drop(child.stdin.take());
    assert!(connect(&warehouse(&folder), &patient).await.is_ok());
    child.wait().unwrap();
}

#[tokio::test]
async fn leaves_nothing_of_a_transaction_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    writing(&folder)
        .await
        .run(&texts(&["CREATE SCHEMA analytics", "CREATE TABLE analytics.t(a INT)"]))
        .await
        .unwrap();
    let mut child = another(&folder, "warehouse::duckdb::trial::dies_in_the_middle");
    child.kill().unwrap();
    child.wait().unwrap();
    for reach in [Reach::reading(vec![a()]), Reach::writing(vec![a()])] {
        let mut connection = connect(&warehouse(&folder), &reach).await.unwrap();
        let schema = connection.schema(&[a()]).await.unwrap();
        assert_eq!(schema.relations.len(), 1);
        assert_eq!(schema.relations[&a().object("t")].columns.len(), 1);
    }
}

#[tokio::test]
async fn takes_a_missing_file_for_an_empty_one_and_does_not_make_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&warehouse(&folder), &Reach::reading(vec![a()])).await.unwrap();
    assert_eq!(connection.schema(&[a()]).await.unwrap(), crate::model::schema::Schema::default());
    assert!(connection.ledger(&a()).await.unwrap().owned.is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// What is declared in many ways, and nothing that the engine does not log.
const DECLARED: &[&str] = &[
    "CREATE SCHEMA analytics",
    "CREATE TABLE analytics.t(a DATE DEFAULT CAST('2020-01-01' AS DATE), b INT CHECK (b > 1::INT), \
     c INT GENERATED ALWAYS AS (b + 1))",
    "CREATE TABLE analytics.z(\"Quoted Name\" ENUM('a', 'b') DEFAULT 'a', n INT DEFAULT (1 + 2) PRIMARY KEY, \
     s STRUCT(a INT, \"B c\" VARCHAR[]), t TIMESTAMP WITH TIME ZONE DEFAULT now(), \
     c VARCHAR COLLATE NOCASE NOT NULL UNIQUE, d DATE DEFAULT DATE '2020-01-01' + INTERVAL 1 DAY, \
     CHECK (n > 1::BIGINT AND c <> 'x'), FOREIGN KEY (n) REFERENCES analytics.z(n))",
    "CREATE MACRO analytics.m(a) AS a::DATE",
    "CREATE MACRO analytics.tm(a, b := 2::INT) AS TABLE SELECT a::DATE AS d, b FROM analytics.t",
    "CREATE VIEW analytics.v AS SELECT a::DATE AS d, analytics.m(a) AS e FROM analytics.t",
    "CREATE VIEW analytics.w AS WITH q AS (SELECT a::DATE AS d, INTERVAL '1' DAY AS i, \
     CASE WHEN a IS NULL THEN 1::DECIMAL(5,2) ELSE TRY_CAST('2' AS DECIMAL(5,2)) END AS k FROM analytics.t) \
     SELECT *, row_number() OVER (PARTITION BY d ORDER BY k DESC) AS r FROM q QUALIFY r = 1",
    "CREATE VIEW analytics.u(\"A\", b) AS SELECT n, c FROM analytics.z WHERE n IN (SELECT n FROM analytics.z)",
    "COMMENT ON TABLE analytics.z IS 'it''s'",
    "COMMENT ON COLUMN analytics.t.a IS 'a'",
    "COMMENT ON COLUMN analytics.v.d IS 'd'",
];

/// Builds statements in a scratch and reads them as they are stored; again in an emptied one, and from memory.
async fn stored(statements: &[&str]) -> Schema {
    let path = std::path::Path::new("shop.duckdb");
    let (mut scratch, _) = DuckDbScratch::open(path, &[a()], &Files::default()).unwrap();
    let mut found = Vec::new();
    for place in [Texts::Stored, Texts::Stored, Texts::AsMade] {
        scratch.reset(place).await.unwrap();
        assert!(scratch.schema(&[a()], Routines::All, Texts::Stored).await.unwrap().datasets.is_empty());
        for sql in statements {
            scratch.build(sql).await.unwrap();
        }
        found.push(scratch.schema(&[a()], Routines::All, Texts::Stored).await.unwrap());
    }
    assert!(found[0] == found[1] && found[0] == found[2], "{found:#?}");
    found.remove(0)
}

#[tokio::test]
async fn forgets_what_was_only_rehearsed() {
    let path = std::path::Path::new("shop.duckdb");
    let (mut scratch, _) = DuckDbScratch::open(path, &[a()], &Files::default()).unwrap();
    for texts in [Texts::Stored, Texts::AsMade] {
        scratch.rehearse(&self::texts(&["CREATE SCHEMA analytics"])).await.unwrap();
        assert_eq!(scratch.schema(&[a()], Routines::All, texts).await.unwrap().datasets, [a()]);
        scratch.reset(texts).await.unwrap();
        assert!(scratch.schema(&[a()], Routines::All, texts).await.unwrap().datasets.is_empty());
    }
}

#[tokio::test]
async fn stores_from_memory_what_was_rehearsed_there_too() {
    let path = std::path::Path::new("shop.duckdb");
    let (mut scratch, _) = DuckDbScratch::open(path, &[a()], &Files::default()).unwrap();
    let mut found = Vec::new();
    for place in [Texts::AsMade, Texts::Stored] {
        scratch.reset(place).await.unwrap();
        for sql in [
            "CREATE SCHEMA analytics",
            "CREATE TABLE analytics.t(a INT, b INT)",
            "CREATE TABLE nowhere.t(a INT)",
        ] {
            assert_eq!(scratch.build(sql).await.is_ok(), !sql.contains("nowhere"));
        }
        scratch
            .rehearse(&texts(&["ALTER TABLE analytics.t DROP COLUMN b", "DROP TABLE analytics.u"]))
            .await
            .unwrap_err();
        scratch.rehearse(&texts(&["ALTER TABLE analytics.t ADD COLUMN c DATE"])).await.unwrap();
        scratch
            .rehearse(&texts(&["CREATE VIEW analytics.v AS SELECT a::DATE AS d FROM analytics.t"]))
            .await
            .unwrap();
        let made = scratch.schema(&[a()], Routines::All, Texts::AsMade).await.unwrap();
        found.push(scratch.schema(&[a()], Routines::All, Texts::Stored).await.unwrap());
        assert_eq!(made.relations[&a().object("t")].columns.len(), 3);
        assert_ne!(made, found[0], "the engine writes a cast anew");
    }
    assert_eq!(found[0], found[1]);
}

#[tokio::test]
async fn reads_from_its_log_what_it_reads_from_its_file() {
    let log = stored(DECLARED).await;
    assert!(log.relations.len() == 5 && log.routines.len() == 2, "{log:?}");
    // A sequence, and so all of it, is read from the file.
    let file = stored(&[DECLARED, &["CREATE SEQUENCE analytics.s"]].concat()).await;
    assert_eq!(log, file.only(|object| object.name != "s"));
    // A type that the engine could not read back from its log.
    let typed = stored(&[DECLARED, &["CREATE TYPE analytics.mood AS ENUM ('a')"]].concat()).await;
    assert_eq!(log.relations, typed.relations);
}

#[tokio::test]
async fn writes_what_it_did_with_the_doing_or_neither() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = writing(&folder).await;
    let good = ["CREATE SCHEMA IF NOT EXISTS analytics", "CREATE TABLE analytics.t(a INT)"];
    let bad = texts(&[good[0], good[1], "ALTER TABLE analytics.nothing ADD COLUMN b INT"]);
    let error = connection.apply(&bad, &intent(Guard::default())).await.unwrap_err();
    assert!(matches!(error, WarehouseError::Statement { .. }), "{error}");
    assert!(connection.schema(&[a()]).await.unwrap().datasets.is_empty());
    connection.apply(&texts(&good), &intent(Guard::default())).await.unwrap();
    let ledger = connection.ledger(&a()).await.unwrap();
    assert_eq!(ledger.migrations[0].by, "it's me <a@b>");
    assert_eq!(ledger.owned[&a().object("t")].source_hash, "h");
    let schema = connection.schema(&[a()]).await.unwrap();
    assert_eq!(schema.relations.len(), 1, "its own tables are not part of the schema");
    let guard = Guard { datasets: vec![a()], fingerprint: fingerprint(&schema), probes: Vec::new() };
    connection
        .apply(&texts(&["ALTER TABLE analytics.t ADD COLUMN b INT"]), &intent(guard.clone()))
        .await
        .unwrap();
    let error = connection.apply(&texts(&["DROP TABLE analytics.t"]), &intent(guard)).await.unwrap_err();
    assert!(matches!(error, WarehouseError::Moved { .. }), "{error}");
    assert_eq!(connection.ledger(&a()).await.unwrap().migrations.len(), 2);
}

#[tokio::test]
async fn drops_and_makes_again_an_index_that_was_not_loaded_yet() {
    let folder = tempfile::tempdir().unwrap();
    let made = ["CREATE SCHEMA analytics", "CREATE TABLE analytics.t(a INT PRIMARY KEY, b INT NOT NULL)"];
    let index = "CREATE INDEX i ON analytics.t(b)";
    writing(&folder).await.run(&texts(&[made[0], made[1], index])).await.unwrap();
    let alter = "ALTER TABLE analytics.t ALTER COLUMN b DROP NOT NULL";
    let mut connection = writing(&folder).await;
    connection.run(&texts(&["DROP INDEX analytics.i", alter, index])).await.unwrap();
    assert_eq!(connection.schema(&[a()]).await.unwrap().relations[&a().object("t")].indexes.len(), 1);
}

#[tokio::test]
async fn stops_a_statement_that_runs_and_leaves_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let reach = Reach::writing(vec![a()]);
    let mut connection = connect(&warehouse(&folder), &reach).await.unwrap();
    let interrupt = std::sync::Arc::clone(&reach.interrupt);
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        interrupt.store(true, Ordering::Relaxed);
    });
    let long = "CREATE TABLE analytics.t AS SELECT count(*) AS a FROM range(100000000) x, range(100000) y";
    let error = connection.run(&texts(&["CREATE SCHEMA analytics", long])).await.unwrap_err();
    assert!(matches!(error, WarehouseError::Interrupted), "{error}");
    waiting.join().unwrap();
    reach.interrupt.store(false, Ordering::Relaxed);
    assert!(connection.schema(&[a()]).await.unwrap().datasets.is_empty());
}

#[tokio::test]
async fn says_what_is_wrong_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.duckdb");
    std::fs::write(&path, "this is no database, but long enough to look at".repeat(200)).unwrap();
    let warehouse = Warehouse::DuckDb { path: path.to_string_lossy().into_owned() };
    let error = connect(&warehouse, &Reach::reading(vec![a()])).await.err().unwrap();
    assert!(matches!(error, WarehouseError::Unreachable { .. }), "{error}");
    let warehouse = Warehouse::DuckDb { path: path.join("below.duckdb").to_string_lossy().into_owned() };
    let error = connect(&warehouse, &Reach::writing(vec![a()])).await.err().unwrap();
    assert!(matches!(error, WarehouseError::Unreachable { .. }), "{error}");
    let warehouse =
        Warehouse::Postgres { url: "postgres://x:secret@127.0.0.1:1/z".to_owned(), scratch: None };
    let error = connect(&warehouse, &Reach::reading(vec![a()])).await.err().unwrap();
    assert!(!error.to_string().contains("secret"));
}
