//! Which commit took a line away, asked as `git blame --reverse` asks: forward from the base, commit by commit.
//!
//! How often a text is there does not tell it: a line that was moved went from its place and is in the file all
//! the same. Start at [`deleted`].

use std::collections::BTreeMap;
use std::ops::Range;

use git2::{Commit, Oid};

use super::error::GitError;
use super::history::Span;
use super::lines;
use super::tree::{self, Renames};

/// Where a line of the base is by then.
#[derive(Clone, Copy)]
enum Place {
    Here(usize),
    Gone(Oid),
}

/// A file as one commit has it, with the lines that are followed.
#[derive(Clone)]
struct Version {
    path: String,
    places: Vec<Place>,
}

/// Finds the commit that took a line of the base's file away: one of the text among those lines, else anywhere.
///
/// Shape: nothing where it is still there, and where the base has no such line.
///
/// # Errors
///
/// [`GitError::Library`] if an object is missing, as in a history that is cut short.
pub(super) fn deleted(
    span: &Span<'_>,
    path: &str,
    (line, among): (&[u8], &Range<usize>),
) -> Result<Option<Oid>, GitError> {
    let failed = || GitError::doing(format!("cannot read the history of `{path}`"));
    let Some(base) = span.base else { return Ok(None) };
    let tree = span.repository.find_commit(base).and_then(|commit| commit.tree()).map_err(failed())?;
    let Some(entry) = tree::entry(Some(&tree), path).filter(|entry| entry.is_file()) else { return Ok(None) };
    let text = tree::bytes(span.repository, entry)?;
    let same = |(number, text): (usize, &&[u8])| (lines::essence(text) == line).then_some(number);
    let mut wanted: Vec<usize> = lines::split(&text).iter().enumerate().filter_map(same).collect();
    if wanted.iter().any(|number| among.contains(number)) {
        wanted.retain(|number| among.contains(number));
    }
    if wanted.is_empty() {
        return Ok(None);
    }
    let places = wanted.into_iter().map(Place::Here).collect();
    let mut versions = BTreeMap::from([(base, Version { path: path.to_owned(), places })]);
    let mut commits: Vec<Commit<'_>> = span.commits()?.collect();
    commits.reverse();
    for commit in commits {
        let mut came: Option<Version> = None;
        for parent in commit.parents() {
            let Some(before) = versions.get(&parent.id()) else { continue };
            let after = followed(span, before, (&parent, &commit))?;
            came = Some(came.map_or(after.clone(), |other| joined(other, &after, commit.id())));
        }
        versions.extend(came.map(|version| (commit.id(), version)));
    }
    let places = versions.remove(&span.tip).map(|version| version.places).unwrap_or_default();
    Ok(places.into_iter().find_map(|place| match place {
        Place::Gone(commit) => Some(commit),
        Place::Here(_) => None,
    }))
}

/// Follows a file from a parent to its commit.
fn followed(
    span: &Span<'_>,
    before: &Version,
    (parent, commit): (&Commit<'_>, &Commit<'_>),
) -> Result<Version, GitError> {
    let failed = || GitError::doing(format!("cannot read commit {}", commit.id()));
    if parent.tree_id() == commit.tree_id() {
        return Ok(before.clone());
    }
    let (old, new) = (parent.tree().map_err(failed())?, commit.tree().map_err(failed())?);
    let Some(was) = tree::entry(Some(&old), &before.path) else { return Ok(before.clone()) };
    let mut path = before.path.clone();
    let mut is = tree::entry(Some(&new), &path);
    if is.is_none() {
        let changes = tree::changes(span.repository, Some(&old), Some(&new), Renames::Followed)?;
        let renamed =
            changes.into_iter().find(|change| change.old.as_ref().is_some_and(|old| old.path == path));
        if let Some(there) = renamed.and_then(|change| change.new) {
            (path, is) = (there.path, Some(there.entry));
        }
    }
    if is.is_some_and(|is| is.oid == was.oid) {
        return Ok(Version { path, ..before.clone() });
    }
    let after = is.filter(|is| is.is_file()).map(|is| tree::bytes(span.repository, is)).transpose()?;
    let Some(after) = after else {
        let places = before.places.iter().map(|place| gone(*place, commit.id())).collect();
        return Ok(Version { path, places });
    };
    let hunks = lines::hunks(&tree::bytes(span.repository, was)?, &after)?;
    let later = |place: &Place| {
        let Place::Here(line) = *place else { return *place };
        match hunks.iter().rev().find(|hunk| hunk.before.start <= line) {
            Some(hunk) if hunk.before.contains(&line) => Place::Gone(commit.id()),
            Some(hunk) => Place::Here(hunk.after.end + (line - hunk.before.end)),
            None => *place,
        }
    };
    let places = before.places.iter().map(later).collect();
    Ok(Version { path, places })
}

fn gone(place: Place, commit: Oid) -> Place {
    match place {
        Place::Here(_) => Place::Gone(commit),
        Place::Gone(_) => place,
    }
}

/// Joins what came by two parents of a merge: a line is there if it came by one; what only one lacks went before.
fn joined(one: Version, other: &Version, merge: Oid) -> Version {
    let places = one.places.iter().zip(&other.places).map(|pair| match pair {
        (Place::Here(line), _) | (_, Place::Here(line)) => Place::Here(*line),
        (Place::Gone(commit), Place::Gone(other)) => {
            Place::Gone(if *commit == merge { *other } else { *commit })
        }
    });
    Version { places: places.collect(), ..one }
}
