//! Lines of three or four versions of a file: what one side brought and another dropped.
//!
//! Pure. Lines that differ only in how much white space stands where some stands count as equal everywhere here, so
//! a change of layout is neither work nor loss; `'New York'` for `'NewYork'` is both.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use git2::{DiffOptions, Patch};

use super::error::GitError;

/// A stretch of lines that differs: lines of the one text, lines of the other (from 0).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hunk {
    pub(super) before: Range<usize>,
    pub(super) after: Range<usize>,
}

/// Splits into lines, each with its end.
pub(super) fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A line's text without its end, for people.
pub(super) fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned()
}

/// A line without white space around it, and one space for any within: what decides whether two lines are the same.
pub(super) fn essence(line: &[u8]) -> Vec<u8> {
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

/// Tells whether a line says nothing: white space only.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Compares two texts by the essence of their lines.
pub(super) fn hunks(before: &[u8], after: &[u8]) -> Result<Vec<Hunk>, GitError> {
    if before == after {
        return Ok(Vec::new());
    }
    let essences = |text: &[u8]| -> Vec<u8> {
        split(text).into_iter().flat_map(|line| essence(line).into_iter().chain([b'\n'])).collect()
    };
    compare(&essences(before), &essences(after), DiffOptions::new().patience(true))
}

/// Compares two texts byte for byte, as `git blame` does.
pub(super) fn exact_hunks(before: &[u8], after: &[u8]) -> Result<Vec<Hunk>, GitError> {
    compare(before, after, &mut DiffOptions::new())
}

fn compare(before: &[u8], after: &[u8], options: &mut DiffOptions) -> Result<Vec<Hunk>, GitError> {
    if before == after {
        return Ok(Vec::new());
    }
    let failed = || GitError::doing("cannot compare two files");
    options.context_lines(0).interhunk_lines(0).force_text(true);
    let patch = Patch::from_buffers(before, None, after, None, Some(options)).map_err(failed())?;
    let mut hunks = Vec::with_capacity(patch.num_hunks());
    for number in 0..patch.num_hunks() {
        let (hunk, _) = patch.hunk(number).map_err(failed())?;
        hunks.push(Hunk {
            before: range(hunk.old_start(), hunk.old_lines()),
            after: range(hunk.new_start(), hunk.new_lines()),
        });
    }
    Ok(hunks)
}

/// An empty range is written as the line before it, any other by its first line, both from 1.
fn range(start: u32, count: u32) -> Range<usize> {
    let (start, count) = (start as usize, count as usize);
    if count == 0 { start..start } else { start.saturating_sub(1)..start.saturating_sub(1) + count }
}

/// Counts the lines that come and go, white space counted.
pub(super) fn counts(before: &[u8], after: &[u8]) -> Result<(u32, u32), GitError> {
    let failed = || GitError::doing("cannot compare two files");
    let patch = Patch::from_buffers(before, None, after, None, None).map_err(failed())?;
    let (_, added, removed) = patch.line_stats().map_err(failed())?;
    let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
    Ok((count(added), count(removed)))
}

/// Lists the lines that a side brought against the base (from 0), blank ones left out.
pub(super) fn own(base: &[u8], side: &[u8]) -> Result<Vec<usize>, GitError> {
    let lines = split(side);
    let brought = hunks(base, side)?.into_iter().flat_map(|hunk| hunk.after);
    Ok(brought.filter(|line| lines.get(*line).is_some_and(|line| !is_blank(line))).collect())
}

/// Lists the lines that a side brought and the result lacks (from 0).
///
/// A line that stands elsewhere in the same hunk of the result only moved, and so did two or more
/// neighbours that stand together anywhere among the result's new lines.
pub(super) fn lost(base: &[u8], side: &[u8], result: &[u8]) -> Result<Vec<usize>, GitError> {
    let own = own(base, side)?;
    let (side_lines, result_lines) = (split(side), split(result));
    let changed = hunks(side, result)?;
    let mut lost = Vec::new();
    for hunk in &changed {
        let mut pool = counted(&result_lines, hunk.after.clone());
        for line in hunk.before.clone().filter(|line| own.binary_search(line).is_ok()) {
            if side_lines.get(line).is_some_and(|text| !take(&mut pool, &essence(text))) {
                lost.push(line);
            }
        }
    }
    let inserted: Vec<Vec<u8>> = changed
        .iter()
        .flat_map(|hunk| hunk.after.clone())
        .map(|line| result_lines.get(line).map_or_else(Vec::new, |line| essence(line)))
        .collect();
    Ok(without_moved(&lost, &side_lines, &inserted))
}

fn without_moved(lost: &[usize], lines: &[&[u8]], inserted: &[Vec<u8>]) -> Vec<usize> {
    let mut pairs: BTreeSet<(&[u8], &[u8])> = BTreeSet::new();
    for pair in inserted.windows(2) {
        if let [one, two] = pair {
            pairs.insert((one, two));
        }
    }
    let mut moved = vec![false; lost.len()];
    for (index, pair) in lost.windows(2).enumerate() {
        let [one, two] = pair else { continue };
        if *one + 1 != *two {
            continue;
        }
        let (Some(first), Some(second)) = (lines.get(*one), lines.get(*two)) else { continue };
        if pairs.contains(&(essence(first).as_slice(), essence(second).as_slice())) {
            moved[index] = true;
            moved[index + 1] = true;
        }
    }
    lost.iter().zip(moved).filter(|(_, moved)| !moved).map(|(line, _)| *line).collect()
}

/// Lines that a side deleted and the result has again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Undone {
    /// The side's line before which they stood (from 0).
    pub(super) before: usize,
    /// Their texts.
    pub(super) text: Vec<String>,
}

/// Lists what a side deleted and the result has again, where it is not the other half of a lost change.
pub(super) fn undone(
    base: &[u8],
    side: &[u8],
    result: &[u8],
    lost: &[usize],
) -> Result<Vec<Undone>, GitError> {
    let (base_lines, side_lines, result_lines) = (split(base), split(side), split(result));
    let changed = hunks(side, result)?;
    let mut undone = Vec::new();
    for hunk in hunks(base, side)? {
        if lost.iter().any(|line| hunk.after.contains(line)) {
            continue;
        }
        let mut pool = BTreeMap::new();
        for other in touching(&changed, &hunk) {
            for (line, count) in counted(&result_lines, other.after.clone()) {
                *pool.entry(line).or_insert(0) += count;
            }
        }
        let mut moved = counted(&side_lines, hunk.after.clone());
        let text: Vec<String> = base_lines
            .get(hunk.before.clone())
            .unwrap_or_default()
            .iter()
            .filter(|line| !is_blank(line))
            .filter(|line| !take(&mut moved, &essence(line)) && take(&mut pool, &essence(line)))
            .map(|line| shown(line))
            .collect();
        if text.iter().any(|line| says_something(line)) {
            undone.push(Undone { before: hunk.after.start, text });
        }
    }
    Ok(undone)
}

/// Lists what differs in the result at or beside what a hunk of the side left.
fn touching<'h>(changed: &'h [Hunk], hunk: &Hunk) -> impl Iterator<Item = &'h Hunk> {
    let after = hunk.after.clone();
    changed.iter().filter(move |other| other.before.start <= after.end && after.start <= other.before.end)
}

/// Whether a deleted line is worth a word: it holds a letter or digit, or begins or ends a comment; a brace alone is not.
fn says_something(line: &str) -> bool {
    const COMMENTS: [&str; 6] = ["{#", "#}", "/*", "*/", "--", "<!"];
    line.chars().any(char::is_alphanumeric) || COMMENTS.iter().any(|mark| line.contains(mark))
}

/// How much of two lines is the same where one was made from the other.
const ALIKE: f32 = 0.5;

/// Lists what a side deleted where the other side changed the very line, so that the result has it as that made it.
///
/// Shape: as [`undone`], with the lines as the base had them. A line of the other side was made from the one of the
/// base that it is most like.
pub(super) fn overruled(
    [base, side, other, result]: [&[u8]; 4],
    lost: &[usize],
) -> Result<Vec<Undone>, GitError> {
    let changed = hunks(side, result)?;
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let (base_lines, side_lines, other_lines) = (split(base), split(side), split(other));
    let (theirs, result_lines) = (hunks(base, other)?, split(result));
    let mut overruled = Vec::new();
    for hunk in hunks(base, side)? {
        if lost.iter().any(|line| hunk.after.contains(line)) {
            continue;
        }
        let came: BTreeSet<Vec<u8>> = touching(&changed, &hunk)
            .flat_map(|one| result_lines.get(one.after.clone()).unwrap_or_default())
            .map(|line| essence(line))
            .collect();
        let mut moved = counted(&side_lines, hunk.after.clone());
        let gone: Vec<usize> = hunk
            .before
            .clone()
            .filter(|line| base_lines.get(*line).is_some_and(|text| !take(&mut moved, &essence(text))))
            .collect();
        let meets = |one: &&Hunk| one.before.start < hunk.before.end && hunk.before.start < one.before.end;
        let mut again = BTreeSet::new();
        for one in theirs.iter().filter(meets) {
            let made = other_lines.get(one.after.clone()).unwrap_or_default();
            for line in made.iter().filter(|line| came.contains(&essence(line))) {
                again.extend(forebear(&base_lines, one.before.clone(), line));
            }
        }
        let text: Vec<String> = gone
            .iter()
            .filter(|line| again.contains(*line))
            .filter_map(|line| base_lines.get(*line))
            .map(|line| shown(line))
            .collect();
        if text.iter().any(|line| says_something(line)) {
            overruled.push(Undone { before: hunk.after.start, text });
        }
    }
    Ok(overruled)
}

/// Finds the line that another was made from: the one that is most like it, if one is.
fn forebear(lines: &[&[u8]], among: Range<usize>, made: &[u8]) -> Option<usize> {
    let made = String::from_utf8_lossy(made);
    let likeness = |line: usize| {
        let before = String::from_utf8_lossy(lines.get(line)?);
        let ratio = similar::TextDiff::from_chars(before.trim(), made.trim()).ratio();
        (ALIKE..1.0).contains(&ratio).then_some((ratio, line))
    };
    among.filter_map(likeness).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, line)| line)
}

/// Gives the result with the side's lines in each hunk that `wins` chooses by the side's lines.
pub(super) fn with_side(
    side: &[u8],
    result: &[u8],
    wins: &dyn Fn(&Range<usize>) -> bool,
) -> Result<Vec<u8>, GitError> {
    let (side_lines, result_lines) = (split(side), split(result));
    let mut text = Vec::with_capacity(result.len());
    let mut next = 0;
    let mut push = |lines: Option<&[&[u8]]>| {
        for line in lines.unwrap_or_default() {
            if text.last().is_some_and(|byte| *byte != b'\n') {
                text.push(b'\n');
            }
            text.extend_from_slice(line);
        }
    };
    for hunk in hunks(side, result)? {
        push(result_lines.get(next..hunk.after.start));
        if wins(&hunk.before) {
            push(side_lines.get(hunk.before.clone()));
        } else {
            push(result_lines.get(hunk.after.clone()));
        }
        next = hunk.after.end;
    }
    push(result_lines.get(next..));
    Ok(text)
}

fn counted(lines: &[&[u8]], range: Range<usize>) -> BTreeMap<Vec<u8>, usize> {
    let mut counts = BTreeMap::new();
    for line in lines.get(range).unwrap_or_default() {
        *counts.entry(essence(line)).or_insert(0) += 1;
    }
    counts
}

fn take(pool: &mut BTreeMap<Vec<u8>, usize>, line: &[u8]) -> bool {
    match pool.get_mut(line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_target_brought_and_the_result_lacks() {
        let base = b"a\nb\nc\n";
        for (target, result, expected) in [
            (b"a\nb1\nc\n".as_slice(), b"a\nb\nc1\n".as_slice(), vec![1]),
            (b"a\nb1\nc\n", b"a\nb1\nc1\n", vec![]),
            (b"a\nb\nc\nfix\n", b"a\nb\nc\n  fix\n", vec![]),
            (b"a\nb\nc\nf  ix\n", b"a\nb\nc\nf ix \n", vec![]),
            (b"a\nb c\nc\n", b"a\nbc\nc\n", vec![1]),
            (b"a\r\nb\r\nfix\r\nc\r\n", b"a\nb\nc2\n", vec![2]),
            (b"fix\na\nb\nc\n", b"fix\na\nb\nc\n", vec![]),
            (b"a\nb\nx y\nz\nc\n", b"x y\nz\na\nb\nc\n", vec![]),
        ] {
            assert_eq!(lost(base, target, result).unwrap(), expected, "{}", String::from_utf8_lossy(target));
        }
    }

    #[test]
    fn finds_deletions_that_come_back() {
        let (base, target) = (b"a\nsecret\nc\nd\n", b"a\nc\nd\n");
        let found = undone(base, target, b"a\nsecret\nc2\nd\n", &[]).unwrap();
        assert_eq!(found, [Undone { before: 1, text: vec!["secret".to_owned()] }]);
        assert!(undone(base, target, b"a\nc2\nd\n", &[]).unwrap().is_empty());
        let (base, target) = (b"a\n{#\nb\n#}\nc\n", b"a\nb\nc\n");
        let found = undone(base, target, b"a\n{#\nb\n#}\nc2\n", &[]).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(undone(b"a\n}\nc\n", b"a\nc\n", b"a\n}\nc2\n", &[]).unwrap().is_empty());
    }

    #[test]
    fn finds_deletions_that_come_back_changed() {
        let base = b"select a\nwhere b <> 'phone'\norder by c\n".as_slice();
        let target = b"select a\norder by c\n".as_slice();
        let found = |source: &[u8]| overruled([base, target, source, source], &[]).unwrap();
        let again = [Undone { before: 1, text: vec!["where b <> 'phone'".to_owned()] }];
        assert_eq!(found(b"select a\nwhere b <> 'Phone'\norder by c\n"), again);
        // It is gone, or something else is in its place.
        for source in [
            b"select a, d\norder by c\n".as_slice(),
            b"select a\nlimit 10\norder by c\n",
            b"select a2\nlimit 10\norder by c\n",
        ] {
            assert_eq!(found(source), [], "{}", String::from_utf8_lossy(source));
        }
        // The target's own version of the line is a loss of its own.
        let target = b"select a\nwhere b <> 'fax'\norder by c\n".as_slice();
        let source = b"select a\nwhere b <> 'Phone'\norder by c\n".as_slice();
        assert_eq!(overruled([base, target, source, source], &[1]).unwrap(), []);
    }

    #[test]
    fn a_side_wins_a_hunk() {
        let wins = |range: &Range<usize>| range.contains(&1);
        let text = with_side(b"a\nb1\nc\nd\ne", b"a\nb\nc\nd\ne2\n", &wins).unwrap();
        assert_eq!(text, b"a\nb1\nc\nd\ne2\n");
    }
}
