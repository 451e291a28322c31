//! Finding the project file, and reading the working tree.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::error::ConfigError;
use crate::model::snapshot::{Snapshot, SnapshotSource};

/// Names of project files; the first that is there is the project.
const NAMES: [&str; 2] = ["project.yml", "meltano.yml"];

/// Folders at a project's root that are never part of it.
const SKIPPED: [&str; 3] = ["target", ".meltano", "node_modules"];

/// A project file that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovered {
    /// The folder that it lies in: the project's root.
    pub root: PathBuf,
    /// Its name.
    pub file: String,
}

/// Finds the project file: `project.yml`, else `meltano.yml`, from a folder upwards.
///
/// Shape: `explicit` (`--project`) is a file or a folder with one, relative to `start`; `ceiling`
/// is the last folder that is looked into; none is not an error.
///
/// # Errors
///
/// [`ConfigError::NoProject`] or [`ConfigError::NotAFile`] if what `explicit` names is not there or
/// is no project file.
pub fn discover(
    start: &Path,
    explicit: Option<&Path>,
    ceiling: Option<&Path>,
) -> Result<Option<Discovered>, ConfigError> {
    if let Some(explicit) = explicit {
        return named(&start.join(explicit)).map(Some);
    }
    for folder in start.ancestors() {
        if let Some(found) = within(folder) {
            return Ok(Some(found));
        }
        if Some(folder) == ceiling {
            break;
        }
    }
    Ok(None)
}

fn named(path: &Path) -> Result<Discovered, ConfigError> {
    let kind = fs::metadata(path).map_err(|source| {
        if source.kind() == std::io::ErrorKind::NotFound {
            ConfigError::NoProject { path: path.to_owned() }
        } else {
            ConfigError::Unreadable { path: path.to_owned(), source }
        }
    })?;
    if kind.is_dir() {
        return within(path).ok_or_else(|| ConfigError::NoProject { path: path.join(NAMES[0]) });
    }
    let file = path.file_name().and_then(|name| name.to_str());
    match (path.parent(), file) {
        (Some(root), Some(file)) if kind.is_file() => {
            Ok(Discovered { root: root.to_owned(), file: file.to_owned() })
        }
        _ => Err(ConfigError::NotAFile { path: path.to_owned() }),
    }
}

fn within(folder: &Path) -> Option<Discovered> {
    let file = NAMES.into_iter().find(|name| folder.join(name).is_file())?;
    Some(Discovered { root: folder.to_owned(), file: file.to_owned() })
}

/// Whether a snapshot needs this file so that [`load`](super::load) works: YAML anywhere (it may be
/// included), and lock files of plugins.
pub fn is_project_file(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    match extension {
        Some("yml" | "yaml") => true,
        Some("lock") => path.starts_with("plugins/") || path.contains("/plugins/"),
        _ => false,
    }
}

/// Reads the files of the working tree that are wanted.
///
/// Shape: `.git` is skipped, and so are `target`, `.meltano` and `node_modules` at the root; links to folders are not followed; what is
/// neither a file nor a link to one is left out.
/// Effects: reads files below `root`.
///
/// # Errors
///
/// [`ConfigError::Unreadable`] for what cannot be read; [`ConfigError::OutsideLink`] for a wanted
/// file that is a link out of `root`; [`ConfigError::Special`] for one that is a pipe or a device.
pub fn read_work_tree(root: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Snapshot, ConfigError> {
    let mut snapshot = Snapshot::empty(SnapshotSource::WorkTree);
    let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|entry| {
        entry.depth() == 0
            || !entry.file_type().is_dir()
            || !(entry.file_name() == ".git"
                || (entry.depth() == 1 && SKIPPED.iter().any(|skipped| entry.file_name() == *skipped)))
    });
    for entry in walk {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(root).to_owned();
            ConfigError::Unreadable { path, source: error.into() }
        })?;
        let Some(path) = relative(root, entry.path()).filter(|path| wanted(path)) else { continue };
        if let Some(bytes) = read(root, entry.path(), &path, entry.path_is_symlink())? {
            snapshot.files.insert(path, bytes);
        }
    }
    Ok(snapshot)
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> =
        path.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/")).filter(|path| !path.is_empty())
}

fn read(root: &Path, full: &Path, path: &str, link: bool) -> Result<Option<Vec<u8>>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: full.to_owned(), source };
    if link {
        let Ok(real) = fs::canonicalize(full) else { return Ok(None) };
        if !real.starts_with(fs::canonicalize(root).map_err(unreadable)?) {
            return Err(ConfigError::OutsideLink { path: path.to_owned() });
        }
    }
    let kind = fs::metadata(full).map_err(unreadable)?;
    if !kind.is_file() {
        // A folder that a link leads to is not entered; a pipe or device would be waited for.
        return if kind.is_dir() { Ok(None) } else { Err(ConfigError::Special { path: path.to_owned() }) };
    }
    fs::read(full).map(Some).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_upwards_as_far_as_the_ceiling() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let deep = root.join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(root.join("meltano.yml"), "").unwrap();
        let found = |file: &str, root: &Path| Discovered { root: root.to_owned(), file: file.to_owned() };
        assert_eq!(discover(&deep, None, Some(root)).unwrap(), Some(found("meltano.yml", root)));
        assert_eq!(discover(&deep, None, Some(&deep)).unwrap(), None);
        fs::write(root.join("project.yml"), "").unwrap();
        assert_eq!(discover(&deep, None, None).unwrap(), Some(found("project.yml", root)));
        fs::write(root.join("other.yml"), "").unwrap();
        let explicit = discover(root, Some(Path::new("other.yml")), None).unwrap();
        assert_eq!(explicit, Some(found("other.yml", root)));
        assert!(discover(root, Some(Path::new("a")), None).is_err());
        assert!(discover(root, Some(Path::new("no.yml")), None).is_err());
    }

    #[test]
    fn reads_what_is_wanted_and_follows_no_link_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["project.yml", "x/a.yml", "x/b.txt", ".git/c.yml", "target/d.yml"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "a: 1").unwrap();
        }
        std::os::unix::fs::symlink("x/a.yml", root.join("link.yml")).unwrap();
        let snapshot = read_work_tree(root, &is_project_file).unwrap();
        assert_eq!(snapshot.files.keys().collect::<Vec<_>>(), ["link.yml", "project.yml", "x/a.yml"]);
        std::os::unix::fs::symlink("/etc/hostname", root.join("out.yml")).unwrap();
        assert!(matches!(read_work_tree(root, &is_project_file), Err(ConfigError::OutsideLink { .. })));
    }
}
