//! The desired state: what is declared, built in a scratch and read by the same introspection as what is live.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::build::{Builder, Built, Scope};
use super::declared::{Body, Declared, DeclaredObject, Described, State};
use super::defaults::unheld;
use super::diff::with_defaults;
use super::error::MigrationError;
use super::renew::Renewal;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::origin::Place;
use crate::model::schema::{RelationKind, Routine, Schema, Visibility};
use crate::sql::Dialect;
use crate::warehouse::{
    Kind, Ledger, Routines, Scratch, Texts, Typed, head, heads, line_of, statements, written_defaults,
};

/// What the project wants to be there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// The dataset of the environment; its ledger is kept there.
    pub dataset: Option<Dataset>,
    /// The engine that it is for.
    #[serde(default)]
    pub dialect: Dialect,
    /// Managed objects as the engine writes them; nothing else.
    pub schema: Schema,
    /// What is known of each of them beside that; not part of what is remembered, as their declarations say it.
    #[serde(skip)]
    pub objects: BTreeMap<Coordinate, Managed>,
    /// Objects that are to be dropped, with the place that says so.
    pub dropped: BTreeMap<Coordinate, Place>,
    /// The files that declare, as they are written; not part of what is remembered.
    #[serde(skip)]
    pub texts: BTreeMap<String, String>,
}

/// What is known of a managed object beside its schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Managed {
    /// Where it is declared.
    pub place: Option<Place>,
    /// Digest of what it is made from.
    pub source_hash: String,
    /// The SQL that it was declared with.
    pub sql: Option<String>,
    /// What it is said to read.
    pub reads: BTreeSet<Coordinate>,
    /// Whether a run of its query fills it, so that its rows can be made again.
    pub derived: bool,
    /// Whether its declaration could have named indexes: only then an index that is not named goes.
    pub indexed: bool,
    /// The name that it had before.
    pub renamed_from: Option<Coordinate>,
    /// Sequences that its columns count by and that are renamed with it: the live one, and what it becomes.
    pub sequences: Vec<(Coordinate, Coordinate)>,
    /// Columns by their new name, with the old one.
    pub renamed_columns: BTreeMap<String, String>,
    /// Expressions by which old values become those of another type, by column.
    pub using: BTreeMap<String, String>,
    /// Columns whose values are shown to nobody.
    pub sensitive: BTreeSet<String>,
    /// The properties that describe it.
    pub described: Option<Described>,
    /// Its place in the order of building, from 0.
    pub rank: usize,
}

/// Builds what is declared and reads it back.
///
/// Shape: `live` has to hold the datasets of [`Declared::datasets`]; `typed` comes from opening the scratch.
/// Effects: the scratch is emptied and filled; nothing else is touched.
///
/// # Errors
///
/// [`MigrationError::Faults`] with every object that the engine rejects, those left out that only fail because
/// of another one; [`MigrationError::Warehouse`] if the scratch itself fails.
pub async fn desired(
    declared: &Declared,
    live: &Schema,
    ledger: &Ledger,
    typed: &Typed,
    scratch: &mut dyn Scratch,
) -> Result<Desired, MigrationError> {
    let mut builder = Builder::start(&Scope::all(declared), live, typed, scratch).await?;
    let built = builder.all(live).await?;
    read(declared, &built, (live, ledger), scratch).await
}

/// Builds what changed and what has to be bound again because of it, and reads that back.
///
/// Effects: the scratch is emptied and filled; nothing else is touched.
///
/// # Errors
///
/// [`MigrationError::Faults`] with the first declaration that does not go by itself: then all of it has to be built.
pub(super) async fn renewed(
    renewal: &Renewal<'_>,
    (live, ledger): (&Schema, &Ledger),
    typed: &Typed,
    scratch: &mut dyn Scratch,
) -> Result<Desired, MigrationError> {
    let scope = renewal.scope();
    let mut builder = Builder::start(&scope, live, typed, scratch).await?;
    let built = renewal.build(&mut builder).await?;
    read(scope.declared, &built, (live, ledger), scratch).await
}

/// Reads back what was built.
async fn read(
    declared: &Declared,
    built: &Built,
    (live, ledger): (&Schema, &Ledger),
    scratch: &mut dyn Scratch,
) -> Result<Desired, MigrationError> {
    let managed = declared.managed_datasets();
    let postgres = declared.dialect == Dialect::Postgres;
    // A server lists its routines for little, and keeps their defaults.
    let known = if postgres { None } else { unchanged(&built.objects, live, ledger) };
    let routines = if known.is_some() { Routines::Unasked } else { Routines::All };
    let mut schema = scratch.schema(&managed, routines, Texts::Stored).await?;
    schema.routines = known.unwrap_or(schema.routines);
    schema = schema.only(|object| !built.copies.contains(object));
    schema.datasets = managed;
    let objects = Known::of(&built.objects).each(&schema);
    for (name, routine) in schema.routines.iter_mut().filter(|_| !postgres) {
        if let Some(sql) = objects.get(name).and_then(|known| known.sql.as_ref()) {
            defaults(routine, sql);
        }
    }
    if !postgres {
        let unheld = unheld(&schema, &objects, scratch).await;
        if !unheld.is_empty() {
            return Err(MigrationError::Faults(unheld));
        }
    }
    Ok(Desired {
        dataset: Some(declared.dataset.clone()),
        dialect: declared.dialect,
        schema,
        objects,
        dropped: dropped(declared),
        texts: declared.texts.clone(),
    })
}

/// What is known by names as they are declared, found by names as the engine writes them: it folds case.
struct Known<'a> {
    objects: &'a BTreeMap<Coordinate, Managed>,
    folded: OnceCell<BTreeMap<String, &'a Managed>>,
}

impl<'a> Known<'a> {
    fn of(objects: &'a BTreeMap<Coordinate, Managed>) -> Self {
        Self { objects, folded: OnceCell::new() }
    }

    fn find(&self, name: &Coordinate) -> Option<&'a Managed> {
        let lower = |name: &Coordinate| name.to_string().to_lowercase();
        self.objects.get(name).or_else(|| {
            let folded = self.folded.get_or_init(|| {
                // Of several the first is meant.
                self.objects.iter().rev().map(|(name, known)| (lower(name), known)).collect()
            });
            folded.get(&lower(name)).copied()
        })
    }

    /// Gives what is known of everything in a schema; a sequence that comes with a column is declared where its table is.
    fn each(&self, schema: &Schema) -> BTreeMap<Coordinate, Managed> {
        let owned = |name: &Coordinate| {
            let owner = self.find(owner(schema, name)?)?.clone();
            Some(Managed { sql: None, renamed_from: None, renamed_columns: BTreeMap::new(), ..owner })
        };
        let known = |name: &Coordinate| self.find(name).cloned().or_else(|| owned(name)).unwrap_or_default();
        schema.names().map(|name| (name.clone(), known(name))).collect()
    }
}

/// The object that something comes with: the table of a column that counts with a sequence.
pub(super) fn owner<'a>(schema: &'a Schema, name: &Coordinate) -> Option<&'a Coordinate> {
    let sequence = schema.relations.get(name).filter(|relation| relation.kind == RelationKind::Sequence)?;
    Some(&sequence.extra.reads.first()?.object)
}

/// Takes the routines from the ledger where none of them changed since: the engine lists them dearly.
fn unchanged(
    built: &BTreeMap<Coordinate, Managed>,
    live: &Schema,
    ledger: &Ledger,
) -> Option<BTreeMap<Coordinate, Routine>> {
    let declared = built.iter().filter(|(_, managed)| managed.sql.as_deref().is_some_and(makes_routine));
    let same = declared.map(|(object, managed)| {
        let owned = ledger
            .owned
            .get(object)
            .filter(|owned| !owned.source_hash.is_empty() && owned.source_hash == managed.source_hash);
        let live = with_defaults(live.routines.get(object)?, owned);
        let kept: Routine = serde_json::from_str(owned?.definition.as_deref()?).ok()?;
        (live == kept).then(|| (object.clone(), kept))
    });
    same.collect()
}

/// Whether a statement makes a routine.
fn makes_routine(sql: &str) -> bool {
    heads(sql).iter().any(|head| head.kind == Kind::Routine)
}

/// Whether a statement of this kind makes something that is managed by itself.
pub(super) fn makes(kind: Kind) -> bool {
    matches!(kind, Kind::Table | Kind::View | Kind::Routine | Kind::Type | Kind::Sequence)
}

pub(super) fn dropped(declared: &Declared) -> BTreeMap<Coordinate, Place> {
    let gone = declared.objects.iter().filter(|object| object.state == State::Dropped);
    gone.filter_map(|object| Some((object.coordinate.clone()?, object.place.clone()))).collect()
}

/// The catalog does not keep the defaults of a macro's parameters: they are taken from its statement.
fn defaults(routine: &mut Routine, sql: &str) {
    let signatures = written_defaults(sql);
    for overload in &mut routine.overloads {
        let names: Vec<String> =
            overload.parameters.iter().map(|parameter| parameter.name.to_lowercase()).collect();
        let same = signatures.iter().find(|signature| {
            signature.iter().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>() == names
        });
        for (parameter, (_, default)) in overload.parameters.iter_mut().zip(same.into_iter().flatten()) {
            parameter.default.clone_from(default);
        }
    }
}

impl Managed {
    /// Gives what is known of everything that a declaration makes, in the order in which it makes it.
    pub(super) fn each(declared: &Declared, object: &DeclaredObject) -> Vec<(Coordinate, Self)> {
        let of = |name: Option<Coordinate>| name.map(|name| (name, Self::of(object, 0)));
        match &object.body {
            Body::Routine { statement } => of(declared.place(&head(statement).name)).into_iter().collect(),
            Body::Ddl { sql } => {
                let made = statements(sql).into_iter().filter_map(|(offset, statement)| {
                    let head = head(statement);
                    let (name, mut managed) = of(declared.place(&head.name).filter(|_| makes(head.kind)))?;
                    managed.sql = Some(statement.to_owned());
                    if let Some(place) = &mut managed.place {
                        place.line = Some(place.line.unwrap_or(1) + line_of(sql, offset) - 1);
                    }
                    Some((name, managed))
                });
                made.collect()
            }
            Body::View { .. } | Body::TableFromQuery { .. } | Body::TableFromColumns | Body::Seed { .. } => {
                of(object.coordinate.clone()).into_iter().collect()
            }
        }
    }

    /// Takes over what the declaration says of an object.
    pub(super) fn of(object: &DeclaredObject, rank: usize) -> Self {
        let renamed = object
            .columns
            .iter()
            .filter_map(|column| Some((column.name.to_lowercase(), column.renamed_from.clone()?)));
        Self {
            place: Some(object.place.clone()),
            source_hash: object.source_hash.clone(),
            sql: object.body.sql().map(str::to_owned),
            reads: object.depends_on.iter().cloned().collect(),
            derived: matches!(object.body, Body::TableFromQuery { .. } | Body::Seed { .. }),
            indexed: matches!(object.body, Body::Ddl { .. }),
            renamed_from: object.renamed_from.clone(),
            sequences: Vec::new(),
            renamed_columns: renamed.collect(),
            using: object
                .columns
                .iter()
                .filter_map(|column| Some((column.name.to_lowercase(), column.migrate_using.clone()?)))
                .collect(),
            sensitive: object
                .columns
                .iter()
                .filter(|column| column.visibility == Visibility::Hidden)
                .map(|column| column.name.to_lowercase())
                .collect(),
            described: object.described.clone(),
            rank,
        }
    }
}

impl Desired {
    /// Datasets that hold managed objects.
    pub fn datasets(&self) -> &[Dataset] {
        &self.schema.datasets
    }

    /// Says of each object what its declaration says, and numbers them in an order of the declarations, by position.
    pub(super) fn described(&mut self, declared: &Declared, order: &[usize]) {
        let present = order.iter().filter_map(|at| declared.objects.get(*at));
        let present = present.filter(|object| object.state == State::Present);
        let each = present.flat_map(|object| Managed::each(declared, object)).enumerate();
        let each = each.map(|(rank, (name, managed))| (name, Managed { rank, ..managed })).collect();
        self.objects = Known::of(&each).each(&self.schema);
    }

    /// The order in which the declarations were built, by position.
    pub(super) fn order(&self, declared: &Declared) -> Vec<usize> {
        let known = Known::of(&self.objects);
        let rank = |at: &usize| {
            let made = Managed::each(declared, &declared.objects[*at]).into_iter();
            made.filter_map(|(name, _)| Some(known.find(&name)?.rank)).min()
        };
        let mut order: Vec<usize> = (0..declared.objects.len()).collect();
        order.sort_by_cached_key(rank);
        order
    }

    /// Keeps only what `wanted` names.
    pub(super) fn only(&self, wanted: impl Fn(&Coordinate) -> bool) -> Self {
        let objects = self.objects.iter().filter(|(object, _)| wanted(object));
        let dropped = self.dropped.iter().filter(|(object, _)| wanted(object));
        Self {
            dataset: self.dataset.clone(),
            dialect: self.dialect,
            schema: self.schema.only(&wanted),
            objects: objects.map(|(object, managed)| (object.clone(), managed.clone())).collect(),
            dropped: dropped.map(|(object, place)| (object.clone(), place.clone())).collect(),
            texts: BTreeMap::new(),
        }
    }
}
