//! A branch that nobody has approved: planning it reaches no file, no network, no program, and changes no table.

use std::net::TcpListener;

use super::support::database::Shop;
use super::support::project::{Layout, shop};

/// A port that notes whether anybody came.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn on_duckdb() {
    let sandbox = shop(Layout::Branches);
    sandbox.promote("shop", "dev staging --yes --run").exits(0);
    sandbox.write("canary.csv", "secret\ncanary-4711\n");
    let (listener, port) = listener();
    let (file, leak) = (sandbox.path("canary.csv"), sandbox.path("leak.csv"));
    let (file, leak) = (file.to_str().unwrap().to_owned(), leak.to_str().unwrap().to_owned());
    let live = || {
        let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
        connection.query_row("select count(*) from analytics.orders", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = live();
    for (path, text) in [
        (
            "models/bad.sql",
            format!("{{{{ config(materialized='table') }}}}\nselect * from read_csv('{file}')\n"),
        ),
        ("models/bad.sql", format!("select * from '{file}'\n")),
        ("models/bad.sql", format!("select * from read_text('{file}')\n")),
        ("models/bad.sql", format!("select * from read_csv('http://127.0.0.1:{port}/x.csv')\n")),
        ("models/bad.sql", format!("copy (select 1) to '{leak}'\n")),
        ("models/bad.sql", "select 1 as a; drop table analytics.orders\n".to_owned()),
        ("schema/bad.sql", "INSTALL httpfs;\n".to_owned()),
        ("schema/bad.sql", "LOAD httpfs;\n".to_owned()),
        ("schema/bad.sql", format!("ATTACH '{leak}' AS leak;\n")),
        ("schema/bad.sql", format!("COPY analytics.orders TO '{leak}';\n")),
        ("schema/bad.sql", "SET enable_external_access = true;\n".to_owned()),
        ("schema/bad.sql", "DROP TABLE analytics.orders;\n".to_owned()),
        ("schema/bad.sql", format!("CREATE TABLE bad AS SELECT * FROM read_csv('{file}');\n")),
        (
            "schema/bad.sql",
            format!("CREATE TABLE bad (a varchar DEFAULT (SELECT secret FROM read_csv('{file}')));\n"),
        ),
        ("schema/bad.sql", format!("CREATE VIEW bad AS SELECT * FROM read_csv('{file}');\n")),
    ] {
        sandbox.write(&format!("shop/{path}"), &text);
        sandbox.commit("shop", "Mallory", "bad");
        let run = sandbox.promote("shop", "plan dev staging");
        assert_ne!(run.status, 0, "{text}: {}", run.everything());
        run.keeps_quiet_about("canary-4711");
        assert!(!std::path::Path::new(&leak).exists(), "{text}");
        assert_eq!(live(), before, "{text}");
        sandbox.git("shop", &["rm", "-q", path]);
    }
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn on_postgresql() {
    let Some(shop) = Shop::new("CREATE TABLE orders (id int);\n") else { return };
    let orders = "CREATE TABLE orders (id int);\n";
    shop.converge(orders, "");
    let (there, _) = shop.server.psql(&shop.database, "CREATE EXTENSION dblink SCHEMA public");
    let (listener, port) = listener();
    let other = format!("host=127.0.0.1 port={port} password=x connect_timeout=2");
    for bad in [
        "CREATE EXTENSION file_fdw;\n".to_owned(),
        "CREATE SERVER s FOREIGN DATA WRAPPER file_fdw;\n".to_owned(),
        "COPY orders FROM PROGRAM 'id';\n".to_owned(),
        "CREATE TABLE x AS SELECT 1;\n".to_owned(),
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpython3u AS $$ return 1 $$;\n".to_owned(),
        "DROP TABLE analytics.orders;\n".to_owned(),
        "TRUNCATE analytics.orders;\n".to_owned(),
    ] {
        shop.declare(&format!("{orders}{bad}"));
        let run = shop.migrate("--plan");
        assert_ne!(run.status, 0, "{bad}: {}", run.stdout);
    }
    // With the extension that calls other servers: what runs while it is declared may not call it.
    for bad in [
        format!(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM public.dblink('{other}', 'SELECT 1') AS t (a int);\n"
        ),
        format!(
            "CREATE FUNCTION f() RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.dblink_connect('{other}'); END $$;\n\
             CREATE TABLE x (a int);\nALTER TABLE x ADD COLUMN b text DEFAULT f();\n"
        ),
    ] {
        shop.declare(&format!("{orders}{bad}"));
        let run = shop.migrate("--plan");
        assert_ne!(run.status, 0, "{bad}: {}", run.stdout);
        assert!(!there || run.everything().contains("permission denied"), "{}", run.everything());
    }
    shop.declare(orders);
    shop.sandbox.write(
        "p/models/far.sql",
        format!("select * from public.dblink('{other}', 'SELECT 1') AS t (a int)\n"),
    );
    shop.migrate("--plan");
    assert!(listener.accept().is_err(), "nobody came");
    assert_eq!(shop.sql("SELECT count(*) FROM analytics.orders"), "0");
}
