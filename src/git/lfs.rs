//! Git LFS: a tree holds pointers, and what they point to lies in a store of each repository.
//!
//! A push moves pointers only. So what a merge brings is carried from the source's store to the target's first,
//! by `git lfs`; where there is none, a promotion stops before the target gets pointers to nothing.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use git2::Repository;

use super::error::GitError;
use super::program::GitProgram;
use super::revision::Revision;
use super::store::Store;
use super::tree::{self, Change, Entry};
use super::url::{display_url, local_path};

/// How a pointer begins.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// A pointer is never longer, in bytes.
const POINTER_SIZE_BYTES: usize = 1024;
/// How many objects one run is asked for: a command line is not endless.
const BATCH: usize = 500;

/// A pointer that a merge brings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pointer {
    /// Its path.
    pub path: String,
    /// What it points to: SHA-256, in hexadecimal.
    pub object: String,
}

/// Lists the pointers among what a merge brings.
pub(super) fn pointers(repository: &Repository, changes: &[Change]) -> Result<Vec<Pointer>, GitError> {
    let mut pointers = Vec::new();
    let brought = changes.iter().filter_map(|change| {
        let old = change.old.as_ref().map(|old| old.entry.oid);
        change.new.as_ref().filter(|new| new.entry.is_file() && old != Some(new.entry.oid))
    });
    for side in brought {
        if let Some(object) = object(repository, side.entry)? {
            pointers.push(Pointer { path: side.path.clone(), object });
        }
    }
    Ok(pointers)
}

/// Reads what a file points to, where it is a pointer.
fn object(repository: &Repository, entry: Entry) -> Result<Option<String>, GitError> {
    let failed = || GitError::doing(format!("cannot read object {}", entry.oid));
    let odb = repository.odb().map_err(failed())?;
    let (size, _) = odb.read_header(entry.oid).map_err(failed())?;
    if size > POINTER_SIZE_BYTES || size < POINTER.len() {
        return Ok(None);
    }
    let bytes = tree::bytes(repository, entry)?;
    if !bytes.starts_with(POINTER) {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let object = text.lines().find_map(|line| line.strip_prefix("oid sha256:"));
    let hexadecimal =
        |object: &&str| object.len() == 64 && object.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(object.filter(hexadecimal).map(str::to_owned))
}

/// Whether a repository on this machine has all of the objects.
pub fn has_objects(url: &str, pointers: &[Pointer]) -> bool {
    let Some(folder) = local_path(url) else { return false };
    let inner = folder.join(".git");
    let folder = if inner.is_dir() { inner } else { folder };
    pointers.iter().all(|pointer| stored(&folder, &pointer.object))
}

fn stored(git_dir: &Path, object: &str) -> bool {
    git_dir.join("lfs/objects").join(&object[..2]).join(&object[2..4]).join(object).is_file()
}

impl GitProgram {
    /// Whether `git lfs` is there.
    ///
    /// # Errors
    ///
    /// [`GitError::Start`], [`GitError::Interrupted`].
    pub fn has_lfs(&self, store: &Store, interrupt: &AtomicBool) -> Result<bool, GitError> {
        Ok(self.run(store.git_dir()).args(["lfs", "version"]).output(interrupt)?.success())
    }
}

/// Carries what pointers point to from one repository's store to another's.
///
/// Effects: the objects go into this store's own LFS folder, and from there to the target; what either has
/// already is not sent.
///
/// # Errors
///
/// [`GitError::Lfs`] if the source lacks an object or the target takes none.
pub fn carry(
    store: &Store,
    pointers: &[Pointer],
    (from, source, to): (&str, &Revision, &str),
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<(), GitError> {
    let missing: Vec<&Pointer> =
        pointers.iter().filter(|pointer| !stored(store.git_dir(), &pointer.object)).collect();
    if !missing.is_empty() {
        let run = program.run(store.git_dir()).args(["lfs", "fetch", &address(from), source.as_str()]);
        let output = run.output(interrupt)?;
        let lacking = missing.iter().find(|pointer| !stored(store.git_dir(), &pointer.object));
        if let Some(pointer) = lacking {
            let text = if output.success() { "it is not there".to_owned() } else { output.words() };
            return Err(GitError::Lfs { url: display_url(from), path: pointer.path.clone(), text });
        }
    }
    for batch in pointers.chunks(BATCH) {
        let objects = batch.iter().map(|pointer| pointer.object.as_str());
        let run = program.run(store.git_dir()).args(["lfs", "push", "--object-id", &address(to)]);
        let output = run.args(objects).output(interrupt)?;
        if !output.success() {
            let path = batch.first().map(|pointer| pointer.path.clone()).unwrap_or_default();
            return Err(GitError::Lfs { url: display_url(to), path, text: output.words() });
        }
    }
    Ok(())
}

/// Writes a repository's address as `git lfs` takes it: it knows no plain paths.
fn address(url: &str) -> String {
    match local_path(url) {
        Some(path) if !url.starts_with("file:") => format!("file://{}", path.display()),
        _ => url.to_owned(),
    }
}
