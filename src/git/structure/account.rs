//! What became of one side's own work in a file that was merged by structure.
//!
//! Values are looked up in the result by their path, comments by their text: neither asks how the file was
//! joined.

use std::collections::BTreeSet;

use super::cut::means;
use super::dispute::{Dispute, Quarrel, Side};
use crate::git::error::GitError;
use crate::git::lines;
use crate::model::merge::Lines;
use crate::yaml::{self, Node};

/// A side's own work that the result lacks.
#[derive(Debug, Default, Eq, PartialEq)]
pub(in crate::git) struct Missing {
    /// Lines of the side with values that went to the other one, in order.
    pub(in crate::git) values: Vec<Lines>,
    /// Where the side deleted what is there again, and the other side's lines of it.
    pub(in crate::git) restored: Vec<(Lines, Lines)>,
    /// Lines (from 0) with comments that are gone.
    pub(in crate::git) comments: Vec<usize>,
}

/// A file before the merge, on the side that is asked about, and after the merge.
#[derive(Clone, Copy)]
pub(in crate::git) struct Versions<'t> {
    pub(in crate::git) base: &'t [u8],
    pub(in crate::git) side: &'t [u8],
    pub(in crate::git) result: &'t [u8],
}

/// Lists what a side lost.
pub(in crate::git) fn missing(
    versions: Versions<'_>,
    side: Side,
    disputes: &[Dispute],
) -> Result<Missing, GitError> {
    let parsed = |bytes: &[u8]| yaml::parse(&String::from_utf8_lossy(bytes), "").ok();
    let (own, result) = (parsed(versions.side), parsed(versions.result));
    let mut missing = Missing::default();
    for dispute in disputes.iter().filter(|dispute| dispute.winner != side) {
        let (here, there) = match side {
            Side::Target => (dispute.target, dispute.source),
            Side::Source => (dispute.source, dispute.target),
        };
        // A protected key, say, was put back since.
        if value(own.as_ref(), &dispute.path) == value(result.as_ref(), &dispute.path) {
            continue;
        }
        match (dispute.quarrel, here, there) {
            (Quarrel::Value, Some(here), _) => missing.values.push(here),
            (Quarrel::DeletedBySource | Quarrel::DeletedByTarget, here, Some(there)) => {
                missing.restored.push((here.unwrap_or(there), there));
            }
            (Quarrel::Value | Quarrel::DeletedBySource | Quarrel::DeletedByTarget | Quarrel::Layout, ..) => {}
        }
    }
    missing.values.sort();
    missing.values.dedup();
    missing.comments = comments(versions)?;
    Ok(missing)
}

fn value(root: Option<&Node>, path: &[String]) -> Option<serde_json::Value> {
    let found = path.iter().try_fold(root?, |node, name| node.get(name).or_else(|| node.named(name)))?;
    Some(means(found))
}

/// Lists the lines whose comment is the side's own and is not in the result.
fn comments(versions: Versions<'_>) -> Result<Vec<usize>, GitError> {
    let all = |text: &[u8]| -> BTreeSet<Vec<u8>> {
        lines::split(text).into_iter().filter_map(comment).map(lines::essence).collect()
    };
    let (before, after) = (all(versions.base), all(versions.result));
    let own = lines::own(versions.base, versions.side)?;
    let split = lines::split(versions.side);
    let gone = |line: &usize| {
        let comment = split.get(*line).copied().and_then(comment).map(lines::essence);
        comment.is_some_and(|comment| !before.contains(&comment) && !after.contains(&comment))
    };
    Ok(own.into_iter().filter(gone).collect())
}

/// Gives a line's comment, where it says something.
fn comment(line: &[u8]) -> Option<&[u8]> {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in line.iter().copied().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            None if byte == b'#' && before.is_ascii_whitespace() => {
                let comment = &line[at..];
                return comment.iter().any(u8::is_ascii_alphanumeric).then_some(comment);
            }
            None if matches!(byte, b'"' | b'\'') && matches!(before, b' ' | b'[' | b'{' | b',' | b':') => {
                quote = Some(byte);
            }
            Some(_) | None => {}
        }
        before = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_comments_outside_of_quotes() {
        for (line, found) in [
            ("a: 1 # one", Some("# one")),
            ("# whole", Some("# whole")),
            ("a: 'x # y'", None),
            ("a: don't # z", Some("# z")),
            ("a: x#y", None),
            ("# ----", None),
        ] {
            assert_eq!(comment(line.as_bytes()), found.map(str::as_bytes), "{line}");
        }
    }
}
