//! A repository with a history that is written down as files per commit.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use git2::{Repository, Signature, Time};
use tempfile::TempDir;

use crate::git::tree::{self, Edits, Entry};
use crate::git::{GitProgram, Identity, Prompts, Revision, Store};

/// Nobody interrupts.
pub(super) static CALM: AtomicBool = AtomicBool::new(false);

/// A repository in a temporary folder.
pub(super) struct Sandbox {
    pub(super) folder: TempDir,
    pub(super) repository: Repository,
    clock: Cell<i64>,
}

/// Content of a file with its mode; nothing deletes it.
pub(super) type File<'a> = (&'a str, Option<(&'a [u8], i32)>);

pub(super) const FILE: i32 = 0o100_644;
pub(super) const PROGRAM: i32 = 0o100_755;

#[expect(clippy::unnecessary_wraps, reason = "a file is there or deleted: both stand in one list")]
pub(super) fn text(content: &str) -> Option<(&[u8], i32)> {
    Some((content.as_bytes(), FILE))
}

impl Sandbox {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = git2::RepositoryInitOptions::new();
        options.initial_head("main").external_template(false);
        let repository = Repository::init_opts(folder.path().join("repo"), &options).unwrap();
        let mut config = repository.config().unwrap();
        config.set_str("user.name", "Test").unwrap();
        config.set_str("user.email", "test@example.com").unwrap();
        Self { folder, repository, clock: Cell::new(1_700_000_000) }
    }

    pub(super) fn path(&self) -> &Path {
        self.repository.workdir().unwrap()
    }

    pub(super) fn store(&self) -> Store {
        Store::local(self.path()).unwrap()
    }

    /// Commits changes on top of a parent.
    pub(super) fn commit(&self, parent: Option<&Revision>, who: &str, files: &[File<'_>]) -> Revision {
        let parents: Vec<_> =
            parent.iter().map(|parent| self.repository.find_commit(parent.oid()).unwrap()).collect();
        let before = match parents.first() {
            Some(parent) => parent.tree_id(),
            None => tree::empty(&self.repository).unwrap(),
        };
        let entry =
            |(content, mode): (&[u8], i32)| Entry { oid: self.repository.blob(content).unwrap(), mode };
        let edits: Edits = files.iter().map(|(path, file)| ((*path).to_owned(), file.map(entry))).collect();
        let tree = tree::edited(&self.repository, before, &edits).unwrap();
        let tree = self.repository.find_tree(tree).unwrap();
        self.clock.set(self.clock.get() + 60);
        let time = Time::new(self.clock.get(), 60);
        let signature = Signature::new(who, &format!("{who}@example.com"), &time).unwrap();
        let parents: Vec<_> = parents.iter().collect();
        let message = format!("{who} was here\n");
        self.repository.commit(None, &signature, &signature, &message, &tree, &parents).unwrap().into()
    }

    pub(super) fn branch(&self, name: &str, tip: &Revision) {
        self.repository.reference(&format!("refs/heads/{name}"), tip.oid(), true, "test").unwrap();
    }

    /// Reads all text files of a tree.
    pub(super) fn files(store: &Store, tree: &Revision) -> BTreeMap<String, String> {
        let snapshot = store.snapshot(tree, &|_| true).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        snapshot.files.into_iter().map(|(path, bytes)| (path, text(bytes))).collect()
    }
}

pub(super) fn identity() -> Identity {
    Identity {
        name: "Test".to_owned(),
        email: "test@example.com".to_owned(),
        time_seconds: 1_700_000_000,
        offset_minutes: 0,
    }
}

/// The `git` of this machine; tests that need one are silent without it.
pub(super) fn program() -> Option<GitProgram> {
    GitProgram::find(Some(OsStr::new("/usr/local/bin:/usr/bin:/bin")), Prompts::Refused)
}
