//! What can go wrong with repositories, merges and transport.

use std::path::PathBuf;

use super::lock::LockHolder;

/// A fault of the repository, of a merge or of a transport.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The object library failed.
    #[error("{doing}: {}", .source.message())]
    Library {
        /// What was attempted: `cannot read tree …`.
        doing: String,
        /// The library's error.
        #[source]
        source: git2::Error,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {doing} `{}`", .path.display())]
    File {
        /// What was attempted: `create`, `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// There is no `git` program, and what is wanted needs one.
    #[error("cannot {doing}: no `git` program is on the PATH")]
    NoProgram {
        /// What needs it: `fetch from …`.
        doing: String,
    },
    /// The `git` program ended with an error that has no meaning of its own.
    #[error("`git {command}` failed: {text}")]
    Program {
        /// The subcommand.
        command: String,
        /// What it said, without secrets.
        text: String,
    },
    /// The `git` program could not be started.
    #[error("cannot start `{}`", .path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A revert cannot be undone: later work stands in the way.
    #[error("cannot undo the revert {commit}: later work changed {}", .paths.join(", "))]
    CannotReinstate {
        /// The revert.
        commit: String,
        /// Where.
        paths: Vec<String>,
    },
    /// A commit cannot be promoted by itself.
    #[error("commit {} cannot be promoted by itself: {why}", .commit.get(..7).unwrap_or_default())]
    CannotPick {
        /// The commit, full id.
        commit: String,
        /// Why not.
        why: String,
    },
    /// Somebody interrupted the work.
    #[error("interrupted")]
    Interrupted,
    /// There is no repository.
    #[error("`{url}` is not a Git repository")]
    NoRepository {
        /// Where one was expected, without secrets.
        url: String,
        /// What the server or library said.
        text: String,
    },
    /// A repository names its objects by SHA-256, which the object library does not read.
    #[error("`{url}` names its objects by sha256; promotions work on repositories that name them by sha1")]
    ObjectFormat {
        /// The repository, without secrets.
        url: String,
    },
    /// A repository whose history is cut short.
    #[error("`{url}` is a shallow clone: its history ends early, and what was done before is not to be seen")]
    Shallow {
        /// The repository, without secrets.
        url: String,
    },
    /// A name means no commit.
    #[error("`{name}` is no commit of this repository")]
    NoCommit {
        /// The name.
        name: String,
    },
    /// A branch or prefix makes no valid name of a ref.
    #[error("`{name}` is no valid name of a ref")]
    BadName {
        /// The ref.
        name: String,
    },
    /// A repository does not answer.
    #[error("cannot reach `{url}`: {text}")]
    Unreachable {
        /// The repository, without secrets.
        url: String,
        /// What was said.
        text: String,
    },
    /// The two histories have nothing in common, and nobody allowed that.
    #[error("the histories of source `{source_commit}` and target `{target_commit}` are unrelated")]
    Unrelated {
        /// The source's tip.
        source_commit: String,
        /// The target's tip.
        target_commit: String,
    },
    /// Two words settle conflicts so that both cannot be.
    #[error("`--resolve` puts a file at `{file}` and keeps `{inside}` in a folder of that name")]
    Contradiction {
        /// The path of the file.
        file: String,
        /// The path below it.
        inside: String,
    },
    /// A protected path is no glob.
    #[error("`{glob}` is no pattern of paths: {text}")]
    BadPattern {
        /// The pattern.
        glob: String,
        /// Why not.
        text: String,
    },
    /// The accounting found target-only work in neither result, source nor report.
    #[error(
        "line {line} of the target's `{path}` is neither in the result, nor in the source, nor in the report"
    )]
    Unaccounted {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u32,
    },
    /// Work of the source is not in the result, and nothing says why.
    #[error("the merge leaves work of the source out, and nothing says why: {}", .paths.join(", "))]
    NotArrived {
        /// Where.
        paths: Vec<String>,
    },
    /// The library alone cannot tell how Git would merge.
    #[error("libgit2 alone is not sure how Git would merge: {why}")]
    Unsure {
        /// Why.
        why: String,
    },
    /// What a pointer of Git LFS points to cannot be carried.
    #[error("cannot carry what `{path}` points to, an object of Git LFS, by way of `{url}`: {text}")]
    Lfs {
        /// The repository that lacks it or does not take it, without secrets.
        url: String,
        /// The pointer.
        path: String,
        /// What was said.
        text: String,
    },
    /// Somebody else is promoting.
    #[error("locked by {holder} since {}", .holder.at)]
    Locked {
        /// The ref.
        reference: String,
        /// Who holds it.
        holder: Box<LockHolder>,
    },
    /// The target branch is not where it was.
    #[error("`{reference}` of `{url}` moved")]
    Moved {
        /// The ref that moved.
        reference: String,
        /// The repository, without secrets.
        url: String,
    },
    /// Only the journal is not where it was: the same push can be tried with a new entry.
    #[error("the journal `{reference}` of `{url}` moved")]
    JournalMoved {
        /// The ref that moved.
        reference: String,
        /// The repository, without secrets.
        url: String,
    },
    /// The lock is not ours any more.
    #[error("the lock `{reference}` of `{url}` was taken over")]
    LockLost {
        /// The ref.
        reference: String,
        /// The repository, without secrets.
        url: String,
    },
    /// The server refused.
    #[error("`{url}` rejected the push: {text}")]
    Rejected {
        /// The repository, without secrets.
        url: String,
        /// The server's words.
        text: String,
    },
    /// Another program writes this ref right now, or was killed while it did.
    #[error("`{reference}` of `{url}` is being written by another program")]
    Busy {
        /// The ref.
        reference: String,
        /// The repository.
        url: String,
    },
    /// A record of the journal is not what its successor says, or cannot be read.
    #[error("record {number} of the journal is broken: {text}")]
    Journal {
        /// The record's number.
        number: u64,
        /// What is wrong.
        text: String,
    },
    /// A lock ref holds something else than a lock.
    #[error("`{reference}` holds no lock: {text}")]
    BadLock {
        /// The ref or commit.
        reference: String,
        /// What is wrong.
        text: String,
    },
    /// Files of a checked-out branch were changed by somebody else, so it cannot follow.
    #[error("the work tree `{}` has changes of its own: {}", .path.display(), .files.join(", "))]
    Dirty {
        /// The work tree.
        path: PathBuf,
        /// The files.
        files: Vec<String>,
    },
}

impl GitError {
    /// Gives a function that adds what was attempted to an error of the library.
    pub(super) fn doing(doing: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        move |source| Self::Library { doing: doing.into(), source }
    }

    /// Gives a function that adds file and attempt to an error of the file system.
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::File { doing, path: path.into(), source }
    }
}
