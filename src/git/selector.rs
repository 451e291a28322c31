//! Words that choose losses: `PATH`, `PATH:12`, `PATH:12-14`, `all`.

use crate::model::finding::Finding;
use crate::model::merge::{Lines, Loss};

/// What a word of `--accept-loss` or `--keep` chooses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Selector {
    word: String,
    path: Option<String>,
    lines: Option<Lines>,
}

impl Selector {
    pub(super) fn parse(word: &str) -> Self {
        let whole =
            |path: Option<&str>, lines| Self { word: word.to_owned(), path: path.map(str::to_owned), lines };
        if word == "all" {
            return whole(None, None);
        }
        match word.rsplit_once(':').and_then(|(path, lines)| Some((path, parse_lines(lines)?))) {
            Some((path, lines)) => whole(Some(path), Some(lines)),
            None => whole(Some(word), None),
        }
    }

    /// Tells whether it chooses a loss, all lines of it; a path that itself ends like lines is a path.
    pub(super) fn chooses(&self, path: &str, lines: Option<Lines>) -> bool {
        let Some(own) = &self.path else { return true };
        if path == self.word {
            return true;
        }
        own == path
            && match (self.lines, lines) {
                (Some(wanted), Some(lines)) => wanted.start <= lines.start && lines.end <= wanted.end,
                (Some(_), None) => false,
                (None, _) => true,
            }
    }

    /// Says that it chose nothing, and what there is.
    pub(super) fn unused(&self, flag: &str, there: &[String]) -> Finding {
        let list = if there.is_empty() { "there is nothing".to_owned() } else { there.join(", ") };
        Finding::warning("matches-nothing", format!("`{flag} {}` matches nothing", self.word))
            .hint(format!("to choose from: {list}"))
    }
}

/// Writes what chooses a loss: `PATH` or `PATH:12-14`.
pub fn selector_of(loss: &Loss) -> String {
    match loss.lines {
        Some(lines) => format!("{}:{lines}", loss.path),
        None => loss.path.clone(),
    }
}

fn parse_lines(text: &str) -> Option<Lines> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    match text.split_once('-') {
        Some((start, end)) => {
            let (start, end) = (number(start)?, number(end)?);
            (start <= end).then_some(Lines { start, end })
        }
        None => number(text).map(|line| Lines { start: line, end: line }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_by_path_and_lines() {
        let lines = Some(Lines { start: 12, end: 14 });
        for (word, path, lines, chosen) in [
            ("all", "x", None, true),
            ("a.sql", "a.sql", lines, true),
            ("a.sql:12-14", "a.sql", lines, true),
            ("a.sql:10-20", "a.sql", lines, true),
            ("a.sql:12", "a.sql", lines, false),
            ("a.sql:10-12", "a.sql", lines, false),
            ("a.sql:12", "a.sql", None, false),
            ("b.sql", "a.sql", lines, false),
            ("odd:12", "odd:12", None, true),
        ] {
            assert_eq!(Selector::parse(word).chooses(path, lines), chosen, "{word}");
        }
    }
}
