//! Conflicts that no preference settles: what each side did, in words, and settling them by hand.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Tree};

use super::engine::{Attempt, Clash};
use super::error::GitError;
use super::history::{Span, describe};
use super::loss::Sides;
use super::protect::Protection;
use super::tree::{self, Change, Edits, Renames};
use crate::model::finding::Finding;
use crate::model::merge::{Conflict, ConflictKind, Resolution};

/// What settles conflicts.
pub(super) struct Settlement<'a> {
    pub(super) resolve: &'a BTreeMap<String, Resolution>,
    /// What always goes one way, in the order of the project file.
    pub(super) always: &'a [(Protection, Resolution)],
    pub(super) protection: &'a Protection,
}

impl Settlement<'_> {
    fn chosen<'c>(&'c self, clash: &'c Clash) -> BTreeMap<&'c String, Resolution> {
        let chosen = |path| self.resolve.get_key_value(path).map(|(path, resolution)| (path, *resolution));
        let typed: BTreeMap<_, _> = clash.paths.iter().filter_map(chosen).collect();
        if !typed.is_empty() {
            return typed;
        }
        clash.paths.iter().filter_map(|path| Some((path, self.always(path)?))).collect()
    }

    /// Gives how a path is settled without a word.
    fn always(&self, path: &str) -> Option<Resolution> {
        self.always.iter().find(|(paths, _)| paths.covers(path)).map(|(_, resolution)| *resolution)
    }
}

/// An attempt with each conflict settled or named.
pub(super) struct Settled {
    /// The tree; what is not settled stands in it as in the target.
    pub(super) tree: Oid,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) findings: Vec<Finding>,
}

/// Settles what can be settled. `sides.result` is the attempt's tree.
pub(super) fn settle(
    sides: &Sides<'_>,
    attempt: &Attempt,
    source: Oid,
    settlement: &Settlement<'_>,
) -> Result<Settled, GitError> {
    let mut edits = Edits::new();
    let mut conflicts = Vec::new();
    let mut used = BTreeSet::new();
    let words = Words::new(sides, source)?;
    for clash in &attempt.clashes {
        let guarded = clash.paths.iter().any(|path| settlement.protection.covers(path));
        let chosen = settlement.chosen(clash);
        used.extend(chosen.keys().map(|path| (*path).clone()));
        // Whoever settles one path of a conflict settles the others, unless they are settled otherwise.
        let first = chosen.values().next().copied();
        let resolution = |path: &String| chosen.get(path).copied().or(first);
        take(sides, clash, &|path| resolution(path).unwrap_or(Resolution::Target), &mut edits);
        if first.is_some() || !guarded {
            let named = clash.paths.iter().map(|path| words.conflict(path, clash.kind, resolution(path)));
            conflicts.extend(named);
        }
    }
    conflicts.sort_by(|one, other| one.path.cmp(&other.path));
    consistent(&edits)?;
    let tree = tree::edited(sides.repository, attempt.tree, &edits)?;
    let there: Vec<&str> = conflicts.iter().map(|conflict| conflict.path.as_str()).collect();
    let list = if there.is_empty() { "no conflict at all".to_owned() } else { there.join(", ") };
    let unused = settlement.resolve.keys().filter(|path| !used.contains(*path)).map(|path| {
        Finding::warning("matches-nothing", format!("`--resolve {path}` matches no conflict"))
            .hint(format!("there is: {list}"))
    });
    Ok(Settled { tree, findings: unused.collect(), conflicts })
}

/// Refuses a file in the place of a folder that something else is settled to stay in.
fn consistent(edits: &Edits) -> Result<(), GitError> {
    for (inside, _) in edits.iter().filter(|(_, entry)| entry.is_some()) {
        let mut above = inside.match_indices('/').map(|(end, _)| &inside[..end]);
        let file = above
            .find(|path| edits.get(*path).is_some_and(|entry| entry.is_some_and(|entry| !entry.is_tree())));
        if let Some(file) = file {
            return Err(GitError::Contradiction { file: file.to_owned(), inside: inside.clone() });
        }
    }
    Ok(())
}

/// Puts one side's version into the tree, for each path of a conflict.
fn take(sides: &Sides<'_>, clash: &Clash, resolution: &dyn Fn(&String) -> Resolution, edits: &mut Edits) {
    // Git already put the new file where the other side moved its folder: that side's wish is done.
    let moved_by = |tree: &Tree<'_>| !clash.paths.iter().any(|path| tree::entry(Some(tree), path).is_some());
    for path in &clash.paths {
        let side = match resolution(path) {
            Resolution::Source => Some(&sides.source),
            Resolution::Target => Some(&sides.target),
            Resolution::Delete => None,
        };
        if clash.kind == ConflictKind::DirectoryRename && side.is_some_and(moved_by) {
            continue;
        }
        let entry = tree::entry(side, path);
        let stays = entry.is_some_and(tree::Entry::is_tree)
            && tree::entry(Some(&sides.result), path).is_some_and(tree::Entry::is_tree);
        if !stays {
            edits.insert(path.clone(), entry);
        }
    }
}

/// What each side did to a path, in words.
struct Words<'s, 'a> {
    sides: &'s Sides<'a>,
    source: Span<'a>,
    renamed: [BTreeMap<String, String>; 2],
}

impl<'s, 'a> Words<'s, 'a> {
    fn new(sides: &'s Sides<'a>, source: Oid) -> Result<Self, GitError> {
        let span = |tip| Span::new(sides.repository, sides.span.base, tip);
        let renamed = |side: &Tree<'_>| -> Result<BTreeMap<String, String>, GitError> {
            let changes = sides.compared.changes(sides.base.as_ref(), side, Renames::Followed)?;
            let pairs = changes.iter().filter_map(Change::renamed);
            Ok(pairs.map(|[old, new]| (old.to_owned(), new.to_owned())).collect())
        };
        Ok(Self { sides, source: span(source), renamed: [renamed(&sides.source)?, renamed(&sides.target)?] })
    }

    fn conflict(&self, path: &str, kind: ConflictKind, resolution: Option<Resolution>) -> Conflict {
        Conflict {
            path: path.to_owned(),
            kind,
            source: self.deed(path, &self.sides.source, &self.source, &self.renamed[0]),
            target: self.deed(path, &self.sides.target, &self.sides.span, &self.renamed[1]),
            resolution,
        }
    }

    fn deed(
        &self,
        path: &str,
        side: &Tree<'_>,
        span: &Span<'_>,
        renamed: &BTreeMap<String, String>,
    ) -> String {
        let before = tree::entry(self.sides.base.as_ref(), path);
        let deed = match (before, tree::entry(Some(side), path), renamed.get(path)) {
            (_, None, Some(to)) => format!("renamed to `{to}`"),
            (Some(_), None, None) => "deleted".to_owned(),
            (None, None, None) => return "absent".to_owned(),
            (None, Some(entry), _) if entry.is_tree() => "added a folder".to_owned(),
            (None, Some(_), _) => "added".to_owned(),
            (Some(before), Some(after), _) if before == after => return "unchanged".to_owned(),
            (Some(_), Some(_), _) => "modified".to_owned(),
        };
        match span.last_touch(path).and_then(|commit| describe(self.sides.repository, commit)) {
            Some(by) => {
                format!(
                    "{deed} by {} in {} ({})",
                    by.author,
                    by.commit.get(..7).unwrap_or_default(),
                    by.subject
                )
            }
            None => deed,
        }
    }
}
