//! What DuckDB does not take is named, with its place and the engine's own words, and nothing is changed.

use super::support::sandbox::Sandbox;

const ORDERS: &str = "create table orders (id bigint primary key, total decimal(10,2));\n";

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "p/project.yml",
        "version: 1\nproject_id: shop\ndefault_environment: prod\nwarehouse: {kind: duckdb, path: shop.duckdb}\n\
         dataset: analytics\nenvironments:\n- name: prod\n",
    );
    sandbox.write("p/schema/all.sql", ORDERS);
    sandbox.promote("p", "migrate --yes").exits(0);
    sandbox
}

fn bytes(sandbox: &Sandbox) -> Vec<u8> {
    std::fs::read(sandbox.path("p/shop.duckdb")).unwrap()
}

#[track_caller]
fn converges(sandbox: &Sandbox, schema: &str) {
    sandbox.write("p/schema/all.sql", schema);
    sandbox.promote("p", "migrate --yes").exits(0);
    sandbox.promote("p", "migrate --plan --exit-code").exits(0);
}

#[test]
fn declarations_that_the_engine_does_not_take_have_their_place() {
    let sandbox = project();
    let before = bytes(&sandbox);
    for (bad, line, says) in [
        ("create table t (\n  id int,,\n);\n", 3, "syntax error at or near \\\",\\\""),
        ("create table t (\n  id int,\n  x uint128x\n);\n", 4, "uint128x"),
        ("create table t (id int);\ncreate view v as\n  select nothing from t;\n", 4, "nothing"),
        ("create table select (id int);\n", 2, "syntax error at or near \\\"select\\\""),
        ("create sequence s;\n", 2, "no sequence is managed"),
        (
            "create view a as select * from b;\ncreate view b as select * from a;\n",
            0,
            "in a circle: a → b → a",
        ),
        ("create view a as select * from a;\n", 2, "a"),
    ] {
        sandbox.write("p/schema/all.sql", format!("{ORDERS}{bad}"));
        let run = sandbox.promote("p", "migrate --yes --format json").exits(3).says(says);
        let findings = &run.json()["findings"];
        if line > 0 {
            let place = (&findings[0]["where"]["file"], &findings[0]["where"]["line"]);
            assert_eq!(place, (&"schema/all.sql".into(), &line.into()), "{bad}\n{}", run.everything());
        }
        assert_eq!(bytes(&sandbox), before, "{bad}");
    }
}

#[test]
fn names_of_every_length_and_script_and_reserved_ones_work() {
    let sandbox = project();
    let (long, longer, wide) = ("n".repeat(63), "m".repeat(200), "日本語".repeat(20));
    let schema = format!(
        "{ORDERS}create table {long} (\"{wide}\" int, \"user\" int, \"a \"\"quoted\"\" one\" int);\n\
         create table \"{longer}\" (\"select\" int primary key);\ncreate table \"Ünïcode tablé\" (id int);\n\
         create view \"order\" as select \"{wide}\", \"user\" from {long};\ncreate index \"index\" on {long} (\"user\");\n"
    );
    converges(&sandbox, &schema);
    converges(
        &sandbox,
        &schema
            .replace("\"user\" int,", "\"user\" bigint,")
            .replace("(id int)", "(id int, \"from\" int)")
            .replace("\"a \"\"quoted\"\" one\" int", "\"a \"\"quoted\"\" one\" int default 3"),
    );
}

#[test]
fn a_table_of_the_same_name_that_is_not_ours_is_left_alone_until_it_is_adopted() {
    let sandbox = project();
    let connection = duckdb::Connection::open(sandbox.path("p/shop.duckdb")).unwrap();
    connection
        .execute_batch("create table analytics.theirs (x int); insert into analytics.theirs values (1)")
        .unwrap();
    drop(connection);
    let before = bytes(&sandbox);
    sandbox.write("p/schema/all.sql", format!("{ORDERS}create table theirs (x int, y int);\n"));
    for flags in ["--yes", "--yes --force"] {
        sandbox.promote("p", &format!("migrate {flags}")).exits(1).says("not-ours").says("--adopt");
        assert_eq!(bytes(&sandbox), before);
    }
    sandbox.promote("p", "migrate --yes --adopt analytics.theirs").exits(0);
    sandbox.promote("p", "migrate --plan --exit-code").exits(0);
}

#[test]
fn a_file_that_another_process_holds_is_busy_with_its_pid() {
    let sandbox = project();
    sandbox.write("p/schema/all.sql", format!("{ORDERS}create table more (x int);\n"));
    let holder = super::support::holder::hold(&sandbox, "p/shop.duckdb");
    for command in ["migrate --plan", "migrate --yes", "migrate --import --yes", "drift"] {
        sandbox.promote("p", command).exits(5).says(&holder.pid().to_string()).says("hint:");
    }
    drop(holder);
    sandbox.promote("p", "migrate --yes").exits(0);
}
