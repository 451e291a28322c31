//! Promotions of a part: what comes, and that the rest comes later as if nothing had been divided.

use std::collections::BTreeMap;

use super::merging::{Case, TEN, with};
use super::sandbox::{CALM, File, Sandbox, identity, program, text};
use crate::git::{GitError, MergeRequest, Merged, Revision, Selected, Store, merge};

#[test]
fn only_what_was_chosen_comes_and_the_rest_comes_later_as_if_never_divided() {
    let base: &[File<'_>] = &[("a/x.sql", text(TEN)), ("a/gone.sql", text("gone\n")), ("b.sql", text(TEN))];
    let changed = with(2, "feature");
    let source: &[File<'_>] =
        &[("a/x.sql", text(&changed)), ("b.sql", text(&changed)), ("a/new.sql", text("n\n"))];
    let mut case = Case::new(Some(base), &[("c.sql", text("own\n"))], source);
    case.only = vec!["a".to_owned()];
    let merged = case.merge();
    let paths: Vec<&str> = merged.merge.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a/new.sql", "a/x.sql"]);
    assert_eq!(case.file(&merged, "b.sql").unwrap(), TEN);
    assert!(merged.merge.left_behind.is_empty() && merged.merge.losses.is_empty(), "{merged:?}");

    // Then the source deletes what was promoted by path: the common commit has never seen it.
    let promoted = [("c.sql", text("own\n")), ("a/x.sql", text(&changed)), ("a/new.sql", text("n\n"))];
    let mut case = Case::new(Some(base), &promoted, source);
    let first = case.source.clone();
    case.source = case.sandbox.commit(Some(&first), "sam", &[("a/new.sql", None)]);
    assert!(case.file(&case.merge(), "a/new.sql").is_some(), "without the record it stays");
    case.selected = vec![Selected { source: first, paths: vec!["a".to_owned()], commits: Vec::new() }];
    let merged = case.merge();
    assert_eq!(case.file(&merged, "a/new.sql"), None);
    assert_eq!(case.file(&merged, "b.sql").unwrap(), changed);
    assert!(case.file(&merged, "c.sql").is_some());
    case.only = vec!["nowhere".to_owned()];
    assert!(case.merge().up_to_date);
}

#[test]
fn a_commit_comes_alone_and_the_rest_later_as_if_never_divided() {
    let base: &[File<'_>] = &[("a.sql", text(TEN)), ("b.sql", text(TEN))];
    let mut case = Case::new(Some(base), &[("c.sql", text("own\n"))], &[("a.sql", text(&with(2, "one")))]);
    let two = with(2, "one").replace('9', "two");
    let second = case.sandbox.commit(Some(&case.source), "sam", &[("a.sql", text(&two))]);
    case.source = case.sandbox.commit(Some(&second), "sam", &[("b.sql", text(&with(5, "three")))]);
    case.store = case.sandbox.store().speculative().unwrap();
    let whole = case.merge();
    case.only_commits = vec![second.clone()];
    let merged = case.merge();
    let paths: Vec<&str> = merged.merge.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a.sql"]);
    assert_eq!(case.file(&merged, "a.sql").unwrap(), with(9, "two"), "the commit before it stays behind");
    assert!(merged.merge.losses.is_empty() && merged.merge.left_behind.is_empty(), "{merged:?}");

    let promoted = case.file(&merged, "a.sql").unwrap();
    case.target = case.sandbox.commit(Some(&case.target), "promote", &[("a.sql", text(&promoted))]);
    case.selected =
        vec![Selected { source: case.source.clone(), paths: Vec::new(), commits: case.only_commits.clone() }];
    assert!(case.merge().up_to_date, "the same once more");
    case.only_commits = Vec::new();
    assert_eq!(case.merge().tree, whole.tree);
}

#[test]
fn a_commit_that_cannot_come_alone_says_what_it_needs() {
    let mut case = Case::new(
        Some(&[("a.sql", text(TEN))]),
        &[("c.sql", text("own\n"))],
        &[("a.sql", text(&with(5, "one")))],
    );
    let first = case.source.clone();
    case.source = case.sandbox.commit(Some(&first), "sam", &[("a.sql", text(&with(5, "two")))]);
    case.store = case.sandbox.store().speculative().unwrap();
    case.only_commits = vec![case.source.clone()];
    let refused = |case: &Case| merge(&case.store, &case.request(None)).unwrap_err().to_string();
    let said = refused(&case);
    assert!(said.contains(&format!("it needs {} (sam was here)", first.short())), "{said}");
    case.only_commits = vec![case.sandbox.commit(Some(&first), "eve", &[("e.sql", text("e\n"))])];
    case.store = case.sandbox.store().speculative().unwrap();
    assert!(refused(&case).contains("the source does not have it"));
    case.only_commits = vec![case.source.clone(), first];
    let merged = case.merge();
    assert_eq!(case.file(&merged, "a.sql").unwrap(), with(5, "two"));
    let unrelated = case.sandbox.commit(None, "eve", &[("x.sql", text("x\n"))]);
    case.target = unrelated;
    case.store = case.sandbox.store().speculative().unwrap();
    assert!(matches!(merge(&case.store, &case.request(None)), Err(GitError::CannotPick { .. })));
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

type Files = BTreeMap<String, String>;

/// A random history of a source, and of a target that takes it in parts or whole.
struct World {
    sandbox: Sandbox,
    store: Store,
    dice: Dice,
    /// The source's commits with their files, the base first.
    source: Vec<(Revision, Files)>,
    number: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        let file = |name: usize| {
            let lines: Vec<String> = (0..30).map(|line| format!("{name} {line}")).collect();
            (format!("f{name}.sql"), lines.join("\n") + "\n")
        };
        let files: Files = (0..4).map(file).collect();
        let dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut world = Self { store: sandbox.store(), sandbox, dice, source: Vec::new(), number: 0 };
        let base = world.commit(None, &Files::new(), &files);
        world.source.push((base, files));
        for _ in 0..3 + world.dice.roll(6) {
            let (parent, before) = world.source.last().unwrap().clone();
            let mut after = before.clone();
            world.edit(&mut after);
            let commit = world.commit(Some(&parent), &before, &after);
            world.source.push((commit, after));
        }
        world
    }

    fn commit(&self, parent: Option<&Revision>, before: &Files, after: &Files) -> Revision {
        let mut changed: Vec<File<'_>> =
            after.iter().map(|(path, content)| (path.as_str(), text(content))).collect();
        changed.extend(
            before.keys().filter(|path| !after.contains_key(*path)).map(|path| (path.as_str(), None)),
        );
        self.sandbox.commit(parent, "sam", &changed)
    }

    /// Changes a file of the source: a line, the whole, its name; or adds one.
    fn edit(&mut self, files: &mut Files) {
        self.number += 1;
        let paths: Vec<String> = files.keys().cloned().collect();
        let path = paths[self.dice.roll(paths.len())].clone();
        // The target works on the first two.
        let free = path != "f0.sql" && path != "f1.sql";
        match self.dice.roll(8) {
            0 if free => drop(files.remove(&path)),
            1 if free => {
                let content = files.remove(&path).unwrap();
                files.insert(format!("r{}.sql", self.number), content);
            }
            2 => {
                let lines: Vec<String> = (0..12).map(|line| format!("new {} {line}", self.number)).collect();
                files.insert(format!("n{}.sql", self.number), lines.join("\n") + "\n");
            }
            _ => {
                let content = files.get_mut(&path).unwrap();
                let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
                let slot = self.dice.roll(lines.len().div_ceil(8)) * 8;
                lines[slot] = format!("source {}", self.number);
                *content = lines.join("\n") + "\n";
            }
        }
    }

    /// The target's own work: lines that are no source's, and a file.
    fn own_work(&self, target: &Revision, round: usize) -> Revision {
        let before = Sandbox::files(&self.store, target);
        let mut after = before.clone();
        for (name, content) in after.iter_mut().filter(|(name, _)| *name == "f0.sql" || *name == "f1.sql") {
            let line = 4 + 8 * round;
            *content = content.replace(&format!("{} {line}\n", &name[1..2]), &format!("hotfix {round}\n"));
        }
        after.insert(format!("own{round}.sql"), format!("own {round}\n"));
        self.commit(Some(target), &before, &after)
    }

    fn merge(
        &self,
        source: &Revision,
        target: &Revision,
        part: &Selected,
        selected: &[Selected],
    ) -> Result<Merged, GitError> {
        let program = program().filter(crate::git::GitProgram::can_merge_on_a_tree);
        let by = identity();
        let plain = MergeRequest::plain(source, target, &by, (program.as_ref(), &CALM));
        merge(
            &self.store,
            &MergeRequest { only: &part.paths, only_commits: &part.commits, selected, ..plain },
        )
    }

    /// Chooses paths or commits of the source as it was at one of its commits.
    fn part(&mut self, at: usize) -> Selected {
        let source = self.source[at].0.clone();
        let mut part = Selected { source, paths: Vec::new(), commits: Vec::new() };
        if self.dice.roll(2) == 0 {
            let known = self.source[..=at].iter().flat_map(|(_, files)| files.keys());
            let known: std::collections::BTreeSet<&String> = known.collect();
            let known: Vec<String> = known.into_iter().cloned().collect();
            part.paths = known.into_iter().filter(|_| self.dice.roll(3) == 0).collect();
        } else {
            let commits: Vec<Revision> =
                self.source[1..=at].iter().map(|(commit, _)| commit.clone()).collect();
            part.commits = commits.into_iter().filter(|_| self.dice.roll(2) == 0).collect();
        }
        part
    }

    /// Promotes some parts with work of the target in between, then the whole; gives how many parts there were.
    fn explore(&mut self) -> usize {
        let base = self.source[0].0.clone();
        let (mut divided, mut undivided) = (self.own_work(&base, 0), self.own_work(&base, 0));
        let mut selected: Vec<Selected> = Vec::new();
        let last = self.source.len() - 1;
        for round in 1..=3 {
            let at = 1 + self.dice.roll(last);
            let part = self.part(at);
            if part.paths.is_empty() && part.commits.is_empty() {
                continue;
            }
            let merged = match self.merge(&part.source, &divided, &part, &selected) {
                Ok(merged) => merged,
                Err(GitError::CannotPick { .. }) => continue,
                Err(error) => panic!("{error}"),
            };
            assert!(merged.merge.losses.is_empty(), "{:?}", merged.merge.losses);
            let Some(tree) = merged.tree else { continue };
            let message = crate::git::CommitMessage {
                subject: "a part".to_owned(),
                body: String::new(),
                trailers: Vec::new(),
            };
            divided = crate::git::commit(&self.store, &tree, &[&divided], &message, &identity()).unwrap();
            selected.push(part);
            divided = self.own_work(&divided, round);
            undivided = self.own_work(&undivided, round);
        }
        let (tip, whole) =
            (self.source[last].0.clone(), Selected { source: base, paths: Vec::new(), commits: Vec::new() });
        let then = self.merge(&tip, &divided, &whole, &selected).unwrap();
        let at_once = self.merge(&tip, &undivided, &whole, &[]).unwrap();
        let files = |merged: &Merged| Sandbox::files(&self.store, merged.tree.as_ref().unwrap());
        assert_eq!(files(&then), files(&at_once), "{selected:#?}");
        selected.len()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test asks the environment how long it is wanted to run")]
#[test]
fn whatever_is_promoted_in_parts_ends_as_the_whole_would_have() {
    let seeds = std::env::var("PROMOTE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let mut parts = 0;
    for seed in 0..seeds {
        let mut world = World::new(seed);
        let explored = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.explore()));
        match explored {
            Ok(count) => parts += count,
            Err(fault) => {
                panic!("seed {seed}: {}", fault.downcast_ref::<String>().map_or("it fails", String::as_str))
            }
        }
    }
    assert!(parts as u64 > seeds, "too few parts are promoted: {parts}");
}
