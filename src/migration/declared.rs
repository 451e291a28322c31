//! What the project declares, as the migration takes it: rendered, with final coordinates.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::origin::Place;
use crate::model::schema::Visibility;
use crate::sql::Dialect;
use crate::warehouse::{Files, Kind, Routines, heads, same_name};

use super::build::folded;

/// Everything that the project declares for one dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// The dataset of the environment; its ledger is kept there.
    pub dataset: Dataset,
    /// The engine that they are declared for.
    pub dialect: Dialect,
    /// Objects, each after those that it reads as far as that is known.
    pub objects: Vec<DeclaredObject>,
    /// Live tables that are read and never written.
    pub sources: Vec<Coordinate>,
    /// Sources that are files: a path or glob each.
    pub files: Vec<(Coordinate, String)>,
    /// The files that declare, as they are written: what a way out edits.
    pub texts: BTreeMap<String, String>,
}

/// A declared object, or a file of them.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredObject {
    /// Its name; absent for a file of DDL, whose statements name what they declare.
    pub coordinate: Option<Coordinate>,
    /// What it is made from.
    pub body: Body,
    /// Declared columns; they may be some of them only.
    pub columns: Vec<DeclaredColumn>,
    /// Keys and checks of the table as DDL writes them: `PRIMARY KEY (a, b)`.
    pub constraints: Vec<String>,
    /// Comment.
    pub description: Option<String>,
    /// What it reads.
    pub depends_on: Vec<Coordinate>,
    /// Where it is declared.
    pub place: Place,
    /// Digest of what it is made from.
    pub source_hash: String,
    /// Whether it is to be there.
    pub state: State,
    /// The name that it had before.
    pub renamed_from: Option<Coordinate>,
    /// The properties that describe it: their file, and the name there.
    pub described: Option<Described>,
}

/// Properties that describe an object.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// Their file.
    pub file: String,
    /// The name in it.
    pub name: String,
}

/// What an object is made from.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A view of a query.
    View {
        /// The query.
        sql: String,
    },
    /// A table that a run of the query fills.
    TableFromQuery {
        /// The query.
        sql: String,
    },
    /// A table that others fill.
    TableFromColumns,
    /// Statements that declare.
    Ddl {
        /// A file of them.
        sql: String,
    },
    /// One `CREATE FUNCTION|MACRO`.
    Routine {
        /// The statement.
        statement: String,
    },
    /// A table of the rows of a CSV text.
    Seed {
        /// The text.
        csv: Vec<u8>,
    },
}

/// A declared column.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeclaredColumn {
    /// Name.
    pub name: String,
    /// Type; absent: what the query gives.
    pub data_type: Option<String>,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Whether it alone is the primary key.
    pub primary_key: bool,
    /// Whether its values are unique.
    pub unique: bool,
    /// Default expression.
    pub default: Option<String>,
    /// Comment.
    pub description: Option<String>,
    /// The name that it had before.
    pub renamed_from: Option<String>,
    /// How old values become those of another type.
    pub migrate_using: Option<String>,
    /// Who may see its values.
    pub visibility: Visibility,
}

impl DeclaredColumn {
    /// Whether nothing is asked of it: what a query does not return may be described all the same.
    pub(super) fn is_only_described(&self) -> bool {
        let texts = [&self.data_type, &self.default, &self.renamed_from, &self.migrate_using];
        texts.into_iter().all(Option::is_none) && !self.not_null && !self.primary_key && !self.unique
    }
}

/// Whether an object is to be there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// It is.
    #[default]
    Present,
    /// It is to be dropped.
    Dropped,
}

impl DeclaredObject {
    /// A present object without columns, description or constraints of its own.
    pub fn new(coordinate: Option<Coordinate>, body: Body, place: Place) -> Self {
        Self {
            coordinate,
            body,
            columns: Vec::new(),
            constraints: Vec::new(),
            description: None,
            depends_on: Vec::new(),
            place,
            source_hash: String::new(),
            state: State::Present,
            renamed_from: None,
            described: None,
        }
    }
}

impl Body {
    /// Gives its SQL; none for columns and seeds.
    pub fn sql(&self) -> Option<&str> {
        match self {
            Self::View { sql } | Self::TableFromQuery { sql } | Self::Ddl { sql } => Some(sql),
            Self::Routine { statement } => Some(statement),
            Self::TableFromColumns | Self::Seed { .. } => None,
        }
    }
}

impl Declared {
    /// Places a name as DDL writes it: `orders`, `analytics.orders`, `shop.analytics.orders`.
    pub fn place(&self, parts: &[String]) -> Option<Coordinate> {
        let (name, dataset) = parts.split_last()?;
        let Some(schema) = dataset.last() else { return Some(self.dataset.object(name)) };
        if same_name(schema, &self.dataset.schema) {
            return Some(self.dataset.object(name));
        }
        let catalog = self.dataset.catalog.clone();
        Some(Dataset { catalog, schema: schema.clone() }.object(name))
    }

    /// The names of what an object declares, as they are written, with what its statements make of them.
    pub(super) fn made(&self, object: &DeclaredObject) -> Vec<(Coordinate, Option<Kind>)> {
        let mut names: Vec<_> = object.coordinate.iter().map(|name| (name.clone(), None)).collect();
        let statement = match &object.body {
            Body::Ddl { sql } => sql,
            Body::Routine { statement } => statement,
            Body::View { .. } | Body::TableFromQuery { .. } | Body::TableFromColumns | Body::Seed { .. } => {
                return names;
            }
        };
        let attached = |kind| matches!(kind, Kind::Index | Kind::Comment | Kind::Trigger | Kind::Alter);
        let made = heads(statement).into_iter().filter(|head| !attached(head.kind));
        names.extend(made.filter_map(|head| Some((self.place(&head.name)?, Some(head.kind)))));
        names
    }

    /// The names of everything that is declared, as engines compare them.
    pub(super) fn names(&self) -> BTreeSet<Coordinate> {
        let made = self.objects.iter().flat_map(|object| self.made(object));
        made.map(|(name, _)| folded(&name)).collect()
    }

    /// Datasets that hold managed objects, the environment's own among them.
    pub fn managed_datasets(&self) -> Vec<Dataset> {
        let mut found = BTreeSet::from([self.dataset.clone()]);
        for object in &self.objects {
            found.extend(object.coordinate.iter().map(|coordinate| coordinate.dataset.clone()));
            if let Body::Ddl { sql } = &object.body {
                let declaring = heads(sql).into_iter().filter(|head| head.kind != Kind::Dataset);
                let places = declaring.filter_map(|head| self.place(&head.name));
                found.extend(places.map(|place| place.dataset));
            }
        }
        found.into_iter().collect()
    }

    /// All datasets that have to be read for a plan: managed ones and those of sources.
    pub fn datasets(&self) -> Vec<Dataset> {
        let mut found: BTreeSet<Dataset> = self.managed_datasets().into_iter().collect();
        let read = self.objects.iter().flat_map(|object| &object.depends_on);
        found.extend(self.sources.iter().chain(read).map(|coordinate| coordinate.dataset.clone()));
        found.into_iter().collect()
    }

    /// Files that have to be typed before the scratch is closed.
    pub fn outside(&self) -> Files {
        let seeds = self.objects.iter().filter_map(|object| match (&object.body, &object.coordinate) {
            (Body::Seed { csv }, Some(coordinate)) => Some((coordinate.clone(), csv.clone())),
            _ => None,
        });
        Files { sources: self.files.clone(), seeds: seeds.collect() }
    }

    /// Whether live routines have to be listed: where some are declared.
    pub fn routines(&self) -> Routines {
        let declares = |object: &DeclaredObject| match &object.body {
            Body::Routine { .. } => true,
            Body::Ddl { sql } => heads(sql).iter().any(|head| head.kind == Kind::Routine),
            Body::View { .. } | Body::TableFromQuery { .. } | Body::TableFromColumns | Body::Seed { .. } => {
                false
            }
        };
        if self.objects.iter().any(declares) { Routines::All } else { Routines::WhereCalled }
    }
}
