//! A project from what is live: files that declare just that, and a plan right after has nothing to do.

use serde_json::Value;

use super::support::database::Shop;
use super::support::sandbox::{Run, Sandbox};

const POSTGRES: &str = "
CREATE SCHEMA analytics; SET search_path = analytics;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy'); COMMENT ON TYPE mood IS 'how';
CREATE TYPE address AS (street text, \"Zip Code\" int);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE SEQUENCE numbers START 10 INCREMENT 5;
CREATE FUNCTION vat(a numeric, rate numeric DEFAULT 0.2) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT a * rate $$;
CREATE FUNCTION vat(a int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a $$;
CREATE PROCEDURE touch() LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
CREATE TABLE customers (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, feels mood DEFAULT 'happy', lives address,
  n positive, \"Mixed Case\" int, \"select\" int, ü text COLLATE \"C\", created timestamptz NOT NULL DEFAULT now(), tags text[] DEFAULT '{}');
COMMENT ON TABLE customers IS 'it''s them'; COMMENT ON COLUMN customers.\"Mixed Case\" IS 'odd';
CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE, parent int REFERENCES orders,
  total numeric(10,2) DEFAULT 0 CHECK (total >= 0), gross numeric GENERATED ALWAYS AS (total * 1.2) STORED, counts serial,
  number bigint DEFAULT nextval('numbers'), EXCLUDE USING btree (id WITH =)) WITH (fillfactor = 70);
CREATE UNIQUE INDEX orders_total ON orders (lower(total::text), customer_id) WHERE total > 10;
CREATE VIEW big AS SELECT o.id, o.total, c.email, vat(o.total) AS vat FROM orders o JOIN customers c ON c.id = o.customer_id;
COMMENT ON VIEW big IS 'big ones'; COMMENT ON COLUMN big.vat IS 'tax';
CREATE VIEW small WITH (security_barrier) AS SELECT id, total FROM orders WHERE total < 10 WITH CASCADED CHECK OPTION;
CREATE VIEW \"Bigger\" AS SELECT b.*, 'analytics.orders' AS words, 'sad'::mood AS feels FROM big b;
CREATE MATERIALIZED VIEW counted AS SELECT customer_id, count(*) AS n FROM orders GROUP BY 1;
CREATE UNIQUE INDEX ON counted (customer_id);
CREATE FUNCTION looks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER orders_look BEFORE UPDATE ON orders FOR EACH ROW WHEN (old.total IS DISTINCT FROM new.total) EXECUTE FUNCTION looks();
CREATE TABLE parted (d date) PARTITION BY RANGE (d); CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
GRANT SELECT ON orders TO public;
INSERT INTO customers (email) VALUES ('a'), ('b'); INSERT INTO orders (customer_id, total) VALUES (1, 5), (2, 50);";

const DUCKDB: &str = "
CREATE SCHEMA analytics; USE analytics;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE MACRO cents(a) AS a * 100;
CREATE MACRO wide(a, b) AS TABLE SELECT a AS x, b AS y;
CREATE TABLE customers (id BIGINT PRIMARY KEY, email VARCHAR NOT NULL UNIQUE, feels mood DEFAULT 'sad',
  lives STRUCT(street VARCHAR, \"Zip Code\" INTEGER), \"Mixed Case\" INTEGER, \"select\" INTEGER, ü VARCHAR,
  created TIMESTAMPTZ DEFAULT now(), tags VARCHAR[], prices MAP(VARCHAR, DECIMAL(12,2)));
COMMENT ON TABLE customers IS 'it''s them'; COMMENT ON COLUMN customers.\"Mixed Case\" IS 'odd';
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id BIGINT NOT NULL REFERENCES customers(id), parent INTEGER,
  total DECIMAL(10,2) DEFAULT 0 CHECK (total >= 0), gross DECIMAL(12,2) AS (total * 1.2), note VARCHAR DEFAULT 'it''s');
CREATE INDEX orders_note ON orders (note);
CREATE VIEW big AS SELECT o.id, o.total, analytics.cents(o.total) AS c FROM analytics.orders AS o WHERE o.total > 10;
CREATE VIEW \"Bigger\" AS SELECT analytics.big.id, 'analytics.orders' AS words FROM analytics.big;
COMMENT ON VIEW big IS 'big ones';
CREATE VIEW bare AS SELECT o.id, customers.email FROM orders AS o INNER JOIN customers ON (customers.id = o.customer_id);
CREATE VIEW barer AS WITH c AS (SELECT id FROM bare) SELECT c.id FROM c, (SELECT email FROM bare) AS s WHERE c.id IN (SELECT id FROM orders);
CREATE SEQUENCE numbers; CREATE TABLE counted (n BIGINT DEFAULT nextval('analytics.numbers'));
INSERT INTO customers (id, email) VALUES (1, 'a'); INSERT INTO orders (id, customer_id, total) VALUES (1, 1, 50);";

/// A project on DuckDB whose database holds something.
fn on_duckdb(sql: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "p/project.yml",
        "version: 1\nproject_id: shop\ndefault_environment: prod\nwarehouse: {kind: duckdb, path: shop.duckdb}\n\
         dataset: analytics\nenvironments:\n- name: prod\n",
    );
    let connection = duckdb::Connection::open(sandbox.path("p/shop.duckdb")).unwrap();
    connection.execute_batch(sql).unwrap();
    sandbox
}

fn import(sandbox: &Sandbox, flags: &str) -> Run {
    sandbox.promote("p", &format!("migrate --import {flags} --format json"))
}

fn files(sandbox: &Sandbox) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(sandbox.path("p/schema")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The findings of a code, as messages.
fn said(run: &Run, code: &str) -> Vec<String> {
    let findings = run.json()["findings"].as_array().cloned().unwrap_or_default();
    let of = findings.iter().filter(|finding| finding["code"] == code);
    of.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

/// Nothing is to be done, and nothing has drifted.
#[track_caller]
fn is_settled(sandbox: &Sandbox) {
    let again = sandbox.promote("p", "migrate --plan --exit-code --format json").exits(0);
    assert_eq!(again.json()["result"]["steps"], Value::Array(Vec::new()), "{}", again.everything());
    sandbox.promote("p", "drift --exit-code").exits(0);
}

/// The same files declare the same in another dataset, which is new.
#[track_caller]
fn serves_another_dataset(sandbox: &Sandbox, names: &[&str]) {
    let plan = sandbox.promote("p", "migrate --plan --dataset elsewhere --format json").exits(0);
    let steps = plan.json()["result"]["steps"].as_array().cloned().unwrap();
    let objects: Vec<&str> = steps.iter().map(|step| step["object"].as_str().unwrap()).collect();
    for name in names {
        assert!(objects.contains(&format!("elsewhere.{name}").as_str()), "{name}: {objects:?}");
    }
    assert!(!objects.iter().any(|object| object.starts_with("analytics")), "{objects:?}");
    assert!(plan.json()["result"]["proof"].as_str().unwrap().contains("proven"), "{}", plan.everything());
}

#[test]
fn what_is_live_on_duckdb_is_written_down_and_a_plan_right_after_is_empty() {
    let sandbox = on_duckdb(DUCKDB);
    let before = std::fs::read(sandbox.path("p/shop.duckdb")).unwrap();
    let planned = import(&sandbox, "--plan").exits(0);
    assert_eq!(std::fs::read(sandbox.path("p/shop.duckdb")).unwrap(), before);
    assert!(files(&sandbox).is_empty(), "a plan writes nothing");
    let left = said(&planned, "not-imported");
    assert!(
        left.len() == 1 && left[0].contains("`analytics.numbers`") && left[0].contains("sequence"),
        "{left:?}"
    );
    import(&sandbox, "--plan --exit-code").exits(10);
    import(&sandbox, "").exits(1).says("there is no terminal to ask at");
    assert!(files(&sandbox).is_empty());
    import(&sandbox, "--yes").exits(0);
    assert_eq!(
        files(&sandbox),
        [
            "bare.sql",
            "barer.sql",
            "big.sql",
            "bigger.sql",
            "cents.sql",
            "counted.sql",
            "customers.sql",
            "orders.sql",
            "wide.sql"
        ]
    );
    is_settled(&sandbox);
    assert!(sandbox.read("p/schema/counted.sql").contains("nextval('numbers')"));
    let there = duckdb::Connection::open(sandbox.path("p/shop.duckdb")).unwrap();
    there.execute_batch("CREATE SCHEMA elsewhere; CREATE SEQUENCE elsewhere.numbers").unwrap();
    drop(there);
    serves_another_dataset(&sandbox, &["customers", "orders", "big", "cents", "counted", "bare", "barer"]);
    // From now on they are managed like anything else.
    let counted = sandbox.read("p/schema/counted.sql");
    sandbox.write("p/schema/counted.sql", counted.replace("\n)", ",\n  more INTEGER\n)"));
    let steps =
        sandbox.promote("p", "migrate --yes --format json").exits(0).json()["result"]["steps"].clone();
    assert_eq!(steps.as_array().map(Vec::len), Some(1), "{steps:#}");
    is_settled(&sandbox);
    let orders = sandbox.read("p/schema/orders.sql");
    assert!(orders.starts_with("CREATE TABLE orders (\n  id INTEGER"), "{orders}");
    sandbox.promote("p", "migrate --import --yes").exits(0).says("Nothing to write");
    sandbox.promote("p", "check").exits(0);
    let connection = duckdb::Connection::open(sandbox.path("p/shop.duckdb")).unwrap();
    let rows: i64 =
        connection.query_row("SELECT count(*) FROM analytics.orders", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn what_is_live_on_postgresql_is_written_down_and_a_plan_right_after_is_empty() {
    let Some(shop) = Shop::new("") else { return };
    std::fs::remove_file(shop.sandbox.path("p/schema/all.sql")).unwrap();
    shop.sql(POSTGRES);
    let before = shop.server.catalog(&shop.database);
    let run = import(&shop.sandbox, "--yes").exits(0);
    let left = said(&run, "not-imported");
    assert!(left.len() == 2 && left[0].contains("partitioned by RANGE (d)"), "{left:?}");
    assert_eq!(files(&shop.sandbox).len(), 13, "{:?}", files(&shop.sandbox));
    assert_eq!(shop.server.catalog(&shop.database), before);
    assert_eq!(shop.sql("SELECT count(*) FROM analytics.orders"), "2");
    is_settled(&shop.sandbox);
    for (file, text) in [
        ("customers", "  id bigserial"),
        ("positive", "CREATE DOMAIN positive"),
        ("orders", "nextval('numbers'::regclass)"),
        ("orders", "BEFORE UPDATE ON orders"),
        ("bigger", "'analytics.orders'::text"),
    ] {
        let written = shop.sandbox.read(&format!("p/schema/{file}.sql"));
        assert!(written.contains(text), "{text}\n{written}");
    }
    serves_another_dataset(&shop.sandbox, &["customers", "orders", "big", "Bigger", "mood", "counted"]);
    // From now on it is managed like anything else.
    let table = shop
        .sandbox
        .read("p/schema/orders.sql")
        .replace("  parent integer,\n", "  parent integer,\n  more text,\n");
    shop.sandbox.write("p/schema/orders.sql", table);
    assert_eq!(super::support::database::codes(&shop.steps("")), ["add-column"]);
}

#[test]
fn an_import_changes_nothing_that_was_declared_before_and_overwrites_no_file() {
    let sandbox = on_duckdb(
        "CREATE SCHEMA analytics; CREATE TABLE analytics.a (x INT); CREATE TABLE analytics.b (y INT)",
    );
    sandbox.write("p/schema/mine.sql", "create table a (x int, more int);\n");
    import(&sandbox, "--yes").exits(1).says("add-column analytics.a.more").says("migrate first");
    assert_eq!(files(&sandbox), ["mine.sql"]);
    sandbox.write("p/schema/mine.sql", "create table a (x int);\n");
    sandbox.write("p/schema/b.sql", "-- nothing yet\n");
    import(&sandbox, "--yes").exits(0);
    assert_eq!(files(&sandbox), ["b.sql", "b_2.sql", "mine.sql"]);
    assert_eq!(sandbox.read("p/schema/b.sql"), "-- nothing yet\n");
    is_settled(&sandbox);
}

#[test]
fn an_import_of_nothing_says_so() {
    let sandbox = on_duckdb("CREATE SCHEMA analytics");
    sandbox.promote("p", "migrate --import --yes").exits(0).says("Nothing to write");
    sandbox.promote("p", "migrate --import --force").exits(2);
    assert!(!sandbox.path("p/schema").exists());
}
