//! Which files of a merge are merged by structure, and putting them into its tree.

use std::collections::{BTreeMap, BTreeSet};

use super::dispute::{Dispute, Favour, Quarrel, Side};
use super::merge::{Merged, Texts, merge};
use crate::git::engine::{Attempt, Clash};
use crate::git::error::GitError;
use crate::git::loss::Sides;
use crate::git::protect::Protection;
use crate::git::selector::Selector;
use crate::git::tree::{self, Edits, Entry, Renames};
use crate::model::finding::Finding;
use crate::model::merge::{ConflictKind, Lines};
use crate::model::origin::Place;
use crate::model::project::Prefer;

/// An attempt whose YAML is merged by structure.
pub(in crate::git) struct Structured {
    pub(in crate::git) attempt: Attempt,
    /// Files that were merged by structure, with what both sides changed there.
    pub(in crate::git) files: BTreeMap<String, Vec<Dispute>>,
    pub(in crate::git) findings: Vec<Finding>,
}

/// What says how files merge by structure.
pub(in crate::git) struct Wish<'a> {
    /// Which files do.
    pub(in crate::git) files: &'a Protection,
    pub(in crate::git) prefer: Prefer,
    pub(in crate::git) keep: &'a [Selector],
}

/// Merges by structure what both sides changed and what is wanted so.
///
/// Shape: `sides.result` is the attempt's tree. A file that cannot be merged so stays as the text merge has
/// it, and a finding says why.
pub(in crate::git) fn structured(
    sides: &Sides<'_>,
    attempt: Attempt,
    wish: &Wish<'_>,
) -> Result<Structured, GitError> {
    let mut done = Structured { attempt, files: BTreeMap::new(), findings: Vec::new() };
    let mut edits = Edits::new();
    for path in changed_by_both(sides, wish)? {
        let Some(versions) = Versions::read(sides, &path)? else { continue };
        let chosen = |lines: Option<Lines>| wish.keep.iter().any(|keep| keep.chooses(&path, lines));
        let keeps = |lines: Option<Lines>| lines.is_some() && chosen(lines);
        let side = if wish.prefer == Prefer::Target { Side::Target } else { Side::Source };
        match merge(versions.texts(), &path, &Favour { side, keeps: &keeps }) {
            Ok(merged) if wish.prefer == Prefer::None && is_open(&merged, &keeps) => {
                done.clash(&path);
            }
            Ok(merged) => {
                let failed = GitError::doing(format!("cannot write `{path}`"));
                let oid = sides.repository.blob(merged.text.as_bytes()).map_err(failed)?;
                edits.insert(path.clone(), Some(Entry { oid, mode: versions.mode }));
                done.settled(&path);
                done.files.insert(path, merged.disputes);
            }
            Err(why) => done.findings.push(
                Finding::warning("merged-as-text", format!("`{path}` is merged as text: {why}"))
                    .at(Place::file(path))
                    .hint("look at the merged file: a text merge knows nothing of keys"),
            ),
        }
    }
    if !edits.is_empty() {
        done.attempt.tree = tree::edited(sides.repository, done.attempt.tree, &edits)?;
    }
    Ok(done)
}

/// Whether something that both sides changed is settled by nobody.
fn is_open(merged: &Merged, keeps: &dyn Fn(Option<Lines>) -> bool) -> bool {
    merged
        .disputes
        .iter()
        .any(|dispute| dispute.quarrel == Quarrel::DeletedBySource || !keeps(dispute.target))
}

impl Structured {
    /// The file is merged: what the text merge could not do counts no more.
    fn settled(&mut self, path: &str) {
        self.attempt.clashes.retain(|clash| !is_of(clash, path));
    }

    fn clash(&mut self, path: &str) {
        if !self.attempt.clashes.iter().any(|clash| clash.paths.contains(path)) {
            let paths = BTreeSet::from([path.to_owned()]);
            self.attempt.clashes.push(Clash { paths, kind: ConflictKind::Content });
        }
    }
}

fn is_of(clash: &Clash, path: &str) -> bool {
    matches!(clash.kind, ConflictKind::Content | ConflictKind::AddAdd) && clash.paths.iter().eq([path])
}

fn changed_by_both(sides: &Sides<'_>, wish: &Wish<'_>) -> Result<BTreeSet<String>, GitError> {
    let changed = |side| -> Result<BTreeSet<String>, GitError> {
        let changes = sides.compared.changes(sides.base.as_ref(), side, Renames::Ignored)?;
        let paths = changes.iter().filter_map(|change| change.new.as_ref()).map(|new| &new.path);
        Ok(paths.filter(|path| wish.files.covers(path)).cloned().collect())
    };
    let target = changed(&sides.target)?;
    if target.is_empty() {
        return Ok(target);
    }
    Ok(changed(&sides.source)?.intersection(&target).cloned().collect())
}

/// A file's texts, where all that there are are texts.
struct Versions {
    base: Option<String>,
    target: String,
    source: String,
    mode: i32,
}

impl Versions {
    fn read(sides: &Sides<'_>, path: &str) -> Result<Option<Self>, GitError> {
        let text = |entry: Entry| -> Result<Option<String>, GitError> {
            if !entry.is_file() {
                return Ok(None);
            }
            Ok(String::from_utf8(tree::bytes(sides.repository, entry)?).ok())
        };
        let entry = |tree| tree::entry(tree, path);
        let (Some(target), Some(source)) = (entry(Some(&sides.target)), entry(Some(&sides.source))) else {
            return Ok(None);
        };
        let base = match entry(sides.base.as_ref()) {
            Some(base) => match text(base)? {
                Some(text) => Some(text),
                None => return Ok(None),
            },
            None => None,
        };
        let result = entry(Some(&sides.result)).filter(|result| result.is_file());
        let mode = result.unwrap_or(target).mode;
        let texts = (text(target)?, text(source)?);
        let (Some(target), Some(source)) = texts else { return Ok(None) };
        Ok(Some(Self { base, target, source, mode }))
    }

    fn texts(&self) -> Texts<'_> {
        Texts { base: self.base.as_deref(), target: &self.target, source: &self.source }
    }
}
