//! Files as they are in one place at one time.

use std::collections::BTreeMap;

/// Where a snapshot was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SnapshotSource {
    /// The working tree.
    WorkTree,
    /// A commit, by its full id.
    Commit(String),
    /// A tree that no commit holds yet, by its full id.
    Tree(String),
}

/// Files by path: the same from disk or from a revision; nobody who reads one asks which.
///
/// Shape: paths relative to the project's root, separated by `/`; only the paths that were asked
/// for when it was taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// Where it was read.
    pub source: SnapshotSource,
    /// Contents by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A file whose bytes are not text.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` is not UTF-8 (byte {offset})")]
pub struct NotText {
    /// The file.
    pub path: String,
    /// The first byte that is not UTF-8, from 0.
    pub offset: usize,
}

impl Snapshot {
    /// An empty snapshot.
    pub fn empty(source: SnapshotSource) -> Self {
        Self { source, files: BTreeMap::new() }
    }

    /// Gives the text of a file, or nothing where it is not there.
    ///
    /// # Errors
    ///
    /// [`NotText`] if the file is not UTF-8.
    pub fn text(&self, path: &str) -> Result<Option<&str>, NotText> {
        let Some(bytes) = self.files.get(path) else { return Ok(None) };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(NotText { path: path.to_owned(), offset: error.valid_up_to() }),
        }
    }

    /// Lists the files below a folder that end in one of `extensions`, in order.
    ///
    /// Shape: `folder` without a slash at its end; `.` or an empty one is the root.
    pub fn below<'a>(&'a self, folder: &str, extensions: &'a [&str]) -> impl Iterator<Item = &'a str> + 'a {
        let prefix = match folder.trim_end_matches('/') {
            "" | "." => String::new(),
            folder => format!("{}/", folder.trim_start_matches("./")),
        };
        self.files
            .keys()
            .filter(move |path| path.starts_with(&prefix))
            .filter(move |path| extensions.iter().any(|extension| path.ends_with(extension)))
            .map(String::as_str)
    }

    /// Gives the commit that it was read from, where it was read from one.
    pub fn commit(&self) -> Option<&str> {
        match &self.source {
            SnapshotSource::Commit(commit) => Some(commit),
            SnapshotSource::WorkTree | SnapshotSource::Tree(_) => None,
        }
    }
}
