//! Names in rendered SQL → this environment's coordinates, and what each object depends on.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::load::Context;
use super::object::{Object, ObjectKind, UsedSource};
use super::place::locate;
use super::sources::Sources;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::sql::{self, Dialect, Known, Lexed, Mapping, Role, SqlError, Target, Use};

/// What names mean in this environment.
pub(super) struct Resolver<'a> {
    mapping: Mapping,
    dialect: Dialect,
    own: &'a Dataset,
    foreign: Vec<&'a Dataset>,
    managed: BTreeSet<Coordinate>,
    sources: &'a Sources,
}

impl<'a> Resolver<'a> {
    /// Learns the objects' names: bare, with the own dataset, and with every other environment's.
    pub(super) fn new(
        context: &'a Context<'_>,
        own: &'a Dataset,
        dialect: Dialect,
        drafts: &[Draft<'_>],
        sources: &'a Sources,
    ) -> Self {
        let foreign: Vec<&Dataset> = context
            .other_datasets
            .iter()
            .filter(|dataset| *dataset != own && !sources.holds(dataset))
            .collect();
        let mut mapping = Mapping::default();
        for (from, to) in sources.written() {
            mapping.coordinate(Known::Relation, from, to);
        }
        for Draft { object, .. } in drafts {
            let to = &object.coordinate;
            let known = known(object);
            if to.dataset == *own {
                for dataset in &foreign {
                    mapping.coordinate(known, &dataset.object(&to.name), to);
                }
                mapping.bare(known, &to.name, to);
                if object.creates == Some(sql::CreationKind::Type) {
                    mapping.bare(Known::Type, &to.name, to);
                }
                mapping.coordinate(known, &Dataset::new(&own.schema).object(&to.name), to);
            }
            mapping.coordinate(known, to, to);
        }
        let managed = drafts.iter().map(|draft| draft.object.coordinate.clone()).collect();
        Self { mapping, dialect, own, foreign, managed, sources }
    }

    /// Rewrites an object's SQL and notes what it refers to; gives the sources that it reads.
    ///
    /// Shape: `text` is the file as it is written, for places.
    pub(super) fn resolve(
        &self,
        object: &mut Object,
        written: &[Lexed],
        text: &str,
        findings: &mut Vec<Finding>,
    ) -> Vec<UsedSource> {
        let mut uses = Vec::new();
        let rewrite = |lexed: &Lexed| match sql::rewrite(lexed, &self.mapping) {
            Ok(rewritten) => {
                uses.extend(rewritten.uses);
                rewritten.text
            }
            Err(error) => {
                findings.push(bad_sql(&object.place.file, text, lexed.text(), &error));
                lexed.text().to_owned()
            }
        };
        let mut statements: Vec<String> = written.iter().map(rewrite).collect();
        if object.kind == ObjectKind::Model {
            object.sql = statements.pop();
        } else if !statements.is_empty() {
            if self.dialect == Dialect::DuckDb {
                let own = &object.coordinate.dataset;
                let place = |statement: &String| sql::placed_counters(statement, self.dialect, own);
                statements = statements.iter().map(place).collect();
            }
            object.sql = Some(statements.join(";\n"));
            object.statements = statements;
        }
        self.note(object, &uses, text, findings)
    }

    fn note(
        &self,
        object: &mut Object,
        uses: &[Use],
        text: &str,
        findings: &mut Vec<Finding>,
    ) -> Vec<UsedSource> {
        let (mut depends_on, mut reads) = (BTreeSet::new(), BTreeSet::new());
        let mut used = Vec::new();
        for reference in uses {
            let (Target::Known(coordinate) | Target::Unknown(coordinate)) = &reference.target else {
                continue;
            };
            if *coordinate == object.coordinate {
                continue;
            }
            if self.managed.contains(coordinate) {
                depends_on.insert(coordinate.clone());
            } else if let Some(source) = self.sources.at(coordinate) {
                used.push(source.clone());
            } else {
                findings.extend(self.unknown(object, coordinate, reference, text));
            }
            if !matches!(reference.role, Role::Routine | Role::Type) {
                reads.insert(coordinate.clone());
            }
        }
        object.depends_on = depends_on.into_iter().collect();
        object.reads = reads.into_iter().collect();
        used
    }

    /// Judges a coordinate that is neither managed nor a source.
    fn unknown(&self, object: &Object, coordinate: &Coordinate, at: &Use, text: &str) -> Option<Finding> {
        let place = || locate(&object.place.file, text, &at.written);
        if self.foreign.contains(&&coordinate.dataset) {
            let message = format!("`{coordinate}` is in the dataset of another environment");
            return Some(
                Finding::error("foreign-dataset", message)
                    .at(place())
                    .hint("declare it as a source, or add it to the project"),
            );
        }
        if coordinate.dataset != *self.own || at.role != Role::Relation {
            return None;
        }
        let names = self.managed.iter().map(|managed| managed.name.as_str());
        let hint = super::suggest::hint(&coordinate.name, names, || {
            "declare it as a source if others fill it".to_owned()
        });
        let message = format!("`{coordinate}` is declared by no file of the project");
        Some(Finding::warning("undeclared-object", message).at(place()).hint(hint))
    }
}

fn known(object: &Object) -> Known {
    match (object.kind, object.creates) {
        (ObjectKind::Routine, _) | (_, Some(sql::CreationKind::Function | sql::CreationKind::Procedure)) => {
            Known::Routine
        }
        _ => Known::Relation,
    }
}

/// Words a fault of rendered SQL; it is looked for in the file by the text of its line.
pub(super) fn bad_sql(file: &str, text: &str, rendered: &str, error: &SqlError) -> Finding {
    let (line, column) = error.position();
    let wrong = rendered.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
    let place = if !wrong.trim().is_empty() && text.contains(wrong) {
        let start = locate(file, text, wrong);
        Place { column: start.column.map(|start| start + column - 1), ..start }
    } else {
        Place::at(file, 1, 1)
    };
    Finding::error("bad-sql", error.to_string()).at(place)
}
