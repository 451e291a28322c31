//! Pieces → text.

use super::piece::{Begin, Children, Part, Shape, absolute};

/// The comma between two parts of a flow, where neither side wrote one.
const COMMA: &str = ", ";

/// Writes a whole document.
pub(super) fn document(part: &Part) -> String {
    let mut out = String::new();
    put(&mut out, part, 0);
    out
}

/// Writes a part behind its column.
fn put(out: &mut String, part: &Part, column: usize) {
    out.push_str(&absolute(&part.before, column, Begin::Midst));
    value(out, part, column);
    out.push_str(&absolute(&part.after, column, Begin::Midst));
}

fn value(out: &mut String, part: &Part, column: usize) {
    match &part.value.shape {
        Shape::Plain(text) => out.push_str(&absolute(text, column, Begin::Midst)),
        Shape::Flow(children) => flow(out, children, column),
        Shape::Block(children) => block(out, part, children, column),
    }
}

fn flow(out: &mut String, children: &Children, column: usize) {
    let second = children.parts.iter().map(|part| part.lead.as_str()).find(|lead| lead.contains(','));
    out.push_str(&absolute(&children.open, column, Begin::Midst));
    for (number, part) in children.parts.iter().enumerate() {
        if number > 0 {
            let lead = if part.lead.contains(',') { &part.lead } else { second.unwrap_or(COMMA) };
            out.push_str(&absolute(lead, column, Begin::Midst));
        }
        put(out, part, column);
    }
    out.push_str(&absolute(&children.close, column, Begin::Midst));
}

fn block(out: &mut String, part: &Part, children: &Children, column: usize) {
    let beside = begins_beside(part);
    let own = if beside { column + part.before.chars().count() } else { column + children.deeper };
    for (number, child) in children.parts.iter().enumerate() {
        if number > 0 || !beside {
            // A comment cannot stand between a dash and its first key: it goes above the dash.
            if let Some(first) = first_beside(child) {
                out.push_str(&absolute(&first.lead, own, Begin::Line));
            }
            out.push_str(&absolute(&child.lead, own, Begin::Line));
            out.push_str(&" ".repeat(own));
        }
        put(out, child, own);
    }
    out.push_str(&absolute(&children.close, own, Begin::Line));
}

/// Whether a part's block begins on the line of its dash.
fn begins_beside(part: &Part) -> bool {
    part.value.is_block() && !part.before.is_empty() && !part.before.ends_with('\n')
}

fn first_beside(part: &Part) -> Option<&Part> {
    if begins_beside(part) { part.value.children()?.parts.first() } else { None }
}
