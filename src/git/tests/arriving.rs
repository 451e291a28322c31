//! The check that the source's work arrives, on results that no engine would make.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::sandbox::{Sandbox, text};
use crate::git::arrival::check;
use crate::git::error::GitError;
use crate::git::history::Span;
use crate::git::loss::Sides;
use crate::git::tree::Comparisons;

#[test]
fn work_of_the_source_that_is_not_in_the_result_stops_the_merge() {
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "base", &[("a", text("a\n")), ("b", text("b\n")), ("c", text("c\n"))]);
    let target = sandbox.commit(Some(&base), "tina", &[("a", text("own\n"))]);
    let wanted = [("a", text("new\n")), ("b", text("new\n")), ("c", None), ("d", text("d\n"))];
    let source = sandbox.commit(Some(&base), "sam", &wanted);
    let store = sandbox.store();
    let tree = |revision| store.tree(revision).unwrap();
    let whole = sandbox.commit(Some(&source), "merge", &[("a", text("own\n"))]);
    let at = |result| Sides {
        repository: &store.repository,
        compared: Rc::new(Comparisons::of(&store.repository)),
        base: Some(tree(&base)),
        target: tree(&target),
        tip: tree(&target),
        source: tree(&source),
        result,
        span: Span::new(&store.repository, Some(base.oid()), target.oid()),
        structured: BTreeMap::new(),
    };
    check(&at(tree(&whole)), &|_| false).unwrap();
    let missing = |known: &dyn Fn(&str) -> bool| match check(&at(tree(&target)), known) {
        Err(GitError::NotArrived { paths }) => paths,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(&|_| false), ["b", "c", "d"]);
    assert_eq!(missing(&|path| path == "b"), ["c", "d"]);
}
