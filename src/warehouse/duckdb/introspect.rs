//! Reading a catalog: the same few queries for what is live and for what was built.

use std::collections::BTreeMap;

use ::duckdb::Connection;

use super::bare;
use super::checks::ask_binding;
use super::rows::{ask, list};
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::schema::{
    Column, Constraint, Extra, Outside, Overload, Parameter, Relation, RelationKind, Routine, RoutineKind,
    Schema,
};
use crate::sql::Dialect;
use crate::sql::table::collations;
use crate::warehouse::{Routines, WarehouseError, literal, name, quoted, same_name};

/// A catalog, and the datasets of it that are spoken of.
struct Scope<'a> {
    connection: &'a Connection,
    catalog: &'a str,
    datasets: &'a [Dataset],
}

impl Scope<'_> {
    /// Places an object in the dataset as it was asked for; none where it was not asked for.
    fn place(&self, schema: &str, object: &str) -> Option<Coordinate> {
        if object.starts_with("_promote_") {
            return None;
        }
        let dataset = self.datasets.iter().find(|dataset| same_name(&dataset.schema, schema))?;
        Some(dataset.object(object))
    }

    /// The condition that keeps a query to these datasets.
    fn filter(&self) -> String {
        let names: Vec<String> =
            self.datasets.iter().map(|dataset| literal(&dataset.schema.to_lowercase())).collect();
        format!(
            "database_name = {} AND lower(schema_name) IN ({})",
            literal(self.catalog),
            if names.is_empty() { "''".to_owned() } else { names.join(", ") }
        )
    }
}

/// Reads the relations and routines of some datasets.
///
/// Shape: eight queries at most, however many objects there are; a few more where a check cannot be bound at once.
pub(super) fn schema(
    connection: &Connection,
    catalog: &str,
    datasets: &[Dataset],
    routines: Routines,
) -> Result<Schema, WarehouseError> {
    let scope = Scope { connection, catalog, datasets };
    let mut found = Schema { datasets: present(&scope)?, ..Schema::default() };
    if found.datasets.is_empty() {
        return Ok(found);
    }
    found.relations = tables(&scope)?;
    found.relations.extend(views(&scope)?);
    found.relations.extend(sequences(&scope)?);
    bare::placed(&mut found.relations);
    columns(&scope, &mut found.relations)?;
    constraints(&scope, &mut found.relations)?;
    indexes(&scope, &mut found.relations)?;
    let asked = match routines {
        Routines::All => true,
        Routines::WhereCalled => calls(&found),
        Routines::Unasked => false,
    };
    if asked {
        found.routines = macros(&scope)?;
    }
    Ok(found)
}

/// Reads the views of other datasets, in one query: the engine does not say what they read.
pub(super) fn outside(
    connection: &Connection,
    catalog: &str,
    datasets: &[Dataset],
) -> Result<BTreeMap<Coordinate, Outside>, WarehouseError> {
    let names: Vec<String> = datasets.iter().map(|dataset| literal(&dataset.schema.to_lowercase())).collect();
    let sql = format!(
        "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE database_name = {} \
         AND lower(schema_name) NOT IN ({}) AND NOT internal AND NOT temporary",
        literal(catalog),
        names.join(", ")
    );
    let rows = ask(connection, &sql, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let view = |(schema, view, definition): (String, String, Option<String>)| {
        let definition = definition.unwrap_or_default();
        (Dataset::new(schema).object(view), Outside { definition, ..Outside::default() })
    };
    Ok(rows.into_iter().map(view).collect())
}

fn present(scope: &Scope<'_>) -> Result<Vec<Dataset>, WarehouseError> {
    let sql = format!(
        "SELECT schema_name FROM duckdb_schemas() WHERE database_name = {} ORDER BY 1",
        literal(scope.catalog)
    );
    let there = ask(scope.connection, &sql, |row| row.get::<_, String>(0))?;
    let mut datasets: Vec<Dataset> = scope
        .datasets
        .iter()
        .filter(|dataset| there.iter().any(|schema| same_name(schema, &dataset.schema)))
        .cloned()
        .collect();
    datasets.sort();
    datasets.dedup();
    Ok(datasets)
}

fn tables(scope: &Scope<'_>) -> Result<BTreeMap<Coordinate, Relation>, WarehouseError> {
    let sql = format!(
        "SELECT schema_name, table_name, sql, comment FROM duckdb_tables() WHERE {} AND NOT temporary",
        scope.filter()
    );
    relations(scope, &sql, RelationKind::Table)
}

fn views(scope: &Scope<'_>) -> Result<BTreeMap<Coordinate, Relation>, WarehouseError> {
    let sql = format!(
        "SELECT schema_name, view_name, sql, comment FROM duckdb_views() WHERE {} AND NOT internal AND NOT temporary",
        scope.filter()
    );
    relations(scope, &sql, RelationKind::View)
}

/// Lists sequences by name alone: how far one has counted is no part of a schema.
fn sequences(scope: &Scope<'_>) -> Result<BTreeMap<Coordinate, Relation>, WarehouseError> {
    let sql = format!(
        "SELECT schema_name, sequence_name, '', NULL FROM duckdb_sequences() WHERE {} AND NOT temporary",
        scope.filter()
    );
    relations(scope, &sql, RelationKind::Sequence)
}

fn relations(
    scope: &Scope<'_>,
    sql: &str,
    kind: RelationKind,
) -> Result<BTreeMap<Coordinate, Relation>, WarehouseError> {
    let rows = ask(scope.connection, sql, |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            row.get::<_, Option<String>>(3)?,
        ))
    })?;
    let placed = rows.into_iter().filter_map(|(schema, object, definition, comment)| {
        let coordinate = scope.place(&schema, &object)?;
        let definition = definition.trim_end_matches(';').to_owned();
        let query = (kind == RelationKind::View).then(|| query(&definition));
        let (columns, constraints, indexes) = (Vec::new(), Vec::new(), BTreeMap::new());
        let extra = Extra::default();
        Some((
            coordinate,
            Relation { kind, columns, constraints, indexes, query, comment, definition, extra },
        ))
    });
    Ok(placed.collect())
}

/// The query of `CREATE VIEW a.b [(c, d)] AS query`.
pub(super) fn query(definition: &str) -> String {
    definition.split_once(" AS ").map_or(definition, |(_, query)| query).to_owned()
}

fn columns(scope: &Scope<'_>, relations: &mut BTreeMap<Coordinate, Relation>) -> Result<(), WarehouseError> {
    let sql = format!(
        "SELECT schema_name, table_name, column_name, data_type, is_nullable, column_default, comment \
         FROM duckdb_columns() WHERE {} AND NOT internal ORDER BY schema_name, table_name, column_index",
        scope.filter()
    );
    let rows = ask(scope.connection, &sql, |row| {
        let column = Column {
            name: row.get(2)?,
            data_type: row.get(3)?,
            nullable: row.get::<_, Option<bool>>(4)?.unwrap_or(true),
            default: row.get(5)?,
            generated: None,
            identity: None,
            collation: None,
            comment: row.get(6)?,
        };
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, column))
    })?;
    for (schema, object, mut column) in rows {
        let Some(coordinate) = scope.place(&schema, &object) else { continue };
        let Some(relation) = relations.get_mut(&coordinate) else { continue };
        // The catalog shows a generated column's expression as if it were a default.
        let computed = |written: &str| {
            relation.definition.contains(&format!("{written} {} GENERATED ALWAYS AS(", column.data_type))
        };
        if computed(&name(&column.name)) || computed(&quoted(&column.name)) {
            column.generated = column.default.take().map(|text| uncast(text, &column.data_type));
        }
        relation.columns.push(column);
    }
    relations.values_mut().for_each(collated);
    Ok(())
}

/// Says by which collation each column is compared: the catalog has that in the statement alone.
fn collated(relation: &mut Relation) {
    if relation.kind != RelationKind::Table || !relation.definition.contains(" COLLATE ") {
        return;
    }
    for (name, collation) in collations(&relation.definition, Dialect::DuckDb) {
        for column in relation.columns.iter_mut().filter(|column| column.name == name) {
            column.collation = Some(collation.clone());
        }
    }
}

/// Takes away the cast that the catalog puts around a generated column's expression each time.
fn uncast(text: String, data_type: &str) -> String {
    let inner = text.strip_prefix("CAST(").and_then(|rest| rest.strip_suffix(&format!(" AS {data_type})")));
    inner.map(str::to_owned).unwrap_or(text)
}

fn constraints(
    scope: &Scope<'_>,
    relations: &mut BTreeMap<Coordinate, Relation>,
) -> Result<(), WarehouseError> {
    let sql = format!(
        "SELECT schema_name, table_name, constraint_type, constraint_text, \
         array_to_string(constraint_column_names, chr(31)), referenced_table, \
         array_to_string(referenced_column_names, chr(31)) FROM duckdb_constraints() \
         WHERE {} AND constraint_type <> 'NOT NULL'",
        scope.filter()
    );
    let rows = ask_binding(scope.connection, scope.catalog, &sql, |row| {
        let constraint = Constraint {
            name: None,
            kind: row.get(2)?,
            definition: row.get(3)?,
            columns: list(row.get::<_, Option<String>>(4)?.as_deref()),
        };
        let target: (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, constraint, target))
    })?;
    for (schema, object, mut constraint, (table, columns)) in rows {
        // Of a key that points at its own table the catalog has no text.
        if let Some(table) = table.filter(|_| constraint.definition.is_empty()) {
            constraint.definition =
                foreign_key(&constraint.columns, (&schema, &table), &list(columns.as_deref()));
        }
        let Some(coordinate) = scope.place(&schema, &object) else { continue };
        if let Some(relation) = relations.get_mut(&coordinate) {
            relation.constraints.push(constraint);
        }
    }
    for relation in relations.values_mut() {
        relation.constraints.sort();
    }
    Ok(())
}

/// A foreign key as the catalog writes one.
fn foreign_key(columns: &[String], (schema, table): (&str, &str), referenced: &[String]) -> String {
    let names = |columns: &[String]| columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(", ");
    let (schema, table) = (name(schema), name(table));
    format!("FOREIGN KEY ({}) REFERENCES {schema}.{table}({})", names(columns), names(referenced))
}

fn indexes(scope: &Scope<'_>, relations: &mut BTreeMap<Coordinate, Relation>) -> Result<(), WarehouseError> {
    let sql = format!(
        "SELECT schema_name, table_name, index_name, sql FROM duckdb_indexes() WHERE {} AND sql IS NOT NULL",
        scope.filter()
    );
    let rows = ask(scope.connection, &sql, |row| {
        let definition = row.get::<_, String>(3)?.trim_end_matches(';').to_owned();
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, definition))
    })?;
    for (schema, object, index, definition) in rows {
        let Some(coordinate) = scope.place(&schema, &object) else { continue };
        if let Some(relation) = relations.get_mut(&coordinate) {
            relation.indexes.insert(index, definition);
        }
    }
    Ok(())
}

/// Whether a view or default calls something in one of the datasets: `analytics.f(`.
fn calls(schema: &Schema) -> bool {
    let called = |text: &str| {
        let text = text.to_lowercase();
        schema.datasets.iter().any(|dataset| {
            let prefix = format!("{}.", name(&dataset.schema.to_lowercase()));
            text.match_indices(&prefix).any(|(at, _)| {
                let rest = &text[at + prefix.len()..];
                let end = rest.find(|next: char| !(next.is_alphanumeric() || next == '_' || next == '"'));
                end.is_some_and(|end| rest[end..].starts_with('('))
            })
        })
    };
    schema.relations.values().any(|relation| {
        let defaults = relation.columns.iter().filter_map(|column| column.default.as_ref());
        let computed = relation.columns.iter().filter_map(|column| column.generated.as_ref());
        let checks = relation.constraints.iter().filter(|constraint| constraint.kind == "CHECK");
        relation.query.iter().chain(defaults).chain(computed).any(|text| called(text))
            || checks.into_iter().any(|check| called(&check.definition))
    })
}

fn macros(scope: &Scope<'_>) -> Result<BTreeMap<Coordinate, Routine>, WarehouseError> {
    let sql = format!(
        "SELECT schema_name, function_name, function_type, array_to_string(parameters, chr(31)), \
         array_to_string([coalesce(t, '') FOR t IN parameter_types], chr(31)), macro_definition, comment \
         FROM duckdb_functions() WHERE {} AND NOT internal AND function_type IN ('macro', 'table_macro')",
        scope.filter()
    );
    let rows = ask(scope.connection, &sql, |row| {
        let names = list(row.get::<_, Option<String>>(3)?.filter(|text| !text.is_empty()).as_deref());
        let types = list(row.get::<_, Option<String>>(4)?.as_deref());
        let parameters = names.into_iter().enumerate().map(|(index, name)| {
            let data_type = types.get(index).filter(|text| !text.is_empty()).cloned();
            Parameter { name, data_type, default: None }
        });
        let overload =
            Overload { parameters: parameters.collect(), body: row.get(5)?, returns: None, identity: None };
        let kind = if row.get::<_, String>(2)? == "macro" { RoutineKind::Scalar } else { RoutineKind::Table };
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            kind,
            overload,
            row.get::<_, Option<String>>(6)?,
        ))
    })?;
    let mut found: BTreeMap<Coordinate, Routine> = BTreeMap::new();
    for (schema, object, kind, overload, comment) in rows {
        let Some(coordinate) = scope.place(&schema, &object) else { continue };
        let empty = Routine { kind, overloads: Vec::new(), comment, rights: BTreeMap::new() };
        found.entry(coordinate).or_insert(empty).overloads.push(overload);
    }
    for routine in found.values_mut() {
        routine.overloads.sort_by(|left, right| shape(left).cmp(&shape(right)));
    }
    Ok(found)
}

fn shape(overload: &Overload) -> (usize, Vec<(&str, Option<&str>)>) {
    let parameters: Vec<_> = overload
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), parameter.data_type.as_deref()))
        .collect();
    (parameters.len(), parameters)
}
