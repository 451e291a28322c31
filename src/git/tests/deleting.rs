//! Who took lines away that a merge brings back.

use super::merging::{Case, TEN, with};
use super::sandbox::text;
use crate::git::Revision;
use crate::model::merge::LossKind;

/// What the target did after its first commit: who, which files.
type Later<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)]);

fn rows(order: &[usize]) -> String {
    order.iter().flat_map(|row| ["row ".to_owned(), row.to_string(), "\n".to_owned()]).collect()
}

/// The commit that a merge names for what comes back in the one file, and the target's commits.
fn named(base: &str, target: &str, source: &str, later: &[Later<'_>]) -> (Option<String>, Vec<Revision>) {
    let mut case =
        Case::new(Some(&[("a.sql", text(base))]), &[("a.sql", text(target))], &[("a.sql", text(source))]);
    let mut commits = vec![case.target.clone()];
    for (who, files) in later {
        let files: Vec<_> = files.iter().map(|(path, file)| (*path, file.and_then(text))).collect();
        commits.push(case.sandbox.commit(commits.last(), who, &files));
    }
    case.target = commits[commits.len() - 1].clone();
    case.store = case.sandbox.store().speculative().unwrap();
    let losses = case.merge().merge.losses;
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert_eq!(losses[0].kind, LossKind::Deletion);
    assert_eq!(losses[0].commit.is_some(), losses[0].author.is_some());
    (losses[0].commit.clone(), commits)
}

#[test]
fn what_was_moved_away_is_of_the_commit_that_moved_it() {
    let base = rows(&(1..=30).collect::<Vec<_>>());
    let moved: Vec<usize> = (1..=4).chain(8..=23).chain(5..=7).chain(24..=30).collect();
    let (target, source) = (rows(&moved), base.replace("row 6\n", "row 6 of the source\n"));
    let further = target.replace("row 30\n", "row thirty\n");
    let elsewhere = [("a.sql", None), ("b.sql", Some(target.as_str()))];
    for later in [
        vec![],
        vec![("tom", &[("a.sql", Some(further.as_str()))][..])],
        vec![("tom", &elsewhere[..])],
        vec![("tom", &elsewhere[..]), ("tom", &[("b.sql", Some(further.as_str()))][..])],
    ] {
        let (commit, commits) = named(&base, &target, &source, &later);
        assert_eq!(commit, Some(commits[0].to_string()), "{later:?}");
    }
}

#[test]
fn of_lines_that_are_alike_the_one_that_comes_back_is_named() {
    let base = with(9, "5");
    let (first, both) = (base.replacen("5\n", "", 1), base.replace("5\n", ""));
    let source = base.replace("6\n", "feature\n");
    let (commit, commits) = named(&base, &first, &source, &[("tom", &[("a.sql", Some(&both))])]);
    assert_eq!(commit, Some(commits[0].to_string()));
}

#[test]
fn what_a_branch_of_the_target_took_away_is_of_its_commit() {
    let (without, source) = (TEN.replace("5\n", ""), with(6, "feature"));
    let mut case =
        Case::new(Some(&[("a.sql", text(TEN))]), &[("b.sql", text("own\n"))], &[("a.sql", text(&source))]);
    let repository = &case.sandbox.repository;
    let base = repository.find_commit(case.target.oid()).unwrap().parent_id(0).unwrap();
    let side = case.sandbox.commit(Some(&base.into()), "tom", &[("a.sql", text(&without))]);
    let [one, other] = [&case.target, &side].map(|tip| repository.find_commit(tip.oid()).unwrap());
    let tree = repository.merge_commits(&one, &other, None).unwrap().write_tree_to(repository).unwrap();
    let (tree, by) = (repository.find_tree(tree).unwrap(), one.author());
    case.target = repository.commit(None, &by, &by, "Merge", &tree, &[&one, &other]).unwrap().into();
    case.store = case.sandbox.store().speculative().unwrap();
    let losses = case.merge().merge.losses;
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert_eq!(losses[0].commit, Some(side.to_string()));
}
