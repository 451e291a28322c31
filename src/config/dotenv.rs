//! `.env` files, as python-dotenv reads them.

use std::collections::BTreeMap;

/// Reads the text of a `.env` file.
///
/// Shape: `export`, single and double quotes (also over several lines) and comments are understood;
/// the last of several wins; a name without `=` and a line that is neither is left out; `${NAME}`
/// and `${NAME:-default}` refer to earlier lines.
/// Pure: never fails.
pub fn parse_dotenv(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        rest = rest.trim_start();
        let (line, below) = rest.split_once('\n').unwrap_or((rest, ""));
        let bare = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = bare.split_once('=').filter(|(name, _)| is_name(name.trim())) else {
            rest = below;
            continue;
        };
        let start = line.len() - value.len();
        let (value, end) = read_value(&rest[start..]);
        let value = interpolate(&value, &values);
        values.insert(name.trim().to_owned(), value);
        rest = &rest[start + end..];
    }
    values
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

fn interpolate(value: &str, known: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let inner = &rest[start + 2..start + length];
        let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
        out.push_str(&rest[..start]);
        out.push_str(known.get(name).filter(|value| !value.is_empty()).map_or(default, String::as_str));
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
        let values = parse_dotenv(text);
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
        assert_eq!(values, BTreeMap::from(expected));
    }

    #[test]
    fn never_panics() {
        let text = "A=\"\\é\nexport =\n'x'=${é\n\\";
        for (at, _) in text.char_indices() {
            parse_dotenv(&text[at..]);
            parse_dotenv(&text[..at]);
        }
    }
}
