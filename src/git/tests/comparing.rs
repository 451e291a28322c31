//! Comparing trees and blaming lines: the same answers as the library's own, which reads everything.

use std::path::Path;

use git2::{BlameOptions, Delta, DiffFindOptions, DiffOptions, Oid, Repository, Tree};

use super::sandbox::Sandbox;
use crate::git::blame::blame;
use crate::git::history::Span;
use crate::git::tree::{self, Edits, Entry, Renames};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// What is at a path on one side: its object and mode.
type Side = Option<(String, Oid, i32)>;

/// Compares as the library does, without any short cut.
fn whole(
    repository: &Repository,
    before: &Tree<'_>,
    after: &Tree<'_>,
    renames: Renames,
) -> Vec<(Side, Side)> {
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true).ignore_submodules(false);
    let mut diff = repository.diff_tree_to_tree(Some(before), Some(after), Some(&mut options)).unwrap();
    if renames == Renames::Followed {
        let mut find = DiffFindOptions::new();
        diff.find_similar(Some(find.renames(true).rename_limit(7000).rename_threshold(50))).unwrap();
    }
    let side = |file: git2::DiffFile<'_>| {
        Some((file.path().unwrap().to_str().unwrap().to_owned(), file.id(), i32::from(file.mode())))
    };
    let mut found: Vec<(Side, Side)> = diff
        .deltas()
        .map(|delta| match delta.status() {
            Delta::Added => (None, side(delta.new_file())),
            Delta::Deleted => (side(delta.old_file()), None),
            _ => (side(delta.old_file()), side(delta.new_file())),
        })
        .collect();
    found.sort();
    found
}

#[test]
fn trees_differ_where_the_library_says_so() {
    let sandbox = Sandbox::new();
    let repository = &sandbox.repository;
    let mut dice = Dice(7);
    let text = |number: usize| (0..12).map(|line| format!("{number} {line}\n")).collect::<String>();
    let blobs: Vec<Oid> = (0..6)
        .flat_map(|number| [text(number), text(number).replacen(" 3", " three", 1)])
        .map(|text| repository.blob(text.as_bytes()).unwrap())
        .collect();
    let submodule = Oid::from_str("1234567890123456789012345678901234567890").unwrap();
    let names = ["a", "a-b", "a/b", "a/b/c", "a/b.c", "b", "b/a", "c/a/a", "c.d", "c0", "caf\u{e9}/x"];
    let file = |number: usize, mode| Some(Entry { oid: blobs[number], mode });
    let mut edits = |count: usize| -> Edits {
        let mut edits = Edits::new();
        for _ in 0..count {
            let entry = match dice.below(14) {
                0 | 1 => None,
                2 => Some(Entry { oid: submodule, mode: tree::MODE_SUBMODULE }),
                3 => file(0, 0o120_000),
                4 => file(dice.below(12), tree::MODE_EXECUTABLE),
                _ => file(dice.below(12), tree::MODE_FILE),
            };
            edits.insert(names[dice.below(names.len())].to_owned(), entry);
        }
        edits
    };
    let mut renamed = 0;
    for _ in 0..400 {
        let before = tree::edited(repository, tree::empty(repository).unwrap(), &edits(6)).unwrap();
        let after = tree::edited(repository, before, &edits(4)).unwrap();
        let [before, after] = [before, after].map(|oid| repository.find_tree(oid).unwrap());
        for renames in [Renames::Ignored, Renames::Followed] {
            let changes = tree::changes(repository, Some(&before), Some(&after), renames).unwrap();
            renamed += changes.iter().filter(|change| change.renamed().is_some()).count();
            let side = |side: &Option<tree::Located>| {
                side.as_ref().map(|side| (side.path.clone(), side.entry.oid, side.entry.mode))
            };
            let mut found: Vec<(Side, Side)> =
                changes.iter().map(|change| (side(&change.old), side(&change.new))).collect();
            found.sort();
            assert_eq!(found, whole(repository, &before, &after, renames), "{renames:?}");
        }
    }
    assert!(renamed > 50, "only {renamed} files were renamed");
}

#[test]
fn lines_are_blamed_on_whom_the_library_blames() {
    let sandbox = Sandbox::new();
    let repository = &sandbox.repository;
    let mut dice = Dice(3);
    for round in 0..30 {
        let mut lines: Vec<String> = (0..8).map(|line| format!("{round} first {line}")).collect();
        let mut path = "in/file".to_owned();
        let write = |path: &str, lines: &[String]| {
            let entry = Entry {
                oid: repository.blob((lines.join("\n") + "\n").as_bytes()).unwrap(),
                mode: tree::MODE_FILE,
            };
            tree::edited(
                repository,
                tree::empty(repository).unwrap(),
                &Edits::from([(path.to_owned(), Some(entry))]),
            )
            .unwrap()
        };
        let mut clock = 1_700_000_000;
        let mut commit = |tree: Oid, parents: &[Oid]| {
            clock += 60;
            let who = git2::Signature::new("T", "t@example.com", &git2::Time::new(clock, 0)).unwrap();
            let tree = repository.find_tree(tree).unwrap();
            let parents: Vec<_> = parents.iter().map(|oid| repository.find_commit(*oid).unwrap()).collect();
            repository.commit(None, &who, &who, "x", &tree, &parents.iter().collect::<Vec<_>>()).unwrap()
        };
        let base = commit(write(&path, &lines), &[]);
        let mut tip = base;
        for step in 0..8 {
            let mut change = |lines: &mut Vec<String>, who: &str| {
                let (place, text) = (dice.below(lines.len()), format!("{round} {step} {who}"));
                match dice.below(4) {
                    0 => drop(lines.remove(place)),
                    1 | 2 => lines[place] = text,
                    _ => lines.insert(place, text),
                }
                dice.below(6)
            };
            if change(&mut lines, "one") == 0 {
                path = format!("in/file{step}");
            }
            let one = commit(write(&path, &lines), &[tip]);
            tip = if step % 3 == 2 {
                // A branch that is merged with one more line of its own.
                let mut other = lines.clone();
                other.insert(0, format!("{round} {step} other"));
                let side = commit(write(&path, &other), &[one]);
                change(&mut lines, "own");
                let own = commit(write(&path, &lines), &[one]);
                lines.insert(0, format!("{round} {step} other"));
                commit(write(&path, &lines), &[own, side])
            } else {
                one
            };
        }
        let all: Vec<usize> = (0..lines.len()).collect();
        for base in [None, Some(base)] {
            let mut options = BlameOptions::new();
            options.newest_commit(tip);
            if let Some(base) = base {
                options.oldest_commit(base);
            }
            let theirs = repository.blame_file(Path::new(&path), Some(&mut options)).unwrap();
            let ours = blame(&Span::new(repository, base, tip), &path, &all).unwrap();
            for line in &all {
                let expected = theirs.get_line(line + 1).map(|hunk| hunk.final_commit_id());
                assert_eq!(ours.get(line).copied(), expected, "round {round}, line {line} of {lines:#?}");
            }
        }
    }
}
