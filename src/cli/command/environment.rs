//! `promote environment list`, `add` and `remove`.

use crate::config::{Like, Listed};
use crate::git::display_url;
use crate::promotion::{self, Made, MadeWorkspace};
use crate::report::{
    self, Document, EnvironmentAddResult, EnvironmentListResult, EnvironmentRemoveResult, ListedEnvironment,
    ListedWorkspace, MadeName, MadeWorkspaceResult,
};

use super::super::args::{EnvironmentAddArgs, EnvironmentRemoveArgs};
use super::super::failure::Failure;
use super::answer::Answer;
use super::check::hidden_environment;
use super::session::Session;

/// Lists the environments.
pub(super) fn list(session: &mut Session<'_>) -> Result<Answer, Failure> {
    let found = promotion::environments(&session.ports());
    let found = found.map_err(|error| Failure::of("environment list", &error))?;
    let environments = found.listed.iter().map(shown).collect();
    let result = EnvironmentListResult { file: found.file, environments };
    let document = Document::of("environment list").result(&result);
    Ok(Answer::new(report::environments_view(&result), document))
}

/// Adds an environment, and its branch or repository.
pub(super) fn add(session: &mut Session<'_>, args: &EnvironmentAddArgs) -> Result<Answer, Failure> {
    let like = args.like.as_deref().map(|environment| Like {
        environment,
        repository: args.repository.as_deref(),
        branch: args.branch.as_deref(),
        dataset: args.dataset.as_deref(),
    });
    let added = {
        let mut ports = session.ports();
        promotion::add_environment(&args.name, like.as_ref(), &mut ports)
    };
    let added = added.map_err(|error| Failure::of("environment add", &error))?;
    let mut findings = added.findings;
    findings.extend(hidden_environment(&added.listed.name, Some(&added.listed.place)));
    let result = EnvironmentAddResult {
        environment: shown(&added.listed),
        files: added.files,
        workspace: added.workspace.map(made),
    };
    let document = Document::of("environment add").result(&result).findings(&findings);
    let mut answer = Answer::new(report::environment_added_view(&result, &added.paths), document);
    answer.blocks = report::terminal_findings(&findings, report::Color::Off);
    Ok(answer)
}

/// Takes an environment out of the project file.
pub(super) fn remove(session: &mut Session<'_>, args: &EnvironmentRemoveArgs) -> Result<Answer, Failure> {
    let removed = promotion::remove_environment(&args.name, &session.ports());
    let removed = removed.map_err(|error| Failure::of("environment remove", &error))?;
    let result = EnvironmentRemoveResult { environment: shown(&removed.listed), files: removed.files };
    let document = Document::of("environment remove").result(&result);
    Ok(Answer::new(report::environment_removed_view(&result, &removed.paths), document))
}

fn shown(listed: &Listed) -> ListedEnvironment {
    let said = listed.repository.is_some() || listed.branch.is_some();
    ListedEnvironment {
        name: listed.name.to_string(),
        default: listed.default,
        workspace: said.then(|| ListedWorkspace {
            repository: listed.repository.as_deref().map(display_url),
            branch: listed.branch.clone(),
        }),
        dataset: listed.dataset.clone(),
        inherit_from: listed.inherit_from.clone(),
        place: listed.place.clone(),
    }
}

fn made(workspace: MadeWorkspace) -> MadeWorkspaceResult {
    let MadeWorkspace { repository, branch, commit, made } = workspace;
    let made = match made {
        Made::Nothing => MadeName::Nothing,
        Made::Branch => MadeName::Branch,
        Made::Repository => MadeName::Repository,
    };
    MadeWorkspaceResult { repository, branch, commit, made }
}
