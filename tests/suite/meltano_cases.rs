//! Every case of `fixtures/conformance/meltano` through the binary: what Meltano 4.4.1 resolves is what we show.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::support::sandbox::Sandbox;

/// Where the cases lie: a folder each, with `project/`, `expected.json` and perhaps `env.json`.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/conformance/meltano");

/// How many there are at least: a folder that lost some would pass unseen.
const AT_LEAST: usize = 69;

/// The fields of a plugin that are compared.
const FIELDS: [&str; 5] = ["config", "sources", "processed", "extras", "extras_sources"];

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is a mapping"))
}

/// A case in a sandbox of its own.
struct Case {
    sandbox: Sandbox,
    expected: Value,
}

impl Case {
    fn of(folder: &Path) -> Self {
        let mut sandbox = Sandbox::new();
        // A case assumes that there are no other variables; a `HOME` or `LANG` does no harm.
        copy(&folder.join("project"), &sandbox.path("project"));
        let variables = folder.join("env.json");
        if variables.exists() {
            for (name, text) in object(&read(&variables)) {
                sandbox.set(name, text.as_str().unwrap());
            }
        }
        Self { sandbox, expected: read(&folder.join("expected.json")) }
    }

    /// Gives the document of a run, and its status.
    fn show(&self, words: &[&str]) -> (i32, Value) {
        let all: Vec<&str> = ["config", "show", "--format", "json", "--reveal"]
            .into_iter()
            .chain(words.iter().copied())
            .collect();
        let run = self.sandbox.promote_words("project", &all);
        let text = run.stdout.replace("$SANDBOX/project", "@PROJECT_ROOT@");
        let document = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{words:?}: {error}\n{text}\n{}", run.stderr));
        (run.status, document)
    }

    /// Lists what differs.
    fn differences(&self) -> Vec<String> {
        let (status, document) = self.show(&["--no-environment"]);
        if self.expected.get("error").is_some() {
            let place = &document["findings"][0]["where"];
            let fine = status == 3 && document["result"].is_null() && place["file"].is_string();
            let line = place["line"].is_u64() && place["column"].is_u64();
            return if fine && line {
                Vec::new()
            } else {
                vec![format!("no error with a place: {document}")]
            };
        }
        let mut differences = Vec::new();
        self.selection(&mut differences);
        let (_, all) = self.show(&["--all-environments"]);
        for (name, plugins) in object(&self.expected["environments"]) {
            let found = match name.as_str() {
                "(none)" => (status, document["result"].clone()),
                name if plugins.get("error").is_some() => {
                    let (status, document) = self.show(&["-e", name]);
                    (status, document["result"].clone())
                }
                name => (0, all["result"]["environments"][name].clone()),
            };
            self.environment(name, plugins, &found, &mut differences);
        }
        self.root_keys(&document["result"]["project"], &all["result"]["environments"], &mut differences);
        differences
    }

    /// Compares which environment is chosen when nothing is said.
    fn selection(&self, differences: &mut Vec<String>) {
        let selection = &self.expected["selection"];
        let (status, document) = self.show(&[]);
        let wanted = &selection["environment"];
        let known = object(&self.expected["environments"]);
        let missing =
            wanted.as_str().is_some_and(|name| known.get(name).is_none_or(|it| it.get("error").is_some()));
        if missing {
            if status != 3 {
                differences.push(format!("the selection of {wanted} is no error"));
            }
            return;
        }
        let result = &document["result"];
        if result["environment"] != *wanted {
            differences.push(format!("selects {} and not {wanted}", result["environment"]));
        }
        let by_default = result["why"].as_str().unwrap_or_default().starts_with("default_environment");
        if by_default != selection["is_default"].as_bool().unwrap() {
            differences.push(format!("selects because of {}", result["why"]));
        }
    }

    fn environment(
        &self,
        name: &str,
        plugins: &Value,
        (status, found): &(i32, Value),
        differences: &mut Vec<String>,
    ) {
        if plugins.get("error").is_some_and(|error| error.get("type").is_some()) {
            if *status != 3 {
                differences.push(format!("{name}: no error"));
            }
            return;
        }
        let found = &found["plugins"];
        for (plugin, wanted) in object(plugins) {
            let there = &found[plugin.as_str()];
            let path = format!("{name} {plugin}");
            if wanted.get("error").is_some() {
                if there["error"]["message"].is_null() {
                    differences.push(format!("{path}: no error: {there}"));
                }
                continue;
            }
            for field in FIELDS.iter().chain(wanted.get("env").is_some().then_some(&"env")) {
                compare(&format!("{path} {field}"), &wanted[*field], &there[*field], differences);
            }
        }
        let extra = object(found).keys().filter(|key| plugins.get(key.as_str()).is_none());
        differences.extend(extra.map(|key| format!("{name}: {key} is too much")));
        self.origins(name, found, differences);
    }

    /// Every value that a file sets has a place at which the file says something.
    fn origins(&self, name: &str, found: &Value, differences: &mut Vec<String>) {
        for (plugin, there) in object(found) {
            for (key, origin) in there["origins"].as_object().into_iter().flatten() {
                if let Some(fault) = self.misplaced(origin) {
                    differences.push(format!("{name} {plugin} {key}: {fault}"));
                }
            }
        }
    }

    /// Says what is wrong with an origin.
    fn misplaced(&self, origin: &Value) -> Option<String> {
        let layer = origin["layer"].as_str().unwrap();
        let Some(file) = origin["file"].as_str() else {
            let placed = layer.starts_with("meltano") || layer == "dotenv";
            return placed.then(|| format!("{layer} has no place"));
        };
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap_or(1)).unwrap();
        let (line, column) = (number(&origin["line"]), number(&origin["column"]));
        let text = self.sandbox.read(&format!("project/{file}"));
        let there = text.lines().nth(line - 1).and_then(|line| line.chars().nth(column - 1));
        there.is_none_or(char::is_whitespace).then(|| format!("nothing is at {file}:{line}:{column}"))
    }

    /// Compares jobs, schedules and state ids.
    fn root_keys(&self, project: &Value, all: &Value, differences: &mut Vec<String>) {
        for key in ["jobs", "schedules"] {
            for item in self.expected[key].as_array().into_iter().flatten() {
                let name = item["name"].as_str().unwrap();
                for (field, wanted) in object(item).iter().filter(|(field, _)| *field != "name") {
                    compare(
                        &format!("{key} {name} {field}"),
                        wanted,
                        &project[key][name][field],
                        differences,
                    );
                }
            }
        }
        for (name, suffix) in self.expected["state_id_suffix"].as_object().into_iter().flatten() {
            compare(
                &format!("{name} state_id_suffix"),
                suffix,
                &all[name]["project"]["state_id_suffix"],
                differences,
            );
        }
    }
}

/// Compares by value: `1` and `1.0` are equal, the order of keys does not matter.
fn compare(path: &str, wanted: &Value, found: &Value, differences: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))) {
                match (one.get(key), other.get(key)) {
                    (Some(wanted), Some(found)) => {
                        compare(&format!("{path} {key}"), wanted, found, differences);
                    }
                    (wanted, found) => differences.push(format!("{path} {key}: {wanted:?} ≠ {found:?}")),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).for_each(|(wanted, found)| compare(path, wanted, found, differences));
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        (wanted, found) if wanted == found => {}
        _ => differences.push(format!("{path}: {wanted} ≠ {found}")),
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn resolves_every_case_as_meltano_does() {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(CASES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.json").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= AT_LEAST, "{} cases", folders.len());
    let only = std::env::var("CASE").ok();
    let mut all = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        if only.as_ref().is_none_or(|only| only == name) {
            let found = Case::of(&folder).differences();
            all.extend(found.into_iter().map(|difference| format!("{name}: {difference}")));
        }
    }
    assert!(all.is_empty(), "{} differences\n{}", all.len(), all.join("\n"));
}
