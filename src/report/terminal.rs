//! A view for people at a terminal: signs and words first, colour on top of them.

use super::failure::{Failure, Location};
use super::label::{Color, Label, Sign};
use super::refusal::Refusal;
use super::text::{amount, visible, width};
use super::view::{Detail, DetailKind, Extent, Item, Section, View};
use crate::model::finding::{Finding, Level};

/// Columns that are wider do not push their neighbours aside.
const COLUMN_CHARACTERS: usize = 48;

/// Characters of a statement that are shown.
const STATEMENT_CHARACTERS: usize = 160;

/// Writes a view as text with a line end; in colour or without.
///
/// Shape: the plan's id is the last line, with nothing after it. Long statements are cut and comments on
/// columns are counted; once, after the last of them, it says which formats have them whole.
pub fn terminal(view: &View, color: Color) -> String {
    let mut page = Page { text: String::new(), color };
    page.line(0, &[(Label::Strong, &view.title)]);
    if !view.facts.is_empty() {
        page.blank();
    }
    let names = view.facts.iter().map(|fact| width(&fact.name)).max().unwrap_or_default();
    for fact in &view.facts {
        page.line(
            2,
            &[(Label::Faint, &format!("{} ", padded(&fact.name, names))), (Label::Plain, &fact.text)],
        );
    }
    if !view.headline.is_empty() {
        page.blank();
        page.line(0, &[(view.label, &view.headline)]);
    }
    let last_cut = view.sections.iter().rposition(cuts_code);
    let mut after_line = false;
    for (index, section) in view.sections.iter().enumerate() {
        let line = one_line(section);
        if !(after_line && line.is_some()) {
            page.blank();
        }
        after_line = line.is_some();
        match line {
            Some(line) => {
                page.line(0, &[(Label::Strong, &format!("{}:", section.title)), (Label::Plain, line)]);
            }
            None => page.section(&section.as_list()),
        }
        if last_cut == Some(index) {
            page.line(2, &[(Label::Faint, "statements in full: --format json|markdown|html")]);
        }
    }
    if !view.total.is_empty() {
        page.blank();
        page.line(0, &[(Label::Strong, &view.total)]);
    }
    if !view.next.is_empty() {
        page.blank();
        page.line(0, &[(Label::Strong, "Next:")]);
        for command in &view.next {
            page.line(2, &[(Label::Command, command)]);
        }
    }
    if let Some(id) = &view.plan_id {
        page.blank();
        page.line(0, &[(Label::Faint, "Plan id:"), (Label::Plain, id)]);
    }
    page.text
}

/// Writes what stands in the way as error blocks, one after the other.
pub fn terminal_refusals(refusals: &[Refusal], color: Color) -> String {
    let mut page = Page { text: String::new(), color };
    for (index, refusal) in refusals.iter().enumerate() {
        if index > 0 {
            page.blank();
        }
        page.block(Label::Danger, &format!("blocked[{}]:", refusal.code), &refusal.message);
        page.location(refusal.location.as_ref());
        for hint in &refusal.hints {
            page.block(Label::Good, "hint:", hint);
        }
    }
    page.text
}

/// Writes why a command could not go on.
pub fn terminal_failure(failure: &Failure, color: Color) -> String {
    let mut page = Page { text: String::new(), color };
    page.block(Label::Danger, "error:", &failure.message);
    page.location(failure.location.as_ref());
    for cause in &failure.causes {
        page.block(Label::Faint, "caused by:", cause);
    }
    if let Some(hint) = &failure.hint {
        page.block(Label::Good, "hint:", hint);
    }
    page.text
}

/// Writes findings as blocks for stderr: `warning[unknown-key]: …`, place, hint.
pub fn terminal_findings(findings: &[Finding], color: Color) -> String {
    let mut page = Page { text: String::new(), color };
    for finding in findings {
        let (label, level) = match finding.level {
            Level::Error => (Label::Danger, "error"),
            Level::Warning => (Label::Change, "warning"),
            Level::Notice => (Label::Strong, "notice"),
        };
        page.block(label, &format!("{level}[{}]:", finding.code), &finding.message);
        page.location(finding.place.clone().map(Location::At).as_ref());
        if let Some(hint) = &finding.hint {
            page.block(Label::Good, "hint:", hint);
        }
    }
    page.text
}

/// A text that grows line by line; every piece is made visible on its way in.
struct Page {
    text: String,
    color: Color,
}

impl Page {
    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Writes pieces with a space between, without spaces at the end.
    fn line(&mut self, indent: usize, pieces: &[(Label, &str)]) {
        let mut plain_end = self.text.len();
        self.text.push_str(&" ".repeat(indent));
        let last = pieces.iter().rposition(|(_, piece)| !piece.trim_end().is_empty());
        for (index, (label, piece)) in pieces.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
            if index > 0 {
                self.text.push(' ');
            }
            let shown = visible(piece);
            let shown = if Some(index) == last { shown.trim_end() } else { &shown };
            self.text.push_str(&label.paint(shown, self.color));
            plain_end = self.text.len();
        }
        self.text.truncate(plain_end);
        self.text.push('\n');
    }

    /// Writes a word and what it introduces; further lines of that are indented.
    fn block(&mut self, label: Label, word: &str, text: &str) {
        let mut lines = text.lines();
        self.line(0, &[(label, word), (Label::Plain, lines.next().unwrap_or_default())]);
        for line in lines {
            self.line(2, &[(Label::Plain, line)]);
        }
    }

    fn location(&mut self, location: Option<&Location>) {
        let (word, text) = match location {
            Some(Location::At(place)) => ("at", place.to_string()),
            Some(Location::From { from }) => ("from", from.clone()),
            Some(Location::In { inside }) => ("in", inside.clone()),
            None => return,
        };
        self.line(2, &[(Label::Faint, word), (Label::Plain, &text)]);
    }

    fn section(&mut self, section: &Section) {
        self.line(0, &[(if section.risk { Label::Danger } else { Label::Strong }, &section.title)]);
        if !section.note.is_empty() {
            self.line(2, &[(Label::Plain, &section.note)]);
        }
        let widths = column_widths(&section.items);
        for item in &section.items {
            self.item(item, &widths, shows_details(section, item));
        }
    }

    fn item(&mut self, item: &Item, widths: &[usize], details: bool) {
        let label = item.sign.label();
        let cells: Vec<String> = item
            .cells
            .iter()
            .zip(widths)
            .filter(|(_, width)| **width > 0)
            .map(|(cell, width)| format!("{} ", padded(cell, *width)))
            .collect();
        let mut pieces = vec![(label, item.sign.as_str())];
        for (index, cell) in cells.iter().enumerate() {
            let first = if item.sign == Sign::None { Label::Strong } else { label };
            pieces.push((if index == 0 { first } else { Label::Plain }, cell));
        }
        self.line(2, &pieces);
        if !details {
            return;
        }
        let names = item.details.iter().map(|detail| width(&detail.name)).max().unwrap_or_default();
        for detail in &item.details {
            self.detail(detail, names);
        }
    }

    fn detail(&mut self, detail: &Detail, names: usize) {
        let (label, mark) = match detail.kind {
            DetailKind::Prose => (Label::Plain, ""),
            DetailKind::Command => (Label::Command, ""),
            DetailKind::Code => (Label::Faint, ""),
            DetailKind::Removed => (Label::Gone, "- "),
            DetailKind::Added => (Label::Good, "+ "),
        };
        let lines =
            if detail.kind == DetailKind::Code { shortened(&detail.lines) } else { detail.lines.clone() };
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 { detail.name.as_str() } else { "" };
            let line = format!("{mark}{line}");
            if detail.name.is_empty() {
                self.line(6, &[(label, &line)]);
            } else {
                self.line(6, &[(Label::Faint, &format!("{} ", padded(name, names))), (label, &line)]);
            }
        }
    }
}

/// Gives what a section says where a line is enough: its summary, or its note where it has nothing else.
fn one_line(section: &Section) -> Option<&str> {
    match &section.extent {
        Extent::Summary(text) => Some(text),
        Extent::Whole | Extent::Lines if section.items.is_empty() => Some(&section.note),
        Extent::Whole | Extent::Lines => None,
    }
}

fn shows_details(section: &Section, item: &Item) -> bool {
    match section.extent {
        Extent::Whole => true,
        Extent::Lines => item.sign == Sign::Danger,
        Extent::Summary(_) => false,
    }
}

/// Tells whether a section lists things without all of their code.
fn cuts_code(section: &Section) -> bool {
    one_line(section).is_none()
        && section.items.iter().any(|item| {
            let mut code = item.details.iter().filter(|detail| detail.kind == DetailKind::Code);
            if shows_details(section, item) {
                code.any(|detail| {
                    let whole = detail.lines.iter().flat_map(|statement| statement.lines());
                    !whole.eq(shortened(&detail.lines).iter().map(String::as_str))
                })
            } else {
                code.next().is_some()
            }
        })
}

/// Cuts long statements, and counts the comments after the first statement; gives lines.
fn shortened(statements: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut comments = 0_u64;
    for (index, statement) in statements.iter().enumerate() {
        if index > 0 && statement.trim_start().to_ascii_uppercase().starts_with("COMMENT ON ") {
            comments += 1;
            continue;
        }
        lines.extend(counted(comments));
        comments = 0;
        if width(statement) > STATEMENT_CHARACTERS {
            let kept: String = statement.chars().take(STATEMENT_CHARACTERS).collect();
            lines.extend(format!("{} …", kept.trim_end()).lines().map(str::to_owned));
        } else {
            lines.extend(statement.lines().map(str::to_owned));
        }
    }
    lines.extend(counted(comments));
    lines
}

fn counted(comments: u64) -> Option<String> {
    (comments > 0).then(|| format!("… and {}", amount(comments, "comment")))
}

/// Gives the width of each column in characters, as it will be shown.
fn column_widths(items: &[Item]) -> Vec<usize> {
    let columns = items.iter().map(|item| item.cells.len()).max().unwrap_or_default();
    let at_most = |width: usize| if width <= COLUMN_CHARACTERS { width } else { 1 };
    (0..columns)
        .map(|column| {
            let cells = items.iter().filter_map(|item| item.cells.get(column));
            cells.map(|cell| at_most(width(&visible(cell)))).max().unwrap_or_default()
        })
        .collect()
}

/// Fills a text up with spaces, counting characters as they will be shown.
fn padded(text: &str, to: usize) -> String {
    let text = visible(text);
    let missing = to.saturating_sub(width(&text));
    format!("{text}{:missing$}", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::Place;

    #[test]
    fn statements_are_shortened() {
        let comment = |name: &str| format!("COMMENT ON COLUMN a.b.{name} IS 'x'");
        let long = format!("CREATE VIEW a.b AS SELECT {}", "x".repeat(200));
        for (statements, shown) in [
            (vec![comment("c")], vec![comment("c")]),
            (
                vec!["CREATE".to_owned(), comment("c"), comment("d")],
                vec!["CREATE".to_owned(), "… and 2 comments".to_owned()],
            ),
            (
                vec!["A\n  B".to_owned(), comment("c"), "C".to_owned()],
                ["A", "  B", "… and 1 comment", "C"].map(str::to_owned).to_vec(),
            ),
            (vec![long.clone()], vec![format!("{} …", &long[..160])]),
        ] {
            assert_eq!(shortened(&statements), shown);
        }
    }

    #[test]
    fn a_failure_has_the_form_that_is_promised() {
        let failure = Failure {
            message: "cannot load `project.yml`: `warehouse.port` must be a whole number, found `54e2`"
                .to_owned(),
            location: Some(Location::From {
                from: "environment variable PROMOTE_WAREHOUSE__PORT".to_owned(),
            }),
            causes: vec!["Parser Error\nLINE 1: 54e2".to_owned()],
            hint: Some("unset the variable or set it to a number such as 5432".to_owned()),
        };
        assert_eq!(
            terminal_failure(&failure, Color::Off),
            "\
error: cannot load `project.yml`: `warehouse.port` must be a whole number, found `54e2`
  from environment variable PROMOTE_WAREHOUSE__PORT
caused by: Parser Error
  LINE 1: 54e2
hint: unset the variable or set it to a number such as 5432
"
        );
    }

    #[test]
    fn findings_are_blocks_with_their_place() {
        let finding = Finding::warning("unknown-key", "`datset` is no key")
            .at(Place::at("project.yml", 3, 1))
            .hint("did you mean `dataset`?");
        assert_eq!(
            terminal_findings(&[finding], Color::Off),
            "\
warning[unknown-key]: `datset` is no key
  at project.yml:3:1
hint: did you mean `dataset`?
"
        );
    }
}
