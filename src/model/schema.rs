//! What a warehouse holds, or should hold: one shape for the live and the desired side.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Types that have a name: enumerations, composite types, domains.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<Coordinate, NamedType>,
    /// Views of other datasets that read what is here, where what is live was asked for them; no part of the schema itself.
    #[serde(skip)]
    pub outside: BTreeMap<Coordinate, Outside>,
}

/// A view of a dataset that was not asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outside {
    /// Its text, where the engine does not say what it is bound to.
    pub definition: String,
    /// What it is bound to. Empty: not known.
    pub reads: BTreeSet<Read>,
}

/// A type that has a name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct NamedType {
    /// What it is.
    pub kind: TypeKind,
    /// An enumeration's labels, a composite type's `name type` pairs, in order; empty for others.
    pub parts: Vec<String>,
    /// What follows `CREATE TYPE|DOMAIN name AS`, as the engine writes it.
    pub definition: String,
    /// Comment.
    pub comment: Option<String>,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Rights::is_plain")]
    pub rights: Rights,
}

/// Who may do what with a routine or a type, beyond what every new one of whoever asks gives.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Rights {
    /// Who owns it, where that is not whoever asks.
    pub owner: Option<String>,
    /// Whether whoever asks may not act as its owner, and so cannot give it back.
    pub out_of_reach: bool,
    /// Whether it is closed to whom it is not given by name.
    pub closed: bool,
    /// To whom it is given, as `GRANT` writes it.
    pub given: Vec<String>,
    /// To whom a new one would be given by default.
    pub by_default: Vec<String>,
}

impl Rights {
    /// Whether they are those of every new one.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// What kind of named type it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TypeKind {
    /// A list of labels.
    Enum,
    /// A row of fields.
    Composite,
    /// A type with a rule.
    Domain,
    /// A range of another type.
    Range,
}

/// What kind of relation it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// Holds rows.
    Table,
    /// Holds a query.
    View,
    /// Holds a query and the rows that it gave.
    MaterializedView,
    /// Gives numbers.
    Sequence,
}

impl RelationKind {
    /// Whether it is made from a query.
    pub fn is_view(self) -> bool {
        matches!(self, Self::View | Self::MaterializedView)
    }
}

impl fmt::Display for RelationKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
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
    /// The engine's canonical `CREATE TABLE|VIEW`, from which a copy can be built; of a sequence what follows its name.
    pub definition: String,
    /// What else the engine keeps of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What only some engines keep of a relation.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Extra {
    /// Storage options: `fillfactor=70`, `check_option=local`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Triggers by name, each with the engine's canonical `CREATE TRIGGER`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub triggers: BTreeMap<String, String>,
    /// What no change is planned for: a policy, a partition, a parent.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub features: BTreeSet<String>,
    /// What it is bound to: a view to columns, a sequence to the column that owns it. Empty: not known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reads: BTreeSet<Read>,
    /// Statements that give others their rights to it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// What hangs on one of its columns or indexes, and goes with that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hanging: Vec<Hanging>,
    /// Who owns it, where that is not whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether two columns may differ by case alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact_names: bool,
}

/// What hangs on a column or an index: a right to it, a comment on it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Hanging {
    /// The column.
    pub column: Option<String>,
    /// The index.
    pub index: Option<String>,
    /// The statement that makes it again.
    pub statement: String,
}

/// A column, or a whole object, that something is bound to.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Read {
    /// The object.
    pub object: Coordinate,
    /// Its column, where it is bound to one.
    pub column: Option<String>,
}

impl Extra {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Expression of a generated column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// `ALWAYS` or `BY DEFAULT`, where the column counts by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Collation, where it is not its type's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// Comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Column {
    /// A column of which name and type are known.
    pub fn plain(name: String, data_type: String) -> Self {
        Self {
            name,
            data_type,
            nullable: true,
            default: None,
            generated: None,
            identity: None,
            collation: None,
            comment: None,
        }
    }
}

/// Who may see the values of a column.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Visibility {
    /// Whoever reads a plan.
    #[default]
    Shown,
    /// Nobody.
    Hidden,
}

/// A key or check of a table.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Constraint {
    /// Name, where the engine keeps one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `PRIMARY KEY`, `UNIQUE`, `CHECK`, `FOREIGN KEY`, `EXCLUDE`.
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
    /// Who may call which of them, by what tells it from the others; none where all may.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rights: BTreeMap<String, Rights>,
}

/// What a routine gives.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutineKind {
    /// A value.
    Scalar,
    /// A table.
    Table,
    /// Nothing: it is called for what it does.
    Procedure,
}

/// One signature of a routine and its body.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Overload {
    /// Parameters in order, with type and default where there are some.
    pub parameters: Vec<Parameter>,
    /// The body as the engine stores it; where the engine writes the whole statement, that.
    pub body: String,
    /// What it returns, where that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<String>,
    /// The arguments that tell it from its overloads, as `DROP FUNCTION` takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
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
            types: pick(&self.types, &wanted),
            outside: BTreeMap::new(),
        }
    }

    /// Whether an object of any kind has this name.
    pub fn holds(&self, object: &Coordinate) -> bool {
        self.relations.contains_key(object)
            || self.routines.contains_key(object)
            || self.types.contains_key(object)
    }

    /// Names every object.
    pub fn names(&self) -> impl Iterator<Item = &Coordinate> {
        self.relations.keys().chain(self.routines.keys()).chain(self.types.keys())
    }

    /// Finds a column of a relation.
    pub fn column(&self, relation: &Coordinate, column: &str) -> Option<&Column> {
        self.relations.get(relation)?.column(column)
    }
}

impl Relation {
    /// Finds a column by name; engines that fold case do so here too.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let same = |column: &&Column| {
            column.name == name || (!self.extra.exact_names && column.name.eq_ignore_ascii_case(name))
        };
        self.columns.iter().find(same)
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
