//! Changes of indentation alone, in files where it has a meaning.
//!
//! Elsewhere a change of layout is neither work nor loss. In YAML and Python it says what belongs to what: there a
//! line that only moved in or out is work of its side, and its indentation is compared like any other character.

use super::error::GitError;
use super::lines;

/// What stands for a space and a tab at the beginning of a line while texts are compared.
const MARKS: [(u8, u8); 2] = [(b' ', 1), (b'\t', 2)];

/// Whether indentation has a meaning in a file.
pub(super) fn matters(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["yml", "yaml", "py"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Lists the lines (from 0) that a side only indented otherwise.
pub(super) fn own(path: &str, base: &[u8], side: &[u8]) -> Result<Vec<usize>, GitError> {
    let Some([marked_base, marked_side]) = marked(path, [base, side]) else { return Ok(Vec::new()) };
    let said = lines::own(base, side)?;
    let mut all = lines::own(&marked_base, &marked_side)?;
    all.retain(|line| said.binary_search(line).is_err());
    Ok(all)
}

/// Lists those of them that the result has not as the side has them.
pub(super) fn lost(path: &str, base: &[u8], side: &[u8], result: &[u8]) -> Result<Vec<usize>, GitError> {
    let own = own(path, base, side)?;
    let Some([base, side, result]) = marked(path, [base, side, result]).filter(|_| !own.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut lost = lines::lost(&base, &side, &result)?;
    lost.retain(|line| own.binary_search(line).is_ok());
    Ok(lost)
}

/// Lists those of them that the other side has not.
pub(super) fn kept(path: &str, base: &[u8], side: &[u8], other: &[u8]) -> Result<Vec<usize>, GitError> {
    let mut own = own(path, base, side)?;
    let Some([side, other]) = marked(path, [side, other]).filter(|_| !own.is_empty()) else {
        return Ok(Vec::new());
    };
    let foreign = lines::own(&other, &side)?;
    own.retain(|line| foreign.binary_search(line).is_ok());
    Ok(own)
}

/// Gives texts whose indentation is compared; nothing where it has no meaning, or a text holds a mark already.
pub(super) fn marked<const N: usize>(path: &str, texts: [&[u8]; N]) -> Option<[Vec<u8>; N]> {
    let taken = |text: &&[u8]| text.iter().any(|byte| MARKS.iter().any(|(_, mark)| byte == mark));
    if !matters(path) || texts.iter().any(taken) {
        return None;
    }
    Some(
        texts.map(|text| {
            changed(text, |byte| MARKS.iter().find(|(space, _)| *space == byte).map(|(_, to)| *to))
        }),
    )
}

/// Gives a marked text as it was.
pub(super) fn unmarked(text: &[u8]) -> Vec<u8> {
    changed(text, |byte| MARKS.iter().find(|(_, mark)| *mark == byte).map(|(to, _)| *to))
}

fn changed(text: &[u8], other: impl Fn(u8) -> Option<u8>) -> Vec<u8> {
    let mut changed = Vec::with_capacity(text.len());
    for line in lines::split(text) {
        let indented =
            line.iter().take_while(|byte| !lines::is_blank(line) && other(**byte).is_some()).count();
        let (before, rest) = line.split_at(indented);
        changed.extend(before.iter().filter_map(|byte| other(*byte)));
        changed.extend_from_slice(rest);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_moved_in_or_out_is_work_where_that_has_a_meaning() {
        let (base, side) = (b"a:\n  b:\n  t: [u]\n".as_slice(), b"a:\n  b:\n    t: [u]\n".as_slice());
        assert_eq!(own("m.yml", base, side).unwrap(), [2]);
        assert_eq!(own("m.sql", base, side).unwrap(), [0; 0]);
        assert_eq!(lost("m.yml", base, side, b"a:\n  b:\n  t: [u, n]\n").unwrap(), [2]);
        assert_eq!(lost("m.yml", base, side, b"a:\n  b:\n    t: [u]\nc:\n").unwrap(), [0; 0]);
        assert_eq!(kept("m.YAML", base, side, base).unwrap(), [2]);
        assert_eq!(kept("m.py", base, side, side).unwrap(), [0; 0]);
        // What was written anew is told as before.
        assert_eq!(own("m.yml", base, b"a:\n  b:\n    t: [x]\n").unwrap(), [0; 0]);
    }

    #[test]
    fn marks_come_and_go() {
        let text = b"a\n \t b \n   \n\tc";
        let [marked] = marked("a.py", [text]).unwrap();
        assert_ne!(marked, text);
        assert_eq!(unmarked(&marked), text);
        assert!(super::marked("a.py", [b"\x01".as_slice()]).is_none());
    }
}
