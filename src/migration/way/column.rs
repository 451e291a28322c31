//! Columns and keys for a while: in a `CREATE TABLE`, in properties, or in what a query gives. What else a file says stays
//! byte for byte. Pure.

use serde_json::json;

use super::properties::described;
use super::stage::Way;
use crate::migration::desired::Managed;
use crate::migration::{postgres, statement};
use crate::model::coordinate::Coordinate;
use crate::model::schema::{Column, Constraint, Relation, RelationKind};
use crate::sql::table;
use crate::warehouse::{name, path, same_name};

/// Where an object's columns are declared.
enum Written {
    /// In a `CREATE TABLE` of a file.
    Statement(String),
    /// In properties.
    Properties(String, String),
    /// Nowhere: they are what a query gives; the file of the query.
    Query(String),
}

impl Way<'_> {
    /// Declares a column of a table as it is said, new or instead of what it was.
    #[must_use]
    pub(in crate::migration) fn column(mut self, object: &Coordinate, column: &Column) -> Self {
        let Some(column) = &self.declarable(object, column) else { return self };
        let text =
            if self.context.is_postgres() { postgres::written(column) } else { statement::column(column) };
        match self.written(object) {
            Some(Written::Statement(file)) => self.statement(&file, object, |sql, dialect| {
                table::with_column(sql, dialect, &column.name, &text)
            }),
            Some(Written::Properties(file, entry)) => {
                self.property_column(&file, &entry, &column.name, Some(&described(column)));
            }
            Some(Written::Query(_)) => {
                let value = format!("cast(null as {})", column.data_type);
                return self.outputs(object, &[(column.name.clone(), value)]);
            }
            None => {}
        }
        self
    }

    /// Takes a column's declaration out, with the keys, indexes and comments that name it.
    ///
    /// Shape: nothing is edited where something else is declared by it.
    #[must_use]
    pub(in crate::migration) fn without_column(mut self, object: &Coordinate, column: &str) -> Self {
        if self.is_pointed_at(object, column) {
            return self;
        }
        match self.written(object) {
            Some(Written::Statement(file)) => {
                let before = self.text(&file);
                self.statement(&file, object, |sql, dialect| table::without_column(sql, dialect, column));
                if self.text(&file) != before {
                    self.without_what_names(object, column);
                }
            }
            Some(Written::Properties(file, entry)) => {
                self.property_column(&file, &entry, column, None);
                self.property_keys(&file, &entry, column);
            }
            Some(Written::Query(_)) | None => {}
        }
        self
    }

    /// Whether a foreign key that is declared points at a column.
    fn is_pointed_at(&self, object: &Coordinate, column: &str) -> bool {
        let target = format!("REFERENCES {}(", path(object));
        let points = |key: &Constraint| {
            let list = key.definition.split_once(&target).and_then(|(_, rest)| rest.split_once(')'));
            list.is_some_and(|(list, _)| list.split(", ").any(|one| one.trim() == name(column)))
        };
        let relations = self.context.desired.schema.relations.values();
        relations.flat_map(|relation| &relation.constraints).any(points)
    }

    /// Declares that a column takes NULL.
    #[must_use]
    pub(in crate::migration) fn nullable(mut self, object: &Coordinate, column: &str) -> Self {
        if let Some(Written::Statement(file)) = self.written(object) {
            self.statement(&file, object, |sql, dialect| table::without_clause(sql, dialect, column, "NOT"));
            return self;
        }
        self.constraints(object, column, |kind| kind != "not_null");
        self
    }

    /// Declares a column's default.
    #[must_use]
    pub(in crate::migration) fn default(
        mut self,
        object: &Coordinate,
        column: &str,
        default: Option<&str>,
    ) -> Self {
        if let Some(Written::Statement(file)) = self.written(object) {
            let clause = default.map(|default| format!("DEFAULT {}", statement::bracketed(default)));
            self.statement(&file, object, |sql, dialect| {
                let bare = table::without_clause(sql, dialect, column, "DEFAULT");
                let Some(clause) = clause else { return bare };
                table::with_clause(bare.as_deref().unwrap_or(sql), dialect, column, &clause)
            });
            return self;
        }
        self.property(object, column, "default", &json!(default));
        self
    }

    /// Declares that a column is of its old type, with the default that it had.
    #[must_use]
    pub(in crate::migration) fn unchanged(self, object: &Coordinate, from: &Column, to: &Column) -> Self {
        let Some(from) = self.declarable(object, from) else { return self };
        let way = if from.default == to.default || matches!(self.written(object), Some(Written::Query(_))) {
            self
        } else {
            self.default(object, &to.name, from.default.as_deref())
        };
        way.typed(object, &to.name, &from.data_type)
    }

    /// A live column in words that declare it: one that counts with a sequence of its own is `serial`.
    ///
    /// Shape: nothing where no words do.
    fn declarable(&self, object: &Coordinate, column: &Column) -> Option<Column> {
        let table = self.context.live_name(object);
        let owns = |relation: &&Relation| {
            let reads = &relation.extra.reads;
            reads.iter().any(|read| read.object == table && read.column.as_ref() == Some(&column.name))
        };
        let mut relations = self.context.live.relations.iter();
        let owned = relations.find(|(_, known)| known.kind == RelationKind::Sequence && owns(known));
        let declared = |name: &Coordinate| self.context.wanted(name).is_some();
        let Some((sequence, known)) = owned.filter(|(name, _)| column.default.is_some() && !declared(name))
        else {
            return Some(column.clone());
        };
        let serial = match column.data_type.as_str() {
            "smallint" => "smallserial",
            "integer" => "serial",
            "bigint" => "bigserial",
            _ => return None,
        };
        let plain = format!("AS {} START WITH 1 INCREMENT BY 1 MINVALUE 1 ", column.data_type);
        let counts = known.definition.starts_with(&plain) && known.definition.ends_with(" CACHE 1");
        let named = sequence.name == format!("{}_{}_seq", table.name, column.name);
        (counts && named && !column.nullable).then(|| Column {
            data_type: serial.to_owned(),
            default: None,
            nullable: true,
            ..column.clone()
        })
    }

    /// Declares a column's type; a query keeps it by a cast.
    #[must_use]
    fn typed(mut self, object: &Coordinate, column: &str, data_type: &str) -> Self {
        match self.written(object) {
            Some(Written::Statement(file)) => self
                .statement(&file, object, |sql, dialect| table::with_type(sql, dialect, column, data_type)),
            Some(Written::Properties(..)) => self.property(object, column, "data_type", &json!(data_type)),
            Some(Written::Query(_)) => {
                let value = format!("cast({} as {data_type})", name(column));
                return self.outputs(object, &[(column.to_owned(), value)]);
            }
            None => {}
        }
        self
    }

    /// Says by which expression a column's old values become those of another type.
    #[must_use]
    pub(in crate::migration) fn using(mut self, object: &Coordinate, column: &str, expression: &str) -> Self {
        self.property(object, column, "migrate_using", &json!(expression));
        self
    }

    /// Takes a key or check out, wherever it is said.
    #[must_use]
    pub(in crate::migration) fn without_key(mut self, object: &Coordinate, key: &Constraint) -> Self {
        if let Some(Written::Statement(file)) = self.written(object) {
            let named = (key.name.as_deref(), key.kind.as_str());
            self.statement(&file, object, |sql, dialect| {
                table::without_key(sql, dialect, named, &key.columns)
            });
            return self;
        }
        let kind = key.kind.to_lowercase().replace(' ', "_");
        if let [column] = key.columns.as_slice() {
            self.constraints(object, column, |other| other != kind);
        }
        self
    }

    /// Returns other expressions under these names; those that a query does not give yet come last.
    #[must_use]
    pub(in crate::migration) fn outputs(mut self, object: &Coordinate, values: &[(String, String)]) -> Self {
        let Some(Written::Query(file)) = self.written(object) else { return self };
        let Some(text) = self.text(&file) else { return self };
        let given = self.context.wanted(object).map(|wanted| wanted.columns.clone()).unwrap_or_default();
        let value_of = |column: &str| {
            let said = values.iter().find(|(name, _)| same_name(name, column));
            said.map_or_else(|| name(column), |(_, value)| format!("{value} as {}", name(column)))
        };
        // The columns of what is live come first and in their order: some engines replace a view only so.
        let live = self.context.relation(object).map(|live| live.columns.clone()).unwrap_or_default();
        let has = |column: &str| {
            given.iter().any(|known| same_name(&known.name, column))
                || values.iter().any(|(name, _)| same_name(name, column))
        };
        let mut names: Vec<String> =
            live.into_iter().map(|column| column.name).filter(|column| has(column)).collect();
        for column in given.iter().map(|column| &column.name).chain(values.iter().map(|(name, _)| name)) {
            if !names.iter().any(|known| same_name(known, column)) {
                names.push(column.clone());
            }
        }
        let list: Vec<String> = names.iter().map(|column| format!("  {}", value_of(column))).collect();
        let wrap = |query: &str| {
            let query = query.trim_end().trim_end_matches(';').trim_end();
            format!("select\n{}\nfrom (\n{query}\n) as kept", list.join(",\n"))
        };
        if self.statement_of(&file, object).is_none() {
            let text = format!("{}\n", wrap(&text));
            self.put(&file, Some(text));
            return self;
        }
        self.statement(&file, object, |sql, dialect| {
            let query = table::query_of(sql, dialect)?;
            Some(format!("{}{}", &sql[..query.start], wrap(&sql[query])))
        });
        self
    }

    fn written(&self, object: &Coordinate) -> Option<Written> {
        let managed: Managed = self.context.managed(object);
        let file = managed.place.as_ref()?.file.to_string();
        if managed.indexed && managed.sql.as_deref().is_some_and(creates_table) {
            return self.text(&file).map(|_| Written::Statement(file));
        }
        if managed.sql.is_some() {
            return self.text(&file).map(|_| Written::Query(file));
        }
        self.described(object).map(|(file, entry)| Written::Properties(file, entry))
    }
}

fn creates_table(sql: &str) -> bool {
    crate::warehouse::head(sql).kind == crate::warehouse::Kind::Table
}
