//! What a merged tree holds that may go wrong elsewhere: warnings, never a refusal.

use std::collections::{BTreeMap, BTreeSet};

use git2::Repository;

use super::error::GitError;
use super::tree::{self, Change, MODE_SUBMODULE};
use crate::model::finding::Finding;
use crate::model::origin::Place;

/// How a pointer of Git LFS begins.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// A pointer is never longer, in bytes.
const POINTER_SIZE_BYTES: usize = 1024;

/// Looks at what a merge brings into the target.
pub(super) fn warnings(
    repository: &Repository,
    result: &git2::Tree<'_>,
    changes: &[Change],
) -> Result<Vec<Finding>, GitError> {
    let brought: Vec<&tree::Located> = changes.iter().filter_map(|change| change.new.as_ref()).collect();
    if brought.is_empty() {
        return Ok(Vec::new());
    }
    let names: BTreeSet<&str> = brought.iter().map(|side| side.path.as_str()).collect();
    let mut findings = collisions(&tree::files(result)?, &names);
    for side in brought.iter().filter(|side| side.entry.mode == MODE_SUBMODULE) {
        let message = format!(
            "submodule `{}` goes to commit {}, and nobody can tell whether its remote has it",
            side.path,
            &side.entry.oid.to_string()[..7]
        );
        findings.push(
            Finding::warning("submodule-unchecked", message)
                .at(Place::file(side.path.clone()))
                .hint("look whether the submodule's commit is pushed"),
        );
    }
    let mut pointers = Vec::new();
    for side in brought.iter().filter(|side| side.entry.is_file()) {
        if is_pointer(repository, side.entry)? {
            pointers.push(side.path.as_str());
        }
    }
    if let Some(first) = pointers.first() {
        let more =
            if pointers.len() == 1 { String::new() } else { format!(" and {} more", pointers.len() - 1) };
        let message =
            format!("`{first}`{more} is a pointer of Git LFS; what it points to is not carried along");
        findings.push(
            Finding::warning("lfs-pointer", message)
                .at(Place::file(*first))
                .hint("`git lfs push` the objects to the target's repository, if that is another one"),
        );
    }
    Ok(findings)
}

fn is_pointer(repository: &Repository, entry: tree::Entry) -> Result<bool, GitError> {
    let failed = || GitError::doing(format!("cannot read object {}", entry.oid));
    let odb = repository.odb().map_err(failed())?;
    let (size, _) = odb.read_header(entry.oid).map_err(failed())?;
    if size > POINTER_SIZE_BYTES || size < POINTER.len() {
        return Ok(false);
    }
    Ok(tree::bytes(repository, entry)?.starts_with(POINTER))
}

/// Names paths that are one on systems which take no notice of case or of how an accent is written.
fn collisions(files: &BTreeMap<String, tree::Entry>, brought: &BTreeSet<&str>) -> Vec<Finding> {
    let mut folded: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for path in files.keys() {
        folded.entry(fold(path)).or_default().push(path);
    }
    let both = folded.into_values().filter(|paths| paths.len() > 1);
    both.filter(|paths| paths.iter().any(|path| brought.contains(path)))
        .map(|paths| {
            let list: Vec<String> = paths.iter().map(|path| format!("`{}`", path.escape_debug())).collect();
            let message = format!("{} are one file on macOS and Windows", list.join(" and "));
            Finding::warning("names-collide", message)
                .at(Place::file(paths[0]))
                .hint("rename all but one of them in the source")
        })
        .collect()
}

/// Folds case, and writes the accented letters of Latin-1 as a letter and its accent.
fn fold(path: &str) -> String {
    path.chars().flat_map(char::to_lowercase).flat_map(decomposed).collect()
}

fn decomposed(character: char) -> impl Iterator<Item = char> {
    let pairs = [
        ("àèìòù", "aeiou", '\u{300}'),
        ("áéíóúý", "aeiouy", '\u{301}'),
        ("âêîôû", "aeiou", '\u{302}'),
        ("ãñõ", "ano", '\u{303}'),
        ("äëïöüÿ", "aeiouy", '\u{308}'),
        ("å", "a", '\u{30a}'),
        ("ç", "c", '\u{327}'),
    ];
    let found = pairs.into_iter().find_map(|(composed, bare, accent)| {
        let at = composed.chars().position(|other| other == character)?;
        Some((bare.chars().nth(at)?, accent))
    });
    let (letter, accent) = found.map_or((character, None), |(letter, accent)| (letter, Some(accent)));
    std::iter::once(letter).chain(accent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_one_elsewhere_are_found() {
        let entry = tree::Entry { oid: git2::Oid::ZERO_SHA1, mode: tree::MODE_FILE };
        let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), entry)).collect();
        for (names, count) in [
            (["a/README.md", "a/Readme.md"], 1),
            (["caf\u{e9}.sql", "cafe\u{301}.sql"], 1),
            (["caf\u{e9}.sql", "cafe.sql"], 0),
            (["a.sql", "b.sql"], 0),
        ] {
            let brought = BTreeSet::from([names[1]]);
            assert_eq!(collisions(&files(&names), &brought).len(), count, "{names:?}");
            assert!(collisions(&files(&names), &BTreeSet::new()).is_empty());
        }
    }
}
