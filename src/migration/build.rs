//! Building declared objects in a scratch, one by one, and collecting what the engine rejects.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Body, Declared, DeclaredColumn, DeclaredObject, State};
use super::desired::Managed;
use super::error::MigrationError;
use super::trigger::stand_in;
use super::{postgres, statement};
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::model::schema::{Column, RelationKind, Schema};
use crate::sql::Dialect;
use crate::warehouse::{
    Kind, Scratch, Texts, Typed, WarehouseError, head, line_of, name, path, same_name, single, statements,
    words, written_defaults,
};

/// What was built.
#[derive(Debug, Default)]
pub(super) struct Built {
    /// Managed objects by the name that was declared.
    pub(super) objects: BTreeMap<Coordinate, Managed>,
    /// Copies of what is only read.
    pub(super) copies: BTreeSet<Coordinate>,
}

/// What of a project is built.
pub(super) struct Scope<'a> {
    /// The whole project.
    pub(super) declared: &'a Declared,
    /// What of it is built as it is declared.
    pub(super) objects: Vec<&'a DeclaredObject>,
    /// The sources that are read.
    pub(super) sources: BTreeSet<&'a Coordinate>,
    /// The names of everything that is declared, as engines compare them.
    pub(super) names: BTreeSet<Coordinate>,
}

/// A scratch that is being filled.
pub(super) struct Builder<'a> {
    declared: &'a Declared,
    typed: &'a Typed,
    scratch: &'a mut dyn Scratch,
    built: Built,
    /// Copies that could not be made yet, as they need what is declared, with the engine's words.
    uncopied: Vec<(Coordinate, String, String)>,
}

/// One declared object that did not build, and why.
struct Failure<'a> {
    object: &'a DeclaredObject,
    finding: Finding,
}

impl<'a> Scope<'a> {
    /// Takes all of it.
    pub(super) fn all(declared: &'a Declared) -> Self {
        Self {
            declared,
            objects: declared.objects.iter().collect(),
            sources: declared.sources.iter().collect(),
            names: declared.names(),
        }
    }
}

impl<'a> Builder<'a> {
    /// Empties the scratch, makes the datasets and copies what is only read.
    pub(super) async fn start(
        scope: &Scope<'a>,
        live: &'a Schema,
        typed: &'a Typed,
        scratch: &'a mut dyn Scratch,
    ) -> Result<Self, MigrationError> {
        scratch.reset(Texts::Stored).await?;
        let declared = scope.declared;
        for dataset in declared.datasets() {
            scratch.build(&statement::create_dataset(&dataset)).await?;
        }
        let mut builder = Self { declared, typed, scratch, built: Built::default(), uncopied: Vec::new() };
        builder.copies(scope, live).await?;
        Ok(builder)
    }

    /// Copies, as empty tables, what is read and not declared.
    async fn copies(&mut self, scope: &Scope<'_>, live: &Schema) -> Result<(), MigrationError> {
        let declared = &scope.names;
        let spoken = scope.objects.iter().filter_map(|object| object.body.sql()).map(words);
        let spoken: BTreeSet<String> = spoken.flatten().collect();
        let mut wanted: BTreeMap<Coordinate, &[Column]> = BTreeMap::new();
        for (object, relation) in &live.relations {
            // A default names its sequence in a string.
            let read = relation.kind == RelationKind::Sequence
                || spoken.contains(&object.name.to_lowercase())
                || scope.sources.contains(object);
            if read && !declared.contains(&folded(object)) {
                wanted.insert(object.clone(), &relation.columns);
            }
        }
        for (object, _) in &self.declared.files {
            if let Some(columns) = self.typed.columns.get(object) {
                wanted.insert(object.clone(), columns);
            }
        }
        let postgres = self.declared.dialect == Dialect::Postgres;
        if postgres {
            self.copied_types(live, declared).await;
        }
        for (object, columns) in wanted {
            if let Some(relation) = live.relations.get(&object).filter(|_| postgres) {
                if matches!(relation.kind, RelationKind::Sequence) {
                    continue;
                }
                let sql = postgres::create_copy(&object, relation);
                self.uncopied.push((object, sql, String::new()));
                continue;
            }
            if live.relations.get(&object).is_some_and(|relation| relation.kind == RelationKind::Sequence) {
                self.scratch.build(&statement::create_sequence(&object)).await?;
                self.built.copies.insert(object);
                continue;
            }
            if columns.is_empty() {
                continue;
            }
            self.scratch.build(&statement::create_plain(&object, columns)).await?;
            self.built.copies.insert(object);
        }
        self.copy_again().await;
        for (object, routine) in &live.routines {
            if spoken.contains(&object.name.to_lowercase()) && !declared.contains(&folded(object)) {
                let ddl = if postgres {
                    postgres::create_routine(object, routine)
                } else {
                    vec![statement::create_routine(object, routine)]
                };
                for sql in ddl {
                    // A routine of somebody else that cannot be copied is missed by whoever calls it.
                    let copied = self.scratch.build(&sql).await.is_ok();
                    self.built.copies.extend(copied.then(|| object.clone()));
                }
            }
        }
        Ok(())
    }

    /// Makes the copies that could not be made yet, where that goes by now: one may be of a type that is declared.
    async fn copy_again(&mut self) {
        for (object, sql, _) in std::mem::take(&mut self.uncopied) {
            match self.scratch.build(&sql).await {
                Ok(()) => drop(self.built.copies.insert(object)),
                Err(error) => self.uncopied.push((object, sql, error.to_string())),
            }
        }
    }

    /// Copies types that are not declared; one may be made of another.
    async fn copied_types(&mut self, live: &Schema, declared: &BTreeSet<Coordinate>) {
        let mut waiting: Vec<_> =
            live.types.iter().filter(|(object, _)| !declared.contains(&folded(object))).collect();
        let mut before = usize::MAX;
        while waiting.len() < before {
            before = waiting.len();
            let mut failed = Vec::new();
            for (object, named) in waiting {
                let made = postgres::create_type(object, named);
                // One that cannot be copied is missed by whoever needs it.
                if self.scratch.build(&made[0]).await.is_ok() {
                    self.built.copies.insert(object.clone());
                } else {
                    failed.push((object, named));
                }
            }
            waiting = failed;
        }
    }

    /// Builds a stand-in for what is only read now.
    pub(super) async fn stand_in(&mut self, object: &Coordinate, sql: &str) -> Result<(), WarehouseError> {
        self.scratch.build(sql).await?;
        self.built.copies.insert(object.clone());
        Ok(())
    }

    /// Asks what a query returns.
    pub(super) async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError> {
        self.scratch.columns(query).await
    }

    /// Gives what was built; the bodies of macros among it have to bind.
    pub(super) async fn done(&mut self, objects: &[&DeclaredObject]) -> Result<Built, MigrationError> {
        let broken = self.broken_macros(objects).await;
        if !broken.is_empty() {
            return Err(MigrationError::Faults(broken));
        }
        Ok(std::mem::take(&mut self.built))
    }

    /// Builds everything: what fails is tried again after the others, as long as that helps any of them.
    pub(super) async fn all(&mut self, live: &Schema) -> Result<Built, MigrationError> {
        let declared = self.declared;
        let present: Vec<&DeclaredObject> =
            declared.objects.iter().filter(|object| object.state == State::Present).collect();
        let mut waiting = present.clone();
        loop {
            let mut failures = Vec::new();
            let before = waiting.len() + self.uncopied.len();
            self.copy_again().await;
            for object in waiting {
                if let Err(finding) = self.one(object).await {
                    failures.push(Failure { object, finding });
                }
            }
            if failures.is_empty() {
                return self.done(&present).await;
            }
            if failures.len() + self.uncopied.len() == before {
                for failure in &mut failures {
                    failure.finding.hint = self.missing(failure.object, live);
                }
                return Err(MigrationError::Faults(causes(&failures)));
            }
            waiting = failures.iter().map(|failure| failure.object).collect();
        }
    }

    /// Binds the bodies of macros: the engine takes them as they are and only notices when they are called.
    async fn broken_macros(&mut self, objects: &[&DeclaredObject]) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.declared.dialect == Dialect::Postgres {
            return findings;
        }
        let declared = self.declared;
        for object in objects {
            let Some(sql) = object.body.sql().filter(|sql| head(sql).kind == Kind::Routine) else { continue };
            let Some(name) = declared.place(&head(sql).name) else { continue };
            for signature in written_defaults(sql) {
                let given = signature.iter().filter(|(_, default)| default.is_none());
                let nulls = given.map(|_| "NULL").collect::<Vec<_>>().join(", ");
                let call = format!("{}({nulls})", path(&name));
                // A macro that gives a table is no value, and one that gives a value is no table.
                let mut errors = Vec::new();
                for query in [format!("SELECT {call}"), format!("SELECT * FROM {call}")] {
                    errors.extend(self.scratch.columns(&query).await.err().map(|error| error.to_string()));
                }
                let gone = |error: &&String| {
                    error.contains("not found in FROM clause") || error.contains("Table with name")
                };
                if let (2, Some(error)) = (errors.len(), errors.iter().find(gone)) {
                    findings.push(rejected(object, error));
                }
            }
        }
        findings
    }

    /// Says which source an object lacks, if it lacks one.
    fn missing(&self, object: &DeclaredObject, live: &Schema) -> Option<String> {
        let spoken = object.body.sql().map(words).unwrap_or_default();
        let reads = |source: &&Coordinate| {
            object.depends_on.contains(source) || spoken.contains(&source.name.to_lowercase())
        };
        let unread = self.typed.faults.iter().find(|(source, _)| reads(&source));
        if let Some((source, words)) = unread {
            return Some(format!("the files of source `{source}` cannot be read: {words}"));
        }
        let uncopied = self.uncopied.iter().find(|(object, ..)| reads(&object));
        if let Some((object, _, words)) = uncopied {
            return Some(format!("`{object}` is live and could not be copied to try this: {words}"));
        }
        let mut sources = self.declared.sources.iter().filter(reads);
        let gone = sources.find(|source| {
            !live.relations.contains_key(*source) && !self.typed.columns.contains_key(*source)
        })?;
        Some(format!(
            "source `{gone}` is not in the warehouse: load it first, or name the right `dataset` for it"
        ))
    }

    /// Builds one declaration.
    pub(super) async fn one(&mut self, object: &DeclaredObject) -> Result<(), Finding> {
        match (&object.body, &object.coordinate) {
            (Body::Ddl { sql }, _) => self.file(object, sql).await?,
            (Body::Routine { statement }, _) => self.routine(object, statement).await?,
            (Body::View { sql }, Some(name)) => self.view(object, name, sql).await?,
            (Body::TableFromQuery { sql }, Some(name)) => {
                let columns = self.scratch.columns(sql).await.map_err(|error| fault(object, &error, 0))?;
                self.table(object, name, &columns).await?;
            }
            (Body::Seed { .. }, Some(name)) => {
                let columns = self.seed(object, name)?;
                self.table(object, name, &columns).await?;
            }
            (Body::TableFromColumns, Some(name)) => self.table(object, name, &[]).await?,
            (_, None) => return Err(rejected(object, "it has no name")),
        }
        for (name, mut managed) in Managed::each(self.declared, object) {
            self.comments(object, &name).await?;
            managed.rank = self.built.objects.len();
            self.built.objects.insert(name, managed);
        }
        Ok(())
    }

    fn seed(&self, object: &DeclaredObject, name: &Coordinate) -> Result<Vec<Column>, Finding> {
        if let Some((_, words)) = self.typed.faults.iter().find(|(faulty, _)| faulty == name) {
            return Err(rejected(object, words));
        }
        Ok(self.typed.columns.get(name).cloned().unwrap_or_default())
    }

    async fn view(&mut self, object: &DeclaredObject, name: &Coordinate, sql: &str) -> Result<(), Finding> {
        let query = single(sql).filter(|query| head(query).kind == Kind::Query);
        let query = query.ok_or_else(|| rejected(object, "it is not one query"))?;
        let sql = format!("CREATE VIEW {} AS\n{query}", path(name));
        self.scratch.build(&sql).await.map_err(|error| fault(object, &error, 1))
    }

    async fn routine(&mut self, object: &DeclaredObject, sql: &str) -> Result<(), Finding> {
        let statement = single(sql).filter(|statement| head(statement).kind == Kind::Routine);
        let statement =
            statement.ok_or_else(|| rejected(object, "it is not one CREATE FUNCTION or MACRO"))?;
        self.scratch.build(statement).await.map_err(|error| fault(object, &error, 0))
    }

    /// Makes a table: declared types win over those that the query or file gives.
    async fn table(
        &mut self,
        object: &DeclaredObject,
        table: &Coordinate,
        given: &[Column],
    ) -> Result<(), Finding> {
        let mut lines = Vec::new();
        for column in given {
            let declared = object.columns.iter().find(|declared| same_name(&declared.name, &column.name));
            lines.push(line(declared, &column.name, &column.data_type));
        }
        for column in &object.columns {
            let extra = !given.iter().any(|given| same_name(&given.name, &column.name));
            match &column.data_type {
                _ if !extra || (!given.is_empty() && column.is_only_described()) => {}
                _ if !given.is_empty() => {
                    let words = format!("declares column `{}`, which its query does not return", column.name);
                    return Err(rejected(object, &words));
                }
                Some(data_type) => lines.push(line(Some(column), &column.name, data_type)),
                None => {
                    return Err(rejected(object, &format!("column `{}` has no `data_type`", column.name)));
                }
            }
        }
        if lines.is_empty() {
            return Err(rejected(object, "it has no columns"));
        }
        lines.extend(object.constraints.iter().cloned());
        let sql = format!("CREATE TABLE {} ({})", path(table), lines.join(", "));
        self.scratch.build(&sql).await.map_err(|error| fault(object, &error, 0))
    }

    async fn comments(&mut self, object: &DeclaredObject, name: &Coordinate) -> Result<(), Finding> {
        let noun = match &object.body {
            Body::View { .. } => "VIEW",
            Body::Routine { .. } | Body::Ddl { .. } => return Ok(()),
            Body::TableFromQuery { .. } | Body::TableFromColumns | Body::Seed { .. } => "TABLE",
        };
        if let Some(text) = &object.description {
            let sql = statement::comment(noun, &path(name), Some(text));
            self.scratch.build(&sql).await.map_err(|error| fault(object, &error, 0))?;
        }
        for column in &object.columns {
            let Some(text) = &column.description else { continue };
            let place = format!("{}.{}", path(name), crate::warehouse::name(&column.name));
            let sql = statement::comment("COLUMN", &place, Some(text));
            if let Err(error) = self.scratch.build(&sql).await
                && self.holds(name, column).await
            {
                return Err(fault(object, &error, 0));
            }
        }
        Ok(())
    }

    /// Whether a relation has a column; one that cannot be asked has it.
    async fn holds(&mut self, name: &Coordinate, column: &DeclaredColumn) -> bool {
        let columns = self.scratch.columns(&format!("SELECT * FROM {}", path(name))).await;
        !column.is_only_described()
            || columns.is_ok_and(|columns| columns.iter().any(|held| same_name(&held.name, &column.name)))
    }

    /// Makes something to stand in for the function of a trigger that lies in a dataset that is not managed.
    async fn trigger_stand_in(&mut self, statement: &str) {
        if head(statement).kind != Kind::Trigger {
            return;
        }
        let datasets = self.declared.datasets();
        for sql in stand_in(statement, &datasets.iter().collect::<Vec<_>>()) {
            // One that is there already needs nothing to stand in for it.
            drop(self.scratch.build(&sql).await);
        }
    }

    /// Runs a file of DDL; where one of its statements fails, what the file made is taken back.
    async fn file(&mut self, object: &DeclaredObject, sql: &str) -> Result<(), Finding> {
        let mut made: Vec<(Kind, Coordinate)> = Vec::new();
        for (offset, statement) in statements(sql) {
            let head = head(statement);
            let name = self.declared.place(&head.name);
            let postgres = self.declared.dialect == Dialect::Postgres;
            let failed = if head.kind == Kind::Sequence && !postgres {
                let mut finding =
                    rejected(object, "CREATE SEQUENCE is not planned for: no sequence is managed");
                finding.place = finding.place.map(|place| Place {
                    line: Some(place.line.unwrap_or(1) + line_of(sql, offset) - 1),
                    ..place
                });
                return Err(finding.hint("make it by hand, and let a default of the loading job call it"));
            } else if declares(head.kind) || (postgres && matches!(head.kind, Kind::Alter | Kind::Trigger)) {
                self.trigger_stand_in(statement).await;
                self.scratch.build(statement).await.err()
            } else {
                Some(WarehouseError::NotDeclaring {
                    sql: statement.to_owned(),
                    keyword: head.keyword.clone(),
                })
            };
            if let Some(error) = failed {
                for (kind, name) in made.into_iter().rev() {
                    let undo = statement::drop_made(kind, &name);
                    // What cannot be taken back fails again when the file is tried again, with the engine's words.
                    drop(self.scratch.build(&undo).await);
                }
                let mut within = 1;
                if let WarehouseError::Statement { line: Some(line), .. } = &error {
                    within = *line;
                }
                let mut finding = fault(object, &error, 0);
                finding.place = finding.place.map(|place| Place {
                    line: Some(place.line.unwrap_or(1) + line_of(sql, offset) + within - 2),
                    column: None,
                    ..place
                });
                return Err(finding);
            }
            let attached = matches!(head.kind, Kind::Comment | Kind::Dataset | Kind::Alter | Kind::Trigger);
            if let Some(name) = name.filter(|_| !attached) {
                made.push((head.kind, name));
            }
        }
        Ok(())
    }
}

/// Whether a statement of a DDL file only declares.
fn declares(kind: Kind) -> bool {
    match kind {
        Kind::Table
        | Kind::View
        | Kind::Index
        | Kind::Type
        | Kind::Sequence
        | Kind::Routine
        | Kind::Dataset
        | Kind::Comment => true,
        Kind::FilledTable
        | Kind::Alter
        | Kind::Trigger
        | Kind::Drop
        | Kind::Insert
        | Kind::Query
        | Kind::Other => false,
    }
}

fn line(declared: Option<&DeclaredColumn>, column: &str, data_type: &str) -> String {
    let data_type = declared.and_then(|declared| declared.data_type.as_deref()).unwrap_or(data_type);
    let mut line = format!("{} {data_type}", name(column));
    if let Some(declared) = declared {
        if let Some(default) = &declared.default {
            line.push_str(" DEFAULT (");
            line.push_str(default);
            line.push(')');
        }
        for (said, words) in [
            (declared.not_null, " NOT NULL"),
            (declared.primary_key, " PRIMARY KEY"),
            (declared.unique, " UNIQUE"),
        ] {
            if said {
                line.push_str(words);
            }
        }
    }
    line
}

/// A name as engines compare it.
pub(super) fn folded(name: &Coordinate) -> Coordinate {
    name.dataset.object(name.name.to_lowercase())
}

/// Keeps the failures that are not merely due to another one.
fn causes(failures: &[Failure<'_>]) -> Vec<Finding> {
    let failed: BTreeSet<&Coordinate> =
        failures.iter().filter_map(|failure| failure.object.coordinate.as_ref()).collect();
    let follows = |object: &DeclaredObject| {
        object.depends_on.iter().any(|read| failed.contains(read) && object.coordinate.as_ref() != Some(read))
    };
    let (following, causing): (Vec<_>, Vec<_>) = failures.iter().partition(|failure| follows(failure.object));
    // In a circle everybody follows; then all are named.
    let kept = if causing.is_empty() { following } else { causing };
    kept.into_iter().map(|failure| failure.finding.clone()).collect()
}

fn rejected(object: &DeclaredObject, words: &str) -> Finding {
    let name = object.coordinate.as_ref().map(|name| format!("`{name}`: ")).unwrap_or_default();
    Finding::error("declaration-rejected", format!("{name}{words}")).at(object.place.clone())
}

/// A fault in the engine's words; `before` is how many lines of the statement are not the file's.
fn fault(object: &DeclaredObject, error: &WarehouseError, before: u32) -> Finding {
    let mut finding = rejected(object, &error.to_string());
    if let (WarehouseError::Statement { line: Some(line), .. }, Some(place)) = (error, &mut finding.place) {
        place.line = place.line.or(line.checked_sub(before).filter(|line| *line > 0));
    }
    finding
}
