//! What Meltano builds in: the extras of each type of plugin, and the settings of the project.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use super::cast::{cast, stringified};
use super::flat::{Flat, Leaf, flatten};
use super::setting::Setting;
use super::variables::{Block, Scope, Variable, variable_name};
use crate::yaml::{Node, parse};

/// The extras of each type of plugin, and of single definitions.
///
/// Source: Meltano 4.4.1, `EXTRA_SETTINGS` of `SingerTap`, `SingerTarget`, `SingerMapper`, `DbtTransformPlugin`, `FilePlugin`, `Superset`.
const EXTRAS: &str = r#"
extractors:
- {name: _log_parser, value: singer-sdk}
- {name: _catalog}
- {name: _state}
- {name: _load_schema, value: $MELTANO_EXTRACTOR_NAMESPACE}
- {name: _select, kind: array, value: ["*.*"]}
- {name: _metadata, aliases: [metadata], kind: object, value: {}, value_processor: nest_object}
- {name: _schema, kind: object, value: {}, value_processor: nest_object}
- {name: _select_filter, kind: array, value: []}
- {name: _use_cached_catalog, kind: boolean, value: true}
loaders:
- {name: _log_parser, value: singer-sdk}
- {name: _dialect, value: $MELTANO_LOADER_NAMESPACE}
mappers:
- {name: _log_parser, value: singer-sdk}
- {name: _mappings, kind: array, aliases: [mappings], value: {}}
- {name: _mapping_name, kind: string, aliases: [mapping_name]}
transforms:
- {name: _package_name, value: $MELTANO_TRANSFORM_NAMESPACE}
- {name: _vars, kind: object, value: {}}
files:
- {name: _update, kind: object, aliases: [update], value: {}}
utilities/superset:
- {name: _config_path}
"#;

/// The settings of the project that plugins see as `MELTANO_…`.
///
/// Source: Meltano 4.4.1, `bundle/settings.yml`.
const PROJECT_SETTINGS: &str = r#"
- {name: default_environment}
- {name: send_anonymous_usage_stats, kind: boolean, value: true}
- {name: disable_tracking, kind: boolean}
- {name: project_id}
- {name: database_uri, value: sqlite:///$MELTANO_SYS_DIR_ROOT/meltano.db}
- {name: database_max_retries, kind: integer, value: 3}
- {name: database_retry_timeout, kind: integer, value: 5}
- {name: project_readonly, kind: boolean, value: false}
- {name: hub_api_root}
- {name: hub_url, value: https://hub.meltano.com}
- {name: hub_url_auth}
- {name: elt.buffer_size, kind: integer, value: 104857600}
- {name: python}
- {name: auto_install, kind: boolean, value: true}
- {name: state_backend.uri, value: systemdb}
- {name: state_backend.lock_timeout_seconds, kind: integer, value: 10}
- {name: state_backend.lock_retry_seconds, kind: integer, value: 1}
- {name: cli.log_level, kind: string, value: info}
- {name: cli.log_config, value: logging.yaml}
- {name: cli.log_format, kind: string, value: colored}
- {name: cli.disable_version_check, kind: boolean, value: false}
- {name: snowplow.collector_endpoints, kind: array, value: ["https://sp.meltano.com"]}
- {name: venv.backend, kind: string, value: uv}
- {name: experimental, kind: boolean, value: false}
- {name: ff.strict_env_var_mode, kind: boolean, value: false}
- {name: ff.plugin_locks_required, kind: boolean, value: false}
"#;

static EXTRAS_BY_TYPE: LazyLock<BTreeMap<String, Vec<Arc<Setting>>>> = LazyLock::new(|| {
    let root = parse(EXTRAS, "").expect("the extras are sound");
    root.entries().iter().map(|entry| (entry.name.to_string(), read(&entry.value))).collect()
});

static SETTINGS: LazyLock<Vec<Arc<Setting>>> =
    LazyLock::new(|| read(&parse(PROJECT_SETTINGS, "").expect("the settings are sound")));

fn read(list: &Node) -> Vec<Arc<Setting>> {
    // What is built in stands in nobody's file.
    let placeless = |setting: Arc<Setting>| {
        let default = setting.default.as_ref().map(|leaf| Arc::new(Leaf::of(leaf.value.clone())));
        Arc::new(Setting { default, ..(*setting).clone() })
    };
    list.items().iter().filter_map(Setting::read).map(placeless).collect()
}

/// Gives the extras that every plugin of a type has; one definition has some of its own.
pub(super) fn extras(kind: &str, defined_as: &str) -> &'static [Arc<Setting>] {
    let own = EXTRAS_BY_TYPE.get(&format!("{kind}/{defined_as}"));
    own.or_else(|| EXTRAS_BY_TYPE.get(kind)).map(Vec::as_slice).unwrap_or_default()
}

/// Gives the variables that Meltano itself sets for every plugin, strongest last: those that `env` blocks may
/// replace, and the project's settings.
pub(in crate::config) fn project_settings(
    root: &Node,
    environment: Option<&str>,
    folder: &Path,
    outside: &Scope<'_>,
) -> (Block, Block) {
    let folder = folder.display().to_string();
    let project = Block::from([
        ("MELTANO_ENVIRONMENT".to_owned(), Variable::text(environment.unwrap_or_default())),
        ("MELTANO_SYS_DIR_ROOT".to_owned(), Variable::text(format!("{folder}/.meltano"))),
        ("MELTANO_PROJECT_ROOT".to_owned(), Variable::text(folder)),
    ]);
    let mut written = Flat::new();
    for entry in root.entries().iter().filter(|entry| {
        let first = entry.name.split('.').next().unwrap_or_default();
        SETTINGS.iter().any(|setting| setting.name.split('.').next() == Some(first))
    }) {
        flatten(&mut written, "", entry);
    }
    let scope = outside.below(&project);
    let mut settings = Block::new();
    for setting in SETTINGS.iter() {
        let variable = variable_name(&["meltano", &setting.name]);
        if let Some(text) = project_setting(setting, &variable, &written, &scope) {
            settings.insert(variable, Variable::text(text));
        }
    }
    (project, settings)
}

fn project_setting(setting: &Setting, variable: &str, written: &Flat, scope: &Scope<'_>) -> Option<String> {
    let value = if let Some(variable) = scope.get(variable) {
        serde_json::Value::from(variable.text.as_str())
    } else {
        let leaf = written.get(&*setting.name).filter(|leaf| !leaf.value.is_null());
        scope.expanded(&leaf.or(setting.default.as_ref())?.value).value
    };
    let value = cast(setting, value).ok().filter(|value| !value.is_null())?;
    Some(stringified(setting, &value))
}
