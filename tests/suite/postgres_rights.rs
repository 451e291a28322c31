//! What a user of PostgreSQL may do decides how a plan is tried, and what is missing is named with its GRANT.

use super::support::database::{ORDERS, Shop, codes};

/// Makes a role that may log in and nothing else, and has the project use it.
fn as_role(shop: &Shop, role: &str, rights: &str) {
    shop.sql(&format!(
        "DO $$ BEGIN CREATE ROLE {role} LOGIN {rights}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    ));
    shop.project(&shop.server.url(role, &shop.database));
}

#[test]
fn rights_that_are_missing_are_named() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    as_role(&shop, "nobody_much", "");
    let database = shop.database.clone();
    shop.migrate("--plan")
        .exits(5)
        .says("ALTER ROLE nobody_much CREATEDB")
        .says(&format!("GRANT CREATE ON DATABASE {database} TO nobody_much"))
        .says("have the owner of the database grant one of these");
    as_role(&shop, "maker", "CREATEDB");
    shop.migrate("--plan").exits(0);
    shop.migrate("--yes")
        .exits(5)
        .says("permission denied for database")
        .says(&format!("GRANT CREATE ON DATABASE {database} TO maker"));
    shop.sql(&format!("GRANT CREATE ON DATABASE {} TO maker", shop.database));
    shop.migrate("--yes").exits(0);
}

#[test]
fn without_the_right_to_make_a_database_a_plan_is_tried_in_a_transaction_that_is_rolled_back() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.sql("CREATE SCHEMA raw; CREATE TABLE raw.clicks (id int, at timestamptz)");
    as_role(&shop, "plain", "");
    shop.sql(&format!("GRANT CREATE ON DATABASE {} TO plain; GRANT USAGE ON SCHEMA raw TO plain; GRANT SELECT ON raw.clicks TO plain", shop.database));
    let plan = shop.migrate("--plan").exits(0).json();
    assert_eq!(plan["result"]["proof"], "proven");
    assert_eq!(
        shop.sql("SELECT count(*) FROM pg_namespace WHERE nspname IN ('analytics', '_promote_aside_0')"),
        "0"
    );
    shop.converge(ORDERS, "");
    shop.sql("INSERT INTO analytics.orders VALUES (1, 200, 'x')");
    // With a schema that is there, what reads another one, an index and a label of an enumeration.
    let more = format!(
        "{}CREATE INDEX by_note ON orders (note);\nCREATE VIEW clicked AS SELECT c.at, o.total FROM raw.clicks c JOIN orders o ON o.id = c.id;\n\
         CREATE MATERIALIZED VIEW sums AS SELECT sum(total) AS total FROM orders;\nCREATE TYPE mood AS ENUM ('ok');\n",
        ORDERS.replace("numeric(10,2)", "numeric(14,2)")
    );
    let steps = shop.converge(&more, "");
    assert!(
        codes(&steps).contains(&"widen-type") && codes(&steps).contains(&"create-index"),
        "{:?}",
        codes(&steps)
    );
    shop.converge(&more.replace("('ok')", "('ok', 'bad')"), "");
    assert_eq!(shop.sql("SELECT total FROM analytics.bigger"), "200.00");
    // What would not work is found out there as well.
    shop.declare(&more.replace("SELECT id, total FROM big ", "SELECT id, totals FROM big "));
    shop.migrate("--plan")
        .exits(3)
        .says("column \\\"totals\\\" does not exist")
        .says("schema/all.sql\",\n        \"line\": 4");
    assert_eq!(shop.sql("SELECT total FROM analytics.bigger"), "200.00");
}

#[test]
fn a_plan_that_cannot_be_tried_says_so_and_an_environment_may_ask_for_more() {
    let function =
        "CREATE FUNCTION next_no() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 7; END $$;\n";
    let before = format!("{function}CREATE TABLE orders (id int);\n");
    let after = before.replace("(id int)", "(id int, no int DEFAULT next_no())");
    let Some(shop) = Shop::new(&before) else { return };
    as_role(&shop, "plain", "");
    shop.sql(&format!("GRANT CREATE ON DATABASE {} TO plain", shop.database));
    shop.converge(&before, "");
    shop.declare(&after);
    let plan = shop.migrate("--plan").exits(0).json();
    let proof = plan["result"]["proof"].as_str().unwrap();
    assert!(proof.starts_with("unproven: `ALTER TABLE analytics.orders ADD COLUMN no"), "{proof}");
    assert!(proof.contains("would call a routine that is declared"), "{proof}");
    let project = shop.sandbox.read("p/project.yml");
    shop.sandbox.write("p/project.yml", format!("{project}  proof: required\n"));
    shop.migrate("--yes").exits(1).says("unproven");
    assert_eq!(shop.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'analytics.orders'::regclass AND attname = 'no'"), "0");
    shop.sandbox.write("p/project.yml", project);
    shop.converge(&after, "");
}

#[test]
fn an_untrusted_branch_changes_nothing_in_a_transaction_of_the_live_database_either() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    as_role(&shop, "plain", "");
    shop.sql(&format!("GRANT CREATE ON DATABASE {} TO plain", shop.database));
    shop.converge(ORDERS, "");
    shop.sql("CREATE SEQUENCE analytics.numbers; ALTER SEQUENCE analytics.numbers OWNER TO plain; INSERT INTO analytics.orders VALUES (1, 5, 'x')");
    let function = "CREATE FUNCTION f() RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN \
                    RETURN setval('_promote_aside_0.numbers', 77); END $$;\n";
    for bad in [
        "DROP TABLE analytics.orders;\n".to_owned(),
        "ALTER TABLE _promote_aside_0.orders DROP COLUMN note;\n".to_owned(),
        "CREATE INDEX i ON _promote_aside_0.orders (note);\n".to_owned(),
        format!("{function}CREATE TABLE x (a int);\nCREATE INDEX i ON x (a) WHERE a > f();\n"),
        format!("{function}CREATE TABLE x (a int);\nALTER TABLE x ADD COLUMN b bigint DEFAULT f();\n"),
        "CREATE TABLE x AS SELECT setval('_promote_aside_0.numbers', 77);\n".to_owned(),
    ] {
        shop.declare(&format!("{ORDERS}{bad}"));
        let run = shop.migrate("--plan");
        // What lies in a schema that nothing is declared in is no part of the plan.
        let ignored = bad.starts_with("CREATE INDEX");
        assert_eq!(run.status == 0, ignored, "{bad}: {}", run.stdout);
    }
    assert_eq!(shop.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'i'"), "0");
    shop.declare(&format!("{ORDERS}{function}CREATE MATERIALIZED VIEW m AS SELECT f() AS a;\nCREATE VIEW v AS SELECT f() AS a;\n"));
    shop.migrate("--plan").exits(0);
    assert_eq!(shop.sql("SELECT last_value FROM analytics.numbers"), "1");
    assert_eq!(shop.sql("SELECT count(note) FROM analytics.orders"), "1");
}

#[test]
fn a_right_to_an_object_that_is_missing_is_named_with_the_statement_that_gives_it() {
    let Some(shop) = Shop::new("") else { return };
    as_role(&shop, "guest", "CREATEDB");
    shop.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.source (id int PRIMARY KEY); CREATE SCHEMA analytics AUTHORIZATION guest; \
         CREATE TABLE analytics.theirs (id int); GRANT USAGE ON SCHEMA raw TO guest",
    );
    let before = shop.server.catalog(&shop.database);
    shop.declare("CREATE TABLE theirs (id int, more int);\n");
    shop.migrate("--yes --adopt declared")
        .exits(5)
        .says("must be owner of table theirs; what is missing: ALTER TABLE analytics.theirs OWNER TO guest");
    assert_eq!(shop.server.catalog(&shop.database), before);
    shop.declare("CREATE TABLE mine (id int REFERENCES raw.source(id));\n");
    shop.migrate("--yes").exits(5).says(
        "permission denied for table source; what is missing: GRANT REFERENCES ON TABLE raw.source TO guest",
    );
    assert_eq!(shop.server.catalog(&shop.database), before);
    shop.sql("GRANT REFERENCES ON TABLE raw.source TO guest");
    shop.migrate("--yes").exits(0);
    // What is given is what was missing.
    shop.sql("ALTER SCHEMA analytics OWNER TO postgres; GRANT USAGE ON SCHEMA analytics TO guest");
    shop.declare("CREATE TABLE mine (id int REFERENCES raw.source(id));\nCREATE TABLE more (id int);\n");
    shop.migrate("--yes")
        .exits(5)
        .says("permission denied for schema analytics; what is missing: GRANT USAGE, CREATE ON SCHEMA analytics TO guest");
}

#[test]
fn a_routine_and_a_type_that_are_made_anew_keep_their_owner_and_who_may_use_them() {
    let before = "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1';\n\
                  CREATE TYPE mood AS ENUM ('ok', 'bad');\nCREATE TABLE t (m mood);\n";
    let Some(shop) = Shop::new(before) else { return };
    shop.converge(before, "");
    for role in ["reader", "lim", "extra"] {
        shop.sql(&format!(
            "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ));
    }
    shop.sql(
        "REVOKE EXECUTE ON FUNCTION analytics.f(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION analytics.f(int) TO reader; \
         ALTER FUNCTION analytics.f(int) OWNER TO lim; REVOKE USAGE ON TYPE analytics.mood FROM PUBLIC; \
         GRANT USAGE ON TYPE analytics.mood TO reader WITH GRANT OPTION; ALTER TYPE analytics.mood OWNER TO lim; \
         ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO extra; ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO extra",
    );
    let rights = "SELECT (SELECT proowner::regrole || ' ' || proacl::text FROM pg_proc WHERE proname = 'f'), \
                  (SELECT typowner::regrole || ' ' || typacl::text FROM pg_type WHERE typname = 'mood')";
    let known = shop.sql(rights);
    assert_eq!(known, "lim {lim=X/lim,reader=X/lim}|lim {lim=U/lim,reader=U*/lim}");
    let after = before.replace("f(a int)", "f(a int, b int DEFAULT 2)").replace(", 'bad'", "");
    let steps = shop.converge(&after, "--force");
    assert_eq!(codes(&steps), ["change-routine", "change-type"]);
    assert_eq!(shop.sql(rights), known);
    // Who may not act as the owner cannot give it back.
    as_role(&shop, "half_owner", "CREATEDB");
    shop.sql(&format!(
        "GRANT CREATE ON DATABASE {} TO half_owner; ALTER SCHEMA analytics OWNER TO half_owner; \
         ALTER TABLE analytics.t OWNER TO half_owner; GRANT ALL ON ALL TABLES IN SCHEMA analytics TO half_owner; \
         GRANT USAGE ON TYPE analytics.mood TO half_owner",
        shop.database
    ));
    shop.declare(
        &before.replace("'bad'", "'good'").replace("f(a int)", "f(a int, b text)").replace("'ok', ", ""),
    );
    let steps = shop.steps("--force");
    for code in ["change-type", "change-routine"] {
        let step = steps.iter().find(|step| step["code"] == code).unwrap();
        assert!(step["reason"].as_str().unwrap().contains("`lim` owns it"), "{step:#}");
        assert_eq!((&step["allow"], step["ddl"].as_array().unwrap().len()), (&serde_json::Value::Null, 0));
    }
    assert_eq!(shop.sql(rights), known.replace("reader=U*/lim}", "reader=U*/lim,half_owner=U/lim}"));
}

#[test]
fn a_view_and_a_computed_column_that_are_made_again_get_back_all_that_they_had() {
    let before = "CREATE TABLE t (a int, b int, c int GENERATED ALWAYS AS (b + 1) STORED);\n\
                  CREATE VIEW v AS SELECT a, b FROM t;\nCREATE MATERIALIZED VIEW mv AS SELECT a FROM t;\nCREATE INDEX mvi ON mv (a);\n";
    let Some(shop) = Shop::new(before) else { return };
    shop.converge(before, "");
    for role in ["reader", "extra"] {
        shop.sql(&format!(
            "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ));
    }
    shop.sql(
        "GRANT SELECT (a), UPDATE (b) ON analytics.v TO reader; GRANT SELECT (c) ON analytics.t TO reader; \
         ALTER VIEW analytics.v ALTER b SET DEFAULT 9; COMMENT ON INDEX analytics.mvi IS 'it''s made'; \
         ALTER MATERIALIZED VIEW analytics.mv CLUSTER ON mvi; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT INSERT ON TABLES TO extra",
    );
    let state = "SELECT (SELECT string_agg(attname || attacl::text, ' ' ORDER BY attname) FROM pg_attribute WHERE attacl IS NOT NULL AND NOT attisdropped \
                 AND attrelid IN ('analytics.v'::regclass, 'analytics.t'::regclass)), \
                 (SELECT relacl IS NULL OR relacl::text NOT LIKE '%extra%' FROM pg_class WHERE relname = 'v'), \
                 obj_description('analytics.mvi'::regclass), (SELECT indisclustered FROM pg_index WHERE indexrelid = 'analytics.mvi'::regclass), \
                 (SELECT count(*) FROM pg_attrdef WHERE adrelid = 'analytics.v'::regclass)";
    let known = shop.sql(state);
    assert_eq!(known, "a{reader=r/postgres} b{reader=w/postgres} c{reader=r/postgres}|t|it's made|t|1");
    let after = before.replace("(a int, b", "(a bigint, b").replace("b + 1", "b + 2");
    shop.converge(&after, "--force");
    assert_eq!(shop.sql(state), known);
    // What hung on a column that goes, goes with it.
    shop.converge(
        &after.replace("SELECT a, b FROM", "SELECT b FROM").replace("CREATE INDEX mvi ON mv (a);\n", ""),
        "--force",
    );
}
