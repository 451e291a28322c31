//! The pieces of a document: every byte of it is in exactly one.
//!
//! Pieces are kept relative to the column of the list or mapping that they belong to, so that one that
//! only moved to the right is the same piece.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::model::merge::Lines;

/// Begins a line that is further left than its piece: such a line stays where it is.
pub(super) const OUTSIDE: char = '\u{1}';

/// A key with its value, or an item of a list, with what stands around it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The key; of an item its `name`, where it has one.
    pub(super) name: Option<String>,
    /// Whole lines above it: comments and empty lines. In a flow, the comma and what is around it.
    pub(super) lead: String,
    /// `key: ` or `- `, with anchor and tag; ends with a line where the value begins below.
    pub(super) before: String,
    pub(super) value: Value,
    /// The rest of its lines: a comment, comments below that are further right.
    pub(super) after: String,
}

/// A value with its text.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// What it says, tags included.
    pub(super) means: Json,
    /// Where it stands, for people.
    pub(super) lines: Lines,
    pub(super) shape: Shape,
}

/// How a value is written.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Something that is not taken apart.
    Plain(String),
    /// A list or mapping on lines of its own.
    Block(Children),
    /// A list or mapping in brackets.
    Flow(Children),
}

/// Whether a collection has keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Collection {
    Mapping,
    List,
}

/// The parts of a list or mapping.
#[derive(Clone, Debug)]
pub(super) struct Children {
    pub(super) collection: Collection,
    /// How much further right a block stands than what it belongs to.
    pub(super) deeper: usize,
    /// The opening bracket of a flow.
    pub(super) open: String,
    pub(super) parts: Vec<Part>,
    /// The closing bracket of a flow, the comments below a block.
    pub(super) close: String,
}

impl Value {
    pub(super) fn children(&self) -> Option<&Children> {
        match &self.shape {
            Shape::Block(children) | Shape::Flow(children) => Some(children),
            Shape::Plain(_) => None,
        }
    }

    pub(super) fn is_block(&self) -> bool {
        matches!(self.shape, Shape::Block(_))
    }

    /// Whether two values are the same text, wherever they stand.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Plain(one), Shape::Plain(other)) => one == other,
            (Shape::Block(one), Shape::Block(other)) | (Shape::Flow(one), Shape::Flow(other)) => {
                one.is_same(other)
            }
            (Shape::Plain(_) | Shape::Block(_) | Shape::Flow(_), _) => false,
        }
    }
}

impl Children {
    fn is_same(&self, other: &Self) -> bool {
        let layout = |children: &Self| (children.collection, children.deeper, children.parts.len());
        layout(self) == layout(other)
            && self.open == other.open
            && self.close == other.close
            && self.parts.iter().zip(&other.parts).all(|(one, other)| one.is_same(other))
    }
}

impl Part {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.lead == other.lead
            && self.before == other.before
            && self.after == other.after
            && self.value.is_same(&other.value)
    }
}

/// Whether a piece begins at the begin of a line or in the midst of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Begin {
    Line,
    Midst,
}

/// Takes a column off the lines of a text.
pub(super) fn relative(text: &str, column: usize, begin: Begin) -> String {
    let shift = |line: &str| {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if is_empty(line) {
            return line.to_owned();
        }
        match line.get(column..) {
            Some(rest) if spaces >= column && !is_empty(rest) => rest.to_owned(),
            Some(_) | None => format!("{OUTSIDE}{line}"),
        }
    };
    each_line(text, begin, &shift)
}

/// Puts a column before the lines of a text: undoes [`relative`].
pub(super) fn absolute(text: &str, column: usize, begin: Begin) -> String {
    let shift = |line: &str| match line.strip_prefix(OUTSIDE) {
        Some(outside) => outside.to_owned(),
        None if is_empty(line) => line.to_owned(),
        None => format!("{}{line}", " ".repeat(column)),
    };
    each_line(text, begin, &shift)
}

fn each_line(text: &str, begin: Begin, shift: &dyn Fn(&str) -> String) -> String {
    let lines = text.split_inclusive('\n').enumerate().map(|(number, line)| {
        if number == 0 && begin == Begin::Midst { Cow::Borrowed(line) } else { Cow::Owned(shift(line)) }
    });
    lines.collect()
}

fn is_empty(line: &str) -> bool {
    matches!(line, "" | "\n" | "\r\n" | "\r")
}
