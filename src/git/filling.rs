//! The first fetch into an empty cache: a clone beside it, whose packs are moved in.
//!
//! `git fetch` walks all that it brought to see whether it hangs together, which takes several times the memory of the
//! transfer; `git clone` has that seen to while the pack is written. What comes after it is little.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use git2::Repository;

use super::error::GitError;
use super::program::GitProgram;
use super::remote::cached_name;
use super::store::{own_prefix, sweep};

/// The parts of a pack in the order in which they may appear: one is used once its index is there.
const PARTS: [&str; 3] = ["pack", "rev", "idx"];

/// Fills an empty cache with a branch of a remote.
///
/// Shape: whether it did; where it cannot (no such branch, a shallow remote) an ordinary fetch says why.
/// Effects: writes packs and one ref of the cache.
///
/// # Errors
///
/// [`GitError::Interrupted`], [`GitError::Start`]; [`GitError::File`] if the cache cannot be written.
pub(super) fn fill(
    cache: &Repository,
    url: &str,
    branch: &str,
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<bool, GitError> {
    sweep(cache.path());
    let beside = tempfile::Builder::new()
        .prefix(&own_prefix("arriving"))
        .tempdir_in(cache.path())
        .map_err(GitError::file("create", cache.path()))?;
    let run = program
        .talk(cache.path(), url)
        .args(["clone", "--bare", "--single-branch", "--no-tags", "--no-local", "--reject-shallow"])
        .args(["--progress", "--template=", "--branch", branch, "--", url])
        .arg(beside.path());
    if !run.output(interrupt)?.success() {
        return Ok(false);
    }
    let reference = format!("refs/heads/{branch}");
    let tip = Repository::open_bare(beside.path()).and_then(|cloned| cloned.refname_to_id(&reference));
    // One with another kind of ids cannot be opened.
    let Ok(tip) = tip else { return Ok(false) };
    let (from, into) = (beside.path().join("objects/pack"), cache.path().join("objects/pack"));
    fs::create_dir_all(&into).map_err(GitError::file("create", &into))?;
    for part in PARTS {
        for file in packs(&from, part)? {
            let place = into.join(file.file_name().unwrap_or_default());
            fs::rename(&file, &place).map_err(GitError::file("write", &place))?;
        }
    }
    let name = cached_name(url, &reference);
    // It tells Git what need not be sent again; where another process writes it at the same time, that one tells it.
    Ok(cache.reference(&name, tip, true, "fetch").is_ok())
}

/// Lists the files of packs with this ending.
fn packs(folder: &Path, part: &str) -> Result<Vec<PathBuf>, GitError> {
    let entries = fs::read_dir(folder).map_err(GitError::file("read", folder))?;
    let files = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(files.filter(|file| file.extension() == Some(OsStr::new(part))).collect())
}
