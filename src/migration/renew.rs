//! Building only what changed: what did not change stands in by its form, and what reads a change is bound again.
//!
//! In: what is declared, and the desired state that was remembered last. Out: what of it has to be read back. A query
//! that was bound again and gives what it gave has the form that it had, and so has everything that reads it: there it
//! ends. Whatever does not go that way is a fault, after which all of it is built, so no answer depends on this.

use std::collections::BTreeSet;

use super::build::{Builder, Built, Scope};
use super::declared::{Body, DeclaredObject, State};
use super::error::MigrationError;
use super::reuse::{Earlier, Units};
use super::{postgres, statement};
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::model::schema::{Column, Relation, RelationKind};
use crate::sql::Dialect;
use crate::warehouse::{name, path};

/// What has to be looked at again.
pub(super) struct Renewal<'a> {
    units: &'a Units<'a>,
    earlier: &'a Earlier,
    /// Declarations that changed themselves.
    fresh: BTreeSet<usize>,
    /// Those, and everything that reads one of them, through others too.
    concerned: BTreeSet<usize>,
}

/// What the scratch holds while it is filled.
#[derive(Default)]
struct Filled<'a> {
    there: BTreeSet<usize>,
    built: Vec<&'a DeclaredObject>,
}

impl<'a> Renewal<'a> {
    /// Finds what changed; none where nothing did.
    pub(super) fn of(units: &'a Units<'a>, earlier: &'a Earlier) -> Option<Self> {
        let present = |at: &usize| units.declared.objects[*at].state == State::Present;
        let there = units.order.iter().copied().filter(present);
        let (mut fresh, mut concerned) = (BTreeSet::new(), BTreeSet::new());
        for at in there {
            let changed = units.made(earlier, at).is_none();
            if changed {
                fresh.insert(at);
            }
            if changed || !units.reads[at].is_disjoint(&concerned) {
                concerned.insert(at);
            }
        }
        (!fresh.is_empty()).then_some(Self { units, earlier, fresh, concerned })
    }

    /// What may be built as it is declared, with what that reads of others.
    pub(super) fn scope(&self) -> Scope<'a> {
        let mut wanted = self.concerned.clone();
        let mut waiting: Vec<usize> = wanted.iter().copied().collect();
        while let Some(at) = waiting.pop() {
            let read = self.units.reads[at].iter().copied();
            for read in read.filter(|read| self.standing(*read).is_none()) {
                if wanted.insert(read) {
                    waiting.push(read);
                }
            }
        }
        let declared = self.units.declared;
        let objects: Vec<&DeclaredObject> = wanted.iter().map(|at| &declared.objects[*at]).collect();
        let read: BTreeSet<&Coordinate> = objects.iter().flat_map(|object| &object.depends_on).collect();
        let sources = declared.sources.iter().filter(|source| read.contains(source)).collect();
        Scope { declared, objects, sources, names: self.units.names.clone() }
    }

    /// Builds what changed, and what reads it and is no longer what it was.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Faults`] with the first that does not go.
    pub(super) async fn build(&self, builder: &mut Builder<'_>) -> Result<Built, MigrationError> {
        let mut filled = Filled::default();
        let mut moved = BTreeSet::new();
        for at in self.units.order.iter().copied().filter(|at| self.concerned.contains(at)) {
            let fresh = self.fresh.contains(&at);
            if !fresh && self.units.reads[at].is_disjoint(&moved) {
                continue;
            }
            self.ground(at, &mut filled, builder).await.map_err(fault)?;
            if !fresh && self.still_gives(at, builder).await {
                continue;
            }
            self.one(at, &mut filled, builder).await.map_err(fault)?;
            if !self.looks_as_before(at, builder).await {
                moved.insert(at);
            }
        }
        builder.done(&filled.built).await
    }

    /// Puts into the scratch what a declaration reads.
    async fn ground(
        &self,
        at: usize,
        filled: &mut Filled<'a>,
        builder: &mut Builder<'_>,
    ) -> Result<(), Finding> {
        let mut missing = BTreeSet::new();
        let mut waiting = vec![at];
        while let Some(next) = waiting.pop() {
            for read in self.units.reads[next].iter().copied().filter(|read| !filled.there.contains(read)) {
                if missing.insert(read) && self.standing(read).is_none() {
                    waiting.push(read);
                }
            }
        }
        for at in self.units.order.iter().copied().filter(|at| missing.contains(at)) {
            if let Some((object, relation)) = self.standing(at) {
                let made = builder.stand_in(object, &self.stand_in(object, relation)).await;
                made.map_err(|error| Finding::error("declaration-rejected", error.to_string()))?;
                filled.there.insert(at);
            } else if self.object(at).state == State::Present {
                self.one(at, filled, builder).await?;
            }
        }
        Ok(())
    }

    async fn one(
        &self,
        at: usize,
        filled: &mut Filled<'a>,
        builder: &mut Builder<'_>,
    ) -> Result<(), Finding> {
        builder.one(self.object(at)).await?;
        filled.there.insert(at);
        filled.built.push(self.object(at));
        Ok(())
    }

    fn object(&self, at: usize) -> &'a DeclaredObject {
        &self.units.declared.objects[at]
    }

    fn is_postgres(&self) -> bool {
        self.units.declared.dialect == Dialect::Postgres
    }

    /// The one relation that an unchanged model makes, in the form that it had.
    fn relation(&self, at: usize) -> Option<(&'a Coordinate, &'a Relation)> {
        let [only] = self.units.made(self.earlier, at)? else { return None };
        Some((only, self.earlier.desired.schema.relations.get(only)?))
    }

    /// The form by which an unchanged model stands in for itself where it is only read.
    ///
    /// Shape: none where more than that could matter: types that are declared, values that columns have by themselves.
    fn standing(&self, at: usize) -> Option<(&'a Coordinate, &'a Relation)> {
        let whole = self.units.typed || !is_model(self.object(at));
        let (object, relation) = self.relation(at).filter(|_| !whole)?;
        let plain = relation.columns.iter().all(is_plain) && !relation.columns.is_empty();
        let mut keys = relation.constraints.iter();
        let keyed = keys.all(|key| matches!(key.kind.as_str(), "PRIMARY KEY" | "UNIQUE"));
        let stands = matches!(relation.kind, RelationKind::Table | RelationKind::View);
        (plain && keyed && stands).then_some((object, relation))
    }

    /// Makes what stands in: columns, and the keys that others point at.
    fn stand_in(&self, object: &Coordinate, relation: &Relation) -> String {
        match relation.kind {
            RelationKind::View => view_of(object, &relation.columns),
            _ if self.is_postgres() => postgres::create_copy(object, relation),
            RelationKind::Table | RelationKind::MaterializedView | RelationKind::Sequence => {
                statement::create_table(object, relation)
            }
        }
    }

    /// Whether an unchanged model gives what it gave, now that something that it reads changed.
    async fn still_gives(&self, at: usize, builder: &mut Builder<'_>) -> bool {
        let object = self.object(at);
        let own =
            object.columns.iter().any(|column| column.default.is_some()) || !object.constraints.is_empty();
        let (Some((_, relation)), false) = (self.relation(at), own) else { return false };
        let sql = match &object.body {
            // A server says more of a view than its columns.
            Body::View { sql } if !self.is_postgres() => sql,
            Body::TableFromQuery { sql } => sql,
            Body::View { .. }
            | Body::TableFromColumns
            | Body::Seed { .. }
            | Body::Ddl { .. }
            | Body::Routine { .. } => return false,
        };
        let Some(given) = given(builder, relation.kind, sql).await else { return false };
        let declared = |name: &str| {
            let mut columns = object.columns.iter();
            relation.kind == RelationKind::Table
                && columns.any(|column| column.name == name && column.data_type.is_some())
        };
        given.len() == relation.columns.len()
            && given.iter().zip(&relation.columns).all(|(given, column)| {
                given.name == column.name && (given.data_type == column.data_type || declared(&column.name))
            })
    }

    /// Whether what was built looks to whoever reads it as it did before.
    async fn looks_as_before(&self, at: usize, builder: &mut Builder<'_>) -> bool {
        let object = self.object(at);
        let keyed = !object.constraints.is_empty()
            || object.columns.iter().any(|column| column.primary_key || column.unique);
        let (Some(coordinate), false) = (&object.coordinate, self.is_postgres() || keyed) else {
            return false;
        };
        let kind = match &object.body {
            Body::View { .. } => RelationKind::View,
            Body::TableFromQuery { .. } | Body::TableFromColumns | Body::Seed { .. } => RelationKind::Table,
            Body::Ddl { .. } | Body::Routine { .. } => return false,
        };
        let Some(before) = self.earlier.desired.schema.relations.get(coordinate) else { return false };
        if before.kind != kind || !before.constraints.is_empty() || !before.columns.iter().all(is_plain) {
            return false;
        }
        let asked = format!("SELECT * FROM {}", path(coordinate));
        let Some(now) = given(builder, kind, &asked).await else { return false };
        let same = |(now, before): (&Column, &Column)| {
            (&now.name, &now.data_type) == (&before.name, &before.data_type)
        };
        now.len() == before.columns.len() && now.iter().zip(&before.columns).all(same)
    }
}

/// Asks what a query gives; none where the engine does not say it of a view.
///
/// It says INTEGER of what has no type yet, as it makes a table of it; a view keeps that. What is combined with a
/// truth value becomes one only where it had no type.
async fn given(builder: &mut Builder<'_>, kind: RelationKind, sql: &str) -> Option<Vec<Column>> {
    let columns = builder.columns(sql).await.ok()?;
    if kind != RelationKind::View || !columns.iter().any(|column| column.data_type.contains("INTEGER")) {
        return Some(columns);
    }
    let unclear = columns.iter().filter(|column| column.data_type.contains("INTEGER"));
    let lists: Vec<String> = unclear.map(|column| format!("[q.{}, true]", name(&column.name))).collect();
    let sql = format!("SELECT {} FROM (\n{sql}\n) AS q", lists.join(", "));
    let clear = builder.columns(&sql).await.ok()?.iter().all(|column| column.data_type == "INTEGER[]");
    clear.then_some(columns)
}

fn fault(finding: Finding) -> MigrationError {
    MigrationError::Faults(vec![finding])
}

/// Whether it is one relation whose columns say all that others see of it.
fn is_model(object: &DeclaredObject) -> bool {
    match object.body {
        Body::View { .. } | Body::TableFromQuery { .. } | Body::TableFromColumns | Body::Seed { .. } => true,
        Body::Ddl { .. } | Body::Routine { .. } => false,
    }
}

/// Whether a column is its name and type, and the type can be written.
fn is_plain(column: &Column) -> bool {
    let own = [&column.default, &column.generated, &column.identity, &column.collation];
    own.iter().all(|own| own.is_none()) && !column.data_type.contains("NULL")
}

/// A view of these columns that reads nothing.
fn view_of(view: &Coordinate, columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("CAST(NULL AS {}) AS {}", column.data_type, name(&column.name)))
        .collect();
    format!("CREATE VIEW {} AS SELECT {}", path(view), columns.join(", "))
}
