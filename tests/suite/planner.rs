//! Somebody else's planner: real scripts that keep tables as files, called by the documented contract.

use std::fs;

use serde_json::Value;

use super::support::sandbox::{Run, Sandbox};

/// Says which files of `tables/` are not in the warehouse, and which are there and not declared.
const PLAN: &str = r#"#!/bin/sh
set -eu
cat > "$LIVE.asked"
sep=
printf '{"format": 1, "summary": "tables as files of %s", "state": "%s", "proven": true, "steps": [' "$TARGET" "$(ls "$LIVE" | tr '\n' ' ')"
for table in $(ls tables); do
  [ -e "$LIVE/$table" ] || { printf '%s{"code": "create-table", "object": "analytics.%s", "verdict": "compatible", "reason": "it is new", "ddl": ["CREATE TABLE %s"]}' "$sep" "$table" "$table"; sep=,; }
done
for table in $(ls "$LIVE"); do
  [ -e "tables/$table" ] || { printf '%s{"code": "drop-table", "object": "analytics.%s", "verdict": "incompatible", "reason": "its rows go", "recipe": ["keep it"]}' "$sep" "$table"; sep=,; }
done
printf ']}\n'
echo "looked with $API_TOKEN" >&2
"#;

const APPLY: &str = r#"#!/bin/sh
set -eu
cat > "$LIVE.applied"
for table in $(ls tables); do cp "tables/$table" "$LIVE/$table"; done
for table in $(ls "$LIVE"); do [ -e "tables/$table" ] || rm "$LIVE/$table"; done
echo "copied with $API_TOKEN" >&2
"#;

const PROJECT: &str = "\
version: 1
project_id: shop
default_environment: dev
warehouse: {kind: command, plan: ./planner/plan.sh, apply: ./planner/apply.sh, timeout: 20s}
vars: {lookback: 3}
environments:
- name: dev
  workspace: {branch: dev}
  dataset: analytics_dev
- name: prod
  workspace: {branch: prod}
  dataset: analytics
  env: {TARGET: production}
";

fn script(sandbox: &Sandbox, name: &str, text: &str) {
    sandbox.program(&format!("p/planner/{name}"), text);
}

/// Two branches; `dev` declares one table more than what is live in `prod`.
fn project() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let live = sandbox.path("live");
    fs::create_dir(&live).unwrap();
    sandbox.set("LIVE", live.to_str().unwrap()).set("API_TOKEN", "hush-4711-hush").set("TARGET", "nowhere");
    sandbox.write("live/orders", "id\n").write("p/tables/orders", "id\n").write("p/project.yml", PROJECT);
    script(&sandbox, "plan.sh", PLAN);
    script(&sandbox, "apply.sh", APPLY);
    sandbox.git("p", &["init", "-q", "-b", "prod"]);
    sandbox.commit("p", "Ada", "begin");
    sandbox.git("p", &["checkout", "-q", "-b", "dev"]);
    sandbox.write("p/tables/refunds", "id\n");
    sandbox.commit("p", "Ada", "refunds");
    sandbox
}

fn promote(sandbox: &Sandbox, words: &str) -> Run {
    sandbox.promote("p", words).keeps_quiet_about("hush-4711")
}

fn records(sandbox: &Sandbox) -> Vec<Value> {
    if !sandbox.git_succeeds("p", &["rev-parse", "-q", "--verify", "refs/promote/journal"]) {
        return Vec::new();
    }
    let count = sandbox.git("p", &["ls-tree", "--name-only", "refs/promote/journal:records"]).lines().count();
    let text = |number| sandbox.git("p", &["show", &format!("refs/promote/journal:records/{number}.json")]);
    (1..=count).map(|number| serde_json::from_str(&text(number)).unwrap()).collect()
}

fn live(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.path("live")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn schema(name: &str) -> Value {
    let path = format!("{}/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn its_steps_and_words_are_in_plan_report_and_record() {
    let sandbox = project();
    let plan = promote(&sandbox, "plan dev prod --format json").exits(0).json();
    assert!(jsonschema::is_valid(&schema("plan"), &plan["result"]));
    let migration = &plan["result"]["migration"];
    assert_eq!(migration["steps"][0]["code"], "create-table");
    assert_eq!(migration["steps"][0]["object"], "analytics.refunds");
    assert_eq!(migration["planner"]["command"], "./planner/plan.sh");
    assert_eq!(migration["planner"]["summary"], "tables as files of production");
    assert_eq!(migration["planner"]["output"][0], "looked with ••••");
    assert_eq!(live(&sandbox), ["orders"], "a plan changes nothing");
    for format in ["terminal", "markdown", "html"] {
        let run = promote(&sandbox, &format!("plan dev prod --format {format}")).exits(0);
        run.says("analytics.refunds").says("tables as files of production").says("looked with ••••");
    }
    promote(&sandbox, "dev prod --yes").exits(0).says("copied with ••••");
    assert_eq!(live(&sandbox), ["orders", "refunds"]);
    let records = records(&sandbox);
    assert_eq!(records[0]["entry"]["what"], "migrating");
    assert_eq!(records[0]["entry"]["migrations"][0]["steps"][0]["object"], "analytics.refunds");
    assert_eq!(records[1]["entry"]["planner"]["output"][0], "looked with ••••");
    promote(&sandbox, "history prod --verify").exits(0);
    promote(&sandbox, "plan dev prod --exit-code").exits(0).says("othing to do");
    for (file, action) in [("live.asked", "plan"), ("live.applied", "apply")] {
        let request: Value = serde_json::from_str(&sandbox.read(file)).unwrap();
        assert!(jsonschema::is_valid(&schema("planner-request"), &request), "{request}");
        assert_eq!((&request["action"], &request["dataset"]), (&action.into(), &"analytics".into()));
        assert_eq!(request["settings"]["vars.lookback"], 3);
        assert_eq!(request["plan"].is_null(), action == "plan");
        assert!(
            request["plan"].is_null() || jsonschema::is_valid(&schema("planner-answer"), &request["plan"])
        );
    }
}

#[test]
fn what_it_calls_incompatible_is_refused_until_it_is_let_through() {
    let sandbox = project();
    promote(&sandbox, "dev prod --yes").exits(0);
    sandbox.git("p", &["rm", "-q", "tables/refunds"]);
    sandbox.commit("p", "Ada", "no refunds");
    promote(&sandbox, "dev prod --yes").exits(1).says("drop-table").says("its rows go").says("keep it");
    assert_eq!(live(&sandbox), ["orders", "refunds"]);
    promote(&sandbox, "dev prod --yes --allow drop-table:analytics.refunds").exits(0);
    assert_eq!(live(&sandbox), ["orders"]);
    let last = records(&sandbox).pop().unwrap();
    assert_eq!(last["entry"]["what"], "migrated", "it comes after the push");
    assert_eq!(last["entry"]["migrations"][0]["steps"][0]["allowed"], true);
}

#[test]
fn a_planner_that_does_not_keep_the_contract_is_refused_with_its_words() {
    let sandbox = project();
    let before = sandbox.git("p", &["rev-parse", "prod"]);
    let steps =
        r#"{"format": 1, "steps": [{"code": "Add Column", "object": "a.t", "verdict": "compatible"}]}"#;
    for (text, status, says) in [
        ("echo \"no connection, $API_TOKEN\" >&2; exit 3", 5, "failed with status 3: no connection, ••••"),
        ("sleep 60 & sleep 60", 5, "did not end within 1 seconds"),
        (
            "echo Found 3 models; echo warn >&2",
            5,
            "printed what is no plan: expected value at line 1 column 1: warn",
        ),
        ("true", 5, "printed what is no plan"),
        ("echo '{\"format\": 2, \"steps\": []}'", 5, "its format is 2"),
        ("echo '{\"format\": 1, \"steps\": [], \"extra\": 1}'", 5, "unknown field `extra`"),
        (&format!("echo '{steps}'"), 5, "step 1 has no kebab-case `code`"),
        ("kill -9 $PPID", 5, "was ended by a signal"),
        (
            "echo \"the contract of orders is broken, $API_TOKEN\" >&2; exit 1",
            1,
            "refuses: the contract of orders is broken, ••••",
        ),
        ("head -c 20000000 /dev/zero", 5, "printed more than 16 MiB"),
    ] {
        sandbox.write("p/project.yml", PROJECT.replace("timeout: 20s", "timeout: 1s"));
        script(&sandbox, "plan.sh", &format!("#!/bin/sh\ncat > /dev/null\n{text}\n"));
        sandbox.commit("p", "Ada", "another planner");
        let begun = std::time::Instant::now();
        promote(&sandbox, "dev prod --yes --allow move-dataset:prod").exits(status).says(says);
        assert!(begun.elapsed().as_secs() < 30, "{text}");
        assert_eq!(sandbox.git("p", &["rev-parse", "prod"]), before, "{text}");
        assert_eq!(live(&sandbox), ["orders"], "{text}");
    }
}

#[test]
fn a_plan_that_differs_when_it_is_applied_is_stale() {
    let sandbox = project();
    let restless = PLAN.replace("$(ls \"$LIVE\" | tr '\\n' ' ')", "$(date +%N)");
    assert_ne!(restless, PLAN);
    script(&sandbox, "plan.sh", &restless);
    sandbox.commit("p", "Ada", "a restless planner");
    promote(&sandbox, "dev prod --yes").exits(6).says("`./planner/plan.sh` plans differently now");
    assert_eq!(live(&sandbox), ["orders"]);
    script(&sandbox, "plan.sh", PLAN);
    script(&sandbox, "apply.sh", "#!/bin/sh\necho \"half of it, $API_TOKEN\" >&2\nexit 9\n");
    sandbox.commit("p", "Ada", "one that fails");
    promote(&sandbox, "plan dev prod --save plan.json").exits(0);
    let before = sandbox.git("p", &["rev-parse", "prod"]);
    promote(&sandbox, "apply plan.json --yes").exits(5).says("failed with status 9: half of it, ••••");
    assert_eq!(sandbox.git("p", &["rev-parse", "prod"]), before);
    sandbox.write("live/theirs", "id\n");
    promote(&sandbox, "apply plan.json --yes").exits(6).says("the live schema moved");
}

#[test]
fn killed_between_its_migration_and_the_push_the_record_is_whole() {
    let sandbox = project();
    let killed = sandbox.promote_with("p", "dev prod --yes", ("PROMOTE_CRASH_AT", "migrated"));
    assert_eq!(killed.status, -1, "{}", killed.everything());
    assert_eq!(live(&sandbox), ["orders", "refunds"]);
    promote(&sandbox, "dev prod --yes").exits(0);
    let records = records(&sandbox);
    let steps: Vec<&Value> = records
        .iter()
        .flat_map(|record| record["entry"]["migrations"].as_array().unwrap())
        .flat_map(|migration| migration["steps"].as_array().unwrap())
        .collect();
    assert_eq!(steps.len(), 1, "{records:#?}");
    assert_eq!(
        sandbox.git("p", &["rev-parse", "prod^{tree}"]),
        sandbox.git("p", &["rev-parse", "dev^{tree}"])
    );
}

#[test]
fn one_environment_alone_is_migrated_by_it_too() {
    let sandbox = project();
    // The branch of `prod` is not checked out: its commit is written out, without the table of `dev`.
    promote(&sandbox, "migrate -e prod --plan --exit-code").exits(0).says("othing to do");
    promote(&sandbox, "migrate -e dev --save m.json").exits(0).says("analytics.refunds");
    promote(&sandbox, "apply m.json --yes").exits(0);
    assert_eq!(live(&sandbox), ["orders", "refunds"]);
    promote(&sandbox, "migrate -e dev --plan --exit-code").exits(0);
    promote(&sandbox, "run -e dev --plan").exits(0);
    promote(&sandbox, "check").exits(0);
    let project = sandbox.read("p/project.yml");
    sandbox.write(
        "p/project.yml",
        project.replace("  dataset: analytics_dev\n", "  dataset: analytics_dev\n  proof: required\n"),
    );
    script(&sandbox, "plan.sh", &PLAN.replace("\"proven\": true", "\"proven\": false"));
    sandbox.write("p/tables/more", "id\n");
    promote(&sandbox, "migrate -e dev --yes")
        .exits(1)
        .says("unproven: `./planner/plan.sh` does not say that it tried its plan");
    sandbox.write("p/project.yml", project.replace("apply: ./planner/apply.sh, ", ""));
    promote(&sandbox, "migrate -e dev --plan")
        .exits(3)
        .says("a warehouse of the kind `command` needs `apply`");
}

#[test]
fn the_example_for_dbt_promotes_with_a_real_dbt() {
    let Some(dbt) = std::env::var_os("PROMOTE_DBT") else {
        super::support::skipped("PROMOTE_DBT names no dbt program (with dbt-duckdb)");
        return;
    };
    let mut sandbox = Sandbox::new();
    let state = sandbox.path("state");
    let database = sandbox.path("prod.duckdb");
    sandbox
        .set("DBT", dbt.to_str().unwrap())
        .set("DBT_STATE", state.to_str().unwrap())
        .set("DBT_SEND_ANONYMOUS_USAGE_STATS", "false");
    let project = PROJECT.replace("./planner/plan.sh", "python3 planner/dbt.py");
    let project = project.replace("./planner/apply.sh", "python3 planner/dbt.py").replace("20s", "5m");
    sandbox.write("p/project.yml", project);
    let example = format!("{}/docs/planner-dbt.py", env!("CARGO_MANIFEST_DIR"));
    sandbox.write("p/planner/dbt.py", fs::read(example).unwrap());
    sandbox.write("p/dbt_project.yml", "name: shop\nversion: \"1.0.0\"\nprofile: shop\n");
    let output = format!("{{type: duckdb, path: \"{}\", schema: analytics}}", database.display());
    sandbox.write("p/profiles.yml", format!("shop:\n  target: prod\n  outputs:\n    prod: {output}\n"));
    sandbox
        .write("p/models/orders.sql", "{{ config(materialized='table') }}\nselect 1 as id, 10 as amount\n");
    sandbox.git("p", &["init", "-q", "-b", "prod"]);
    sandbox.commit("p", "Ada", "begin");
    sandbox.git("p", &["checkout", "-q", "-b", "dev"]);
    sandbox.write("p/models/revenue.sql", "select sum(amount) as revenue from {{ ref('orders') }}\n");
    sandbox.commit("p", "Ada", "revenue");
    let steps = |run: Run| {
        let steps = run.json()["result"]["migration"]["steps"].as_array().unwrap().clone();
        let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
        steps
            .iter()
            .map(|step| format!("{} {}", word(step, "code"), word(step, "object")))
            .collect::<Vec<_>>()
    };
    let plan = promote(&sandbox, "plan dev prod --format json").exits(0);
    assert_eq!(steps(plan), ["create-model prod.analytics.orders", "create-model prod.analytics.revenue"]);
    assert!(!database.exists(), "a plan changes nothing");
    promote(&sandbox, "dev prod --yes").exits(0);
    let connection = duckdb::Connection::open(&database).unwrap();
    let revenue = "select revenue::bigint from analytics.revenue";
    assert_eq!(connection.query_row(revenue, [], |row| row.get::<_, i64>(0)).unwrap(), 10);
    drop(connection);
    promote(&sandbox, "plan dev prod --exit-code").exits(0);
    sandbox
        .write("p/models/orders.sql", "{{ config(materialized='table') }}\nselect 1 as id, 20 as amount\n");
    sandbox.commit("p", "Ada", "dearer");
    let plan = promote(&sandbox, "plan dev prod --format json").exits(0);
    assert_eq!(steps(plan), ["change-model prod.analytics.orders", "change-model prod.analytics.revenue"]);
    sandbox.write("p/models/orders.sql", "select 1 as id, {{ ref('nothing') }}\n");
    sandbox.commit("p", "Ada", "broken");
    promote(&sandbox, "dev prod --yes").exits(1).says("refuses: dbt compile says no").says("nothing");
}
