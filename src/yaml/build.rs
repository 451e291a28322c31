//! Events → [`Node`] tree: an explicit stack, so that depth is bounded by a number and not by the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use saphyr_parser::{Event, Marker, ScalarStyle, Span, Tag};

use super::error::YamlError;
use super::extent;
use super::node::{Entry, Kind, Node};
use super::parse::Source;
use super::scalar;

/// How deep values may be nested.
pub(super) const MAX_DEPTH: usize = 128;

/// How many values a document may hold: far more than a project needs, and few enough to be read at once.
const MAX_VALUES: usize = 2_000_000;

/// After how many faults nobody wants to see more.
const MAX_FAULTS: usize = 100;

/// Up to how many keys of a mapping are looked through one by one.
const FEW: usize = 16;

/// How many values aliases may add.
const MAX_ALIASED: usize = 1_000_000;

/// A tree that is being built.
pub(super) struct Builder<'a> {
    source: &'a Source<'a>,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    aliased: usize,
    values: usize,
    root: Option<Node>,
    /// Where lists and mappings gathered their parts that are at their ends: the next ones gather theirs there.
    spare_items: Vec<Vec<Node>>,
    spare_entries: Vec<Vec<Entry>>,
    /// What is wrong so far.
    pub(super) faults: Vec<YamlError>,
}

/// A value that an alias may refer to.
struct Anchored {
    node: Node,
    size: usize,
    depth: usize,
}

/// A list or mapping that is not at its end.
struct Frame {
    content: Content,
    start: Marker,
    anchor: usize,
    tag: Option<Box<str>>,
    /// Where its last child ended, as a byte of the stripped text.
    end: usize,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping(Open),
}

/// A mapping that is not at its end.
#[derive(Default)]
struct Open {
    entries: Vec<Entry>,
    /// Where each key stands, once there are too many to look through.
    names: BTreeMap<Box<str>, (u32, u32)>,
    key: Option<(Node, bool)>,
    merges: Vec<Node>,
}

impl Open {
    /// Remembers a key; gives where it stood before, if it did.
    fn first(&mut self, name: &str, key: &Node) -> Option<(u32, u32)> {
        if self.entries.len() < FEW {
            let before = self.entries.iter().rfind(|entry| &*entry.name == name);
            return before.map(|entry| (entry.key.line, entry.key.column));
        }
        if self.names.is_empty() {
            let place = |entry: &Entry| (entry.name.clone(), (entry.key.line, entry.key.column));
            self.names = self.entries.iter().map(place).collect();
        }
        self.names.insert(name.into(), (key.line, key.column))
    }
}

impl<'a> Builder<'a> {
    /// Begins a tree.
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        Self {
            source,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            aliased: 0,
            values: 0,
            root: None,
            spare_items: Vec::new(),
            spare_entries: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Gives the tree, or what is wrong.
    pub(super) fn finish(self) -> Result<Node, Vec<YamlError>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        Ok(self.root.unwrap_or_else(|| self.source.node(Kind::Null, Marker::new(0, 1, 0), 0..0)))
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), span)?;
                self.register(anchor, &node);
                let merge = style == ScalarStyle::Plain && text == "<<";
                self.put(node, merge)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(anchor, tag) => {
                let span = extent::at_dash(self.source, span);
                let items = self.spare_items.pop().unwrap_or_default();
                self.open(Content::Sequence(items), anchor, tag.as_deref(), span)
            }
            Event::MappingStart(anchor, tag) => {
                let entries = self.spare_entries.pop().unwrap_or_default();
                let open = Open { entries, ..Open::default() };
                self.open(Content::Mapping(open), anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Node, YamlError> {
        let plain = style == ScalarStyle::Plain;
        let value = match tag {
            Some(tag) if tag.is_yaml_core_schema() => scalar::tagged(&tag.suffix, text).ok_or_else(|| {
                let message = format!("the value is not of the type `!!{}`", tag.suffix);
                YamlError::new(self.source.place(span.start), message)
            })?,
            _ if plain => scalar::plain(text),
            _ => Kind::String(text.to_owned()),
        };
        let mut range = self.range(span);
        match style {
            ScalarStyle::Plain => {
                range.end = range.start + self.source.text[range.clone()].trim_end().len();
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                range.end = range.start + extent::quoted_length(&self.source.text[range.clone()]);
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {}
        }
        let mut node = self.source.node(value, span.start, range);
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            extent::begin_at_header(self.source, &mut node);
        }
        node.tag = tag_text(tag);
        Ok(node)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.source.offset(span.start);
        start..self.source.offset(span.end).max(start)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), YamlError> {
        let place = || self.source.place(span.start);
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(YamlError::new(place(), "the alias refers to the value that it is a part of"));
        };
        self.aliased += anchored.size;
        if self.aliased > MAX_ALIASED {
            return Err(YamlError::new(place(), format!("aliases add more than {MAX_ALIASED} values")));
        }
        if self.stack.len() + anchored.depth > MAX_DEPTH {
            return Err(YamlError::new(place(), format!("nested more than {MAX_DEPTH} levels deep")));
        }
        let mut node = anchored.node.clone();
        node.alias = Some(self.source.whole(self.range(span)));
        self.put(node, false)
    }

    fn register(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            let (size, depth) = measure(node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), size, depth });
        }
    }

    fn open(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), YamlError> {
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            return Err(YamlError::new(self.source.place(span.start), message));
        }
        let end = self.source.offset(span.end);
        self.stack.push(Frame { content, start: span.start, anchor, tag: tag_text(tag), end });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), YamlError> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let start = self.source.offset(frame.start);
        let written = self.range(span);
        // The parser counts blanks behind a bracket to it.
        let closer = self.source.text.get(written.clone()).is_some_and(|text| text.starts_with([']', '}']));
        let end = if closer { written.start + 1 } else { frame.end };
        let value = match frame.content {
            // Most lists and mappings are small, and there are many: each gets the room that it needs, once.
            Content::Sequence(mut items) => {
                let exact = exact(&mut items);
                self.spare_items.push(items);
                Kind::Sequence(exact)
            }
            Content::Mapping(open) => {
                let mut entries = Self::merge(open);
                let exact = exact(&mut entries);
                self.spare_entries.push(entries);
                Kind::Mapping(exact)
            }
        };
        let mut node = self.source.node(value, frame.start, start..end.max(start));
        node.tag = frame.tag;
        self.register(frame.anchor, &node);
        self.put(node, false)
    }

    /// Puts a value where it belongs: into the open list or mapping, or at the root.
    fn put(&mut self, mut node: Node, merge: bool) -> Result<(), YamlError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            let message = format!("the file holds more than {MAX_VALUES} keys and values");
            return Err(YamlError::new(node.place(), message));
        }
        if self.faults.len() >= MAX_FAULTS {
            let message = format!("more than {MAX_FAULTS} faults: what follows is not read");
            return Err(YamlError::new(node.place(), message));
        }
        let skipped = self.source.whole(0..0).start;
        let end = node.alias.as_ref().map_or(node.span.end, |alias| alias.end) - skipped;
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.end = frame.end.max(end);
        match &mut frame.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping(open) => match open.key.take() {
                None => {
                    check_key(&node)?;
                    open.key = Some((node, merge));
                }
                Some((key, true)) => {
                    check_merge(&key, &node)?;
                    open.merges.push(node);
                }
                Some((key, false)) => {
                    if node.span.is_empty() && node.alias.is_none() {
                        extent::behind_colon(self.source, &key, &mut node);
                    }
                    let name = key_text(&key);
                    if let Some((line, column)) = open.first(&name, &key) {
                        self.faults.push(duplicate(&key, &name, line, column));
                    }
                    open.entries.push(Entry { name, key, value: node, merged: false });
                }
            },
        }
        Ok(())
    }

    /// Adds what merge keys bring and the mapping does not say itself; of several, the first wins.
    fn merge(open: Open) -> Vec<Entry> {
        let Open { mut entries, merges, .. } = open;
        let mut names: BTreeSet<Box<str>> = match merges.as_slice() {
            [] => BTreeSet::new(),
            _ => entries.iter().map(|entry| entry.name.clone()).collect(),
        };
        for node in &merges {
            let sources = if let Kind::Sequence(items) = &node.value {
                items.as_slice()
            } else {
                std::slice::from_ref(node)
            };
            for entry in sources.iter().flat_map(Node::entries) {
                if names.insert(entry.name.clone()) {
                    entries.push(Entry { merged: true, ..entry.clone() });
                }
            }
        }
        entries
    }
}

/// Moves parts to where there is room for them and no more.
fn exact<T>(parts: &mut Vec<T>) -> Vec<T> {
    let mut exact = Vec::with_capacity(parts.len());
    exact.append(parts);
    exact
}

fn tag_text(tag: Option<&Tag>) -> Option<Box<str>> {
    tag.map(|tag| {
        if tag.is_yaml_core_schema() {
            format!("!!{}", tag.suffix).into()
        } else {
            format!("{}{}", tag.handle, tag.suffix).into()
        }
    })
}

fn key_text(key: &Node) -> Box<str> {
    key.text().unwrap_or_else(|| "null".to_owned()).into()
}

fn check_key(node: &Node) -> Result<(), YamlError> {
    match node.value {
        Kind::Sequence(_) | Kind::Mapping(_) => {
            Err(YamlError::new(node.place(), format!("a key must be a text, found {}", node.describe())))
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {
            Ok(())
        }
    }
}

fn check_merge(key: &Node, node: &Node) -> Result<(), YamlError> {
    let sound = match &node.value {
        Kind::Mapping(_) => true,
        Kind::Sequence(items) => items.iter().all(|item| matches!(item.value, Kind::Mapping(_))),
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => false,
    };
    if sound {
        return Ok(());
    }
    let message = format!("`<<` merges a mapping or a list of mappings, found {}", node.describe());
    Err(YamlError::new(key.place(), message))
}

fn duplicate(key: &Node, name: &str, line: u32, column: u32) -> YamlError {
    let message = format!("the key `{name}` is there twice: first at {}:{line}:{column}", key.file);
    YamlError::new(key.place(), message).hint("remove one of the two, or merge them")
}

/// Counts the values in a tree and its depth.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.value {
        Kind::Sequence(items) => items.iter().collect(),
        Kind::Mapping(entries) => entries.iter().map(|entry| &entry.value).collect(),
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {
            return (1, 0);
        }
    };
    children.into_iter().map(measure).fold((1, 1), |(size, depth), (child_size, child_depth)| {
        (size + child_size, depth.max(child_depth + 1))
    })
}
