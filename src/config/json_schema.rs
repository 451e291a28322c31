//! The JSON Schema of a project file, for editors that complete and check it.
//!
//! In: the tables of `shape`, which are the types of the file, and the built-in defaults. Out: a schema of
//! the 2020-12 draft that accepts what the checks of this room accept without an error, as far as a schema can say
//! it: that names are unique, that environments exist and what variables hold is for `promote check`.

use serde_json::{Map, Value, json};

use super::plugin::SETTING_KINDS;
use super::resolve::DEFAULTS;
use super::shape::{
    ENVIRONMENT_MELTANO, ENVIRONMENT_OWN, ENVIRONMENT_SHARED, Field, OVERLAY, PER_ENVIRONMENT, PLUGIN_KEYS,
    PLUGIN_TYPES, ROOT_OWN, ROOT_SHARED, SETTINGS, SHARED_OVERLAY, Shape,
};
use crate::yaml::parse;

/// Whose file a schema is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// A `project.yml`, and what it includes.
    Project,
    /// A `meltano.yml`: our keys stand under `annotations.promote`.
    Meltano,
}

/// Gives the schema of a project file.
///
/// Pure: equal inputs give equal output.
pub fn project_schema(form: Form) -> Value {
    let (name, about) = match form {
        Form::Project => ("project.yml", "A data project and its environments, for `promote`."),
        Form::Meltano => ("meltano.yml", "A Meltano project that `promote` reads too."),
    };
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "description": about,
    });
    let root = match form {
        Form::Project => own_root(),
        Form::Meltano => meltano_root(),
    };
    merge(&mut schema, root);
    schema["$defs"] = Value::Object(definitions(form));
    let defaults = parse(DEFAULTS, "").map(|defaults| defaults.to_json()).unwrap_or_default();
    add_defaults(&mut schema, form, &defaults);
    schema
}

fn own_root() -> Value {
    let mut root = mapping(&[ROOT_SHARED, ROOT_OWN, OVERLAY, SHARED_OVERLAY].concat());
    root["properties"]["environments"] = environments("environment");
    settings(&mut root);
    root["patternProperties"]["^x-"] = json!({ "description": "Anything, such as anchors to refer to." });
    root["type"] = json!("object");
    root
}

fn meltano_root() -> Value {
    let mut root = mapping(&[ROOT_SHARED, SHARED_OVERLAY].concat());
    for field in OVERLAY.iter().chain(ROOT_OWN) {
        root["properties"][field.name] = json!({
            "description": format!("Has no effect here: it stands at `annotations.promote.{}`.", field.name),
            "deprecated": true,
        });
    }
    root["properties"]["environments"] = environments("environment");
    let mut ours = mapping(&[OVERLAY, ROOT_OWN].concat());
    ours["properties"]["environments"] = environments("part");
    annotations(&mut root, ours);
    settings(&mut root);
    root["type"] = json!("object");
    root["additionalProperties"] = json!(true);
    root
}

/// Gives the schemas that others refer to.
fn definitions(form: Form) -> Map<String, Value> {
    let mut definitions: Map<String, Value> = OVERLAY
        .iter()
        .filter(|field| is_large(field.shape))
        .map(|field| (field.name.to_owned(), value(field.shape)))
        .collect();
    definitions.insert("plugins".to_owned(), plugins());
    definitions.insert("plugin".to_owned(), plugin());
    let whole = |fields: &[&[Field]]| {
        let mut schema = mapping(&fields.concat());
        settings(&mut schema);
        environment(schema)
    };
    match form {
        Form::Project => {
            let fields = [ENVIRONMENT_SHARED, ENVIRONMENT_OWN, OVERLAY, SHARED_OVERLAY];
            definitions.insert("environment".to_owned(), whole(&fields));
        }
        Form::Meltano => {
            let mut schema = mapping(ENVIRONMENT_MELTANO);
            schema["properties"]["config"]["properties"] = json!({ "plugins": reference("plugins") });
            let mut ours = mapping(&[ENVIRONMENT_OWN, OVERLAY, PER_ENVIRONMENT].concat());
            settings(&mut ours);
            annotations(&mut schema, ours);
            definitions.insert("environment".to_owned(), environment(schema));
            let fields = [ENVIRONMENT_SHARED, ENVIRONMENT_OWN, OVERLAY, PER_ENVIRONMENT];
            definitions.insert("part".to_owned(), whole(&fields));
        }
    }
    definitions
}

/// Lets a schema have Meltano's project settings, nested or with dots.
fn settings(schema: &mut Value) {
    for name in SETTINGS {
        schema["properties"][*name] = json!({ "description": "A project setting of Meltano." });
    }
    let names = SETTINGS.join("|");
    schema["patternProperties"] = json!({
        format!("^({names})\\."): { "description": "A project setting of Meltano." }
    });
}

/// Puts our keys where Meltano lets other tools keep theirs.
fn annotations(schema: &mut Value, mut ours: Value) {
    ours["description"] = json!("What `promote` reads and Meltano does not.");
    let annotations = &mut schema["properties"]["annotations"];
    annotations["type"] = json!(["object", "null"]);
    annotations["properties"] = json!({ "promote": ours });
}

fn environments(definition: &str) -> Value {
    let help = ROOT_SHARED.iter().find(|field| field.name == "environments").map_or("", |field| field.help);
    json!({ "description": help, "type": ["array", "null"], "items": reference(definition) })
}

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

/// Whether a shape is written once and referred to.
fn is_large(shape: Shape) -> bool {
    matches!(shape, Shape::Mapping(_) | Shape::Named(_))
}

/// Gives the schema of a mapping of known keys, or of nothing.
fn mapping(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}

fn property(field: &Field) -> Value {
    let mut schema = json!({ "description": field.help });
    let shared = is_large(field.shape) && OVERLAY.iter().any(|known| known.help == field.help);
    merge(&mut schema, if shared { reference(field.name) } else { value(field.shape) });
    schema
}

/// Gives the schema of a value; null is always allowed, because it falls through.
fn value(shape: Shape) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Text => json!({ "type": ["string", "null"] }),
        Shape::Count => json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX }),
        Shape::Version => json!({ "enum": [1, null] }),
        Shape::Choice(choices) => {
            let choices: Vec<Value> =
                choices.iter().map(|choice| json!(choice)).chain([Value::Null]).collect();
            json!({ "enum": choices })
        }
        Shape::Duration => json!({ "type": ["string", "null"], "pattern": "^([0-9]+[smhdw])+$" }),
        // What holds a reference is known later.
        Shape::Dataset => {
            json!({ "type": ["string", "null"], "pattern": r"^[^.]+(\.[^.]+)?$|\$|\{\{" })
        }
        Shape::List(inner) => {
            let mut items = value(*inner);
            without_null(&mut items);
            json!({ "type": ["array", "null"], "items": items })
        }
        Shape::Named(fields) => json!({ "type": ["array", "null"], "items": named(mapping(fields)) }),
        Shape::Mapping(fields) => mapping(fields),
        Shape::Open(_) => json!({ "type": ["object", "null"] }),
        Shape::Plugins => reference("plugins"),
    }
}

/// Makes a schema one of an item that has a name.
fn named(mut schema: Value) -> Value {
    without_null(&mut schema);
    let name = &mut schema["properties"]["name"];
    name["type"] = json!("string");
    name["minLength"] = json!(1);
    schema["required"] = json!(["name"]);
    schema
}

/// Makes a schema one of an environment.
fn environment(schema: Value) -> Value {
    let mut schema = named(schema);
    schema["properties"]["name"]["pattern"] = json!("^[^:]*$");
    schema
}

fn without_null(schema: &mut Value) {
    if let Some([first, _]) = schema.get("type").and_then(Value::as_array).map(Vec::as_slice) {
        schema["type"] = first.clone();
    }
    if let Some(choices) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        choices.retain(|choice| !choice.is_null());
    }
}

fn plugins() -> Value {
    let list = json!({ "type": "array", "items": reference("plugin") });
    let types: Map<String, Value> =
        PLUGIN_TYPES.iter().map(|name| ((*name).to_owned(), list.clone())).collect();
    json!({ "type": ["object", "null"], "properties": types, "additionalProperties": false })
}

/// Gives the schema of a plugin: what is not among its keys is an extra.
fn plugin() -> Value {
    let mut properties: Map<String, Value> =
        PLUGIN_KEYS.iter().map(|key| ((*key).to_owned(), json!({}))).collect();
    properties["config"] = json!({ "description": "Values of its settings.", "type": ["object", "null"] });
    properties["env"] = json!({ "description": "Variables of its process.", "type": ["object", "null"] });
    properties["name"] = json!({ "description": "Its name; no `:` in it.", "pattern": "^[^:]*$" });
    let kinds: Vec<Value> = SETTING_KINDS.iter().map(|kind| json!(kind)).chain([Value::Null]).collect();
    properties["settings"] = json!({
        "description": "The settings that it declares.",
        "items": { "properties": { "kind": { "enum": kinds } } },
    });
    named(json!({ "type": "object", "properties": properties }))
}

/// Writes the built-in defaults where their keys are.
fn add_defaults(schema: &mut Value, form: Form, defaults: &Value) {
    let mut all: Vec<(String, &Value)> = Vec::new();
    flatten("", defaults, &mut all);
    for (path, default) in all {
        let (first, below) = path.split_once('/').unwrap_or((&path, ""));
        let inside = match form {
            _ if schema["$defs"].get(first).is_some() => "/$defs",
            Form::Project => "/properties",
            Form::Meltano => "/properties/annotations/properties/promote/properties",
        };
        let mut pointer = format!("{inside}/{first}");
        for key in below.split('/').filter(|key| !key.is_empty()) {
            pointer.push_str("/properties/");
            pointer.push_str(key);
        }
        if let Some(key) = schema.pointer_mut(&pointer) {
            key["default"] = default.clone();
        }
    }
}

fn flatten<'a>(path: &str, value: &'a Value, into: &mut Vec<(String, &'a Value)>) {
    let Value::Object(fields) = value else { return into.push((path.to_owned(), value)) };
    for (key, value) in fields {
        let path = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
        flatten(&path, value, into);
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use jsonschema::Validator;

    use super::*;

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    fn validator(form: Form) -> Validator {
        jsonschema::draft202012::new(&project_schema(form)).expect("the schema is one")
    }

    /// Lists what a schema finds wrong in a text.
    fn faults(form: Form, text: &str) -> Vec<String> {
        let value = parse(text, "f").expect("YAML").to_json();
        validator(form)
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    fn yaml_files(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                yaml_files(&entry, into);
            } else if entry.extension().is_some_and(|extension| extension == "yml") {
                into.push(entry);
            }
        }
    }

    #[test]
    fn the_files_are_up_to_date() {
        #[expect(clippy::disallowed_methods, reason = "a test asks whether to rewrite what it compares")]
        let update = std::env::var_os("UPDATE_EXPECTED").is_some();
        for (name, form) in [("project", Form::Project), ("meltano", Form::Meltano)] {
            let path = root().join("schemas").join(format!("{name}.json"));
            let text = format!("{}\n", serde_json::to_string_pretty(&project_schema(form)).unwrap());
            if update {
                std::fs::write(&path, &text).unwrap();
            }
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(
                written,
                text,
                "{} is stale: UPDATE_EXPECTED=1 cargo test rewrites it",
                path.display()
            );
        }
    }

    #[test]
    fn sound_files_are_valid() {
        for path in ["project.example.yml", "fixtures/shop/project.yml", "templates/project.yml"] {
            let text = std::fs::read_to_string(root().join(path)).unwrap();
            assert_eq!(faults(Form::Project, &text), Vec::<String>::new(), "{path}");
        }
        let mut files = vec![root().join("fixtures/auth0/meltano.yml")];
        for case in std::fs::read_dir(root().join("fixtures/conformance/meltano")).unwrap() {
            let case = case.unwrap().path();
            let Ok(expected) = std::fs::read_to_string(case.join("expected.json")) else { continue };
            let expected: Value = serde_json::from_str(&expected).unwrap();
            if expected.get("error").is_none() {
                yaml_files(&case.join("project"), &mut files);
            }
        }
        assert!(files.len() > 60, "{}", files.len());
        for path in files {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(faults(Form::Meltano, &text), Vec::<String>::new(), "{}", path.display());
        }
    }

    #[test]
    fn our_keys_are_valid_where_they_have_an_effect() {
        let text = "\
version: 1
annotations:
  other: 1
  promote:
    promotion: {order: [dev]}
    warehouse: {kind: duckdb, path: x}
    environments: [{name: dev, dataset: d, workspace: {branch: dev}, elt.buffer_size: 1}]
environments:
- name: dev
  annotations: {promote: {workspace: {branch: dev}, sources: [{name: raw, tables: [{name: t}]}], jobs: []}}
  config: {plugins: {extractors: [{name: tap-x, select: ['*.*'], config: {a: 1}}]}, other: 1}
x-anything: {a: 1}
elt.buffer_size: 10
";
        assert_eq!(faults(Form::Meltano, text), Vec::<String>::new());
    }

    #[test]
    fn misspelt_files_are_not_valid() {
        for (form, text, place) in [
            (Form::Project, "warehose: {kind: duckdb}", ""),
            (Form::Project, "warehouse: {kind: duckbd}", "/warehouse/kind"),
            (Form::Project, "version: 2", "/version"),
            (Form::Project, "dataset: a.b.c", "/dataset"),
            (Form::Project, "dataset: 12", "/dataset"),
            (Form::Project, "promotion: {order: dev}", "/promotion/order"),
            (Form::Project, "promotion: {order: [null]}", "/promotion/order/0"),
            (Form::Project, "gates: {soak: 24}", "/gates/soak"),
            (Form::Project, "gates: {soak: a day}", "/gates/soak"),
            (Form::Project, "gates: {approvals: -1}", "/gates/approvals"),
            (Form::Project, "gates: {freeze: [{days: [sun, mun]}]}", "/gates/freeze/0/days/1"),
            (Form::Project, "environments: [{workspace: {branch: x}}]", "/environments/0"),
            (Form::Project, "environments: [{name: x, worksapce: {}}]", "/environments/0"),
            (
                Form::Project,
                "environments: [{name: x, workspace: {branch: [x]}}]",
                "/environments/0/workspace/branch",
            ),
            (Form::Project, "environments: [dev]", "/environments/0"),
            (Form::Meltano, "environments: [{name: 'a:b'}]", "/environments/0/name"),
            (Form::Project, "plugins: {extractor: []}", "/plugins"),
            (Form::Project, "plugins: {extractors: null}", "/plugins/extractors"),
            (Form::Project, "plugins: {extractors: [{name: 'a:b'}]}", "/plugins/extractors/0/name"),
            (
                Form::Project,
                "plugins: {extractors: [{name: a, settings: [{name: b, kind: pasword}]}]}",
                "/plugins/extractors/0/settings/0/kind",
            ),
            (Form::Project, "sources: [{name: raw, tabels: []}]", "/sources/0"),
            (Form::Meltano, "annotations: {promote: {datasett: d}}", "/annotations/promote"),
            (Form::Meltano, "environments: [{name: x, workspace: {branch: x}}]", "/environments/0"),
            (
                Form::Meltano,
                "environments: [{name: x, annotations: {promote: {brunch: x}}}]",
                "/environments/0/annotations/promote",
            ),
            (
                Form::Meltano,
                "environments: [{name: x, config: {plugins: {taps: []}}}]",
                "/environments/0/config/plugins",
            ),
        ] {
            let found = faults(form, text);
            assert!(found.len() == 1 && found[0].starts_with(&format!("{place}: ")), "{text}\n{found:?}");
            let dialect = match form {
                Form::Project => "project.yml",
                Form::Meltano => "meltano.yml",
            };
            // What the schema refuses is what the check refuses.
            let mut snapshot =
                crate::model::snapshot::Snapshot::empty(crate::model::snapshot::SnapshotSource::WorkTree);
            snapshot.files.insert(dialect.to_owned(), text.as_bytes().to_vec());
            assert!(super::super::load(&snapshot, dialect).is_err(), "{text}");
        }
    }

    #[test]
    fn every_key_is_described_and_defaults_stand_at_their_keys() {
        for form in [Form::Project, Form::Meltano] {
            let schema = project_schema(form);
            let undescribed = schema["properties"]
                .as_object()
                .unwrap()
                .iter()
                .find(|(_, key)| key["description"].as_str().is_none_or(str::is_empty));
            assert_eq!(undescribed, None);
            assert_eq!(schema["$defs"]["paths"]["properties"]["models"]["default"], json!(["models"]));
        }
        let schema = project_schema(Form::Project);
        assert_eq!(schema["properties"]["promotion"]["properties"]["prefer"]["default"], "source");
        assert_eq!(schema["properties"]["migrate"]["default"], "promotion");
        assert_eq!(schema["properties"]["gates"]["$ref"], "#/$defs/gates");
    }
}
