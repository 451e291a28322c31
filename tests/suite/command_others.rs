//! The other verbs: config, migrate, run, history, hold, check, init, schema.

use super::support::project::{Layout, change_in_dev, shop};
use super::support::sandbox::Sandbox;

/// The example of the documentation that the configuration follows, word for word.
const AUTH0: &str = include_str!("../../fixtures/auth0/meltano.yml");

#[test]
fn shows_what_each_environment_runs_with_and_where_it_stands() {
    let sandbox = Sandbox::new();
    sandbox.write("auth0/meltano.yml", AUTH0);
    for (name, client_id, line, domain, domain_line) in [
        ("dev", "39Pu9tTomnTv594VAFYnmRvkEpSlI7a6", 11, "matatika-staging.eu.auth0.com", 31),
        ("staging", "4Zd5QXqHKNoKq4ySx8CP1UBm5eIUgh7t", 18, "matatika-staging.eu.auth0.com", 31),
        ("prod", "u4kcVHKUD9lkbUbXA3eXCt88scStaqHM", 25, "matatika.eu.auth0.com", 26),
    ] {
        let run = sandbox.promote("auth0", &format!("config show -e {name} --format json")).exits(0);
        let plugin = &run.json()["result"]["plugins"]["extractors/tap-auth0"];
        assert_eq!(plugin["config"]["client_id"], client_id);
        assert_eq!(plugin["config"]["domain"], domain);
        assert_eq!(plugin["origins"]["client_id"]["line"], line);
        assert_eq!(plugin["origins"]["domain"]["line"], domain_line);
        sandbox.promote("auth0", &format!("config show -e {name}")).exits(0).says(client_id).says(domain);
    }
    sandbox
        .promote("auth0", "config show")
        .exits(0)
        .says("39Pu9tTomnTv594VAFYnmRvkEpSlI7a6")
        .says("default_environment");
    let by_variable = sandbox.promote_with("auth0", "config show", ("MELTANO_ENVIRONMENT", "prod"));
    by_variable.exits(0).says("u4kcVHKUD9lkbUbXA3eXCt88scStaqHM").says("MELTANO_ENVIRONMENT");
}

#[test]
fn migrates_one_environment_and_a_second_plan_is_empty() {
    let sandbox = shop(Layout::Branches);
    sandbox.promote("shop", "migrate -e staging --plan --exit-code").exits(10).says("analytics.orders");
    assert!(!sandbox.path("data/staging.duckdb").exists());
    sandbox.promote("shop", "migrate -e staging --yes").exits(0);
    sandbox.promote("shop", "migrate -e staging --plan --exit-code").exits(0);
    sandbox.promote("shop", "migrate -e staging --yes --dataset elsewhere").exits(0);
    sandbox.promote("shop", "run -e staging --dataset elsewhere").exits(0);
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    let count: i64 = connection
        .query_row(
            "select count(distinct schema_name) from duckdb_tables() where table_name = 'orders'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(count, 2, "both datasets hold the table");
    let rows = |dataset: &str| -> i64 {
        let sql = format!("select count(*) from {dataset}.orders");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((rows("elsewhere"), rows("analytics")), (3, 0), "only the one that was named was built");
}

#[test]
fn builds_the_models_and_sources_stay_where_they_are() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    connection
        .execute_batch("create schema raw; create table raw.payments as select 1 as id, 5 as paid")
        .unwrap();
    drop(connection);
    change_in_dev(
        &sandbox,
        layout,
        "models/paid.sql",
        "{{ config(materialized='table') }}\nselect id, paid from {{ source('raw', 'payments') }}\n",
        "payments",
    );
    sandbox.promote("shop", "dev staging --yes --run").exits(0).says("paid");
    sandbox.promote("shop", "run -e staging --plan").exits(0).says("orders");
    sandbox.promote("shop", "run -e staging").exits(0);
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    let paid: i64 =
        connection.query_row("select sum(paid) from analytics.paid", [], |row| row.get(0)).unwrap();
    let revenue: i64 = connection
        .query_row("select sum(revenue)::bigint from analytics.revenue", [], |row| row.get(0))
        .unwrap();
    assert_eq!((paid, revenue), (5, 60));
}

#[test]
fn holds_and_releases() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", "select 1 as one\n", "simplify");
    sandbox.promote_words("shop", &["hold", "staging", "--reason", "the audit runs"]).exits(0);
    sandbox
        .promote("shop", "dev staging --yes")
        .exits(1)
        .says("the audit runs")
        .says("promote release staging");
    sandbox.promote("shop", "release staging").exits(0);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    sandbox.promote("shop", "history staging").exits(0).says("the audit runs").says("dev");
    sandbox.promote("shop", "history staging --verify").exits(0);
}

#[test]
fn starts_projects() {
    let sandbox = Sandbox::new();
    sandbox.write("new/.keep", "");
    sandbox.promote("new", "init").exits(0).says("project.yml");
    sandbox.promote("new", "check").exits(0);
    sandbox.promote("new", "init").exits(1).says("project.yml");
    sandbox.promote(".", "init --example example").exits(0).says("cd example");
    sandbox.write("here/.keep", "");
    sandbox.promote("here", "init --example").exits(0).says("in this folder").keeps_quiet_about("cd ");
    sandbox.promote("example", "check").exits(0);
    sandbox.write("meltano/meltano.yml", AUTH0);
    sandbox.promote("meltano", "init").exits(0).says("annotations");
    sandbox.promote("meltano", "check").exits(0);
    let text = sandbox.read("meltano/meltano.yml");
    assert!(text.starts_with("version: 1\ndefault_environment: dev\n"), "{text}");
}

#[test]
fn results_are_as_their_schemas_say() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", "select 1 as one\n", "simplify");
    let validator = |name: &str| {
        let schema = sandbox.promote("shop", &format!("schema {name}")).exits(0).json();
        jsonschema::validator_for(&schema).expect("the schema is one")
    };
    let envelope = validator("envelope");
    for (words, name) in [
        ("plan dev staging --format json", "plan"),
        ("dev staging --yes --format json", "plan"),
        ("plan dev nowhere --format json", "plan"),
        ("config show -e dev --format json", "config-show"),
        ("migrate -e staging --plan --format json", "migrate"),
        ("run -e staging --format json", "run"),
        ("history staging --format json", "history"),
    ] {
        let run = sandbox.promote("shop", words);
        let document = run.json();
        let mut faults: Vec<String> =
            envelope.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        if !document["result"].is_null() {
            let result = validator(name);
            faults.extend(
                result.iter_errors(&document["result"]).map(|e| format!("result{}: {e}", e.instance_path())),
            );
        }
        assert!(faults.is_empty(), "{words}\n{faults:#?}\n{}", run.stdout);
    }
}

#[test]
fn what_is_remembered_of_a_warehouse_never_hides_what_changed_in_it() {
    let layout = Layout::Branches;
    let mut sandbox = shop(layout);
    // Only the real clock tells how old a file is.
    sandbox.unset("SOURCE_DATE_EPOCH");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    std::thread::sleep(std::time::Duration::from_secs(4));
    for _ in 0..3 {
        sandbox.promote("shop", "migrate -e staging --plan --exit-code").exits(0);
    }
    let kept = std::fs::read_dir(sandbox.path("cache/declared")).unwrap().count();
    assert!(kept >= 2, "the schema that was seen and the one that is declared are remembered: {kept}");
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    connection.execute_batch("drop view analytics.revenue").unwrap();
    drop(connection);
    sandbox.promote("shop", "migrate -e staging --plan --exit-code").exits(10).says("analytics.revenue");
    std::thread::sleep(std::time::Duration::from_secs(4));
    for _ in 0..2 {
        sandbox.promote("shop", "migrate -e staging --plan --exit-code").exits(10).says("analytics.revenue");
    }
    sandbox.promote("shop", "migrate -e staging --yes").exits(0);
    sandbox.promote("shop", "migrate -e staging --plan --exit-code").exits(0);
}

#[test]
fn a_plan_is_the_same_wherever_in_the_project_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let project = "version: 1\nwarehouse: {kind: duckdb, path: data/d.duckdb}\ndataset: a\nenvironments: [{name: dev, workspace: {branch: dev}}]\n";
    sandbox.write("p/project.yml", project).write("p/schema/t.sql", "create table t (id integer);\n");
    let plan = |folder: &str| sandbox.promote(folder, "migrate -e dev --plan --format json").exits(0).json();
    let (top, deep) = (plan("p"), plan("p/schema"));
    assert_eq!(top["result"]["target"]["warehouse"], "duckdb data/d.duckdb");
    assert_eq!(top, deep);
}
