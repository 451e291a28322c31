//! From words to an exit code: parse, run one verb, print what it gave.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _};

use super::args::{Cli, ColorWhen, Global};
use super::command;
use super::console::Console;
use super::exit::ExitCode;
use super::failure::Failure;
use super::help::{self, Words};
use super::temporary::Temporary;
use super::world::World;

/// Runs what was typed.
///
/// Effects: prints to stdout and stderr; the rest is the verb's.
pub fn run(world: &World) -> ExitCode {
    let parser = Cli::command();
    let words = match help::written_out(&parser, world.words.clone()) {
        Words::ExitCodes => return plain(world, &help::exit_codes()),
        Words::Parse(words) => words,
    };
    let matches = match parser.try_get_matches_from(&words) {
        Ok(matches) => matches,
        Err(error) => return usage(&error, &world.words),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &world.words),
    };
    let console = console(world, &cli.global);
    let _temporary = Temporary::new(&World::host());
    match command::run(world, &console, cli.global.clone(), cli.command) {
        Ok(code) => code,
        Err(failure) => failed(&console, &cli.global, &failure),
    }
}

fn console(world: &World, global: &Global) -> Console {
    let to_terminal = world.terminal.stdout && global.output.is_none();
    let color = match global.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            to_terminal && world.variable("NO_COLOR").is_none() && world.variable("TERM") != Some("dumb")
        }
    };
    let mut console = Console::new(global.quiet, color, global.output.clone());
    console.verbose = global.verbose;
    console
}

/// Prints a text that no command makes.
fn plain(world: &World, text: &str) -> ExitCode {
    let console = Console::new(false, world.terminal.stdout, None);
    console.product(text).map_or(ExitCode::Bug, |()| ExitCode::Done)
}

/// Prints the parser's words: help and version are products, the rest is wrong usage.
fn usage(error: &clap::Error, typed: &[OsString]) -> ExitCode {
    // A terminal that is gone leaves nobody to tell.
    drop(error.print());
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return ExitCode::Done;
    }
    if let Some(hint) = help::hidden_environment(&Cli::command(), typed) {
        Console::new(false, false, None).tell(&format!("hint: {hint}"));
    }
    ExitCode::Usage
}

/// Prints a failure that left no result: the error block, or the envelope in JSON.
fn failed(console: &Console, global: &Global, failure: &Failure) -> ExitCode {
    match command::print_failure(console, global, failure) {
        Ok(()) => failure.code,
        Err(error) => {
            console.tell(&format!("error: cannot print: {error}"));
            failure.code
        }
    }
}
