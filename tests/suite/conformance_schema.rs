//! Pairs of schemas from the tests of other tools: each is planned on a real server, applied, compared with a
//! database that was built from its end, and planned again; what cannot be planned is refused by name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value;

use super::support::sandbox::Sandbox;
use super::support::server::{Server, server};

/// Pairs that are refused, with what the refusal names.
const REFUSED: &[(&str, &str)] = &[
    ("migra/privileges", "`CREATE EXTENSION` declares nothing"),
    ("pg-schema-diff/extensions/no-op", "`CREATE EXTENSION` declares nothing"),
    ("pg-schema-diff/policy/no-op", "`CREATE POLICY` declares nothing"),
    (
        "pg-schema-diff/procedure/Drop a procedure's dependencies but not the procedure",
        "`DROP` declares nothing",
    ),
];

/// Pairs whose verdict is another than the suggested one, and why.
const OTHERWISE: &[(&str, &str, &str)] = &[
    (
        "pg-schema-diff/column/Change data type and to not nullable",
        "needs_data_check",
        "from `integer` to `smallint` is the same family: the data decides, as the reference's row 9 says",
    ),
    (
        "pg-schema-diff/function/Add and drop functions with dependencies (conflicting schemas)",
        "compatible",
        "nothing declares or ever declared the other namespace, so nothing in it is ours to drop",
    ),
];

/// The folder of the pairs; where there is none that is said.
fn folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let said = std::env::var_os("PROMOTE_CONFORMANCE").map(PathBuf::from);
    let folder = said.unwrap_or(beside).join("schema-diff");
    if folder.is_dir() {
        return Some(folder);
    }
    super::support::skipped(&format!(
        "no cases in {}; name their folder in PROMOTE_CONFORMANCE",
        folder.display()
    ));
    None
}

fn pairs() -> Option<Vec<Value>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()?)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        file["pairs"].as_array().unwrap().clone()
    };
    Some(files.iter().flat_map(read).collect())
}

#[test]
fn every_pair_converges_or_is_refused_by_name() {
    let (Some(server), Some(pairs)) = (server(), pairs()) else { return };
    assert!(!pairs.is_empty());
    let (waiting, faults) = (Mutex::new(pairs.iter()), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some(pair) = next(&waiting) {
            if let Err(fault) = try_pair(server, pair) {
                faults.lock().unwrap().insert(pair["id"].as_str().unwrap().to_owned(), fault);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(work);
        }
    });
    let faults = faults.into_inner().unwrap();
    let (all, refused) = (pairs.len(), REFUSED.len());
    super::support::told(&format!(
        "{all} pairs: {} converged, {refused} are refused by name, {} failed; {} with another verdict than suggested",
        all.saturating_sub(refused + faults.len()),
        faults.len(),
        OTHERWISE.len()
    ));
    assert!(faults.is_empty(), "{} of {}: {faults:#?}", faults.len(), pairs.len());
    let left: Vec<_> = server.databases().into_iter().filter(|name| name.starts_with("_promote_")).collect();
    assert!(left.iter().all(|name| name.contains("scratch")), "{left:?}");
}

/// Takes the next pair; the lock is let go before it is tried.
fn next<'a>(waiting: &Mutex<std::slice::Iter<'a, Value>>) -> Option<&'a Value> {
    waiting.lock().unwrap().next()
}

fn try_pair(server: &Server, pair: &Value) -> Result<(), String> {
    let text = |key: &str| pair[key].as_str().unwrap_or_default();
    for role in pair["roles"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let made = format!("DO $$ BEGIN CREATE ROLE \"{role}\"; EXCEPTION WHEN OTHERS THEN NULL; END $$");
        server.sql("postgres", &made);
    }
    let (live, wanted) = (server.database(), server.database());
    server.sql(&live, text("before"));
    server.sql(&wanted, text("after"));
    let before = server.catalog(&live);
    let sandbox = Sandbox::new();
    let project = format!(
        "version: 1\nproject_id: pair\ndefault_environment: one\n\
         warehouse: {{kind: postgres, url: \"{}\"}}\ndataset: public\nenvironments:\n- name: one\n",
        server.url("postgres", &live)
    );
    sandbox.write("p/project.yml", project).write("p/schema/after.sql", text("after"));
    let flags = "--adopt all --prune --force --format json";
    let run = sandbox.promote("p", &format!("migrate --yes {flags}"));
    if let Some((_, names)) = REFUSED.iter().find(|(id, _)| *id == text("id")) {
        if run.status == 0 || !run.stdout.contains(names) {
            return Err(format!("it should be refused with {names}: {}", run.everything()));
        }
        return if server.catalog(&live) == before {
            Ok(())
        } else {
            Err("a refusal changed something".into())
        };
    }
    if run.status != 0 {
        return Err(format!("status {}: {}", run.status, run.everything()));
    }
    let found = verdict(&run.json());
    let otherwise = OTHERWISE.iter().find(|(id, ..)| *id == text("id"));
    let expected = otherwise.map_or(text("suggested_verdict"), |(_, verdict, _)| verdict);
    if found != expected {
        return Err(format!("the verdict is {found}, not {expected}: {}", run.stdout));
    }
    let foreign = otherwise.is_some_and(|(.., why)| why.starts_with("nothing declares"));
    if !foreign && server.catalog(&live) != server.catalog(&wanted) {
        return Err(format!("live {:#?}\nwanted {:#?}", server.catalog(&live), server.catalog(&wanted)));
    }
    let again = sandbox.promote("p", &format!("migrate --plan {flags}")).json();
    if again["result"]["steps"] != Value::Array(Vec::new()) {
        return Err(format!("a second plan is not empty: {again}"));
    }
    for name in [live, wanted] {
        server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
    Ok(())
}

/// The worst verdict of the steps, in the words of the pairs.
fn verdict(answer: &Value) -> &'static str {
    let steps = answer["result"]["steps"].as_array().unwrap();
    let has = |verdict: &str| steps.iter().any(|step| step["verdict"] == verdict);
    if has("incompatible") {
        "incompatible"
    } else if has("needs_data_check") {
        "needs_data_check"
    } else {
        "compatible"
    }
}
