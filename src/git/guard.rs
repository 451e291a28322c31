//! What a merged tree holds that may go wrong elsewhere: warnings, never a refusal.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Repository};
use unicode_normalization::UnicodeNormalization;

use super::error::GitError;
use super::name;
use super::tree::Change;
use crate::model::finding::Finding;
use crate::model::origin::Place;

/// Looks at what a merge brings into the target.
pub(super) fn warnings(
    repository: &Repository,
    result: &git2::Tree<'_>,
    changes: &[Change],
) -> Result<Vec<Finding>, GitError> {
    // A name that was there before is nothing that is brought.
    let came = changes.iter().filter_map(|change| {
        let old = change.old.as_ref().map(|old| &old.path);
        change.new.as_ref().filter(|new| old != Some(&new.path))
    });
    let names: BTreeSet<&str> = came.map(|side| side.path.as_str()).collect();
    collisions(repository, result.id(), &names)
}

/// Names paths that are one on systems which take no notice of case or of how an accent is written.
///
/// Only the folders of what is brought are read: another pair was there before.
fn collisions(
    repository: &Repository,
    result: Oid,
    brought: &BTreeSet<&str>,
) -> Result<Vec<Finding>, GitError> {
    let mut folders = Folders { repository, read: BTreeMap::new() };
    let mut reported = BTreeSet::new();
    for path in brought {
        let mut variants = vec![(String::new(), result)];
        for part in path.split('/') {
            let name = fold(part);
            let mut next = Vec::new();
            for (above, folder) in variants {
                let found = folders.named(folder, &name)?;
                next.extend(found.into_iter().map(|(name, oid)| (format!("{above}/{name}"), oid)));
            }
            variants = next;
        }
        if variants.len() > 1 {
            let paths = variants.into_iter().map(|(path, _)| path.trim_start_matches('/').to_owned());
            reported.insert(paths.collect::<BTreeSet<String>>());
        }
    }
    Ok(reported.into_iter().filter_map(collision).collect())
}

fn collision(paths: BTreeSet<String>) -> Option<Finding> {
    let list: Vec<String> = paths.iter().map(|path| format!("`{}`", path.escape_debug())).collect();
    let message = format!("{} are one file on macOS and Windows", list.join(" and "));
    let first = paths.into_iter().next()?;
    Some(
        Finding::warning("names-collide", message)
            .at(Place::file(first))
            .hint("rename all but one of them in the source"),
    )
}

/// What a folder holds, by folded name.
type Names = BTreeMap<String, Vec<(String, Oid)>>;

/// Folders of a tree, each read once.
struct Folders<'a> {
    repository: &'a Repository,
    read: BTreeMap<Oid, Names>,
}

impl Folders<'_> {
    /// Gives what a folder holds under a folded name; nothing below a file.
    fn named(&mut self, folder: Oid, name: &str) -> Result<Vec<(String, Oid)>, GitError> {
        if !self.read.contains_key(&folder) {
            let mut names = Names::new();
            match self.repository.find_tree(folder) {
                Ok(tree) => {
                    for entry in &tree {
                        let name = name::shown(entry.name_bytes());
                        names.entry(fold(&name)).or_default().push((name, entry.id()));
                    }
                }
                Err(error) if error.code() == git2::ErrorCode::NotFound => {}
                Err(error) => return Err(GitError::doing("cannot read a folder")(error)),
            }
            self.read.insert(folder, names);
        }
        Ok(self.read.get(&folder).and_then(|names| names.get(name)).cloned().unwrap_or_default())
    }
}

/// Folds case, and writes every accented letter as a letter and its accents.
fn fold(path: &str) -> String {
    path.chars().flat_map(char::to_lowercase).nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn names_that_are_one_elsewhere_are_found() {
        let folder = tempfile::TempDir::new().unwrap();
        let repository = Repository::init_bare(folder.path()).unwrap();
        let entry = tree::Entry { oid: repository.blob(b"x").unwrap(), mode: tree::MODE_FILE };
        let tree = |names: &[&str]| {
            let edits = names.iter().map(|name| ((*name).to_owned(), Some(entry))).collect();
            tree::edited(&repository, tree::empty(&repository).unwrap(), &edits).unwrap()
        };
        for (names, count) in [
            (["a/README.md", "a/Readme.md"], 1),
            (["caf\u{e9}.sql", "cafe\u{301}.sql"], 1),
            (["caf\u{e9}.sql", "cafe.sql"], 0),
            (["\u{17d}lutý.sql", "z\u{30c}luty\u{301}.sql"], 1),
            (["\u{d55c}.sql", "\u{1112}\u{1161}\u{11ab}.sql"], 1),
            (["a.sql", "b.sql"], 0),
            (["a/x.sql", "A/x.sql"], 1),
            (["a/x.sql", "A/y.sql"], 0),
        ] {
            let brought = BTreeSet::from([names[1]]);
            assert_eq!(collisions(&repository, tree(&names), &brought).unwrap().len(), count, "{names:?}");
            assert!(collisions(&repository, tree(&names), &BTreeSet::new()).unwrap().is_empty());
        }
    }
}
