//! The text of each statement, for DuckDB, with the traps that the engine sets.
//!
//! An index on any column blocks nearly every ALTER of its table: it is dropped, and made again after, in the
//! same transaction. ADD COLUMN takes no NOT NULL, and fills a computed default by an update, after which the table
//! can be neither altered nor indexed in that transaction. CREATE OR REPLACE VIEW loses its comments. What ALTER
//! cannot do at all is a rebuild: a new table, the rows, a swap of names.

use std::collections::BTreeMap;

use super::rename::before;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::schema::{Column, Overload, Relation, RelationKind, Routine, RoutineKind};
use crate::warehouse::{Kind, is_literal, literal, name, path};

/// Makes a dataset.
pub(super) fn create_dataset(dataset: &Dataset) -> String {
    let any = path(&dataset.object("x"));
    format!("CREATE SCHEMA IF NOT EXISTS {}", any.trim_end_matches(".x"))
}

/// Makes a sequence, as a stand-in for one that is counted with.
pub(super) fn create_sequence(sequence: &Coordinate) -> String {
    format!("CREATE SEQUENCE {}", path(sequence))
}

/// Makes a table of bare columns: a stand-in for one that is only read.
pub(super) fn create_plain(table: &Coordinate, columns: &[Column]) -> String {
    let columns: Vec<String> =
        columns.iter().map(|column| format!("{} {}", name(&column.name), column.data_type)).collect();
    format!("CREATE TABLE {} ({})", path(table), columns.join(", "))
}

/// Makes a table under a name, as the engine would write it.
pub(super) fn create_table(table: &Coordinate, relation: &Relation) -> String {
    format!("CREATE TABLE {} ({})", path(table), table_lines(relation).join(", "))
}

/// What stands between the brackets of `CREATE TABLE`.
pub(super) fn table_lines(relation: &Relation) -> Vec<String> {
    let keys = relation.constraints.iter().map(|constraint| constraint.definition.clone());
    relation.columns.iter().map(column).chain(keys).collect()
}

/// A column's type with its collation.
pub(super) fn typed(column: &Column) -> String {
    let collation = column.collation.as_ref().map(|collation| format!(" COLLATE {collation}"));
    format!("{}{}", column.data_type, collation.unwrap_or_default())
}

/// A column as `CREATE TABLE` writes it.
pub(super) fn column(column: &Column) -> String {
    let mut text = format!("{} {}", name(&column.name), typed(column));
    if let Some(generated) = &column.generated {
        return format!("{text} GENERATED ALWAYS AS ({generated})");
    }
    if let Some(default) = &column.default {
        text.push_str(" DEFAULT ");
        text.push_str(&bracketed(default));
    }
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    text
}

/// An expression where the grammar takes a simple one only.
pub(super) fn bracketed(expression: &str) -> String {
    let simple = expression.chars().all(|next| next.is_alphanumeric() || next == '_' || next == '.')
        || (expression.starts_with('\'') && literal(expression[1..].trim_end_matches('\'')) == expression);
    if simple { expression.to_owned() } else { format!("({expression})") }
}

/// A default that DuckDB computes for each old row, by an update: it then refuses to alter or index the table further in
/// the same transaction, where it holds rows.
pub(super) fn computed_default(column: &Column) -> Option<&String> {
    column.default.as_ref().filter(|default| !is_literal(default))
}

/// A value that says nothing, by which a required column can be filled.
pub(super) fn empty_value(data_type: &str) -> &'static str {
    let lower = data_type.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if lower.ends_with(']') {
        "NULL"
    } else if is(&["int", "numeric", "decimal", "float", "double", "real", "serial"]) {
        "0"
    } else if is(&["char", "text"]) {
        "''"
    } else if is(&["bool"]) {
        "false"
    } else if is(&["timestamp"]) {
        "TIMESTAMP '1970-01-01 00:00:00'"
    } else if is(&["date"]) {
        "DATE '1970-01-01'"
    } else {
        "NULL"
    }
}

/// Makes a view, or puts a new one in its place; and its comments again.
pub(super) fn create_view(view: &Coordinate, relation: &Relation, replacing: bool) -> Vec<String> {
    let definition = relation.definition.strip_prefix("CREATE VIEW").unwrap_or(&relation.definition);
    let verb = if replacing { "CREATE OR REPLACE VIEW" } else { "CREATE VIEW" };
    let mut ddl = vec![format!("{verb}{definition}")];
    ddl.extend(comments(view, relation));
    ddl
}

/// All comments of a relation that has some.
pub(super) fn comments(object: &Coordinate, relation: &Relation) -> Vec<String> {
    let mut ddl = Vec::new();
    if let Some(text) = &relation.comment {
        ddl.push(comment(noun(relation.kind), &path(object), Some(text)));
    }
    for column in &relation.columns {
        if let Some(text) = &column.comment {
            ddl.push(comment("COLUMN", &column_path(object, &column.name), Some(text)));
        }
    }
    ddl
}

/// Sets or takes away one comment.
pub(super) fn comment(noun: &str, place: &str, text: Option<&str>) -> String {
    let text = text.map_or_else(|| "NULL".to_owned(), literal);
    format!("COMMENT ON {noun} {place} IS {text}")
}

/// The word for a kind of relation.
pub(super) fn noun(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table => "TABLE",
        RelationKind::View => "VIEW",
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        RelationKind::Sequence => "SEQUENCE",
    }
}

/// The word for a kind of routine.
pub(super) fn routine_noun(kind: RoutineKind) -> &'static str {
    match kind {
        RoutineKind::Scalar => "MACRO",
        RoutineKind::Table => "MACRO TABLE",
        RoutineKind::Procedure => "PROCEDURE",
    }
}

/// A column's full name.
pub(super) fn column_path(object: &Coordinate, column: &str) -> String {
    format!("{}.{}", path(object), name(column))
}

/// Makes a routine with all its overloads, or puts it in place of what is there.
pub(super) fn create_routine(object: &Coordinate, routine: &Routine) -> String {
    let overloads: Vec<String> =
        routine.overloads.iter().map(|overload| signature(overload, routine.kind)).collect();
    format!("CREATE OR REPLACE MACRO {}{}", path(object), overloads.join(", "))
}

fn signature(overload: &Overload, kind: RoutineKind) -> String {
    let parameters = overload.parameters.iter().map(|parameter| {
        let mut text = name(&parameter.name);
        if let Some(data_type) = &parameter.data_type {
            text.push(' ');
            text.push_str(data_type);
        }
        if let Some(default) = &parameter.default {
            text.push_str(" := ");
            text.push_str(default);
        }
        text
    });
    let parameters: Vec<String> = parameters.collect();
    let table = match kind {
        RoutineKind::Scalar | RoutineKind::Procedure => "",
        RoutineKind::Table => "TABLE ",
    };
    format!("({}) AS {table}{}", parameters.join(", "), overload.body)
}

/// `ALTER TABLE t …`.
pub(super) fn alter(table: &Coordinate, what: &str) -> String {
    format!("ALTER TABLE {} {what}", path(table))
}

/// `ALTER TABLE t ALTER COLUMN c …`.
pub(super) fn alter_column(table: &Coordinate, column: &str, what: &str) -> String {
    alter(table, &format!("ALTER COLUMN {} {what}", name(column)))
}

/// Drops what a statement made.
pub(super) fn drop_made(kind: Kind, object: &Coordinate) -> String {
    let noun = match kind {
        Kind::View => "VIEW",
        Kind::Index => "INDEX",
        Kind::Type => "TYPE",
        Kind::Sequence => "SEQUENCE",
        Kind::Routine => "MACRO",
        Kind::Dataset => "SCHEMA",
        Kind::Table
        | Kind::FilledTable
        | Kind::Comment
        | Kind::Alter
        | Kind::Drop
        | Kind::Trigger
        | Kind::Insert
        | Kind::Query
        | Kind::Other => "TABLE",
    };
    format!("DROP {noun} IF EXISTS {}", path(object))
}

/// Drops an index, which lives beside its table.
pub(super) fn drop_index(table: &Coordinate, index: &str) -> String {
    format!("DROP INDEX {}", path(&table.dataset.object(index)))
}

/// Puts the statements between the dropping and the making again of the indexes that stand in their way.
pub(super) fn without_indexes(
    table: &Coordinate,
    indexes: &BTreeMap<String, String>,
    statements: Vec<String>,
) -> Vec<String> {
    let mut ddl: Vec<String> = indexes.keys().map(|index| drop_index(table, index)).collect();
    ddl.extend(statements);
    ddl.extend(indexes.values().cloned());
    ddl
}

/// Gives what a question selects from where columns are named as they are to be: an expression of `migrate_using` knows
/// its column by the new name.
///
/// Shape: `columns` as they are and as they are to be.
pub(super) fn renamed_in(place: &str, table: &Coordinate, columns: &[(&Column, &Column)]) -> String {
    let renamed: Vec<String> = columns
        .iter()
        .filter(|(from, to)| !from.name.eq_ignore_ascii_case(&to.name))
        .map(|(from, to)| format!("{} AS {}", name(&from.name), name(&to.name)))
        .collect();
    if renamed.is_empty() {
        return place.to_owned();
    }
    format!("(SELECT *, {} FROM {place}) AS {}", renamed.join(", "), name(&table.name))
}

/// A table that is built anew with its rows and takes its old self's name.
pub(super) struct Rebuild<'a> {
    /// The table.
    pub(super) table: &'a Coordinate,
    /// What it is to be.
    pub(super) desired: &'a Relation,
    /// What it is.
    pub(super) live: &'a Relation,
    /// Old names of renamed columns by their new one.
    pub(super) renamed: &'a BTreeMap<String, String>,
    /// Expressions by which old values become new ones, by column.
    pub(super) using: &'a BTreeMap<String, String>,
    /// Indexes to be made afterwards.
    pub(super) indexes: &'a BTreeMap<String, String>,
}

impl Rebuild<'_> {
    /// Gives the statements, in order.
    pub(super) fn statements(&self) -> Vec<String> {
        let new = self.table.dataset.object(format!("_promote_new_{}", self.table.name));
        let (mut into, mut from, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for column in self.desired.columns.iter().filter(|column| column.generated.is_none()) {
            if let Some(old) = before((self.live, self.desired), self.renamed, &column.name) {
                into.push(name(&column.name));
                let using = self.using.get(&column.name.to_lowercase());
                let using = using.filter(|_| old.data_type != column.data_type);
                told.extend(using.map(|_| (old, column)));
                from.push(using.map_or_else(|| name(&old.name), |using| format!("({using})")));
            }
        }
        let mut ddl = vec![create_table(&new, self.desired)];
        if !into.is_empty() {
            let (into, from) = (into.join(", "), from.join(", "));
            let rows = renamed_in(&path(self.table), self.table, &told);
            ddl.push(format!("INSERT INTO {} ({into}) SELECT {from} FROM {rows}", path(&new)));
        }
        ddl.push(format!("DROP TABLE {}", path(self.table)));
        ddl.push(alter(&new, &format!("RENAME TO {}", name(&self.table.name))));
        ddl.extend(self.indexes.values().cloned());
        ddl.extend(comments(self.table, self.desired));
        ddl
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_only_what_needs_it() {
        for (expression, expected) in [
            ("3", "3"),
            ("current_timestamp", "current_timestamp"),
            ("'it''s'", "('it''s')"),
            ("'a'", "'a'"),
            ("now()", "(now())"),
            ("-1", "(-1)"),
        ] {
            assert_eq!(bracketed(expression), expected);
        }
    }

    #[test]
    fn drops_and_makes_again_the_indexes_around_an_alter() {
        let table = "a.t".parse().unwrap();
        let indexes = BTreeMap::from([("ix".to_owned(), "CREATE INDEX ix ON a.t(b)".to_owned())]);
        let ddl = without_indexes(&table, &indexes, vec![alter_column(&table, "c", "DROP NOT NULL")]);
        assert_eq!(
            ddl,
            ["DROP INDEX a.ix", "ALTER TABLE a.t ALTER COLUMN c DROP NOT NULL", "CREATE INDEX ix ON a.t(b)"]
        );
    }
}
