//! Text → [`Node`]: drives the parser and says what is wrong in our words.

use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScanError, Span};

use super::build::{Builder, MAX_DEPTH};
use super::error::YamlError;
use super::node::{Kind, Node};
use crate::model::origin::Place;

/// Size from which a text is refused unread, in bytes.
const MAX_SIZE_BYTES: usize = 32 * 1024 * 1024;

/// Reads one document.
///
/// Shape: an empty text is null. A byte order mark and any line ends are fine.
///
/// # Errors
///
/// The first fault of the text; [`parse_all`] gives every one that can be seen at once.
pub fn parse(text: &str, file: &str) -> Result<Node, YamlError> {
    parse_all(text, file).map_err(|mut faults| faults.swap_remove(0))
}

/// Reads one document, like [`parse`], and gives every fault that can be seen at once.
///
/// # Errors
///
/// One or more faults in the order of the text: all duplicate keys, and the fault that ends the
/// reading, if one does.
pub fn parse_all(text: &str, file: &str) -> Result<Node, Vec<YamlError>> {
    let source = Source::new(text, file);
    if text.len() > MAX_SIZE_BYTES {
        let message =
            format!("the file has {} MB; at most {} are read", text.len() >> 20, MAX_SIZE_BYTES >> 20);
        return Err(vec![YamlError::new(Place::file(file), message)]);
    }
    let mut builder = Builder::new(&source);
    let mut parser = Parser::new_from_str(source.text);
    let mut documents = 0;
    while let Some(step) = parser.next_event() {
        let taken = match step {
            Ok((Event::DocumentStart(_), span)) => {
                documents += 1;
                if documents > 1 { Err(second_document(&source, span)) } else { Ok(()) }
            }
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(explain(&source, &error)),
        };
        if let Err(error) = taken {
            builder.faults.push(error);
            break;
        }
    }
    builder.finish()
}

fn second_document(source: &Source<'_>, span: Span) -> YamlError {
    YamlError::new(source.place(span.start), "a second document begins here; a file holds one")
        .hint("remove the `---`, or put the second document into a file of its own")
}

/// Says in our words what the parser found.
fn explain(source: &Source<'_>, error: &ScanError) -> YamlError {
    let mark = *error.marker();
    let place = source.place(mark);
    if let Some(column) = source.leading_tab(mark.line()) {
        let place = Place { column: Some(column), ..place };
        return YamlError::new(place, "a tab cannot indent").hint("indent with spaces");
    }
    let info = error.info();
    if info.contains("unknown anchor") {
        return YamlError::new(place, "the alias refers to an anchor that is not there")
            .hint("define it before its use: `&name value`");
    }
    if info.contains("recursion limit") {
        return YamlError::new(place, format!("nested more than {MAX_DEPTH} levels deep"));
    }
    YamlError::new(place, format!("not YAML: {info}"))
}

/// A text and how its characters lie in its bytes.
pub(super) struct Source<'a> {
    /// The text without a byte order mark.
    pub(super) text: &'a str,
    /// The file's name.
    pub(super) file: Arc<str>,
    /// Bytes of the byte order mark.
    skipped: usize,
    /// Byte offset of each character and of the end; empty where the text is ASCII.
    offsets: Vec<u32>,
}

impl<'a> Source<'a> {
    fn new(text: &'a str, file: &str) -> Self {
        let stripped = text.strip_prefix('\u{feff}').unwrap_or(text);
        let offsets = if stripped.is_ascii() || stripped.len() > MAX_SIZE_BYTES {
            Vec::new()
        } else {
            let ends = std::iter::once(stripped.len());
            let starts = stripped.char_indices().map(|(offset, _)| offset);
            starts.chain(ends).map(|offset| u32::try_from(offset).unwrap_or(u32::MAX)).collect()
        };
        Self { text: stripped, file: file.into(), skipped: text.len() - stripped.len(), offsets }
    }

    /// Gives a mark's byte offset in the stripped text.
    pub(super) fn offset(&self, mark: Marker) -> usize {
        if self.offsets.is_empty() {
            return mark.index().min(self.text.len());
        }
        self.offsets.get(mark.index()).map_or(self.text.len(), |offset| *offset as usize)
    }

    /// Turns a range of the stripped text into one of the whole text.
    pub(super) fn whole(&self, range: Range<usize>) -> Range<usize> {
        range.start + self.skipped..range.end + self.skipped
    }

    /// Gives the place of a mark.
    ///
    /// Shape: a mark below the last line (the parser has such ones) is at that line's end.
    pub(super) fn place(&self, mark: Marker) -> Place {
        let (mut line, mut column) = numbers(mark);
        if mark.index() >= self.text.len() || self.offset(mark) == self.text.len() {
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            line = number(self.text.lines().count().max(1));
            column = number(self.text.lines().last().unwrap_or_default().chars().count() + 1);
        }
        Place::at(self.file.clone(), line, column)
    }

    /// Makes a node.
    pub(super) fn node(&self, value: Kind, start: Marker, range: Range<usize>) -> Node {
        let (line, column) = numbers(start);
        Node { value, line, column, span: self.whole(range), tag: None, alias: None, file: self.file.clone() }
    }

    /// Gives the column of a tab in a line's indentation, or in that of the line before it.
    fn leading_tab(&self, line: usize) -> Option<u32> {
        let text = self.text.lines().nth(line.checked_sub(1)?)?;
        let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
        text[..blank].find('\t').and_then(|column| u32::try_from(column + 1).ok())
    }
}

/// Gives a mark's line and column, both from 1.
fn numbers(mark: Marker) -> (u32, u32) {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (number(mark.line().max(1)), number(mark.col() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists every scalar as `path line:column text-of-its-bytes`.
    fn walk(text: &str, node: &Node, path: &str, out: &mut Vec<String>) {
        match &node.value {
            Kind::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(text, item, &format!("{path}[{index}]"), out);
                }
            }
            Kind::Mapping(entries) => {
                for entry in entries {
                    walk(text, &entry.value, &format!("{path}/{}", entry.name), out);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {
                out.push(format!(
                    "{path} {}:{} {}",
                    node.line,
                    node.column,
                    text[node.span.clone()].replace('\r', "").replace('\n', "|")
                ));
            }
        }
    }

    fn places(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        walk(text, &parse(text, "f").unwrap(), "", &mut out);
        out
    }

    #[test]
    fn knows_the_place_and_bytes_of_every_value() {
        let text = "é: ü x # c\nlist:\n- 'a'\n-   \"b\\t\"\nempty:\nflow: {k: [ 1 , zwei ]}\nlit: |\n  one\n  two\nlast: >-\n  x\n";
        let expected = [
            "/é 1:4 ü x",
            "/list[0] 3:3 'a'",
            "/list[1] 4:5 \"b\\t\"",
            "/empty 5:7 ",
            "/flow/k[0] 6:13 1",
            "/flow/k[1] 6:17 zwei",
        ];
        for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
            let found = places(&text);
            assert_eq!(found[..6], expected, "{text:?}");
            assert!(found[6].starts_with("/lit 7:6 "), "{found:?}");
            assert!(found[7].starts_with("/last 10:7 "), "{found:?}");
        }
        assert_eq!(parse("a: |\n  x\n  y\n", "f").unwrap().get("a").unwrap().as_str(), Some("x\ny\n"));
    }

    #[test]
    fn resolves_anchors_aliases_and_merge_keys_to_where_they_are_written() {
        let text = "a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: {<<: [{l: 8}, *x]}\nd: *x\n\"<<\": text\n";
        let root = parse(text, "f").unwrap();
        assert_eq!(
            root.to_json(),
            serde_json::json!({
                "a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}, "c": {"k": 1, "l": 8}, "d": {"k": 1, "l": 2},
                "<<": "text"
            })
        );
        assert_eq!(root.at(&["b", "k"]).unwrap().place(), Place::at("f", 1, 11));
        assert!(root.at(&["b"]).unwrap().entry("k").unwrap().merged);
        assert_eq!(
            root.at(&["d"]).unwrap().alias,
            Some(text.find("*x\n\"").unwrap()..text.find("\n\"").unwrap())
        );
        assert_eq!(parse("a: !unset\nb: !!str 12\n", "f").unwrap().get("b").unwrap().as_str(), Some("12"));
        assert!(parse("a: !unset\nb: 1\n", "f").unwrap().get("a").unwrap().is_unset());
        assert!(parse("[{a: !unset }]\n", "f").unwrap().items()[0].get("a").unwrap().is_unset());
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let bomb = (1..12).fold("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned(), |text, number| {
            let aliases = vec![format!("*a{}", number - 1); 10].join(",");
            format!("{text}a{number}: &a{number} [{aliases}]\n")
        });
        let chain = (1..300).fold("a0: &a0 [1]\n".to_owned(), |text, number| {
            format!("{text}a{number}: &a{number} [*a{}]\n", number - 1)
        });
        let deep = (0..2_000).map(|depth| " ".repeat(depth)).collect::<Vec<_>>().join("a:\n");
        for (text, place, words) in [
            ("a:\n\tb: 1\n", "f:2:1", "a tab cannot indent"),
            ("plugins:\n\tutilities: []\n", "f:2:1", "a tab cannot indent"),
            ("a: 1\nb: 2\na: 3\n", "f:3:1", "the key `a` is there twice: first at f:1:1"),
            ("a: 1\n---\nb: 2\n", "f:2:1", "a second document"),
            ("a: *nope\n", "f:1:4", "an anchor that is not there"),
            ("a: &x [*x]\n", "f:1:8", "a part of"),
            ("a: [1\n", "f:1:6", "not YAML"),
            ("? [a]\n: 1\n", "f:1:3", "a key must be a text"),
            ("a: {<<: 1}\n", "f:1:5", "`<<` merges"),
            (&bomb, "", "aliases add more than"),
            (&chain, "", "levels deep"),
            (&"[".repeat(10_000), "", "levels deep"),
            (&deep, "", "levels deep"),
            (&"a: 1\n".repeat(7_000_000), "f", "at most 32"),
            (&"- 1\n".repeat(2_000_001), "f:2000001:3", "more than 2000000 keys and values"),
        ] {
            let error = parse(text, "f").unwrap_err();
            assert!(error.message.contains(words), "{words}: {error}");
            assert!(place.is_empty() || error.place.to_string() == place, "{words}: {}", error.place);
        }
        assert_eq!(parse_all("a: 1\na: 2\nb: 1\nb: [\n", "f").unwrap_err().len(), 2);
        assert_eq!(parse_all(&"a: 1\n".repeat(5_000), "f").unwrap_err().len(), 101);
    }

    #[test]
    fn never_panics_on_pieces_of_a_file() {
        let text = "\u{feff}a: &x {k: 'é', l: [1, \"\\u00e9\"]}\r\nb:\r\n- !unset\r\n- <<: *x\r\n  m: |\r\n    ü\r\n\t\r\n? q\r\n: >+\r\n  z\r\n...\r\n";
        for (start, _) in text.char_indices() {
            for (end, _) in text.char_indices().skip_while(|(end, _)| *end <= start) {
                if let Ok(node) = parse(&text[start..end], "f") {
                    let mut out = Vec::new();
                    walk(&text[start..end], &node, "", &mut out);
                }
            }
        }
    }
}
