//! Which keys a project file has, and what each may hold.

/// What a value may be. Null is always allowed: it falls through to the layer below.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A whole number from 0.
    Count,
    /// The number 1.
    Version,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A length of time: `24h`.
    Duration,
    /// `dataset` or `project.dataset`.
    Dataset,
    /// A list of values of one shape.
    List(&'static Shape),
    /// A list of mappings that each have a `name` of their own.
    Named(&'static [Field]),
    /// A mapping of known keys.
    Mapping(&'static [Field]),
    /// A mapping of any keys.
    Open(&'static Shape),
    /// Plugins by type.
    Plugins,
}

/// A key and what it may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// The key.
    pub(super) name: &'static str,
    /// What it may hold.
    pub(super) shape: Shape,
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

const TEXTS: Shape = Shape::List(&Shape::Text);

/// Types of plugins.
pub(super) const PLUGIN_TYPES: [&str; 8] =
    ["extractors", "loaders", "transforms", "orchestrators", "transformers", "files", "utilities", "mappers"];

/// Kinds of warehouses.
pub(super) const WAREHOUSE_KINDS: &[&str] = &["duckdb", "postgres"];

const WAREHOUSE: &[Field] =
    &[field("kind", Shape::Choice(WAREHOUSE_KINDS)), field("path", Shape::Text), field("url", Shape::Text)];

const PATHS: &[Field] = &[
    field("models", TEXTS),
    field("schema", TEXTS),
    field("routines", TEXTS),
    field("seeds", TEXTS),
    field("macros", TEXTS),
    field("tests", TEXTS),
];

const TABLE: &[Field] = &[
    field("name", Shape::Text),
    field("identifier", Shape::Text),
    field("files", Shape::Text),
    field("description", Shape::Text),
    field("columns", Shape::Any),
];

const SOURCE: &[Field] = &[
    field("name", Shape::Text),
    field("dataset", Shape::Dataset),
    field("description", Shape::Text),
    field("sample", Shape::Mapping(&[field("percent", Shape::Any)])),
    field("tables", Shape::Named(TABLE)),
];

const GATES: &[Field] = &[
    field("approvals", Shape::Count),
    field("soak", Shape::Duration),
    field("freeze", Shape::List(&Shape::Mapping(&[field("days", Shape::List(&Shape::Choice(DAYS)))]))),
    field("checks", Shape::Named(&[field("name", Shape::Text), field("run", Shape::Text)])),
];

const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const PROMOTION: &[Field] = &[
    field("order", TEXTS),
    field("prefer", Shape::Choice(&["source", "target", "none"])),
    field("protect", Shape::Mapping(&[field("paths", TEXTS), field("keys", TEXTS)])),
    field("structural", TEXTS),
    field("resolve", Shape::List(&Shape::Mapping(SETTLED))),
    field("refs", Shape::Text),
];

const SETTLED: &[Field] =
    &[field("path", Shape::Text), field("side", Shape::Choice(&["source", "target", "delete"]))];

const WORKSPACE: &[Field] = &[field("repository", Shape::Text), field("branch", Shape::Text)];

const ENVIRONMENT_CONFIG: Shape = Shape::Mapping(&[field("plugins", Shape::Plugins)]);

/// Our keys that the root and every environment may have.
pub(super) const OVERLAY: &[Field] = &[
    field("warehouse", Shape::Mapping(WAREHOUSE)),
    field("dataset", Shape::Dataset),
    field("vars", Shape::Open(&Shape::Any)),
    field("paths", Shape::Mapping(PATHS)),
    field("sources", Shape::Named(SOURCE)),
    field("migrate", Shape::Choice(&["promotion", "ci", "off"])),
    field("force", Shape::Choice(&["allowed", "forbidden"])),
    field("gates", Shape::Mapping(GATES)),
];

/// Our keys that only the root has.
pub(super) const ROOT_OWN: &[Field] = &[
    field("promotion", Shape::Mapping(PROMOTION)),
    field("dotenv", Shape::Choice(&["shared", "per_environment"])),
];

/// Keys of both tools that an environment of a `meltano.yml` has only under `annotations.promote`.
pub(super) const PER_ENVIRONMENT: &[Field] =
    &[field("plugins", Shape::Plugins), field("schedules", Shape::Any), field("jobs", Shape::Any)];

/// Our keys that only an environment has.
pub(super) const ENVIRONMENT_OWN: &[Field] =
    &[field("inherit_from", Shape::Text), field("workspace", Shape::Mapping(WORKSPACE))];

/// Keys of both tools that only the root has.
pub(super) const ROOT_SHARED: &[Field] = &[
    field("version", Shape::Version),
    field("project_id", Shape::Text),
    field("default_environment", Shape::Text),
    field("include_paths", TEXTS),
    field("requires_meltano", Shape::Any),
    field("environments", Shape::Any),
];

/// Keys of both tools that the root has, and in a `project.yml` each environment too.
pub(super) const SHARED_OVERLAY: &[Field] = &[
    field("plugins", Shape::Plugins),
    field("schedules", Shape::Any),
    field("jobs", Shape::Any),
    field("env", Shape::Open(&Shape::Any)),
    field("annotations", Shape::Any),
];

/// Meltano's project settings; those with further parts may be written nested or with dots.
pub(super) const SETTINGS: &[&str] = &[
    "send_anonymous_usage_stats",
    "database_uri",
    "database_max_retries",
    "database_retry_timeout",
    "project_readonly",
    "hub_url",
    "hub_api_root",
    "hub_url_auth",
    "python",
    "auto_install",
    "elt",
    "state_backend",
    "cli",
    "snowplow",
    "venv",
    "experimental",
    "ff",
];

/// Keys of an environment that Meltano knows.
pub(super) const ENVIRONMENT_SHARED: &[Field] = &[
    field("name", Shape::Text),
    field("config", ENVIRONMENT_CONFIG),
    field("env", Shape::Open(&Shape::Any)),
    field("state_id_suffix", Shape::Text),
    field("annotations", Shape::Any),
];

/// Keys of an environment in a `meltano.yml`; what its `config` may hold is Meltano's business.
pub(super) const ENVIRONMENT_MELTANO: &[Field] = &[
    field("name", Shape::Text),
    field("config", Shape::Open(&Shape::Any)),
    field("env", Shape::Open(&Shape::Any)),
    field("state_id_suffix", Shape::Text),
    field("annotations", Shape::Any),
];

/// Keys of a plugin that are not extras.
pub(super) const PLUGIN_KEYS: &[&str] = &[
    "name",
    "inherit_from",
    "namespace",
    "variant",
    "pip_url",
    "python",
    "executable",
    "capabilities",
    "settings_group_validation",
    "settings",
    "commands",
    "requires",
    "requires_meltano",
    "config",
    "env",
    "label",
    "logo_url",
    "description",
    "hidden",
    "annotations",
    "default_variant",
];

/// Keys of an environment's entry for a plugin that are not extras.
pub(super) const OVERLAY_PLUGIN_KEYS: &[&str] = &["name", "config", "env", "annotations"];
