//! Who brought what: commits in words, blame, the last commit that touched a path.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use git2::{Commit, Oid, Repository, Sort};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::blame::blame;
use super::deleted::deleted;
use super::error::GitError;
use super::lines;
use super::tree::{self, Renames};

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
pub(super) struct Span<'a> {
    pub(super) repository: &'a Repository,
    pub(super) base: Option<Oid>,
    pub(super) tip: Oid,
    /// Who touched which file, once somebody asked.
    touches: OnceCell<BTreeMap<String, Vec<Touch>>>,
    /// The side's own commits, once somebody asked.
    own: OnceCell<BTreeSet<Oid>>,
}

/// A commit that has a file otherwise than one of its parents.
#[derive(Clone, Copy, Debug)]
struct Touch {
    commit: Oid,
    /// Its place in the walk: the newest has the lowest.
    place: usize,
    /// Which parent it is.
    parent: usize,
    is_merge: bool,
    /// Whether that parent has no such file, and may have had it under another name.
    came: bool,
}

impl<'a> Span<'a> {
    pub(super) fn new(repository: &'a Repository, base: Option<Oid>, tip: Oid) -> Self {
        Self { repository, base, tip, touches: OnceCell::new(), own: OnceCell::new() }
    }

    /// Blames lines (from 0) of the tip's file that the base's lacks; lines without an answer are left out.
    pub(super) fn blame(&self, path: &str, wanted: &[usize]) -> BTreeMap<usize, Oid> {
        if wanted.is_empty() {
            return BTreeMap::new();
        }
        // Where one commit alone worked on a file that had no other name before, nothing is left to follow.
        if let ([touch], Some(_)) = (self.touches(path).as_slice(), self.base)
            && !touch.is_merge
            && !touch.came
        {
            return wanted.iter().map(|line| (*line, touch.commit)).collect();
        }
        // A history that ends early (a shallow clone) gives no blame; the loss is listed all the same.
        blame(self, path, wanted).unwrap_or_default()
    }

    /// Lists who touched a file or what is in a folder, the newest first.
    fn touches(&self, path: &str) -> Vec<Touch> {
        let all = self.touches.get_or_init(|| self.all_touches().unwrap_or_default());
        let below =
            |other: &str| other.len() == path.len() || other.as_bytes().get(path.len()) == Some(&b'/');
        let mut touches: Vec<Touch> = all
            .range(path.to_owned()..)
            .take_while(|(other, _)| other.starts_with(path))
            .filter(|(other, _)| below(other))
            .flat_map(|(_, touches)| touches.iter().copied())
            .collect();
        touches.sort_by_key(|touch| (touch.place, touch.parent));
        touches
    }

    /// Compares every commit with its parents: once, whichever file is asked for.
    fn all_touches(&self) -> Result<BTreeMap<String, Vec<Touch>>, GitError> {
        let mut all: BTreeMap<String, Vec<Touch>> = BTreeMap::new();
        for (place, commit) in self.commits()?.enumerate() {
            let after = commit.tree().map_err(GitError::doing("cannot read a commit"))?;
            let parents = commit.parent_count();
            for parent in 0..parents.max(1) {
                let before = commit.parent(parent).and_then(|parent| parent.tree()).ok();
                let changes =
                    tree::changes(self.repository, before.as_ref(), Some(&after), Renames::Ignored)?;
                let (commit, is_merge) = (commit.id(), parents > 1);
                let gone = changes.iter().any(|change| change.new.is_none());
                let touched = changes.into_iter().filter_map(|change| {
                    let came = gone && change.old.is_none();
                    Some((change.old.or(change.new)?.path, came))
                });
                for (path, came) in touched {
                    let touch = Touch { commit, place, parent, is_merge, came };
                    all.entry(path).or_default().push(touch);
                }
            }
        }
        Ok(all)
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

    /// Whether a commit is one of the side's own.
    pub(super) fn has(&self, commit: Oid) -> bool {
        let own = || self.commits().map(|commits| commits.map(|commit| commit.id()).collect());
        self.own.get_or_init(|| own().unwrap_or_default()).contains(&commit)
    }

    /// Finds the newest of the side's commits that changed a path against its first parent, merges aside.
    pub(super) fn last_touch(&self, path: &str) -> Option<Oid> {
        self.last_where(path, &|_| true)
    }

    /// Finds the commit of the side that took a line out of a file of the base, by that file's lines or its name there.
    pub(super) fn deleted(
        &self,
        (path, in_base): (&str, Option<&str>),
        (line, among): (&str, &Range<usize>),
    ) -> Option<Oid> {
        let line = lines::essence(line.as_bytes());
        let followed = in_base.and_then(|path| deleted(self, path, (&line, among)).ok()?);
        followed.or_else(|| self.fewer(path, &line))
    }

    /// Finds the newest of the side's commits that left a file with fewer lines of a text.
    fn fewer(&self, path: &str, line: &[u8]) -> Option<Oid> {
        let count = |commit: Option<Commit<'_>>| {
            let tree = commit.and_then(|commit| commit.tree().ok());
            let entry = tree::entry(tree.as_ref(), path);
            let bytes = entry.and_then(|entry| tree::bytes(self.repository, entry).ok()).unwrap_or_default();
            lines::split(&bytes).iter().filter(|text| lines::essence(text) == line).count()
        };
        self.last_where(path, &|commit| count(commit.parent(0).ok()) > count(Some(commit.clone())))
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

    fn last_where(&self, path: &str, matches: &dyn Fn(&Commit<'a>) -> bool) -> Option<Oid> {
        let mut merge = None;
        let mut last = None;
        for touch in self.touches(path).into_iter().filter(|touch| touch.parent == 0) {
            // Of a folder, a commit may have touched several files.
            if last.replace(touch.commit) == Some(touch.commit)
                || !self.repository.find_commit(touch.commit).is_ok_and(|commit| matches(&commit))
            {
                continue;
            }
            if !touch.is_merge {
                return Some(touch.commit);
            }
            merge = merge.or(Some(touch.commit));
        }
        merge
    }
}
