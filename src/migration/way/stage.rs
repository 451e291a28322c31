//! A [`Way`] and its stages: what the files are after each, and the lines that differ. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::migration::context::Context;
use crate::model::migration::{Edit, Stage, StageKind};

/// A way while a rule fills it in, with the files as they stand after each stage.
pub(in crate::migration) struct Way<'a> {
    pub(in crate::migration) context: &'a Context<'a>,
    /// Files that were edited; those without a text are not there.
    files: BTreeMap<String, Option<String>>,
    /// The same when the stage before ended.
    before: BTreeMap<String, Option<String>>,
    stages: Vec<Stage>,
}

impl<'a> Way<'a> {
    /// Begins with the files as they are.
    pub(in crate::migration) fn new(context: &'a Context<'a>) -> Self {
        Self { context, files: BTreeMap::new(), before: BTreeMap::new(), stages: Vec::new() }
    }

    /// Gives a file as it stands.
    pub(in crate::migration) fn text(&self, file: &str) -> Option<String> {
        self.files.get(file).cloned().unwrap_or_else(|| self.context.desired.texts.get(file).cloned())
    }

    /// Gives a file another text, or none; nothing happens where there is no edit.
    pub(in crate::migration) fn put(&mut self, file: &str, text: Option<String>) {
        self.files.insert(file.to_owned(), text);
    }

    /// Puts all files back as they are now.
    #[must_use]
    pub(in crate::migration) fn back(mut self) -> Self {
        let texts = &self.context.desired.texts;
        for (file, text) in &mut self.files {
            *text = texts.get(file).cloned();
        }
        self
    }

    /// Begins another way, from the files as they are now.
    #[must_use]
    pub(in crate::migration) fn afresh(mut self) -> Self {
        self.files.clear();
        self.before.clear();
        self
    }

    /// Ends a stage: the edits since the one before are its own.
    #[must_use]
    pub(in crate::migration) fn stage(mut self, kind: StageKind, say: impl Into<String>) -> Self {
        let edited: BTreeSet<&String> = self.files.keys().chain(self.before.keys()).collect();
        let texts = &self.context.desired.texts;
        let edits = edited.into_iter().filter_map(|file| {
            let old = self.before.get(file).map_or_else(|| texts.get(file), Option::as_ref);
            let new = self.files.get(file).map_or_else(|| texts.get(file), Option::as_ref);
            edit(file, old.map_or("", String::as_str), new.map_or("", String::as_str))
        });
        let edits = edits.collect();
        self.stages.push(Stage { kind, say: say.into(), edits, sql: Vec::new(), flags: Vec::new() });
        self.before.clone_from(&self.files);
        self
    }

    /// What is new comes beside what is there.
    #[must_use]
    pub(in crate::migration) fn expand(self, say: impl Into<String>) -> Self {
        self.stage(StageKind::Expand, say)
    }

    /// Rows are filled, or looked at and mended.
    #[must_use]
    pub(in crate::migration) fn fill(self, say: impl Into<String>, sql: Vec<String>) -> Self {
        let mut way = self.stage(StageKind::Fill, say);
        if let Some(stage) = way.stages.last_mut() {
            stage.sql = sql;
        }
        way
    }

    /// Readers and writers move.
    #[must_use]
    pub(in crate::migration) fn moves(self, say: impl Into<String>) -> Self {
        self.stage(StageKind::Move, say)
    }

    /// What nobody uses any more goes, and what has to be let through for that.
    #[must_use]
    pub(in crate::migration) fn contract(self, say: impl Into<String>, allow: &[String]) -> Self {
        let mut way = self.stage(StageKind::Contract, say);
        if let Some(stage) = way.stages.last_mut() {
            stage.flags = allow.iter().flat_map(|allow| ["--allow".to_owned(), allow.clone()]).collect();
        }
        way
    }

    /// Another way to all of it, from the files as they are now.
    #[must_use]
    pub(in crate::migration) fn instead(self, say: impl Into<String>) -> Self {
        self.stage(StageKind::Instead, say).afresh()
    }

    /// Gives the last stage flags of its own.
    #[must_use]
    pub(in crate::migration) fn flags(mut self, flags: &[&str]) -> Self {
        if let Some(stage) = self.stages.last_mut() {
            stage.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        }
        self
    }

    /// Ends it.
    pub(in crate::migration) fn done(self) -> Vec<Stage> {
        self.stages
    }
}

/// The lines that differ between two texts of a file; nothing where none do.
fn edit(file: &str, old: &str, new: &str) -> Option<Edit> {
    if old == new {
        return None;
    }
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    let shorter = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(old, new)| old == new).count();
    let tail = tail.min(shorter);
    let lines = |lines: &[&str]| -> Vec<String> {
        lines[head..lines.len() - tail].iter().map(|&line| line.to_owned()).collect()
    };
    let line = u32::try_from(head + 1).unwrap_or(u32::MAX);
    Some(Edit { file: file.to_owned(), line, before: lines(&before), after: lines(&after) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_lines_that_differ() {
        for (old, new, line, before, after) in [
            ("a\nb\nc\n", "a\nB\nc\n", 2, vec!["b"], vec!["B"]),
            ("a\nc\n", "a\nb\nc\n", 2, vec![], vec!["b"]),
            ("a\na\n", "a\na\na\n", 3, vec![], vec!["a"]),
            ("", "a\n", 1, vec![], vec!["a"]),
            ("a\nb\n", "", 1, vec!["a", "b"], vec![]),
        ] {
            let found = edit("f", old, new).unwrap();
            assert_eq!((found.line, found.before, found.after), (line, strings(&before), strings(&after)));
        }
        assert_eq!(edit("f", "a\n", "a\n"), None);
    }

    fn strings(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }
}
