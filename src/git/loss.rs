//! What a merge would drop of the target's own work, and what of it survives.
//!
//! In: the four trees (base, target, source, result). Out: losses, survivors, and the source's work
//! that does not arrive. It asks no engine how the merge was made: it compares what went in with what
//! came out, so it is a check on the engines as well. Start at [`report`].

use std::collections::BTreeMap;
use std::rc::Rc;

use git2::{Oid, Repository, Tree};

use super::error::GitError;
use super::history::{Span, describe};
use super::layout;
use super::lines;
use super::own::is_ours;
use super::structure::{Dispute, Missing, Side, Versions, missing};
use super::tree::{self, Change, Comparisons, Entry, Located, Renames};
use crate::model::merge::{Kept, LeftBehind, Lines, Loss, LossKind};

/// The trees of a merge.
pub(super) struct Sides<'a> {
    pub(super) repository: &'a Repository,
    /// What was compared already.
    pub(super) compared: Rc<Comparisons<'a>>,
    pub(super) base: Option<Tree<'a>>,
    pub(super) target: Tree<'a>,
    /// The target as it stands; another tree than `target` where a revert is undone first.
    pub(super) tip: Tree<'a>,
    pub(super) source: Tree<'a>,
    pub(super) result: Tree<'a>,
    /// The target's commits since the base.
    pub(super) span: Span<'a>,
    /// Files that were merged by structure, with what both sides changed there.
    pub(super) structured: BTreeMap<String, Vec<Dispute>>,
}

/// What became of the target's and the source's own work.
#[derive(Default)]
pub(super) struct Report {
    pub(super) losses: Vec<Loss>,
    pub(super) kept: Vec<Kept>,
    pub(super) left_behind: Vec<LeftBehind>,
}

/// A file of one side with its forebear in the base and its fate in the result.
struct Fate<'c> {
    old: Option<&'c Located>,
    new: &'c Located,
    result: Option<Entry>,
    source: Option<Entry>,
}

impl Sides<'_> {
    /// Takes another tree for the result.
    pub(super) fn with_result(self, tree: Oid) -> Result<Self, GitError> {
        let result = self.repository.find_tree(tree).map_err(GitError::doing("cannot read a merged tree"))?;
        Ok(Self { result, ..self })
    }

    /// Whether what survives was brought by a commit that both sides have: nothing is to be carried back then.
    fn is_common(&self, kept: &Kept) -> bool {
        let commit = kept.commit.as_deref().and_then(|commit| Oid::from_str(commit).ok());
        let (Some(base), Some(commit)) = (self.span.base, commit) else { return false };
        let is_before = || self.repository.graph_descendant_of(base, commit).unwrap_or(false);
        base == commit || (!self.span.has(commit) && is_before())
    }

    /// Whether a promotion or a rollback made what survives: that is nobody's own work.
    fn is_nobodys(&self, kept: &Kept) -> bool {
        let commit = kept.commit.as_deref().and_then(|commit| Oid::from_str(commit).ok());
        commit.is_some_and(|commit| self.repository.find_commit(commit).is_ok_and(|commit| is_ours(&commit)))
    }

    fn bytes(&self, entry: Option<Entry>) -> Result<Vec<u8>, GitError> {
        entry.map_or_else(|| Ok(Vec::new()), |entry| tree::bytes(self.repository, entry))
    }

    fn changes(&self, before: Option<&Tree<'_>>, after: &Tree<'_>) -> Result<Rc<[Change]>, GitError> {
        self.compared.changes(before, after, Renames::Followed)
    }

    /// Lists what the target did since the base, renamed files followed.
    pub(super) fn own(&self) -> Result<Rc<[Change]>, GitError> {
        self.changes(self.base.as_ref(), &self.target)
    }

    /// Lists what the source did since the base, renamed files followed.
    pub(super) fn wanted(&self) -> Result<Rc<[Change]>, GitError> {
        self.changes(self.base.as_ref(), &self.source)
    }
}

/// Compares what went into a merge with what came out.
///
/// # Errors
///
/// [`GitError::Unaccounted`] if work of the target is neither in result, source nor report.
pub(super) fn report(sides: &Sides<'_>) -> Result<Report, GitError> {
    let mut report = Report::default();
    let fates = fates(&sides.changes(Some(&sides.target), &sides.result)?);
    let in_source = fates_by_base(sides)?;
    for change in &*sides.own()? {
        match (&change.old, &change.new) {
            (old, Some(new)) => {
                let result = match fates.get(&new.path) {
                    Some(result) => *result,
                    None => Some(new.entry),
                };
                let source = source_entry(sides, &in_source, old.as_ref(), new);
                file(sides, &Fate { old: old.as_ref(), new, result, source }, &mut report)?;
            }
            (Some(old), None) => deleted(sides, old, &mut report),
            (None, None) => {}
        }
    }
    report.kept.retain(|kept| !sides.is_common(kept) && !sides.is_nobodys(kept));
    report.left_behind = left_behind(sides)?;
    report.losses.sort_by(|one, other| (&one.path, one.lines).cmp(&(&other.path, other.lines)));
    report.kept.sort_by(|one, other| (&one.path, one.lines).cmp(&(&other.path, other.lines)));
    Ok(report)
}

/// Maps the old path of every change to what is there now.
fn fates(changes: &[Change]) -> BTreeMap<String, Option<Entry>> {
    let fate = |change: &Change| {
        let old = change.old.as_ref()?;
        Some((old.path.clone(), change.new.as_ref().map(|new| new.entry)))
    };
    changes.iter().filter_map(fate).collect()
}

fn fates_by_base(sides: &Sides<'_>) -> Result<BTreeMap<String, Option<Entry>>, GitError> {
    Ok(fates(&sides.wanted()?))
}

fn source_entry(
    sides: &Sides<'_>,
    in_source: &BTreeMap<String, Option<Entry>>,
    old: Option<&Located>,
    new: &Located,
) -> Option<Entry> {
    match old {
        Some(old) => in_source.get(&old.path).copied().unwrap_or(Some(old.entry)),
        None => sides.compared.entry(Some(&sides.source), &new.path),
    }
}

/// A file that the target deleted: lost work if it is there again.
fn deleted(sides: &Sides<'_>, old: &Located, report: &mut Report) {
    let commit = || sides.span.last_touch(&old.path);
    if sides.compared.entry(Some(&sides.result), &old.path).is_some() {
        report.losses.push(loss(sides, &old.path, LossKind::Deletion, commit()));
    } else if sides.compared.entry(Some(&sides.source), &old.path).is_some() {
        report.kept.push(kept(sides, &old.path, None, commit()));
    }
}

fn file(sides: &Sides<'_>, fate: &Fate<'_>, report: &mut Report) -> Result<(), GitError> {
    let path = &fate.new.path;
    let touched = || sides.span.last_touch(path);
    let new = fate.new.entry;
    let Some(result) = fate.result else {
        report.losses.push(loss(sides, path, LossKind::File, touched()));
        return Ok(());
    };
    if fate.old.is_none_or(|old| old.entry.oid != new.oid) {
        let texts = Texts::read(sides, fate)?;
        if new.oid != result.oid && (!new.is_file() || !result.is_file() || !texts.are_text()) {
            report.losses.push(loss(sides, path, LossKind::File, touched()));
            return Ok(());
        }
        if fate.source.is_none() && fate.old.is_none() && new.oid == result.oid {
            if sides.base.is_some() {
                report.kept.push(kept(sides, path, None, touched()));
            }
        } else if new.is_file() && texts.are_text() {
            content(sides, path, &texts, report)?;
        } else if sides.base.is_some() && fate.source.is_none_or(|source| source.oid != new.oid) {
            report.kept.push(kept(sides, path, None, touched()));
        }
    }
    let changed_mode = fate.old.is_none_or(|old| old.entry.mode != new.mode);
    if changed_mode && new.mode != result.mode {
        report.losses.push(loss(sides, path, LossKind::Mode, touched()));
    }
    named(sides, fate, report);
    Ok(())
}

/// A file that the target renamed or gave another mode: lost work where the old name is back, and otherwise named
/// as long as the source has neither.
fn named(sides: &Sides<'_>, fate: &Fate<'_>, report: &mut Report) {
    let (Some(old), path) = (fate.old, &fate.new.path) else { return };
    let has = |tree: &Tree<'_>, path: &str| sides.compared.entry(Some(tree), path).is_some();
    let renamed = old.path != *path;
    let named = |report: &Report| {
        report.kept.iter().any(|kept| kept.path == *path && kept.lines.is_none())
            || report.losses.iter().any(|loss| loss.path == *path && loss.lines.is_none())
    };
    let commit = || sides.span.last_touch(path);
    if renamed && has(&sides.result, &old.path) && !has(&sides.result, path) && !named(report) {
        report.losses.push(loss(sides, path, LossKind::File, commit()));
    }
    let own_name = renamed && !has(&sides.source, path) && has(&sides.result, path);
    let source_mode = fate.source.map(|source| source.mode);
    let own_mode = fate.new.entry.mode != old.entry.mode && source_mode == Some(old.entry.mode);
    if (own_name || own_mode) && !named(report) {
        report.kept.push(kept(sides, path, None, commit()));
    }
}

/// The four versions of a file, and its name in the base.
struct Texts {
    in_base: Option<String>,
    base: Vec<u8>,
    target: Vec<u8>,
    source: Vec<u8>,
    result: Vec<u8>,
}

impl Texts {
    fn read(sides: &Sides<'_>, fate: &Fate<'_>) -> Result<Self, GitError> {
        Ok(Self {
            in_base: fate.old.map(|old| old.path.clone()),
            base: sides.bytes(fate.old.map(|old| old.entry))?,
            target: sides.bytes(Some(fate.new.entry))?,
            source: sides.bytes(fate.source)?,
            result: sides.bytes(fate.result)?,
        })
    }

    fn are_text(&self) -> bool {
        [&self.base, &self.target, &self.result].into_iter().all(|bytes| tree::is_text(bytes))
    }
}

fn content(sides: &Sides<'_>, path: &str, texts: &Texts, report: &mut Report) -> Result<(), GitError> {
    if let Some(disputes) = sides.structured.get(path) {
        return structured(sides, path, (texts, disputes), report);
    }
    let own = lines::own(&texts.base, &texts.target)?;
    let Texts { base, target, source, result, .. } = texts;
    let mut lost = lines::lost(base, target, result)?;
    let mut undone = lines::undone(base, target, result, &lost)?;
    undone.extend(lines::overruled([base, target, source, result], &lost)?);
    lost.extend(layout::lost(path, base, target, result)?);
    lost.sort_unstable();
    let mut surviving = if sides.base.is_some() { surviving(texts, &own, &lost)? } else { Vec::new() };
    if sides.base.is_some() {
        let kept = layout::kept(path, base, target, source)?;
        surviving.extend(kept.into_iter().filter(|line| lost.binary_search(line).is_err()));
        surviving.sort_unstable();
    }
    let wanted: Vec<usize> = lost.iter().chain(&surviving).copied().collect();
    let blame = sides.span.blame(path, &wanted);
    let target = lines::split(&texts.target);
    for (run, commit) in by_commit(&lost, &blame) {
        let text = target.get(run.clone()).unwrap_or_default().iter().map(|line| lines::shown(line));
        let loss = loss(sides, path, LossKind::Line, commit);
        report.losses.push(Loss { lines: Some(numbers(&run)), text: text.collect(), ..loss });
    }
    for gone in &undone {
        let commit = deleter(sides, path, texts, gone)?;
        let at = numbers(&(gone.before..gone.before + 1));
        let loss = loss(sides, path, LossKind::Deletion, commit);
        report.losses.push(Loss { lines: Some(at), text: gone.text.clone(), ..loss });
    }
    for (run, commit) in by_commit(&surviving, &blame) {
        report.kept.push(kept(sides, path, Some(numbers(&run)), commit));
    }
    report.kept.extend(stays_deleted(sides, path, (texts, &own, &undone))?);
    account(path, texts, &own, &lost)
}

/// What a file that was merged by structure loses: values and comments, whichever lines they are on.
fn structured(
    sides: &Sides<'_>,
    path: &str,
    (texts, disputes): (&Texts, &[Dispute]),
    report: &mut Report,
) -> Result<(), GitError> {
    let versions = Versions { base: &texts.base, side: &texts.target, result: &texts.result };
    let Missing { values, restored, comments } = missing(versions, Side::Target, disputes)?;
    let (own, target) = (lines::own(&texts.base, &texts.target)?, lines::split(&texts.target));
    let comments: Vec<usize> =
        comments.into_iter().filter(|line| !values.iter().any(|lines| contains(*lines, *line))).collect();
    let gone = |line: &&usize| {
        values.iter().any(|lines| contains(*lines, **line)) || comments.binary_search(line).is_ok()
    };
    let (lost, rest): (Vec<usize>, Vec<usize>) = own.iter().partition(gone);
    let surviving = if sides.base.is_some() { surviving(texts, &rest, &[])? } else { Vec::new() };
    let blame = sides.span.blame(path, &[lost.as_slice(), &surviving].concat());
    let shown = |all: &[&[u8]], lines: &Lines| -> Vec<String> {
        let range = (lines.start as usize).saturating_sub(1)..(lines.end as usize).min(all.len());
        all.get(range).unwrap_or_default().iter().map(|line| lines::shown(line)).collect()
    };
    for lines in values {
        let commit = lost.iter().find(|line| contains(lines, **line)).and_then(|line| blame.get(line));
        let loss = loss(sides, path, LossKind::Value, commit.copied());
        report.losses.push(Loss { text: shown(&target, &lines), lines: Some(lines), ..loss });
    }
    for (at, theirs) in restored {
        let text = shown(&lines::split(&texts.source), &theirs);
        let anywhere = 0..usize::MAX;
        let names = (path, texts.in_base.as_deref());
        let commit = text.first().and_then(|line| sides.span.deleted(names, (line, &anywhere)));
        let loss = loss(sides, path, LossKind::Deletion, commit);
        report.losses.push(Loss { lines: Some(at), text, ..loss });
    }
    for (run, commit) in by_commit(&comments, &blame) {
        let loss = loss(sides, path, LossKind::Line, commit);
        report.losses.push(Loss { lines: Some(numbers(&run)), text: shown(&target, &numbers(&run)), ..loss });
    }
    for (run, commit) in by_commit(&surviving, &blame) {
        report.kept.push(kept(sides, path, Some(numbers(&run)), commit));
    }
    let undone = lines::undone(&texts.base, &texts.target, &texts.result, &lost)?;
    report.kept.extend(stays_deleted(sides, path, (texts, &own, &undone))?);
    Ok(())
}

/// Finds the commit that took lines away which stood in one place of the base.
fn deleter(
    sides: &Sides<'_>,
    path: &str,
    texts: &Texts,
    gone: &lines::Undone,
) -> Result<Option<Oid>, GitError> {
    let Some(first) = gone.text.first() else { return Ok(None) };
    let place = lines::hunks(&texts.base, &texts.target)?
        .into_iter()
        .find(|hunk| hunk.after.start == gone.before && !hunk.before.is_empty());
    let among = place.map_or(0..usize::MAX, |hunk| hunk.before);
    Ok(sides.span.deleted((path, texts.in_base.as_deref()), (first, &among)))
}

/// Whether lines hold a line (from 0).
fn contains(lines: Lines, line: usize) -> bool {
    (lines.start..=lines.end).contains(&number(line + 1))
}

/// Lists the target's own lines that the result has and the source has not.
fn surviving(texts: &Texts, own: &[usize], lost: &[usize]) -> Result<Vec<usize>, GitError> {
    let foreign = lines::own(&texts.source, &texts.target)?;
    let survives = |line: &&usize| lost.binary_search(line).is_err() && foreign.binary_search(line).is_ok();
    Ok(own.iter().filter(survives).copied().collect())
}

/// Names a file of which the target deleted lines without putting others in their place that only the source has.
fn stays_deleted(
    sides: &Sides<'_>,
    path: &str,
    (texts, own, undone): (&Texts, &[usize], &[lines::Undone]),
) -> Result<Option<Kept>, GitError> {
    if sides.base.is_none() {
        return Ok(None);
    }
    let missing = lines::undone(&texts.base, &texts.target, &texts.source, own)?;
    let comes_back = |gone: &lines::Undone| undone.iter().any(|back| back.before == gone.before);
    for gone in missing.iter().filter(|gone| !comes_back(gone)) {
        let kept = kept(sides, path, None, deleter(sides, path, texts, gone)?);
        if !sides.is_nobodys(&kept) {
            return Ok(Some(kept));
        }
    }
    Ok(None)
}

/// Walks the target's own lines: each is in the result, in the source, or reported.
///
/// Asks by text, not by comparison, so a mistake of the comparison does not hide itself.
fn account(path: &str, texts: &Texts, own: &[usize], lost: &[usize]) -> Result<(), GitError> {
    let target = lines::split(&texts.target);
    let mut there: Vec<Vec<u8>> = lines::split(&texts.result)
        .iter()
        .chain(&lines::split(&texts.source))
        .map(|line| lines::essence(line))
        .collect();
    there.sort();
    for line in own {
        let text = target.get(*line).map(|line| lines::essence(line)).unwrap_or_default();
        if lost.binary_search(line).is_err() && there.binary_search(&text).is_err() {
            return Err(GitError::Unaccounted { path: path.to_owned(), line: number(line + 1) });
        }
    }
    Ok(())
}

/// Lists the source's own work that the result lacks.
fn left_behind(sides: &Sides<'_>) -> Result<Vec<LeftBehind>, GitError> {
    let fates = fates(&sides.changes(Some(&sides.source), &sides.result)?);
    let mut left = Vec::new();
    for change in &*sides.wanted()? {
        let path =
            change.new.as_ref().or(change.old.as_ref()).map(|side| side.path.clone()).unwrap_or_default();
        let Some(new) = &change.new else {
            if sides.compared.entry(Some(&sides.result), &path).is_some() {
                left.push(LeftBehind { path, text: Vec::new() });
            }
            continue;
        };
        let Some(result) = fates.get(&new.path) else { continue };
        let (base, source, after) = (
            sides.bytes(change.old.as_ref().map(|old| old.entry))?,
            sides.bytes(Some(new.entry))?,
            sides.bytes(*result)?,
        );
        let texts = [&base, &source, &after].into_iter().all(|bytes| tree::is_text(bytes));
        if result.is_none()
            || (!texts && change.old.as_ref().is_none_or(|old| old.entry.oid != new.entry.oid))
        {
            left.push(LeftBehind { path, text: Vec::new() });
        } else if texts {
            let all = lines::split(&source);
            let lost = if let Some(disputes) = sides.structured.get(&new.path) {
                let versions = Versions { base: &base, side: &source, result: &after };
                let missing = missing(versions, Side::Source, disputes)?;
                if !missing.restored.is_empty() {
                    left.push(LeftBehind { path: path.clone(), text: Vec::new() });
                }
                let gone = |line: &usize| missing.values.iter().any(|lines| contains(*lines, *line));
                (0..all.len()).filter(|line| gone(line) || missing.comments.contains(line)).collect()
            } else {
                let mut lost = lines::lost(&base, &source, &after)?;
                lost.extend(layout::lost(&new.path, &base, &source, &after)?);
                lost.sort_unstable();
                lost
            };
            let text: Vec<String> =
                lost.iter().filter_map(|line| all.get(*line)).map(|line| lines::shown(line)).collect();
            if !text.is_empty() {
                left.push(LeftBehind { path, text });
            }
        }
    }
    Ok(left)
}

/// Joins neighbouring lines of one commit.
fn by_commit(lines: &[usize], blame: &BTreeMap<usize, Oid>) -> Vec<(std::ops::Range<usize>, Option<Oid>)> {
    let mut groups: Vec<(std::ops::Range<usize>, Option<Oid>)> = Vec::new();
    for line in lines {
        let commit = blame.get(line).copied();
        match groups.last_mut() {
            Some((run, last)) if run.end == *line && *last == commit => run.end += 1,
            Some(_) | None => groups.push((*line..*line + 1, commit)),
        }
    }
    groups
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn numbers(run: &std::ops::Range<usize>) -> Lines {
    Lines { start: number(run.start + 1), end: number(run.end) }
}

fn loss(sides: &Sides<'_>, path: &str, kind: LossKind, commit: Option<Oid>) -> Loss {
    let authored = commit.and_then(|commit| describe(sides.repository, commit));
    let (commit, subject, author, date) = match authored {
        Some(found) => (Some(found.commit), Some(found.subject), Some(found.author), Some(found.date)),
        None => (None, None, None, None),
    };
    let path = path.to_owned();
    Loss { path, kind, lines: None, text: Vec::new(), commit, subject, author, date, accepted: false }
}

fn kept(sides: &Sides<'_>, path: &str, lines: Option<Lines>, commit: Option<Oid>) -> Kept {
    let authored = commit.and_then(|commit| describe(sides.repository, commit));
    let author = authored.as_ref().map(|found| found.author.clone());
    Kept { path: path.to_owned(), lines, commit: authored.map(|found| found.commit), author }
}
