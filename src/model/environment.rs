//! An environment as it is in force: every layer merged, every reference expanded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::coordinate::Dataset;
use super::finding::Finding;
use super::name::EnvironmentName;
use super::origin::{Layer, Origin, Place};

/// An environment's settings after merging: what commands act on.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Where its code is; absent where the file names none.
    pub workspace: Option<Workspace>,
    /// Where its data is; absent where the file names none.
    pub warehouse: Option<Warehouse>,
    /// The namespace of its data; absent where the file names none.
    pub dataset: Option<Dataset>,
    /// `vars`, for `var('name')`.
    pub vars: BTreeMap<String, Value>,
    /// Folders of the project.
    pub paths: Paths,
    /// Tables that are read and never written.
    pub sources: Vec<Source>,
    /// Who applies the migration.
    pub migrate: Migrate,
    /// Whether incompatible changes may be forced.
    pub force: Force,
    /// Whether a migration may be applied that could not be tried.
    pub proof: ProofPolicy,
    /// What must be so before a promotion into it.
    pub gates: Gates,
}

/// A repository and branch that hold an environment's code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Workspace {
    /// A path or URL; absent: the local repository's `origin`, else the local repository itself.
    pub repository: Option<String>,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// How a promotion gets there.
    pub via: Via,
}

/// How a promotion gets to the branch of its target.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// It is pushed there.
    #[default]
    Push,
    /// It is pushed to a branch of its own, and somebody merges that.
    Branch,
    /// The same, and a pull request of the forge is opened for it.
    PullRequest,
}

/// A warehouse's connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Warehouse {
    /// An embedded DuckDB file.
    DuckDb {
        /// The file, absolute.
        path: String,
    },
    /// A PostgreSQL server.
    Postgres {
        /// Connection URL or keywords; may hold a password, and may be empty where variables say it all.
        url: String,
        /// A server for throw-away databases; absent: the same one.
        scratch: Option<String>,
    },
    /// Somebody else's planner.
    Command {
        /// The command that plans, for the shell.
        plan: String,
        /// The command that applies that plan.
        apply: String,
        /// How long each may take.
        timeout: Duration,
    },
}

impl Warehouse {
    /// Gives the kind as the project file spells it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DuckDb { .. } => "duckdb",
            Self::Postgres { .. } => "postgres",
            Self::Command { .. } => "command",
        }
    }
}

/// Folders of the project, relative to its root.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Paths {
    /// SELECTs and their properties.
    pub models: Vec<String>,
    /// Plain DDL.
    pub schema: Vec<String>,
    /// Functions, macros, procedures.
    pub routines: Vec<String>,
    /// CSV files.
    pub seeds: Vec<String>,
    /// Jinja macros.
    pub macros: Vec<String>,
    /// Data tests.
    pub tests: Vec<String>,
}

/// Tables of one origin, read and never written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// The name that `source('name', 'table')` uses.
    pub name: String,
    /// Their namespace in this environment; absent: the source's own name.
    pub dataset: Option<Dataset>,
    /// Its tables.
    pub tables: Vec<SourceTable>,
}

/// A table of a source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceTable {
    /// The name that `source('…', 'name')` uses.
    pub name: String,
    /// Its name in the warehouse, where another.
    pub identifier: Option<String>,
    /// Files that hold it instead of a table (a glob, absolute or relative to the project's root).
    pub files: Option<String>,
}

/// Who applies an environment's migration.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Migrate {
    /// `promote`, before the push.
    #[default]
    Promotion,
    /// CI, on the push.
    Ci,
    /// Nobody.
    Off,
}

/// Whether incompatible changes may be forced in an environment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// `--force` works.
    #[default]
    Allowed,
    /// `--force` is refused; `--allow CODE:OBJECT` still works.
    Forbidden,
}

/// Whether a migration may be applied that could not be tried on a copy.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofPolicy {
    /// It may; the plan says that it is unproven.
    #[default]
    Offered,
    /// It may not.
    Required,
}

/// What must be so before a promotion into an environment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Gates {
    /// How many people must have approved the plan.
    pub approvals: u32,
    /// How long the change must have been in the source.
    pub soak: Option<Duration>,
    /// Times without promotions.
    pub freeze: Vec<Freeze>,
    /// Commands that must succeed on the merged tree.
    pub checks: Vec<Check>,
}

/// Days without promotions.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Freeze {
    /// Days of the week: `mon` … `sun`.
    pub days: Vec<String>,
}

/// A command that must succeed on the merged tree.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Check {
    /// Its name in reports.
    pub name: String,
    /// The command, for the shell.
    pub run: String,
}

/// An effective value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveValue {
    /// The value as it is written, where expanding its references made another of it.
    pub raw: Option<Value>,
    /// The value, references expanded. May be a secret: mask before it goes anywhere.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it is masked in every output.
    pub sensitive: bool,
    /// Of a mapping that is put together from parts, the parts that are masked.
    pub secret_parts: Vec<String>,
}

impl EffectiveValue {
    /// A value that is as it is written, and no secret.
    pub fn plain(value: Value, origin: Origin) -> Self {
        Self { raw: None, value, origin, sensitive: false, secret_parts: Vec::new() }
    }

    /// Gives the value as it is written.
    pub fn written(&self) -> &Value {
        self.raw.as_ref().unwrap_or(&self.value)
    }

    /// Whether nothing sets it.
    pub fn is_unset(&self) -> bool {
        self.written().is_null() && self.origin.layer == Layer::Default
    }

    /// Whether it is nothing but what is built in.
    pub fn is_built_in(&self) -> bool {
        self.origin.layer == Layer::Default && self.origin.file.is_none()
    }
}

/// Whether a setting of this name is an extra: for the runner of the plugin, and not for the plugin.
pub fn is_extra(name: &str) -> bool {
    name.as_bytes().first() == Some(&b'_')
}

/// How a plugin gets its configuration.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Nesting {
    /// Nested by dots: extractors, loaders, mappers.
    Nested,
    /// Flat keys.
    #[default]
    Flat,
    /// Nested, every value a text: Airflow.
    Texts,
}

/// What a plugin's configuration comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EffectivePlugin {
    /// Settings, and extras with `_` before their names, in the order of their definition; null where unset.
    pub settings: IndexMap<Arc<str>, Arc<EffectiveValue>>,
    /// What the plugin is handed in place of a setting's value, where a post-processor makes another of it.
    pub processed: BTreeMap<Arc<str>, Value>,
    /// What runs: `pip_url`, `variant` and the like, as far as the project says it.
    pub attributes: Arc<BTreeMap<String, EffectiveValue>>,
    /// Variables of the plugin's process, as far as `env` blocks name them.
    pub env: BTreeMap<String, EffectiveValue>,
    /// How the plugin gets its configuration.
    pub nesting: Nesting,
    /// Settings with a reference that has no value, and its name.
    pub unset: Vec<(Arc<str>, String)>,
    /// Groups of settings of which at least one has to be set whole.
    pub groups: Vec<Vec<String>>,
    /// Where the plugin begins.
    pub place: Option<Place>,
    /// Why it cannot be resolved; the rest is empty then.
    pub error: Option<Finding>,
}

impl EffectivePlugin {
    /// Walks its values: settings (`.`), what runs (`:`) and variables of its process (`:env.`).
    pub fn values(&self) -> impl Iterator<Item = ((&'static str, &str), &EffectiveValue)> {
        let settings = self.settings.iter().map(|(key, value)| ((".", &**key), &**value));
        let attributes = self.attributes.iter().map(|(key, value)| ((":", key.as_str()), value));
        // What the root and the environment say is there as a root key.
        let own = self.env.iter().filter(|(_, value)| value.origin.layer != Layer::Env);
        let env = own.map(|(key, value)| ((":env.", key.as_str()), value));
        settings.chain(attributes).chain(env)
    }
}

/// Everything that an environment's configuration comes to.
///
/// Shape: root keys by path (`warehouse.path`, leaves only; lists are leaves, named lists are
/// entered by name), plugins by `TYPE/NAME`, then by setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effective {
    /// Root keys by path.
    pub root: BTreeMap<String, EffectiveValue>,
    /// Plugins by `TYPE/NAME`; a mapping of a mapper is `mappers/NAME#MAPPING`.
    pub plugins: BTreeMap<String, EffectivePlugin>,
}

impl Effective {
    /// Walks all values without their keys.
    pub fn bare_values(&self) -> impl Iterator<Item = &EffectiveValue> {
        let plugins = self.plugins.values().flat_map(|plugin| {
            let settings = plugin.settings.values().map(|value| &**value);
            settings.chain(plugin.attributes.values()).chain(plugin.env.values())
        });
        self.root.values().chain(plugins)
    }

    /// Walks all values: key and value, root keys first, then plugin by plugin.
    ///
    /// Shape: a root key is its path (`warehouse.path`), a setting `extractors/tap-x.setting`, what runs
    /// `extractors/tap-x:pip_url`, a variable of the plugin's process `extractors/tap-x:env.NAME`.
    pub fn values(&self) -> impl Iterator<Item = (String, &EffectiveValue)> {
        let root = self.root.iter().map(|(key, value)| (key.clone(), value));
        let plugins = self.plugins.iter().flat_map(|(name, plugin)| {
            plugin.values().map(move |((mark, key), value)| (format!("{name}{mark}{key}"), value))
        });
        root.chain(plugins)
    }
}
