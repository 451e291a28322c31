//! The merge as a promotion makes it: once to look, once more to stay.

use crate::git::{
    self, GitError, Identity, MergeRequest, Merged, Revision, Selected, Squashed, Store, Unrelated,
};
use crate::model::merge::Part;
use crate::model::project::{Prefer, Promotion};

use super::protect;
use super::request::Request;
use super::structural;

/// How the merge was made, so that it can be made again.
#[derive(Clone)]
pub(super) struct Merging {
    pub(super) promotion: Promotion,
    pub(super) prefer: Prefer,
    pub(super) project_file: Option<String>,
    /// A base for histories that have none.
    pub(super) base: Option<Revision>,
    /// The last promotion, where somebody squashed it.
    pub(super) squashed: Option<Squashed>,
    /// What was promoted in part since the last whole promotion.
    pub(super) selected: Vec<Selected>,
    /// Commits that alone are promoted.
    pub(super) commits: Vec<Revision>,
    /// What comes although only a part was named: what that refers to.
    pub(super) added: Vec<Part>,
    /// Paths that the target took back without a revert, and that come again.
    pub(super) again: Vec<String>,
    /// Reverts in the target that are undone first.
    pub(super) reinstate: Vec<Revision>,
    /// Reverts in the source that are undone first.
    pub(super) spare: Vec<Revision>,
    /// Who undoes them.
    pub(super) by: Identity,
}

impl Merging {
    /// Lists the paths to which the merge is confined.
    fn only(&self, request: &Request) -> Vec<String> {
        let added = self.added.iter().filter_map(|part| part.path.clone());
        request.said.only.iter().cloned().chain(added).collect()
    }

    /// Lists what is promoted before the rest, and why; nothing for the whole.
    pub(super) fn part(&self, request: &Request) -> Vec<Part> {
        let named = |path: &String| Part { path: Some(path.clone()), commit: None, reason: None };
        let commit = |one: &Revision| Part { path: None, commit: Some(one.to_string()), reason: None };
        let named = request.said.only.iter().map(named).chain(self.commits.iter().map(commit));
        named.chain(self.added.iter().cloned()).collect()
    }

    /// Lists the patterns of files that merge by structure; `project` stands for the project's own.
    fn structural(&self, store: &Store, revisions: &[&Revision]) -> Result<Vec<String>, GitError> {
        let mut patterns = Vec::new();
        for word in &self.promotion.structural {
            match (word.as_str(), &self.project_file) {
                ("project", Some(file)) => {
                    patterns.extend(structural::project_files(store, revisions, file)?);
                }
                ("project", None) => {}
                (pattern, _) => patterns.push(pattern.to_owned()),
            }
        }
        Ok(patterns)
    }
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
    let keep = |target: &str, merged: Option<&str>| protect::keep_keys(keys, target, merged);
    let sides: Vec<&Revision> = std::iter::once(source).chain(target).collect();
    let structural = merging.structural(store, &sides)?;
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
            structural: &structural,
            accept_losses: &request.said.accept_loss,
            keep: &request.said.keep,
            resolve: &request.said.resolve,
            always: &merging.promotion.resolve,
            only: &merging.only(request),
            only_commits: &merging.commits,
            selected: &merging.selected,
            squashed: merging.squashed.as_ref(),
            base: merging.base.as_ref(),
            again: &merging.again,
            reinstate: &merging.reinstate,
            spare: &merging.spare,
            by: &merging.by,
            program: second.program,
            interrupt: &second.interrupted,
        },
    )
}
