//! Properties: `models/**/*.yml` and the like, as dbt writes them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::files::File;
use super::object::{DeclaredColumn, DeclaredConstraint};
use super::place::locate_entry;
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::model::schema::Visibility;
use crate::yaml;

/// What properties say of a model, seed or table.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) config: Map<String, Value>,
    pub(super) columns: Vec<ColumnEntry>,
    pub(super) constraints: Vec<ConstraintEntry>,
    #[serde(alias = "tests")]
    pub(super) data_tests: Vec<Value>,
    pub(super) renamed_from: Option<String>,
    /// `dropped`, or nothing.
    pub(super) state: Option<String>,
}

/// What properties say of a column.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
pub(super) struct ColumnEntry {
    name: String,
    data_type: Option<String>,
    description: Option<String>,
    default: Option<Value>,
    renamed_from: Option<String>,
    migrate_using: Option<String>,
    sensitive: bool,
    constraints: Vec<ConstraintEntry>,
    #[serde(alias = "tests")]
    data_tests: Vec<Value>,
}

/// A constraint: dbt's mapping, or its type alone.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(untagged)]
pub(super) enum ConstraintEntry {
    /// `not_null`
    Kind(String),
    /// `{type: check, expression: "…"}`
    Full {
        /// `not_null`, `primary_key`, `unique`, `check`, `foreign_key`.
        #[serde(rename = "type")]
        kind: String,
        /// A check's expression, or what a foreign key refers to.
        #[serde(default)]
        expression: Option<String>,
        /// The columns of a constraint of the table.
        #[serde(default)]
        columns: Vec<String>,
    },
}

/// A source as dbt declares it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SourceEntry {
    pub(super) name: String,
    #[serde(alias = "dataset")]
    pub(super) schema: Option<String>,
    pub(super) database: Option<String>,
    pub(super) tables: Vec<SourceTableEntry>,
}

/// A source's table as dbt declares it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SourceTableEntry {
    pub(super) name: String,
    pub(super) identifier: Option<String>,
    pub(super) files: Option<String>,
}

/// All properties of a project.
#[derive(Debug, Default)]
pub(super) struct Properties {
    /// By the name of the model, seed or table, with the place.
    pub(super) entries: BTreeMap<String, (Entry, Place)>,
    pub(super) sources: Vec<SourceEntry>,
}

const CONSTRAINTS: [&str; 5] = ["not_null", "primary_key", "unique", "check", "foreign_key"];

impl Properties {
    /// Reads all properties files; faults become findings.
    pub(super) fn of(files: &[File<'_>], findings: &mut Vec<Finding>) -> Self {
        let mut properties = Self::default();
        for file in files {
            match read(file) {
                Ok(Value::Object(document)) => properties.take(&document, file, findings),
                Ok(Value::Null) => {}
                Ok(_) => findings.push(
                    bad(Place::at(file.path, 1, 1), "they are no mapping")
                        .hint("begin with `models:` or `seeds:`"),
                ),
                Err(finding) => findings.push(finding),
            }
        }
        properties
    }

    fn take(&mut self, document: &Map<String, Value>, file: &File<'_>, findings: &mut Vec<Finding>) {
        for key in ["models", "seeds", "tables"] {
            for (entry, place) in entries::<Entry>(document, key, file, findings) {
                self.describe(entry, place, findings);
            }
        }
        let sources = entries::<SourceEntry>(document, "sources", file, findings);
        self.sources.extend(sources.into_iter().map(|(source, _)| source));
    }

    fn describe(&mut self, entry: Entry, place: Place, findings: &mut Vec<Finding>) {
        check(&entry, &place, findings);
        if let Some((_, first)) = self.entries.get(&entry.name) {
            findings.push(
                Finding::error("duplicate-properties", format!("`{}` is described twice", entry.name))
                    .at(place)
                    .hint(format!("merge it with the entry at {first}")),
            );
            return;
        }
        self.entries.insert(entry.name.clone(), (entry, place));
    }
}

/// Reads a properties file as plain values: the one place that knows the YAML parser.
fn read(file: &File<'_>) -> Result<Value, Finding> {
    let read = yaml::parse(file.text, file.path).map(|node| node.to_json());
    read.map_err(|error| bad(error.place, &error.message))
}

/// Reads the entries of a list, each with its place; those that cannot be read become findings.
fn entries<T: serde::de::DeserializeOwned>(
    document: &Map<String, Value>,
    key: &str,
    file: &File<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<(T, Place)> {
    let list = match document.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            let place = super::place::locate(file.path, file.text, &format!("{key}:"));
            findings
                .push(bad(place, &format!("`{key}` is no list")).hint("begin each entry with `- name: …`"));
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let Some(name) = value.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            let place = super::place::locate(file.path, file.text, &format!("{key}:"));
            findings.push(bad(place, &format!("an entry of `{key}` has no `name`")).hint("add `name: …`"));
            continue;
        };
        let before = list[..index].iter().filter(|other| other.get("name") == value.get("name")).count();
        let place = locate_entry(file.path, file.text, name, before);
        match serde_json::from_value(without_nulls(value)) {
            Ok(entry) => read.push((entry, place)),
            Err(error) => findings.push(bad(place, &format!("`{name}`: {error}"))),
        }
    }
    read
}

/// Leaves out keys without a value: `columns:` with nothing behind it is no list, and no fault.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(without_nulls).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn bad(place: Place, why: &str) -> Finding {
    Finding::error("bad-properties", format!("the properties cannot be read: {why}")).at(place)
}

fn check(entry: &Entry, place: &Place, findings: &mut Vec<Finding>) {
    let mut seen: Vec<&str> = Vec::new();
    for column in &entry.columns {
        if seen.iter().any(|name| name.eq_ignore_ascii_case(&column.name)) {
            let message = format!("`{}` declares column `{}` twice", entry.name, column.name);
            findings.push(Finding::error("duplicate-column", message).at(place.clone()));
        }
        seen.push(&column.name);
    }
    let constraints = entry.columns.iter().flat_map(|column| &column.constraints).chain(&entry.constraints);
    for kind in constraints.map(ConstraintEntry::kind).filter(|kind| !CONSTRAINTS.contains(kind)) {
        let hint =
            super::suggest::hint(kind, CONSTRAINTS, || format!("use one of {}", CONSTRAINTS.join(", ")));
        let message = format!("`{}` has a constraint of the unknown type `{kind}`", entry.name);
        findings.push(Finding::error("unknown-constraint", message).at(place.clone()).hint(hint));
    }
    if let Some(state) = entry.state.as_deref().filter(|state| !["dropped", "present"].contains(state)) {
        let message = format!("`{}` has the unknown state `{state}`", entry.name);
        findings.push(
            Finding::error("unknown-state", message)
                .at(place.clone())
                .hint("use `state: dropped`, or leave it out"),
        );
    }
}

impl ConstraintEntry {
    fn kind(&self) -> &str {
        match self {
            Self::Kind(kind) | Self::Full { kind, .. } => kind,
        }
    }

    fn expression(&self) -> Option<&str> {
        match self {
            Self::Kind(_) => None,
            Self::Full { expression, .. } => expression.as_deref(),
        }
    }
}

impl Entry {
    /// Whether it is to be dropped.
    pub(super) fn dropped(&self) -> bool {
        self.state.as_deref() == Some("dropped")
    }

    /// Whether it declares something without a file: an external table, or what is to be dropped.
    pub(super) fn stands_alone(&self) -> bool {
        self.dropped() || self.config.get("materialized").and_then(Value::as_str) == Some("external")
    }

    /// Gives the columns that it declares.
    pub(super) fn declared(&self) -> Vec<DeclaredColumn> {
        self.columns.iter().map(ColumnEntry::declared).collect()
    }

    /// Gives the constraints of the table as a whole.
    pub(super) fn table_constraints(&self) -> Vec<DeclaredConstraint> {
        let declared = self.constraints.iter().map(|constraint| DeclaredConstraint {
            kind: constraint.kind().to_owned(),
            columns: match constraint {
                ConstraintEntry::Kind(_) => Vec::new(),
                ConstraintEntry::Full { columns, .. } => columns.clone(),
            },
            expression: constraint.expression().map(str::to_owned),
        });
        declared.collect()
    }
}

impl ColumnEntry {
    fn declared(&self) -> DeclaredColumn {
        let has = |kind: &str| self.constraints.iter().any(|constraint| constraint.kind() == kind);
        let checks = self.constraints.iter().filter(|constraint| constraint.kind() == "check");
        DeclaredColumn {
            name: self.name.clone(),
            data_type: self.data_type.clone(),
            not_null: has("not_null") || has("primary_key"),
            default: self.default.as_ref().map(expression),
            description: self.description.clone(),
            renamed_from: self.renamed_from.clone(),
            primary_key: has("primary_key"),
            unique: has("unique"),
            checks: checks.filter_map(|check| check.expression().map(str::to_owned)).collect(),
            tests: self.data_tests.clone(),
            migrate_using: self.migrate_using.clone(),
            visibility: if self.sensitive { Visibility::Hidden } else { Visibility::Shown },
        }
    }
}

/// Gives a default as SQL: text is an expression already.
fn expression(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "NULL".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
