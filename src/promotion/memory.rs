//! What is remembered between plans, in files of the cache: lost without harm, never with a secret in it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::config::{self, Mask};
use crate::migration::Memory;

/// How many answers are kept; the oldest go.
const LIMIT: usize = 64;

/// Keeps answers as files.
pub(super) struct FileMemory {
    folder: PathBuf,
    mask: Mask,
}

impl FileMemory {
    /// Keeps answers below a cache's folder; none that holds what `mask` hides, or a variable's value whose
    /// name is a secret's.
    pub(super) fn new(cache: &Path, variables: &BTreeMap<String, String>, mut mask: Mask) -> Self {
        let secret = variables.iter().filter(|(name, _)| config::is_secret_name(name));
        mask.extend(Mask::new(secret.map(|(_, value)| value.clone())));
        Self { folder: cache.join("declared"), mask }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    /// Deletes the oldest answers; another process may be at it too.
    fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut aged: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .collect();
        aged.sort();
        for (_, path) in aged.iter().rev().skip(LIMIT) {
            fs::remove_file(path).unwrap_or_default();
        }
    }
}

impl Memory for FileMemory {
    fn recall(&self, key: &str) -> Option<String> {
        fs::read_to_string(self.path(key)).ok()
    }

    fn keep(&mut self, key: &str, text: &str) {
        if self.mask.text(text) != text {
            return;
        }
        // A cache that cannot be written is no cache, and nothing else is wrong. A file that is not whole is known by
        // its seal, so it needs no other name while it is written.
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            let mut options = OpenOptions::new();
            let mut file =
                options.create(true).write(true).truncate(true).mode(0o600).open(self.path(key))?;
            file.write_all(text.as_bytes())
        });
        if written.is_ok() {
            self.prune();
        }
    }
}
