//! A migration's plan in a file: applied as it was shown, or refused as stale with what differs.

use super::support::sandbox::Sandbox;

const TABLE: &str = "create table events (id bigint not null);\n";
const WIDER: &str = "create table events (id bigint not null, note varchar);\n";

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "p/project.yml",
        "version: 1\nproject_id: shop\ndefault_environment: dev\nwarehouse: {kind: duckdb, path: shop.duckdb}\n\
         dataset: analytics\nenvironments:\n- name: dev\n- name: other\n  dataset: elsewhere\n",
    );
    sandbox.write("p/schema/events.sql", TABLE);
    sandbox
}

fn columns(sandbox: &Sandbox, schema: &str) -> String {
    let connection = duckdb::Connection::open(sandbox.path("p/shop.duckdb")).unwrap();
    connection
        .query_row(
            "select coalesce(string_agg(column_name, ',' order by column_index), '') from duckdb_columns() \
             where schema_name = ? and table_name = 'events'",
            [schema],
            |row| row.get(0),
        )
        .unwrap()
}

#[test]
fn a_saved_migration_is_shown_again_and_applied_as_it_is() {
    let sandbox = project();
    sandbox.promote("p", "migrate -e other --save m.json").exits(0).says("create-table");
    assert!(!sandbox.path("p/shop.duckdb").exists(), "a plan leaves nothing behind");
    sandbox.promote("p", "show m.json").exits(0).says("create-table").says("Migration of other");
    sandbox.promote("p", "apply m.json").exits(1).says("there is no terminal to ask at");
    sandbox.promote("p", "apply m.json --yes").exits(0).says("Migrated");
    assert_eq!(
        (columns(&sandbox, "elsewhere"), columns(&sandbox, "analytics")),
        ("id".into(), String::new())
    );
    sandbox.promote("p", "apply m.json --yes").exits(6).says("the live schema moved");
}

#[test]
fn a_stale_one_is_refused_with_what_differs_and_nothing_is_changed() {
    let sandbox = project();
    sandbox.promote("p", "migrate --yes").exits(0);
    sandbox.write("p/schema/events.sql", WIDER);
    sandbox.promote("p", "migrate --save m.json").exits(0);
    sandbox.write("p/schema/events.sql", WIDER.replace("varchar", "integer"));
    sandbox
        .promote("p", "apply m.json --yes")
        .exits(6)
        .says("what the files declare changed")
        .says("promote migrate -e dev --save FILE");
    sandbox.write("p/schema/events.sql", WIDER);
    let connection = duckdb::Connection::open(sandbox.path("p/shop.duckdb")).unwrap();
    connection.execute_batch("alter table analytics.events add column theirs integer").unwrap();
    drop(connection);
    sandbox.promote("p", "apply m.json --yes").exits(6).says("the live schema moved").says("drop-column");
    assert_eq!(columns(&sandbox, "analytics"), "id,theirs");
    for (text, why) in [
        ("{}", "it has no format"),
        ("{\"format\": 9}", "it has format 9"),
        ("nonsense", "expected ident"),
        ("{\"format\": 1, \"migration\": 3}", "invalid type: integer `3`"),
    ] {
        sandbox.write("p/bad.json", text);
        sandbox.promote("p", "apply bad.json --yes").exits(2).says("holds no saved plan").says(why);
    }
}

#[test]
fn another_dataset_takes_what_is_written_out_with_the_environments_own() {
    let sandbox = project();
    sandbox.write(
        "p/schema/wide.sql",
        "create view wide as select analytics.events.id from analytics.events;\n",
    );
    let plan = sandbox.promote("p", "migrate --plan --dataset another --format json").exits(0);
    let steps = plan.json()["result"]["steps"].to_string();
    assert!(steps.contains("another.events.id FROM another.events"), "{steps}");
    assert!(!steps.contains("analytics"), "{steps}");
}
