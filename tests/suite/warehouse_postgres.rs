//! A PostgreSQL warehouse through the binary: planned, migrated, promoted into, run, refused.

use super::support::database::{ORDERS, Shop, codes, ddl, step};

#[test]
fn a_new_dataset_is_made_and_a_second_plan_is_empty() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    let plan = shop.migrate("--plan").exits(0).json();
    assert_eq!(plan["result"]["proof"], "proven");
    assert_eq!(shop.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'analytics'"), "0");
    let steps = shop.converge(ORDERS, "");
    assert_eq!(codes(&steps), ["create-dataset", "create-table", "create-view", "create-view"]);
    assert_eq!(
        shop.sql("SELECT kind, name FROM analytics._promote_objects ORDER BY 2"),
        "view|big\nview|bigger\ntable|orders"
    );
    assert_eq!(shop.sql("SELECT count(*) FROM analytics._promote_migrations"), "1");
    let scratch = |name: &String| name.starts_with(&format!("_promote_scratch_{}", std::process::id()));
    assert!(!shop.server.databases().iter().any(scratch));
}

#[test]
fn a_column_below_views_is_retyped_and_they_come_back_with_their_rights() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    shop.sql(
        "DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN OTHERS THEN NULL; END $$; \
         GRANT SELECT ON analytics.bigger TO reader; INSERT INTO analytics.orders VALUES (1, 200, 'x')",
    );
    let wider = ORDERS.replace("numeric(10,2)", "numeric(14,2)");
    let steps = shop.converge(&format!("{wider}COMMENT ON VIEW bigger IS 'b';"), "");
    assert_eq!(codes(&steps), ["lift-view", "lift-view", "widen-type", "change-view", "change-view"]);
    assert_eq!(step(&steps, "widen-type")["mechanics"], "metadata");
    assert!(steps.iter().all(|step| step["group"] == 1), "all of it is one transaction");
    assert_eq!(shop.sql("SELECT has_table_privilege('reader', 'analytics.bigger', 'SELECT')"), "t");
    assert_eq!(shop.sql("SELECT total FROM analytics.bigger"), "200.00");
    assert_eq!(shop.sql("SELECT obj_description('analytics.bigger'::regclass)"), "b");
}

#[test]
fn tables_whose_foreign_keys_go_round_in_a_circle_are_made_first() {
    let a = "CREATE TABLE a (id int PRIMARY KEY, b_id int CONSTRAINT to_b REFERENCES b ON DELETE SET NULL, c_id int);\n";
    let b = "CREATE TABLE b (id int PRIMARY KEY, c_id int, FOREIGN KEY (c_id) REFERENCES c (id));\n";
    let c = "CREATE TABLE c (id int PRIMARY KEY, a_id int, self int REFERENCES c);\n\
             ALTER TABLE c ADD CONSTRAINT to_a FOREIGN KEY (a_id) REFERENCES a;\n\
             CREATE VIEW v AS SELECT a.id, b.id AS b FROM a JOIN b ON b.id = a.b_id;\n";
    let all = format!("{a}{b}{c}");
    let Some(shop) = Shop::new(&all) else { return };
    let steps = shop.converge(&all, "");
    assert_eq!(codes(&steps).iter().filter(|code| **code == "add-constraint").count(), 4, "{steps:#?}");
    let keys = "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND convalidated";
    assert_eq!(shop.sql(keys), "b_c_id_fkey c_self_fkey to_a to_b");
    // One more in the circle that is there, and one that goes.
    let more = all.replace("c_id int);\nCREATE TABLE b", "c_id int REFERENCES c);\nCREATE TABLE b");
    assert_eq!(codes(&shop.converge(&more, "")), ["add-constraint", "validate-constraint"]);
    assert_eq!(codes(&shop.converge(&all, "--force")), ["drop-constraint"]);
    // The circle is made in a dataset with rows, too.
    shop.sql("INSERT INTO analytics.c VALUES (1, NULL, 1); INSERT INTO analytics.b VALUES (1, 1); INSERT INTO analytics.a VALUES (1, 1, NULL)");
    let wider = all.replace("c_id int);\nCREATE TABLE b", "c_id int, note text);\nCREATE TABLE b");
    assert_eq!(codes(&shop.converge(&wider, "")), ["add-column"]);
}

#[test]
fn a_new_view_waits_for_a_change_that_it_would_be_in_the_way_of() {
    let table = "CREATE TABLE t (id int, b bigint NOT NULL);\nCREATE VIEW v AS SELECT b FROM t;\n";
    let Some(shop) = Shop::new(table) else { return };
    shop.converge(table, "");
    shop.sql(&format!("INSERT INTO analytics.t VALUES (1, {})", i64::MAX));
    let more = "CREATE VIEW a AS SELECT id, b FROM t;\nCREATE VIEW b AS SELECT id FROM a;\n";
    shop.declare(&format!("{}{more}", table.replace("bigint", "integer")));
    let plan = shop.migrate("--plan --force").exits(0).json();
    assert_eq!(plan["result"]["proof"], "proven", "{plan:#}");
    shop.sql("UPDATE analytics.t SET b = 1");
    let steps = shop.converge(&format!("{}{more}", table.replace("bigint", "integer")), "--force");
    assert!(codes(&steps).contains(&"narrow-type"), "{steps:#?}");
}

#[test]
fn what_is_ours_in_a_schema_that_nothing_declares_any_more_is_still_there() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(&format!("{ORDERS}CREATE TABLE other.x (id int);"), "");
    shop.declare(ORDERS);
    let run = shop.migrate("--plan").exits(0).json();
    assert_eq!(run["result"]["drift"], serde_json::json!([]));
    assert_eq!(codes(&shop.converge(ORDERS, "")), ["orphan"]);
    assert_eq!(codes(&shop.converge(ORDERS, "--prune --force")), ["drop-table"]);
    assert_eq!(shop.sql("SELECT to_regclass('other.x') IS NULL"), "t");
}

#[test]
fn somebody_elses_view_is_never_dropped() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    shop.sql("CREATE VIEW analytics.theirs AS SELECT total FROM analytics.orders");
    shop.declare(&ORDERS.replace("numeric(10,2)", "numeric(14,2)"));
    let run = shop.migrate("--yes --force").exits(1);
    assert!(run.stdout.contains("`analytics.theirs` is in the way"), "{}", run.stdout);
    assert_eq!(shop.sql("SELECT count(*) FROM analytics.theirs"), "0");
}

#[test]
fn a_view_of_another_schema_is_named_and_never_dropped() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    let before = shop.migrate("--plan").json()["result"]["fingerprint"].clone();
    shop.sql(
        "CREATE SCHEMA bi; CREATE VIEW bi.report AS SELECT total FROM analytics.orders; \
         CREATE VIEW bi.above AS SELECT total FROM bi.report; \
         CREATE TABLE bi.orders (note int); CREATE VIEW bi.other AS SELECT note FROM bi.orders",
    );
    let plan = shop.migrate("--plan").exits(0).json();
    assert_eq!(plan["result"]["fingerprint"], before);
    assert_eq!(plan["result"]["drift"].as_array().map(Vec::len), Some(0), "{plan:#}");
    let affected = |step: &serde_json::Value| -> Vec<String> {
        let names = step["affected"].as_array().unwrap().iter();
        names.map(|one| one["object"].as_str().unwrap().to_owned()).collect()
    };
    let views = "CREATE TABLE orders (id bigint PRIMARY KEY";
    let less = format!("{views}, note varchar(20));\n");
    shop.declare(&less);
    let run = shop.migrate("--yes --force").exits(1);
    assert!(
        run.stdout.contains("`bi.report` is in the way") || run.stdout.contains("`bi.above`, `bi.report`"),
        "{}",
        run.stdout
    );
    let plan = shop.migrate("--plan").json();
    let steps = plan["result"]["steps"].as_array().unwrap();
    let dropped = affected(step(steps, "drop-column"));
    assert!(
        dropped.contains(&"bi.report".to_owned()) && dropped.contains(&"bi.above".to_owned()),
        "{dropped:?}"
    );
    assert!(!dropped.contains(&"bi.other".to_owned()), "{dropped:?}");
    assert_eq!(shop.sql("SELECT count(*) FROM bi.above"), "0");
}

const STAMPED: &str = "CREATE TABLE orders (id int PRIMARY KEY, made timestamptz NOT NULL);\n\
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.made := now(); RETURN NEW; END$$;\n";
const STAMP: &str = "CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp();\n";

#[test]
fn a_trigger_that_writers_need_goes_only_where_that_is_let_through() {
    let both = format!("{STAMPED}{STAMP}");
    let Some(shop) = Shop::new(&both) else { return };
    shop.converge(&both, "");
    shop.sql("INSERT INTO analytics.orders (id) VALUES (1)");
    shop.declare(STAMPED);
    let plan = shop.migrate("--plan").exits(1).json();
    let steps = plan["result"]["steps"].as_array().unwrap();
    assert_eq!(step(steps, "drop-trigger")["allow"], "drop-trigger:analytics.orders");
    shop.migrate("--yes").exits(1);
    shop.sql("INSERT INTO analytics.orders (id) VALUES (2)");
    // One that is declared otherwise comes again at once.
    let other = both.replace("BEFORE INSERT", "BEFORE INSERT OR UPDATE");
    assert_eq!(codes(&shop.converge(&other, "")), ["drop-trigger", "create-trigger"]);
    let steps = shop.converge(STAMPED, "--allow drop-trigger:analytics.orders");
    assert_eq!(codes(&steps), ["drop-trigger"]);
    // Where the code goes back to what was applied before, it stays.
    assert_eq!(codes(&shop.converge(&both, "")), ["create-trigger"]);
    shop.declare(STAMPED);
    assert_eq!(codes(&shop.steps("")), ["ahead-of-code"]);
    shop.migrate("--yes").exits(0);
    shop.sql("INSERT INTO analytics.orders (id) VALUES (3)");
    shop.migrate("--yes --allow drop-trigger:analytics.orders").exits(0);
    assert!(shop.steps("").is_empty());
}

#[test]
fn somebody_elses_trigger_stays_and_is_named() {
    let table = "CREATE TABLE orders (id int PRIMARY KEY, note text);\nCREATE VIEW v AS SELECT id, note FROM orders;\n";
    let Some(shop) = Shop::new(table) else { return };
    shop.converge(table, "");
    shop.sql(
        "CREATE SCHEMA audit; \
         CREATE FUNCTION audit.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
         CREATE TRIGGER theirs AFTER INSERT ON analytics.orders FOR EACH ROW EXECUTE FUNCTION audit.f(); \
         CREATE TRIGGER above INSTEAD OF INSERT ON analytics.v FOR EACH ROW EXECUTE FUNCTION audit.f(); \
         INSERT INTO analytics.orders VALUES (1, 'x')",
    );
    let all = "SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal";
    let wider = table.replace("note text", "note text, more int");
    let drift = |plan: &serde_json::Value| plan["result"]["drift"].as_array().map(Vec::len);
    for declared in [
        wider.clone(),
        // The view is made again: what it reads goes, and what it gives is less.
        format!(
            "{}CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n",
            table.replace("note text", "note varchar(9)")
        ),
        table.replace("id, note FROM", "id FROM"),
    ] {
        shop.declare(&declared);
        let plan = shop.migrate("--plan --force").exits(0).json();
        assert_eq!((plan["result"]["proof"].as_str(), drift(&plan)), (Some("proven"), Some(2)), "{plan:#}");
        let steps = plan["result"]["steps"].as_array().unwrap();
        let named = steps.iter().filter(|step| step["code"] == "foreign-trigger").count();
        assert_eq!(named, 2, "{plan:#}");
        shop.migrate("--yes --force").exits(0);
        assert_eq!(shop.sql(all), "above theirs", "{declared}");
    }
    // It is managed once it is declared, with a function of which only the name is known.
    let theirs = "CREATE TRIGGER theirs AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION audit.f();\n";
    let more = theirs.replace("theirs", "ours");
    let declared = format!("{}{theirs}{more}", table.replace("id, note FROM", "id FROM"));
    shop.declare(&declared);
    let plan = shop.migrate("--plan").exits(0).json();
    let steps = plan["result"]["steps"].as_array().unwrap();
    let reason = step(steps, "create-trigger")["reason"].as_str().unwrap();
    assert!(reason.contains("`audit.f` is there is not proven"), "{reason}");
    shop.migrate("--yes").exits(0);
    assert_eq!(shop.sql(all), "above ours theirs");
}

#[test]
fn indexes_and_keys_come_without_locking_writers_out() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    shop.sql("INSERT INTO analytics.orders VALUES (1, 5, 'x')");
    let more = format!(
        "{}CREATE INDEX by_note ON orders (note);\nCREATE TABLE lines (id int PRIMARY KEY, order_id bigint REFERENCES orders);\n",
        ORDERS.replace("note varchar(20)", "note varchar(20), CONSTRAINT positive CHECK (total >= 0)")
    );
    let steps = shop.converge(&more, "");
    let index = step(&steps, "create-index");
    assert_eq!(ddl(index), ["CREATE INDEX CONCURRENTLY by_note ON analytics.orders USING btree (note)"]);
    let check = steps
        .iter()
        .find(|step| step["object"] == "analytics.orders" && step["code"] == "add-constraint")
        .unwrap();
    assert!(ddl(check)[0].ends_with("NOT VALID"), "{check}");
    assert_eq!(check["settled"], "compatible_with_cost");
    let validate = step(&steps, "validate-constraint");
    let groups = [check, index, validate].map(|step| step["group"].as_u64().unwrap());
    assert!(groups[0] < groups[1] && groups[1] < groups[2], "{groups:?}");
    assert_eq!(
        shop.sql(
            "SELECT bool_and(convalidated) FROM pg_constraint WHERE conrelid = 'analytics.orders'::regclass"
        ),
        "t"
    );
}

#[test]
fn an_index_that_was_not_built_to_its_end_is_built_again() {
    let with_index = format!("{ORDERS}CREATE UNIQUE INDEX by_note ON orders (note);\n");
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    shop.sql("INSERT INTO analytics.orders VALUES (1, 5, 'x'), (2, 6, 'x')");
    let (built, _) = shop.server.psql(
        &shop.database,
        "CREATE UNIQUE INDEX CONCURRENTLY by_note ON analytics.orders USING btree (note)",
    );
    assert!(!built);
    shop.declare(&with_index);
    let refused = shop.migrate("--yes").exits(1);
    assert!(refused.stdout.contains("1 values are there twice"), "{}", refused.stdout);
    shop.sql("DELETE FROM analytics.orders WHERE id = 2");
    let steps = shop.converge(&with_index, "");
    assert_eq!(codes(&steps), ["drop-index", "create-index"]);
    assert_eq!(
        shop.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'analytics.by_note'::regclass"),
        "t"
    );
}

#[test]
fn a_label_of_an_enumeration_can_be_used_by_the_same_plan() {
    let mood = |labels: &str, default: &str| {
        format!("CREATE TYPE mood AS ENUM ({labels});\nCREATE TABLE people (id int, mood mood{default});\n")
    };
    let Some(shop) = Shop::new(&mood("'ok'", "")) else { return };
    shop.converge(&mood("'ok'", ""), "");
    let steps = shop.converge(&mood("'bad', 'ok', 'good'", " DEFAULT 'good'"), "");
    assert_eq!(codes(&steps), ["add-enum-value", "add-enum-value", "change-default"]);
    assert_eq!(
        shop.sql("SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum"),
        "bad,ok,good"
    );
    shop.sql("INSERT INTO analytics.people VALUES (1, 'ok')");
    shop.declare(&mood("'ok', 'good'", " DEFAULT 'good'"));
    let refused = shop.migrate("--yes").exits(1);
    assert!(refused.stdout.contains("would lose bad"), "{}", refused.stdout);
    let steps = shop.converge(&mood("'ok', 'good'", " DEFAULT 'good'"), "--force");
    assert_eq!(codes(&steps), ["change-type"]);
    assert_eq!(shop.sql("SELECT mood FROM analytics.people"), "ok");
}

#[test]
fn the_data_decides_about_a_narrower_type_and_is_asked_again() {
    let plain = "CREATE TABLE orders (id bigint PRIMARY KEY);\n";
    let Some(shop) = Shop::new(plain) else { return };
    shop.converge(plain, "");
    shop.sql("INSERT INTO analytics.orders VALUES (3000000000)");
    let narrow = plain.replace("id bigint", "id integer");
    shop.declare(&narrow);
    let steps = shop.steps("");
    assert_eq!(step(&steps, "narrow-type")["probe"]["rows"], 1);
    shop.migrate("--yes").exits(1);
    shop.sql("UPDATE analytics.orders SET id = 2147483647");
    let steps = shop.converge(&narrow, "");
    assert_eq!(step(&steps, "narrow-type")["settled"], "compatible_with_cost");
    assert_eq!(shop.sql("SELECT id FROM analytics.orders"), "2147483647");
}

#[test]
fn a_view_that_would_give_less_keeps_the_change_below_it_waiting_for_the_push() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    let narrow = ORDERS.replace("id bigint", "id integer").replace("note varchar(20)", "note varchar(30)");
    let steps = shop.converge(&narrow, "--force");
    assert_eq!(
        step(&steps, "narrow-type")["after_push"],
        true,
        "its views can only be made again after the push"
    );
    assert_eq!(step(&steps, "widen-type")["after_push"], false);
}

#[test]
fn what_is_shown_is_what_the_server_runs_in_that_order() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    let shown = shop.steps("");
    let shown: Vec<String> =
        shown.iter().flat_map(|step| ddl(step).into_iter().map(str::to_owned).collect::<Vec<_>>()).collect();
    let before = shop.server.log().len();
    shop.migrate("--yes").exits(0);
    let log = shop.server.log();
    // The log has the proof's statements too; the last time that each was run is in the database itself.
    let mut at = before;
    for sql in &shown {
        let first = sql.lines().next().unwrap();
        let found = log[at..].find(first).unwrap_or_else(|| panic!("{first} is not in the log after {at}"));
        at += found + first.len();
    }
}

#[test]
fn a_plan_is_refused_where_somebody_changed_something_meanwhile_or_holds_a_lock() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    shop.declare(&ORDERS.replace("note varchar(20)", "note varchar(20), extra int"));
    let hold = "BEGIN; LOCK TABLE analytics.orders IN ACCESS SHARE MODE; SELECT pg_sleep(60)";
    let (server, database) = (shop.server, shop.database.clone());
    let holder = std::thread::spawn(move || server.psql(&database, hold));
    while shop.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
    ) == "0"
    {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let run = shop.migrate("--yes").exits(5);
    assert!(run.stdout.contains("somebody else holds a lock"), "{}", run.stdout);
    shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()");
    holder.join().unwrap();
    assert_eq!(shop.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'analytics.orders'::regclass AND attname = 'extra'"), "0");
    shop.migrate("--yes").exits(0);
}

#[test]
fn an_untrusted_branch_reaches_nothing() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    shop.sql("INSERT INTO analytics.orders VALUES (1, 5, 'x')");
    let file = shop.server.writable(&format!("leak-{}", shop.database));
    let file = file.to_str().unwrap();
    for bad in [
        format!("COPY analytics.orders TO '{file}'"),
        format!("COPY (SELECT 1) TO PROGRAM 'touch {file}'"),
        "DROP TABLE analytics.orders".to_owned(),
        "DO $$ BEGIN DROP TABLE analytics.orders; END $$".to_owned(),
        "ALTER SYSTEM SET fsync = off".to_owned(),
        "ALTER ROLE postgres PASSWORD 'x'".to_owned(),
        "CREATE TABLE x AS SELECT * FROM pg_read_file('/etc/passwd')".to_owned(),
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'system'".to_owned(),
        "CREATE VIEW v AS SELECT 1; DROP TABLE analytics.orders".to_owned(),
    ] {
        shop.declare(&format!("{ORDERS}{bad};\n"));
        let run = shop.migrate("--plan");
        assert_ne!(run.status, 0, "{bad}: {}", run.stdout);
        assert!(!std::path::Path::new(file).exists(), "{bad}");
        assert_eq!(shop.sql("SELECT count(*) FROM analytics.orders"), "1", "{bad}");
    }
    // Declaring can run what is declared: a default of a new column, a function that does not change, a stored query.
    let run = format!(
        "CREATE FUNCTION f() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN \
         EXECUTE 'RESET SESSION AUTHORIZATION'; EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {file}'''; RETURN 1; END $$;\n"
    );
    for bad in [
        "CREATE TABLE x (a int);\nALTER TABLE x ADD COLUMN b int DEFAULT f();\n",
        "CREATE MATERIALIZED VIEW m AS SELECT f() AS a;\n",
        "CREATE TABLE x (a int);\nCREATE INDEX i ON x (a) WHERE a > f();\n",
    ] {
        shop.declare(&format!("{ORDERS}{run}{bad}"));
        shop.migrate("--plan").keeps_quiet_about("\"proof\": \"proven\"");
        assert!(!std::path::Path::new(file).exists(), "{bad}");
    }
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname LIKE '\\_promote%' AND rolname NOT IN (SELECT datname FROM pg_database)";
    // Another test may have made its role and not yet its database.
    let begun = std::time::Instant::now();
    while shop.sql(roles) != "0" {
        assert!(begun.elapsed().as_secs() < 20, "the role goes with its database");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    shop.sandbox.write("p/models/leak.sql", format!("copy (select 1) to '{file}'"));
    shop.declare(ORDERS);
    assert_ne!(shop.migrate("--plan").status, 0);
    shop.sandbox.write("p/models/leak.sql", "select 1 as a; drop table analytics.orders");
    assert_ne!(shop.migrate("--plan").status, 0);
    assert_eq!(shop.sql("SELECT count(*) FROM analytics.orders"), "1");
}

#[test]
fn the_connection_comes_from_variables_and_no_password_is_shown() {
    let Some(mut shop) = Shop::new(ORDERS) else { return };
    let url = shop.server.url("postgres", &shop.database);
    let host = url.split_once("host=").unwrap().1.to_owned();
    shop.project("");
    let database = shop.database.clone();
    shop.sandbox
        .set("PGHOST", &host)
        .set("PGDATABASE", &database)
        .set("PGUSER", "postgres")
        .set("PGPASSWORD", "hushhush");
    shop.migrate("--plan").exits(0).keeps_quiet_about("hushhush");
    shop.project("postgres://postgres:hushhush@127.0.0.1:1/nowhere");
    shop.migrate("--plan").exits(5).says("127.0.0.1:1/nowhere").keeps_quiet_about("hushhush");
    shop.project("postgres://postgres@/x?sslmode=sometimes");
    shop.migrate("--plan").exits(5).says("`sslmode` is `sometimes`");
}

#[test]
fn names_of_every_kind_are_kept_apart() {
    let schema = "CREATE TABLE \"Orders\" (\"Id\" int, id int, \"select\" int, \"a b\" int, \"ü\" text);\n\
                  CREATE VIEW \"The View\" AS SELECT \"Id\", id, \"select\" FROM \"Orders\";\n";
    let Some(shop) = Shop::new(schema) else { return };
    shop.converge(schema, "");
    let renamed = schema.replace("(\"Id\" int, id int", "(\"Id\" bigint, id int");
    let steps = shop.converge(&renamed, "");
    assert_eq!(codes(&steps), ["lift-view", "widen-type", "change-view"]);
}

#[test]
fn models_are_built_and_a_promotion_arrives() {
    let Some(shop) = Shop::new("CREATE TABLE payments (id int, amount numeric(10,2));\n") else { return };
    let (dev, prod) = (shop.database.clone(), shop.server.database());
    let project = format!(
        "version: 1\nproject_id: shop\ndefault_environment: dev\ndataset: analytics\nenvironments:\n\
         - name: dev\n  workspace: {{branch: dev}}\n  warehouse: {{kind: postgres, url: \"{}\"}}\n\
         - name: prod\n  workspace: {{branch: prod}}\n  warehouse: {{kind: postgres, url: \"{}\"}}\n",
        shop.server.url("postgres", &dev),
        shop.server.url("postgres", &prod)
    );
    shop.sandbox.write("p/project.yml", project);
    shop.sandbox.write("p/seeds/countries.csv", "code,name\nde,Germany\nuk,\"United, Kingdom\"\n");
    shop.sandbox.write("p/models/total.sql", "{{ config(materialized='table') }}\nselect id, sum(amount) as total from {{ ref('payments') }} group by id");
    shop.sandbox.write("p/models/top.sql", "select * from {{ ref('total') }} where total > 1");
    shop.sandbox.git("p", &["init", "-q", "-b", "prod"]);
    shop.sandbox.commit("p", "Ada", "begin");
    shop.sandbox.git("p", &["checkout", "-q", "-b", "dev"]);
    shop.migrate("--yes").exits(0);
    shop.sql("INSERT INTO analytics.payments VALUES (1, 5), (1, 6)");
    shop.sandbox.promote("p", "run").exits(0).says("2 rows");
    assert_eq!(shop.sql("SELECT total FROM analytics.top"), "11.00");
    assert_eq!(shop.sql("SELECT name FROM analytics.countries ORDER BY code"), "Germany\nUnited, Kingdom");
    shop.sandbox.write("p/schema/more.sql", "CREATE TABLE refunds (id int);\n");
    shop.sandbox.commit("p", "Ada", "more");
    let plan = shop.sandbox.promote("p", "plan dev prod --format json").exits(0).json();
    assert_eq!(plan["result"]["migration"]["proof"], "proven");
    shop.sandbox.promote("p", "dev prod --yes").exits(0);
    let tables = "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                  WHERE nspname = 'analytics' AND relkind IN ('r', 'v') AND relname NOT LIKE '\\_promote%'";
    assert_eq!(shop.server.sql(&prod, tables), "countries,payments,refunds,top,total");
    shop.sandbox.promote("p", "plan dev prod --exit-code").exits(0);
}

#[test]
fn somebody_elses_table_of_a_declared_type_can_be_read() {
    let Some(shop) = Shop::new("") else { return };
    shop.sql(
        "CREATE SCHEMA analytics; CREATE TYPE analytics.mood AS ENUM ('a', 'b'); \
         CREATE TABLE analytics.legacy (id int PRIMARY KEY, feels analytics.mood); INSERT INTO analytics.legacy VALUES (1, 'a')",
    );
    let schema =
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c');\nCREATE VIEW moods AS SELECT id, feels FROM legacy;\n";
    let steps = shop.converge(schema, "--adopt analytics.mood");
    assert!(codes(&steps).contains(&"add-enum-value"), "{:?}", codes(&steps));
    assert_eq!(shop.sql("SELECT feels FROM analytics.moods"), "a");
    // One that cannot be copied at all is named to whoever needs it.
    shop.sql(
        "CREATE TYPE public.other AS ENUM ('x'); ALTER TABLE analytics.legacy ADD COLUMN more public.other",
    );
    shop.declare(&format!("{schema}CREATE VIEW mores AS SELECT more FROM legacy;\n"));
    shop.migrate("--plan").exits(3).says("could not be copied to try this").says("public.other");
}
