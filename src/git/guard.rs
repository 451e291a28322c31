//! What a merged tree holds that may go wrong elsewhere: warnings, never a refusal.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

use super::error::GitError;
use super::tree::{self, Change, MODE_SUBMODULE};
use crate::model::finding::Finding;
use crate::model::origin::Place;

/// Looks at what a merge brings into the target.
pub(super) fn warnings(result: &git2::Tree<'_>, changes: &[Change]) -> Result<Vec<Finding>, GitError> {
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
    Ok(findings)
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

/// Folds case, and writes every accented letter as a letter and its accents.
fn fold(path: &str) -> String {
    path.chars().flat_map(char::to_lowercase).nfd().collect()
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
            (["\u{17d}lutý.sql", "z\u{30c}luty\u{301}.sql"], 1),
            (["\u{d55c}.sql", "\u{1112}\u{1161}\u{11ab}.sql"], 1),
            (["a.sql", "b.sql"], 0),
        ] {
            let brought = BTreeSet::from([names[1]]);
            assert_eq!(collisions(&files(&names), &brought).len(), count, "{names:?}");
            assert!(collisions(&files(&names), &BTreeSet::new()).is_empty());
        }
    }
}
