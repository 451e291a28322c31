//! What can be wrong with a project's configuration.

use std::path::PathBuf;

use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::model::origin::Place;

/// Why a project cannot be found, read or resolved.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or folder cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was named as the project file is neither a file nor a folder with one.
    #[error("`{}` is not a project file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// There is no project file where one was expected.
    #[error("there is no project file `{}`", path.display())]
    NoProject {
        /// Where it was expected.
        path: PathBuf,
    },
    /// A symbolic link leads out of the project.
    #[error("`{path}` is a link that leads out of the project")]
    OutsideLink {
        /// The link, relative to the project's root.
        path: String,
    },
    /// Where a file is wanted, there is a pipe, a socket or a device.
    #[error("`{path}` is neither a file nor a folder")]
    Special {
        /// Its path, relative to the project's root.
        path: String,
    },
    /// The project file is wrong: all faults at once, ordered by place.
    #[error("{}", summary(.0))]
    Faults(Vec<Finding>),
    /// No environment has this name.
    #[error("there is no environment `{name}`")]
    UnknownEnvironment {
        /// The name.
        name: EnvironmentName,
        /// Those that are there, in the order of the file.
        known: Vec<EnvironmentName>,
        /// The one that was probably meant.
        meant: Option<String>,
    },
    /// There is no such key.
    #[error("there is no key `{key}`, and nothing sets one below it")]
    UnknownKey {
        /// The key.
        key: String,
        /// The one that was probably meant.
        meant: Option<String>,
    },
    /// An environment lacks what the command needs.
    #[error("environment `{environment}` has no `{key}`")]
    Missing {
        /// The environment.
        environment: EnvironmentName,
        /// The key.
        key: &'static str,
        /// Where the environment begins.
        place: Option<Place>,
    },
}

/// Says the first fault, and how many there are.
fn summary(findings: &[Finding]) -> String {
    match findings {
        [] => "the project file is wrong".to_owned(),
        [only] => only.message.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
    }
}
