//! Values → text: the same [`View`] in every format, and JSON straight from the values.
//!
//! In: plans, findings, records, runs, configuration — already masked. Out: a `String`; nobody prints
//! here. What a file, a commit or a branch says is never trusted: control characters become visible
//! in a terminal, and markup is escaped in Markdown and HTML. A view is made by [`plan_view`], [`migrate_view`],
//! [`configuration_view`], [`runs_view`], [`history_view`] or [`findings_view`] and goes through
//! [`terminal`], [`markdown`] or [`html`]; [`json`] takes a [`Document`]. Start at [`View`].

mod command;
mod configuration;
mod drift;
mod environment;
mod error;
#[cfg(test)]
mod example;
mod explanation;
mod failure;
mod format;
mod history;
mod html;
mod json;
mod label;
mod markdown;
mod migrate;
mod plan;
mod planner;
mod refusal;
mod risk;
mod rollback;
mod runs;
mod sarif;
mod schema;
mod section;
mod status;
mod step;
mod terminal;
mod text;
mod text_diff;
mod view;

pub use command::{command_between, command_with, plan_command_with, quoted};
pub use configuration::{
    ConfigurationResult, ConfigurationsResult, PluginConfiguration, PluginResult, Shown, ShownConfiguration,
    ShownValue, Sorted, add_configuration, configuration_result, configuration_view,
};
pub use drift::drift_view;
pub use environment::{
    EnvironmentAddResult, EnvironmentListResult, EnvironmentRemoveResult, ListedEnvironment, ListedWorkspace,
    MadeName, MadeWorkspaceResult, environment_added_view, environment_removed_view, environments_view,
};
pub use error::ReportError;
pub use explanation::{
    ConfigurationDiffResult, ExplanationResult, ShownExplanation, ShownSay, configuration_diff_view,
    different_values, explanation_view,
};
pub use failure::{Failure, Location};
pub use format::{Format, UnknownFormat};
pub use history::history_view;
pub use html::html;
pub use json::{Document, FORMAT, add_compact, compact, json};
pub use label::{Color, Label, Sign};
pub use markdown::{COMMENT_BUDGET_BYTES, markdown};
pub use migrate::{Progress, migrate_refusals, migrate_view};
pub use plan::plan_view;
pub use refusal::{Refusal, refusals};
pub use rollback::rollback_view;
pub use runs::{RunStatus, ShownRun, findings_view, runs_view};
pub use sarif::sarif;
pub use schema::{
    CheckResult, DriftResult, HistoryResult, HoldResult, LockedBy, MigrateResult, RunResults, UnlockResult,
    schemas,
};
pub use status::status_view;
pub use terminal::{terminal, terminal_failure, terminal_findings, terminal_refusals};
pub use text::{amount, visible};
pub use text_diff::unified;
pub use view::{Detail, DetailKind, Extent, Fact, Item, Layout, Section, View};
