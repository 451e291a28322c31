//! What the data decides: counted, with up to three keys, without what is secret; and who reads what would go.

use serde_json::{Value, json};

use super::support::sandbox::Sandbox;
use super::support::server::{Server, server};

/// A project on one of the engines.
struct Shop {
    sandbox: Sandbox,
    server: Option<(&'static Server, String)>,
}

impl Shop {
    fn new(server: Option<&'static Server>) -> Self {
        let sandbox = Sandbox::new();
        let server = server.map(|server| (server, server.database()));
        let warehouse = server.as_ref().map_or_else(
            || "{kind: duckdb, path: shop.duckdb}".to_owned(),
            |(server, database)| format!("{{kind: postgres, url: \"{}\"}}", server.url("postgres", database)),
        );
        let text = format!(
            "version: 1\nproject_id: shop\ndefault_environment: prod\nwarehouse: {warehouse}\n\
             dataset: analytics\nenvironments:\n- name: prod\n"
        );
        sandbox.write("p/project.yml", text);
        Self { sandbox, server }
    }

    fn sql(&self, sql: &str) {
        match &self.server {
            Some((server, database)) => drop(server.sql(database, sql)),
            None => duckdb::Connection::open(self.sandbox.path("p/shop.duckdb"))
                .unwrap()
                .execute_batch(sql)
                .unwrap(),
        }
    }

    fn steps(&self) -> Vec<Value> {
        let run = self.sandbox.promote("p", "migrate --plan --format json");
        run.json()["result"]["steps"].as_array().cloned().unwrap_or_else(|| panic!("{}", run.everything()))
    }
}

fn step<'a>(steps: &'a [Value], code: &str, column: &str) -> &'a Value {
    let found = steps.iter().find(|step| step["code"] == code && step["column"] == column);
    found.unwrap_or_else(|| panic!("{code} {column}: {steps:#?}"))
}

fn shops() -> Vec<Shop> {
    let mut shops = vec![Shop::new(None)];
    shops.extend(server().map(|server| Shop::new(Some(server))));
    shops
}

#[test]
fn rows_that_stand_in_the_way_are_named_by_their_keys_and_no_secret_is() {
    for shop in shops() {
        let live = "CREATE TABLE t (id bigint PRIMARY KEY, x text, amount numeric(18,4), api_token text, pin text);\n";
        shop.sandbox.write("p/schema/t.sql", live);
        shop.sandbox.promote("p", "migrate --yes").exits(0);
        shop.sql(
            "INSERT INTO analytics.t VALUES (1, NULL, 1.5, 'hush-1', '1111'), (2, NULL, 1.2345, 'hush-1', '1111'), \
             (3, NULL, 1, 'b', 'c'), (4, NULL, 2, 'd', 'd'), (5, 'x', 3, 'e', 'e')",
        );
        let wanted = "CREATE TABLE t (id bigint PRIMARY KEY, x text NOT NULL, amount numeric(10,2), \
                      api_token text UNIQUE, pin text UNIQUE);\n";
        shop.sandbox.write("p/schema/t.sql", wanted);
        shop.sandbox
            .write("p/schema/t.yml", "tables:\n- name: t\n  columns:\n  - {name: pin, sensitive: true}\n");
        let steps = shop.steps();
        let probe = |code: &str, column: &str| step(&steps, code, column)["probe"].clone();
        assert_eq!(probe("set-not-null", "x")["rows"], 4);
        assert_eq!(probe("set-not-null", "x")["sample"], json!(["id=1", "id=2", "id=3"]));
        assert_eq!(probe("narrow-type", "amount")["sample"], json!(["id=2"]));
        assert_eq!(probe("add-constraint", "api_token")["sample"], json!(["api_token=••••"]));
        assert_eq!(probe("add-constraint", "pin")["sample"], json!(["pin=••••"]));
        let shown = shop.sandbox.promote("p", "migrate --plan");
        shown.says("4 rows stand in the way, such as `id=1`, `id=2`, `id=3`").keeps_quiet_about("hush-1");
        let page = shop.sandbox.promote("p", "migrate --plan --format markdown");
        page.says("such as `id=1`").keeps_quiet_about("1111");
    }
}

#[test]
fn duplicates_and_orphans_are_named_by_their_values() {
    let Some(server) = server() else { return };
    let shop = Shop::new(Some(server));
    let live = "CREATE TABLE p (id bigint PRIMARY KEY);\nCREATE TABLE t (a int NOT NULL, b int NOT NULL, p bigint);\n";
    shop.sandbox.write("p/schema/t.sql", live);
    shop.sandbox.promote("p", "migrate --yes").exits(0);
    shop.sql("INSERT INTO analytics.t VALUES (1, 1, 7), (1, 1, 8), (2, 1, NULL)");
    let wanted = live.replace("p bigint)", "p bigint REFERENCES p, PRIMARY KEY (a, b))");
    shop.sandbox.write("p/schema/t.sql", wanted);
    let steps = shop.steps();
    assert_eq!(step(&steps, "add-constraint", "p")["probe"]["sample"], json!(["p=7", "p=8"]));
    let key = steps.iter().find(|step| step["code"] == "add-constraint" && step["column"].is_null()).unwrap();
    assert_eq!(key["probe"]["sample"], json!(["a=1, b=1"]));
}

#[test]
fn the_way_from_one_type_to_another_is_asked_of_the_data_before_it_is_taken() {
    for shop in shops() {
        shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint PRIMARY KEY, x text);\n");
        shop.sandbox.promote("p", "migrate --yes").exits(0);
        shop.sql("INSERT INTO analytics.t VALUES (1, '12 kg'), (2, NULL), (3, 'none')");
        shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint PRIMARY KEY, x integer);\n");
        let using = |expression: &str| {
            let text =
                format!("tables:\n- name: t\n  columns:\n  - {{name: x, migrate_using: \"{expression}\"}}\n");
            shop.sandbox.write("p/schema/t.yml", text);
        };
        using("cast(nullif(regexp_replace(x, '[^0-9]', '', 'g'), '') as integer)");
        let refused = shop.steps();
        let refused = step(&refused, "retype-column", "x");
        assert_eq!(
            (&refused["settled"], &refused["probe"]["rows"]),
            (&json!("incompatible"), &json!(1)),
            "{refused}"
        );
        assert_eq!(refused["probe"]["sample"], json!(["id=3"]));
        using("cast(coalesce(nullif(regexp_replace(x, '[^0-9]', '', 'g'), ''), '0') as integer)");
        let steps = shop.steps();
        assert_eq!(step(&steps, "retype-column", "x")["settled"], "compatible_with_cost");
        // What reaches further than the row is not asked before somebody let it through.
        using("(select count(*) from t)");
        let run = shop.sandbox.promote("p", "migrate --plan --format json");
        assert_ne!(run.status, 0, "{}", run.everything());
        if shop.server.is_some() {
            // A value of another type than is declared: only the engine knows, where it is tried.
            using("x <> ''");
            let run = shop.sandbox.promote("p", "migrate --plan").exits(1);
            run.says("Refused: its statements fail where they were tried. Nothing has been changed.")
                .says("hint: it was tried on a copy, and nothing is changed: settle what the engine says");
        }
        using("cast(coalesce(nullif(regexp_replace(x, '[^0-9]', '', 'g'), ''), '0') as integer)");
        shop.sandbox.promote("p", "migrate --yes").exits(0);
        assert!(shop.steps().is_empty());
        let sum = "ALTER TABLE analytics.t ADD CHECK (x IS NULL OR x IN (12, 0))";
        if shop.server.is_some() {
            shop.sql(sum);
        }
    }
}

#[test]
fn an_expression_knows_a_renamed_column_by_its_new_name() {
    for shop in shops() {
        shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint PRIMARY KEY, x text);\n");
        shop.sandbox.promote("p", "migrate --yes").exits(0);
        shop.sql("INSERT INTO analytics.t VALUES (1, '12 kg'), (2, NULL)");
        // Without the key `DuckDB` has to build the table anew.
        shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint NOT NULL, weight integer);\n");
        let using = "cast(replace(weight, ' kg', '') as integer)";
        let text = format!(
            "tables:\n- name: t\n  columns:\n  - {{name: weight, renamed_from: x, migrate_using: \"{using}\"}}\n"
        );
        shop.sandbox.write("p/schema/t.yml", text);
        let steps = shop.steps();
        assert_eq!(step(&steps, "retype-column", "weight")["settled"], "compatible_with_cost", "{steps:#?}");
        shop.sandbox.promote("p", "migrate --yes --force").exits(0);
        assert!(shop.steps().is_empty());
        let sum = "SELECT CAST(sum(weight) AS varchar) FROM analytics.t";
        let sum: String = if let Some((server, database)) = &shop.server {
            server.sql(database, sum).trim().to_owned()
        } else {
            let live = duckdb::Connection::open(shop.sandbox.path("p/shop.duckdb")).unwrap();
            live.query_row(sum, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(sum, "12");
    }
}

#[test]
fn readers_are_named_with_the_line_on_which_they_read() {
    for shop in shops() {
        shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint, rate int);\n");
        let model = "-- what is left\nselect\n  id,\n  rate\nfrom {{ ref('t') }}\n";
        shop.sandbox.write("p/models/m.sql", model);
        shop.sandbox.promote("p", "migrate --yes").exits(0);
        shop.sql(
            "CREATE VIEW analytics.theirs AS SELECT rate AS r FROM analytics.t; \
             CREATE VIEW analytics.further AS SELECT r FROM analytics.theirs; INSERT INTO analytics.t VALUES (1, 1)",
        );
        if shop.server.is_some() {
            shop.sql(
                "CREATE FUNCTION analytics.ask() RETURNS bigint LANGUAGE plpgsql AS \
                 'BEGIN RETURN (SELECT sum(rate) FROM analytics.t); END'",
            );
        }
        shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint, rate text);\n");
        let steps = shop.steps();
        let affected = step(&steps, "retype-column", "rate")["affected"].as_array().unwrap().clone();
        let find = |name: &str| affected.iter().find(|one| one["object"] == format!("analytics.{name}"));
        assert_eq!(find("m").unwrap()["where"], "models/m.sql:4");
        assert_eq!(find("theirs").unwrap()["managed"], false);
        assert_eq!(find("further").unwrap()["through"], "analytics.theirs");
        assert_eq!(find("ask").is_some(), shop.server.is_some(), "{affected:?}");
        shop.sandbox.promote("p", "migrate --plan").says("`analytics.m` (models/m.sql:4)");
    }
}

#[test]
fn a_macro_that_would_break_stops_the_plan_with_force_too() {
    let shop = Shop::new(None);
    shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint, rate int);\n");
    shop.sandbox.write("p/routines/f.sql", "create macro f(a) as table select rate * a as r from t;\n");
    shop.sandbox.promote("p", "migrate --yes").exits(0);
    shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id bigint);\n");
    let run = shop.sandbox.promote("p", "migrate --yes --force");
    assert_ne!(run.status, 0, "{}", run.everything());
    run.says("routines/f.sql").says("rate");
}

#[test]
fn a_check_that_does_more_than_compute_is_not_asked_of_live_rows() {
    for shop in shops() {
        let live = "CREATE TABLE t (id bigint PRIMARY KEY, w text);\n";
        shop.sandbox.write("p/schema/t.sql", live);
        shop.sandbox.promote("p", "migrate --yes").exits(0);
        shop.sql("INSERT INTO analytics.t VALUES (1, '1')");
        let (mut cases, mut canary) = (vec![("random() < 2 OR w = 'x'".to_owned(), "random")], None);
        if let Some((server, database)) = &shop.server {
            let file = server.writable(&format!("plan-{database}"));
            shop.sql("SELECT lo_from_bytea(4711, 'x')");
            cases = vec![
                (format!("lo_export(4711, '{}') > 0", file.display()), "lo_export"),
                ("length(pg_read_file('PG_VERSION')) > 1000".to_owned(), "pg_read_file"),
                ("pg_terminate_backend(w::int) OR true".to_owned(), "pg_terminate_backend"),
            ];
            canary = Some(file);
        }
        for (check, named) in cases {
            let wanted = live.replace("w text", &format!("w text, CONSTRAINT c CHECK ({check})"));
            shop.sandbox.write("p/schema/t.sql", wanted);
            let steps = shop.steps();
            let step = steps.iter().find(|step| step["code"] == "add-constraint").unwrap();
            let reason = step["reason"].as_str().unwrap();
            let said = format!("the data is not asked, as `{named}` may do more than compute");
            assert!(reason.contains(&said), "{reason}");
            assert_eq!((&step["settled"], &step["probe"]), (&json!("needs_data_check"), &Value::Null));
            assert!(!step.to_string().contains("LIMIT 10"), "nor is it offered to be run: {step:#}");
            assert!(!canary.as_ref().is_some_and(|file| file.exists()), "{check}");
        }
        // One that only computes is.
        let wanted =
            live.replace("w text", "w text, CONSTRAINT c CHECK (w IS DISTINCT FROM 'x' AND w IN ('1', '2'))");
        shop.sandbox.write("p/schema/t.sql", wanted);
        let steps = shop.steps();
        let step = steps.iter().find(|step| step["code"] == "add-constraint").unwrap();
        assert_eq!(step["probe"]["rows"], 0, "{step:#}");
    }
}

#[test]
fn a_null_counts_where_a_key_says_that_it_equals_others() {
    let Some(server) = server() else { return };
    let shop = Shop::new(Some(server));
    shop.sandbox.write("p/schema/t.sql", "CREATE TABLE t (id int);\n");
    shop.sandbox.promote("p", "migrate --yes").exits(0);
    shop.sql("INSERT INTO analytics.t VALUES (1), (NULL), (NULL)");
    for (wanted, settled) in [
        ("CREATE TABLE t (id int UNIQUE);\n", "compatible_with_cost"),
        ("CREATE TABLE t (id int UNIQUE NULLS NOT DISTINCT);\n", "incompatible"),
        ("CREATE TABLE t (id int, n int UNIQUE NULLS NOT DISTINCT);\n", "needs_data_check"),
        ("CREATE TABLE t (id int);\nCREATE UNIQUE INDEX i ON t (id);\n", "compatible_with_cost"),
        ("CREATE TABLE t (id int);\nCREATE UNIQUE INDEX i ON t (id) NULLS NOT DISTINCT;\n", "incompatible"),
        (
            "CREATE TABLE t (id int);\nCREATE UNIQUE INDEX i ON t (id) NULLS NOT DISTINCT WHERE id > 0;\n",
            "compatible_with_cost",
        ),
    ] {
        shop.sandbox.write("p/schema/t.sql", wanted);
        let steps = shop.steps();
        let coming = |step: &&Value| step["code"] == "add-constraint" || step["code"] == "create-index";
        let step = steps.iter().find(coming).unwrap_or_else(|| panic!("{wanted}: {steps:#?}"));
        assert_eq!(step["settled"], settled, "{wanted}: {step:#}");
    }
}
