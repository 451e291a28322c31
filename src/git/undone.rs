//! What a promotion brought and the target has as it was before, without a commit that says so.
//!
//! A revert says which commit it takes back ([`reverted`](super::reverted())). Somebody who copies the old files
//! back, or reverts in another tool, says nothing, and a merge leaves that work out in silence all the same.
//! So contents are compared: along the target's own line, a file that a promotion changed and that is now what
//! it was before that promotion.

use std::collections::BTreeMap;

use git2::{Commit, Sort};

use super::base;
use super::error::GitError;
use super::history::{Span, describe};
use super::reverted::is_promotion;
use super::revision::Revision;
use super::selection::{self, Selected};
use super::store::Store;
use super::tree::{self, Comparisons, Entry, Renames};
use crate::model::merge::Undone;

/// How many commits of the target's own line are looked at.
const LIMIT: usize = 1000;

/// Lists the files of the source that a promotion brought, that the target has taken back, and that a merge's
/// result lacks, ordered by path.
///
/// Shape: nothing where a later promotion of the whole source left the file as it is: that was decided.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing.
pub fn undone(
    store: &Store,
    (target, source): (&Revision, &Revision),
    result: Option<&Revision>,
    selected: &[Selected],
) -> Result<Vec<Undone>, GitError> {
    let Some(base) = base::common(store, target, source)? else { return Ok(Vec::new()) };
    let brought = selection::with_selected(store, base, selected)?.unwrap_or(base);
    let (brought, own) = (store.tree(&brought.into())?, store.tree(target)?);
    let (wanted, result) = (store.tree(source)?, result.map(|result| store.tree(result)).transpose()?);
    let compared = Comparisons::of(&store.repository);
    let mut open: BTreeMap<String, (Option<Entry>, Option<Entry>)> = BTreeMap::new();
    for change in tree::changes(&store.repository, Some(&brought), Some(&own), Renames::Ignored)? {
        let Some(path) = change.old.as_ref().or(change.new.as_ref()).map(|side| side.path.clone()) else {
            continue;
        };
        let in_source = compared.entry(Some(&wanted), &path);
        let arrives = result.as_ref().unwrap_or(&own);
        if compared.entry(Some(arrives), &path) != in_source {
            open.insert(path, (change.old.map(|old| old.entry), change.new.map(|new| new.entry)));
        }
    }
    let span = Span::new(&store.repository, Some(base), target.oid());
    let mut found = Vec::new();
    for commit in line(store, target, source)? {
        if open.is_empty() {
            break;
        }
        if is_promotion(store, &commit, source) {
            found.extend(taken_back(&commit, &mut open)?.into_iter().map(|path| named(&span, path)));
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Takes out the files whose fate this promotion settles, and gives those that it brought and that are gone.
fn taken_back(
    promotion: &Commit<'_>,
    open: &mut BTreeMap<String, (Option<Entry>, Option<Entry>)>,
) -> Result<Vec<String>, GitError> {
    let failed = || GitError::doing(format!("cannot read commit {}", promotion.id()));
    let after = promotion.tree().map_err(failed())?;
    let before = promotion.parent(0).and_then(|parent| parent.tree()).map_err(failed())?;
    let whole = promotion.parent_count() > 1;
    let mut found = Vec::new();
    open.retain(|path, (brought, own)| {
        let (then, earlier) = (tree::entry(Some(&after), path), tree::entry(Some(&before), path));
        let undone = then == *brought && earlier == *own;
        if undone {
            found.push(path.clone());
        }
        let settled = undone || (whole && then == *own);
        !settled
    });
    Ok(found)
}

/// Walks the target's own line, the newest first.
fn line<'s>(store: &'s Store, target: &Revision, source: &Revision) -> Result<Vec<Commit<'s>>, GitError> {
    let walk = || {
        let mut walk = store.repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.simplify_first_parent()?;
        walk.push(target.oid())?;
        walk.hide(source.oid())?;
        Ok(walk)
    };
    let walk = walk().map_err(GitError::doing("cannot walk the target's history"))?;
    let commits = walk.filter_map(Result::ok).take(LIMIT);
    Ok(commits.filter_map(|oid| store.repository.find_commit(oid).ok()).collect())
}

fn named(span: &Span<'_>, path: String) -> Undone {
    let by = span.last_touch(&path).and_then(|commit| describe(span.repository, commit));
    match by {
        Some(by) => Undone {
            path,
            commit: Some(by.commit),
            subject: Some(by.subject),
            author: Some(by.author),
            date: Some(by.date),
        },
        None => Undone { path, commit: None, subject: None, author: None, date: None },
    }
}
