//! `promote check`.

use clap::CommandFactory as _;
use serde_json::json;

use crate::model::finding::{Finding, Level};
use crate::promotion::{self, Checked};
use crate::report::{self, Document};

use super::super::args::Cli;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::answer::Answer;
use super::session::{Session, asked};

/// Lists all faults of the project, at once.
pub(super) fn run(session: &mut Session<'_>) -> Result<Answer, Failure> {
    let global = session.global.clone();
    let checked = {
        let ports = session.ports();
        promotion::check(asked(&global), &ports)
    };
    let mut checked = checked.map_err(|error| Failure::of("check", &error))?;
    session.console.hide(checked.mask.clone());
    checked.findings.extend(hidden_environments(&checked));
    checked.findings.sort_by(|one, other| one.place.cmp(&other.place));
    let mut view = report::findings_view(&checked.file, &checked.findings);
    if let Some(chosen) = &checked.chosen {
        let name = chosen.name.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        view.fact("environment", format!("{name} ({})", chosen.why));
    }
    let errors = checked.findings.iter().filter(|finding: &&Finding| finding.level == Level::Error).count();
    let error = (errors > 0).then(|| {
        let faults = report::amount(errors as u64, "fault");
        report::Failure::new(format!("`{}` has {faults}", checked.file))
    });
    let result = json!({ "file": checked.file, "errors": errors });
    let document = Document::of("check").result(&result).findings(&checked.findings).error(error.clone());
    let mut answer = Answer::new(view, document);
    answer.sarif = Some(report::sarif(&checked.findings, &checked.prefix));
    if let Some(error) = error {
        answer.code = ExitCode::Project;
        answer.blocks = report::terminal_failure(&error, report::Color::Off);
    }
    Ok(answer)
}

/// Warns of environments that the short form cannot name, because a command has their name.
fn hidden_environments(checked: &Checked) -> Vec<Finding> {
    let command = Cli::command();
    let is_verb =
        |name: &str| command.get_subcommands().any(|verb| verb.get_name() == name) || name == "help";
    let hidden = checked.environments.iter().filter(|(name, _)| is_verb(name.as_str()));
    let warning = |(name, place): &(_, Option<_>)| {
        let message = format!("environment `{name}` has the name of a command: `promote {name} …` runs that");
        let mut finding = Finding::warning("hidden-environment", message)
            .hint(format!("promote with the long form: `promote apply {name} TO`"));
        finding.place.clone_from(place);
        finding
    };
    hidden.map(warning).collect()
}
