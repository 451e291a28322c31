//! What can keep a promotion from going on. A refusal is no error: it is a plan's outcome.

use std::path::PathBuf;

use crate::ci::{ForgeError, ForgeKind};
use crate::config::ConfigError;
use crate::git::GitError;
use crate::migration::MigrationError;
use crate::model::finding::Finding;
use crate::models::{ModelsError, SelectError};
use crate::transform::TransformError;
use crate::warehouse::WarehouseError;

/// What can keep a promotion from going on.
#[derive(Debug, thiserror::Error)]
pub enum PromotionError {
    /// The project file or its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The models.
    #[error(transparent)]
    Models(#[from] ModelsError),
    /// The warehouse, and which.
    #[error("cannot use the warehouse of `{environment}`")]
    Warehouse {
        /// The environment.
        environment: String,
        /// The warehouse in words.
        warehouse: String,
        /// Why.
        #[source]
        source: WarehouseError,
    },
    /// What the project declares cannot be built, or the plan of its schema fails.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// Neither a project file nor a repository.
    #[error("there is neither a project file nor a Git repository at or above `{}`", folder.display())]
    Nowhere {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// No project file, where one is needed.
    #[error("there is no project file (`project.yml` or `meltano.yml`) at or above `{}`", folder.display())]
    NoProject {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A revision was named where there is no repository.
    #[error("`{}` is in no Git repository, so there is no revision `{revision}`", folder.display())]
    NoRevisions {
        /// Where it was looked for.
        folder: PathBuf,
        /// What was named.
        revision: String,
    },
    /// No environment was chosen.
    #[error("no environment is chosen")]
    NoneChosen {
        /// The names that there are.
        known: Vec<String>,
    },
    /// An environment that the project file at hand names, and that of its own workspace does not.
    #[error("environment `{environment}` is in the project file at hand and not in {read}")]
    NotThereYet {
        /// The environment.
        environment: String,
        /// What was read.
        read: String,
    },
    /// A branch that is not there, where it has to be.
    #[error("there is no branch `{branch}` in {repository}")]
    NoBranch {
        /// The branch.
        branch: String,
        /// The repository in words.
        repository: String,
        /// A branch with a name like it.
        near: Option<String>,
    },
    /// The repository of a new environment is not there, and only its forge can make it.
    #[error("there is no repository at `{url}` yet, or it does not let us in")]
    NoRepositoryYet {
        /// Its address, without secrets.
        url: String,
        /// What was said.
        #[source]
        source: GitError,
    },
    /// The repository of a new environment holds something else.
    #[error("`{url}` {}", occupied(branch, *held))]
    Occupied {
        /// Its address, without secrets.
        url: String,
        /// The branch that was looked for.
        branch: String,
        /// Whether the branch is there.
        held: bool,
    },
    /// A forge cannot be asked, or says no.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// A forge has made the repository, and its branch could not be pushed.
    #[error("the repository `{url}` is made on {} and still empty: its branch could not be pushed", .kind.as_str())]
    StillEmpty {
        /// Its address, without secrets.
        url: String,
        /// The forge.
        kind: ForgeKind,
        /// Why.
        #[source]
        source: Box<GitError>,
    },
    /// The branch of a pull request holds somebody else's commits.
    #[error("branch `{branch}` of {repository} holds commits that are no promotion's")]
    NotOurs {
        /// The branch.
        branch: String,
        /// The repository in words.
        repository: String,
    },
    /// The branch of a pull request is pushed, and the pull request is not open.
    #[error("branch `{branch}` is pushed to {repository}, and its pull request is not brought up to date")]
    Unopened {
        /// The branch.
        branch: String,
        /// The repository in words.
        repository: String,
        /// Why.
        #[source]
        source: Box<ForgeError>,
    },
    /// A selector that selects nothing.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// Runs that cannot go on.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// `ci run` was started where no pipeline is.
    #[error("nothing says what was pushed: this is neither a push nor a pull request of a pipeline")]
    NotInCi,
    /// The target's own project file is broken, so its policy is not known.
    #[error("the project file of the target, `{file}` at {commit}, is broken")]
    BrokenPolicy {
        /// The file.
        file: String,
        /// The target's commit.
        commit: String,
        /// Its faults.
        faults: Vec<Finding>,
    },
    /// No promotion to go back over.
    #[error("cannot roll `{environment}` back: {why}")]
    NothingToRollBack {
        /// The environment.
        environment: String,
        /// Why.
        why: String,
    },
    /// A promotion that is not there.
    #[error("no promotion is meant by `{word}`")]
    NoPromotion {
        /// What was typed.
        word: String,
        /// The numbers that there are.
        known: Vec<String>,
    },
    /// Something moved since the plan was made.
    #[error("stale: {what}")]
    Stale {
        /// What moved.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} `{}`", path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// The schema moved, but the code did not, or the other way round.
    #[error("the promotion is partial: {what}")]
    Partial {
        /// What was done and what was not.
        what: String,
        /// The command that ends it.
        command: String,
        /// Why.
        #[source]
        source: Box<PromotionError>,
    },
    /// What is committed is not what was planned: a defect that must not pass.
    #[error("the merge gave another tree than the plan: {found} instead of {planned}")]
    OtherTree {
        /// The plan's tree.
        planned: String,
        /// The tree now.
        found: String,
    },
    /// A person stopped it.
    #[error("interrupted")]
    Interrupted,
}

fn occupied(branch: &str, held: bool) -> String {
    if held {
        format!("is not empty: its branch `{branch}` holds other work than this project")
    } else {
        format!("has branches, but none named `{branch}`")
    }
}
