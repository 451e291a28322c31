//! What can be typed. What it means is made of it by each command.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::help;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "promote",
    version,
    about = "Carry a change from one environment to the next: merge, configuration and migration in one plan",
    help_template = help::TEMPLATE,
    disable_help_subcommand = false,
    arg_required_else_help = true,
    max_term_width = 110,
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Use this project file instead of the one found from the working directory upwards
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) project: Option<PathBuf>,
    /// Choose the environment of a command that has one
    #[arg(long, short = 'e', global = true, value_name = "ENV")]
    pub(super) environment: Option<String>,
    /// Choose no environment
    #[arg(long, global = true, conflicts_with = "environment")]
    pub(super) no_environment: bool,
    /// Give the result as
    #[arg(long, global = true, value_enum, default_value = "terminal")]
    pub(super) format: FormatName,
    /// Write the result to a file instead of stdout (`-` is stdout)
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Give a remote up that says nothing for so long (`90s`, `2m`); a push may take ten times as long
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub(super) timeout: Duration,
    /// Colour the terminal's text
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: ColorWhen,
    /// Say nothing but results, warnings and errors
    #[arg(long, short = 'q', global = true)]
    pub(super) quiet: bool,
    /// Tell of every piece of work, also of short ones
    #[arg(long, short = 'v', global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,
}

/// The formats of a result.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum FormatName {
    /// Text for people
    Terminal,
    /// One document, documented by `promote schema`
    Json,
    /// For a pull request
    Markdown,
    /// One file, for a browser
    Html,
    /// For code scanning (`check` only)
    Sarif,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Promote one environment into the next (the long form of `promote FROM TO`)
    Apply(ApplyArgs),
    /// Show what a promotion would do; nothing is changed
    Plan(PlanArgs),
    /// Show a saved plan again
    Show(ShowArgs),
    /// Show how every environment stands
    Status,
    /// Show who promoted what, when
    History(HistoryArgs),
    /// Roll an environment's code forward to the tree of an earlier promotion
    Rollback(RollbackArgs),
    /// Stop promotions into an environment
    Hold(HoldArgs),
    /// Let promotions into an environment go on
    Release(HoldArgs),
    /// Show who holds the lock of an environment, and take it away
    Unlock(UnlockArgs),
    /// Show the effective configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Bring an environment's schema to what its files declare
    Migrate(MigrateArgs),
    /// Show what somebody changed by hand in an environment's schema
    Drift(DriftArgs),
    /// Build an environment's models
    Run(RunArgs),
    /// List all faults of the project
    Check,
    /// List, add and remove environments
    #[command(subcommand)]
    Environment(EnvironmentCommand),
    /// Say what this machine and these repositories can do
    Doctor(DoctorArgs),
    /// Start a project
    Init(InitArgs),
    /// Play a promotion through in a throw-away folder
    Demo(DemoArgs),
    /// Pipeline files, and what the pipeline runs
    #[command(subcommand)]
    Ci(CiCommand),
    /// Print the JSON Schema of a result, or of the project file
    Schema(SchemaArgs),
    /// Print a shell's completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// What is said to a plan.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that was typed or not")]
#[command(next_help_heading = "Decisions")]
pub(super) struct DecisionArgs {
    /// Drop this target-only work knowingly: PATH, PATH:LINES or `all`
    #[arg(long, value_name = "PATH[:LINES]")]
    pub(super) accept_loss: Vec<String>,
    /// Keep this target-only work: the target wins that hunk
    #[arg(long, value_name = "PATH[:LINES]")]
    pub(super) keep: Vec<String>,
    /// Settle a conflict: source, target or delete
    #[arg(long, value_name = "PATH=SIDE")]
    pub(super) resolve: Vec<String>,
    /// Promote only this path, folder or pattern; the rest stays for later
    #[arg(long, value_name = "PATH")]
    pub(super) only: Vec<String>,
    /// Promote only this commit of the source; the rest stays for later
    #[arg(long, value_name = "REV")]
    pub(super) only_commit: Vec<String>,
    /// Bring again what was promoted and taken back in the target; of a source, keep it in the target
    #[arg(long, conflicts_with = "leave_out")]
    pub(super) reinstate: bool,
    /// Leave out what was promoted and taken back in the target, or in the source
    #[arg(long)]
    pub(super) leave_out: bool,
    /// Let histories that have no commit in common be joined, once
    #[arg(long)]
    pub(super) allow_unrelated: bool,
    /// Take this commit of the source for the base of such histories; `auto` finds the one that resembles the target
    #[arg(long, value_name = "auto|REV")]
    pub(super) base: Option<String>,
    /// Create the target's branch
    #[arg(long)]
    pub(super) create_branch: bool,
    #[command(flatten)]
    pub(super) schema: SchemaDecisionArgs,
    /// Leave the schema alone
    #[arg(long)]
    pub(super) no_migrate: bool,
}

/// What is said to a migration.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SchemaDecisionArgs {
    /// Let one incompatible change through
    #[arg(long, value_name = "CODE:OBJECT")]
    pub(super) allow: Vec<String>,
    /// Let every incompatible change of the shown plan through
    #[arg(long)]
    pub(super) force: bool,
    /// Take over objects that `promote` did not create: names, `declared` or `all`
    #[arg(long, value_name = "OBJECT|declared|all")]
    pub(super) adopt: Vec<String>,
    /// Drop what is managed and no longer declared
    #[arg(long)]
    pub(super) prune: bool,
    /// Use this dataset instead of the environment's
    #[arg(long, value_name = "DATASET")]
    pub(super) dataset: Option<String>,
}

/// What the doctor may do.
#[derive(Clone, Debug, Args)]
pub(super) struct DoctorArgs {
    /// Try to write: make and delete two refs of its own in each environment's repository
    #[arg(long)]
    pub(super) write: bool,
}

/// How a plan is confirmed and applied.
#[derive(Clone, Debug, Args)]
pub(super) struct ActArgs {
    /// Do not ask
    #[arg(long, short = 'y')]
    pub(super) yes: bool,
    /// Wait this long for another promotion's lock (`90s`, `2m`)
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub(super) lock_timeout: Duration,
}

/// `promote apply`.
#[derive(Clone, Debug, Args)]
pub(super) struct ApplyArgs {
    /// The environment to promote from, or the file of a saved plan
    #[arg(value_name = "FROM|FILE")]
    pub(super) from: String,
    /// The environment to promote to
    pub(super) to: Option<String>,
    #[command(flatten)]
    pub(super) decisions: DecisionArgs,
    #[command(flatten)]
    pub(super) act: ActArgs,
    /// Build the models afterwards
    #[arg(long)]
    pub(super) run: bool,
}

/// `promote plan`.
#[derive(Clone, Debug, Args)]
pub(super) struct PlanArgs {
    /// The environment to promote from
    pub(super) from: String,
    /// The environment to promote to
    pub(super) to: String,
    #[command(flatten)]
    pub(super) decisions: DecisionArgs,
    /// Keep the plan in a file for `promote apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Exit with 10 when changes are pending
    #[arg(long)]
    pub(super) exit_code: bool,
}

/// `promote show`.
#[derive(Clone, Debug, Args)]
pub(super) struct ShowArgs {
    /// A file that `promote plan --save` or `promote migrate --save` wrote
    pub(super) file: PathBuf,
}

/// `promote history`.
#[derive(Clone, Debug, Args)]
pub(super) struct HistoryArgs {
    /// The environment (default: the chosen one)
    #[arg(value_name = "ENV")]
    pub(super) name: Option<String>,
    /// Check the chain of records
    #[arg(long)]
    pub(super) verify: bool,
}

/// `promote rollback`.
#[derive(Clone, Debug, Args)]
pub(super) struct RollbackArgs {
    /// The environment
    #[arg(value_name = "ENV")]
    pub(super) name: String,
    /// Go back to this promotion (its number, or the begin of its plan's id or commit) instead of before the last one
    #[arg(long, value_name = "PROMOTION")]
    pub(super) to: Option<String>,
    /// Drop this later work knowingly: PATH, PATH:LINES or `all`
    #[arg(long, value_name = "PATH[:LINES]")]
    pub(super) accept_loss: Vec<String>,
    /// Show what would be done; nothing is changed
    #[arg(long)]
    pub(super) plan: bool,
    #[command(flatten)]
    pub(super) act: ActArgs,
}

/// `promote hold` and `promote release`.
#[derive(Clone, Debug, Args)]
pub(super) struct HoldArgs {
    /// The environment
    #[arg(value_name = "ENV")]
    pub(super) name: String,
    /// Say why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) reason: String,
}

/// `promote unlock`.
#[derive(Clone, Debug, Args)]
pub(super) struct UnlockArgs {
    /// The environment
    #[arg(value_name = "ENV")]
    pub(super) name: String,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub(super) yes: bool,
}

/// `promote config`.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print an environment's effective configuration, with the place of every value
    Show(ConfigShowArgs),
    /// Say why a value is what it is: every layer that has a say, with its place
    Explain(ConfigExplainArgs),
    /// Compare two environments, or one environment at two revisions
    Diff(ConfigDiffArgs),
}

/// `promote config explain`.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigExplainArgs {
    /// `tap-auth0.client_id`, `extractors/tap-auth0.client_id`, `warehouse.path`; what others are below explains them all
    pub(super) key: String,
    /// Show secrets as they are
    #[arg(long)]
    pub(super) reveal: bool,
    /// Read the working tree, whichever branch is checked out
    #[arg(long)]
    pub(super) worktree: bool,
}

/// `promote config diff`.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigDiffArgs {
    /// Compare this environment
    #[arg(requires = "other", conflicts_with_all = ["from", "to", "environment"])]
    pub(super) one: Option<String>,
    /// With this one
    pub(super) other: Option<String>,
    /// Compare the chosen environment at this revision
    #[arg(long, value_name = "REV", required_unless_present = "one")]
    pub(super) from: Option<String>,
    /// With itself at this one (default: as it is now)
    #[arg(long, value_name = "REV", requires = "from")]
    pub(super) to: Option<String>,
    /// Exit with 10 when something differs
    #[arg(long)]
    pub(super) exit_code: bool,
    /// Show secrets as they are
    #[arg(long)]
    pub(super) reveal: bool,
    /// Read the working tree, whichever branch is checked out
    #[arg(long)]
    pub(super) worktree: bool,
}

/// `promote config show`.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigShowArgs {
    /// Show every environment of the project
    #[arg(long, conflicts_with_all = ["environment", "no_environment"])]
    pub(super) all_environments: bool,
    /// Show secrets as they are
    #[arg(long)]
    pub(super) reveal: bool,
    /// Read the working tree, whichever branch is checked out
    #[arg(long)]
    pub(super) worktree: bool,
}

/// `promote migrate`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that was typed or not")]
pub(super) struct MigrateArgs {
    /// Show what would be done; nothing is changed
    #[arg(long)]
    pub(super) plan: bool,
    #[command(flatten)]
    pub(super) decisions: SchemaDecisionArgs,
    #[command(flatten)]
    pub(super) act: ActArgs,
    /// Read the working tree, whichever branch is checked out
    #[arg(long)]
    pub(super) worktree: bool,
    /// Exit with 10 when changes are pending (with `--plan`)
    #[arg(long, requires = "plan")]
    pub(super) exit_code: bool,
    /// Keep the plan in a file for `promote apply FILE`; nothing is changed
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Write files under `schema` that declare what is live, and take it over; no table is changed
    #[arg(long, conflicts_with_all = ["save", "allow", "force", "adopt", "prune"])]
    pub(super) import: bool,
}

/// `promote drift`.
#[derive(Clone, Debug, Args)]
pub(super) struct DriftArgs {
    /// The environment (default: the chosen one)
    #[arg(value_name = "ENV")]
    pub(super) name: Option<String>,
    /// Exit with 10 when there is some
    #[arg(long)]
    pub(super) exit_code: bool,
    /// Use this dataset instead of the environment's
    #[arg(long, value_name = "DATASET")]
    pub(super) dataset: Option<String>,
    /// Read the working tree, whichever branch is checked out
    #[arg(long)]
    pub(super) worktree: bool,
}

/// `promote run`.
#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    /// Show what would be built; nothing is changed
    #[arg(long)]
    pub(super) plan: bool,
    /// Build only these: NAME, +NAME, NAME+, tag:X, path:X
    #[arg(long, value_name = "SELECTOR")]
    pub(super) select: Vec<String>,
    /// Use this dataset instead of the environment's
    #[arg(long, value_name = "DATASET")]
    pub(super) dataset: Option<String>,
    /// Read the working tree, whichever branch is checked out
    #[arg(long)]
    pub(super) worktree: bool,
}

/// `promote environment`.
#[derive(Debug, Subcommand)]
pub(super) enum EnvironmentCommand {
    /// List the environments, in the order of the file
    List,
    /// Add an environment to the project file of the working tree
    Add(EnvironmentAddArgs),
    /// Remove an environment from the project file; its branch, repository and data are left alone
    Remove(EnvironmentRemoveArgs),
}

/// `promote environment add`.
#[derive(Clone, Debug, Args)]
pub(super) struct EnvironmentAddArgs {
    /// Its name
    pub(super) name: String,
    /// Copy what this environment's entry says, and make the branch or repository from its code
    #[arg(long, value_name = "ENV")]
    pub(super) like: Option<String>,
    /// The repository of its code: a path (made as a bare repository where it is not there) or a URL
    #[arg(long, value_name = "URL|PATH", requires = "like")]
    pub(super) repository: Option<String>,
    /// The branch of its code [default: its name, or in a repository of its own the copied one]
    #[arg(long, value_name = "BRANCH", requires = "like")]
    pub(super) branch: Option<String>,
    /// The dataset of its data
    #[arg(long, value_name = "DATASET", requires = "like")]
    pub(super) dataset: Option<String>,
}

/// `promote environment remove`.
#[derive(Clone, Debug, Args)]
pub(super) struct EnvironmentRemoveArgs {
    /// Its name
    pub(super) name: String,
}

/// `promote init`.
#[derive(Clone, Debug, Args)]
pub(super) struct InitArgs {
    /// The folder (default: this one)
    pub(super) folder: Option<PathBuf>,
    /// Make a complete example to play with
    #[arg(long)]
    pub(super) example: bool,
}

/// `promote demo`.
#[derive(Clone, Debug, Args)]
pub(super) struct DemoArgs {
    /// Make it here instead of in a temporary folder
    pub(super) folder: Option<PathBuf>,
}

/// `promote ci`.
#[derive(Debug, Subcommand)]
pub(super) enum CiCommand {
    /// Write a pipeline file
    Init(CiInitArgs),
    /// Do what the pipeline does: plan on a pull request, migrate and run on a push
    Run(CiRunArgs),
}

/// `promote ci init`.
#[derive(Clone, Debug, Args)]
pub(super) struct CiInitArgs {
    /// The forge
    #[arg(value_enum)]
    pub(super) provider: ProviderName,
    /// For `hook`: the bare repository to put the hook into
    #[arg(long, value_name = "PATH")]
    pub(super) repository: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    pub(super) overwrite: bool,
}

/// The pipelines that can be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum ProviderName {
    /// A GitHub Actions workflow
    Github,
    /// A `post-receive` hook of a bare repository
    Hook,
}

/// `promote ci run`.
#[derive(Clone, Debug, Args)]
pub(super) struct CiRunArgs {
    #[command(flatten)]
    pub(super) decisions: SchemaDecisionArgs,
    /// Leave the models alone
    #[arg(long)]
    pub(super) no_run: bool,
}

/// `promote schema`.
#[derive(Clone, Debug, Args)]
pub(super) struct SchemaArgs {
    /// The result (`plan`, `config-show`, …), or a project file: `project`, `meltano` (default: list them)
    pub(super) name: Option<String>,
}

/// Reads `90s`, `2m`, `1h` or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| "a duration looks like `90s`, `2m` or `1h`".to_owned())?;
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("a duration looks like `90s`, `2m` or `1h`".to_owned()),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "too long".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_verb_is_in_the_help() {
        let command = Cli::command();
        command.clone().debug_assert();
        for verb in command.get_subcommands() {
            let name = verb.get_name();
            assert!(help::TEMPLATE.contains(&format!("\n  {name} ")), "{name} is in the help");
            let typed = crate::report::command_between(name, "prod");
            assert_eq!(
                typed,
                format!("promote apply {name} prod"),
                "an environment of that name needs the long form"
            );
        }
    }

    #[test]
    fn reads_durations() {
        for (text, seconds) in [("90s", 90), ("2m", 120), ("1h", 3600), ("5", 5)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "1d", "-1s", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
