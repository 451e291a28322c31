//! Texts about this program: schemas, completions, the manual page.

use clap::CommandFactory as _;

use crate::config::{Form, project_schema};
use crate::report;

use super::super::args::{Cli, SchemaArgs};
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::session::Session;

/// Prints the JSON Schema of a result or of a project file, or lists those that there are.
pub(super) fn schema(session: &Session<'_>, args: &SchemaArgs) -> Result<ExitCode, Failure> {
    let mut schemas = report::schemas();
    schemas.insert("project", project_schema(Form::Project));
    schemas.insert("meltano", project_schema(Form::Meltano));
    let names: Vec<&str> = schemas.keys().copied().collect();
    let Some(name) = &args.name else { return print(session, &(names.join("\n") + "\n")) };
    let schema = schemas.get(name.as_str()).ok_or_else(|| {
        Failure::usage(format!("there is no schema `{name}`"), &format!("there are: {}", names.join(", ")))
    })?;
    let text = serde_json::to_string_pretty(schema).map_err(|error| Failure::bug(&error))? + "\n";
    print(session, &text)
}

/// Prints a shell's completions.
pub(super) fn completions(session: &Session<'_>, shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "promote", &mut bytes);
    print(session, &String::from_utf8_lossy(&bytes))
}

/// Prints the manual page.
pub(super) fn man(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut bytes).map_err(|error| Failure::bug(&error))?;
    print(session, &String::from_utf8_lossy(&bytes))
}

fn print(session: &Session<'_>, text: &str) -> Result<ExitCode, Failure> {
    session
        .console
        .product_as_is(text)
        .map(|()| ExitCode::Done)
        .map_err(|error| Failure::output(session.global.output.as_deref(), &error))
}
