//! The way out of each refused change, carried out as it is printed: its edits, its statements and its flags. Each
//! stage that expands has to be compatible, and only the last may have to be let through.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::support::sandbox::Sandbox;
use super::support::server::{Server, server};

/// Where a case runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum On {
    DuckDb,
    Postgres,
    Both,
}

/// A change that is refused.
struct Case {
    code: &'static str,
    on: On,
    /// Files that were migrated before.
    live: &'static [(&'static str, &'static str)],
    /// What somebody did by hand since.
    rows: &'static str,
    /// Files that are wanted now; an empty text: no such file.
    wanted: &'static [(&'static str, &'static str)],
    /// What mends the rows, where only a person can know it.
    mend: &'static str,
}

const IDS: &str = "INSERT INTO analytics.t (id) VALUES (1), (2)";
const ALL: &str = "schema/all.sql";

const CASES: &[Case] = &[
    Case {
        code: "add-column",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (\n  id bigint PRIMARY KEY -- the id\n);\n")],
        rows: IDS,
        wanted: &[(ALL, "CREATE TABLE t (\n  id bigint PRIMARY KEY, -- the id\n  c int NOT NULL\n);\n")],
        mend: "",
    },
    Case {
        code: "drop-column",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, rate double precision NOT NULL, z int);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 0.5, 1)",
        wanted: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, z int);\n")],
        mend: "",
    },
    Case {
        code: "drop-column",
        on: On::Both,
        live: &[("models/t.yml", EXTERNAL_WIDE)],
        rows: "INSERT INTO analytics.t VALUES (1, 0.5)",
        wanted: &[("models/t.yml", EXTERNAL)],
        mend: "",
    },
    Case {
        code: "rename-column",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 10)",
        wanted: &[
            (ALL, "CREATE TABLE t (id bigint PRIMARY KEY, b int NOT NULL);\n"),
            ("schema/t.yml", "tables:\n- name: t\n  columns:\n  - {name: b, renamed_from: a}\n"),
        ],
        mend: "",
    },
    Case {
        code: "rename-table",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, a int);\n")],
        rows: IDS,
        wanted: &[
            (ALL, "CREATE TABLE u (id bigint PRIMARY KEY, a int);\n"),
            ("schema/u.yml", "tables:\n- name: u\n  renamed_from: t\n"),
        ],
        mend: "",
    },
    Case {
        code: "rename-table",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, a int, z int DEFAULT 7);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 10, 3)",
        wanted: &[
            (ALL, "CREATE TABLE u (z int DEFAULT 7, id bigint PRIMARY KEY, b int, more int);\n"),
            (
                "schema/u.yml",
                "tables:\n- name: u\n  renamed_from: t\n  columns:\n  - {name: b, renamed_from: a}\n",
            ),
        ],
        mend: "",
    },
    Case {
        code: "retype-column",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x text);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, '10'), (2, NULL)",
        wanted: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x integer);\n")],
        mend: "",
    },
    Case {
        code: "retype-column",
        on: On::Both,
        live: &[(
            ALL,
            "CREATE TABLE t (\n  id bigint, -- the id\n  w varchar, -- the weight\n  CONSTRAINT uq_w UNIQUE (w)\n);\nCREATE INDEX t_w ON t (w);\nCOMMENT ON COLUMN t.w IS 'the weight';\nCREATE INDEX t_id ON t (id);\n",
        )],
        rows: "INSERT INTO analytics.t VALUES (1, '10'), (2, NULL)",
        wanted: &[(
            ALL,
            "CREATE TABLE t (\n  id bigint, -- the id\n  w integer, -- the weight\n  CONSTRAINT uq_w UNIQUE (w)\n);\nCREATE INDEX t_w ON t (w);\nCOMMENT ON COLUMN t.w IS 'the weight';\nCREATE INDEX t_id ON t (id);\n",
        )],
        mend: "",
    },
    Case {
        code: "retype-column",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (\n  id bigint,\n  w int DEFAULT 0\n);\n")],
        rows: "INSERT INTO analytics.t (id) VALUES (1)",
        wanted: &[(ALL, "CREATE TABLE t (\n  id bigint,\n  w text DEFAULT 'none'\n);\n")],
        mend: "",
    },
    Case {
        code: "drop-column",
        on: On::Postgres,
        live: &[(ALL, "CREATE TABLE t (\n  id bigint,\n  w serial\n);\n")],
        rows: "INSERT INTO analytics.t (id) VALUES (1)",
        wanted: &[(ALL, "CREATE TABLE t (\n  id bigint\n);\n")],
        mend: "",
    },
    Case {
        code: "retype-column",
        on: On::Postgres,
        live: &[(ALL, "CREATE TABLE t (\n  id bigint,\n  w serial\n);\n")],
        rows: "INSERT INTO analytics.t (id) VALUES (1)",
        wanted: &[(ALL, "CREATE TABLE t (\n  id bigint,\n  w text\n);\n")],
        mend: "",
    },
    Case {
        code: "narrow-type",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x numeric(18,4));\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 1.2345), (2, 1.5)",
        wanted: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x numeric(10,2));\n")],
        mend: "UPDATE analytics.t SET x = 1.23 WHERE id = 1",
    },
    Case {
        code: "set-not-null",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x text);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, NULL), (2, 'x')",
        wanted: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x text NOT NULL);\n")],
        mend: "",
    },
    Case {
        code: "set-not-null",
        on: On::Both,
        live: &[("models/t.yml", EXTERNAL_WIDE)],
        rows: IDS,
        wanted: &[("models/t.yml", EXTERNAL_REQUIRED)],
        mend: "",
    },
    Case {
        code: "change-default",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x int NOT NULL DEFAULT 1);\n")],
        rows: IDS,
        wanted: &[(ALL, "CREATE TABLE t (id bigint PRIMARY KEY, x int NOT NULL);\n")],
        mend: "",
    },
    Case {
        code: "change-generated",
        on: On::DuckDb,
        live: &[(ALL, "CREATE TABLE t (id bigint, y bigint GENERATED ALWAYS AS (id + 1));\n")],
        rows: IDS,
        wanted: &[(ALL, "CREATE TABLE t (id bigint, y bigint GENERATED ALWAYS AS (id + 2));\n")],
        mend: "",
    },
    Case {
        code: "change-generated",
        on: On::Postgres,
        live: &[(ALL, "CREATE TABLE t (id bigint, y bigint GENERATED ALWAYS AS (id + 1) STORED);\n")],
        rows: IDS,
        wanted: &[(ALL, "CREATE TABLE t (id bigint, y bigint GENERATED ALWAYS AS (id + 2) STORED);\n")],
        mend: "",
    },
    Case {
        code: "change-identity",
        on: On::Postgres,
        live: &[(ALL, "CREATE TABLE t (id bigint, n int GENERATED BY DEFAULT AS IDENTITY);\n")],
        rows: IDS,
        wanted: &[(ALL, "CREATE TABLE t (id bigint, n int GENERATED ALWAYS AS IDENTITY);\n")],
        mend: "",
    },
    Case {
        code: "add-constraint",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint, x int);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 1), (2, 1), (3, 2)",
        wanted: &[(ALL, "CREATE TABLE t (id bigint, x int UNIQUE);\n")],
        mend: "DELETE FROM analytics.t WHERE id = 2",
    },
    Case {
        code: "add-constraint",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint, x int);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 1), (2, -1)",
        wanted: &[(ALL, "CREATE TABLE t (id bigint, x int,\n  CHECK (x > 0));\n")],
        mend: "UPDATE analytics.t SET x = 1 WHERE id = 2",
    },
    Case {
        code: "add-constraint",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint NOT NULL DEFAULT 0, x int);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 1), (1, 2)",
        wanted: &[(ALL, "CREATE TABLE t (id bigint NOT NULL DEFAULT 0, x int, PRIMARY KEY (id));\n")],
        mend: "UPDATE analytics.t SET id = x",
    },
    Case {
        code: "add-constraint",
        on: On::Postgres,
        live: &[(ALL, "CREATE TABLE p (id bigint PRIMARY KEY);\nCREATE TABLE t (id bigint);\n")],
        rows: IDS,
        wanted: &[(
            ALL,
            "CREATE TABLE p (id bigint PRIMARY KEY);\nCREATE TABLE t (id bigint REFERENCES p);\n",
        )],
        mend: "INSERT INTO analytics.p VALUES (1), (2)",
    },
    Case {
        code: "create-index",
        on: On::Both,
        live: &[(ALL, "CREATE TABLE t (id bigint, x int);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 1), (2, 1)",
        wanted: &[(ALL, "CREATE TABLE t (id bigint, x int);\nCREATE UNIQUE INDEX by_x ON t (x);\n")],
        mend: "DELETE FROM analytics.t WHERE id = 2",
    },
    Case {
        code: "validate-constraint",
        on: On::Postgres,
        live: &[(ALL, "CREATE TABLE t (id bigint, x int);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, -1); \
               ALTER TABLE analytics.t ADD CONSTRAINT positive CHECK (x > 0) NOT VALID",
        wanted: &[(ALL, "CREATE TABLE t (id bigint, x int, CONSTRAINT positive CHECK (x > 0));\n")],
        mend: "UPDATE analytics.t SET x = 1",
    },
    Case {
        code: "change-type",
        on: On::Postgres,
        live: &[(ALL, "CREATE TYPE mood AS ENUM ('ok', 'bad');\nCREATE TABLE t (id bigint, m mood);\n")],
        rows: "INSERT INTO analytics.t VALUES (1, 'ok')",
        wanted: &[(ALL, "CREATE TYPE mood AS ENUM ('ok', 'good');\nCREATE TABLE t (id bigint, m mood);\n")],
        mend: "",
    },
    Case {
        code: "change-routine",
        on: On::DuckDb,
        live: &[("routines/f.sql", "create macro f(a) as a * 2;\n")],
        rows: "SELECT 1",
        wanted: &[("routines/f.sql", "create macro f(a, b) as a * b;\n")],
        mend: "",
    },
    Case {
        code: "change-routine",
        on: On::Postgres,
        live: &[("routines/f.sql", "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2';\n")],
        rows: "SELECT 1",
        wanted: &[(
            "routines/f.sql",
            "CREATE FUNCTION f(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a * b';\n",
        )],
        mend: "",
    },
    Case {
        code: "drop-view-column",
        on: On::Both,
        live: &[("models/v.sql", "select 1 as a, 2 as b, 3 as c\n")],
        rows: "SELECT 1",
        wanted: &[("models/v.sql", "-- less\nselect 1 as a, 3 as c\n")],
        mend: "",
    },
    Case {
        code: "retype-view-column",
        on: On::Both,
        live: &[(ALL, "CREATE VIEW v AS SELECT 1 AS a, 2 AS b;\n")],
        rows: "SELECT 1",
        wanted: &[(ALL, "CREATE VIEW v AS SELECT 'x' || 1 AS a, 2 AS b;\n")],
        mend: "",
    },
    Case {
        code: "table-to-view",
        on: On::Both,
        live: &[("models/t.yml", EXTERNAL)],
        rows: IDS,
        wanted: &[("models/t.yml", ""), ("models/t.sql", "select cast(1 as bigint) as id\n")],
        mend: "",
    },
    Case {
        code: "view-to-table",
        on: On::Both,
        live: &[("models/t.sql", "select cast(1 as bigint) as id, 2 as b\n")],
        rows: "SELECT 1",
        wanted: &[("models/t.sql", ""), ("models/t.yml", EXTERNAL)],
        mend: "",
    },
    Case {
        code: "drop-table",
        on: On::Both,
        live: &[("models/t.yml", EXTERNAL)],
        rows: IDS,
        wanted: &[("models/t.yml", "models:\n- name: t\n  state: dropped\n")],
        mend: "",
    },
    Case {
        code: "drop-view",
        on: On::Both,
        live: &[("models/v.sql", "select 1 as a\n")],
        rows: "SELECT 1",
        wanted: &[("models/v.sql", ""), ("models/v.yml", "models:\n- {name: v, state: dropped}\n")],
        mend: "",
    },
    Case {
        code: "drop-routine",
        on: On::DuckDb,
        live: &[("routines/f.sql", "create macro f(a) as a * 2;\n")],
        rows: "SELECT 1",
        wanted: &[("routines/f.sql", ""), ("models/f.yml", "models:\n- {name: f, state: dropped}\n")],
        mend: "",
    },
    Case {
        code: "drop-routine",
        on: On::Postgres,
        live: &[("routines/f.sql", "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2';\n")],
        rows: "SELECT 1",
        wanted: &[("routines/f.sql", ""), ("models/f.yml", "models:\n- {name: f, state: dropped}\n")],
        mend: "",
    },
    Case {
        code: "drop-trigger",
        on: On::Postgres,
        live: &[(
            ALL,
            "CREATE TABLE t (id bigint, made timestamptz NOT NULL);\nCREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql \
             AS 'BEGIN NEW.made := now(); RETURN NEW; END';\nCREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp();\n",
        )],
        rows: IDS,
        wanted: &[(ALL, "CREATE TABLE t (id bigint, made timestamptz NOT NULL)\n")],
        mend: "",
    },
    Case {
        code: "drop-sequence",
        on: On::Postgres,
        live: &[(ALL, "CREATE SEQUENCE s;\n")],
        rows: "SELECT 1",
        wanted: &[(ALL, ""), ("models/s.yml", "models:\n- {name: s, state: dropped}\n")],
        mend: "",
    },
    Case {
        code: "drop-type",
        on: On::Postgres,
        live: &[(ALL, "CREATE TYPE mood AS ENUM ('ok');\n")],
        rows: "SELECT 1",
        wanted: &[(ALL, ""), ("models/mood.yml", "models:\n- {name: mood, state: dropped}\n")],
        mend: "",
    },
    Case {
        code: "not-ours",
        on: On::Both,
        live: &[],
        rows: "CREATE SCHEMA IF NOT EXISTS analytics; CREATE TABLE analytics.t (id bigint); \
               INSERT INTO analytics.t VALUES (1)",
        wanted: &[("models/t.yml", EXTERNAL)],
        mend: "",
    },
];

const EXTERNAL: &str = "\
models:
- name: t
  config: {materialized: external}
  columns:
  - {name: id, data_type: bigint}
";
const EXTERNAL_WIDE: &str = "\
models:
- name: t
  config: {materialized: external}
  columns:
  - {name: id, data_type: bigint}
  # how much
  - name: rate
    data_type: double precision
";
const EXTERNAL_REQUIRED: &str = "\
models:
- name: t
  config: {materialized: external}
  columns:
  - {name: id, data_type: bigint}
  # how much
  - name: rate
    data_type: double precision
    constraints: [not_null]
";

/// A project on one of the engines.
struct Project {
    sandbox: Sandbox,
    server: Option<(&'static Server, String)>,
}

impl Project {
    fn new(server: Option<&'static Server>) -> Self {
        let sandbox = Sandbox::new();
        let server = server.map(|server| (server, server.database()));
        let warehouse = match &server {
            Some((server, database)) => {
                format!("{{kind: postgres, url: \"{}\"}}", server.url("postgres", database))
            }
            None => "{kind: duckdb, path: shop.duckdb}".to_owned(),
        };
        let text = format!(
            "version: 1\nproject_id: shop\ndefault_environment: prod\nwarehouse: {warehouse}\n\
             dataset: analytics\nenvironments:\n- name: prod\n"
        );
        sandbox.write("p/project.yml", text);
        Self { sandbox, server }
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (file, text) in files {
            self.write_text(file, text);
        }
    }

    fn write_text(&self, file: &str, text: &str) {
        let path = format!("p/{file}");
        if text.is_empty() {
            drop(std::fs::remove_file(self.sandbox.path(&path)));
        } else {
            self.sandbox.write(&path, text);
        }
    }

    fn sql(&self, sql: &str) {
        if let Some((server, database)) = &self.server {
            drop(server.sql(database, sql));
            return;
        }
        let connection = duckdb::Connection::open(self.sandbox.path("p/shop.duckdb")).unwrap();
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn migrate(&self, flags: &[String]) -> Result<Value, String> {
        let mut words = vec!["migrate", "--format", "json"];
        words.extend(flags.iter().map(String::as_str));
        let run = self.sandbox.promote_words("p", &words);
        if matches!(run.status, 0 | 1) {
            return Ok(run.json());
        }
        Err(format!("{words:?}: status {}: {}", run.status, run.everything()))
    }

    fn plan(&self, flags: &[String]) -> Result<Value, String> {
        let mut all = vec!["--plan".to_owned()];
        all.extend_from_slice(flags);
        self.migrate(&all)
    }

    fn apply(&self, flags: &[String]) -> Result<(), String> {
        let mut all = vec!["--yes".to_owned()];
        all.extend_from_slice(flags);
        let answer = self.migrate(&all)?;
        if answer["error"].is_null() { Ok(()) } else { Err(format!("{flags:?}: {answer:#}")) }
    }

    /// Makes the edits of a stage, each where and on what it says.
    fn edit(&self, stage: &Value) -> Result<usize, String> {
        let edits = stage["edits"].as_array().unwrap();
        for edit in edits {
            let file = edit["file"].as_str().unwrap();
            let path = self.sandbox.path(&format!("p/{file}"));
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let mut lines: Vec<&str> = text.lines().collect();
            let at = usize::try_from(edit["line"].as_u64().unwrap()).unwrap() - 1;
            let (before, after) = (strings(&edit["before"]), strings(&edit["after"]));
            let end = at + before.len();
            if lines.get(at..end) != Some(&before.iter().map(String::as_str).collect::<Vec<_>>()[..]) {
                return Err(format!("{edit:#} does not fit {text}"));
            }
            lines.splice(at..end, after.iter().map(String::as_str));
            let text = if lines.is_empty() { String::new() } else { format!("{}\n", lines.join("\n")) };
            self.write_text(file, &text);
        }
        Ok(edits.len())
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// What stands in the way of a plan, as it is let through.
fn blocked(plan: &Value) -> BTreeSet<String> {
    let steps = plan["result"]["steps"].as_array().cloned().unwrap_or_default();
    let stands = |step: &&Value| {
        matches!(step["settled"].as_str(), Some("incompatible" | "needs_data_check"))
            && step["allowed"] == false
    };
    let allow = |step: &Value| {
        let refused = format!("{} of {}: {}", step["code"], step["object"], step["reason"]);
        step["allow"].as_str().map_or(refused, str::to_owned)
    };
    steps.iter().filter(stands).map(allow).collect()
}

/// Brings a project to where the change is refused, and gives its way out.
fn refused(case: &Case, server: Option<&'static Server>) -> Result<(Project, Vec<Value>), String> {
    let project = Project::new(server);
    project.write(case.live);
    if !case.live.is_empty() {
        project.apply(&[])?;
    }
    project.sql(case.rows);
    project.write(case.wanted);
    let plan = project.plan(&[])?;
    let steps = plan["result"]["steps"].as_array().cloned().unwrap_or_default();
    let step = steps.iter().find(|step| step["code"] == case.code);
    let step = step.ok_or_else(|| format!("it is not there: {plan:#}"))?;
    if blocked(&plan).is_empty() {
        return Err(format!("it is not refused: {step:#}"));
    }
    Ok((project, step["way"].as_array().unwrap().clone()))
}

fn carry_out(case: &Case, server: Option<&'static Server>) -> Result<(), String> {
    let (project, way) = refused(case, server)?;
    let (ways, others): (Vec<&Value>, Vec<&Value>) = way.iter().partition(|stage| stage["kind"] != "instead");
    let mut edits = 0;
    for stage in &ways {
        let say = |error: String| format!("{}: {error}\nof {way:#?}", stage["say"]);
        edits += project.edit(stage).map_err(say)?;
        let flags = strings(&stage["flags"]);
        match stage["kind"].as_str().unwrap() {
            "expand" => {
                let plan = project.plan(&flags)?;
                if !blocked(&plan).is_empty() || plan["result"]["compatible"] != true {
                    return Err(say(format!("it is not compatible: {:?}\n{plan:#}", blocked(&plan))));
                }
                project.apply(&flags).map_err(say)?;
            }
            "fill" => {
                for sql in strings(&stage["sql"]) {
                    project.sql(&sql);
                }
                if !case.mend.is_empty() {
                    project.sql(case.mend);
                }
            }
            "contract" => {
                let allowed: BTreeSet<String> =
                    flags.iter().filter(|flag| *flag != "--allow").cloned().collect();
                let found = blocked(&project.plan(&[])?);
                if found != allowed {
                    return Err(say(format!("{found:?} stands in the way, not {allowed:?}")));
                }
                project.apply(&flags).map_err(say)?;
            }
            _ => {}
        }
    }
    let last = project.plan(&[])?;
    let codes = last["result"]["steps"].as_array().cloned().unwrap_or_default();
    if codes.iter().any(|step| step["code"] != "orphan") {
        return Err(format!("a last plan is not empty: {last:#}"));
    }
    if edits == 0 && !matches!(case.code, "not-ours" | "validate-constraint") {
        return Err(format!("nothing is edited: {way:#?}"));
    }
    for other in others.iter().filter(|stage| !stage["edits"].as_array().unwrap().is_empty()) {
        let (project, _) = refused(case, server)?;
        project.edit(other)?;
        let plan = project.plan(&[])?;
        // What the data decides is a person's to mend here too.
        if !case.mend.is_empty() && !blocked(&plan).is_empty() {
            continue;
        }
        project.apply(&[]).map_err(|error| format!("{}: {error}", other["say"]))?;
    }
    Ok(())
}

fn all_on(server: Option<&'static Server>) {
    let engine = if server.is_some() { On::Postgres } else { On::DuckDb };
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.on == engine || case.on == On::Both).collect();
    let only = std::env::var("RECIPE").ok();
    let chosen: Vec<&&Case> =
        cases.iter().filter(|case| only.as_ref().is_none_or(|only| only == case.code)).collect();
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(fault) = carry_out(case, server) {
                faults.lock().unwrap().push(format!("=== {} on {engine:?}: {fault}", case.code));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(work);
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn the_way_out_of_every_refusal_can_be_carried_out_on_duckdb() {
    all_on(None);
}

#[test]
fn the_way_out_of_every_refusal_can_be_carried_out_on_postgres() {
    let Some(server) = server() else { return };
    all_on(Some(server));
}

/// Codes that are refused, but whose way out is only a person's: nothing of it can be carried out as printed.
const A_PERSONS: [&str; 1] = ["not-planned"];

#[test]
fn every_code_that_is_refused_has_a_case() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/migration/rule");
    let known: BTreeSet<&str> = CASES.iter().map(|case| case.code).chain(A_PERSONS).collect();
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let refuses = text.contains("Verdict::Incompatible") && text.contains(".way(");
        let name = path.file_stem().unwrap().to_str().unwrap().replace('_', "-");
        let code = if name == "change-view" { "drop-view-column".to_owned() } else { name };
        if refuses && !known.contains(code.as_str()) {
            missing.push(code);
        }
    }
    missing.sort();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
