//! Commits: message, trailers, parents.

use git2::Commit;

use super::error::GitError;
use super::revision::{Identity, Revision};
use super::store::Store;

/// A commit's message with its trailers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CommitMessage {
    /// First line.
    pub subject: String,
    /// What follows, may be empty.
    pub body: String,
    /// `Promote-From: staging` and the like, in this order.
    pub trailers: Vec<(String, String)>,
}

impl std::fmt::Display for CommitMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "{}", one_line(&self.subject))?;
        if !self.body.trim().is_empty() {
            writeln!(formatter, "\n{}", self.body.trim())?;
        }
        if !self.trailers.is_empty() {
            writeln!(formatter)?;
        }
        for (key, value) in &self.trailers {
            writeln!(formatter, "{key}: {}", one_line(value))?;
        }
        Ok(())
    }
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Writes a commit; no ref is moved.
///
/// # Errors
///
/// [`GitError::Library`] if the tree or a parent is missing or the object cannot be written.
pub fn commit(
    store: &Store,
    tree: &Revision,
    parents: &[&Revision],
    message: &CommitMessage,
    author: &Identity,
) -> Result<Revision, GitError> {
    write(&store.repository, tree.oid(), parents, (&message.to_string(), author))
}

pub(super) fn write(
    repository: &git2::Repository,
    tree: git2::Oid,
    parents: &[&Revision],
    (message, author): (&str, &Identity),
) -> Result<Revision, GitError> {
    let failed = || GitError::doing("cannot write a commit");
    let tree = repository.find_tree(tree).map_err(failed())?;
    let parents: Vec<Commit<'_>> = parents
        .iter()
        .map(|parent| repository.find_commit(parent.oid()))
        .collect::<Result<_, _>>()
        .map_err(failed())?;
    let parents: Vec<&Commit<'_>> = parents.iter().collect();
    let signature = author.signature()?;
    let oid = repository.commit(None, &signature, &signature, message, &tree, &parents).map_err(failed())?;
    Ok(oid.into())
}
