//! How a declaration is edited: a `CREATE TABLE`, properties, or a query, each where it is written.
//!
//! In: an object and what it is to declare for a while. Out: the files of a [`Way`] with that, or as they were where the
//! declaration is not at hand. What else a file says stays byte for byte. Pure.

use serde_json::{Map, Value, json};

use super::desired::Managed;
use super::postgres;
use super::statement;
use super::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::schema::{Column, Constraint};
use crate::sql::{self, CreationKind, Leading, table};
use crate::warehouse::{name, same_name};
use crate::yaml::edit::{Step, append, remove, set};

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
    pub(super) fn column(mut self, object: &Coordinate, column: &Column) -> Self {
        let text = if self.context.is_postgres() { postgres::written(column) } else { statement::column(column) };
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

    /// Takes a column's declaration out.
    #[must_use]
    pub(super) fn without_column(mut self, object: &Coordinate, column: &str) -> Self {
        match self.written(object) {
            Some(Written::Statement(file)) => {
                self.statement(&file, object, |sql, dialect| table::without_column(sql, dialect, column));
            }
            Some(Written::Properties(file, entry)) => self.property_column(&file, &entry, column, None),
            Some(Written::Query(_)) | None => {}
        }
        self
    }

    /// Declares that a column takes NULL.
    #[must_use]
    pub(super) fn nullable(mut self, object: &Coordinate, column: &str) -> Self {
        if let Some(Written::Statement(file)) = self.written(object) {
            self.statement(&file, object, |sql, dialect| table::without_clause(sql, dialect, column, "NOT"));
            return self;
        }
        self.constraints(object, column, |kind| kind != "not_null");
        self
    }

    /// Declares a column's default.
    #[must_use]
    pub(super) fn default(mut self, object: &Coordinate, column: &str, default: &str) -> Self {
        if let Some(Written::Statement(file)) = self.written(object) {
            let clause = format!("DEFAULT {}", statement::bracketed(default));
            self.statement(&file, object, |sql, dialect| {
                let bare = table::without_clause(sql, dialect, column, "DEFAULT");
                table::with_clause(bare.as_deref().unwrap_or(sql), dialect, column, &clause)
            });
            return self;
        }
        self.property(object, column, "default", &json!(default));
        self
    }

    /// Declares a column's type; a query keeps it by a cast.
    #[must_use]
    pub(super) fn typed(mut self, object: &Coordinate, column: &str, data_type: &str) -> Self {
        match self.written(object) {
            Some(Written::Statement(file)) => self.statement(&file, object, |sql, dialect| {
                table::with_type(sql, dialect, column, data_type)
            }),
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
    pub(super) fn using(mut self, object: &Coordinate, column: &str, expression: &str) -> Self {
        self.property(object, column, "migrate_using", &json!(expression));
        self
    }

    /// Takes a key or check out, wherever it is said.
    #[must_use]
    pub(super) fn without_key(mut self, object: &Coordinate, key: &Constraint) -> Self {
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

    /// No longer says that an object, or one of its columns, had another name.
    #[must_use]
    pub(super) fn without_rename(mut self, object: &Coordinate, column: Option<&str>) -> Self {
        let Some((file, entry)) = self.described(object) else { return self };
        let Some(text) = self.text(&file) else { return self };
        let Some(list) = list_of(&text, &file, &entry) else { return self };
        let mut path = vec![Step::Key(list), Step::Named(&entry)];
        if let Some(column) = column {
            path.extend([Step::Key("columns"), Step::Named(column)]);
        }
        // A key is taken away by saying nothing for it.
        if let Ok(text) = set(&text, &file, &path, "renamed_from", &Value::Null) {
            self.put(&file, Some(text));
        }
        self
    }

    /// Returns other expressions under these names; those that a query does not give yet come last.
    #[must_use]
    pub(super) fn outputs(mut self, object: &Coordinate, values: &[(String, String)]) -> Self {
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

    /// Declares an index without UNIQUE, in whichever file it is.
    #[must_use]
    pub(super) fn plain_index(mut self, table: &Coordinate, index: &str) -> Self {
        let dialect = self.context.desired.dialect;
        let named = |sql: &str| match sql::leading(sql, dialect) {
            Ok(Leading::Create(creation)) => {
                creation.kind == CreationKind::Index
                    && creation.name.last().is_some_and(|part| same_name(&part.text, index))
                    && creation.on.last().is_some_and(|part| same_name(&part.text, &table.name))
            }
            _ => false,
        };
        for (file, text) in &self.context.desired.texts {
            let statements = sql::split(text, dialect).unwrap_or_default();
            let Some(statement) = statements.into_iter().find(|statement| named(&statement.text)) else {
                continue;
            };
            let Some(at) = statement.text.to_lowercase().find("unique ") else { continue };
            let mut edited = text.clone();
            let from = statement.span.start + at;
            edited.replace_range(from..from + "unique ".len(), "");
            self.put(file, Some(edited));
            break;
        }
        self
    }

    /// Gives an enumeration or a composite type other parts.
    #[must_use]
    pub(super) fn parts(mut self, object: &Coordinate, parts: &str) -> Self {
        let Some(file) = self.file_of(object) else { return self };
        self.statement(&file, object, |sql, _| {
            let (open, close) = (sql.find('(')?, sql.rfind(')')?);
            Some(format!("{}{parts}{}", &sql[..=open], &sql[close..]))
        });
        self
    }

    /// Declares under another name what a file declares now.
    #[must_use]
    pub(super) fn renamed(mut self, object: &Coordinate, new: &str) -> Self {
        let Some(file) = self.file_of(object) else { return self };
        if self.statement_of(&file, object).is_some() {
            self.statement(&file, object, |sql, dialect| with_name(sql, dialect, new));
        } else if let Some(text) = self.text(&file) {
            self.put(&file, None);
            let place = beside(&file, new, "sql");
            self.put(&place, Some(text));
        }
        self
    }

    /// Declares a routine as it was, and what it is to be under another name.
    #[must_use]
    pub(super) fn second_routine(mut self, object: &Coordinate, new: &str, old: &[String]) -> Self {
        let Some(file) = self.file_of(object) else { return self };
        let Some((text, span)) = self.text(&file).zip(self.statement_of(&file, object)) else { return self };
        let Some(second) = with_name(&text[span.clone()], self.context.desired.dialect, new) else {
            return self;
        };
        let old = old.join(";\n");
        if self.context.managed(object).indexed {
            let edited = format!("{}{old};\n{second}{}", &text[..span.start], &text[span.end..]);
            self.put(&file, Some(edited));
        } else {
            let edited = format!("{}{old}{}", &text[..span.start], &text[span.end..]);
            self.put(&file, Some(edited));
            self.put(&beside(&file, new, "sql"), Some(format!("{second};\n")));
        }
        self
    }

    /// Declares a view of an object under another name, beside it.
    #[must_use]
    pub(super) fn view_beside(mut self, object: &Coordinate, view: &str) -> Self {
        let Some(file) = self.place_of(object) else { return self };
        let columns = self.context.wanted(object).into_iter().flat_map(|wanted| &wanted.columns);
        let columns: Vec<String> = columns.map(|column| name(&column.name)).collect();
        let list = columns.join(", ");
        let text = if self.context.managed(object).indexed {
            format!("CREATE VIEW {} AS\nSELECT {list} FROM {};\n", name(view), name(&object.name))
        } else {
            format!("select {list}\nfrom {{{{ ref('{}') }}}}\n", object.name)
        };
        self.put(&beside(&file, view, "sql"), Some(text));
        self
    }

    /// Declares another table beside an object.
    #[must_use]
    pub(super) fn beside(mut self, object: &Coordinate, other: &str, statement: &str) -> Self {
        let Some(file) = self.place_of(object) else { return self };
        if self.context.managed(object).indexed {
            self.put(&beside(&file, other, "sql"), Some(format!("{statement};\n")));
            return self;
        }
        let live = self.context.live.relations.get(&object.dataset.object(other));
        let columns: Vec<Value> = live.into_iter().flat_map(|live| &live.columns).map(described).collect();
        let entry = json!({"name": other, "config": {"materialized": "external"}, "columns": columns});
        let text = crate::yaml::to_text(&json!({"models": [entry]}));
        self.put(&beside(&file, other, "yml"), Some(text));
        self
    }

    /// Says that what was declared beside an object is to go.
    #[must_use]
    pub(super) fn dropped_beside(mut self, object: &Coordinate, other: &str) -> Self {
        let Some(file) = self.place_of(object) else { return self };
        self.put(&beside(&file, other, "sql"), None);
        let text = crate::yaml::to_text(&json!({"models": [{"name": other, "state": "dropped"}]}));
        self.put(&beside(&file, other, "yml"), Some(text));
        self
    }

    fn place_of(&self, object: &Coordinate) -> Option<String> {
        let described = || self.described(object).map(|(file, _)| file);
        self.file_of(object).or_else(described)
    }

    /// Gives the file that declares an object.
    pub(super) fn file_of(&self, object: &Coordinate) -> Option<String> {
        let place = self.context.managed(object).place?;
        self.text(&place.file).map(|_| place.file.to_string())
    }

    /// Gives a statement that creates an object: its bytes in the file.
    pub(super) fn statement_of(&self, file: &str, object: &Coordinate) -> Option<std::ops::Range<usize>> {
        let text = self.text(file)?;
        let dialect = self.context.desired.dialect;
        let statements = sql::split(&text, dialect).ok()?;
        let creates = |sql: &str| match sql::leading(sql, dialect) {
            Ok(Leading::Create(creation)) => {
                let named = creation.name.last().is_some_and(|part| same_name(&part.text, &object.name));
                named && creation.kind != CreationKind::Index
            }
            _ => false,
        };
        statements.into_iter().find(|statement| creates(&statement.text)).map(|statement| statement.span)
    }

    /// Edits the statement that creates an object.
    pub(super) fn statement(
        &mut self,
        file: &str,
        object: &Coordinate,
        edit: impl FnOnce(&str, sql::Dialect) -> Option<String>,
    ) {
        let dialect = self.context.desired.dialect;
        let Some((mut text, span)) = self.text(file).zip(self.statement_of(file, object)) else { return };
        if let Some(edited) = edit(&text[span.clone()], dialect) {
            text.replace_range(span, &edited);
            self.put(file, Some(text));
        }
    }

    /// Takes the entry of the properties that says `state: dropped` out.
    #[must_use]
    pub(super) fn without_entry(mut self, object: &Coordinate) -> Self {
        let Some(place) = self.context.desired.dropped.get(object) else { return self };
        let (file, entry) = (place.file.to_string(), object.name.clone());
        let Some(text) = self.text(&file) else { return self };
        let Some(list) = list_of(&text, &file, &entry) else { return self };
        if let Ok(text) = remove(&text, &file, &[Step::Key(list), Step::Named(&entry)]) {
            self.put(&file, Some(text));
        }
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

    fn described(&self, object: &Coordinate) -> Option<(String, String)> {
        let described = self.context.managed(object).described?;
        self.text(&described.file).map(|_| (described.file, described.name))
    }

    /// Sets or takes away a column in properties.
    fn property_column(&mut self, file: &str, entry: &str, column: &str, value: Option<&Value>) {
        let Some(text) = self.text(file) else { return };
        let Some(list) = list_of(&text, file, entry) else { return };
        let columns = [Step::Key(list), Step::Named(entry), Step::Key("columns")];
        let item: Vec<Step<'_>> = columns.iter().copied().chain([Step::Named(column)]).collect();
        let bare = remove(&text, file, &item).ok();
        let edited = match value {
            None => bare,
            Some(value) => append(bare.as_deref().unwrap_or(&text), file, &columns, value).ok(),
        };
        if edited.is_some() {
            self.put(file, edited);
        }
    }

    /// Sets a key of a column in properties; properties that do not describe it yet come to do so.
    fn property(&mut self, object: &Coordinate, column: &str, key: &str, value: &Value) {
        let Some((file, entry)) = self.described(object) else {
            self.describe(object, &json!({"name": column, key: value}));
            return;
        };
        let Some(text) = self.text(&file) else { return };
        let Some(list) = list_of(&text, &file, &entry) else { return };
        let columns = [Step::Key(list), Step::Named(&entry), Step::Key("columns")];
        let item: Vec<Step<'_>> = columns.iter().copied().chain([Step::Named(column)]).collect();
        let edited = set(&text, &file, &item, key, value)
            .or_else(|_| append(&text, &file, &columns, &json!({"name": column, key: value})));
        if let Ok(edited) = edited {
            self.put(&file, Some(edited));
        }
    }

    /// Writes properties beside the file of an object that none describe.
    fn describe(&mut self, object: &Coordinate, column: &Value) {
        let Some(file) = self.file_of(object) else { return };
        let list = if file.ends_with(".sql") && self.context.managed(object).indexed { "tables" } else { "models" };
        let place = beside(&file, &object.name, "yml");
        if self.text(&place).is_none() {
            let text = crate::yaml::to_text(&json!({list: [{"name": object.name, "columns": [column]}]}));
            self.put(&place, Some(text));
        }
    }

    /// Keeps some of a column's constraints in properties.
    fn constraints(&mut self, object: &Coordinate, column: &str, keeps: impl Fn(&str) -> bool) {
        let Some((file, entry)) = self.described(object) else { return };
        let Some(text) = self.text(&file) else { return };
        let Some(list) = list_of(&text, &file, &entry) else { return };
        let Ok(root) = crate::yaml::parse(&text, &file) else { return };
        let item = root.get(list).and_then(|list| list.named(&entry)).and_then(|entry| entry.get("columns"));
        let Some(item) = item.and_then(|columns| columns.named(column)) else { return };
        let kept: Vec<Value> = match item.get("constraints").map(crate::yaml::Node::to_json) {
            Some(Value::Array(constraints)) => constraints
                .into_iter()
                .filter(|one| one.as_str().or_else(|| one["type"].as_str()).is_none_or(&keeps))
                .collect(),
            _ => return,
        };
        let path = [Step::Key(list), Step::Named(&entry), Step::Key("columns"), Step::Named(column)];
        if let Ok(text) = set(&text, &file, &path, "constraints", &Value::Array(kept)) {
            self.put(&file, Some(text));
        }
    }
}

/// A file of another name in the same folder.
fn beside(file: &str, stem: &str, extension: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{stem}.{extension}").trim_start_matches('/').to_owned()
}

/// A statement that creates the same under another name.
fn with_name(sql: &str, dialect: sql::Dialect, new: &str) -> Option<String> {
    let Ok(Leading::Create(creation)) = sql::leading(sql, dialect) else { return None };
    let mut edited = sql.to_owned();
    edited.replace_range(creation.name.last()?.span.clone(), &name(new));
    Some(edited)
}

/// The list of a properties file that describes a name.
fn list_of(text: &str, file: &str, entry: &str) -> Option<&'static str> {
    let root = crate::yaml::parse(text, file).ok()?;
    ["models", "seeds", "tables"]
        .into_iter()
        .find(|list| root.get(list).is_some_and(|list| list.named(entry).is_some()))
}

fn creates_table(sql: &str) -> bool {
    crate::warehouse::head(sql).kind == crate::warehouse::Kind::Table
}

/// A column as properties declare it.
fn described(column: &Column) -> Value {
    let mut value = Map::new();
    value.insert("name".to_owned(), json!(column.name));
    value.insert("data_type".to_owned(), json!(column.data_type));
    if let Some(default) = &column.default {
        value.insert("default".to_owned(), json!(default));
    }
    if !column.nullable {
        value.insert("constraints".to_owned(), json!(["not_null"]));
    }
    Value::Object(value)
}
