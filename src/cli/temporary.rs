//! The folder for everything temporary that a run makes: one, named after the process, gone with it.
//!
//! A process that is killed takes nothing away. So the folder bears host and process, and the next run takes
//! those away whose process is gone. Nothing else of this program may make temporary files elsewhere.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

/// The folder; it goes with the value.
pub(super) struct Temporary(Option<PathBuf>);

impl Temporary {
    /// Makes the folder, after those of killed runs were taken away.
    ///
    /// Effects: from now on temporary files are made there. Where it cannot be made they are made beside it, and
    /// what needs one says what is wrong.
    pub(super) fn new(host: &str) -> Self {
        let above = std::env::temp_dir();
        let prefix = format!("promote-run-{host}-");
        sweep(&above, &prefix);
        let folder = above.join(format!("{prefix}{}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&folder).is_ok();
        let made = made && tempfile::env::override_temp_dir(&folder).is_ok();
        Self(made.then_some(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            // What stays is taken away by the next run.
            fs::remove_dir_all(folder).unwrap_or_default();
        }
    }
}

fn sweep(above: &Path, prefix: &str) {
    for entry in fs::read_dir(above).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(prefix).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        let gone = |pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        if pid.is_some_and(gone) {
            // Another user's stays; its owner takes it away.
            fs::remove_dir_all(entry.path()).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_processes_that_are_gone_are_taken_away() {
        let above = tempfile::tempdir().unwrap();
        let own = format!("promote-run-here-{}", std::process::id());
        for name in ["promote-run-here-4194303", "promote-run-there-4194303", &own, "promote-run-here-x"] {
            fs::create_dir(above.path().join(name)).unwrap();
        }
        sweep(above.path(), "promote-run-here-");
        let mut left: Vec<String> = fs::read_dir(above.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [own.as_str(), "promote-run-here-x", "promote-run-there-4194303"]);
    }
}
