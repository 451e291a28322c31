//! A project's files in a folder, for programs that only know folders.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::git::{Revision, Store};

use super::error::PromotionError;

/// A folder with the project's files.
pub(super) enum Folder {
    /// The working tree.
    Here(PathBuf),
    /// A tree that was written out; it goes with this.
    Exported(TempDir, String),
}

impl Folder {
    /// Writes a commit or tree out; `prefix` is where the project lies in it.
    ///
    /// # Errors
    ///
    /// [`PromotionError::File`], [`PromotionError::Git`].
    pub(super) fn exported(store: &Store, tree: &Revision, prefix: &str) -> Result<Self, PromotionError> {
        let made = tempfile::Builder::new().prefix("promote-tree-").tempdir();
        let folder = made.map_err(|source| PromotionError::File {
            doing: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        store.export(tree, folder.path())?;
        Ok(Self::Exported(folder, prefix.to_owned()))
    }

    /// Gives the project's folder in it.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Here(folder) => folder.clone(),
            Self::Exported(folder, prefix) => folder.path().join(prefix),
        }
    }
}

/// Gives the folder of an environment that is planned alone: the working tree, or its commit written out.
pub(super) fn folder(
    (root, prefix): (&Path, &str),
    commit: Option<(&Path, &str)>,
) -> Result<Folder, PromotionError> {
    match commit {
        None => Ok(Folder::Here(root.to_path_buf())),
        Some((git_dir, id)) => Folder::exported(&Store::local(git_dir)?, &Revision::new(id)?, prefix),
    }
}
