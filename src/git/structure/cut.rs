//! Text → pieces.
//!
//! A comment belongs to the key or item below it, unless it is further right: then it belongs to what is above.

use serde_json::{Value as Json, json};

use super::piece::{Begin, Children, Collection, OUTSIDE, Part, Shape, Value, relative};
use super::write;
use crate::model::merge::Lines;
use crate::yaml::{self, Kind, Node};

/// A document in pieces.
pub(super) struct Document {
    pub(super) part: Part,
    pub(super) root: Node,
}

/// Cuts a text with `\n` at the end of every line.
///
/// # Errors
///
/// Why it cannot be cut, in a few words.
pub(super) fn document(text: &str, file: &str) -> Result<Document, String> {
    if text.contains(OUTSIDE) {
        return Err("it holds control characters".to_owned());
    }
    let root = yaml::parse(text, file).map_err(|error| format!("{error} ({})", error.place))?;
    let knife = Knife { text };
    let whole = Child { name: None, start: 0, end: text.len(), node: &root };
    let part = if knife.is_block(&root) {
        knife.below(&whole, 0, 0).ok_or_else(|| "its root is not a plain mapping".to_owned())?
    } else {
        knife.leaf(&whole, 0).ok_or_else(|| "its root is not a plain mapping".to_owned())?
    };
    if write::document(&part) != text {
        return Err("its layout cannot be kept".to_owned());
    }
    Ok(Document { part, root })
}

/// The key of a tag in what a tagged value means; no document can have it.
pub(super) const TAG: &str = "\u{1}tag";

/// Says what a value is: equal for equal values, tags included.
pub(super) fn means(node: &Node) -> Json {
    let plain = match &node.value {
        Kind::Sequence(items) => items.iter().map(means).collect(),
        Kind::Mapping(entries) => {
            let pairs = entries.iter().map(|entry| (entry.name.to_string(), means(&entry.value)));
            Json::Object(pairs.collect())
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {
            node.to_json()
        }
    };
    match node.tag.as_deref().filter(|tag| !tag.starts_with("!!")) {
        Some(tag) => json!({ TAG: tag, "": plain }),
        None => plain,
    }
}

/// A key or item with the bytes that are its own: from its first character to the next one's lines.
struct Child<'n> {
    name: Option<String>,
    start: usize,
    end: usize,
    node: &'n Node,
}

struct Knife<'t> {
    text: &'t str,
}

impl Knife<'_> {
    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Gives the begin of the next line; of this one, where `at` is its begin.
    fn next_line(&self, at: usize) -> usize {
        if at == 0 || self.text[..at].ends_with('\n') {
            return at;
        }
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// Gives the column of a place that has only spaces before it on its line.
    fn column(&self, at: usize) -> Option<usize> {
        let before = &self.text[self.line_start(at)..at];
        before.chars().all(|character| character == ' ').then_some(before.len())
    }

    fn is_block(&self, node: &Node) -> bool {
        let empty = match &node.value {
            Kind::Sequence(items) => items.is_empty(),
            Kind::Mapping(entries) => entries.is_empty(),
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {
                true
            }
        };
        !empty && node.alias.is_none() && !self.text[node.span.clone()].starts_with(['{', '['])
    }

    /// Finds where the comments and empty lines above a line begin, those that are further right aside.
    fn lead(&self, line: usize, bound: usize, column: usize) -> usize {
        let mut start = line;
        while start > bound {
            let above = self.line_start(start - 1);
            let text = self.text[above..start].trim_end();
            let rest = text.trim_start();
            let further_right = rest.starts_with('#') && text.len() - rest.len() > column;
            if above < bound || further_right || !(rest.is_empty() || rest.starts_with('#')) {
                break;
            }
            start = above;
        }
        start
    }

    /// Cuts a child whose value is no block.
    fn leaf(&self, child: &Child<'_>, column: usize) -> Option<Part> {
        let node = child.node;
        let (start, mut end) = (start_of(node), end_of(node));
        if end > start && self.text.get(start..end)?.ends_with('\n') {
            // The end of a block scalar's last line is the part's.
            end -= 1;
        }
        if child.start > start || start > end || end > child.end {
            return None;
        }
        let piece = |from, to| Some(relative(self.text.get(from..to)?, column, Begin::Midst));
        let shape = match self.flow(node, column) {
            Some(children) => Shape::Flow(children),
            None => Shape::Plain(piece(start, end)?),
        };
        Some(Part {
            name: child.name.clone(),
            lead: String::new(),
            before: piece(child.start, start)?,
            value: self.value(child, shape),
            after: piece(end, child.end)?,
        })
    }

    /// Makes a value; its lines begin with its key or dash.
    fn value(&self, child: &Child<'_>, shape: Shape) -> Value {
        let (start, end) = (child.start, end_of(child.node));
        let number = |at: usize| {
            let line = self.text[..at].matches('\n').count() + 1;
            u32::try_from(line).unwrap_or(u32::MAX)
        };
        let first = number(start);
        let last = number(self.text[..end].trim_end().len().max(start));
        Value { means: means(child.node), lines: Lines { start: first, end: last.max(first) }, shape }
    }

    /// Cuts a child whose value is a block on lines below it.
    fn below(&self, child: &Child<'_>, after: usize, column: usize) -> Option<Part> {
        let start = child.node.span.start;
        let own = self.column(start)?;
        let lead = self.lead(self.line_start(start), after, own);
        let children = self.block(child.node, lead, child.end, own)?;
        let children = Children { deeper: own.checked_sub(column)?, ..children };
        Some(Part {
            name: child.name.clone(),
            lead: String::new(),
            before: relative(self.text.get(child.start..lead)?, column, Begin::Midst),
            value: self.value(child, Shape::Block(children)),
            after: String::new(),
        })
    }

    /// Cuts an item whose block begins behind its dash.
    fn beside(&self, child: &Child<'_>, column: usize) -> Option<Part> {
        let start = child.node.span.start;
        let before = self.text.get(child.start..start)?;
        if !before.strip_prefix('-')?.chars().all(|character| character == ' ') {
            return None;
        }
        let children = self.block(child.node, start, child.end, column + before.len())?;
        Some(Part {
            name: child.name.clone(),
            lead: String::new(),
            before: before.to_owned(),
            value: self.value(child, Shape::Block(children)),
            after: String::new(),
        })
    }

    fn part(&self, child: &Child<'_>, column: usize) -> Option<Part> {
        if !self.is_block(child.node) {
            return self.leaf(child, column);
        }
        let first_line_ends = self.next_line(child.start + 1);
        let cut = if child.node.span.start < first_line_ends {
            self.beside(child, column)
        } else {
            self.below(child, first_line_ends, column)
        };
        // A block with something in it that is not plain stays whole.
        cut.or_else(|| self.leaf(child, column))
    }

    /// Cuts a block between two bytes; its first line may have begun before.
    fn block(&self, node: &Node, start: usize, end: usize, column: usize) -> Option<Children> {
        let (collection, places) = self.places(node, column)?;
        let mut parts = Vec::with_capacity(places.len());
        // Where the lines above the next key or dash begin.
        let mut next = start;
        for (number, (place, name, value)) in places.iter().enumerate() {
            let line = self.line_start(*place);
            let beside = number == 0 && line < start;
            if !beside && self.column(*place) != Some(column) {
                return None;
            }
            let above = if beside { "" } else { self.text.get(next..line)? };
            let bound = self.next_line(end_of(value).max(*place + 1));
            let following = places.get(number + 1).map_or(end, |(following, ..)| self.line_start(*following));
            next = self.lead(following, bound, column);
            let child = Child { name: name.clone(), start: *place, end: next, node: value };
            let lead = relative(above, column, Begin::Line);
            parts.push(Part { lead, ..self.part(&child, column)? });
        }
        let close = relative(self.text.get(next..end)?, column, Begin::Line);
        Some(Children { collection, deeper: 0, open: String::new(), parts, close })
    }

    /// Lists where the keys or dashes of a block stand, with names and values.
    fn places<'n>(&self, node: &'n Node, column: usize) -> Option<(Collection, Vec<Place<'n>>)> {
        if let Kind::Sequence(items) = &node.value {
            let mut places = Vec::with_capacity(items.len());
            let mut from = node.span.start;
            for item in items {
                let place = self.dash(from, column)?;
                if start_of(item) <= place || (item.is_null() && item.span.is_empty()) {
                    return None;
                }
                places.push((place, name_of(item), item));
                from = self.next_line(end_of(item).max(place + 1));
            }
            return Some((Collection::List, places));
        }
        let plain = |entry: &yaml::Entry| !entry.merged && entry.key.alias.is_none();
        let entries = node.entries();
        entries.iter().all(plain).then(|| {
            let place =
                |entry: &'n yaml::Entry| (entry.key.span.start, Some(entry.name.to_string()), &entry.value);
            (Collection::Mapping, entries.iter().map(place).collect())
        })
    }

    /// Finds the next dash in a column, over comments and empty lines.
    fn dash(&self, from: usize, column: usize) -> Option<usize> {
        let mut at = from;
        while at < self.text.len() {
            let line = &self.text[at..self.next_line(at + 1)];
            let rest = line.trim_start_matches(' ');
            let place = at + line.len() - rest.len();
            if rest.starts_with('-') {
                let found = place - self.line_start(place);
                return (found == column).then_some(place);
            }
            if !rest.trim_end().is_empty() && !rest.starts_with('#') {
                return None;
            }
            at += line.len();
        }
        None
    }

    /// Cuts a list or mapping in brackets; nothing for anything else.
    fn flow(&self, node: &Node, column: usize) -> Option<Children> {
        let whole = self.text.get(node.span.clone()).filter(|_| node.alias.is_none())?;
        let collection = match &node.value {
            Kind::Mapping(_) if whole.starts_with('{') => Collection::Mapping,
            Kind::Sequence(_) if whole.starts_with('[') => Collection::List,
            Kind::Mapping(_)
            | Kind::Sequence(_)
            | Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::UInt(_)
            | Kind::Float(_)
            | Kind::String(_) => return None,
        };
        let keyed = node.entries().iter().map(|entry| {
            let start = (!entry.merged && entry.key.alias.is_none()).then_some(entry.key.span.start);
            (start, Some(entry.name.to_string()), &entry.value)
        });
        let items = node.items().iter().map(|item| (Some(start_of(item)), name_of(item), item));
        let mut parts = Vec::new();
        let mut end = node.span.start + 1;
        let mut open = None;
        for (start, name, value) in keyed.chain(items) {
            let start = start?;
            let lead = self.text.get(end..start)?;
            if open.is_none() {
                open = Some(start);
            }
            end = end_of(value).max(start);
            let child = Child { name, start, end, node: value };
            let part = self.leaf(&child, column)?;
            let lead = if parts.is_empty() { "" } else { lead };
            parts.push(Part { lead: relative(lead, column, Begin::Midst), ..part });
        }
        let piece = |from, to| Some(relative(self.text.get(from..to)?, column, Begin::Midst));
        let (open, close) = match open {
            Some(first) => (piece(node.span.start, first)?, piece(end, node.span.end)?),
            None => (piece(node.span.start, end)?, piece(end, node.span.end)?),
        };
        Some(Children { collection, deeper: 0, open, parts, close })
    }
}

type Place<'n> = (usize, Option<String>, &'n Node);

fn name_of(item: &Node) -> Option<String> {
    item.get("name").and_then(Node::text)
}

fn start_of(node: &Node) -> usize {
    node.alias.as_ref().map_or(node.span.start, |alias| alias.start)
}

fn end_of(node: &Node) -> usize {
    node.alias.as_ref().map_or(node.span.end, |alias| alias.end)
}
