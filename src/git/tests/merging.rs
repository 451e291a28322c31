//! Merges: what comes out, what is lost, what is settled.

use std::collections::BTreeMap;

use super::sandbox::{CALM, FILE, File, PROGRAM, Sandbox, identity, program, text};
use crate::git::{
    GitError, GitProgram, Identity, KeysKept, MergeRequest, Merged, Revision, Selected, Store, Unrelated,
    merge,
};
use crate::model::merge::{ConflictKind, FileChangeKind, Lines, LossKind, Protected, Resolution};
use crate::model::project::Prefer;

/// A base, what the target did, what the source did, and what is said to the merge.
pub(super) struct Case {
    pub(super) sandbox: Sandbox,
    pub(super) store: Store,
    pub(super) target: Revision,
    pub(super) source: Revision,
    pub(super) prefer: Prefer,
    pub(super) keep: Vec<String>,
    pub(super) accept: Vec<String>,
    pub(super) protected: Vec<String>,
    pub(super) structural: Vec<String>,
    pub(super) always: Vec<(String, Resolution)>,
    pub(super) only: Vec<String>,
    pub(super) only_commits: Vec<Revision>,
    pub(super) again: Vec<String>,
    pub(super) selected: Vec<Selected>,
    pub(super) base: Option<Revision>,
    pub(super) reinstate: Vec<Revision>,
    pub(super) spare: Vec<Revision>,
    pub(super) by: Identity,
    pub(super) resolve: BTreeMap<String, Resolution>,
}

impl Case {
    pub(super) fn new(base: Option<&[File<'_>]>, target: &[File<'_>], source: &[File<'_>]) -> Self {
        let sandbox = Sandbox::new();
        let base = base.map(|base| sandbox.commit(None, "base", base));
        let target = sandbox.commit(base.as_ref(), "tina", target);
        let source = sandbox.commit(base.as_ref(), "sam", source);
        let store = sandbox.store().speculative().unwrap();
        Self {
            sandbox,
            store,
            target,
            source,
            prefer: Prefer::Source,
            keep: Vec::new(),
            accept: Vec::new(),
            protected: Vec::new(),
            structural: Vec::new(),
            always: Vec::new(),
            only: Vec::new(),
            only_commits: Vec::new(),
            again: Vec::new(),
            selected: Vec::new(),
            base: None,
            reinstate: Vec::new(),
            spare: Vec::new(),
            by: identity(),
            resolve: BTreeMap::new(),
        }
    }

    pub(super) fn request<'a>(&'a self, program: Option<&'a GitProgram>) -> MergeRequest<'a> {
        MergeRequest {
            source: &self.source,
            target: Some(&self.target),
            prefer: self.prefer,
            unrelated: Unrelated::Allowed,
            protected_paths: &self.protected,
            project_file: None,
            protect_keys: None,
            structural: &self.structural,
            accept_losses: &self.accept,
            keep: &self.keep,
            resolve: &self.resolve,
            always: &self.always,
            only: &self.only,
            only_commits: &self.only_commits,
            again: &self.again,
            selected: &self.selected,
            squashed: None,
            base: self.base.as_ref(),
            reinstate: &self.reinstate,
            spare: &self.spare,
            by: &self.by,
            program,
            interrupt: &CALM,
        }
    }

    /// Merges with both engines where Git is there, and makes sure that one alone gives the same or asks.
    pub(super) fn merge(&self) -> Merged {
        let alone = merge(&self.store, &self.request(None)).unwrap();
        let Some(program) = program().filter(GitProgram::can_merge_on_a_tree) else { return alone };
        let both = merge(&self.store, &self.request(Some(&program))).unwrap();
        assert!(both.findings.iter().all(|finding| finding.code != "engines-differ"), "{both:?}");
        let asks = |finding: &crate::model::finding::Finding| finding.code == "unsure";
        if alone.findings.iter().any(asks) {
            assert!(alone.tree.is_none() || !self.resolve.is_empty() || !self.always.is_empty(), "{alone:?}");
        } else {
            assert_eq!(both.tree, alone.tree);
            assert_eq!(both.merge.losses, alone.merge.losses);
        }
        both
    }

    pub(super) fn file(&self, merged: &Merged, path: &str) -> Option<String> {
        Sandbox::files(&self.store, merged.tree.as_ref().unwrap()).remove(path)
    }
}

pub(super) const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

pub(super) fn with(line: usize, content: &str) -> String {
    let mut lines: Vec<&str> = TEN.lines().collect();
    lines[line - 1] = content;
    lines.join("\n") + "\n"
}

#[test]
fn a_hotfix_is_lost_next_to_a_changed_line_and_survives_further_off() {
    for (line, lost) in [(5, true), (6, true), (7, false), (9, false)] {
        let (target, source) = (with(5, "hotfix"), with(line, "feature"));
        let case = Case::new(
            Some(&[("a.sql", text(TEN))]),
            &[("a.sql", text(&target))],
            &[("a.sql", text(&source))],
        );
        let merged = case.merge();
        assert_eq!(!merged.merge.losses.is_empty(), lost, "line {line}");
        assert_eq!(merged.merge.kept.is_empty(), lost, "line {line}");
        if let Some(loss) = merged.merge.losses.first() {
            assert_eq!(loss.kind, LossKind::Line);
            assert_eq!(loss.lines, Some(Lines { start: 5, end: 5 }));
            assert_eq!(loss.text, ["hotfix"]);
            assert_eq!(loss.commit, Some(case.target.to_string()));
            assert_eq!(loss.author.as_deref(), Some("tina <tina@example.com>"));
            assert_eq!(loss.subject.as_deref(), Some("tina was here"));
            assert_eq!(loss.date.as_deref(), Some("2023-11-14T23:15:20+01:00"));
        }
    }
}

#[test]
fn keeping_a_hunk_brings_the_hotfix_back_and_names_what_the_source_loses() {
    let (target, source) = (with(5, "hotfix"), with(6, "feature"));
    let mut case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
    case.keep = vec!["a.sql:5".to_owned(), "b.sql".to_owned()];
    let merged = case.merge();
    assert_eq!(case.file(&merged, "a.sql").unwrap(), target);
    assert!(merged.merge.losses.is_empty());
    assert_eq!(merged.merge.left_behind[0].text, ["feature"]);
    let finding = merged.findings.iter().find(|finding| finding.code == "matches-nothing").unwrap();
    assert_eq!(finding.hint.as_deref(), Some("to choose from: a.sql:5"));
}

#[test]
fn an_accepted_loss_is_marked() {
    let (target, source) = (with(5, "hotfix"), with(5, "feature"));
    for (word, accepted) in [("a.sql", true), ("a.sql:5", true), ("all", true), ("a.sql:6", false)] {
        let base: &[File<'_>] = &[("a.sql", text(TEN))];
        let mut case = Case::new(Some(base), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
        case.accept = vec![word.to_owned()];
        assert_eq!(case.merge().merge.losses[0].accepted, accepted, "{word}");
    }
}

#[test]
fn the_same_change_on_both_sides_is_no_loss() {
    let (target, source) = (with(5, "hotfix"), with(5, "hotfix").replace("10", "ten"));
    let case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
    let merged = case.merge();
    assert!(merged.merge.losses.is_empty());
    assert!(merged.merge.kept.is_empty());
}

#[test]
fn line_ends_of_the_source_are_no_loss_but_a_changed_line_is() {
    let (target, source) = (with(5, "hotfix"), TEN.replace('\n', "\r\n"));
    let case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
    let losses = case.merge().merge.losses;
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert_eq!(losses[0].text, ["hotfix"]);
}

#[test]
fn a_deletion_that_comes_back_is_a_loss() {
    let (target, source) = (TEN.replace("5\n", ""), with(6, "feature"));
    let case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
    let losses = case.merge().merge.losses;
    assert_eq!(
        (losses.len(), losses[0].kind, &losses[0].text[..]),
        (1, LossKind::Deletion, &["5".to_owned()][..])
    );
    let (target, source) = (TEN.replace("5\n6\n", ""), with(6, "feature"));
    let mut case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
    let merged = case.merge();
    assert_eq!(merged.merge.losses.len(), 1);
    assert_eq!(merged.merge.losses[0].kind, LossKind::Deletion);
    assert_eq!(merged.merge.losses[0].text, ["5"]);
    assert_eq!(merged.merge.losses[0].commit, Some(case.target.to_string()));
    case.keep = vec!["a.sql".to_owned()];
    let merged = case.merge();
    assert_eq!(case.file(&merged, "a.sql").unwrap(), target);
    assert_eq!(merged.merge.left_behind[0].text, ["feature"]);
}

#[test]
fn what_the_target_renamed_deleted_or_made_runnable_is_named_as_not_carried_back() {
    const RUN: i32 = 0o100_755;
    let base: &[File<'_>] = &[
        ("a.sql", text(TEN)),
        ("mode.sh", text("run\n")),
        ("old.sql", text("1\n2\n3\n4\n")),
        ("shorter.sql", text(TEN)),
        ("gone.sql", text("gone\n")),
    ];
    let shorter = TEN.replace("3\n", "");
    let target: &[File<'_>] = &[
        ("mode.sh", Some((b"run\n", RUN))),
        ("old.sql", None),
        ("new.sql", text("1\n2\n3\n4\n")),
        ("shorter.sql", text(&shorter)),
        ("gone.sql", None),
    ];
    let source = with(5, "feature");
    let case = Case::new(Some(base), target, &[("a.sql", text(&source))]);
    let merged = case.merge();
    assert_eq!(merged.merge.losses, []);
    let kept: Vec<(&str, Option<Lines>)> =
        merged.merge.kept.iter().map(|kept| (kept.path.as_str(), kept.lines)).collect();
    assert_eq!(
        kept,
        [("gone.sql", None), ("mode.sh", None), ("new.sql", None), ("shorter.sql", None)],
        "each once, and none with lines"
    );
    let by_target = |kept: &crate::model::merge::Kept| kept.commit == Some(case.target.to_string());
    assert!(merged.merge.kept.iter().all(by_target), "{:?}", merged.merge.kept);
    // What the source did as well is carried back already.
    let case = Case::new(Some(base), target, target);
    assert_eq!(case.merge().merge.kept, []);
}

#[test]
fn unrelated_histories_are_refused_until_somebody_says_so() {
    let case = Case::new(
        None,
        &[("both.sql", text("a\ntarget\nb\n")), ("only.sql", text("x\n"))],
        &[("both.sql", text("a\nsource\nb\n"))],
    );
    let mut request = case.request(None);
    request.unrelated = Unrelated::Refused;
    assert!(matches!(merge(&case.store, &request), Err(GitError::Unrelated { .. })));
    let merged = case.merge();
    assert!(merged.unrelated);
    assert_eq!(merged.merge.base, None);
    assert_eq!(merged.merge.losses[0].text, ["target"]);
    assert_eq!(merged.merge.target_only, ["only.sql"]);
    assert_eq!(case.file(&merged, "both.sql").unwrap(), "a\nsource\nb\n");
    assert!(case.file(&merged, "only.sql").is_some());
}

#[test]
fn a_conflict_is_named_with_both_sides_and_settled_three_ways() {
    for (resolution, content) in [
        (None, None),
        (Some(Resolution::Source), None),
        (Some(Resolution::Target), Some(with(5, "hotfix"))),
        (Some(Resolution::Delete), None),
    ] {
        let target = with(5, "hotfix");
        let base: &[File<'_>] = &[("a.sql", text(TEN)), ("b.sql", text("b\n"))];
        let mut case = Case::new(Some(base), &[("a.sql", text(&target))], &[("a.sql", None)]);
        case.resolve.extend(resolution.map(|resolution| ("a.sql".to_owned(), resolution)));
        let merged = case.merge();
        let conflict = &merged.merge.conflicts[0];
        assert_eq!(conflict.kind, ConflictKind::ModifyDelete);
        assert_eq!(conflict.path, "a.sql");
        assert!(conflict.source.starts_with("deleted by sam <sam@example.com> in "), "{}", conflict.source);
        assert!(conflict.target.starts_with("modified by tina"), "{}", conflict.target);
        assert_eq!(conflict.resolution, resolution);
        assert_eq!(merged.tree.is_some(), resolution.is_some());
        if resolution.is_some() {
            assert_eq!(case.file(&merged, "a.sql"), content);
            assert!(merged.merge.losses.iter().all(|loss| loss.accepted && loss.kind == LossKind::File));
            assert_eq!(merged.merge.losses.is_empty(), content.is_some());
        }
    }
}

#[test]
fn a_file_in_the_place_of_a_folder_is_a_conflict_without_made_up_names() {
    for resolution in [Resolution::Source, Resolution::Target] {
        let base: &[File<'_>] = &[("b.sql", text("b\n"))];
        let mut case = Case::new(Some(base), &[("a", text("file\n"))], &[("a/inner.sql", text("inner\n"))]);
        let open = case.merge();
        assert_eq!(open.merge.conflicts[0].kind, ConflictKind::FileDirectory);
        assert_eq!(open.tree, None);
        case.resolve.insert("a".to_owned(), resolution);
        let merged = case.merge();
        let paths: Vec<String> =
            Sandbox::files(&case.store, merged.tree.as_ref().unwrap()).into_keys().collect();
        let own = if resolution == Resolution::Source { "a/inner.sql" } else { "a" };
        assert_eq!(paths, [own, "b.sql"]);
    }
}

#[test]
fn only_what_stays_is_listed_as_the_targets_alone() {
    let mut case = Case::new(
        None,
        &[("a/inner.sql", text("inner\n")), ("own.sql", text("own\n"))],
        &[("a", text("file\n")), ("b.sql", text("b\n"))],
    );
    case.resolve.insert("a".to_owned(), Resolution::Source);
    let merged = case.merge();
    assert_eq!(merged.merge.target_only, ["own.sql"]);
    case.resolve.insert("a".to_owned(), Resolution::Target);
    assert_eq!(case.merge().merge.target_only, ["a/inner.sql", "own.sql"]);
}

#[test]
fn without_a_preference_the_same_line_is_a_conflict() {
    let (target, source) = (with(5, "hotfix"), with(5, "feature"));
    let mut case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
    case.prefer = Prefer::None;
    let merged = case.merge();
    assert_eq!(merged.merge.conflicts[0].kind, ConflictKind::Content);
    assert_eq!(merged.tree, None);
    case.prefer = Prefer::Target;
    let merged = case.merge();
    assert!(merged.merge.conflicts.is_empty());
    assert_eq!(merged.merge.left_behind[0].text, ["feature"]);
    assert!(merged.merge.losses.is_empty());
}

#[test]
fn modes_and_binaries_are_lost_whole() {
    let base: &[File<'_>] = &[("run.sh", text("x\n")), ("logo", Some((b"\0base", FILE)))];
    let target: &[File<'_>] = &[("run.sh", Some((b"x\n", PROGRAM))), ("logo", Some((b"\0target", FILE)))];
    let case = Case::new(Some(base), target, &[("logo", Some((b"\0source", FILE)))]);
    let losses = case.merge().merge.losses;
    assert_eq!(losses.len(), 1);
    assert_eq!((losses[0].path.as_str(), losses[0].kind), ("logo", LossKind::File));
    // Both added a script; only the target may run it.
    let base: &[File<'_>] = &[("b.sql", text("b\n"))];
    let case = Case::new(Some(base), &[("run.sh", Some((b"x\n", PROGRAM)))], &[("run.sh", text("x\n"))]);
    let program = program();
    let merged = merge(&case.store, &case.request(program.as_ref())).unwrap();
    if program.is_some_and(|program| program.can_merge_tree()) {
        assert_eq!(merged.merge.conflicts[0].kind, ConflictKind::Mode);
        assert_eq!(merged.tree, None);
    }
}

#[test]
fn a_protected_file_stays_where_it_is_when_the_source_renames_it() {
    let base: &[File<'_>] = &[("workspace.yml", text(TEN)), ("b.sql", text("b\n"))];
    let source: &[File<'_>] = &[("workspace.yml", None), ("other.yml", text(TEN)), ("b.sql", text("b2\n"))];
    let mut case = Case::new(Some(base), &[("c.sql", text("c\n"))], source);
    case.protected = vec!["workspace*.yml".to_owned()];
    let merged = case.merge();
    let paths: Vec<String> = Sandbox::files(&case.store, merged.tree.as_ref().unwrap()).into_keys().collect();
    assert_eq!(paths, ["b.sql", "c.sql", "workspace.yml"]);
    assert_eq!(merged.merge.protected[0].path.as_deref(), Some("workspace.yml"));
    assert_eq!(merged.merge.protected[0].source_wanted.as_deref(), Some("renamed to `other.yml`"));
    assert_eq!(merged.merge.files.len(), 1);
}

#[test]
fn protected_keys_are_put_back_by_whom_knows_the_file() {
    let base: &[File<'_>] = &[("project.yml", text("default_environment: prod\n"))];
    let case = Case::new(
        Some(base),
        &[("a.sql", text("a\n"))],
        &[("project.yml", text("default_environment: dev\nname: x\n"))],
    );
    let mut request = case.request(None);
    request.project_file = Some("project.yml");
    request.protect_keys = Some(&own_environment);
    let merged = merge(&case.store, &request).unwrap();
    assert_eq!(case.file(&merged, "project.yml").unwrap(), "default_environment: prod\nname: x\n");
    assert_eq!(merged.merge.protected[0].key.as_deref(), Some("default_environment"));
}

/// Keeps the target's first line of the project file.
fn own_environment(target: &str, merged: Option<&str>) -> Option<KeysKept> {
    let protected = Protected {
        path: None,
        key: Some("default_environment".to_owned()),
        source_wanted: merged.map(|_| "dev".to_owned()),
    };
    let text = match merged {
        Some(merged) => merged.replace("default_environment: dev", target.lines().next()?),
        None => target.to_owned(),
    };
    Some(KeysKept { text, protected: vec![protected] })
}

#[test]
fn protected_keys_follow_a_project_file_that_the_source_renames_and_survive_one_that_it_deletes() {
    let long = |first: &str| format!("default_environment: {first}\n{TEN}");
    let (own, wanted) = (long("prod"), long("dev"));
    let base: &[File<'_>] =
        &[("project.yml", text(&own)), ("x/meltano.yml", text("default_environment: prod\n"))];
    let away: &[File<'_>] = &[("project.yml", None), ("shop/project.yml", text(&wanted))];
    let gone: &[File<'_>] = &[("project.yml", None)];
    let other: &[File<'_>] = &[
        ("x/meltano.yml", None),
        ("x/project.yml", text("name: quite another text\ndefault_environment: dev\n")),
    ];
    for (source, file, there, protected) in [
        (away, "project.yml", ("shop/project.yml", own.as_str()), Some("dev")),
        (away, "shop/project.yml", ("shop/project.yml", own.as_str()), Some("dev")),
        (gone, "project.yml", ("project.yml", own.as_str()), None),
        (
            other,
            "x/project.yml",
            ("x/project.yml", "name: quite another text\ndefault_environment: prod\n"),
            Some("dev"),
        ),
    ] {
        let case = Case::new(Some(base), &[("a.sql", text("a\n"))], source);
        let mut request = case.request(None);
        request.project_file = Some(file);
        request.protect_keys = Some(&own_environment);
        let merged = merge(&case.store, &request).unwrap();
        assert_eq!(case.file(&merged, there.0).as_deref(), Some(there.1), "{file}: {merged:?}");
        assert_eq!(
            case.file(&merged, "project.yml").is_some(),
            there.0 == "project.yml" || file == "x/project.yml"
        );
        let kept = &merged.merge.protected[0];
        assert_eq!(
            (kept.key.as_deref(), kept.source_wanted.as_deref()),
            (Some("default_environment"), protected)
        );
    }
}

#[test]
fn a_protected_file_stays_where_it_is_when_the_source_renames_or_deletes_it_and_the_wish_is_shown() {
    let base: &[File<'_>] = &[(".env.prod", text(TEN)), ("a.sql", text("a\n"))];
    for (own, source, wanted) in [
        (with(5, "own"), vec![(".env.prod", None), ("conf/env", text(TEN))], Some("renamed to `conf/env`")),
        (with(5, "own"), vec![(".env.prod", None)], None),
        (TEN.to_owned(), vec![(".env.prod", None), ("conf/env", text(TEN))], Some("renamed to `conf/env`")),
        (TEN.to_owned(), vec![(".env.prod", None)], None),
        (TEN.to_owned(), vec![(".env.prod", text("x\n"))], Some("modified")),
    ] {
        let mut case = Case::new(Some(base), &[(".env.prod", text(&own)), ("b.sql", text("b\n"))], &source);
        case.protected = vec![".env*".to_owned()];
        let merged = case.merge();
        assert_eq!(case.file(&merged, ".env.prod"), Some(own), "{source:?}");
        assert_eq!(case.file(&merged, "conf/env"), None);
        let kept = &merged.merge.protected[0];
        assert_eq!((kept.path.as_deref(), kept.source_wanted.as_deref()), (Some(".env.prod"), wanted));
        assert!(merged.merge.losses.is_empty() && merged.merge.conflicts.is_empty(), "{merged:?}");
    }
}

#[test]
fn planning_leaves_nothing_behind() {
    let (target, source) = (with(5, "hotfix"), with(9, "feature"));
    let case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&target))], &[("a.sql", text(&source))]);
    let merged = case.merge();
    let tree = merged.tree.unwrap();
    let store = case.sandbox.store();
    assert!(!store.has(&tree));
    store.adopt(&case.store, &tree).unwrap();
    assert!(store.has(&tree));
    assert_eq!(Sandbox::files(&store, &tree).len(), 1);
}

#[test]
fn what_is_contained_is_up_to_date_and_an_absent_target_takes_all() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit(None, "ann", &[("a.sql", text("a\n")), (".env", text("SECRET=1\n"))]);
    let two = sandbox.commit(Some(&one), "ann", &[("a.sql", text("b\n"))]);
    let mut case = Case::new(None, &[("a", text("a\n"))], &[("b", text("b\n"))]);
    case.store = sandbox.store().speculative().unwrap();
    case.protected = vec![".env*".to_owned()];
    (case.source, case.target) = (one.clone(), two.clone());
    assert!(case.merge().up_to_date);
    (case.source, case.target) = (two, one);
    let forward = case.merge();
    assert_eq!(forward.merge.files[0].change, FileChangeKind::Modified);
    let mut request = case.request(None);
    request.target = None;
    let first = merge(&case.store, &request).unwrap();
    assert_eq!(Sandbox::files(&case.store, first.tree.as_ref().unwrap()).len(), 1);
    assert_eq!(first.merge.protected[0].path.as_deref(), Some(".env"));
}

/// A project file, and what target and source made of it.
fn project(target: &str, source: &str) -> Case {
    let base = "version: 1\nplugins:\n  extractors:\n  - name: tap-a\n    config: {url: old, limit: 1}\n";
    let mut case = Case::new(
        Some(&[("project.yml", text(base)), ("other.yml", text(base))]),
        &[("project.yml", text(target)), ("other.yml", text(target))],
        &[("project.yml", text(source)), ("other.yml", text(source))],
    );
    case.structural = vec!["/project.yml".to_owned()];
    case
}

const TAPS: &str = "version: 1\nplugins:\n  extractors:\n  - name: tap-a\n    config: {url: old, limit: 1}\n";

#[test]
fn yaml_merges_by_structure_and_what_it_keeps_is_no_loss() {
    let target = TAPS.replace("limit: 1}", "limit: 1, hotfix: true}") + "  - name: tap-t\n";
    let source = TAPS.replace("limit: 1}", "limit: 2}") + "  - name: tap-s\n";
    let case = project(&target, &source);
    let merged = case.merge();
    assert_eq!(
        case.file(&merged, "project.yml").unwrap(),
        TAPS.replace("limit: 1}", "limit: 2, hotfix: true}") + "  - name: tap-s\n  - name: tap-t\n"
    );
    let lost: Vec<&str> = merged.merge.losses.iter().map(|loss| loss.path.as_str()).collect();
    assert!(!lost.contains(&"project.yml") && lost.contains(&"other.yml"), "{lost:?}");
    let kept: Vec<_> = merged.merge.kept.iter().filter(|kept| kept.path == "project.yml").collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].lines, Some(Lines { start: 5, end: 6 }));
    assert_eq!(kept[0].commit, Some(case.target.to_string()));
}

#[test]
fn what_the_target_deleted_in_a_file_of_structure_is_not_carried_back_yet() {
    let base = "version: 1\nvars:\n  one: 1\n  two: 2\n  three: 3\n";
    let (target, source) = (base.replace("  two: 2\n", ""), base.replace("three: 3", "three: 4"));
    let mut case = Case::new(
        Some(&[("project.yml", text(base))]),
        &[("project.yml", text(&target))],
        &[("project.yml", text(&source))],
    );
    case.structural = vec!["/project.yml".to_owned()];
    let merged = case.merge();
    assert_eq!(case.file(&merged, "project.yml").unwrap(), source.replace("  two: 2\n", ""));
    assert_eq!(merged.merge.losses, []);
    let kept: Vec<_> = merged.merge.kept.iter().map(|kept| (kept.path.as_str(), kept.lines)).collect();
    assert_eq!(kept, [("project.yml", None)]);
    assert_eq!(merged.merge.kept[0].commit, Some(case.target.to_string()));
}

#[test]
fn a_value_that_both_sides_changed_is_a_loss_of_a_value_that_can_be_kept() {
    let target = TAPS.replace("url: old", "url: hotfix") + "# why: the incident\n";
    let source = TAPS.replace("url: old", "url: new");
    let mut case = project(&target, &source);
    let losses = case.merge().merge.losses;
    let loss = losses.iter().find(|loss| loss.path == "project.yml").unwrap();
    assert_eq!((loss.kind, loss.lines), (LossKind::Value, Some(Lines { start: 5, end: 5 })));
    assert_eq!(loss.text, ["    config: {url: hotfix, limit: 1}"]);
    assert_eq!(loss.author.as_deref(), Some("tina <tina@example.com>"));
    assert_eq!(losses.iter().filter(|loss| loss.path == "project.yml").count(), 1);
    case.keep = vec!["project.yml:5".to_owned(), "other.yml".to_owned()];
    let merged = case.merge();
    assert_eq!(case.file(&merged, "project.yml").unwrap(), target);
    assert!(merged.merge.losses.is_empty(), "{merged:?}");
    assert!(merged.findings.iter().all(|finding| finding.code != "matches-nothing"), "{merged:?}");
    let left = merged.merge.left_behind.iter().find(|left| left.path == "project.yml").unwrap();
    assert_eq!(left.text, ["    config: {url: new, limit: 1}"]);
}

#[test]
fn without_a_preference_only_what_both_changed_is_a_conflict_of_yaml() {
    let (one, other) = (TAPS.replace("url: old", "url: one"), TAPS.replace("limit: 1", "limit: 2"));
    let mut case = project(&one, &other);
    case.prefer = Prefer::None;
    case.resolve.insert("other.yml".to_owned(), Resolution::Target);
    let merged = case.merge();
    assert_eq!(case.file(&merged, "project.yml").unwrap(), one.replace("limit: 1", "limit: 2"));
    let mut case = project(&one, &TAPS.replace("url: old", "url: two"));
    case.prefer = Prefer::None;
    assert_eq!(case.merge().merge.conflicts.len(), 2);
}

#[test]
fn a_deletion_that_a_change_brings_back_is_a_loss() {
    let case = project("version: 1\n", &TAPS.replace("limit: 1", "limit: 2"));
    let merged = case.merge();
    let loss = merged.merge.losses.iter().find(|loss| loss.path == "project.yml").unwrap();
    assert_eq!((loss.kind, loss.text.len()), (LossKind::Deletion, 4), "{loss:?}");
    let case = project(&TAPS.replace("limit: 1", "limit: 2"), "version: 1\n");
    let merged = case.merge();
    assert!(case.file(&merged, "project.yml").unwrap().contains("limit: 2"));
    assert!(merged.merge.left_behind.iter().any(|left| left.path == "project.yml"), "{merged:?}");
}

#[test]
fn what_cannot_be_merged_by_structure_is_merged_as_text_and_said() {
    let case = project(&TAPS.replace("version: 1", "version: 2"), &format!("{TAPS}broken: [\n"));
    let merged = case.merge();
    let finding = merged.findings.iter().find(|finding| finding.code == "merged-as-text").unwrap();
    assert!(finding.message.contains("the source: not YAML"), "{finding:?}");
    assert!(case.file(&merged, "project.yml").unwrap().contains("broken"));
}

#[test]
fn names_that_collide_are_named_at_the_first_promotion_too() {
    let files: &[File<'_>] = &[("models/A.sql", text("a\n")), ("models/a.sql", text("b\n"))];
    let case = Case::new(None, &[("x", text("x\n"))], files);
    let mut request = case.request(None);
    request.target = None;
    let findings = merge(&case.store, &request).unwrap().findings;
    assert_eq!(findings.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["names-collide"]);
}

#[test]
fn a_base_for_histories_without_one_is_the_commit_that_resembles_the_target() {
    let mut case = Case::new(
        None,
        &[("a.sql", text(TEN)), ("b.sql", text(&with(9, "hotfix"))), ("c.sql", text("c\n"))],
        &[("a.sql", text("0\n")), ("old.sql", text("old\n"))],
    );
    let second: &[File<'_>] =
        &[("a.sql", text(TEN)), ("b.sql", text(TEN)), ("c.sql", text("c\n")), ("old.sql", None)];
    let like = case.sandbox.commit(Some(&case.source), "sam", second);
    let changed = with(2, "feature");
    case.source = case.sandbox.commit(
        Some(&like),
        "sam",
        &[("b.sql", text(&changed)), ("c.sql", None), ("d.sql", text("d\n"))],
    );
    let found = crate::git::resemblance(&case.store, &case.target, &case.source).unwrap().unwrap();
    assert_eq!((&found.commit, found.shared, found.of), (&like, 2, 3));
    let without = case.merge();
    assert_eq!((without.merge.losses.len(), case.file(&without, "c.sql").is_some()), (2, true));
    case.base = Some(like);
    let with_base = case.merge();
    assert!(with_base.merge.losses.is_empty() && with_base.unrelated, "{with_base:?}");
    assert_eq!(case.file(&with_base, "c.sql"), None);
    assert_eq!(case.file(&with_base, "b.sql").unwrap(), with(9, "hotfix").replace("2\n3", "feature\n3"));
}

#[test]
fn of_commits_that_resemble_a_target_alike_the_nearest_is_the_base_then_the_oldest() {
    let (feature, hotfix) = (with(1, "feature"), with(9, "hotfix"));
    let files: &[File<'_>] = &[("a.sql", text(TEN)), ("b.sql", text("b\n"))];
    let mut case = Case::new(None, &[("a.sql", text(&hotfix)), ("b.sql", text("b\n"))], files);
    let copied = case.source.clone();
    let resembling = |case: &Case| {
        crate::git::resemblance(&case.store, &case.target, &case.source).unwrap().unwrap().commit
    };
    case.source = case.sandbox.commit(Some(&copied), "sam", &[("a.sql", text(&feature))]);
    assert_eq!(resembling(&case), copied);
    case.base = Some(copied.clone());
    let merged = case.merge();
    assert_eq!(case.file(&merged, "a.sql").unwrap(), feature.replace("\n9\n", "\nhotfix\n"));
    // The same number of lines away, and newer.
    case.source = case.sandbox.commit(Some(&copied), "sam", &[("a.sql", text(&with(9, "other")))]);
    assert_eq!(resembling(&case), copied);
    // A copy whose folder has another name is a copy.
    let moved: &[File<'_>] = &[("x/a.sql", text(&hotfix)), ("x/b.sql", text("b\n"))];
    case.target = case.sandbox.commit(None, "tina", moved);
    assert_eq!(resembling(&case), copied);
}

#[test]
fn what_always_goes_one_way_is_settled_without_a_word_and_a_word_counts_more() {
    for (word, stays) in [(None, false), (Some(Resolution::Target), true)] {
        let target = with(5, "hotfix");
        let mut case =
            Case::new(Some(&[("a.lock", text(TEN))]), &[("a.lock", text(&target))], &[("a.lock", None)]);
        case.always = vec![("*.lock".to_owned(), Resolution::Source)];
        case.resolve.extend(word.map(|word| ("a.lock".to_owned(), word)));
        let merged = case.merge();
        assert_eq!(merged.merge.conflicts[0].resolution, Some(word.unwrap_or(Resolution::Source)));
        assert!(merged.merge.losses.iter().all(|loss| loss.accepted));
        assert_eq!(case.file(&merged, "a.lock").is_some(), stays);
    }
}

#[test]
fn what_was_promoted_squashed_is_no_loss_when_the_source_goes_on() {
    let (first, second) = (with(5, "one"), with(5, "two"));
    let mut case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("a.sql", text(&first))], &[("a.sql", text(&first))]);
    case.source = case.sandbox.commit(Some(&case.source), "sam", &[("a.sql", text(&second))]);
    let merged = case.merge();
    assert!(merged.merge.losses.is_empty(), "{:?}", merged.merge.losses);
    assert_eq!(case.file(&merged, "a.sql").unwrap(), second);
    assert!(merged.findings.iter().any(|finding| finding.code == "squashed"), "{:?}", merged.findings);
    // Work on top of it is a loss all the same.
    case.target = case.sandbox.commit(Some(&case.target), "tina", &[("a.sql", text(&with(5, "hotfix")))]);
    let losses = case.merge().merge.losses;
    assert_eq!(losses.len(), 1);
    assert_eq!(
        (losses[0].text.join(""), &losses[0].commit),
        ("hotfix".to_owned(), &Some(case.target.to_string()))
    );
}

#[test]
fn a_deletion_of_a_line_that_the_source_changed_is_a_loss() {
    let base = "select a\nfrom t\nwhere b <> 'phone'\n  and c > 0\norder by a\n";
    let target = base.replace("where b <> 'phone'\n  and", "where");
    let source = base.replace("'phone'", "'Phone'");
    let mut case = Case::new(
        Some(&[("m.sql", text(base))]),
        &[("m.sql", text(&base.replace("where b <> 'phone'\n", "")))],
        &[("m.sql", text(&source))],
    );
    let merged = case.merge();
    let loss = &merged.merge.losses[0];
    assert_eq!((loss.kind, &loss.text[..]), (LossKind::Deletion, &["where b <> 'phone'".to_owned()][..]));
    assert_eq!(loss.commit, Some(case.target.to_string()));
    case.keep = vec!["m.sql:3".to_owned()];
    let merged = case.merge();
    assert!(merged.merge.losses.is_empty(), "{merged:?}");
    assert_eq!(case.file(&merged, "m.sql").unwrap(), base.replace("where b <> 'phone'\n", ""));
    // Where the target has the rest of it in a line of its own, that line is the loss.
    let case =
        Case::new(Some(&[("m.sql", text(base))]), &[("m.sql", text(&target))], &[("m.sql", text(&source))]);
    let kinds: Vec<LossKind> = case.merge().merge.losses.iter().map(|loss| loss.kind).collect();
    assert_eq!(kinds, [LossKind::Line]);
}

#[test]
fn indentation_is_work_where_it_has_a_meaning() {
    let base = "models:\n- name: orders\n  columns:\n  - name: id\n  data_tests: [unique]\n";
    let target = base.replace("  data_tests", "    data_tests");
    let source = base.replace("[unique]", "[unique, not_null]");
    for (path, lost) in [("m/schema.yml", 1), ("m/schema.txt", 0)] {
        let files = |content| [(path, text(content))];
        let mut case = Case::new(Some(&files(base)), &files(&target), &files(&source));
        let merged = case.merge();
        assert_eq!(merged.merge.losses.len(), lost, "{merged:?}");
        if lost > 0 {
            assert_eq!(merged.merge.losses[0].text, ["    data_tests: [unique]"]);
            case.keep = vec![format!("{path}:5")];
            let merged = case.merge();
            assert_eq!(case.file(&merged, path).unwrap(), target);
        }
    }
    let case = Case::new(
        Some(&[("schema.yml", text(base))]),
        &[("schema.yml", text(&target))],
        &[("other.yml", text(base))],
    );
    let kept = case.merge().merge.kept;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].lines, Some(Lines { start: 5, end: 5 }));
}

#[test]
fn a_name_that_is_no_utf_8_is_a_name() {
    let (target, source) = (with(5, "hotfix"), with(5, "feature"));
    let path = "m\\374/caf\\351.sql";
    let files = |content| [(path, text(content))];
    let mut case = Case::new(Some(&files(TEN)), &files(&target), &files(&source));
    let merged = case.merge();
    let losses = &merged.merge.losses;
    assert_eq!((losses.len(), losses[0].path.as_str()), (1, path));
    assert_eq!(
        (&losses[0].text[..], &losses[0].commit),
        (&["hotfix".to_owned()][..], &Some(case.target.to_string()))
    );
    let raw = case.sandbox.repository.find_tree(merged.tree.as_ref().unwrap().oid()).unwrap();
    assert_eq!(raw.get(0).unwrap().name_bytes(), b"m\xfc");
    case.keep = vec![path.to_owned()];
    assert_eq!(case.file(&case.merge(), path).unwrap(), target);
    // A conflict on it is settled by the same name.
    let mut case = Case::new(Some(&files(TEN)), &files(&target), &[(path, None)]);
    assert_eq!(case.merge().merge.conflicts[0].path, path);
    case.resolve = BTreeMap::from([(path.to_owned(), Resolution::Target)]);
    assert_eq!(case.file(&case.merge(), path).unwrap(), target);
}

#[test]
fn words_that_contradict_each_other_settle_nothing() {
    let mut case = Case::new(
        Some(&[("x/f", text("f\n"))]),
        &[("x/f", text("hotfix\n"))],
        &[("x/f", None), ("x", text("file\n"))],
    );
    let words = |x, f| BTreeMap::from([("x".to_owned(), x), ("x/f".to_owned(), f)]);
    case.resolve = words(Resolution::Source, Resolution::Target);
    let error = merge(&case.store, &case.request(program().as_ref())).unwrap_err();
    assert!(
        matches!(&error, GitError::Contradiction { file, inside } if file == "x" && inside == "x/f"),
        "{error}"
    );
    case.resolve = words(Resolution::Source, Resolution::Source);
    assert_eq!(case.file(&case.merge(), "x").unwrap(), "file\n");
    case.resolve = words(Resolution::Delete, Resolution::Target);
    assert_eq!(case.file(&case.merge(), "x/f").unwrap(), "hotfix\n");
}
