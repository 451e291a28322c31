//! What PostgreSQL would lock writers out for, in steps that do not; what is taken away comes back whole; and what no
//! change is planned for is refused by name.

use serde_json::Value;

use super::support::database::{Shop, codes, ddl, step};

const PLAIN: &str = "CREATE TABLE t (id bigint NOT NULL, x text DEFAULT 'a', code text);\n";
const TIGHT: &str =
    "CREATE TABLE t (id bigint PRIMARY KEY, x text DEFAULT 'a' NOT NULL, code text, UNIQUE (code));\n";

fn group(step: &Value) -> u64 {
    step["group"].as_u64().unwrap()
}

#[test]
fn a_required_column_and_keys_come_without_locking_writers_out() {
    let Some(shop) = Shop::new(PLAIN) else { return };
    shop.converge(PLAIN, "");
    shop.sql("INSERT INTO analytics.t VALUES (1, 'x', 'c')");
    let steps = shop.converge(TIGHT, "");
    assert_eq!(
        ddl(step(&steps, "guard-not-null")),
        ["ALTER TABLE analytics.t ADD CONSTRAINT _promote_not_null_x CHECK (x IS NOT NULL) NOT VALID"]
    );
    assert_eq!(
        ddl(step(&steps, "look-not-null")),
        ["ALTER TABLE analytics.t VALIDATE CONSTRAINT _promote_not_null_x"]
    );
    assert_eq!(
        ddl(step(&steps, "set-not-null")),
        [
            "ALTER TABLE analytics.t ALTER COLUMN x SET NOT NULL",
            "ALTER TABLE analytics.t DROP CONSTRAINT _promote_not_null_x"
        ]
    );
    let built: Vec<&Value> = steps.iter().filter(|step| step["code"] == "build-key").collect();
    let added: Vec<&Value> = steps.iter().filter(|step| step["code"] == "add-constraint").collect();
    assert_eq!((built.len(), added.len()), (2, 2), "{:?}", codes(&steps));
    for (build, add) in built.iter().zip(&added) {
        assert!(ddl(build)[0].starts_with("CREATE UNIQUE INDEX CONCURRENTLY "), "{build}");
        assert!(ddl(add)[0].contains(" USING INDEX "), "{add}");
        assert!(group(build) < group(add));
        assert_eq!(add["mechanics"], "metadata");
    }
    assert_ne!(group(built[0]), group(built[1]), "each index is outside of any transaction");
    let of = |code| group(step(&steps, code));
    assert!(of("guard-not-null") < of("look-not-null") && of("look-not-null") < of("set-not-null"));
    assert_eq!(
        shop.sql("SELECT string_agg(conname, ',' ORDER BY 1) FROM pg_constraint WHERE conrelid = 'analytics.t'::regclass"),
        "t_code_key,t_pkey"
    );
}

#[test]
fn what_a_broken_run_has_left_is_taken_up_again() {
    let Some(shop) = Shop::new(PLAIN) else { return };
    shop.converge(PLAIN, "");
    shop.sql("INSERT INTO analytics.t VALUES (1, 'x', 'c'), (2, 'x', 'c')");
    let broken = "CREATE UNIQUE INDEX CONCURRENTLY t_code_key ON analytics.t USING btree (code)";
    assert!(!shop.server.psql(&shop.database, broken).0);
    shop.sql(
        "DELETE FROM analytics.t WHERE id = 2; \
         ALTER TABLE analytics.t ADD CONSTRAINT _promote_not_null_x CHECK (x IS NOT NULL) NOT VALID",
    );
    shop.sql("CREATE UNIQUE INDEX t_pkey ON analytics.t USING btree (id)");
    let steps = shop.converge(TIGHT, "");
    assert_eq!(
        codes(&steps),
        ["build-key", "look-not-null", "set-not-null", "add-constraint", "add-constraint"]
    );
    assert_eq!(ddl(&steps[0])[0], "DROP INDEX CONCURRENTLY analytics.t_code_key");
}

#[test]
fn a_table_without_rows_needs_no_detour() {
    let Some(shop) = Shop::new(PLAIN) else { return };
    shop.converge(PLAIN, "");
    let steps = shop.converge(TIGHT, "");
    assert_eq!(codes(&steps), ["set-not-null", "add-constraint", "add-constraint"]);
    assert!(steps.iter().all(|step| step["group"] == 1), "all of it is one transaction");
}

#[test]
fn what_is_made_again_keeps_its_rights_and_comments() {
    let before = "CREATE TABLE t (id bigint, x int);\nCREATE VIEW v AS SELECT id, x FROM t;\n\
                  COMMENT ON VIEW v IS 'all';\nCOMMENT ON COLUMN v.x IS 'how many';\n";
    let Some(shop) = Shop::new(before) else { return };
    shop.converge(before, "");
    shop.sql(
        "DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN OTHERS THEN NULL; END $$; \
         GRANT SELECT ON analytics.v, analytics.t TO keeper; GRANT SELECT ON analytics.v TO PUBLIC",
    );
    let rights = "SELECT string_agg(grantee || ' ' || privilege_type, ',' ORDER BY grantee COLLATE \"C\") \
                  FROM information_schema.role_table_grants WHERE table_schema = 'analytics' \
                  AND grantee IN ('keeper', 'PUBLIC') AND table_name = ";
    shop.converge(&before.replace("x int", "x bigint"), "");
    assert_eq!(shop.sql(&format!("{rights} 'v'")), "PUBLIC SELECT,keeper SELECT");
    assert_eq!(shop.sql(&format!("{rights} 't'")), "keeper SELECT");
    assert_eq!(shop.sql("SELECT obj_description('analytics.v'::regclass)"), "all");
    assert_eq!(shop.sql("SELECT col_description('analytics.v'::regclass, 2)"), "how many");
    let table = "CREATE TABLE t (id bigint, x bigint);\nCREATE TABLE v (id bigint, x bigint);\n\
                 COMMENT ON TABLE v IS 'all';\n";
    shop.converge(table, "--force");
    assert_eq!(shop.sql(&format!("{rights} 'v'")), "PUBLIC SELECT,keeper SELECT");
}

#[test]
fn what_no_change_is_planned_for_is_refused_by_name() {
    let Some(shop) = Shop::new(PLAIN) else { return };
    shop.converge(PLAIN, "");
    shop.sql("DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN OTHERS THEN NULL; END $$");
    let before = shop.server.catalog(&shop.database);
    let mut ignored = Vec::new();
    for (statement, name) in [
        ("GRANT SELECT ON t TO keeper", "GRANT"),
        ("REVOKE SELECT ON t FROM keeper", "REVOKE"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO keeper", "ALTER"),
        ("CREATE ROLE other", "CREATE ROLE"),
        ("CREATE POLICY p ON t USING (true)", "CREATE POLICY"),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "row level security"),
        ("ALTER TABLE t FORCE ROW LEVEL SECURITY", "row level security"),
        ("ALTER TABLE t REPLICA IDENTITY FULL", "replica identity"),
        ("ALTER TABLE t OWNER TO keeper", "OWNER TO"),
        ("ALTER TABLE t ALTER COLUMN x SET STATISTICS 5", "SET STATISTICS"),
        ("ALTER TABLE t ALTER x SET STORAGE EXTERNAL", "SET STORAGE"),
        ("ALTER TABLE t DISABLE TRIGGER ALL", "DISABLE TRIGGER"),
        ("CREATE TABLE parts (id int) PARTITION BY RANGE (id)", "partitioned by"),
        ("CREATE TABLE child () INHERITS (t)", "inherits"),
        ("CREATE UNLOGGED TABLE quick (id int)", "unlogged"),
        ("CREATE EXTENSION pg_trgm", "CREATE EXTENSION"),
        ("CREATE AGGREGATE total (bigint) (sfunc = int8pl, stype = bigint)", "CREATE AGGREGATE"),
        ("CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING", "CREATE RULE"),
        ("CREATE STATISTICS s ON id, x FROM t", "CREATE STATISTICS"),
        ("CREATE COLLATION c FROM \"C\"", "CREATE COLLATION"),
        ("CREATE CAST (bigint AS text) WITH INOUT", "CREATE CAST"),
        ("CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)", "CREATE OPERATOR"),
        ("CREATE FOREIGN TABLE f (id int) SERVER s", "CREATE FOREIGN"),
        ("CREATE PUBLICATION p FOR TABLE t", "CREATE PUBLICATION"),
        ("CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()", "CREATE EVENT"),
        ("CREATE TEXT SEARCH CONFIGURATION s (COPY = simple)", "CREATE TEXT"),
        ("SECURITY LABEL ON TABLE t IS 'x'", "SECURITY"),
        ("INSERT INTO t VALUES (1)", "INSERT"),
        ("SELECT 1", "query"),
        ("DROP TABLE t", "DROP"),
        ("TRUNCATE t", "TRUNCATE"),
        ("DO $$ BEGIN NULL; END $$", "DO"),
        ("CALL f()", "CALL"),
        ("SET search_path = x", "SET"),
    ] {
        shop.declare(&format!("{PLAIN}{statement};\n"));
        let run = shop.migrate("--yes --force");
        if run.status == 0 || !run.everything().contains(name) {
            ignored.push(format!("{statement}: {} {}", run.status, run.everything()));
        }
    }
    assert!(ignored.is_empty(), "{}", ignored.join("\n"));
    assert_eq!(shop.server.catalog(&shop.database), before);
}
