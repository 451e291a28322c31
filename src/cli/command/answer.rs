//! What a verb gives, and how it is printed.

use std::io;

use crate::report::{self, Color, Document, View};

use super::super::args::{CiCommand, Command, ConfigCommand, EnvironmentCommand, FormatName, Global};
use super::super::console::Console;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::super::world::World;
use super::session::Session;
use super::{
    apply, check, ci, config, demo, doctor, drift, environment, history, hold, init, migrate, plan,
    print as texts, rollback, run as runs, saved, status, unlock,
};

/// What a verb gives.
pub(super) struct Answer {
    /// How the process ends.
    pub(super) code: ExitCode,
    /// For people.
    pub(super) view: View,
    /// For programs.
    pub(super) document: Document,
    /// What else is said on stderr, after the product.
    pub(super) blocks: String,
    /// Whether secrets are shown as they are.
    pub(super) reveal: bool,
    /// For code scanning, of verbs that find faults.
    pub(super) sarif: Option<String>,
}

/// What a verb leaves to be printed.
pub(super) enum Printed {
    /// All of it.
    Not(Box<Answer>),
    /// Nothing: it has printed its result itself, piece by piece.
    Already(ExitCode),
}

impl Answer {
    /// An answer that is fine.
    pub(super) fn new(view: View, document: Document) -> Self {
        Self { code: ExitCode::Done, view, document, blocks: String::new(), reveal: false, sarif: None }
    }
}

/// Runs a verb and prints what it gives.
///
/// # Errors
///
/// [`Failure`] if the verb could not go on, or its answer cannot be printed.
pub(in crate::cli) fn run(
    world: &World,
    console: &Console,
    global: Global,
    command: Command,
) -> Result<ExitCode, Failure> {
    if global.format == FormatName::Sarif && !matches!(command, Command::Check) {
        return Err(no_sarif());
    }
    let mut session = Session::new(world, console, global);
    let reads = only_reads(&command);
    let answer = match command {
        Command::Apply(args) => apply::run(&mut session, &args),
        Command::Plan(args) => plan::run(&mut session, &args),
        Command::Show(args) => saved::show(&session, &args),
        Command::Status => status::run(&mut session),
        Command::History(args) => history::run(&mut session, &args),
        Command::Rollback(args) => rollback::run(&mut session, &args),
        Command::Hold(args) => hold::run(&mut session, &args, hold::Verb::Hold),
        Command::Release(args) => hold::run(&mut session, &args, hold::Verb::Release),
        Command::Unlock(args) => unlock::run(&mut session, &args),
        Command::Doctor(args) => doctor::run(&mut session, &args),
        Command::Config(ConfigCommand::Show(args)) => match config::show(&mut session, &args)? {
            Printed::Not(answer) => Ok(*answer),
            Printed::Already(code) => return Ok(code),
        },
        Command::Environment(EnvironmentCommand::List) => environment::list(&mut session),
        Command::Environment(EnvironmentCommand::Add(args)) => environment::add(&mut session, &args),
        Command::Environment(EnvironmentCommand::Remove(args)) => environment::remove(&mut session, &args),
        Command::Config(ConfigCommand::Explain(args)) => config::explain(&mut session, &args),
        Command::Config(ConfigCommand::Diff(args)) => config::diff(&mut session, &args),
        Command::Migrate(args) => migrate::run(&mut session, &args),
        Command::Drift(args) => drift::run(&mut session, &args),
        Command::Run(args) => runs::run(&mut session, &args),
        Command::Check => check::run(&mut session),
        Command::Ci(CiCommand::Run(args)) => ci::run(&mut session, &args),
        Command::Ci(CiCommand::Init(args)) => return ci::init(&mut session, &args),
        Command::Init(args) => return init::run(&session, &args),
        Command::Demo(args) => return demo::run(&session, &args),
        Command::Schema(args) => return texts::schema(&session, &args),
        Command::Completions { shell } => return texts::completions(&session, shell),
        Command::Man => return texts::man(&session),
    }?;
    // Half of an answer could be taken for the whole.
    if reads && world.is_interrupted() {
        return Err(Failure::new(ExitCode::Interrupted, "interrupted", None));
    }
    print(console, &session.global, &answer)?;
    Ok(answer.code)
}

/// Whether a verb changes nothing, so that nobody needs to know how far it came.
fn only_reads(command: &Command) -> bool {
    matches!(
        command,
        Command::Plan(_)
            | Command::Show(_)
            | Command::Status
            | Command::History(_)
            | Command::Doctor(_)
            | Command::Config(_)
            | Command::Environment(EnvironmentCommand::List)
            | Command::Drift(_)
            | Command::Check
    )
}

fn no_sarif() -> Failure {
    Failure::usage("only `promote check` gives SARIF", "choose `--format terminal|json|markdown|html`")
}

/// Prints an answer in the format that was asked for.
pub(super) fn print(console: &Console, global: &Global, answer: &Answer) -> Result<(), Failure> {
    let text = match global.format {
        FormatName::Terminal => report::terminal(&answer.view, color(console)),
        FormatName::Json => report::json(&answer.document),
        FormatName::Markdown => report::markdown(&answer.view, report::COMMENT_BUDGET_BYTES),
        FormatName::Html => report::html(&answer.view).map_err(|error| Failure::bug(&error))?,
        FormatName::Sarif => answer.sarif.clone().ok_or_else(no_sarif)?,
    };
    let printed = if answer.reveal { console.product_as_is(&text) } else { console.product(&text) };
    printed.map_err(|error| Failure::output(global.output.as_deref(), &error))?;
    if !answer.blocks.is_empty() {
        // The product ends where the talk begins.
        let gap = if global.format == FormatName::Terminal { "\n" } else { "" };
        console.tell(&format!("{gap}{}", answer.blocks.trim_end()));
    }
    Ok(())
}

/// Prints a failure that left no result: the error block, or the envelope in JSON.
pub(in crate::cli) fn print_failure(console: &Console, global: &Global, failure: &Failure) -> io::Result<()> {
    if global.format == FormatName::Json {
        let document = Document::of(&failure.command)
            .findings(&failure.findings)
            .error(Some(failure.words.as_ref().clone()));
        console.product(&report::json(&document))?;
    }
    let blocks = report::terminal_findings(&failure.findings, Color::Off);
    if !blocks.is_empty() {
        console.tell(blocks.trim_end());
    }
    console.tell(report::terminal_failure(&failure.words, Color::Off).trim_end());
    Ok(())
}

/// Whether the product is coloured.
fn color(console: &Console) -> Color {
    if console.color { Color::On } else { Color::Off }
}
