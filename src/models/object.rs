//! What the project's files declare.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::model::schema::Visibility;
use crate::sql::{CreationKind, Dialect};

/// Everything that a project declares, for one environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Models {
    /// The dialect of the environment's warehouse.
    pub dialect: Dialect,
    /// What is declared and enabled; what others depend on comes first, else by coordinate.
    pub objects: Vec<Object>,
    /// Sources that the objects read.
    pub sources: Vec<UsedSource>,
    /// Datasets that may be written: the environment's, then others that `schema/` declares.
    pub datasets: Vec<Dataset>,
    /// Names of models that `enabled: false` turns off.
    pub disabled: Vec<String>,
    /// The files that declare, as they are written.
    pub texts: BTreeMap<String, String>,
    /// Warnings and notices.
    pub findings: Vec<Finding>,
}

impl Models {
    /// Finds an object by its coordinate.
    pub fn object(&self, coordinate: &Coordinate) -> Option<&Object> {
        self.objects.iter().find(|object| object.coordinate == *coordinate)
    }

    /// Finds an object by the name that `ref` uses.
    pub fn named(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name == name)
    }

    /// Gives what files are read in the place of a source's table, by the table's coordinate.
    pub fn files(&self) -> BTreeMap<Coordinate, String> {
        self.sources.iter().filter_map(|source| Some((source.coordinate.clone(), source.reader()?))).collect()
    }
}

/// A relation or routine that the project declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The name that `ref` uses.
    pub name: String,
    /// Where it lives in this environment.
    pub coordinate: Coordinate,
    /// What declares it.
    pub kind: ObjectKind,
    /// How it is kept.
    pub materialized: Materialized,
    /// What its statement creates, for DDL and routines.
    pub creates: Option<CreationKind>,
    /// Where it is declared.
    pub place: Place,
    /// Where properties describe it, where they do.
    pub described: Option<Place>,
    /// A model's compiled SELECT; for DDL and routines the statements, joined by `;`.
    pub sql: Option<String>,
    /// DDL and routines: its statements one by one, the creating one first.
    pub statements: Vec<String>,
    /// Columns that the properties declare, in their order; empty where they declare none.
    pub declared: Vec<DeclaredColumn>,
    /// Constraints of the table as a whole.
    pub constraints: Vec<DeclaredConstraint>,
    /// Description.
    pub description: Option<String>,
    /// Data tests of the table as a whole, as written.
    pub tests: Vec<Value>,
    /// Declared objects that it refers to, by coordinate, without itself.
    pub depends_on: Vec<Coordinate>,
    /// Everything that it reads, by coordinate, sources included.
    pub reads: Vec<Coordinate>,
    /// Tags.
    pub tags: Vec<String>,
    /// Columns by which an incremental model tells its rows apart.
    pub unique_key: Vec<String>,
    /// The table that it was before, where it is renamed.
    pub renamed_from: Option<String>,
    /// Whether it is to be there.
    pub state: State,
    /// SHA-256 of its file and its properties, in hex.
    pub source_hash: String,
    /// A seed's rows.
    pub seed: Option<Seed>,
}

/// What declares an object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ObjectKind {
    /// A SELECT under `models`, or properties alone.
    Model,
    /// A CSV file under `seeds`.
    Seed,
    /// DDL under `schema`.
    Ddl,
    /// A function, macro or procedure.
    Routine,
}

/// How an object is kept.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Materialized {
    /// A view.
    View,
    /// A table that a run fills.
    Table,
    /// A table that a run adds to.
    Incremental,
    /// A table (or what DDL creates) that others fill.
    External,
}

impl Materialized {
    /// Every spelling that `config(materialized=…)` takes.
    pub const NAMES: [&'static str; 4] = ["view", "table", "incremental", "external"];

    /// Reads the spelling of `config(materialized=…)`.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "view" => Self::View,
            "table" => Self::Table,
            "incremental" => Self::Incremental,
            "external" => Self::External,
            _ => return None,
        })
    }

    /// Gives the spelling of `config(materialized=…)`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Table => "table",
            Self::Incremental => "incremental",
            Self::External => "external",
        }
    }
}

/// Whether an object is to be there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// It is.
    #[default]
    Present,
    /// It is to be dropped: `state: dropped`.
    Dropped,
}

/// A column that the properties declare.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeclaredColumn {
    /// Name.
    pub name: String,
    /// Type, as written.
    pub data_type: Option<String>,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Default expression, as written.
    pub default: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// The column that it was before, where it is renamed.
    pub renamed_from: Option<String>,
    /// Whether it is the primary key.
    pub primary_key: bool,
    /// Whether its values are unique.
    pub unique: bool,
    /// Check expressions.
    pub checks: Vec<String>,
    /// Data tests, as written.
    pub tests: Vec<Value>,
    /// How old values become those of another type, as written.
    pub migrate_using: Option<String>,
    /// Who may see its values.
    pub visibility: Visibility,
}

/// A constraint of a table as a whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeclaredConstraint {
    /// `primary_key`, `unique`, `check`, `foreign_key`.
    pub kind: String,
    /// The columns that it covers.
    pub columns: Vec<String>,
    /// A check's expression, or what a foreign key refers to.
    pub expression: Option<String>,
}

/// A seed's rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seed {
    /// The CSV file's bytes.
    pub csv: Vec<u8>,
    /// The names of its first line.
    pub header: Vec<String>,
    /// The separator, as `delimiter` of the properties' `config` says; else a comma.
    pub delimiter: char,
    /// How many rows it holds, at a guess: lines that are not blank, without the first.
    pub rows: usize,
}

/// A source's table that an object reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UsedSource {
    /// The source's name.
    pub source: String,
    /// The table's name.
    pub table: String,
    /// Where it is in this environment.
    pub coordinate: Coordinate,
    /// Files that hold it instead of a table.
    pub files: Option<String>,
}

impl UsedSource {
    /// Gives the call that reads its files, where it has files.
    pub fn reader(&self) -> Option<String> {
        let files = self.files.as_ref()?;
        let stem = files.strip_suffix(".gz").or_else(|| files.strip_suffix(".zst")).unwrap_or(files);
        let call = match stem.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref()
        {
            Some("parquet") => "read_parquet",
            Some("json" | "jsonl" | "ndjson") => "read_json",
            _ => "read_csv",
        };
        Some(format!("{call}({})", crate::sql::literal(files)))
    }
}
