//! Paths and keys that a target keeps as its own.

use std::collections::BTreeSet;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::error::GitError;
use super::loss::Sides;
use super::merge::MergeRequest;
use super::tree::{self, Change, Edits, Entry, Renames};
use crate::model::merge::Protected;

/// Keeps the target's values of protected keys in the project file's merged text.
///
/// Gets the target's text and the merged text, or nothing for that where the merge deletes the file; gives
/// nothing where there is nothing to keep.
pub type ProtectKeys<'a> = dyn Fn(&str, Option<&str>) -> Option<KeysKept> + 'a;

/// A project file with the target's values of protected keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeysKept {
    /// The file's text.
    pub text: String,
    /// The keys whose value would have changed.
    pub protected: Vec<Protected>,
}

/// Compiled patterns of protected paths.
pub(super) struct Protection(GlobSet);

impl Protection {
    /// Compiles patterns: one without a slash matches a name in any folder, one that ends in a slash all below.
    pub(super) fn new(patterns: &[String]) -> Result<Self, GitError> {
        let bad = |glob: &str| {
            let glob = glob.to_owned();
            move |error: globset::Error| GitError::BadPattern { glob, text: error.kind().to_string() }
        };
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let plain = pattern.trim_start_matches("./").trim_start_matches('/');
            let anywhere = !plain.trim_end_matches('/').contains('/') && !pattern.starts_with('/');
            let stem = plain.trim_end_matches('/');
            let stem = if anywhere { format!("**/{stem}") } else { stem.to_owned() };
            let mut add = |pattern: String| -> Result<(), globset::Error> {
                set.add(glob(&pattern)?);
                Ok(())
            };
            if !plain.ends_with('/') {
                add(stem.clone()).map_err(bad(pattern))?;
            }
            add(format!("{stem}/**")).map_err(bad(pattern))?;
        }
        Ok(Self(set.build().map_err(bad(&patterns.join(" ")))?))
    }

    pub(super) fn covers(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

/// Gives the edits that put the target's entries back, and what the source wanted there.
///
/// A file that the source renamed away from or to a protected path is put back on both paths.
fn paths(sides: &Sides<'_>, protection: &Protection) -> Result<(Edits, Vec<Protected>), GitError> {
    let wishes = sides.wanted()?;
    let mut edits = Edits::new();
    let mut protected = Vec::new();
    let mut put_back = |path: &str| {
        let entry = |tree| sides.compared.entry(Some(tree), path);
        let (target, result) = (entry(&sides.target), entry(&sides.result));
        if target != result {
            edits.insert(path.to_owned(), target);
        }
    };
    for change in &*wishes {
        if !change.sides().any(|side| protection.covers(&side.path)) {
            continue;
        }
        change.sides().for_each(|side| put_back(&side.path));
        protected.extend(wish(sides, change));
    }
    let came = sides.compared.changes(Some(&sides.target), &sides.result, Renames::Ignored)?;
    for change in &*came {
        let path = change.new.as_ref().or(change.old.as_ref()).map(|side| side.path.as_str());
        if let Some(path) = path.filter(|path| protection.covers(path)) {
            put_back(path);
        }
    }
    Ok((edits, protected))
}

/// Says what the source wanted at a protected path; nothing where the target is like that already.
fn wish(sides: &Sides<'_>, change: &Change) -> Option<Protected> {
    let path = change.old.as_ref().or(change.new.as_ref()).map(|side| side.path.clone())?;
    let target = tree::entry(Some(&sides.target), &path);
    let source_wanted = match (&change.old, &change.new) {
        (Some(old), Some(new)) if old.path != new.path => Some(format!("renamed to `{}`", new.path)),
        (_, Some(new)) if target == Some(new.entry) => return None,
        (Some(_), Some(_)) => Some("modified".to_owned()),
        (None, Some(_)) => Some("added".to_owned()),
        (Some(_) | None, None) => {
            target?;
            None
        }
    };
    Some(Protected { path: Some(path), key: None, source_wanted })
}

/// A merge with the target's own put back.
pub(super) struct Guarded<'a> {
    pub(super) sides: Sides<'a>,
    pub(super) protected: Vec<Protected>,
    /// The paths that were put back.
    pub(super) paths: BTreeSet<String>,
}

/// Puts protected paths, then protected keys back.
pub(super) fn put_back<'a>(
    mut sides: Sides<'a>,
    protection: &Protection,
    request: &MergeRequest<'_>,
) -> Result<Guarded<'a>, GitError> {
    let (edits, mut protected) = paths(&sides, protection)?;
    let mut put_back: BTreeSet<String> = edits.keys().cloned().collect();
    if !edits.is_empty() {
        let tree = tree::edited(sides.repository, sides.result.id(), &edits)?;
        sides = sides.with_result(tree)?;
    }
    if let (Some(file), Some(protect_keys)) = (request.project_file, request.protect_keys)
        && let Some((edits, keys)) = keys(&sides, file, protect_keys)?
    {
        put_back.extend(edits.keys().cloned());
        let tree = tree::edited(sides.repository, sides.result.id(), &edits)?;
        sides = sides.with_result(tree)?;
        protected.extend(keys);
    }
    Ok(Guarded { sides, protected, paths: put_back })
}

/// Gives the edit that keeps the target's values of protected keys, where the merge changed them.
///
/// The file is followed where the source renamed it; where the source deleted it, it stays with what it protects.
fn keys(
    sides: &Sides<'_>,
    file: &str,
    protect: &ProtectKeys<'_>,
) -> Result<Option<(Edits, Vec<Protected>)>, GitError> {
    let read = |tree: &git2::Tree<'_>, path: &str| -> Result<Option<(Entry, String)>, GitError> {
        let Some(entry) = tree::entry(Some(tree), path).filter(|entry| entry.is_file()) else {
            return Ok(None);
        };
        let text = String::from_utf8(tree::bytes(sides.repository, entry)?).ok();
        Ok(text.map(|text| (entry, text)))
    };
    let (own, there) = places(sides, file)?;
    let Some((before, target)) = read(&sides.target, &own)? else { return Ok(None) };
    let merged = match &there {
        Some(path) => read(&sides.result, path)?,
        None => None,
    };
    let Some(path) = &there else {
        let gone = protect(&target, None);
        return Ok(gone.map(|kept| (Edits::from([(own, Some(before))]), kept.protected)));
    };
    let Some((after, merged)) = merged.filter(|(after, _)| after.oid != before.oid) else { return Ok(None) };
    let Some(kept) = protect(&target, Some(&merged)) else { return Ok(None) };
    let written = sides.repository.blob(kept.text.as_bytes());
    let oid = written.map_err(GitError::doing(format!("cannot write `{path}`")))?;
    Ok(Some((Edits::from([(path.clone(), Some(Entry { oid, ..after }))]), kept.protected)))
}

/// Gives where target and result have the project file; nothing for a result without it.
fn places(sides: &Sides<'_>, file: &str) -> Result<(String, Option<String>), GitError> {
    let is_in = |tree: &git2::Tree<'_>, path: &str| tree::entry(Some(tree), path).is_some();
    if is_in(&sides.target, file) && is_in(&sides.result, file) {
        return Ok((file.to_owned(), Some(file.to_owned())));
    }
    let changes = sides.wanted()?;
    let mut renamed = changes.iter().filter_map(Change::renamed).filter(|names| names.contains(&file));
    // A `meltano.yml` may have become a `project.yml` that does not resemble it any more.
    let other = || {
        let (folder, name) = file.rsplit_once('/').map_or(("", file), |(folder, name)| (folder, name));
        let name = if name == "project.yml" { "meltano.yml" } else { "project.yml" };
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    };
    if is_in(&sides.target, file) {
        let to = renamed.next().map_or_else(other, |[_, new]| new.to_owned());
        let came = is_in(&sides.result, &to) && !is_in(&sides.target, &to);
        return Ok((file.to_owned(), came.then_some(to)));
    }
    let from = renamed.next().map_or_else(other, |[old, _]| old.to_owned());
    Ok((from, is_in(&sides.result, file).then(|| file.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_without_a_slash_match_names_anywhere() {
        let patterns = [".env*", "workspace*.yml", "config/prod/", "deploy/*.yml"].map(str::to_owned);
        let protection = Protection::new(&patterns).unwrap();
        for (path, covered) in [
            (".env", true),
            ("a/.env.prod", true),
            ("workspace.prod.yml", true),
            ("config/prod/a/b.yml", true),
            ("config/dev/a.yml", false),
            ("deploy/a.yml", true),
            ("deploy/a/b.yml", false),
            ("environment", false),
        ] {
            assert_eq!(protection.covers(path), covered, "{path}");
        }
        assert!(Protection::new(&["a[".to_owned()]).is_err());
    }
}
