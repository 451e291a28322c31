//! Files → objects, before their names are resolved.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::config::Configuration;
use super::ddl::Declaration;
use super::files::File;
use super::object::{Materialized, Object, ObjectKind, Seed, State};
use super::place::locate;
use super::properties::{Entry, Properties};
use super::seed::with_types;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::sql::{CreationKind, Lexed};

/// An object and its file as it is written.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) object: Object,
    pub(super) text: &'a str,
    /// Its SQL as it is written: a query, or what declares it.
    pub(super) statements: Vec<Lexed>,
    /// Names in `config(depends_on=[…])`.
    pub(super) needs: Vec<String>,
}

/// All objects of a project.
#[derive(Debug)]
pub(super) struct Drafts<'a> {
    pub(super) all: Vec<Draft<'a>>,
    /// Names of models that are turned off.
    pub(super) disabled: Vec<String>,
    own: &'a Dataset,
    properties: &'a Properties,
}

impl<'a> Drafts<'a> {
    /// Begins without any.
    pub(super) fn new(own: &'a Dataset, properties: &'a Properties) -> Self {
        Self { all: Vec::new(), disabled: Vec::new(), own, properties }
    }

    /// Adds a SELECT.
    pub(super) fn model(
        &mut self,
        file: &File<'a>,
        sql: Lexed,
        config: &Configuration,
        findings: &mut Vec<Finding>,
    ) {
        let name = file.stem();
        if !config.enabled() {
            self.disabled.push(name.to_owned());
            return;
        }
        let materialized = config.materialized(Materialized::View).unwrap_or_else(|word| {
            findings.push(unknown_materialization(file, &word));
            Materialized::View
        });
        let coordinate = self.own.object(config.alias().unwrap_or(name));
        let mut object = self.object(name, coordinate, ObjectKind::Model, (file, file.text));
        object.materialized = materialized;
        object.tags = config.tags().to_vec();
        object.unique_key = config.list("unique_key");
        for key in ["schema", "database", "dataset"] {
            if config.text(key).is_some() {
                let message = format!("`{key}` in the `config` of `{name}` has no effect");
                let hint = "every model lives in the environment's dataset; take it out";
                let place = locate(file.path, file.text, key);
                findings.push(Finding::warning("ignored-config", message).at(place).hint(hint));
            }
        }
        let needs = config.list("depends_on");
        self.all.push(Draft { object, text: file.text, statements: vec![sql], needs });
    }

    /// Adds a CSV file.
    pub(super) fn seed(&mut self, file: &File<'a>) {
        let entry = self.properties.entries.get(file.stem()).map(|(entry, _)| &entry.config);
        let config = Configuration::of(entry, &serde_json::Map::new());
        if !config.enabled() {
            self.disabled.push(file.stem().to_owned());
            return;
        }
        let coordinate = self.own.object(config.alias().unwrap_or(file.stem()));
        let mut object = self.object(file.stem(), coordinate, ObjectKind::Seed, (file, file.text));
        object.materialized = Materialized::Table;
        object.declared = with_types(object.declared, &config);
        object.tags = config.tags().to_vec();
        object.seed = Some(Seed::of(file.text, &config));
        self.all.push(Draft { object, text: file.text, statements: Vec::new(), needs: Vec::new() });
    }

    /// Adds what a schema file creates.
    pub(super) fn ddl(&mut self, coordinate: Coordinate, declaration: Declaration, file: &File<'a>) {
        self.declaration(ObjectKind::Ddl, coordinate, declaration, file);
    }

    /// Adds a routine.
    pub(super) fn routine(&mut self, coordinate: Coordinate, declaration: Declaration, file: &File<'a>) {
        self.declaration(ObjectKind::Routine, coordinate, declaration, file);
    }

    fn declaration(
        &mut self,
        kind: ObjectKind,
        coordinate: Coordinate,
        declaration: Declaration,
        file: &File<'a>,
    ) {
        let sql = declaration.statements.iter().map(Lexed::text).collect::<Vec<_>>().join(";\n");
        let mut object = self.object(&declaration.name, coordinate, kind, (file, &sql));
        object.place = declaration.place;
        object.creates = Some(declaration.creates);
        object.materialized = if declaration.creates == CreationKind::View {
            Materialized::View
        } else {
            Materialized::External
        };
        let statements = declaration.statements;
        self.all.push(Draft { object, text: file.text, statements, needs: Vec::new() });
    }

    /// Adds what properties declare without a file: external tables, and what is to be dropped.
    pub(super) fn properties_alone(&mut self, findings: &mut Vec<Finding>) {
        let properties = self.properties;
        let declared: BTreeSet<String> = self.all.iter().map(|draft| draft.object.name.clone()).collect();
        for (name, (entry, place)) in &properties.entries {
            if declared.contains(name) || self.disabled.contains(name) {
                continue;
            }
            if !entry.stands_alone() {
                let names = self.all.iter().map(|draft| draft.object.name.as_str());
                let hint = super::suggest::hint(name, names, || {
                    "add its file, take the entry out, or say `config: {materialized: external}`".to_owned()
                });
                let message = format!("`{name}` is described, and no file declares it");
                findings.push(Finding::warning("unused-properties", message).at(place.clone()).hint(hint));
                continue;
            }
            let file = File { path: &place.file, text: "" };
            let config = Configuration::of(Some(&entry.config), &serde_json::Map::new());
            let coordinate = self.own.object(config.alias().unwrap_or(name));
            let mut object = self.object(name, coordinate, ObjectKind::Model, (&file, ""));
            object.place = place.clone();
            object.materialized = Materialized::External;
            object.tags = config.tags().to_vec();
            self.all.push(Draft { object, text: "", statements: Vec::new(), needs: Vec::new() });
        }
    }

    /// Finds objects of one name.
    pub(super) fn duplicates(&self, findings: &mut Vec<Finding>) {
        let mut seen: BTreeMap<(bool, String), &Object> = BTreeMap::new();
        for object in self.all.iter().map(|draft| &draft.object) {
            let routine = matches!(
                (object.kind, object.creates),
                (ObjectKind::Routine, _) | (_, Some(CreationKind::Function | CreationKind::Procedure))
            );
            let coordinate = object.coordinate.to_string().to_lowercase();
            let names = [format!("{} ", object.name.to_lowercase()), coordinate];
            for (at, key) in names.into_iter().enumerate() {
                // `ref` takes names of relations only, and those of other datasets are told apart by them.
                if at == 0 && (routine || object.coordinate.dataset != *self.own) {
                    continue;
                }
                let Some(first) = seen.insert((routine, key), object) else { continue };
                let message = format!("`{}` is declared twice", object.name);
                findings.push(
                    Finding::error("duplicate-model", message)
                        .at(object.place.clone())
                        .hint(format!("rename it, or take out the one in {}", first.place.file)),
                );
                break;
            }
        }
    }

    /// Begins an object that is made from a text: its file, or what of a file declares it.
    fn object(
        &self,
        name: &str,
        coordinate: Coordinate,
        kind: ObjectKind,
        (file, text): (&File<'_>, &str),
    ) -> Object {
        let entry = self.properties.entries.get(name).map(|(entry, _)| entry);
        let dropped = entry.is_some_and(Entry::dropped);
        Object {
            name: name.to_owned(),
            coordinate,
            kind,
            materialized: Materialized::View,
            creates: None,
            place: Place::at(file.path, 1, 1),
            described: self.properties.entries.get(name).map(|(_, place)| place.clone()),
            sql: None,
            statements: Vec::new(),
            declared: entry.map(Entry::declared).unwrap_or_default(),
            constraints: entry.map(Entry::table_constraints).unwrap_or_default(),
            description: entry.and_then(|entry| entry.description.clone()),
            tests: entry.map(|entry| entry.data_tests.clone()).unwrap_or_default(),
            depends_on: Vec::new(),
            reads: Vec::new(),
            tags: Vec::new(),
            unique_key: Vec::new(),
            renamed_from: entry.and_then(|entry| entry.renamed_from.clone()),
            state: if dropped { State::Dropped } else { State::Present },
            source_hash: hash(text, entry),
            seed: None,
        }
    }
}

fn unknown_materialization(file: &File<'_>, word: &str) -> Finding {
    let hint = super::suggest::hint(word, Materialized::NAMES, || {
        format!("use one of {}", Materialized::NAMES.join(", "))
    });
    let message = format!("`{}` is materialized as `{word}`, which is no way to keep a model", file.stem());
    Finding::error("unknown-materialization", message).at(locate(file.path, file.text, word)).hint(hint)
}

/// Digest of what an object is made from and of what properties say of it, in hex.
fn hash(text: &str, entry: Option<&Entry>) -> String {
    let mut hasher = Sha256::new();
    hasher.update(text.as_bytes());
    hasher.update([0]);
    hasher.update(entry.map(|entry| serde_json::to_vec(entry).unwrap_or_default()).unwrap_or_default());
    hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        write!(hex, "{byte:02x}").expect("a string takes all that is written");
        hex
    })
}
