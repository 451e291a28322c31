//! What a warehouse holds, or should hold: one shape for the live and the desired side.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coordinate::Coordinate;

/// Relations and routines by coordinate.
///
/// Shape: both sides of a comparison are read by the same introspection, so equal things are equal
/// texts. State that `promote` keeps for itself (`_promote_…`) is never part of it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// Namespaces that are there, also empty ones.
    pub datasets: Vec<super::coordinate::Dataset>,
    /// Tables and views.
    pub relations: BTreeMap<Coordinate, Relation>,
    /// Functions and macros.
    pub routines: BTreeMap<Coordinate, Routine>,
}

/// What kind of relation it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// Holds rows.
    Table,
    /// Holds a query.
    View,
}

impl fmt::Display for RelationKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Table => "table",
            Self::View => "view",
        })
    }
}

/// A table or view.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// Table or view.
    pub kind: RelationKind,
    /// In the order that the engine gives.
    pub columns: Vec<Column>,
    /// Keys and checks (not NOT NULL, which is the column's), in a stable order.
    pub constraints: Vec<Constraint>,
    /// Indexes by name, each with the engine's canonical `CREATE INDEX`.
    pub indexes: BTreeMap<String, String>,
    /// A view's query as the engine stores it.
    pub query: Option<String>,
    /// Comment.
    pub comment: Option<String>,
    /// The engine's canonical `CREATE TABLE|VIEW`, from which a copy can be built.
    pub definition: String,
}

/// A column.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Name as the engine stores it.
    pub name: String,
    /// Type as the engine spells it.
    pub data_type: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Default expression as the engine stores it.
    pub default: Option<String>,
    /// Expression of a generated column.
    pub generated: Option<String>,
    /// Comment.
    pub comment: Option<String>,
}

/// A key or check of a table.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Constraint {
    /// `PRIMARY KEY`, `UNIQUE`, `CHECK`, `FOREIGN KEY`.
    pub kind: String,
    /// Canonical text.
    pub definition: String,
    /// The columns that it covers.
    pub columns: Vec<String>,
}

/// A function or macro with all its overloads.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Routine {
    /// Whether it gives a table.
    pub kind: RoutineKind,
    /// One per signature, in a stable order.
    pub overloads: Vec<Overload>,
    /// Comment.
    pub comment: Option<String>,
}

/// What a routine gives.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutineKind {
    /// A value.
    Scalar,
    /// A table.
    Table,
}

/// One signature of a routine and its body.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Overload {
    /// Parameters in order, with type and default where there are some.
    pub parameters: Vec<Parameter>,
    /// The body as the engine stores it.
    pub body: String,
}

/// A parameter of a routine.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Type, where one is declared.
    pub data_type: Option<String>,
    /// Default, where one is declared.
    pub default: Option<String>,
}

impl Schema {
    /// Keeps only what `wanted` names.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Coordinate) -> bool) -> Self {
        Self {
            datasets: self.datasets.clone(),
            relations: pick(&self.relations, &wanted),
            routines: pick(&self.routines, &wanted),
        }
    }

    /// Finds a column of a relation.
    pub fn column(&self, relation: &Coordinate, column: &str) -> Option<&Column> {
        self.relations.get(relation)?.column(column)
    }
}

impl Relation {
    /// Finds a column by name; engines fold case, so this does too.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

fn pick<T: Clone>(
    objects: &BTreeMap<Coordinate, T>,
    wanted: impl Fn(&Coordinate) -> bool,
) -> BTreeMap<Coordinate, T> {
    objects
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, object)| (name.clone(), object.clone()))
        .collect()
}
