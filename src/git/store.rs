//! A place with the objects of both sides: the local repository, or the bare cache.
//!
//! Everything else of this room works on a store. A speculative one keeps what it writes in memory
//! and in a folder of its own that goes with it, so that planning leaves nothing behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use git2::{ObjectType, Oid, Repository, RepositoryInitOptions, Tree};
use tempfile::TempDir;

use super::error::GitError;
use super::moving::is_gone;
use super::program::GitProgram;
use super::revision::Revision;
use super::tree;
use crate::model::finding::Finding;
use crate::model::snapshot::{Snapshot, SnapshotSource};

/// An object store that holds both sides.
pub struct Store {
    pub(super) repository: Repository,
    /// Remembers objects as they were read, beside the parsed ones that the repository remembers. The library keeps
    /// one of the two where it has one place for both, and a walk reads each commit from disk again that was parsed.
    _raw: Option<Repository>,
    scratch: Option<TempDir>,
    findings: Vec<Finding>,
}

impl Store {
    /// Opens the repository at or above a folder.
    ///
    /// # Errors
    ///
    /// [`GitError::NoRepository`] if there is none; [`GitError::ObjectFormat`] if it is one of SHA-256.
    pub fn local(path: &Path) -> Result<Self, GitError> {
        let repository = Repository::discover(path).map_err(|error| {
            let (url, text) = (path.display().to_string(), error.message().to_owned());
            if text.contains("object format") {
                GitError::ObjectFormat { url }
            } else {
                GitError::NoRepository { url, text }
            }
        })?;
        Ok(Self::of(repository))
    }

    /// Opens the cache in a folder, and makes it where there is none or where it is corrupt.
    ///
    /// Effects: a new cache is made beside the folder and renamed into place; a corrupt one is moved
    /// away first, deleted, and named by a finding (`cache-rebuilt`).
    ///
    /// # Errors
    ///
    /// [`GitError::File`] if the folder cannot be written.
    pub fn cache(folder: &Path) -> Result<Self, GitError> {
        let mut findings = Vec::new();
        if folder.exists() {
            match sound(folder) {
                Ok(repository) => return Ok(Self::of(repository)),
                Err(why) => {
                    remove_corrupt(folder)?;
                    findings.push(Finding::warning(
                        "cache-rebuilt",
                        format!("the cache `{}` was not whole and is made anew: {why}", folder.display()),
                    ));
                }
            }
        }
        let repository = create(folder)?;
        Ok(Self { findings, ..Self::of(repository) })
    }

    /// Looks whether every object that a cache promises is there and whole, and throws it away where not.
    ///
    /// Shape: what was found; nothing where the cache is whole or not there. It reads the whole cache, so it is
    /// for when something went wrong with it.
    /// Effects: a broken cache is moved away and deleted.
    ///
    /// # Errors
    ///
    /// [`GitError::Start`], [`GitError::Interrupted`]; [`GitError::File`] if it cannot be moved away.
    pub fn discard_broken(
        folder: &Path,
        program: &GitProgram,
        interrupt: &AtomicBool,
    ) -> Result<Option<Finding>, GitError> {
        if !folder.exists() {
            return Ok(None);
        }
        let run = program.run(folder).args(["fsck", "--no-dangling", "--no-progress", "--no-reflogs"]);
        let output = run.output(interrupt)?;
        if output.success() {
            return Ok(None);
        }
        remove_corrupt(folder)?;
        let words = format!("{}\n{}", output.words(), output.text());
        let why = words.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it cannot be read");
        Ok(Some(Finding::warning(
            "cache-rebuilt",
            format!("the cache `{}` was not whole and is made anew: {why}", folder.display()),
        )))
    }

    /// Opens the same objects anew so that what is written from now on stays in memory or in a folder
    /// that goes with the store.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`], [`GitError::File`] if it cannot be opened a second time.
    pub fn speculative(&self) -> Result<Self, GitError> {
        let failed = || GitError::doing("cannot open the repository a second time");
        let repository = Repository::open(self.repository.path()).map_err(failed())?;
        let scratch = tempfile::Builder::new()
            .prefix("promote-objects-")
            .tempdir()
            .map_err(GitError::file("create", std::env::temp_dir()))?;
        let objects = scratch.path().join("objects");
        fs::create_dir(&objects).map_err(GitError::file("create", &objects))?;
        {
            let odb = repository.odb().map_err(failed())?;
            odb.add_disk_alternate(&objects.to_string_lossy()).map_err(failed())?;
            odb.add_new_mempack_backend(1000).map_err(failed())?;
        }
        Ok(Self { scratch: Some(scratch), ..Self::of(repository) })
    }

    fn of(repository: Repository) -> Self {
        let raw = repository.odb().and_then(Repository::from_odb).ok();
        Self { repository, _raw: raw, scratch: None, findings: Vec::new() }
    }

    /// Gives what a person should know about opening it.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Gives the folder of the repository's own files (`.git`, or the bare repository).
    pub fn git_dir(&self) -> &Path {
        self.repository.path()
    }

    /// Gives the work tree's folder, where there is one.
    pub fn work_dir(&self) -> Option<&Path> {
        self.repository.workdir()
    }

    /// Gives the address of a remote (`origin`), as the repository's configuration has it.
    pub fn remote_url(&self, name: &str) -> Option<String> {
        let remote = self.repository.find_remote(name).ok()?;
        remote.url().ok().map(str::to_owned)
    }

    /// Gives the branch that is checked out, also one without a commit; nothing when detached.
    pub fn current_branch(&self) -> Option<String> {
        let head = self.repository.find_reference("HEAD").ok()?;
        let target = head.symbolic_target().ok()??;
        target.strip_prefix("refs/heads/").map(str::to_owned)
    }

    /// Gives the user that the repository's configuration names: name and mail.
    pub fn configured_user(&self) -> Option<(String, String)> {
        let config = self.repository.config().ok()?.snapshot().ok()?;
        Some((config.get_string("user.name").ok()?, config.get_string("user.email").ok()?))
    }

    /// Gives the commit that a ref points to, where there is such a ref.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if the ref is there and cannot be read.
    pub fn tip(&self, refname: &str) -> Result<Option<Revision>, GitError> {
        let failed = || GitError::doing(format!("cannot read `{refname}`"));
        match self.repository.find_reference(refname) {
            Ok(reference) => {
                let commit = reference.peel_to_commit().map_err(failed())?;
                Ok(Some(commit.id().into()))
            }
            Err(error)
                if matches!(error.code(), git2::ErrorCode::NotFound | git2::ErrorCode::InvalidSpec) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed()(error)),
        }
    }

    /// Finds the commit that a name means: a full or short id, a branch, a tag, `HEAD~2`.
    ///
    /// # Errors
    ///
    /// [`GitError::NoCommit`] if it means none.
    pub fn resolve(&self, name: &str) -> Result<Revision, GitError> {
        self.repository
            .revparse_single(name)
            .and_then(|object| object.peel_to_commit())
            .map(|commit| commit.id().into())
            .map_err(|_| GitError::NoCommit { name: name.to_owned() })
    }

    /// Lists the local branches, in order.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if the refs cannot be read.
    pub fn branches(&self) -> Result<Vec<String>, GitError> {
        let failed = || GitError::doing("cannot list the branches");
        let mut names = Vec::new();
        for reference in self.repository.references_glob("refs/heads/*").map_err(failed())? {
            let reference = reference.map_err(failed())?;
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            names.extend(name.strip_prefix("refs/heads/").map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Gives the tree of a commit, or the tree itself.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if the object is not there or is neither.
    pub fn tree_of(&self, revision: &Revision) -> Result<Revision, GitError> {
        Ok(self.tree(revision)?.id().into())
    }

    pub(super) fn tree(&self, revision: &Revision) -> Result<Tree<'_>, GitError> {
        self.repository
            .find_object(revision.oid(), None)
            .and_then(|object| object.peel_to_tree())
            .map_err(GitError::doing(format!("cannot read tree {revision}")))
    }

    /// Reads the wanted files of a commit or tree; links and submodules are left out.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if an object is missing.
    pub fn snapshot(&self, revision: &Revision, wanted: &dyn Fn(&str) -> bool) -> Result<Snapshot, GitError> {
        let tree = self.tree(revision)?;
        let source = if tree.id() == revision.oid() {
            SnapshotSource::Tree(revision.to_string())
        } else {
            SnapshotSource::Commit(revision.to_string())
        };
        let mut snapshot = Snapshot::empty(source);
        for (path, entry) in tree::files_where(&self.repository, &tree, wanted)? {
            if entry.is_file() {
                snapshot.files.insert(path, tree::bytes(&self.repository, entry)?);
            }
        }
        Ok(snapshot)
    }

    /// Reads one file of a commit or tree, where it is there.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if an object is missing.
    pub fn read_file(&self, revision: &Revision, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let tree = self.tree(revision)?;
        match tree::entry(Some(&tree), path) {
            Some(entry) if entry.is_file() => tree::bytes(&self.repository, entry).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Counts the commits that each side has and the other lacks: ahead, behind.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if a commit is missing.
    pub fn ahead_behind(&self, one: &Revision, other: &Revision) -> Result<(usize, usize), GitError> {
        self.repository
            .graph_ahead_behind(one.oid(), other.oid())
            .map_err(GitError::doing("cannot compare two histories"))
    }

    /// Tells whether two commits have one in common.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if a commit is missing.
    pub fn is_related(&self, one: &Revision, other: &Revision) -> Result<bool, GitError> {
        Ok(super::base::common(self, one, other)?.is_some())
    }

    /// Tells whether a commit is `ancestor` or has it in its past.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if a commit is missing.
    pub fn contains(&self, commit: &Revision, ancestor: &Revision) -> Result<bool, GitError> {
        if commit == ancestor {
            return Ok(true);
        }
        self.repository
            .graph_descendant_of(commit.oid(), ancestor.oid())
            .map_err(GitError::doing("cannot compare two histories"))
    }

    /// Tells whether an object is in the store.
    pub fn has(&self, revision: &Revision) -> bool {
        self.repository.odb().is_ok_and(|odb| odb.exists(revision.oid()))
    }

    /// Copies a tree or commit, with all of its trees and files that are missing here, from another store.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`] if an object can be read in neither or not be written.
    pub fn adopt(&self, from: &Self, revision: &Revision) -> Result<(), GitError> {
        adopt(&self.repository, &from.repository, revision.oid())
            .map_err(GitError::doing(format!("cannot copy object {revision}")))
    }

    /// The folder for objects of subprocesses, in a speculative store.
    pub(super) fn scratch(&self) -> Option<PathBuf> {
        self.scratch.as_ref().map(|scratch| scratch.path().join("objects"))
    }

    /// Writes what only a speculative store's memory holds to where subprocesses see it.
    pub(super) fn show(&self, revision: &Revision) -> Result<(), GitError> {
        let Some(scratch) = &self.scratch else { return Ok(()) };
        let failed = || GitError::doing(format!("cannot copy object {revision}"));
        let aside = Repository::init_bare(scratch.path()).map_err(failed())?;
        aside
            .odb()
            .and_then(|odb| odb.add_disk_alternate(&self.objects().to_string_lossy()))
            .map_err(failed())?;
        adopt(&aside, &self.repository, revision.oid()).map_err(failed())
    }

    /// The folder of the repository's objects.
    pub(super) fn objects(&self) -> PathBuf {
        self.repository.commondir().join("objects")
    }
}

pub(super) fn adopt(into: &Repository, from: &Repository, oid: Oid) -> Result<(), git2::Error> {
    let (target, origin) = (into.odb()?, from.odb()?);
    if target.exists(oid) {
        return Ok(());
    }
    let object = origin.read(oid)?;
    // Children first: an object that is there has all that it refers to.
    match object.kind() {
        ObjectType::Tree => {
            for entry in &from.find_tree(oid)? {
                if entry.kind() != Some(ObjectType::Commit) {
                    adopt(into, from, entry.id())?;
                }
            }
        }
        ObjectType::Commit => {
            let commit = from.find_commit(oid)?;
            adopt(into, from, commit.tree_id())?;
            for parent in commit.parent_ids() {
                adopt(into, from, parent)?;
            }
        }
        ObjectType::Any | ObjectType::Blob | ObjectType::Tag => {}
    }
    target.write(object.kind(), object.data()).map(|_| ())
}

/// Opens a cache and looks whether every tip that it promises can be read; says what is wrong with it.
fn sound(folder: &Path) -> Result<Repository, String> {
    let repository = readable(folder).map_err(|error| error.message().to_owned())?;
    // Git takes what such a cache lacks for granted, and a merge or its losses would be wrong.
    if repository.is_shallow() {
        return Err("its history is cut short (shallow)".to_owned());
    }
    let config = repository.config().and_then(|mut config| config.snapshot());
    if config.is_ok_and(|config| config.get_string("extensions.partialclone").is_ok()) {
        return Err("it lacks files on purpose (a partial clone)".to_owned());
    }
    Ok(repository)
}

fn readable(folder: &Path) -> Result<Repository, git2::Error> {
    let repository = Repository::open_bare(folder)?;
    repository.find_reference("HEAD")?;
    repository.config()?.snapshot()?.get_bool("core.bare")?;
    for reference in repository.references()? {
        let commit = reference?.peel_to_commit()?;
        commit.tree()?;
    }
    Ok(repository)
}

fn remove_corrupt(folder: &Path) -> Result<(), GitError> {
    let parent = folder.parent().unwrap_or(folder);
    sweep(parent);
    let grave = tempfile::Builder::new()
        .prefix(&own_prefix("corrupt"))
        .tempdir_in(parent)
        .map_err(GitError::file("create", parent))?;
    match fs::rename(folder, grave.path().join("cache")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(GitError::file("move away", folder)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes a bare repository so that it is either whole or not there.
fn create(folder: &Path) -> Result<Repository, GitError> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(GitError::file("create", parent))?;
    sweep(parent);
    let made = tempfile::Builder::new()
        .prefix(&own_prefix("new"))
        .tempdir_in(parent)
        .map_err(GitError::file("create", parent))?;
    let inside = made.path().join("cache");
    let failed = || GitError::doing(format!("cannot make the cache `{}`", folder.display()));
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false).initial_head("main");
    Repository::init_opts(&inside, &options).map_err(failed())?;
    match fs::rename(&inside, folder) {
        Ok(()) => {}
        // Somebody else was quicker; theirs is as good.
        Err(_) if folder.join("HEAD").exists() => {}
        Err(error) => return Err(GitError::file("create", folder)(error)),
    }
    Repository::open_bare(folder).map_err(failed())
}

/// Begins the name of a folder that this process is making or throwing away.
pub(super) fn own_prefix(kind: &str) -> String {
    format!("{kind}-{}-", std::process::id())
}

/// Deletes what killed processes were making or throwing away; what cannot be deleted does no harm.
pub(super) fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut parts = name.split('-');
        let kind = parts.next().unwrap_or_default();
        let pid = parts.next().and_then(|pid| pid.parse().ok());
        if matches!(kind, "new" | "corrupt" | "arriving") && pid.is_some_and(is_gone) {
            fs::remove_dir_all(entry.path()).unwrap_or_default();
        }
    }
}
