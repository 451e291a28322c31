//! Files of the working tree written anew: all of them or none, each by rename.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::PromotionError;

/// Files that lie ready beside those that they will replace.
pub(super) struct Rewrite {
    files: Vec<Staged>,
}

/// What a file says before and after.
pub(super) struct Content {
    /// The file.
    pub(super) path: PathBuf,
    /// What it said when it was read.
    pub(super) before: Vec<u8>,
    /// What it is to say.
    pub(super) after: Vec<u8>,
}

struct Staged {
    path: PathBuf,
    before: Vec<u8>,
    ready: NamedTempFile,
}

impl Rewrite {
    /// Writes new contents beside the files; whether they can be written is known then.
    ///
    /// Shape: a link stays, and what it leads to is written.
    ///
    /// # Errors
    ///
    /// [`PromotionError::File`]; nothing is left then.
    pub(super) fn prepare(files: Vec<Content>) -> Result<Self, PromotionError> {
        let files = files.into_iter().map(staged);
        Ok(Self { files: files.collect::<Result<_, _>>()? })
    }

    /// Renames all into place.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Stale`] if a file is not as it was; [`PromotionError::File`]: what was renamed by then is as before.
    pub(super) fn finish(self) -> Result<(), PromotionError> {
        for file in &self.files {
            if read(&file.path)? != file.before {
                let what = format!("`{}` was changed by somebody else meanwhile", file.path.display());
                return Err(PromotionError::Stale { what });
            }
        }
        let mut done: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        for Staged { path, before, ready } in self.files {
            if let Err(error) = ready.persist(&path) {
                for (path, before) in done {
                    let after = read(&path)?;
                    Self::prepare(vec![Content { path, before: after, after: before }])?.finish()?;
                }
                return Err(failed("write", &path)(error.error));
            }
            done.push((path, before));
        }
        Ok(())
    }
}

fn staged(content: Content) -> Result<Staged, PromotionError> {
    let Content { path, before, after } = content;
    let path = fs::canonicalize(&path).map_err(failed("read", &path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut ready =
        tempfile::Builder::new().prefix(".promote-").tempfile_in(folder).map_err(failed("write", &path))?;
    let permissions = fs::metadata(&path).map_err(failed("read", &path))?.permissions();
    ready
        .write_all(&after)
        .and_then(|()| ready.as_file().sync_all())
        .and_then(|()| ready.as_file().set_permissions(permissions))
        .map_err(failed("write", &path))?;
    Ok(Staged { path, before, ready })
}

fn read(path: &Path) -> Result<Vec<u8>, PromotionError> {
    fs::read(path).map_err(failed("read", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PromotionError {
    let path = path.to_owned();
    move |source| PromotionError::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_all_files_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let content = |name: &str, before: &str, after: &str| Content {
            path: path(name),
            before: before.as_bytes().to_vec(),
            after: after.as_bytes().to_vec(),
        };
        let text = |name: &str| fs::read_to_string(path(name)).unwrap();
        for name in ["a", "b"] {
            fs::write(path(name), name).unwrap();
        }
        std::os::unix::fs::symlink("b", path("link")).unwrap();
        let prepare = || Rewrite::prepare(vec![content("a", "a", "A"), content("link", "b", "B")]).unwrap();
        let stale = prepare();
        fs::write(path("b"), "other").unwrap();
        assert!(matches!(stale.finish(), Err(PromotionError::Stale { .. })));
        assert_eq!(text("a"), "a");
        fs::write(path("b"), "b").unwrap();
        prepare().finish().unwrap();
        assert_eq!((text("a"), text("b")), ("A".to_owned(), "B".to_owned()));
        assert!(path("link").is_symlink());
        drop(Rewrite::prepare(vec![content("a", "A", "x")]).unwrap());
        assert!(Rewrite::prepare(vec![content("no", "", "x")]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
