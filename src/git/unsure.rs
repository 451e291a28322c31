//! Where the library alone is not to be trusted: there Git may merge otherwise, so a person decides.
//!
//! In: a merge that the library made. Out: the paths at which it is known to differ from Git, each with the
//! reason. Nothing is compared with Git: this is for machines that have none, or one that is too old.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use git2::Tree;

use super::engine::{Attempt, Clash, Favour, Task, by_library};
use super::error::GitError;
use super::protect::Protection;
use super::revision::Revision;
use super::tree::{self, Change, Entry, Renames};
use crate::model::finding::Finding;
use crate::model::merge::ConflictKind;
use crate::model::origin::Place;

/// More renamed files than this are not followed.
const RENAMES: usize = 7000;

/// A place where the library is not to be trusted.
struct Doubt {
    paths: BTreeSet<String>,
    kind: ConflictKind,
    why: &'static str,
}

/// What both sides did since the base.
struct Deeds<'t> {
    target: (Tree<'t>, Rc<[Change]>),
    source: (Tree<'t>, Rc<[Change]>),
}

/// Adds to what the library could not merge what it is not sure of, and says why.
///
/// # Errors
///
/// [`GitError::Unsure`] where so much was renamed that nothing can be told.
pub(super) fn doubted(task: &Task<'_>, mut attempt: Attempt) -> Result<(Attempt, Vec<Finding>), GitError> {
    let base = task.base_tree.or(task.base).map(Revision::from);
    let base = base.map(|base| task.store.tree(&base)).transpose()?;
    let side = |oid: git2::Oid| -> Result<(Tree<'_>, Rc<[Change]>), GitError> {
        let tree = task.store.tree(&oid.into())?;
        let changes = task.compared.changes(base.as_ref(), &tree, Renames::Followed)?;
        Ok((tree, changes))
    };
    let deeds = Deeds { target: side(task.target)?, source: side(task.source)? };
    if [&deeds.target.1, &deeds.source.1].into_iter().any(|changes| renames(changes) > RENAMES) {
        return Err(GitError::Unsure { why: format!("more than {RENAMES} files were renamed on one side") });
    }
    let mut doubts = deeds.renamed_folders(base.as_ref());
    doubts.extend(deeds.renamed_apart());
    doubts.extend(deeds.modes());
    doubts.extend(deeds.attributes(task)?);
    doubts.extend(aligned(task, &attempt)?);
    let mut known: BTreeSet<String> =
        attempt.clashes.iter().flat_map(|clash| clash.paths.iter().cloned()).collect();
    let mut findings = Vec::new();
    for doubt in doubts {
        if !known.is_disjoint(&doubt.paths) {
            continue;
        }
        known.extend(doubt.paths.iter().cloned());
        let names: Vec<String> = doubt.paths.iter().map(|path| format!("`{path}`")).collect();
        let place = Place::file(doubt.paths.first().cloned().unwrap_or_default());
        let message =
            format!("libgit2 alone is not sure how Git would merge {}: {}", names.join(" and "), doubt.why);
        findings.push(
            Finding::warning("unsure", message)
                .at(place)
                .hint("install git 2.45 or newer, or settle it with `--resolve`"),
        );
        attempt.clashes.push(Clash { paths: doubt.paths, kind: doubt.kind });
    }
    Ok((attempt, findings))
}

/// Counts what could be renamed files.
fn renames(changes: &[Change]) -> usize {
    let moved = |change: &&Change| match (&change.old, &change.new) {
        (Some(old), Some(new)) => old.path != new.path,
        (Some(_), None) => true,
        (None, _) => false,
    };
    changes.iter().filter(moved).count()
}

impl Deeds<'_> {
    /// Both ways round: what one side did, with the tree and the deeds of the other.
    fn both(&self) -> [(&[Change], &Tree<'_>, &[Change]); 2] {
        let ((target, own), (source, theirs)) = (&self.target, &self.source);
        [(&**own, source, &**theirs), (&**theirs, target, &**own)]
    }

    /// A file that came into a folder which the other side renamed: Git asks, the library leaves it behind.
    fn renamed_folders(&self, base: Option<&Tree<'_>>) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        for (own, other, theirs) in self.both() {
            let from: Vec<&str> = theirs.iter().filter_map(|change| Some(change.renamed()?[0])).collect();
            let gone = |folder: &str| {
                let inside = format!("{folder}/");
                tree::entry(Some(other), folder).is_none()
                    && from.iter().any(|path| path.starts_with(&inside))
            };
            for new in own.iter().filter_map(|change| change.new.as_ref()) {
                let came = tree::entry(base, &new.path).is_none();
                if came && new.path.match_indices('/').any(|(at, _)| gone(&new.path[..at])) {
                    doubts.push(Doubt {
                        paths: BTreeSet::from([new.path.clone()]),
                        kind: ConflictKind::DirectoryRename,
                        why: "it came into a folder that the other side renamed",
                    });
                }
            }
        }
        doubts
    }

    /// A file that one side renamed and changed, and the other changed or deleted: the pairs may be others.
    fn renamed_apart(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        for (own, _, theirs) in self.both() {
            for change in own {
                let Some([old, new]) = change.renamed() else { continue };
                let exact = change.old.as_ref().map(|side| side.entry.oid)
                    == change.new.as_ref().map(|side| side.entry.oid);
                let other =
                    theirs.iter().find(|other| other.old.as_ref().is_some_and(|side| side.path == old));
                let Some(other) = other.filter(|other| other.new != change.new) else { continue };
                let only_edited = other.new.as_ref().is_some_and(|side| side.path == old);
                if !(exact && only_edited) {
                    doubts.push(Doubt {
                        paths: BTreeSet::from([old.to_owned(), new.to_owned()]),
                        kind: ConflictKind::Content,
                        why: "one side renamed it and the other worked on it",
                    });
                }
            }
        }
        doubts
    }

    /// A file that both sides added with another mode: the library takes one.
    fn modes(&self) -> Vec<Doubt> {
        let added = |changes: &[Change]| -> BTreeMap<String, Entry> {
            let new = changes.iter().filter(|change| change.old.is_none());
            new.filter_map(|change| change.new.as_ref().map(|new| (new.path.clone(), new.entry))).collect()
        };
        let theirs = added(&self.source.1);
        let differ = |path: &String, entry: &Entry| {
            theirs.get(path).is_some_and(|other| other.oid == entry.oid && other.mode != entry.mode)
        };
        let both = added(&self.target.1).into_iter().filter(|(path, entry)| differ(path, entry));
        both.map(|(path, _)| Doubt {
            paths: BTreeSet::from([path]),
            kind: ConflictKind::Mode,
            why: "both sides added it, with different modes",
        })
        .collect()
    }

    /// A file that both sides touched and that `.gitattributes` of the target gives a way to merge: with a
    /// preference the library takes no notice of that.
    fn attributes(&self, task: &Task<'_>) -> Result<Vec<Doubt>, GitError> {
        let mut special = Vec::new();
        for (path, entry) in tree::files(&task.store.repository, &self.target.0)? {
            let Some(folder) = path
                .strip_suffix(".gitattributes")
                .filter(|folder| folder.is_empty() || folder.ends_with('/'))
            else {
                continue;
            };
            let text = tree::bytes(&task.store.repository, entry)?;
            special.extend(merge_patterns(&String::from_utf8_lossy(&text), folder));
        }
        if special.is_empty() {
            return Ok(Vec::new());
        }
        let special = Protection::new(&special)?;
        let (own, theirs) = (tree::paths(&self.target.1), tree::paths(&self.source.1));
        let both = own.intersection(&theirs).filter(|path| special.covers(path));
        Ok(both
            .map(|path| Doubt {
                paths: BTreeSet::from([(*path).to_owned()]),
                kind: ConflictKind::Content,
                why: "an attribute says how it merges",
            })
            .collect())
    }
}

/// Lists the patterns of a `.gitattributes` that say how files merge, from the root.
fn merge_patterns(text: &str, folder: &str) -> Vec<String> {
    let mut patterns = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(pattern) = words.next().filter(|word| !word.starts_with(['#', '['])) else { continue };
        let says = |word: &str| {
            let name = word.trim_start_matches(['-', '!']);
            name == "binary" || name == "merge" || name.starts_with("merge=")
        };
        if words.any(says) {
            let inner = pattern.trim_matches('"').trim_start_matches('/');
            let anywhere = !pattern.trim_matches('"').contains('/');
            let deep = if anywhere { "**/" } else { "" };
            patterns.push(format!("/{folder}{deep}{inner}"));
        }
    }
    patterns
}

/// Files that only the preference merged, or that another alignment of their lines would merge otherwise.
fn aligned(task: &Task<'_>, attempt: &Attempt) -> Result<Vec<Doubt>, GitError> {
    let plain = by_library(task, Favour::Nobody)?;
    let mut doubts: Vec<Doubt> = plain
        .clashes
        .into_iter()
        .map(|clash| Doubt {
            paths: clash.paths,
            kind: clash.kind,
            why: "both sides changed the same lines, and which belong together is a matter of the engine",
        })
        .collect();
    let patient = by_library(task, Favour::Patient)?;
    let repository = &task.store.repository;
    let tree = |oid| repository.find_tree(oid).map_err(GitError::doing("cannot read a merged tree"));
    let (one, other) = (tree(attempt.tree)?, tree(patient.tree)?);
    let differ = tree::changes(repository, Some(&one), Some(&other), Renames::Ignored)?;
    doubts.extend(differ.into_iter().filter_map(|change| change.new.or(change.old)).map(|side| Doubt {
        paths: BTreeSet::from([side.path]),
        kind: ConflictKind::Content,
        why: "two ways to compare its lines merge it differently",
    }));
    Ok(doubts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_patterns_that_say_how_files_merge() {
        let text =
            "# merge=x\n*.lock merge=union\n/a/*.csv -merge\n*.sql text\nb.png binary\n[attr]x merge=y\n";
        assert_eq!(merge_patterns(text, ""), ["/**/*.lock", "/a/*.csv", "/**/b.png"]);
        assert_eq!(merge_patterns("c/*.csv !merge\n*.x merge\n", "in/"), ["/in/c/*.csv", "/in/**/*.x"]);
    }
}
