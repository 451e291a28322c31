//! What a piece of a report means; colour follows from that, in one table.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Whether a terminal gets colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Color {
    /// Escape sequences.
    On,
    /// Plain text.
    Off,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Nothing in particular.
    Plain,
    /// A heading or a name that matters.
    Strong,
    /// Beside the point.
    Faint,
    /// Something comes, or all is well.
    Good,
    /// Something changes, or wants attention.
    Change,
    /// Something goes.
    Gone,
    /// Something stands in the way.
    Danger,
    /// To be typed.
    Command,
}

impl Label {
    /// The style table: the only place that knows colours.
    pub fn style(self) -> Style {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => color(AnsiColor::Green),
            Self::Change => color(AnsiColor::Yellow),
            Self::Gone => color(AnsiColor::Red),
            Self::Danger => color(AnsiColor::Red).bold(),
            Self::Command => color(AnsiColor::Cyan),
        }
    }

    /// Wraps a text in the style's escape sequences, or leaves it alone.
    pub(super) fn paint(self, text: &str, to: Color) -> String {
        let style = self.style();
        match to {
            Color::On if !text.is_empty() && style != Style::new() => {
                format!("{}{text}{}", style.render(), style.render_reset())
            }
            Color::On | Color::Off => text.to_owned(),
        }
    }
}

/// What happens to a thing, readable without colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Nothing happens to it.
    None,
    /// It comes.
    Add,
    /// It changes.
    Change,
    /// It goes.
    Remove,
    /// It stands in the way, or was let through against the rule.
    Danger,
}

impl Sign {
    /// Gives the character.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => " ",
            Self::Add => "+",
            Self::Change => "~",
            Self::Remove => "-",
            Self::Danger => "!",
        }
    }

    /// Gives what it means, for the style table.
    pub fn label(self) -> Label {
        match self {
            Self::None => Label::Plain,
            Self::Add => Label::Good,
            Self::Change => Label::Change,
            Self::Remove => Label::Gone,
            Self::Danger => Label::Danger,
        }
    }
}
