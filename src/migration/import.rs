//! Files that declare what is live, so that a project can begin with what is there. Pure.
//!
//! In: a live schema. Out: a text for each object that can be declared, and why the others cannot. What is live is taken
//! for what is desired and nothing for what is live: the steps in between are the statements. Names lose the dataset,
//! so that the files serve every environment. Whether the files really declare
//! what is live is for a plan to say.

use std::collections::BTreeMap;

use super::context::Facts;
use super::desired::{Desired, Managed};
use super::steps::{Options, steps};
use super::{postgres, statement};
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::migration::Step;
use crate::model::schema::{Relation, RelationKind, Schema};
use crate::sql::{self, Dialect, Known, Mapping};
use crate::warehouse::{Ledger, literal, name, path};

/// An object with the statements that declare it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Imported {
    /// The object.
    pub object: Coordinate,
    /// A file's text, its names without the dataset.
    pub text: String,
    /// The same with the dataset, as the engine writes it.
    pub placed: String,
}

/// What can be declared of a live schema.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Import {
    /// By coordinate.
    pub objects: Vec<Imported>,
    /// Objects that cannot be declared, with why.
    pub left_out: BTreeMap<Coordinate, String>,
}

/// Writes down what is live in a dataset.
///
/// Shape: a sequence that only counts for one column comes with that column's table.
/// Pure: equal inputs give equal output.
pub fn import(live: &Schema, dataset: &Dataset, dialect: Dialect) -> Import {
    let own = live.only(|object| object.dataset == *dataset);
    let left_out: BTreeMap<Coordinate, String> = own
        .relations
        .iter()
        .filter_map(|(object, relation)| Some((object.clone(), undeclarable(relation, dialect)?)))
        .collect();
    let mut schema = own.only(|object| !left_out.contains_key(object));
    if dialect == Dialect::Postgres {
        count_by_type(&mut schema);
    }
    let mapping = mapping(&schema);
    let mut made: BTreeMap<String, (String, String)> = BTreeMap::new();
    for step in making(&schema, live, dataset, dialect) {
        let relation = schema.relations.iter().find(|(object, _)| object.to_string() == step.object);
        let (text, placed) = made.entry(step.object.clone()).or_default();
        for sql in &step.ddl {
            let sql = laid_out(sql, relation.map(|(_, relation)| relation), dialect);
            let bare = sql::unplaced(&sql, dialect, dataset, &mapping).unwrap_or_else(|_| sql.clone());
            *text += &match dialect {
                Dialect::Postgres => bare_counters(bare, &schema),
                Dialect::DuckDb | Dialect::Generic => sql::bare_counters(&bare, dialect, dataset),
            };
            *placed += &sql;
            text.push_str(";\n");
            placed.push_str(";\n");
        }
    }
    let named = schema.names().filter_map(|object| {
        let (text, placed) = made.remove(&object.to_string())?;
        Some(Imported { object: object.clone(), text, placed })
    });
    Import { objects: named.collect(), left_out }
}

/// The steps that make a schema where there is nothing.
fn making(schema: &Schema, live: &Schema, dataset: &Dataset, dialect: Dialect) -> Vec<Step> {
    let nothing = Schema { datasets: live.datasets.clone(), ..Schema::default() };
    let managed =
        |(rank, object): (usize, &Coordinate)| (object.clone(), Managed { rank, ..Managed::default() });
    let desired = Desired {
        dataset: Some(dataset.clone()),
        dialect,
        schema: Schema { datasets: vec![dataset.clone()], ..schema.clone() },
        objects: schema.names().enumerate().map(managed).collect(),
        ..Desired::default()
    };
    steps(&nothing, &desired, &Ledger::default(), &Options::default(), &Facts::default()).steps
}

/// Takes the dataset away from before sequences that defaults name in a string.
fn bare_counters(text: String, schema: &Schema) -> String {
    let counters = schema.relations.iter().filter(|(_, relation)| relation.kind == RelationKind::Sequence);
    counters
        .fold(text, |text, (object, _)| text.replace(&counter(&path(object)), &counter(&name(&object.name))))
}

/// A sequence as a default names it.
fn counter(sequence: &str) -> String {
    format!("{}::regclass", literal(sequence))
}

/// Why a relation cannot be declared, where it cannot.
fn undeclarable(relation: &Relation, dialect: Dialect) -> Option<String> {
    let features: Vec<&str> = relation.extra.features.iter().map(String::as_str).collect();
    if !features.is_empty() {
        return Some(format!("no change is planned for what it has: {}", features.join(", ")));
    }
    let counts = relation.kind == RelationKind::Sequence && dialect == Dialect::DuckDb;
    counts.then(|| "no sequence is managed on DuckDB; tables that count with it are declared".to_owned())
}

/// Puts `serial` for a column that counts with a sequence of its own, where that means the same.
fn count_by_type(schema: &mut Schema) {
    let owned: Vec<(Coordinate, Coordinate, String)> = schema
        .relations
        .iter()
        .filter(|(_, sequence)| sequence.kind == RelationKind::Sequence && sequence.comment.is_none())
        .filter_map(|(object, sequence)| {
            let owner = sequence.extra.reads.first()?;
            let column = schema.column(&owner.object, owner.column.as_deref()?)?;
            let (known, counts) = serial(&column.data_type)?;
            let default = format!("nextval({})", counter(&path(object)));
            let usual = format!("{}_{}_seq", owner.object.name, column.name) == object.name
                && sequence.definition == counts
                && column.default.as_ref() == Some(&default)
                && !column.nullable;
            usual.then(|| (object.clone(), owner.object.clone(), format!("{}\n{known}", column.name)))
        })
        .collect();
    for (sequence, table, column) in owned {
        let (name, known) = column.split_once('\n').unwrap_or_default();
        let columns = schema.relations.get_mut(&table).map(|table| table.columns.iter_mut());
        for column in columns.into_iter().flatten().filter(|column| column.name == name) {
            (column.data_type, column.default, column.nullable) = (known.to_owned(), None, true);
        }
        schema.relations.remove(&sequence);
    }
}

/// The word for a type that counts, and how its sequence does so.
fn serial(data_type: &str) -> Option<(&'static str, String)> {
    let (word, most) = match data_type {
        "smallint" => ("smallserial", "32767"),
        "integer" => ("serial", "2147483647"),
        "bigint" => ("bigserial", "9223372036854775807"),
        _ => return None,
    };
    let counts = format!("AS {data_type} START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE {most} CACHE 1");
    Some((word, counts))
}

/// Every name of the schema, as the project's files may write it.
fn mapping(schema: &Schema) -> Mapping {
    let mut mapping = Mapping::default();
    let mut add = |known, object: &Coordinate| {
        mapping.bare(known, &object.name, object);
        mapping.coordinate(known, object, object);
    };
    schema.relations.keys().for_each(|object| add(Known::Relation, object));
    schema.routines.keys().for_each(|object| add(Known::Routine, object));
    for object in schema.types.keys() {
        add(Known::Relation, object);
        add(Known::Type, object);
    }
    mapping
}

/// A statement as people write it: a table with a line for each column, no `OR REPLACE`.
fn laid_out(sql: &str, relation: Option<&Relation>, dialect: Dialect) -> String {
    if let Some(rest) = sql.strip_prefix("CREATE OR REPLACE ") {
        return format!("CREATE {rest}");
    }
    let Some(relation) = relation.filter(|_| sql.starts_with("CREATE TABLE ")) else { return sql.to_owned() };
    let lines = match dialect {
        Dialect::Postgres => postgres::table_lines(relation),
        Dialect::DuckDb | Dialect::Generic => statement::table_lines(relation),
    };
    sql.replacen(&format!("({})", lines.join(", ")), &format!("(\n  {}\n)", lines.join(",\n  ")), 1)
}
