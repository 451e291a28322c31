//! The merge as a promotion makes it: once to look, once more to stay.

use crate::git::{self, GitError, MergeRequest, Merged, Revision, Store, Unrelated};
use crate::model::project::{Prefer, Promotion};

use super::protect;
use super::request::Request;

/// How the merge was made, so that it can be made again.
pub(super) struct Merging {
    pub(super) promotion: Promotion,
    pub(super) prefer: Prefer,
    pub(super) project_file: Option<String>,
}

/// Who gives the second opinion on a merge.
pub(super) struct Second<'a> {
    /// The `git` program.
    pub(super) program: Option<&'a git::GitProgram>,
    /// Set when a person wants to stop.
    pub(super) interrupted: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

/// Makes the merge.
pub(super) fn merge(
    store: &Store,
    merging: &Merging,
    request: &Request,
    (source, target): (&Revision, Option<&Revision>),
    second: &Second<'_>,
) -> Result<Merged, GitError> {
    let keys = &merging.promotion.protected_keys;
    let keep = |target: &str, merged: &str| protect::keep_keys(keys, target, merged);
    git::merge(
        store,
        &MergeRequest {
            source,
            target,
            prefer: merging.prefer,
            unrelated: Unrelated::Allowed,
            protected_paths: &merging.promotion.protected_paths,
            project_file: merging.project_file.as_deref(),
            protect_keys: Some(&keep),
            accept_losses: &request.said.accept_loss,
            keep: &request.said.keep,
            resolve: &request.said.resolve,
            program: second.program,
            interrupt: &second.interrupted,
        },
    )
}
