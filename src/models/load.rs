//! The story of loading: sort files, read properties, render, resolve names, put in order.

use std::collections::{BTreeMap, BTreeSet};

use super::config::Configuration;
use super::ddl;
use super::draft::{Draft, Drafts};
use super::error::ModelsError;
use super::files::{File, Files};
use super::object::{Models, UsedSource};
use super::place::locate_call;
use super::properties::Properties;
use super::render::{Names, Recording, Renderer};
use super::resolve::{Resolver, bad_sql};
use super::sources::Sources;
use super::suggest::hint;
use crate::model::coordinate::{Coordinate, Dataset};
use crate::model::environment::Environment;
use crate::model::finding::{Finding, Level};
use crate::model::origin::Place;
use crate::model::snapshot::Snapshot;
use crate::sql::{self, Dialect, Leading, Lexed};

/// What models are loaded for.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// Datasets of the other environments in the same warehouse, and the environment's own where a flag
    /// sends the models into another one: names that are written out with one of these mean this one's.
    pub other_datasets: Vec<Dataset>,
    /// Variables for `env_var`.
    pub variables: &'a BTreeMap<String, String>,
}

/// Loads everything that the project's files declare.
///
/// Shape: see [`Models`]; a project that declares nothing gives no objects.
/// Pure: equal inputs give equal output.
///
/// # Errors
///
/// [`ModelsError::Faults`] with every fault of every file: what does not render, names that refer to
/// nothing or to another environment's dataset, circles, duplicates, properties that do not parse.
pub fn load(snapshot: &Snapshot, context: &Context<'_>) -> Result<Models, ModelsError> {
    let mut findings = Vec::new();
    let files = Files::of(snapshot, &context.environment.paths, &mut findings);
    let properties = Properties::of(&files.properties, &mut findings);
    let own = own_dataset(context, &files, &mut findings);
    let loading = Loading {
        dialect: context.environment.warehouse.as_ref().map(Dialect::of).unwrap_or_default(),
        sources: Sources::of(context.environment, &properties),
        context,
        files: &files,
        properties: &properties,
        own: &own,
    };
    let drafts = loading.drafts(&mut findings);
    let models = loading.finish(drafts, &mut findings);
    findings.sort_by(|a, b| (&a.place, &a.code, &a.message).cmp(&(&b.place, &b.code, &b.message)));
    findings.dedup();
    if findings.iter().any(|finding| finding.level == Level::Error) {
        findings.retain(|finding| finding.level == Level::Error);
        return Err(ModelsError::Faults(findings));
    }
    Ok(Models { findings, ..models })
}

fn own_dataset(context: &Context<'_>, files: &Files<'_>, findings: &mut Vec<Finding>) -> Dataset {
    let environment = context.environment;
    environment.dataset.clone().unwrap_or_else(|| {
        if !files.nothing() {
            let message = format!("environment `{}` has no `dataset` for its models", environment.name);
            findings.push(Finding::error("no-dataset", message).hint("add `dataset: …` to the project file"));
        }
        Dataset::new("main")
    })
}

/// Everything that the steps of loading look at.
struct Loading<'a> {
    context: &'a Context<'a>,
    files: &'a Files<'a>,
    properties: &'a Properties,
    own: &'a Dataset,
    dialect: Dialect,
    sources: Sources,
}

/// A file that was rendered.
struct Rendered<'a> {
    file: &'a File<'a>,
    sql: String,
    config: Configuration,
}

/// All models, rendered, and what renders the rest.
struct Rendering<'a> {
    models: Vec<Rendered<'a>>,
    renderer: Renderer,
    names: Names,
}

impl<'a> Loading<'a> {
    /// Renders all files and makes an object of each.
    fn drafts(&self, findings: &mut Vec<Finding>) -> Drafts<'a> {
        let declarations = ddl::schema(&self.files.schema, self.dialect, findings);
        let mut drafts = Drafts::new(self.own, self.properties);
        let tables: BTreeMap<String, Coordinate> = declarations
            .iter()
            .map(|(declaration, _)| (declaration.name.clone(), self.coordinate(declaration)))
            .collect();
        let rendering = self.render(&tables, findings);
        for (declaration, file) in declarations {
            drafts.ddl(self.coordinate(&declaration), declaration, file);
        }
        for file in &self.files.seeds {
            drafts.seed(file);
        }
        for rendered in &rendering.models {
            let sql = self.query(rendered, findings);
            drafts.model(rendered.file, sql, &rendered.config, findings);
        }
        for file in &self.files.routines {
            self.routine(file, &rendering, &mut drafts, findings);
        }
        drafts.properties_alone(findings);
        drafts.duplicates(findings);
        drafts
    }

    /// Checks that a rendered model is one query, and leaves out what stands behind it.
    fn query(&self, rendered: &Rendered<'_>, findings: &mut Vec<Finding>) -> Lexed {
        let Rendered { file, sql, config } = rendered;
        let nothing = Lexed::empty(self.dialect);
        let mut statements = match sql::split(sql, self.dialect) {
            Ok(statements) => statements,
            Err(error) => {
                findings.push(bad_sql(file.path, file.text, sql, &error));
                return nothing;
            }
        };
        let query = |leading: &Leading| match leading {
            Leading::Query => true,
            Leading::Other(word) => matches!(word.as_str(), "PIVOT" | "UNPIVOT"),
            Leading::Create(_) | Leading::Comment(..) | Leading::Alter(_) => false,
        };
        match statements.pop() {
            Some(one) if statements.is_empty() && query(&one.leading) => {
                one.lexed.behind(sql[..one.span.start].trim_start())
            }
            _ if !config.enabled() => nothing,
            last => {
                let what = match statements.len() + usize::from(last.is_some()) {
                    0 => "holds no query".to_owned(),
                    1 => "is no query".to_owned(),
                    count => format!("holds {count} statements"),
                };
                let finding = Finding::error("not-a-query", format!("`{}` {what}", file.stem()));
                let hint = "keep one SELECT in it; DDL goes under `schema`, functions under `routines`";
                findings.push(finding.at(Place::at(file.path, 1, 1)).hint(hint));
                nothing
            }
        }
    }

    /// Where a declaration lives: a name that stands in another environment's dataset means this one's.
    fn coordinate(&self, declaration: &ddl::Declaration) -> Coordinate {
        let mut coordinate = declaration.coordinate(self.own);
        if self.context.other_datasets.contains(&coordinate.dataset)
            && !self.sources.holds(&coordinate.dataset)
        {
            coordinate.dataset = self.own.clone();
        }
        coordinate
    }

    /// Renders the models; twice, where a file's own `config` gives a model another name or turns it off.
    fn render(&self, tables: &BTreeMap<String, Coordinate>, findings: &mut Vec<Finding>) -> Rendering<'a> {
        let mut names = self.names(tables, &BTreeMap::new());
        loop {
            let mut found = Vec::new();
            let renderer = Renderer::new(self.context, &names, &self.files.macros, &mut found);
            let rendered = self.render_once(&renderer, &names, &mut found);
            let configs = rendered.iter().map(|one| (one.file.path, one.config.clone())).collect();
            let then = self.names(tables, &configs);
            // The second time the configurations are the same, unless they depend on what they name.
            let settled = then.relations == names.relations || !names.first;
            names = Names { first: false, ..then };
            if settled {
                findings.extend(found);
                return Rendering { models: rendered, renderer, names };
            }
        }
    }

    fn render_once(&self, renderer: &Renderer, names: &Names, found: &mut Vec<Finding>) -> Vec<Rendered<'a>> {
        let mut all = Vec::new();
        for file in &self.files.models {
            let this = names.relations.get(file.stem()).cloned();
            let this = this.unwrap_or_else(|| self.own.object(file.stem()));
            let (sql, recording) = match renderer.render(file, Some(&this)) {
                Ok(rendered) => rendered,
                Err(finding) => {
                    found.push(finding);
                    continue;
                }
            };
            let config = self.config(file.stem(), &recording);
            if config.enabled() {
                self.unknown(file, &recording, names, found);
            }
            all.push(Rendered { file, sql, config });
        }
        all
    }

    fn config(&self, name: &str, recording: &Recording) -> Configuration {
        let entry = self.properties.entries.get(name).map(|(entry, _)| &entry.config);
        Configuration::of(entry, &recording.config)
    }

    /// Gives what `ref` finds.
    fn names(&self, tables: &BTreeMap<String, Coordinate>, configs: &BTreeMap<&str, Configuration>) -> Names {
        let mut relations = tables.clone();
        for name in self
            .properties
            .entries
            .iter()
            .filter(|(_, (entry, _))| entry.stands_alone())
            .map(|(name, _)| name)
        {
            relations.insert(name.clone(), self.own.object(name));
        }
        for file in self.files.seeds.iter().chain(&self.files.models) {
            let unrendered = || self.config(file.stem(), &Recording::default());
            let config = configs.get(file.path).cloned().unwrap_or_else(unrendered);
            if config.enabled() {
                let name = config.alias().unwrap_or(file.stem());
                relations.insert(file.stem().to_owned(), self.own.object(name));
            }
        }
        Names { relations, sources: self.sources.clone(), first: true }
    }

    /// Words what a file asked for in vain.
    fn unknown(&self, file: &File<'_>, recording: &Recording, names: &Names, findings: &mut Vec<Finding>) {
        for name in &recording.unknown_refs {
            let place = locate_call(file.path, file.text, "ref(", name);
            let off = self.files.models.iter().any(|other| other.stem() == name);
            let message = if off {
                format!("`ref('{name}')` refers to a model that is turned off or does not render")
            } else {
                format!("`ref('{name}')` refers to no model, seed or table")
            };
            let hint = hint(name, names.relations.keys().map(String::as_str), || {
                format!("add `{name}.sql` to the models, or correct the name")
            });
            findings.push(Finding::error("unknown-ref", message).at(place).hint(hint));
        }
        for (source, table) in &recording.unknown_sources {
            let known = self.sources.has(source);
            let wanted = if known { table } else { source };
            let place = locate_call(file.path, file.text, "source(", wanted);
            let message = format!("`source('{source}', '{table}')` is declared nowhere");
            let hint = hint(wanted, self.sources.candidates(source), || {
                format!("declare `{source}` with its table `{table}` under `sources`")
            });
            findings.push(Finding::error("unknown-source", message).at(place).hint(hint));
        }
    }

    fn routine(
        &self,
        file: &'a File<'a>,
        rendering: &Rendering<'a>,
        drafts: &mut Drafts<'a>,
        findings: &mut Vec<Finding>,
    ) {
        let (sql, recording) = match rendering.renderer.render(file, None) {
            Ok(rendered) => rendered,
            Err(finding) => {
                findings.push(finding);
                return;
            }
        };
        self.unknown(file, &recording, &rendering.names, findings);
        if let Some(declaration) = ddl::routine(file, &sql, self.dialect, findings) {
            drafts.routine(self.coordinate(&declaration), declaration, file);
        }
    }

    /// Resolves names and sorts.
    fn finish(&self, drafts: Drafts<'a>, findings: &mut Vec<Finding>) -> Models {
        let Drafts { all: mut drafts, disabled, .. } = drafts;
        let resolver = Resolver::new(self.context, self.own, self.dialect, &drafts, &self.sources);
        let mut used: BTreeMap<Coordinate, UsedSource> = BTreeMap::new();
        for Draft { object, text, statements, .. } in &mut drafts {
            let sources = resolver.resolve(object, &std::mem::take(statements), text, findings);
            used.extend(sources.into_iter().map(|source| (source.coordinate.clone(), source)));
        }
        add_needs(&mut drafts, findings);
        let objects = drafts.into_iter().map(|draft| draft.object).collect();
        let objects = super::order::sort(objects, self.dialect, findings);
        let others: BTreeSet<Dataset> = objects
            .iter()
            .map(|object| object.coordinate.dataset.clone())
            .filter(|dataset| dataset != self.own)
            .collect();
        let datasets = std::iter::once(self.own.clone()).chain(others).collect();
        Models {
            dialect: self.dialect,
            objects,
            sources: used.into_values().collect(),
            datasets,
            disabled,
            texts: self.files.texts(),
            findings: Vec::new(),
        }
    }
}

/// Adds what `config(depends_on=[…])` names to what an object depends on.
fn add_needs(drafts: &mut [Draft<'_>], findings: &mut Vec<Finding>) {
    let names: BTreeMap<String, Coordinate> =
        drafts.iter().map(|draft| (draft.object.name.clone(), draft.object.coordinate.clone())).collect();
    for Draft { object, text, needs, .. } in drafts {
        for need in needs.iter() {
            if let Some(coordinate) = names.get(need) {
                object.depends_on.push(coordinate.clone());
                continue;
            }
            let hint =
                hint(need, names.keys().map(String::as_str), || "take it out of `depends_on`".to_owned());
            let message = format!("`{}` depends on `{need}`, which is nowhere", object.name);
            let place = super::place::locate(&object.place.file, text, need);
            findings.push(Finding::error("unknown-ref", message).at(place).hint(hint));
        }
        object.depends_on.sort();
        object.depends_on.dedup();
    }
}
