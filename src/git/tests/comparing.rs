//! Comparing trees and blaming lines: the same answers as the library's own, which reads everything.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use git2::{BlameOptions, Delta, DiffFindOptions, DiffOptions, ObjectType, Oid, Repository, Tree};

use super::sandbox::{CALM, Sandbox, program};
use crate::git::GitProgram;
use crate::git::apart;
use crate::git::blame::blame;
use crate::git::engine::Task;
use crate::git::history::Span;
use crate::git::name;
use crate::git::tree::{self, Comparisons, Edits, Entry, Renames};
use crate::model::project::Prefer;

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
        Some((name::shown(file.path_bytes().unwrap()), file.id(), i32::from(file.mode())))
    };
    let mut found: Vec<(Side, Side)> = diff
        .deltas()
        .map(|delta| {
            let old = if delta.status() == Delta::Added { None } else { side(delta.old_file()) };
            let new = if delta.status() == Delta::Deleted { None } else { side(delta.new_file()) };
            (old, new)
        })
        .collect();
    found.sort();
    found
}

/// Edits of few names that are often in each other's way.
struct Edited {
    blobs: Vec<Oid>,
    submodule: Oid,
}

impl Edited {
    fn new(repository: &Repository) -> Self {
        let text = |number: usize| {
            let lines: Vec<String> = (0..12).map(|line| format!("{number} {line}\n")).collect();
            lines.concat()
        };
        let blobs = (0..6)
            .flat_map(|number| [text(number), text(number).replacen(" 3", " three", 1)])
            .map(|text| repository.blob(text.as_bytes()).unwrap())
            .collect();
        Self { blobs, submodule: Oid::from_str("1234567890123456789012345678901234567890").unwrap() }
    }

    fn some(&self, count: usize, dice: &mut Dice) -> Edits {
        let names = [
            "a",
            "a-b",
            "a/b",
            "a/b/c",
            "a/b.c",
            "b",
            "b/a",
            "c/a/a",
            "c.d",
            "c0",
            "caf\u{e9}/x",
            "caf\\351/y",
            "n\\377",
            "d/e",
            "d/f",
            "d/g",
        ];
        let file = |number: usize, mode| Some(Entry { oid: self.blobs[number], mode });
        let mut edits = Edits::new();
        for _ in 0..count {
            let entry = match dice.below(14) {
                0 | 1 => None,
                2 => Some(Entry { oid: self.submodule, mode: tree::MODE_SUBMODULE }),
                3 => file(0, 0o120_000),
                4 => file(dice.below(12), tree::MODE_EXECUTABLE),
                _ => file(dice.below(12), tree::MODE_FILE),
            };
            edits.insert(names[dice.below(names.len())].to_owned(), entry);
        }
        edits
    }
}

/// Moves a file of a tree, or its whole folder.
fn moved(repository: &git2::Repository, tree: &Tree<'_>, dice: &mut Dice) -> Edits {
    let files: Vec<(String, Entry)> = tree::files(repository, tree).unwrap().into_iter().collect();
    let mut edits = Edits::new();
    let Some((path, _)) = files.get(dice.below(files.len().max(1))) else { return edits };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let all = dice.below(2) == 0;
    for (each, entry) in &files {
        if each == path || (all && each.starts_with(folder)) {
            edits.insert(each.clone(), None);
            edits.insert(format!("moved{}", &each[folder.len()..]), Some(*entry));
        }
    }
    edits
}

#[test]
fn trees_differ_where_the_library_says_so() {
    let sandbox = Sandbox::new();
    let repository = &sandbox.repository;
    let (mut dice, edited) = (Dice(7), Edited::new(repository));
    let mut edits = |count: usize| edited.some(count, &mut dice);
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

/// Writes a tree byte for byte: mode, name, object.
fn raw_tree(repository: &Repository, entries: &[(&str, &str, Oid)]) -> Oid {
    let entry = |(mode, name, oid): &(&str, &str, Oid)| {
        [format!("{mode} {name}\0").as_bytes(), oid.as_bytes()].concat()
    };
    let bytes: Vec<u8> = entries.iter().flat_map(entry).collect();
    repository.odb().unwrap().write(ObjectType::Tree, &bytes).unwrap()
}

#[test]
fn modes_of_long_ago_are_left_to_git() {
    let sandbox = Sandbox::new();
    let (store, repository) = (sandbox.store(), &sandbox.repository);
    let [one, two] = [b"1\n", b"2\n"].map(|text| repository.blob(text).unwrap());
    let tree = |entries: &[(&str, &str, Oid)]| raw_tree(repository, entries);
    let plain = tree(&[("100644", "a", one)]);
    let old = tree(&[("100664", "a", one)]);
    for (base, target, source, apart) in [
        (
            plain,
            [("100644", "a", two)].as_slice(),
            [("100644", "a", one), ("100644", "b", one)].as_slice(),
            true,
        ),
        (plain, &[("100644", "a", two)], &[("100644", "a", one), ("100664", "b", one)], false),
        (
            old,
            &[("100664", "a", one), ("100644", "c", one)],
            &[("100664", "a", one), ("100644", "b", one)],
            false,
        ),
        (plain, &[("100644", "a", two)], &[("100644", "a", one), ("40000", "b", old)], false),
        (plain, &[("100644", "a", two)], &[("100644", "a", one), ("40000", "b", plain)], true),
    ] {
        let task = Task {
            store: &store,
            compared: Rc::new(Comparisons::of(&store.repository)),
            base: None,
            base_tree: Some(base),
            target: tree(target),
            source: tree(source),
            prefer: Prefer::Source,
            program: None,
            interrupt: &CALM,
        };
        assert_eq!(apart::merged(&task).unwrap().is_some(), apart, "{target:?} {source:?}");
    }
}

#[test]
fn what_nobody_has_to_merge_is_what_git_merges() {
    let Some(program) = program().filter(GitProgram::can_merge_tree) else { return };
    let sandbox = Sandbox::new();
    let (store, repository) = (sandbox.store(), &sandbox.repository);
    let (mut dice, edited) = (Dice(11), Edited::new(repository));
    let who = git2::Signature::new("T", "t@example.com", &git2::Time::new(1_700_000_000, 0)).unwrap();
    let commit = |tree: Oid, parent: Option<Oid>| {
        let tree = repository.find_tree(tree).unwrap();
        let parent = parent.map(|parent| repository.find_commit(parent).unwrap());
        repository.commit(None, &who, &who, "x", &tree, parent.as_ref().as_slice()).unwrap()
    };
    let (mut questions, mut answers) = (String::new(), Vec::new());
    for _ in 0..3_000 {
        let before = tree::edited(repository, tree::empty(repository).unwrap(), &edited.some(7, &mut dice));
        let before = before.unwrap();
        let base = commit(before, None);
        let mut side = || {
            let count = dice.below(4);
            let mut edits = edited.some(count, &mut dice);
            if dice.below(3) == 0 {
                edits.extend(moved(repository, &repository.find_tree(before).unwrap(), &mut dice));
            }
            commit(tree::edited(repository, before, &edits).unwrap(), Some(base))
        };
        let (target, source) = (side(), side());
        let task = Task {
            store: &store,
            compared: Rc::new(Comparisons::of(&store.repository)),
            base: Some(base),
            base_tree: None,
            target,
            source,
            prefer: Prefer::Source,
            program: Some(&program),
            interrupt: &CALM,
        };
        if let Some(tree) = apart::merged(&task).unwrap() {
            writeln!(questions, "{target} {source}").unwrap();
            answers.push(format!("1\0{tree}\0\0"));
        }
    }
    assert!(answers.len() > 600, "only {} of them", answers.len());
    let asked = sandbox.folder.path().join("asked");
    std::fs::write(&asked, questions).unwrap();
    let git = Command::new("git")
        .current_dir(sandbox.path())
        .args(["-c", "merge.directoryRenames=conflict", "merge-tree", "--stdin", "--no-messages"])
        .stdin(std::fs::File::open(asked).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(git.stdout).unwrap();
    assert_eq!(said.len(), answers.concat().len(), "{}", String::from_utf8_lossy(&git.stderr));
    assert_eq!(said, answers.concat());
}

/// A history that is written commit by commit, a minute apart.
struct Annals<'a> {
    repository: &'a Repository,
    clock: i64,
}

impl Annals<'_> {
    /// Commits one file.
    fn commit(&mut self, path: &str, lines: &[String], parents: &[Oid]) -> Oid {
        let oid = self.repository.blob((lines.join("\n") + "\n").as_bytes()).unwrap();
        let edits = Edits::from([(path.to_owned(), Some(Entry { oid, mode: tree::MODE_FILE }))]);
        let tree = tree::edited(self.repository, tree::empty(self.repository).unwrap(), &edits).unwrap();
        let tree = self.repository.find_tree(tree).unwrap();
        self.clock += 60;
        let who = git2::Signature::new("T", "t@example.com", &git2::Time::new(self.clock, 0)).unwrap();
        let parents: Vec<_> = parents.iter().map(|oid| self.repository.find_commit(*oid).unwrap()).collect();
        let parents: Vec<_> = parents.iter().collect();
        self.repository.commit(None, &who, &who, "x", &tree, &parents).unwrap()
    }
}

/// Takes out, changes or adds one line.
fn change(lines: &mut Vec<String>, text: &str, dice: &mut Dice) {
    let place = dice.below(lines.len());
    match dice.below(4) {
        0 => drop(lines.remove(place)),
        1 | 2 => text.clone_into(&mut lines[place]),
        _ => lines.insert(place, text.to_owned()),
    }
}

#[test]
fn lines_are_blamed_on_whom_the_library_blames() {
    let sandbox = Sandbox::new();
    let repository = &sandbox.repository;
    let (mut dice, mut annals) = (Dice(3), Annals { repository, clock: 1_700_000_000 });
    for round in 0..30 {
        let mut lines: Vec<String> = (0..8).map(|line| format!("{round} first {line}")).collect();
        let mut path = "in/file".to_owned();
        let base = annals.commit(&path, &lines, &[]);
        let mut tip = base;
        for step in 0..8 {
            change(&mut lines, &format!("{round} {step} one"), &mut dice);
            if dice.below(6) == 0 {
                path = format!("in/file{step}");
            }
            tip = annals.commit(&path, &lines, &[tip]);
            if step % 3 == 2 {
                // A branch that is merged with one more line of its own.
                let other = format!("{round} {step} other");
                let side = annals.commit(&path, &[std::slice::from_ref(&other), &lines].concat(), &[tip]);
                change(&mut lines, &format!("{round} {step} own"), &mut dice);
                let own = annals.commit(&path, &lines, &[tip]);
                lines.insert(0, other);
                tip = annals.commit(&path, &lines, &[own, side]);
            }
        }
        blamed_alike(repository, (base, tip), &path, lines.len());
    }
}

fn blamed_alike(repository: &Repository, (base, tip): (Oid, Oid), path: &str, lines: usize) {
    let all: Vec<usize> = (0..lines).collect();
    for base in [None, Some(base)] {
        let mut options = BlameOptions::new();
        options.newest_commit(tip);
        if let Some(base) = base {
            options.oldest_commit(base);
        }
        let theirs = repository.blame_file(Path::new(path), Some(&mut options)).unwrap();
        let ours = blame(&Span::new(repository, base, tip), path, &all).unwrap();
        for line in &all {
            let expected = theirs.get_line(line + 1).map(|hunk| hunk.final_commit_id());
            assert_eq!(ours.get(line).copied(), expected, "line {line} of {path} at {tip}");
        }
    }
}
