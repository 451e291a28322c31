//! `promote check`.

use clap::CommandFactory as _;
use serde_json::json;

use crate::model::finding::{Finding, Level};
use crate::model::name::EnvironmentName;
use crate::model::origin::Place;
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
    let environments = checked.environments.iter();
    environments.filter_map(|(name, place)| hidden_environment(name, place.as_ref())).collect()
}

/// Warns of an environment that the short form cannot name.
pub(super) fn hidden_environment(name: &EnvironmentName, place: Option<&Place>) -> Option<Finding> {
    let is_verb = Cli::command().get_subcommands().any(|verb| verb.get_name() == name.as_str())
        || name.as_str() == "help";
    is_verb.then(|| {
        let message = format!("environment `{name}` has the name of a command: `promote {name} …` runs that");
        let mut finding = Finding::warning("hidden-environment", message)
            .hint(format!("promote with the long form: `promote apply {name} TO`"));
        finding.place = place.cloned();
        finding
    })
}
