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
    /// What it means, in a line.
    pub(super) help: &'static str,
}

const fn field(name: &'static str, shape: Shape, help: &'static str) -> Field {
    Field { name, shape, help }
}

const TEXTS: Shape = Shape::List(&Shape::Text);

/// Types of plugins.
pub(super) const PLUGIN_TYPES: [&str; 8] =
    ["extractors", "loaders", "transforms", "orchestrators", "transformers", "files", "utilities", "mappers"];

/// Kinds of warehouses.
pub(super) const WAREHOUSE_KINDS: &[&str] = &["duckdb", "postgres", "command"];

const WAREHOUSE: &[Field] = &[
    field(
        "kind",
        Shape::Choice(WAREHOUSE_KINDS),
        "The engine: `duckdb` needs `path`, `postgres` needs `url`; `command` needs `plan` and `apply`.",
    ),
    field("path", Shape::Text, "The database file, relative to this file."),
    field(
        "url",
        Shape::Text,
        "The address of the server; best a reference such as `$SHOP_URL`, because it holds a password.",
    ),
    field("plan", Shape::Text, "The command of another planner that plans, for the shell."),
    field("apply", Shape::Text, "The command that applies that plan."),
    field("timeout", Shape::Duration, "How long each of them may take; 30m without it."),
    field("scratch", Shape::Text, "The address of a server for throw-away databases, where another."),
];

const PATHS: &[Field] = &[
    field("models", TEXTS, "SELECTs and their properties."),
    field("schema", TEXTS, "Plain DDL."),
    field("routines", TEXTS, "Functions, macros and procedures."),
    field("seeds", TEXTS, "CSV files that become tables."),
    field("macros", TEXTS, "Jinja macros."),
    field("tests", TEXTS, "Data tests."),
];

const TABLE: &[Field] = &[
    field("name", Shape::Text, "The name that `source('…', 'name')` uses."),
    field("identifier", Shape::Text, "Its name in the warehouse, where another."),
    field("files", Shape::Text, "Files that hold it instead of a table: a glob, relative to this file."),
    field("description", Shape::Text, "What it holds."),
    field("columns", Shape::Any, "Its columns."),
];

const SOURCE: &[Field] = &[
    field("name", Shape::Text, "The name that `source('name', '…')` uses."),
    field("dataset", Shape::Dataset, "Their namespace; without it, the source's name."),
    field("description", Shape::Text, "What it holds."),
    field(
        "sample",
        Shape::Mapping(&[field("percent", Shape::Any, "Percent of the rows.")]),
        "How much of it is read.",
    ),
    field("tables", Shape::Named(TABLE), "Its tables."),
];

const GATES: &[Field] = &[
    field("approvals", Shape::Count, "How many people must have approved the plan."),
    field("soak", Shape::Duration, "How long the change must have been in the source: `30m`, `24h`, `7d`."),
    field(
        "freeze",
        Shape::List(&Shape::Mapping(&[field(
            "days",
            Shape::List(&Shape::Choice(DAYS)),
            "Days of the week.",
        )])),
        "Times without promotions.",
    ),
    field(
        "checks",
        Shape::Named(&[
            field("name", Shape::Text, "Its name in reports."),
            field("run", Shape::Text, "The command, for the shell."),
        ]),
        "Commands that must succeed on the merged tree.",
    ),
];

const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const PROMOTION: &[Field] = &[
    field("order", TEXTS, "Forward, and no step may be skipped; without it every pair is allowed."),
    field(
        "prefer",
        Shape::Choice(&["source", "target", "none"]),
        "Who wins a hunk that both sides changed; with `none` a conflict stops.",
    ),
    field(
        "protect",
        Shape::Mapping(&[
            field("paths", TEXTS, "Globs of files."),
            field("keys", TEXTS, "Root keys of this file."),
        ]),
        "What a target keeps as its own.",
    ),
    field(
        "structural",
        TEXTS,
        "YAML that merges by structure: `project` (this file with its includes) and globs; `[]` for none.",
    ),
    field("resolve", Shape::List(&Shape::Mapping(SETTLED)), "Conflicts that always go one way."),
    field("refs", Shape::Text, "Where lock, journal and approvals live in the target's repository."),
];

const SETTLED: &[Field] = &[
    field("path", Shape::Text, "A glob of files."),
    field("side", Shape::Choice(&["source", "target", "delete"]), "Whose version is taken, or none."),
];

const WORKSPACE: &[Field] = &[
    field(
        "repository",
        Shape::Text,
        "A path, relative to this file, or a URL; without it, this repository's `origin`, or itself.",
    ),
    field("branch", Shape::Text, "The branch that holds the environment's code."),
    field(
        "via",
        Shape::Choice(&["push", "branch", "pull_request"]),
        "How a promotion gets there: pushed (the default), or as `promote/FROM-to-TO` for somebody to merge, with a pull request or without.",
    ),
];

const ENVIRONMENT_CONFIG: Shape = Shape::Mapping(&[field(
    "plugins",
    Shape::Plugins,
    "Settings of plugins in this environment, by type and name.",
)]);

/// Our keys that the root and every environment may have.
pub(super) const OVERLAY: &[Field] = &[
    field("warehouse", Shape::Mapping(WAREHOUSE), "Where the data is."),
    field("dataset", Shape::Dataset, "The namespace of the data: `dataset` or `project.dataset`."),
    field("vars", Shape::Open(&Shape::Any), "Values for `{{ var('name') }}` in models."),
    field("paths", Shape::Mapping(PATHS), "Folders of the project."),
    field("sources", Shape::Named(SOURCE), "Tables that are read and never written."),
    field(
        "migrate",
        Shape::Choice(&["promotion", "ci", "off"]),
        "Who applies the migration: the promotion, CI on the push, or nobody.",
    ),
    field("force", Shape::Choice(&["allowed", "forbidden"]), "Whether incompatible changes may be forced."),
    field(
        "proof",
        Shape::Choice(&["offered", "required"]),
        "Whether a migration is applied that could not be tried on a copy first.",
    ),
    field("gates", Shape::Mapping(GATES), "What must be so before a promotion into an environment."),
];

/// Our keys that only the root has.
pub(super) const ROOT_OWN: &[Field] = &[
    field("promotion", Shape::Mapping(PROMOTION), "The policy of promotions: only files set it."),
    field(
        "dotenv",
        Shape::Choice(&["shared", "per_environment"]),
        "Whether `.env.<environment>` is read beside `.env`; in a `project.yml` it is, unless this says no.",
    ),
];

/// Keys of both tools that an environment of a `meltano.yml` has only under `annotations.promote`.
pub(super) const PER_ENVIRONMENT: &[Field] = &[
    field("plugins", Shape::Plugins, "Plugins of this environment alone, by type."),
    field("schedules", Shape::Any, "Schedules of this environment alone."),
    field("jobs", Shape::Any, "Jobs of this environment alone."),
];

/// Our keys that only an environment has.
pub(super) const ENVIRONMENT_OWN: &[Field] = &[
    field(
        "inherit_from",
        Shape::Text,
        "Whose values hold where this one says nothing; `workspace` and `dataset` are never inherited.",
    ),
    field("workspace", Shape::Mapping(WORKSPACE), "Where the code of the environment is."),
];

/// Keys of both tools that only the root has.
pub(super) const ROOT_SHARED: &[Field] = &[
    field("version", Shape::Version, "The format of this file; always 1."),
    field(
        "project_id",
        Shape::Text,
        "Names the project: a promotion between projects of other names is refused.",
    ),
    field("default_environment", Shape::Text, "The environment of a command that is told none."),
    field("include_paths", TEXTS, "Further files that are read as if they stood here: globs, `**` included."),
    field("requires_meltano", Shape::Any, "The versions of Meltano that can read this project."),
    field("environments", Shape::Any, "Environments: each a workspace and what differs from the root."),
];

/// Keys of both tools that the root has, and in a `project.yml` each environment too.
pub(super) const SHARED_OVERLAY: &[Field] = &[
    field("plugins", Shape::Plugins, "Plugins by type, as in Meltano."),
    field("schedules", Shape::Any, "Schedules, as in Meltano."),
    field("jobs", Shape::Any, "Jobs, as in Meltano."),
    field("env", Shape::Open(&Shape::Any), "Variables for plugins and references, as in Meltano."),
    field("annotations", Shape::Any, "What other tools keep here."),
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
    field("name", Shape::Text, "Its name; no `:` in it."),
    field("config", ENVIRONMENT_CONFIG, "Settings of plugins in this environment, as in Meltano."),
    field("env", Shape::Open(&Shape::Any), "Variables for plugins and references in this environment."),
    field("state_id_suffix", Shape::Text, "What the ids of states end with in this environment."),
    field("annotations", Shape::Any, "What other tools keep here."),
];

/// Keys of an environment in a `meltano.yml`; what its `config` may hold is Meltano's business.
pub(super) const ENVIRONMENT_MELTANO: &[Field] = &[
    field("name", Shape::Text, "Its name; no `:` in it."),
    field("config", Shape::Open(&Shape::Any), "Settings of plugins in this environment, as in Meltano."),
    field("env", Shape::Open(&Shape::Any), "Variables for plugins and references in this environment."),
    field("state_id_suffix", Shape::Text, "What the ids of states end with in this environment."),
    field("annotations", Shape::Any, "What other tools keep here."),
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
