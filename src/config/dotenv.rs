//! `.env` files, as python-dotenv reads them.

use super::plugin::{Block, Variable};
use crate::model::origin::Place;

/// Reads the text of a `.env` file.
///
/// Shape: `export`, single and double quotes (also over several lines) and comments are understood;
/// the last of several wins; a name without `=` and a line that is neither is left out; `${NAME}`
/// and `${NAME:-default}` refer to earlier lines. `file` is for the places of the values.
/// Pure: never fails.
pub fn parse_dotenv(text: &str, file: &str) -> Block {
    let mut values = Block::new();
    let file: std::sync::Arc<str> = file.into();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rest = text;
    let mut lines = Lines { text, at: 0, line: 1 };
    while !rest.is_empty() {
        rest = rest.trim_start();
        let (line, below) = rest.split_once('\n').unwrap_or((rest, ""));
        let bare = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = bare.split_once('=').filter(|(name, _)| is_name(name.trim())) else {
            rest = below;
            continue;
        };
        let start = line.len() - value.len();
        let place = Place { file: file.clone(), line: Some(lines.at(text.len() - rest.len())), column: None };
        let (value, end) = read_value(&rest[start..]);
        let value = Variable { place: Some(place), ..Variable::text(interpolate(&value, &values)) };
        values.insert(name.trim().to_owned(), value);
        rest = &rest[start + end..];
    }
    values
}

/// Counts lines as a text is walked.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    /// Gives the line of a byte, which is not before the one asked for last.
    fn at(&mut self, byte: usize) -> u32 {
        let passed = self.text[self.at..byte].matches('\n').count();
        self.line += u32::try_from(passed).unwrap_or(u32::MAX);
        self.at = byte;
        self.line
    }
}

fn is_name(name: &str) -> bool {
    let name = name.trim_matches('\'');
    !name.is_empty() && !name.contains(char::is_whitespace) && !name.starts_with('#')
}

/// Reads a value; gives it and how many bytes it and the rest of its line take.
fn read_value(text: &str) -> (String, usize) {
    let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
    let body = &text[blank..];
    if let Some(quote) = body.chars().next().filter(|first| matches!(first, '\'' | '"'))
        && let Some((value, length)) = read_quoted(&body[1..], quote)
    {
        let end = blank + 1 + length;
        return (value, end + text[end..].find('\n').map_or(text.len() - end, |newline| newline + 1));
    }
    let end = text.find('\n').map_or(text.len(), |newline| newline + 1);
    let line = text[..end].trim();
    let line = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line) };
    (line.trim().to_owned(), end)
}

/// Reads up to the closing quote; gives the value and its length with the quote.
fn read_quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Some((value, at + 1));
        }
        if character != '\\' {
            value.push(character);
            continue;
        }
        let (_, next) = characters.next()?;
        match next {
            'n' if quote == '"' => value.push('\n'),
            't' if quote == '"' => value.push('\t'),
            'r' if quote == '"' => value.push('\r'),
            '\\' | '\'' | '"' => value.push(next),
            other => value.extend(['\\', other]),
        }
    }
    None
}

fn interpolate(value: &str, known: &Block) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let inner = &rest[start + 2..start + length];
        let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
        out.push_str(&rest[..start]);
        out.push_str(
            known
                .get(name)
                .map(|value| value.text.as_str())
                .filter(|text| !text.is_empty())
                .unwrap_or(default),
        );
        rest = &rest[start + length + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_dotenv_reads() {
        let text = "A=1\r\nexport B = two words # c\n# D=4\nC='it\\'s #1'\nE=\"a\\nb\nc\" # x\nF\nG=\nA=2\nH=${A}-${NO:-d}-${NO}\nI=a#b\nJ='open\n=x\n";
        let values = parse_dotenv(text, ".env");
        assert_eq!(values["E"].place.as_ref().map(ToString::to_string).as_deref(), Some(".env:5"));
        assert_eq!(values["I"].place.as_ref().map(ToString::to_string).as_deref(), Some(".env:11"));
        let values: std::collections::BTreeMap<_, _> =
            values.into_iter().map(|(name, value)| (name, value.text)).collect();
        let expected = [
            ("A", "2"),
            ("B", "two words"),
            ("C", "it's #1"),
            ("E", "a\nb\nc"),
            ("G", ""),
            ("H", "2-d-"),
            ("I", "a#b"),
            ("J", "'open"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(values, std::collections::BTreeMap::from(expected));
    }

    #[test]
    fn never_panics() {
        let text = "A=\"\\é\nexport =\n'x'=${é\n\\";
        for (at, _) in text.char_indices() {
            parse_dotenv(&text[at..], "");
            parse_dotenv(&text[..at], "");
        }
    }
}
