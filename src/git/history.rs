//! Who brought what: commits in words, blame, the last commit that touched a path.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Commit, Oid, Repository, Sort};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::blame::blame;
use super::error::GitError;
use super::lines;
use super::tree;

/// A commit, as reports name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Authored {
    /// Full id.
    pub(super) commit: String,
    /// Subject.
    pub(super) subject: String,
    /// `Name <mail>`.
    pub(super) author: String,
    /// Author date, RFC 3339.
    pub(super) date: String,
}

/// Describes a commit; nothing where it cannot be read (a shallow history).
pub(super) fn describe(repository: &Repository, commit: Oid) -> Option<Authored> {
    let found = repository.find_commit(commit).ok()?;
    let author = found.author();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Authored {
        commit: commit.to_string(),
        subject: text(found.summary_bytes().unwrap_or_default()),
        author: format!("{} <{}>", text(author.name_bytes()), text(author.email_bytes())),
        date: date(author.when()),
    })
}

fn date(time: git2::Time) -> String {
    let offset = Offset::from_seconds(time.offset_minutes().saturating_mul(60)).unwrap_or(Offset::UTC);
    let Ok(timestamp) = Timestamp::from_second(time.seconds()) else { return String::new() };
    timestamp.to_zoned(TimeZone::fixed(offset)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// A side's history: the commits from the base (left out) to its tip.
#[derive(Clone, Copy)]
pub(super) struct Span<'a> {
    pub(super) repository: &'a Repository,
    pub(super) base: Option<Oid>,
    pub(super) tip: Oid,
}

impl<'a> Span<'a> {
    /// Blames lines (from 0) of the tip's file; lines without an answer are left out.
    pub(super) fn blame(&self, path: &str, wanted: &[usize]) -> BTreeMap<usize, Oid> {
        // A history that ends early (a shallow clone) gives no blame; the loss is listed all the same.
        blame(*self, path, wanted).unwrap_or_default()
    }

    /// Walks the side's own commits, the newest first.
    pub(super) fn commits(&self) -> Result<impl Iterator<Item = Commit<'a>>, GitError> {
        let repository = self.repository;
        let walk = || {
            let mut walk = repository.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
            walk.push(self.tip)?;
            if let Some(base) = self.base {
                walk.hide(base)?;
            }
            Ok(walk)
        };
        let walk = walk().map_err(GitError::doing("cannot walk the history"))?;
        Ok(walk.filter_map(Result::ok).filter_map(|oid| repository.find_commit(oid).ok()))
    }

    /// Finds the newest of the side's commits that changed a path against its first parent, merges aside.
    pub(super) fn last_touch(&self, path: &str) -> Option<Oid> {
        self.last_where(path, &|before, after| before != after)
    }

    /// Finds the newest of the side's commits that took a line out of a file.
    pub(super) fn deleted(&self, path: &str, line: &str) -> Option<Oid> {
        let line = lines::essence(line.as_bytes());
        let count = |entry: Option<tree::Entry>| {
            let bytes = entry.and_then(|entry| tree::bytes(self.repository, entry).ok()).unwrap_or_default();
            lines::split(&bytes).iter().filter(|text| lines::essence(text) == line).count()
        };
        self.last_where(path, &|before, after| before != after && count(before) > count(after))
    }

    /// Tells which of the paths this history once had.
    pub(super) fn once_had(&self, paths: &BTreeSet<String>) -> Result<BTreeSet<String>, GitError> {
        let mut found = BTreeSet::new();
        for commit in self.commits()? {
            if found.len() == paths.len() {
                break;
            }
            let named = tree::deeds(self.repository, &commit)?
                .into_iter()
                .filter_map(|change| change.new.or(change.old));
            found.extend(named.map(|side| side.path).filter(|path| paths.contains(path)));
        }
        Ok(found)
    }

    fn last_where(
        &self,
        path: &str,
        matches: &dyn Fn(Option<tree::Entry>, Option<tree::Entry>) -> bool,
    ) -> Option<Oid> {
        let mut merge = None;
        for commit in self.commits().ok()? {
            let entry =
                |commit: &Commit<'_>| commit.tree().ok().and_then(|tree| tree::entry(Some(&tree), path));
            let before = commit.parent(0).ok().and_then(|parent| entry(&parent));
            if !matches(before, entry(&commit)) {
                continue;
            }
            if commit.parent_count() < 2 {
                return Some(commit.id());
            }
            merge = merge.or(Some(commit.id()));
        }
        merge
    }
}
