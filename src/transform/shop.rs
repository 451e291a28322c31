//! The example project on a real DuckDB: it loads, every statement runs, and the numbers are sensible.

use std::collections::BTreeMap;
use std::path::Path;

use duckdb::Connection;

use super::{Refreshment, refreshments, schedule};
use crate::model::coordinate::Dataset;
use crate::model::environment::{Environment, Force, Gates, Migrate, Paths, ProofPolicy, Warehouse};
use crate::model::name::EnvironmentName;
use crate::model::snapshot::Snapshot;
use crate::models::{Context, DeclaredColumn, Materialized, Models, Object, load, select};
use crate::sql;

/// Reads the files of a folder.
fn snapshot(root: &Path) -> Snapshot {
    crate::config::read_work_tree(root, &|_| true).unwrap()
}

fn environment(dataset: &str) -> Environment {
    let folder = |name: &str| vec![name.to_owned()];
    Environment {
        name: EnvironmentName::new("dev"),
        workspace: None,
        warehouse: Some(Warehouse::DuckDb { path: ":memory:".into() }),
        dataset: Some(Dataset::new(dataset)),
        vars: BTreeMap::from([
            ("currency".to_owned(), "EUR".into()),
            ("first_order_date".to_owned(), "2025-01-01".into()),
            ("loyal_after_orders".to_owned(), 3.into()),
        ]),
        paths: Paths {
            models: folder("models"),
            schema: folder("schema"),
            routines: folder("routines"),
            seeds: folder("seeds"),
            macros: folder("macros"),
            tests: folder("tests"),
        },
        sources: Vec::new(),
        migrate: Migrate::Promotion,
        force: Force::Allowed,
        proof: ProofPolicy::Offered,
        gates: Gates::default(),
    }
}

fn shop(dataset: &str) -> Models {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
    let environment = environment(dataset);
    let variables = BTreeMap::new();
    let context = Context { environment: &environment, other_datasets: vec![], variables: &variables };
    load(&snapshot(&root), &context).unwrap_or_else(|error| panic!("{:#?}", error.faults()))
}

/// Makes what the migration would make.
fn create(object: &Object, seed_path: &str) -> Vec<String> {
    let name = sql::qualified(&object.coordinate);
    if !object.statements.is_empty() {
        return object.statements.clone();
    }
    let query = object.seed_select(seed_path).or_else(|| object.sql.clone()).unwrap();
    if object.materialized == Materialized::View {
        return vec![format!("CREATE VIEW {name} AS {query}")];
    }
    if object.seed.is_some() || object.declared.is_empty() {
        return vec![format!("CREATE TABLE {name} AS SELECT * FROM ({query}) LIMIT 0")];
    }
    let column = |column: &DeclaredColumn| {
        let not_null = if column.not_null { " NOT NULL" } else { "" };
        format!("{} {}{not_null}", sql::quote(&column.name), column.data_type.as_ref().unwrap())
    };
    let columns: Vec<String> = object.declared.iter().map(column).collect();
    vec![format!("CREATE TABLE {name} ({})", columns.join(", "))]
}

fn run(connection: &Connection, refreshment: &Refreshment) -> u64 {
    if let Some(seed) = &refreshment.seed {
        std::fs::write(&seed.path, &seed.csv).unwrap();
    }
    let sql = format!("BEGIN; {}; COMMIT", refreshment.statements.join("; "));
    connection.execute_batch(&sql).unwrap_or_else(|error| panic!("{}: {error}\n{sql}", refreshment.model));
    connection.query_row(&refreshment.count, [], |row| row.get(0)).unwrap()
}

/// Fills every table; gives the rows of each.
fn filled(connection: &Connection, models: &Models, folder: &Path) -> BTreeMap<String, u64> {
    let runs = schedule(models, &select(models, &[]).unwrap());
    let refreshments = refreshments(models, &runs, folder.to_str().unwrap()).unwrap();
    refreshments.iter().map(|one| (one.model.clone(), run(connection, one))).collect()
}

/// Loads, creates and fills the shop in a database of its own.
fn built(dataset: &str, folder: &Path) -> (Connection, Models, BTreeMap<String, u64>) {
    let models = shop(dataset);
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("CREATE SCHEMA {dataset}")).unwrap();
    for object in &models.objects {
        let seed_path = folder.join("seed.csv");
        if let Some(seed) = &object.seed {
            std::fs::write(&seed_path, &seed.csv).unwrap();
        }
        for statement in create(object, seed_path.to_str().unwrap()) {
            connection
                .execute_batch(&statement)
                .unwrap_or_else(|error| panic!("{}: {error}\n{statement}", object.name));
        }
    }
    let rows = filled(&connection, &models, folder);
    (connection, models, rows)
}

fn text(connection: &Connection, sql: &str) -> String {
    connection.query_row(&format!("SELECT ({sql})::VARCHAR"), [], |row| row.get(0)).unwrap()
}

#[test]
fn the_example_runs_and_its_numbers_are_sensible() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, models, rows) = built("shop", folder.path());
    assert_eq!(models.findings, []);
    assert_eq!(models.objects.len(), 19);
    assert_eq!((rows["raw_orders"], rows["orders"], rows["customers"], rows["products"]), (39, 38, 24, 18));
    for (question, answer) in [
        // Every order is in the mart, once.
        (
            "(SELECT sum(revenue) FROM shop.daily_revenue) = (SELECT sum(net_amount) FROM shop.orders WHERE is_sale)",
            "true",
        ),
        (
            "(SELECT sum(lifetime_value) FROM shop.customer_lifetime_value) = (SELECT sum(revenue) FROM shop.daily_revenue)",
            "true",
        ),
        ("SELECT count(DISTINCT segment) FROM shop.customer_lifetime_value", "3"),
        ("SELECT count(*) FROM shop.product_performance WHERE gross_profit < 0", "0"),
        ("SELECT count(*) FROM shop.orders WHERE net_amount <= 0", "0"),
        ("SELECT count(*) FROM shop.stock_on_hand", "18"),
        ("SELECT email FROM shop.customers WHERE last_name = 'O''Sullivan'", "nora.osullivan@example.com"),
        ("SELECT count(*) FROM shop.customers WHERE email IS NULL", "1"),
        ("SELECT margin_percent FROM shop.products WHERE sku = 'HP-LMP-01'", "52.3"),
        ("SELECT count(*) = 1 + max(day) - min(day) FROM shop.daily_revenue", "true"),
        ("SELECT count(*) FROM shop.orders o ANTI JOIN shop.customers c USING (customer_id)", "0"),
        ("SELECT max(order_date) < DATE '2025-04-01' FROM shop.orders", "true"),
    ] {
        assert_eq!(text(&connection, question), answer, "{question}");
    }
    // A second run gives the same.
    assert_eq!(filled(&connection, &models, folder.path()), rows);
}

#[test]
fn the_example_goes_to_another_dataset_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, models, _) = built("shop_staging", folder.path());
    assert_eq!(models.datasets, [Dataset::new("shop_staging")]);
    let elsewhere =
        "SELECT count(*) FROM duckdb_columns() WHERE schema_name <> 'shop_staging' AND NOT internal";
    assert_eq!(text(&connection, elsewhere), "0");
}

#[test]
fn a_run_replaces_rows_of_tables_with_keys_and_further_columns() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("t.duckdb")).unwrap();
    connection
        .execute_batch(
            "CREATE SCHEMA s;
             CREATE TABLE s.t (id INTEGER PRIMARY KEY, extra VARCHAR DEFAULT 'kept', name VARCHAR NOT NULL UNIQUE);
             CREATE INDEX t_name ON s.t (name);
             INSERT INTO s.t VALUES (1, 'x', 'a'), (2, 'y', 'b'); CHECKPOINT",
        )
        .unwrap();
    connection.close().unwrap();
    let connection = Connection::open(folder.path().join("t.duckdb")).unwrap();
    for (_, expected) in
        [(1, "[{'id': 1, 'extra': kept, 'name': b}, {'id': 2, 'extra': kept, 'name': c}]"); 2]
    {
        connection
            .execute_batch(
                "BEGIN; DELETE FROM s.t; INSERT INTO s.t BY NAME SELECT 'b' AS name, 1 AS id UNION ALL SELECT 'c', 2; COMMIT",
            )
            .unwrap();
        assert_eq!(text(&connection, "SELECT list(t ORDER BY id) FROM s.t"), expected);
    }
    let failed = connection.execute_batch(
        "BEGIN; DELETE FROM s.t; INSERT INTO s.t BY NAME SELECT 3 AS id, NULL AS name; COMMIT",
    );
    assert!(failed.is_err());
    drop(connection.execute_batch("ROLLBACK"));
    assert_eq!(text(&connection, "SELECT count(*) FROM s.t"), "2");
}

#[test]
fn every_word_that_the_engine_reserves_is_quoted() {
    let connection = Connection::open_in_memory().unwrap();
    let mut words = connection
        .prepare("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function') ORDER BY 1")
        .unwrap();
    let words: Vec<String> = words.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let bare: Vec<&String> = words.iter().filter(|word| !sql::quote(word).starts_with('"')).collect();
    assert!(!words.is_empty() && bare.is_empty(), "{bare:?}");
}
