//! Jinja → SQL, and what the rendering asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

use super::files::File;
use super::load::Context;
use super::object::UsedSource;
use super::place::locate_in_line;
use super::sources::Sources;
use crate::model::coordinate::Coordinate;
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::sql;
use crate::template::{
    CallError, Engine, Kwargs, Rest, TemplateError, Value, named, refuse, serialized, text,
};

/// What one rendering asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Recording {
    /// `config(…)`.
    pub(super) config: Map<String, Json>,
    /// Names that `ref` did not find.
    pub(super) unknown_refs: Vec<String>,
    /// Source and table that `source` did not find.
    pub(super) unknown_sources: Vec<(String, String)>,
    /// Sources that it found.
    pub(super) sources: Vec<UsedSource>,
}

/// What `ref` and `source` find.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Models, seeds and tables by name.
    pub(super) relations: BTreeMap<String, Coordinate>,
    pub(super) sources: Sources,
    /// Whether they were made before any file was rendered.
    pub(super) first: bool,
}

type Shared = Arc<Mutex<Recording>>;

/// The Jinja environment of a project's models.
pub(super) struct Renderer {
    engine: Engine,
    recording: Shared,
}

impl Renderer {
    /// Makes the environment; macro files that do not parse become findings.
    pub(super) fn new(
        context: &Context<'_>,
        names: &Names,
        macros: &[File<'_>],
        findings: &mut Vec<Finding>,
    ) -> Self {
        let recording = Shared::default();
        let mut engine = Engine::new();
        let names = Arc::new(names.clone());
        refs(&mut engine, &names, &recording);
        sources(&mut engine, &names, &recording);
        variables(&mut engine, context);
        let shared = Arc::clone(&recording);
        engine.function("config", move |values: Rest<Value>, options: Kwargs| {
            config(&shared, &values, &options)
        });
        engine.function("is_incremental", || false);
        engine.global("execute", false);
        engine.global("target", target(context));
        for file in macros {
            if let Err(error) = engine.library(file.path, file.text) {
                findings.push(failed(file, &error));
            }
        }
        Self { engine, recording }
    }

    /// Renders a file; `this` is where the result lives.
    ///
    /// # Errors
    ///
    /// The finding `render` if it does not parse, refers to something undefined, or fails.
    pub(super) fn render(
        &self,
        file: &File<'_>,
        this: Option<&Coordinate>,
    ) -> Result<(String, Recording), Finding> {
        *held(&self.recording) = Recording::default();
        let context: BTreeMap<&str, Value> = this.map(|this| ("this", relation(this))).into_iter().collect();
        let rendered = self.engine.render(file.path, file.text, &context);
        let recording = std::mem::take(&mut *held(&self.recording));
        rendered.map(|sql| (sql, recording)).map_err(|error| failed(file, &error))
    }
}

fn held(recording: &Shared) -> MutexGuard<'_, Recording> {
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Words a rendering that failed; the place is the name that the engine's words hold, where they hold one.
fn failed(file: &File<'_>, error: &TemplateError) -> Finding {
    let (message, hint) = match error.message.split_once("; ") {
        Some((message, hint)) => (message, Some(hint.to_owned())),
        None => (error.message.as_str(), None),
    };
    let undefined = message.strip_prefix("undefined value: ");
    let message = undefined.unwrap_or(message);
    let name = message.split('`').nth(1).unwrap_or_default();
    let place = match error.line {
        Some(line) if name.is_empty() => Place { line: Some(line), ..Place::file(file.path) },
        Some(line) => locate_in_line(file.path, file.text, line, name),
        None => Place::file(file.path),
    };
    let hint = hint.or_else(|| {
        undefined.map(|_| {
            super::suggest::hint(name, KNOWN.iter().copied(), || {
                format!("set it with `{{% set {name} = … %}}`, or write `{{{{ var('{name}') }}}}` and add it to `vars`")
            })
        })
    });
    let finding = Finding::error("render", format!("`{}` does not render: {message}", file.stem())).at(place);
    match hint {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

/// Names that every model may use.
const KNOWN: [&str; 8] = ["ref", "source", "var", "env_var", "config", "is_incremental", "this", "target"];

/// A relation as templates see it: it prints as its coordinate and has dbt's parts.
fn relation(coordinate: &Coordinate) -> Value {
    let dataset = &coordinate.dataset;
    let parts = [
        ("database", dataset.catalog.clone().unwrap_or_default()),
        ("schema", dataset.schema.clone()),
        ("dataset", dataset.to_string()),
        ("identifier", coordinate.name.clone()),
        ("table", coordinate.name.clone()),
        ("name", coordinate.name.clone()),
    ];
    named(sql::qualified(coordinate), parts.map(|(key, part)| (key.to_owned(), part)).into())
}

fn refs(engine: &mut Engine, names: &Arc<Names>, recording: &Shared) {
    let (names, recording) = (Arc::clone(names), Arc::clone(recording));
    engine.function("ref", move |arguments: Rest<String>, _options: Kwargs| -> Result<Value, CallError> {
        let (Some(name), true) = (arguments.last(), arguments.len() <= 2) else {
            return Err(refuse("`ref` takes a name, or a package and a name"));
        };
        Ok(names.relations.get(name).map_or_else(
            || {
                held(&recording).unknown_refs.push(name.clone());
                text(&sql::quote(name))
            },
            relation,
        ))
    });
}

fn sources(engine: &mut Engine, names: &Arc<Names>, recording: &Shared) {
    let (names, recording) = (Arc::clone(names), Arc::clone(recording));
    engine.function("source", move |source: String, table: String| {
        let mut recording = held(&recording);
        if let Some(used) = names.sources.table(&source, &table) {
            recording.sources.push(used.clone());
            return relation(&used.coordinate);
        }
        recording.unknown_sources.push((source, table.clone()));
        text(&sql::quote(&table))
    });
}

fn variables(engine: &mut Engine, context: &Context<'_>) {
    let vars = context.environment.vars.clone();
    engine.function("var", move |name: String, default: Option<Value>| match (vars.get(&name), default) {
        (Some(value), _) => Ok(serialized(value)),
        (None, Some(default)) => Ok(default),
        (None, None) => {
            let hint = super::suggest::hint(&name, vars.keys().map(String::as_str), || {
                "add it to `vars`, or give a default".to_owned()
            });
            Err(refuse(format!("variable `{name}` is not set; {hint}")))
        }
    });
    let process = context.variables.clone();
    engine.function("env_var", move |name: String, default: Option<String>| {
        process.get(&name).cloned().or(default).ok_or_else(|| {
            refuse(format!("environment variable `{name}` is not set, and there is no default"))
        })
    });
}

fn config(recording: &Shared, values: &[Value], options: &Kwargs) -> Result<&'static str, CallError> {
    let mut recording = held(recording);
    let mut take = |value: &Value| match serde_json::to_value(value) {
        Ok(Json::Object(object)) => {
            recording.config.extend(object);
            Ok(())
        }
        _ => Err(refuse("`config` takes keyword arguments or a mapping")),
    };
    for value in values {
        take(value)?;
    }
    for name in options.args().map(str::to_owned).collect::<Vec<_>>() {
        let value: Value = options.get(&name)?;
        take(&serialized(BTreeMap::from([(name, value)])))?;
    }
    Ok("")
}

/// `target`: what dbt's models ask of it.
fn target(context: &Context<'_>) -> BTreeMap<&'static str, String> {
    let environment = context.environment;
    let dataset = environment.dataset.as_ref();
    BTreeMap::from([
        ("name", environment.name.to_string()),
        ("profile_name", environment.name.to_string()),
        ("schema", dataset.map(|dataset| dataset.schema.clone()).unwrap_or_default()),
        ("dataset", dataset.map(ToString::to_string).unwrap_or_default()),
        ("database", dataset.and_then(|dataset| dataset.catalog.clone()).unwrap_or_default()),
        (
            "type",
            environment.warehouse.as_ref().map(|warehouse| warehouse.kind().to_owned()).unwrap_or_default(),
        ),
    ])
}
