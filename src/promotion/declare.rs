//! From models to what the migration takes: the same declarations in the words of another room. Pure.

use crate::migration::{Body, Declared, DeclaredColumn, DeclaredObject, Described, State};
use crate::model::coordinate::Dataset;
use crate::models::{self, Materialized, Models, Object, ObjectKind};
use crate::sql;

/// Translates everything that a project declares.
pub(super) fn declared(models: &Models, dataset: &Dataset) -> Declared {
    Declared {
        dataset: dataset.clone(),
        dialect: models.dialect,
        objects: models.objects.iter().map(object).collect(),
        sources: models
            .sources
            .iter()
            .filter(|source| source.files.is_none())
            .map(|source| source.coordinate.clone())
            .collect(),
        files: models
            .sources
            .iter()
            .filter_map(|source| Some((source.coordinate.clone(), source.files.clone()?)))
            .collect(),
        texts: models.texts.clone(),
    }
}

fn object(object: &Object) -> DeclaredObject {
    let coordinate = match object.kind {
        ObjectKind::Ddl => None,
        ObjectKind::Model | ObjectKind::Seed | ObjectKind::Routine => Some(object.coordinate.clone()),
    };
    DeclaredObject {
        columns: object.declared.iter().map(column).collect(),
        constraints: constraints(object),
        description: object.description.clone(),
        depends_on: object.reads.clone(),
        source_hash: object.source_hash.clone(),
        state: match object.state {
            models::State::Present => State::Present,
            models::State::Dropped => State::Dropped,
        },
        renamed_from: object.renamed_from.as_ref().map(|name| object.coordinate.dataset.object(name)),
        described: object
            .described
            .as_ref()
            .map(|place| Described { file: place.file.to_string(), name: object.name.clone() }),
        ..DeclaredObject::new(coordinate, body(object), object.place.clone())
    }
}

fn body(object: &Object) -> Body {
    let sql = || object.sql.clone().unwrap_or_default();
    match (object.kind, object.materialized) {
        (ObjectKind::Seed, _) => {
            Body::Seed { csv: object.seed.as_ref().map(|seed| seed.csv.clone()).unwrap_or_default() }
        }
        (ObjectKind::Ddl, _) => Body::Ddl { sql: object.statements.join(";\n") },
        (ObjectKind::Routine, _) => Body::Routine { statement: object.statements.join(";\n") },
        (ObjectKind::Model, _) if object.sql.is_none() => Body::TableFromColumns,
        (ObjectKind::Model, Materialized::View) => Body::View { sql: sql() },
        (ObjectKind::Model, Materialized::Table | Materialized::Incremental) => {
            Body::TableFromQuery { sql: sql() }
        }
        (ObjectKind::Model, Materialized::External) => Body::TableFromColumns,
    }
}

fn column(column: &models::DeclaredColumn) -> DeclaredColumn {
    DeclaredColumn {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        not_null: column.not_null,
        primary_key: column.primary_key,
        unique: column.unique,
        default: column.default.clone(),
        description: column.description.clone(),
        renamed_from: column.renamed_from.clone(),
        migrate_using: column.migrate_using.clone(),
        visibility: column.visibility,
    }
}

fn constraints(object: &Object) -> Vec<String> {
    let checks =
        object.declared.iter().flat_map(|column| &column.checks).map(|check| format!("CHECK ({check})"));
    object.constraints.iter().filter_map(constraint).chain(checks).collect()
}

/// Writes a constraint as DDL does; one of a kind that DDL does not have is left to data tests.
fn constraint(constraint: &models::DeclaredConstraint) -> Option<String> {
    let columns = || {
        let names: Vec<String> = constraint.columns.iter().map(|name| sql::quote(name)).collect();
        names.join(", ")
    };
    let expression = constraint.expression.as_deref();
    match (constraint.kind.as_str(), expression) {
        ("primary_key", _) => Some(format!("PRIMARY KEY ({})", columns())),
        ("unique", _) => Some(format!("UNIQUE ({})", columns())),
        ("check", Some(expression)) => Some(format!("CHECK ({expression})")),
        ("foreign_key", Some(expression)) => {
            Some(format!("FOREIGN KEY ({}) REFERENCES {expression}", columns()))
        }
        _ => None,
    }
}
