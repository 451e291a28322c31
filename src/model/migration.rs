//! The migration part of a plan: what has to happen to the target's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::planner::Planner;

/// How a change of the schema is judged.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good to know; nobody breaks.
    Notice,
    /// Every old reader and writer goes on working and no value is lost.
    Compatible,
    /// Compatible, but it scans, rewrites or locks.
    CompatibleWithCost,
    /// The data decides.
    NeedsDataCheck,
    /// Somebody would break, or a value would be lost.
    Incompatible,
}

impl Verdict {
    /// Gives the name that JSON and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Compatible => "compatible",
            Self::CompatibleWithCost => "compatible_with_cost",
            Self::NeedsDataCheck => "needs_data_check",
            Self::Incompatible => "incompatible",
        }
    }
}

/// What the engine does for a step.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mechanics {
    /// Nothing runs.
    None,
    /// Only the catalog changes.
    Metadata,
    /// Rows are read.
    Scan,
    /// Rows are written again.
    Rewrite,
    /// The table is built anew and swapped.
    Rebuild,
    /// The engine cannot.
    Impossible,
}

/// One stage of the way that breaks nobody.
///
/// Shape: the edits begin where the stage before left the files; then `promote` runs, with the flags.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// What it is for.
    pub kind: StageKind,
    /// What is done, in words.
    pub say: String,
    /// Edits of the project's files.
    pub edits: Vec<Edit>,
    /// Statements for the target's rows, to be run by whoever fills them.
    pub sql: Vec<String>,
    /// What is typed when this is promoted: `--allow drop-column:analytics.orders.rate`.
    pub flags: Vec<String>,
}

/// What a stage is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// What is new comes beside what is there; it is compatible.
    Expand,
    /// Rows are filled or mended.
    Fill,
    /// Readers and writers move.
    Move,
    /// What nobody uses any more goes: the one stage that has to be let through.
    Contract,
    /// Another way to all of it.
    Instead,
}

/// Lines of a file of the project, as they are and as they are to be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// The file, relative to the project's folder.
    pub file: String,
    /// The first of the lines, from 1.
    pub line: u32,
    /// The lines that are there; none where lines are only added.
    pub before: Vec<String>,
    /// The lines in their place; a file without any goes.
    pub after: Vec<String>,
}

/// A question to the data and its answer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// The query; it counts the rows that stand in the way.
    pub sql: String,
    /// How many rows do; null where it was not asked.
    pub rows: Option<u64>,
    /// The query for up to three of them: their keys, or the values where there is no key.
    #[serde(default)]
    pub sample_sql: Option<String>,
    /// Its answer, without what is secret.
    #[serde(default)]
    pub sample: Vec<String>,
}

/// Somebody who is affected by a step.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Affected {
    /// The object that reads.
    pub object: String,
    /// Whether the project declares it.
    pub managed: bool,
    /// Where the project reads it: `models/mart/revenue.sql:9`.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// What it reads it through, where that is not direct: something that we do not manage.
    #[serde(default)]
    pub through: Option<String>,
}

/// One change of the schema: shown, judged and applied as it stands here.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Kebab-case code that stays for ever: `add-column`.
    pub code: String,
    /// The object: `analytics.orders`.
    pub object: String,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// The kind of change as such.
    pub verdict: Verdict,
    /// What waivers and probes make of it; `compatible` goes by this.
    pub settled: Verdict,
    /// What the engine does.
    pub mechanics: Mechanics,
    /// The transaction group, from 1; 0 where nothing runs.
    pub group: u32,
    /// Whether it runs after the push: it was forced, or needs what was.
    #[serde(default)]
    pub after_push: bool,
    /// The statements, in order.
    pub ddl: Vec<String>,
    /// What changes, and for a refusal why it breaks whom.
    pub reason: String,
    /// Who is affected.
    pub affected: Vec<Affected>,
    /// The way that breaks nobody, as commands and edits.
    pub recipe: Vec<String>,
    /// The same as stages with edits, statements and flags that can be carried out as they stand.
    #[serde(default)]
    pub way: Vec<Stage>,
    /// The question to the data, where the data decides.
    pub probe: Option<Probe>,
    /// What lets it through: `drop-column:analytics.orders.rate`; null where nothing has to.
    pub allow: Option<String>,
    /// Whether `--allow` or `--force` let it through.
    pub allowed: bool,
    /// Where the project declares the object: `models/orders.sql`.
    #[serde(rename = "where")]
    pub place: Option<String>,
}

impl Step {
    /// Whether the step stands in the way: incompatible, and not let through.
    pub fn blocks(&self) -> bool {
        matches!(self.settled, Verdict::Incompatible | Verdict::NeedsDataCheck) && !self.allowed
    }

    /// Whether it was incompatible and let through: such a step comes after the push.
    pub fn forced(&self) -> bool {
        matches!(self.settled, Verdict::Incompatible | Verdict::NeedsDataCheck) && self.allowed
    }

    /// Gives the object, with the column where there is one.
    pub fn subject(&self) -> String {
        match &self.column {
            Some(column) => format!("{}.{column}", self.object),
            None => self.object.clone(),
        }
    }
}

/// Whether the plan knows the migration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationState {
    /// The live schema was read.
    Known,
    /// CI plans it: `migrate: ci`, and the warehouse was not reached.
    Unknown,
    /// There is none: `migrate: off`, `--no-migrate`, no project, no warehouse.
    Off,
}

/// Something live that is not what was last applied: somebody changed it by hand.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The object: `analytics.orders`.
    pub object: String,
    /// What of it: `column note`, `index by_note`, `query`; `definition` for all of it.
    pub part: String,
    /// As it was last applied; null where it was not there.
    pub applied: Option<String>,
    /// As it is live; null where it is not there.
    pub live: Option<String>,
    /// As the files declare it; null where they do not.
    pub declared: Option<String>,
}

/// The warehouse and dataset that a migration is for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationTarget {
    /// The environment.
    pub environment: String,
    /// The warehouse in words, without secrets: `duckdb data/prod.duckdb`.
    pub warehouse: String,
    /// The dataset.
    pub dataset: String,
}

/// The migration part of a plan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Migration {
    /// Whether it is known.
    pub state: MigrationState,
    /// Where it goes; null where it is off.
    pub target: Option<MigrationTarget>,
    /// Why it is not known or off, in words.
    pub note: Option<String>,
    /// Whether nothing stands in the way.
    pub compatible: bool,
    /// Digest of the live schema; null where it is not known.
    pub fingerprint: Option<String>,
    /// Whether the statements were run on a copy and gave the declared schema: `proven`, or why not.
    pub proof: Option<String>,
    /// What is live otherwise than it was last applied.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// Who planned it, where that is another program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planner: Option<Planner>,
    /// The steps, in the order in which they run.
    pub steps: Vec<Step>,
}

impl Migration {
    /// A migration that is not there, and why.
    pub fn off(note: impl Into<String>) -> Self {
        Self {
            state: MigrationState::Off,
            target: None,
            note: Some(note.into()),
            compatible: true,
            fingerprint: None,
            proof: None,
            drift: Vec::new(),
            planner: None,
            steps: Vec::new(),
        }
    }

    /// Gives the words of a planner that refuses.
    pub fn refusal(&self) -> Option<String> {
        let planner = self.planner.as_ref()?;
        Some(format!("`{}` refuses: {}", planner.command, planner.refused.as_ref()?))
    }

    /// Whether the statements were tried and are wrong: such a plan is not offered.
    pub fn is_disproven(&self) -> bool {
        self.proof.as_deref().is_some_and(|proof| proof.starts_with("failed"))
    }

    /// Whether the statements could not be tried.
    pub fn is_unproven(&self) -> bool {
        self.pending() && self.proof.as_deref().is_some_and(|proof| proof.starts_with("unproven"))
    }

    /// Whether any statement has to run.
    pub fn pending(&self) -> bool {
        self.steps.iter().any(|step| !step.ddl.is_empty())
    }

    /// The statements after the push: forced steps and what can only follow them, group 2.
    pub fn after_push(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.after_push && !step.blocks())
    }
}
