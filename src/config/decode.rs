//! Merged values → the typed [`Environment`].

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::resolve::{Fault, at_origin};
use super::shape::WAREHOUSE_KINDS;
use super::suggest::did_you_mean;
use crate::model::coordinate::Dataset;
use crate::model::environment::{
    Check, EffectiveValue, Environment, Force, Freeze, Gates, Migrate, Paths, ProofPolicy, Source,
    SourceTable, Via, Warehouse, Workspace,
};
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;

/// Types the values of an environment; what is not usable becomes a fault and is absent.
pub(super) fn environment(
    name: &EnvironmentName,
    root: &BTreeMap<String, EffectiveValue>,
    tree: &Value,
    folder: &Path,
    faults: &mut Vec<Fault>,
) -> Environment {
    let mut decoder = Decoder { root, tree, folder, faults };
    Environment {
        name: name.clone(),
        workspace: decoder.workspace(),
        warehouse: decoder.warehouse(),
        dataset: decoder.dataset("dataset", tree.get("dataset")),
        vars: object(tree.get("vars")),
        paths: decoder.paths(),
        sources: decoder.sources(),
        migrate: match decoder.text("migrate").as_deref() {
            Some("ci") => Migrate::Ci,
            Some("off") => Migrate::Off,
            _ => Migrate::Promotion,
        },
        force: match decoder.text("force").as_deref() {
            Some("forbidden") => Force::Forbidden,
            _ => Force::Allowed,
        },
        proof: match decoder.text("proof").as_deref() {
            Some("required") => ProofPolicy::Required,
            _ => ProofPolicy::Offered,
        },
        gates: decoder.gates(),
    }
}

/// How long another planner may take.
const PLANNER_TIMEOUT: Duration = Duration::from_secs(30 * 60);

struct Decoder<'a> {
    root: &'a BTreeMap<String, EffectiveValue>,
    tree: &'a Value,
    folder: &'a Path,
    faults: &'a mut Vec<Fault>,
}

impl Decoder<'_> {
    /// Adds a fault at the origin of a key, or of the first key below it.
    fn fault(&mut self, key: &str, finding: Finding) {
        let below = format!("{key}.");
        let origin = self
            .root
            .iter()
            .find(|(known, _)| *known == key || known.starts_with(&below))
            .map(|(_, value)| &value.origin);
        let finding = match origin {
            Some(origin) => at_origin(finding, origin),
            None => finding,
        };
        self.faults.push(Fault { key: key.to_owned(), finding });
    }

    fn faulty(&self, key: &str) -> bool {
        let below = format!("{key}.");
        self.faults.iter().any(|fault| fault.key == key || fault.key.starts_with(&below))
    }

    /// Gives a key's value as text.
    fn text(&self, key: &str) -> Option<String> {
        key.split('.').try_fold(self.tree, |value, name| value.get(name)).and_then(scalar)
    }

    fn has(&self, key: &str) -> bool {
        self.tree.get(key).and_then(Value::as_object).is_some_and(|fields| !fields.is_empty())
    }

    fn workspace(&mut self) -> Option<Workspace> {
        if !self.has("workspace") || self.faulty("workspace") {
            return None;
        }
        let repository = self.text("workspace.repository").filter(|repository| !repository.is_empty());
        let repository = repository.map(|repository| absolute_repository(self.folder, &repository));
        let Some(branch) = self.text("workspace.branch").filter(|branch| !branch.is_empty()) else {
            let finding = Finding::error("missing-key", "`workspace` has no `branch`");
            self.fault("workspace", finding.hint("add `branch: main` to it"));
            return None;
        };
        let via = match self.text("workspace.via").as_deref() {
            Some("branch") => Via::Branch,
            Some("pull_request") => Via::PullRequest,
            _ => Via::Push,
        };
        Some(Workspace { repository, branch, via })
    }

    fn warehouse(&mut self) -> Option<Warehouse> {
        if !self.has("warehouse") || self.faulty("warehouse") {
            return None;
        }
        let kind = self.text("warehouse.kind");
        match kind.as_deref() {
            Some("duckdb") => {
                let path = self.warehouse_text("path", "duckdb")?;
                Some(Warehouse::DuckDb { path: absolute_path(self.folder, &path) })
            }
            Some("postgres") => Some(Warehouse::Postgres {
                url: self.text("warehouse.url").unwrap_or_default(),
                scratch: self.text("warehouse.scratch").filter(|url| !url.is_empty()),
            }),
            Some("command") => {
                let timeout = self.text("warehouse.timeout").and_then(|text| duration(&text));
                let (plan, apply) =
                    (self.warehouse_text("plan", "command"), self.warehouse_text("apply", "command"));
                let timeout = timeout.unwrap_or(PLANNER_TIMEOUT);
                Some(Warehouse::Command { plan: plan?, apply: apply?, timeout })
            }
            other => {
                let kinds = WAREHOUSE_KINDS.join(", ");
                let finding = match other {
                    None => Finding::error("missing-key", "`warehouse` has no `kind`"),
                    Some(kind) => Finding::error(
                        "bad-value",
                        format!("`warehouse.kind` is no kind of warehouse: `{kind}`"),
                    ),
                };
                let meant = other.and_then(|kind| did_you_mean(kind, WAREHOUSE_KINDS.iter().copied()));
                let hint = meant.map_or_else(
                    || format!("the kinds are {kinds}"),
                    |meant| format!("did you mean `{meant}`?"),
                );
                self.fault("warehouse", finding.hint(hint));
                None
            }
        }
    }

    fn warehouse_text(&mut self, key: &str, kind: &str) -> Option<String> {
        let text = self.text(&format!("warehouse.{key}")).filter(|text| !text.is_empty());
        if text.is_none() {
            let message = format!("a warehouse of the kind `{kind}` needs `{key}`");
            let hint = format!("add `{key}` to `warehouse`");
            self.fault("warehouse", Finding::error("missing-key", message).hint(hint));
        }
        text
    }

    fn dataset(&mut self, key: &str, value: Option<&Value>) -> Option<Dataset> {
        let text = scalar(value?)?;
        match text.parse::<Dataset>() {
            Ok(dataset) => Some(dataset),
            Err(error) => {
                let finding = Finding::error("bad-dataset", format!("`{key}`: {error}"));
                self.fault(key, finding.hint("write `dataset` or `project.dataset`"));
                None
            }
        }
    }

    fn paths(&self) -> Paths {
        let list = |name: &str| match self.tree.get("paths").and_then(|paths| paths.get(name)) {
            Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
            Some(one) => scalar(one).into_iter().collect(),
            None => Vec::new(),
        };
        Paths {
            models: list("models"),
            schema: list("schema"),
            routines: list("routines"),
            seeds: list("seeds"),
            macros: list("macros"),
            tests: list("tests"),
        }
    }

    fn sources(&mut self) -> Vec<Source> {
        let items = self.tree.get("sources").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut sources = Vec::new();
        for item in &items {
            let Some(name) = item.get("name").and_then(scalar) else { continue };
            let dataset = self.dataset(&format!("sources.{name}.dataset"), item.get("dataset"));
            let tables = item.get("tables").and_then(Value::as_array);
            let tables = tables.into_iter().flatten().filter_map(table).collect();
            sources.push(Source { name, dataset, tables });
        }
        sources
    }

    fn gates(&mut self) -> Gates {
        let Some(gates) = self.tree.get("gates") else { return Gates::default() };
        let approvals = gates.get("approvals").and_then(Value::as_u64).unwrap_or_default();
        let checks = gates.get("checks").cloned().unwrap_or(Value::Array(Vec::new()));
        let checks = serde_json::from_value::<Vec<Check>>(checks).unwrap_or_else(|_| {
            let finding = Finding::error("missing-key", "a check of `gates.checks` has no `run`");
            self.fault("gates.checks", finding.hint("add the command: `run: make test`"));
            Vec::new()
        });
        let freeze = gates.get("freeze").cloned().unwrap_or(Value::Array(Vec::new()));
        let freeze = serde_json::from_value::<Vec<Freeze>>(freeze).unwrap_or_else(|_| {
            let finding = Finding::error("missing-key", "an item of `gates.freeze` has no `days`");
            self.fault("gates.freeze", finding.hint("write `- {days: [sat, sun]}`"));
            Vec::new()
        });
        Gates {
            approvals: u32::try_from(approvals).unwrap_or(u32::MAX),
            soak: gates.get("soak").and_then(Value::as_str).and_then(duration),
            freeze,
            checks,
        }
    }
}

fn table(item: &Value) -> Option<SourceTable> {
    Some(SourceTable {
        name: item.get("name").and_then(scalar)?,
        identifier: item.get("identifier").and_then(scalar),
        files: item.get("files").and_then(scalar),
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn object(value: Option<&Value>) -> BTreeMap<String, Value> {
    let fields = value.and_then(Value::as_object);
    fields.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Reads a length of time: numbers with `s`, `m`, `h`, `d` or `w`, such as `24h` or `1d12h`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut total: u64 = 0;
    let mut number = String::new();
    for character in text.chars() {
        if character.is_ascii_digit() {
            number.push(character);
            continue;
        }
        let unit = match character {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then(|| Duration::from_secs(total))
}

/// Makes a repository's path absolute; URLs (also `git@host:path`) are left alone.
pub(super) fn absolute_repository(folder: &Path, repository: &str) -> String {
    let scp = repository.split_once(':').is_some_and(|(host, _)| !host.contains('/'));
    if scp || repository.contains("://") {
        return repository.to_owned();
    }
    absolute_path(folder, repository)
}

/// Makes a path absolute, without `.` and `..`.
fn absolute_path(folder: &Path, path: &str) -> String {
    if path == ":memory:" || path.contains("://") {
        return path.to_owned();
    }
    let mut clean = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(component),
        }
    }
    clean.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lengths_of_time() {
        for (text, seconds) in
            [("24h", 86_400), ("30m", 1800), ("1d12h", 129_600), ("2w", 1_209_600), ("0s", 0)]
        {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "24", "h", "1y", "1 h", "-1h", "99999999999999999999h", "é"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn makes_paths_absolute_and_leaves_urls_alone() {
        for (given, absolute) in [
            ("../shop.git", "/srv/shop.git"),
            ("./x", "/srv/project/x"),
            ("/abs/x", "/abs/x"),
            ("git@example.com:shop/prod.git", "git@example.com:shop/prod.git"),
            ("https://h/x.git", "https://h/x.git"),
            ("file:///x", "file:///x"),
            ("a/b:c", "/srv/project/a/b:c"),
        ] {
            assert_eq!(absolute_repository(Path::new("/srv/project"), given), absolute, "{given}");
        }
    }
}
