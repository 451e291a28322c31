//! The files of a tree in a folder, for programs that only know folders.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path};

use super::error::GitError;
use super::name;
use super::revision::Revision;
use super::store::Store;
use super::tree::{self, MODE_SUBMODULE};

/// The mode of a symbolic link.
const MODE_LINK: i32 = 0o120_000;
/// The mode of a file that may be run.
const MODE_EXECUTABLE: i32 = 0o100_755;

impl Store {
    /// Writes the files of a commit or tree into an empty folder, as a checkout without filters would.
    ///
    /// Effects: files, links and folders; a submodule is an empty folder.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if an object is missing; [`GitError::File`] if a file cannot be written, or its path
    /// would leave the folder.
    pub fn export(&self, revision: &Revision, folder: &Path) -> Result<(), GitError> {
        for (path, entry) in tree::files(&self.repository, &self.tree(revision)?)? {
            let path = name::path(&path);
            let place = folder.join(&path);
            let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
            let failed =
                |source: std::io::Error| GitError::File { doing: "write", path: place.clone(), source };
            if !inside {
                return Err(failed(std::io::Error::other("its path leaves the folder")));
            }
            if let Some(above) = place.parent() {
                fs::create_dir_all(above).map_err(failed)?;
            }
            if entry.mode == MODE_SUBMODULE {
                fs::create_dir_all(&place).map_err(failed)?;
                continue;
            }
            let bytes = tree::bytes(&self.repository, entry)?;
            if entry.mode == MODE_LINK {
                symlink(OsStr::from_bytes(&bytes), &place).map_err(failed)?;
                continue;
            }
            fs::write(&place, bytes).map_err(failed)?;
            if entry.mode == MODE_EXECUTABLE {
                fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).map_err(failed)?;
            }
        }
        Ok(())
    }
}
