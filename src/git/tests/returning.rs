//! What was promoted and taken back: named, left out or brought again, never in silence.

use super::merging::{Case, TEN};
use super::sandbox::text;
use crate::git::{Revision, taken_back as taken_back_in, undone};
use crate::model::merge::Reverted;

/// Merges source into target, as `git merge` does.
fn merged(case: &Case) -> Revision {
    let repository = &case.sandbox.repository;
    let commit = |revision: &Revision| repository.find_commit(revision.oid()).unwrap();
    let (target, source) = (commit(&case.target), commit(&case.source));
    let signature = target.author();
    let mut index = repository.merge_commits(&target, &source, None).unwrap();
    let tree = repository.find_tree(index.write_tree_to(repository).unwrap()).unwrap();
    repository.commit(None, &signature, &signature, "Promote", &tree, &[&target, &source]).unwrap().into()
}

/// Puts the tree of a commit's first parent back, with a message.
fn taken_back_by(case: &Case, commit: &Revision, message: &str, parent: &Revision) -> Revision {
    let repository = &case.sandbox.repository;
    let before = repository.find_commit(commit.oid()).unwrap().parent(0).unwrap();
    let parent = repository.find_commit(parent.oid()).unwrap();
    let signature = before.author();
    let tree = before.tree().unwrap();
    repository.commit(None, &signature, &signature, message, &tree, &[&parent]).unwrap().into()
}

/// A target into which the source was promoted and where that was taken back, and the source's next commit.
fn taken_back() -> Case {
    let mut case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("b.sql", text("own\n"))], &[("f.sql", text("f\n"))]);
    let promotion = merged(&case);
    let words = format!("Revert\n\nThis reverts commit {promotion}, reversing\nchanges.\n");
    let revert = taken_back_by(&case, &promotion, &words, &promotion);
    let hotfix = case.sandbox.commit(Some(&revert), "tina", &[("c.sql", text("hotfix\n"))]);
    let later = case.sandbox.commit(Some(&case.source), "sam", &[("later.sql", text("later\n"))]);
    (case.target, case.source) = (hotfix, later);
    case.store = case.sandbox.store().speculative().unwrap();
    case
}

fn open(case: &Case, target: &Revision) -> Vec<Reverted> {
    taken_back_in(&case.store, target, &case.source).unwrap().open
}

#[test]
fn what_was_taken_back_is_named_and_comes_again_only_when_that_is_said() {
    let mut case = taken_back();
    let found = open(&case, &case.target);
    assert_eq!(found.len(), 1, "{found:?}");
    let silent = case.merge();
    assert_eq!((case.file(&silent, "f.sql"), case.file(&silent, "later.sql").is_some()), (None, true));
    case.reinstate = vec![Revision::new(&found[0].commit).unwrap()];
    let merged = case.merge();
    for path in ["a.sql", "b.sql", "c.sql", "f.sql", "later.sql"] {
        assert!(case.file(&merged, path).is_some(), "{path}");
    }
    let onto = merged.onto.unwrap();
    let again = open(&case, &onto);
    assert!(again.is_empty(), "{again:?}");
    let paths: Vec<&str> = merged.merge.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["f.sql", "later.sql"]);
    // The same source once more: there is nothing to merge but what was taken back.
    case.source =
        Revision::from(case.sandbox.repository.find_commit(case.source.oid()).unwrap().parent_id(0).unwrap());
    let merged = case.merge();
    assert!(!merged.up_to_date && case.file(&merged, "f.sql").is_some());
}

#[test]
fn a_revert_of_a_commit_that_the_source_has_is_named() {
    let mut case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("b.sql", text("own\n"))], &[("f.sql", text("f\n"))]);
    let feature = case.source.clone();
    let later = case.sandbox.commit(Some(&feature), "sam", &[("later.sql", text("later\n"))]);
    case.source = later.clone();
    let promotion = merged(&case);
    let words = format!("Revert \"sam was here\"\n\nThis reverts commit {feature}.\n");
    let repository = &case.sandbox.repository;
    let parent = repository.find_commit(promotion.oid()).unwrap();
    let gone = case.sandbox.commit(Some(&promotion), "tina", &[("f.sql", None)]);
    let tree = repository.find_commit(gone.oid()).unwrap().tree().unwrap();
    let signature = parent.author();
    let revert = repository.commit(None, &signature, &signature, &words, &tree, &[&parent]).unwrap();
    case.target = revert.into();
    case.source = case.sandbox.commit(Some(&later), "sam", &[("last.sql", text("last\n"))]);
    case.store = case.sandbox.store().speculative().unwrap();
    let found = open(&case, &case.target);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0].promotion, &found[0].commit), (&feature.to_string(), &revert.to_string()));
    case.reinstate = vec![revert.into()];
    let merged = case.merge();
    assert!(case.file(&merged, "f.sql").is_some() && case.file(&merged, "last.sql").is_some());
    // Where the source took it back as well, there is nothing to decide.
    case.source = case.sandbox.commit(Some(&case.source), "sam", &[("f.sql", None)]);
    case.store = case.sandbox.store().speculative().unwrap();
    assert!(open(&case, &case.target).is_empty());
}

#[test]
fn what_was_put_back_without_a_word_is_named_and_comes_again_only_when_that_is_said() {
    let mut case = Case::new(
        Some(&[("a.sql", text(TEN)), ("x.sql", text("old\n"))]),
        &[("b.sql", text("own\n"))],
        &[("f.sql", text("f\n")), ("x.sql", text("new\n"))],
    );
    let promotion = merged(&case);
    let hand = taken_back_by(&case, &promotion, "tidy up", &promotion);
    case.target = case.sandbox.commit(Some(&hand), "tina", &[("a.sql", text("hotfix\n"))]);
    let same = case.source.clone();
    let later = case.sandbox.commit(Some(&same), "sam", &[("later.sql", text("later\n"))]);
    for source in [later, same] {
        case.source = source;
        case.store = case.sandbox.store().speculative().unwrap();
        case.again = Vec::new();
        let silent = case.merge();
        assert_eq!(case.file(&silent, "f.sql"), None);
        let (tip, result) = ((&case.target, &case.source), silent.tree.as_ref());
        let found = undone(&case.store, tip, result, &[]).unwrap();
        let paths: Vec<&str> = found.iter().map(|undone| undone.path.as_str()).collect();
        assert_eq!(paths, ["f.sql", "x.sql"], "the hotfix is work of its own");
        assert_eq!(found[0].commit, Some(hand.to_string()));
        case.again = paths.into_iter().map(str::to_owned).collect();
        let again = case.merge();
        assert_eq!(case.file(&again, "x.sql").unwrap(), "new\n");
        assert!(case.file(&again, "f.sql").is_some() && !again.up_to_date);
        assert_eq!(case.file(&again, "a.sql").unwrap(), "hotfix\n");
        assert!(undone(&case.store, tip, again.tree.as_ref(), &[]).unwrap().is_empty());
    }
    // A later promotion that left it so has decided.
    case.again = Vec::new();
    case.source = case.sandbox.commit(Some(&case.source), "sam", &[("last.sql", text("last\n"))]);
    case.target = merged(&case);
    case.source = case.sandbox.commit(Some(&case.source), "sam", &[("then.sql", text("then\n"))]);
    case.store = case.sandbox.store().speculative().unwrap();
    assert!(undone(&case.store, (&case.target, &case.source), None, &[]).unwrap().is_empty());
}
