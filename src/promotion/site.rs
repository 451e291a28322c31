//! Where an environment's code lies: the local repository, or another one by path or URL.

use std::path::{Path, PathBuf};

use crate::git;
use crate::model::environment::{Via, Workspace};

/// A branch of a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Site {
    /// The repository.
    pub(super) location: Location,
    /// The branch, without `refs/heads/`.
    pub(super) branch: String,
    /// How a promotion gets there.
    pub(super) via: Via,
}

/// Where a repository is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Location {
    /// The repository that the command runs in: its root or, for a bare one, itself.
    Local(PathBuf),
    /// Another one: a path or URL, reached by the `git` program.
    Remote(String),
}

impl Location {
    /// Names it for people: `.` for the local one, no password in a URL.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Local(_) => ".".to_owned(),
            Self::Remote(url) => git::display_url(url),
        }
    }
}

/// Finds a workspace: its repository, else the local repository's `origin`, else the local repository.
///
/// Shape: nothing where it names no repository and there is no local one.
pub(super) fn locate(workspace: &Workspace, local: Option<&Path>, origin: Option<&str>) -> Option<Site> {
    let location = match (&workspace.repository, local, origin) {
        (Some(repository), Some(local), _) if is_same_folder(repository, local) => {
            Location::Local(local.to_owned())
        }
        (Some(repository), ..) => Location::Remote(repository.clone()),
        (None, _, Some(origin)) => Location::Remote(origin.to_owned()),
        (None, Some(local), None) => Location::Local(local.to_owned()),
        (None, None, None) => return None,
    };
    Some(Site { location, branch: workspace.branch.clone(), via: workspace.via })
}

fn is_same_folder(repository: &str, local: &Path) -> bool {
    match (Path::new(repository).canonicalize(), local.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

impl Location {
    /// Whether this is the same repository.
    pub(super) fn is(&self, other: &Self) -> bool {
        is_same(&self.url(), &other.url())
    }

    /// Gives its address, with what may be secret in it.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Local(folder) => folder.to_string_lossy().into_owned(),
            Self::Remote(url) => url.clone(),
        }
    }
}

/// Whether two addresses are one repository.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let real = |url: &str| std::fs::canonicalize(url).unwrap_or_else(|_| url.into());
    one == other || real(one) == real(other)
}
