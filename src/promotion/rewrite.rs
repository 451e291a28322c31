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

struct Staged {
    path: PathBuf,
    before: Vec<u8>,
    ready: NamedTempFile,
}

impl Rewrite {
    /// Writes new contents beside the files; whether they can be written is known then.
    ///
    /// Shape: each file with its contents before and after; a link stays, and what it leads to is written.
    ///
    /// # Errors
    ///
    /// [`PromotionError::File`]; nothing is left then.
    pub(super) fn prepare(files: Vec<(PathBuf, Vec<u8>, Vec<u8>)>) -> Result<Self, PromotionError> {
        let files = files.into_iter().map(|(path, before, after)| staged(&path, before, &after));
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
                    Self::prepare(vec![(path, after, before)])?.finish()?;
                }
                return Err(failed("write", &path)(error.error));
            }
            done.push((path, before));
        }
        Ok(())
    }
}

fn staged(path: &Path, before: Vec<u8>, after: &[u8]) -> Result<Staged, PromotionError> {
    let path = fs::canonicalize(path).map_err(failed("read", path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut ready =
        tempfile::Builder::new().prefix(".promote-").tempfile_in(folder).map_err(failed("write", &path))?;
    let permissions = fs::metadata(&path).map_err(failed("read", &path))?.permissions();
    ready
        .write_all(after)
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
        let bytes = |text: &str| text.as_bytes().to_vec();
        for name in ["a", "b"] {
            fs::write(path(name), name).unwrap();
        }
        std::os::unix::fs::symlink("b", path("link")).unwrap();
        let prepare = || {
            Rewrite::prepare(vec![
                (path("a"), bytes("a"), bytes("A")),
                (path("link"), bytes("b"), bytes("B")),
            ])
            .unwrap()
        };
        let stale = prepare();
        fs::write(path("b"), "other").unwrap();
        assert!(matches!(stale.finish(), Err(PromotionError::Stale { .. })));
        assert_eq!(fs::read(path("a")).unwrap(), b"a");
        fs::write(path("b"), "b").unwrap();
        prepare().finish().unwrap();
        assert_eq!((fs::read(path("a")).unwrap(), fs::read(path("b")).unwrap()), (bytes("A"), bytes("B")));
        assert!(path("link").is_symlink());
        drop(Rewrite::prepare(vec![(path("a"), bytes("A"), bytes("x"))]).unwrap());
        assert!(Rewrite::prepare(vec![(path("no"), bytes(""), bytes("x"))]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
