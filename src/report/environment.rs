//! Environments: what `environment list`, `add` and `remove` print.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::command::quoted;
use super::label::{Label, Sign};
use super::view::{Item, Section, View};
use crate::model::origin::Place;

/// The `result` of `environment list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentListResult {
    /// The project file.
    pub file: String,
    /// The environments, in the order of the file.
    pub environments: Vec<ListedEnvironment>,
}

/// An environment as its entry is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListedEnvironment {
    /// Its name.
    pub name: String,
    /// Whether it is `default_environment`.
    pub default: bool,
    /// Its workspace; null where its entry says none.
    pub workspace: Option<ListedWorkspace>,
    /// Its dataset; null where its entry says none.
    pub dataset: Option<String>,
    /// The environment that it inherits from, or null.
    pub inherit_from: Option<String>,
    /// Where its entry begins.
    #[serde(rename = "where")]
    pub place: Place,
}

/// A workspace as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListedWorkspace {
    /// A path or URL without its password, or null.
    pub repository: Option<String>,
    /// The branch, or null.
    pub branch: Option<String>,
}

/// The `result` of `environment add`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentAddResult {
    /// The environment, as its entry is written now.
    pub environment: ListedEnvironment,
    /// The files that changed, in the working tree only.
    pub files: Vec<String>,
    /// Its workspace, where it was looked for or made; else null.
    pub workspace: Option<MadeWorkspaceResult>,
}

/// A workspace that was looked for or made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MadeWorkspaceResult {
    /// The repository: `.` for the one at hand.
    pub repository: String,
    /// The branch.
    pub branch: String,
    /// Where the branch is.
    pub commit: String,
    /// What was made.
    pub made: MadeName,
}

/// What was made of a workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MadeName {
    /// Nothing: the branch was there already.
    Nothing,
    /// The branch.
    Branch,
    /// A bare repository with the branch.
    Repository,
}

/// The `result` of `environment remove`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentRemoveResult {
    /// The environment, as its entry was; its workspace and data are left alone.
    pub environment: ListedEnvironment,
    /// The files that changed, in the working tree only.
    pub files: Vec<String>,
}

impl ListedWorkspace {
    fn words(&self) -> String {
        match (&self.repository, &self.branch) {
            (Some(repository), Some(branch)) => format!("branch {branch} of {repository}"),
            (None, Some(branch)) => format!("branch {branch}"),
            (Some(repository), None) => repository.clone(),
            (None, None) => String::new(),
        }
    }
}

impl ListedEnvironment {
    fn workspace_words(&self) -> String {
        self.workspace.as_ref().map(ListedWorkspace::words).unwrap_or_default()
    }
}

/// Shows all environments.
pub fn environments_view(result: &EnvironmentListResult) -> View {
    let mut view = View::titled(format!("Environments of {}", result.file));
    if result.environments.is_empty() {
        "There are none.".clone_into(&mut view.headline);
        view.next.push("promote environment add NAME".to_owned());
    }
    let item = |environment: &ListedEnvironment| {
        let dataset = environment.dataset.as_ref().map(|dataset| format!("dataset {dataset}"));
        let notes = environment.inherit_from.iter().map(|parent| format!("inherits from {parent}"));
        let notes: Vec<String> =
            environment.default.then(|| "default".to_owned()).into_iter().chain(notes).collect();
        let mut cells = vec![
            environment.name.clone(),
            environment.workspace_words(),
            dataset.unwrap_or_default(),
            notes.join(", "),
        ];
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        Item::new(Sign::None, cells)
    };
    view.add(Section::new("Names").items(result.environments.iter().map(item)));
    view
}

/// Shows what was added; `paths` are the files as seen from the working directory.
pub fn environment_added_view(result: &EnvironmentAddResult, paths: &[String]) -> View {
    let name = &result.environment.name;
    let files = result.files.join(" and ");
    let mut view = View::titled(format!("Environment {name} added to {files}"));
    view.label = Label::Good;
    view.headline = format!("{files} is changed in the working tree only: commit it.");
    if let Some(workspace) = &result.workspace {
        let MadeWorkspaceResult { repository, branch, commit, made } = workspace;
        let short = commit.get(..7).unwrap_or(commit);
        let what = match made {
            MadeName::Nothing => "there already",
            MadeName::Branch => "branch made",
            MadeName::Repository => "repository made",
        };
        view.fact("workspace", format!("branch {branch} of {repository} at {short} ({what})"));
    } else {
        view.fact("workspace", result.environment.workspace_words());
    }
    view.fact("dataset", result.environment.dataset.clone().unwrap_or_default());
    view.next.push(commit(&format!("Add environment {name}"), paths));
    view.next.push(format!("promote config show -e {} --worktree", quoted(name)));
    view
}

/// Shows what was taken out, and what is left; `paths` are the files as seen from the working directory.
pub fn environment_removed_view(result: &EnvironmentRemoveResult, paths: &[String]) -> View {
    let environment = &result.environment;
    let files = result.files.join(" and ");
    let mut view = View::titled(format!("Environment {} removed from {files}", environment.name));
    view.label = Label::Good;
    view.headline = format!(
        "{files} is changed in the working tree only: commit it. Branch, repository and data of {} are left alone.",
        environment.name
    );
    view.fact("workspace", environment.workspace_words());
    view.fact("dataset", environment.dataset.clone().unwrap_or_default());
    view.next.push(commit(&format!("Remove environment {}", environment.name), paths));
    view
}

/// Gives the command that commits files.
fn commit(message: &str, paths: &[String]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
    format!("git commit -m {} -- {}", quoted(message), paths.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Color, terminal};

    #[test]
    fn lists_names_with_what_their_entries_say() {
        let environment = |name: &str, repository: Option<&str>, dataset: Option<&str>| ListedEnvironment {
            name: name.to_owned(),
            default: name == "dev",
            workspace: Some(ListedWorkspace {
                repository: repository.map(str::to_owned),
                branch: Some("main".to_owned()),
            })
            .filter(|_| name != "ci"),
            dataset: dataset.map(str::to_owned),
            inherit_from: (name == "prod").then(|| "dev".to_owned()),
            place: Place::at("project.yml", 3, 1),
        };
        let environments = vec![
            environment("dev", None, None),
            environment("prod", Some("../prod.git"), Some("analytics")),
            environment("ci", None, None),
        ];
        let result = EnvironmentListResult { file: "project.yml".to_owned(), environments };
        assert_eq!(
            terminal(&environments_view(&result), Color::Off),
            "\
Environments of project.yml

Names
    dev   branch main                                    default
    prod  branch main of ../prod.git  dataset analytics  inherits from dev
    ci
"
        );
        let none = EnvironmentListResult { file: "project.yml".to_owned(), environments: Vec::new() };
        assert!(terminal(&environments_view(&none), Color::Off).contains("There are none."));
    }
}
