//! What every format shows: headline, sections in order of risk, commands, the plan's id.
//!
//! A view is a document and nothing more: renderers walk it and know neither plans nor migrations,
//! so no format can tell something else than another. Texts are raw; each renderer escapes them.

use std::borrow::Cow;

use serde::Serialize;

use super::label::{Label, Sign};

/// A report, before it has a format.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// What it is about: `Promotion of dev to staging`.
    pub title: String,
    /// What the headline means.
    pub label: Label,
    /// The answer in one sentence, with a full stop; empty where the sections are the answer.
    pub headline: String,
    /// Circumstances: repositories, branches, commits.
    pub facts: Vec<Fact>,
    /// Sections, the riskiest first; none is empty.
    pub sections: Vec<Section>,
    /// All of it in one line; empty where there is nothing to sum up.
    pub total: String,
    /// Commands to run next.
    pub next: Vec<String>,
    /// The plan's id, where it is about a plan.
    pub plan_id: Option<String>,
}

/// A circumstance.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Fact {
    /// Its name, one word.
    pub name: String,
    /// What it is.
    pub text: String,
}

/// A part of a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Section {
    /// Its heading, with the number of things where that helps.
    pub title: String,
    /// Whether it is about something that stands in the way.
    pub risk: bool,
    /// One or two sentences before the items.
    pub note: String,
    /// The things.
    pub items: Vec<Item>,
    /// How much of it a terminal shows.
    pub extent: Extent,
    /// How its items stand.
    pub layout: Layout,
}

/// How much of a section a terminal shows; pages and comments show all of it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Everything.
    #[default]
    Whole,
    /// A line for each thing; what stands in the way keeps its details.
    Lines,
    /// One line: the title and this.
    Summary(String),
}

/// How the items of a section stand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One below the other.
    #[default]
    List,
    /// As values with what was and what is: the cells are name, before, after, and the details `was`
    /// and `now` are their places. An empty cell is a value that is not set.
    SideBySide,
}

/// A thing with what there is to say about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// What happens to it.
    pub sign: Sign,
    /// Its columns, aligned with those of its neighbours; the first is its name.
    pub cells: Vec<String>,
    /// More about it, in order.
    pub details: Vec<Detail>,
}

/// How a detail is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailKind {
    /// Sentences; backticks mark names.
    Prose,
    /// To be typed.
    Command,
    /// Statements.
    Code,
    /// Lines that go.
    Removed,
    /// Lines that come.
    Added,
}

/// Something about a thing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Detail {
    /// What it answers: `why`, `used by`, `instead`; may be empty.
    pub name: String,
    /// How it is meant.
    pub kind: DetailKind,
    /// Its lines; never empty. Of code its statements, each of which may have several lines.
    pub lines: Vec<String>,
}

impl View {
    /// A view with a title and nothing else.
    pub fn titled(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            label: Label::Plain,
            headline: String::new(),
            facts: Vec::new(),
            sections: Vec::new(),
            total: String::new(),
            next: Vec::new(),
            plan_id: None,
        }
    }

    /// Adds a section, unless it is empty.
    pub fn add(&mut self, section: Section) {
        if !section.items.is_empty() || !section.note.is_empty() {
            self.sections.push(section);
        }
    }

    /// Adds a circumstance, unless it is empty.
    pub fn fact(&mut self, name: &str, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.facts.push(Fact { name: name.to_owned(), text });
        }
    }
}

impl Section {
    /// A section about something that stands in the way.
    pub fn risk(title: impl Into<String>) -> Self {
        Self { risk: true, ..Self::new(title) }
    }

    /// A section without items.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Sets the sentences before the items.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Sets the items.
    #[must_use]
    pub fn items(mut self, items: impl IntoIterator<Item = Item>) -> Self {
        self.items = items.into_iter().collect();
        self
    }

    /// Sets how much of it a terminal shows.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        self.extent = extent;
        self
    }

    /// Gives the section for what has no columns: values side by side become `before → after`.
    pub(super) fn as_list(&self) -> Cow<'_, Self> {
        match self.layout {
            Layout::List => Cow::Borrowed(self),
            Layout::SideBySide => {
                let mut list = self.clone();
                list.layout = Layout::List;
                for item in &mut list.items {
                    let after = item.cells.pop().unwrap_or_default();
                    let before = item.cells.pop().unwrap_or_default();
                    item.cells.push(match (before.as_str(), after.as_str()) {
                        ("", "") => "not set".to_owned(),
                        ("", _) => after,
                        (_, "") => format!("{before} → not set"),
                        _ => format!("{before} → {after}"),
                    });
                }
                Cow::Owned(list)
            }
        }
    }
}

impl Item {
    /// A thing with its columns.
    pub fn new<Cell: Into<String>>(sign: Sign, cells: impl IntoIterator<Item = Cell>) -> Self {
        Self { sign, cells: cells.into_iter().map(Into::into).collect(), details: Vec::new() }
    }

    /// Adds a detail, unless it has no lines.
    #[must_use]
    pub fn detail<Line: Into<String>>(
        mut self,
        kind: DetailKind,
        name: &str,
        lines: impl IntoIterator<Item = Line>,
    ) -> Self {
        let lines: Vec<String> = lines.into_iter().map(Into::into).collect();
        if !lines.is_empty() {
            self.details.push(Detail { name: name.to_owned(), kind, lines });
        }
        self
    }

    /// Adds sentences.
    #[must_use]
    pub fn prose<Line: Into<String>>(self, name: &str, lines: impl IntoIterator<Item = Line>) -> Self {
        self.detail(DetailKind::Prose, name, lines)
    }

    /// Adds commands.
    #[must_use]
    pub fn command<Line: Into<String>>(self, name: &str, lines: impl IntoIterator<Item = Line>) -> Self {
        self.detail(DetailKind::Command, name, lines)
    }
}
