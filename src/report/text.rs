//! Small rules of text that all formats share: widths, amounts, control characters.

/// Makes control characters visible, so that a file's content cannot steer a terminal.
///
/// Shape: ESC becomes `␛`, a tab four spaces; invisible and direction-changing characters become
/// `\u{…}`. A line end becomes `⏎`: split into lines first where lines are meant.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("    "),
            '\n' => shown.push('⏎'),
            '\u{0}'..='\u{1f}' => {
                shown.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => shown.push('␡'),
            _ if misleading(character) => shown.push_str(&character.escape_unicode().to_string()),
            _ => shown.push(character),
        }
    }
    shown
}

/// Tells characters that show nothing or change the direction of what follows.
fn misleading(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Counts things in words: `1 file`, `3 files`, `1 204 331 rows`.
///
/// Shape: `one` is the singular; the plural is made by English rule (`loss` → `losses`, `copy` → `copies`).
pub fn amount(count: impl TryInto<u64>, one: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let noun = if count == 1 { one.to_owned() } else { plural(one) };
    format!("{} {noun}", grouped(count))
}

fn plural(one: &str) -> String {
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if one.ends_with('s') => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

/// Writes a number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown
}

/// Gives the width of a text in characters.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// Shortens a commit's id for people.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// Cuts a text at `limit` characters, with `…` where something is missing.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Joins words as a list: `a`, `a and b`, `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Joins words as a list of at most `limit` characters: the first three and the last two where it is longer.
pub(super) fn listed_within(limit: usize, words: &[String]) -> String {
    match words {
        [one, two, three, _, .., almost, last] if width(&listed(words)) > limit => {
            format!("{one}, {two}, {three}, … {almost} and {last}")
        }
        _ => listed(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_control_characters_instead_of_obeying_them() {
        for (text, shown) in [
            ("plain æøå", "plain æøå"),
            ("\u{1b}[31mred", "␛[31mred"),
            ("a\r\nb\tc", "a␍⏎b    c"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("safe\u{202e}gpj.exe", "safe\\u{202e}gpj.exe"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn a_long_list_has_a_beginning_and_an_end() {
        let words: Vec<String> = ('a'..='h').map(String::from).collect();
        assert_eq!(listed_within(100, &words), "a, b, c, d, e, f, g and h");
        assert_eq!(listed_within(20, &words), "a, b, c, … g and h");
        assert_eq!(listed_within(1, &words[..5]), "a, b, c, d and e");
    }

    #[test]
    fn counts_in_words() {
        for (count, one, words) in [
            (0_u64, "file", "0 files"),
            (1, "loss", "1 loss"),
            (2, "loss", "2 losses"),
            (2, "copy", "2 copies"),
            (1_204_331, "row", "1 204 331 rows"),
        ] {
            assert_eq!(amount(count, one), words);
        }
    }
}
