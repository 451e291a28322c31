//! Reading a catalog: the same few queries for what is live and for what was built.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog;
use super::server::{Row, Session};
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::schema::{
    Column, Constraint, Extra, Hanging, NamedType, Outside, Overload, Parameter, Read, Relation,
    RelationKind, Rights, Routine, RoutineKind, Schema, TypeKind,
};
use crate::warehouse::{WarehouseError, literal, path, quoted};

/// The datasets that are spoken of, in a session.
struct Scope<'a> {
    session: &'a Session,
    datasets: &'a [Dataset],
}

impl Scope<'_> {
    async fn ask(&self, question: &str) -> Result<Vec<Row>, WarehouseError> {
        let names: Vec<String> = self.datasets.iter().map(|dataset| literal(&dataset.schema)).collect();
        let names = if names.is_empty() { "''".to_owned() } else { names.join(", ") };
        self.session.ask(&question.replace("$NAMES", &names)).await
    }

    /// Places an object in the dataset as it was asked for; none for what is kept for ourselves.
    fn place(&self, schema: &str, object: String) -> Option<Coordinate> {
        if object.starts_with("_promote_") {
            return None;
        }
        let dataset = self.datasets.iter().find(|dataset| dataset.schema == schema);
        // A view may be bound to what lies in a dataset that was not asked for.
        Some(dataset.cloned().unwrap_or_else(|| Dataset::new(schema)).object(object))
    }

    /// Places what the first two columns of a row name.
    fn at(&self, row: &Row) -> Option<Coordinate> {
        self.place(&row.text(0), row.text(1))
    }
}

/// Reads everything in some datasets.
///
/// Shape: ten queries, however many objects there are.
pub(super) async fn schema(session: &Session, datasets: &[Dataset]) -> Result<Schema, WarehouseError> {
    let scope = Scope { session, datasets };
    let there = scope.ask(catalog::NAMESPACES).await?;
    let there: BTreeSet<String> = there.iter().map(|row| row.text(0)).collect();
    let there = datasets.iter().filter(|dataset| there.contains(&dataset.schema)).cloned().collect();
    let mut found = Schema { datasets: there, ..Schema::default() };
    found.datasets.sort();
    found.datasets.dedup();
    if found.datasets.is_empty() {
        return Ok(found);
    }
    found.relations = relations(&scope).await?;
    columns(&scope, &mut found.relations).await?;
    keys(&scope, &mut found.relations).await?;
    reads(&scope, &mut found.relations).await?;
    found.routines = routines(&scope).await?;
    found.types = types(&scope).await?;
    Ok(found)
}

/// Reads the views of other datasets that read something of these, in one query.
pub(super) async fn outside(
    session: &Session,
    datasets: &[Dataset],
) -> Result<BTreeMap<Coordinate, Outside>, WarehouseError> {
    let scope = Scope { session, datasets };
    let mut found: BTreeMap<Coordinate, Outside> = BTreeMap::new();
    for row in scope.ask(catalog::OUTSIDE).await? {
        let Some((view, object)) = scope.at(&row).zip(scope.place(&row.text(2), row.text(3))) else {
            continue;
        };
        found.entry(view).or_default().reads.insert(Read { object, column: row.optional(4) });
    }
    Ok(found)
}

async fn relations(scope: &Scope<'_>) -> Result<BTreeMap<Coordinate, Relation>, WarehouseError> {
    let mut found = BTreeMap::new();
    for row in scope.ask(catalog::RELATIONS).await? {
        let Some(object) = scope.at(&row) else { continue };
        let kind = match row.text(2).as_str() {
            "v" => RelationKind::View,
            "m" => RelationKind::MaterializedView,
            "S" => RelationKind::Sequence,
            _ => RelationKind::Table,
        };
        let query = row.optional(4).map(|text| text.trim().trim_end_matches(';').to_owned());
        let definition = match (&query, kind) {
            (Some(query), RelationKind::MaterializedView) => {
                format!("CREATE MATERIALIZED VIEW {} AS\n {query}", path(&object))
            }
            (Some(query), _) => format!("CREATE VIEW {} AS\n {query}", path(&object)),
            (None, _) => row.text(9),
        };
        let extra = Extra {
            options: row.list(5),
            features: row.list(6).into_iter().collect(),
            owner: row.optional(7),
            grants: row.list(8),
            exact_names: true,
            ..Extra::default()
        };
        let (columns, constraints, indexes) = (Vec::new(), Vec::new(), BTreeMap::new());
        let comment = row.optional(3);
        found.insert(
            object,
            Relation { kind, columns, constraints, indexes, query, comment, definition, extra },
        );
    }
    Ok(found)
}

async fn columns(
    scope: &Scope<'_>,
    relations: &mut BTreeMap<Coordinate, Relation>,
) -> Result<(), WarehouseError> {
    for row in scope.ask(catalog::COLUMNS).await? {
        let Some(relation) = scope.at(&row).and_then(|object| relations.get_mut(&object)) else { continue };
        let expression = row.optional(5);
        let (default, generated) = if row.is(6) { (None, expression) } else { (expression, None) };
        relation.columns.push(Column {
            name: row.text(2),
            data_type: row.text(3),
            nullable: row.is(4),
            default,
            generated,
            identity: row.optional(7),
            collation: row.optional(8),
            comment: row.optional(9),
        });
    }
    Ok(())
}

async fn keys(
    scope: &Scope<'_>,
    relations: &mut BTreeMap<Coordinate, Relation>,
) -> Result<(), WarehouseError> {
    for row in scope.ask(catalog::CONSTRAINTS).await? {
        let Some(relation) = scope.at(&row).and_then(|object| relations.get_mut(&object)) else { continue };
        relation.constraints.push(Constraint {
            name: row.optional(2),
            kind: row.text(3),
            definition: row.text(4),
            columns: row.list(5),
        });
    }
    for row in scope.ask(catalog::INDEXES).await? {
        let Some(relation) = scope.at(&row).and_then(|object| relations.get_mut(&object)) else { continue };
        // One that was not built to its end is no index: it goes, and is built again.
        let ending = if row.is(4) { "" } else { " /* not valid */" };
        relation.indexes.insert(row.text(2), format!("{}{ending}", row.text(3)));
    }
    for row in scope.ask(catalog::TRIGGERS).await? {
        let Some(relation) = scope.at(&row).and_then(|object| relations.get_mut(&object)) else { continue };
        relation.extra.triggers.insert(row.text(2), row.text(3));
    }
    for row in scope.ask(catalog::HANGING).await? {
        let Some(relation) = scope.at(&row).and_then(|object| relations.get_mut(&object)) else { continue };
        let (column, index) = (row.optional(2), row.optional(3));
        relation.extra.hanging.push(Hanging { column, index, statement: row.text(4) });
    }
    for relation in relations.values_mut() {
        relation.constraints.sort();
        if relation.kind == RelationKind::Table {
            relation.definition = spoken(relation);
        }
    }
    Ok(())
}

/// Everything that a table's parts speak of, as one text.
fn spoken(relation: &Relation) -> String {
    let mut parts = Vec::new();
    for column in &relation.columns {
        parts.push(format!("{} {}", quoted(&column.name), column.data_type));
        parts.extend(column.default.clone().or_else(|| column.generated.clone()));
    }
    parts.extend(relation.constraints.iter().map(|constraint| constraint.definition.clone()));
    parts.extend(relation.extra.triggers.values().cloned());
    parts.join(", ")
}

async fn reads(
    scope: &Scope<'_>,
    relations: &mut BTreeMap<Coordinate, Relation>,
) -> Result<(), WarehouseError> {
    for row in scope.ask(catalog::READS).await? {
        let Some(relation) = scope.at(&row).and_then(|object| relations.get_mut(&object)) else { continue };
        let Some(object) = scope.place(&row.text(2), row.text(3)) else { continue };
        relation.extra.reads.insert(Read { object, column: row.optional(4) });
    }
    Ok(())
}

async fn routines(scope: &Scope<'_>) -> Result<BTreeMap<Coordinate, Routine>, WarehouseError> {
    let mut found: BTreeMap<Coordinate, Routine> = BTreeMap::new();
    for row in scope.ask(catalog::ROUTINES).await? {
        let Some(object) = scope.at(&row) else { continue };
        let kind = match (row.text(2).as_str(), row.is(3)) {
            ("p", _) => RoutineKind::Procedure,
            (_, true) => RoutineKind::Table,
            (_, false) => RoutineKind::Scalar,
        };
        let overload = Overload {
            parameters: parameters(&row),
            body: row.text(4).trim_end().to_owned(),
            returns: row.optional(6),
            identity: row.optional(5),
        };
        let empty =
            Routine { kind, overloads: Vec::new(), comment: row.optional(12), rights: BTreeMap::new() };
        let routine = found.entry(object).or_insert(empty);
        let rights = rights(&row, 13);
        if !rights.is_plain() {
            routine.rights.insert(overload.identity.clone().unwrap_or_default(), rights);
        }
        routine.overloads.push(overload);
    }
    Ok(found)
}

/// The rights that begin in a column of a row.
fn rights(row: &Row, first: usize) -> Rights {
    Rights {
        owner: row.optional(first),
        out_of_reach: row.is(first + 1),
        closed: row.is(first + 2),
        given: row.list(first + 3),
        by_default: row.list(first + 4),
    }
}

/// The parameters that a call gives: those that only come back are part of what is returned.
fn parameters(row: &Row) -> Vec<Parameter> {
    let (names, modes, types) = (row.list(7), row.list(8), row.list(9));
    let defaults: usize = row.text(10).parse().unwrap_or(0);
    let mut found: Vec<Parameter> = Vec::new();
    for (index, data_type) in types.into_iter().enumerate() {
        if modes.get(index).is_none_or(|mode| matches!(mode.as_str(), "i" | "b" | "v")) {
            let name = names.get(index).cloned().unwrap_or_default();
            found.push(Parameter { name, data_type: Some(data_type), default: None });
        }
    }
    // The engine says how many have a default, not which text: that is in the whole statement.
    let first = found.len().saturating_sub(defaults);
    for parameter in &mut found[first..] {
        parameter.default = Some("DEFAULT".to_owned());
    }
    found
}

async fn types(scope: &Scope<'_>) -> Result<BTreeMap<Coordinate, NamedType>, WarehouseError> {
    let mut found = BTreeMap::new();
    for row in scope.ask(catalog::TYPES).await? {
        let Some(object) = scope.at(&row) else { continue };
        let (kind, parts) = match row.text(2).as_str() {
            "e" => (TypeKind::Enum, row.list(3)),
            "c" => (TypeKind::Composite, row.list(3)),
            "d" => (TypeKind::Domain, Vec::new()),
            _ => (TypeKind::Range, Vec::new()),
        };
        let definition = match kind {
            TypeKind::Enum => {
                let labels: Vec<String> = parts.iter().map(|label| literal(label)).collect();
                format!("ENUM ({})", labels.join(", "))
            }
            TypeKind::Composite => format!("({})", parts.join(", ")),
            TypeKind::Domain | TypeKind::Range => row.text(4),
        };
        let (comment, rights) = (row.optional(5), rights(&row, 6));
        found.insert(object, NamedType { kind, parts, definition, comment, rights });
    }
    Ok(found)
}
