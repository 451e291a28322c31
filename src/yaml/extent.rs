//! Where values begin and end: the parser's marks, corrected to the bytes that a person would point at.

use saphyr_parser::{Marker, Span};

use super::node::Node;
use super::parse::Source;

/// Places a value that is not written right behind its key's colon.
pub(super) fn behind_colon(source: &Source<'_>, key: &Node, node: &mut Node) {
    let skipped = source.whole(0..0).start;
    let end = key.alias.as_ref().map_or(key.span.end, |alias| alias.end) - skipped;
    let Some(behind) = source.text.get(end..) else { return };
    let blank = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    if !behind[blank..].starts_with(':') || node.tag.is_some() {
        return;
    }
    let offset = end + blank + 1;
    let line_start = source.text[..offset].rfind('\n').map_or(0, |position| position + 1);
    let column = source.text[line_start..offset].chars().count() + 1;
    node.column = u32::try_from(column).unwrap_or(u32::MAX);
    // A key that came by an alias has the line of its anchor: only then is it worth counting.
    node.line = if key.alias.is_none() {
        key.line
    } else {
        u32::try_from(source.text[..offset].matches('\n').count() + 1).unwrap_or(u32::MAX)
    };
    node.span = source.whole(offset..offset);
}

/// Lets a block scalar begin at its `|` or `>`: the parser begins it at its first character.
pub(super) fn begin_at_header(source: &Source<'_>, node: &mut Node) {
    let skipped = source.whole(0..0).start;
    let mut end = source.text[..node.span.start - skipped].rfind('\n').unwrap_or(0);
    let mut lines_up = 1;
    while end > 0 {
        let start = source.text[..end].rfind('\n').map_or(0, |position| position + 1);
        let line = &source.text[start..end];
        if !line.trim().is_empty() {
            let header = line.split(" #").next().unwrap_or(line).trim_end();
            let header = header
                .trim_end_matches(|character: char| character.is_ascii_digit() || "+-".contains(character));
            if header.ends_with(['|', '>']) {
                let offset = start + header.len() - 1;
                node.line = node.line.saturating_sub(lines_up);
                node.column = u32::try_from(header.chars().count()).unwrap_or(u32::MAX);
                node.span = source.whole(offset..node.span.end - skipped);
                if !line[header.len()..].contains('+') {
                    trim_blank_lines(source.text, skipped, node);
                }
            }
            return;
        }
        lines_up += 1;
        end = start.saturating_sub(1);
    }
}

/// Lets a list that is not indented begin at its first `-`: the parser begins it behind that.
pub(super) fn at_dash(source: &Source<'_>, span: Span) -> Span {
    let offset = source.offset(span.start);
    let rest = &source.text[offset..];
    let dash =
        rest.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r']));
    let before = source.text[..offset].trim_end();
    if dash || rest.starts_with('[') || !before.ends_with('-') {
        return span;
    }
    let line_start = before.rfind('\n').map_or(0, |position| position + 1);
    let column = before[line_start..].chars().count() - 1;
    let between = &source.text[before.len() - 1..offset];
    let index = span.start.index() - between.chars().count();
    let line = span.start.line() - between.matches('\n').count();
    Span::new(Marker::new(index, line, column), span.end)
}

/// Leaves out the blank lines below a block scalar that keeps none of them.
fn trim_blank_lines(text: &str, skipped: usize, node: &mut Node) {
    let written = &text[node.span.start - skipped..node.span.end - skipped];
    let content = written.trim_end();
    if let Some(newline) = written[content.len()..].find('\n') {
        node.span.end = node.span.start + content.len() + newline + 1;
    }
}

/// Gives the length of the quoted text with which a text begins: the parser counts what follows to it.
pub(super) fn quoted_length(text: &str) -> usize {
    let quote = text.as_bytes().first().copied().unwrap_or_default();
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && quote == b'"' {
            bytes.next();
        } else if byte == quote {
            let doubled = quote == b'\'' && bytes.peek().is_some_and(|(_, next)| *next == quote);
            if !doubled {
                return at + 1;
            }
            bytes.next();
        }
    }
    text.len()
}
