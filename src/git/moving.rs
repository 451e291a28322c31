//! A note of which refs of a local repository a process is about to move, and what to do where it was killed then.
//!
//! A ref is locked by a file beside it, and a process that is killed leaves that file behind: for ever, since nobody
//! can tell it from one that is in use. The note tells: it names process and refs, is written before the first lock
//! and goes after the last. Whoever finds the note of a process that is gone takes its locks away.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::error::GitError;

/// How the name of a note begins.
const PREFIX: &str = "promote-moving-";
/// Locks are taken at once after the note was written; what is younger by more than this is another's.
const SPAN: Duration = Duration::from_secs(10);

/// What is about to move.
#[derive(Serialize, Deserialize)]
struct Note {
    host: String,
    references: Vec<String>,
}

/// A note of this process; it goes with the value.
pub(super) struct Moving(PathBuf);

impl Moving {
    /// Writes the note, after what killed processes left was taken away.
    pub(super) fn note(folder: &Path, references: &[&str]) -> Result<Self, GitError> {
        sweep(folder);
        let host = host();
        let references = references.iter().map(|reference| (*reference).to_owned()).collect();
        let text = serde_json::to_string(&Note { host, references }).unwrap_or_default();
        let path = folder.join(format!("{PREFIX}{}.json", std::process::id()));
        fs::write(&path, text).map_err(GitError::file("write", &path))?;
        Ok(Self(path))
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        // One that stays names a process that will be gone, and locks that are not there.
        fs::remove_file(&self.0).unwrap_or_default();
    }
}

/// Tells whether a process of this host is gone.
pub(super) fn is_gone(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Takes the locks of processes that are gone.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split(['-', '.']).next()?.parse().ok());
        if pid.is_some_and(is_gone) {
            clear(folder, &entry.path());
        }
    }
}

fn clear(folder: &Path, left: &Path) {
    let note = fs::read(left).ok().and_then(|bytes| serde_json::from_slice::<Note>(&bytes).ok());
    let written = fs::metadata(left).and_then(|meta| meta.modified());
    if note.as_ref().is_some_and(|note| note.host != host()) {
        return;
    }
    // Of several that find it one renames it, and only that one goes on.
    let own = folder.join(format!("{PREFIX}{}-clears.json", std::process::id()));
    if fs::rename(left, &own).is_err() {
        return;
    }
    if let (Some(note), Ok(written)) = (note, written) {
        let locks = note.references.iter().map(String::as_str).chain(["packed-refs"]);
        for lock in locks.map(|reference| folder.join(format!("{reference}.lock"))) {
            if is_of(&lock, written) {
                fs::remove_file(lock).unwrap_or_default();
            }
        }
    }
    fs::remove_file(own).unwrap_or_default();
}

/// Tells whether a lock was taken when the note was written.
fn is_of(lock: &Path, written: SystemTime) -> bool {
    let taken = fs::metadata(lock).and_then(|meta| meta.modified());
    // Clocks of file systems are coarse: a lock may look a little older than the note before it.
    taken.is_ok_and(|taken| taken + Duration::from_secs(1) >= written && taken <= written + SPAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_behind(folder: &Path, pid: u32, host: &str) {
        let note = Note { host: host.to_owned(), references: vec!["refs/heads/main".to_owned()] };
        fs::create_dir_all(folder.join("refs/heads")).unwrap();
        fs::write(folder.join(format!("{PREFIX}{pid}.json")), serde_json::to_string(&note).unwrap()).unwrap();
        fs::write(folder.join("refs/heads/main.lock"), "").unwrap();
    }

    #[test]
    fn the_locks_of_a_process_that_is_gone_go_and_others_stay() {
        let gone = 4_194_303;
        for (pid, host, locked, stays) in [
            (gone, host(), "main", false),
            (std::process::id(), host(), "main", true),
            (gone, "elsewhere".to_owned(), "main", true),
            (gone, host(), "other", true),
        ] {
            let folder = tempfile::TempDir::new().unwrap();
            left_behind(folder.path(), pid, &host);
            let lock = folder.path().join(format!("refs/heads/{locked}.lock"));
            fs::write(&lock, "").unwrap();
            drop(Moving::note(folder.path(), &["refs/heads/main"]).unwrap());
            assert_eq!(lock.exists(), stays, "{pid} {host} {locked}");
        }
    }
}
