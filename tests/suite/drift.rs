//! What somebody changed by hand is shown three-way; what a rolled back version of the code has left is no drift.

use super::support::database::Shop;
use super::support::project::{Layout, change_in_dev, shop};
use super::support::sandbox::Sandbox;

fn by_hand(sandbox: &Sandbox, sql: &str) {
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn a_change_by_hand_is_shown_three_way() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    sandbox
        .promote("shop", "drift staging --exit-code")
        .exits(0)
        .says("None: what is live is what was last applied.");
    by_hand(
        &sandbox,
        "alter table analytics.events alter happened_at type varchar; alter table analytics.events add column theirs int",
    );
    let run = sandbox.promote("shop", "drift staging --exit-code --format json").exits(10);
    let drift = &run.json()["result"]["drift"];
    assert_eq!(
        *drift,
        serde_json::json!([
            {"object": "analytics.events", "part": "column happened_at", "applied": "TIMESTAMP", "live": "VARCHAR", "declared": "TIMESTAMP"},
            {"object": "analytics.events", "part": "column theirs", "applied": null, "live": "INTEGER", "declared": null},
        ])
    );
    sandbox
        .promote("shop", "drift staging")
        .exits(0)
        .says("2 parts of what is live differ from what was last applied")
        .says("last applied  TIMESTAMP");
    change_in_dev(&sandbox, layout, "schema/more.sql", "create table more (id int);\n", "more");
    sandbox.promote("shop", "plan dev staging").says("Drift (2)").says("last applied  TIMESTAMP");
    // Taken into the files, it is what is declared, and applied with the next change.
    change_in_dev(
        &sandbox,
        layout,
        "schema/events.sql",
        "create table events (id bigint not null, happened_at varchar, theirs int);\n",
        "adopt it",
    );
    sandbox.promote("shop", "dev staging --yes").exits(0);
    by_hand(&sandbox, "drop table analytics.more");
    let run = sandbox.promote("shop", "drift staging --format json").exits(0);
    assert_eq!(run.json()["result"]["drift"][0]["object"], "analytics.more");
    assert_eq!(run.json()["result"]["drift"][0]["live"], serde_json::Value::Null);
}

#[test]
fn what_a_rolled_back_version_of_the_code_has_left_stays_and_is_said() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    change_in_dev(
        &sandbox,
        layout,
        "schema/events.sql",
        "create table events (id bigint not null, happened_at timestamp, note varchar);\n",
        "a note",
    );
    sandbox.promote("shop", "dev staging --yes").exits(0);
    sandbox.promote("shop", "rollback staging --yes").exits(0);
    let run = sandbox.promote("shop", "migrate -e staging --plan --exit-code --format json").exits(0);
    let steps = &run.json()["result"]["steps"];
    assert_eq!(steps[0]["code"], "ahead-of-code");
    assert_eq!((&steps[0]["verdict"], steps.as_array().unwrap().len()), (&"notice".into(), 1));
    let run = sandbox.promote("shop", "drift staging --exit-code --format json").exits(0).json();
    assert_eq!(run["result"]["ahead_of_code"][0], "analytics.events.note");
    // Another change of the same table leaves it alone, and it stays known.
    sandbox.promote("shop", "release staging").exits(0);
    let other = "create table events (id bigint not null, happened_at timestamp);\ncomment on table events is 'all';\n";
    change_in_dev(&sandbox, layout, "schema/events.sql", other, "another way");
    let plan = sandbox.promote("shop", "plan dev staging --leave-out --format json").json();
    assert!(plan["result"]["migration"]["steps"].as_array().is_some(), "{plan}");
    // Whoever wants it gone says so.
    sandbox
        .promote("shop", "migrate -e staging --plan --allow drop-column:analytics.events.note")
        .exits(0)
        .says("drop-column");
    sandbox.promote("shop", "migrate -e staging --yes --force").exits(0);
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    let kept: i64 = connection
        .query_row(
            "select count(*) from duckdb_columns() where table_name = 'events' and column_name = 'note'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn drift_on_postgresql_knows_keys_views_and_types() {
    let schema = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2) NOT NULL DEFAULT 0);\n\
                  CREATE VIEW big AS SELECT id, total FROM orders WHERE total > 10;\n";
    let Some(shop) = Shop::new(schema) else { return };
    shop.converge(schema, "");
    let drift = |shop: &Shop| {
        let run = shop.sandbox.promote("p", "drift --format json").exits(0).json();
        let found = run["result"]["drift"].as_array().unwrap().clone();
        found
            .iter()
            .map(|one| format!("{} {}", one["object"].as_str().unwrap(), one["part"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(drift(&shop), Vec::<String>::new());
    // Rights and rows are no part of a schema.
    shop.sql("DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN OTHERS THEN NULL; END $$; GRANT SELECT ON analytics.orders TO reader; INSERT INTO analytics.orders VALUES (1, 2)");
    assert_eq!(drift(&shop), Vec::<String>::new());
    shop.sql(
        "ALTER TABLE analytics.orders DROP CONSTRAINT orders_pkey, ALTER total DROP NOT NULL; \
         CREATE OR REPLACE VIEW analytics.big AS SELECT id, total FROM analytics.orders WHERE total > 20",
    );
    assert_eq!(
        drift(&shop),
        ["analytics.big query", "analytics.orders column total", "analytics.orders constraint orders_pkey",]
    );
}
