//! Three texts → one: cut, join, write, prove.

use super::cut;
use super::dispute::{Dispute, Favour};
use super::join::{Joiner, Three};
use super::piece::Part;
use super::prove::prove;
use super::write;
use crate::yaml;

/// The versions of a file; without a base, both sides added it.
#[derive(Clone, Copy)]
pub(super) struct Texts<'t> {
    pub(super) base: Option<&'t str>,
    pub(super) target: &'t str,
    pub(super) source: &'t str,
}

/// A file that merged by structure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Merged {
    pub(super) text: String,
    /// What both sides changed, in the order of the document's keys.
    pub(super) disputes: Vec<Dispute>,
}

/// Merges by structure.
///
/// # Errors
///
/// Why it cannot be done, in a few words.
pub(super) fn merge(texts: Texts<'_>, file: &str, favour: &Favour<'_>) -> Result<Merged, String> {
    let Texts { base, target, source } = texts;
    if target == source || base == Some(source) {
        return Ok(Merged { text: target.to_owned(), disputes: Vec::new() });
    }
    if base == Some(target) {
        return Ok(Merged { text: source.to_owned(), disputes: Vec::new() });
    }
    let cut = |side: &str, text: &str| {
        let plain = Plain::of(text);
        let document = cut::document(&plain.text, file).map_err(|why| format!("{side}: {why}"))?;
        Ok::<_, String>((plain.frame, document))
    };
    let before = base.map(|base| cut("the common base", base)).transpose()?;
    let (target_frame, own) = cut("the target", target)?;
    let (source_frame, theirs) = cut("the source", source)?;
    let mut joiner = Joiner::new(favour);
    let three =
        Three { base: before.as_ref().map(|(_, base)| &base.part), target: &own.part, source: &theirs.part };
    let joined: Part = joiner.part(three)?;
    let text = write::document(&joined);
    let result = yaml::parse(&text, file).map_err(|error| format!("the result would be broken: {error}"))?;
    let roots = (before.as_ref().map(|(_, base)| &base.root), &own.root, &theirs.root);
    prove(roots, &result, &joiner.disputes)?;
    let frame = Frame::joined(before.map(|(frame, _)| frame), target_frame, source_frame);
    Ok(Merged { text: frame.around(text), disputes: joiner.disputes })
}

/// What is around and between the lines of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Frame {
    mark: bool,
    returns: bool,
    ends: bool,
}

/// A text with `\n` at the end of every line.
struct Plain {
    text: String,
    frame: Frame,
}

impl Plain {
    fn of(text: &str) -> Self {
        let (mark, text) = match text.strip_prefix('\u{feff}') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let returns = text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
        let mut plain = if returns { text.replace("\r\n", "\n") } else { text.to_owned() };
        let ends = plain.is_empty() || plain.ends_with('\n');
        if !ends {
            plain.push('\n');
        }
        Self { text: plain, frame: Frame { mark, returns, ends } }
    }
}

impl Frame {
    fn joined(base: Option<Self>, target: Self, source: Self) -> Self {
        let of = |part: fn(&Self) -> bool| {
            let untouched = base.as_ref().is_some_and(|base| part(base) == part(&target));
            if untouched { part(&source) } else { part(&target) }
        };
        Self {
            mark: of(|frame| frame.mark),
            returns: of(|frame| frame.returns),
            ends: of(|frame| frame.ends),
        }
    }

    fn around(self, text: String) -> String {
        let mut text = text;
        if !self.ends && text.ends_with('\n') {
            text.pop();
        }
        if self.returns {
            text = text.replace('\n', "\r\n");
        }
        if self.mark { format!("\u{feff}{text}") } else { text }
    }
}
