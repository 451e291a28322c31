//! A view for the comments of a forge: risks first, cut at a byte budget, nothing that pings or links by accident.

use super::label::Sign;
use super::text::visible;
use super::view::{Detail, DetailKind, Item, Section, View};

/// What a comment of the common forges holds, less room for a marker around it.
///
/// Source: the limit of 65,536 for a comment's body.
pub const COMMENT_BUDGET_BYTES: usize = 65_536 - 536;

/// Room that is left for what a cut has to say.
const CUT_BYTES: usize = 200;

/// Writes a view as Markdown of at most `budget_bytes`.
///
/// Shape: where it would be longer, items lose their details and then fall away from the end, and
/// `… and N more` says so; title, headline, total, commands and the plan's id are always there.
pub fn markdown(view: &View, budget_bytes: usize) -> String {
    let head = head(view);
    let tail = tail(view);
    let mut room = budget_bytes.saturating_sub(head.len() + tail.len() + CUT_BYTES);
    let mut body = String::new();
    let mut left_out = 0;
    for section in &view.sections {
        let (text, missing) = fitted(&section.as_list(), room);
        if text.is_empty() {
            left_out += 1;
        } else {
            room = room.saturating_sub(text.len());
            body.push_str(&text);
        }
        if missing > 0 {
            let more = format!("\n… and {missing} more.\n");
            room = room.saturating_sub(more.len());
            body.push_str(&more);
        }
    }
    if left_out > 0 {
        let sections = super::text::amount(left_out, "section");
        body.extend(["\n… and ", &sections, " more. The terminal shows all.\n"]);
    }
    format!("{head}{body}{tail}")
}

fn head(view: &View) -> String {
    let mut text = format!("## {}\n", prose(&view.title));
    if !view.headline.is_empty() {
        text.extend(["\n**", &prose(&view.headline), "**\n"]);
    }
    if !view.facts.is_empty() {
        text.push('\n');
    }
    for fact in &view.facts {
        text.extend(["- ", &prose(&fact.name), ": ", &prose(&fact.text), "\n"]);
    }
    text
}

fn tail(view: &View) -> String {
    let mut text = String::new();
    if !view.total.is_empty() {
        text.extend(["\n**", &prose(&view.total), "**\n"]);
    }
    if !view.next.is_empty() {
        text.extend(["\nNext:\n\n", &fenced("sh", &view.next, "")]);
    }
    if let Some(id) = &view.plan_id {
        text.extend(["\nPlan id: ", &code(id), "\n"]);
    }
    text
}

/// Writes a section into `room` bytes; gives how many items fell away.
///
/// Shape: empty where not even the heading fits. What is no risk and long is folded.
fn fitted(section: &Section, room: usize) -> (String, usize) {
    let long = |item: &Item| item.details.iter().any(|detail| detail.kind == DetailKind::Code);
    let folded = !section.risk && (section.items.len() > 5 || section.items.iter().any(long));
    let (open, close) = if folded {
        (format!("\n<details><summary>{}</summary>\n\n", prose(&section.title)), "\n</details>\n")
    } else {
        (format!("\n### {}\n\n", prose(&section.title)), "")
    };
    let mut text = open;
    if !section.note.is_empty() {
        text.extend([prose(&section.note).as_str(), "\n\n"]);
    }
    if text.len() + close.len() > room {
        return (String::new(), 0);
    }
    let mut shown = 0;
    for item in &section.items {
        let fits = |more: &str| text.len() + more.len() + close.len() + CUT_BYTES <= room;
        let whole = item_text(item);
        let bare = title_line(item);
        if fits(&whole) {
            text.push_str(&whole);
        } else if fits(&bare) {
            text.push_str(&bare);
        } else {
            break;
        }
        shown += 1;
    }
    text.push_str(close);
    (text, section.items.len() - shown)
}

fn title_line(item: &Item) -> String {
    let mut cells = item.cells.iter().filter(|cell| !cell.is_empty());
    let name = cells.next().map(|cell| code(cell)).unwrap_or_default();
    let rest: Vec<String> = cells.map(|cell| prose(cell)).collect();
    let sign = if item.sign == Sign::None { String::new() } else { format!("{} ", code(item.sign.as_str())) };
    if rest.is_empty() {
        format!("- {sign}{name}\n")
    } else {
        format!("- {sign}{name}: {}\n", rest.join(" · "))
    }
}

fn item_text(item: &Item) -> String {
    let mut text = title_line(item);
    for detail in &item.details {
        text.push_str(&detail_text(detail));
    }
    text
}

fn detail_text(detail: &Detail) -> String {
    let name = if detail.name.is_empty() { String::new() } else { format!("{}: ", prose(&detail.name)) };
    let marked = |mark: &str| detail.lines.iter().map(|line| format!("{mark}{line}")).collect::<Vec<_>>();
    let block = |language: &str, lines: &[String]| {
        let heading = if name.is_empty() { String::new() } else { format!("  - {}\n\n", name.trim_end()) };
        format!("{heading}{}\n", fenced(language, lines, if name.is_empty() { "  " } else { "    " }))
    };
    match detail.kind {
        DetailKind::Prose => {
            let lines: Vec<String> = detail.lines.iter().map(|line| prose(line)).collect();
            format!("  - {name}{}\n", lines.join("<br>"))
        }
        DetailKind::Command => match detail.lines.as_slice() {
            [only] => format!("  - {name}{}\n", code(only)),
            lines => block("sh", lines),
        },
        DetailKind::Code => {
            let lines: Vec<String> =
                detail.lines.iter().flat_map(|code| code.lines()).map(str::to_owned).collect();
            block("sql", &lines)
        }
        DetailKind::Removed => block("diff", &marked("- ")),
        DetailKind::Added => block("diff", &marked("+ ")),
    }
}

/// Writes a fenced block, its fence longer than any run of backticks in it.
fn fenced(language: &str, lines: &[String], indent: &str) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let mut text = format!("{indent}{fence}{language}\n");
    for line in lines {
        text.extend([indent, &visible(line), "\n"]);
    }
    text.extend([indent, &fence, "\n"]);
    text
}

/// Writes a code span, which no backtick inside can end.
fn code(text: &str) -> String {
    let text = visible(text);
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

/// Writes sentences: pairs of backticks become code spans, everything else is escaped.
fn prose(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    let paired = pieces.len() % 2 == 1;
    let mut shown = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index % 2 == 1 && (paired || index + 1 < pieces.len()) {
            shown.push_str(&code(piece));
        } else {
            shown.push_str(&escaped(piece));
        }
    }
    shown
}

/// Escapes what Markdown, HTML or a forge would read: markup, mentions, references, links.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for character in visible(text).chars() {
        match character {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '@' => shown.push_str("&#64;"),
            '#' => shown.push_str("&#35;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                shown.push('\\');
                shown.push(character);
            }
            _ => shown.push(character),
        }
    }
    shown.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_forge_would_read() {
        for (text, shown) in [
            ("plain, `models/a_b.sql` too", "plain, `models/a_b.sql` too"),
            ("<img src=x> @team #12", "&lt;img src=x&gt; &#64;team &#35;12"),
            ("*a* _b_ [c](d)", "\\*a\\* \\_b\\_ \\[c\\](d)"),
            ("an odd ` tick and `code`", "an odd ` tick and `code"),
        ] {
            if text.matches('`').count() % 2 == 0 {
                assert_eq!(prose(text), shown);
            } else {
                assert!(!prose(text).contains('<'), "{text}");
            }
        }
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn keeps_to_its_budget_and_says_what_is_missing() {
        let mut view = View::titled("Promotion of dev to staging");
        view.plan_id = Some("abc".to_owned());
        let many = (0..1000).map(|index| Item::new(Sign::Add, [format!("file-{index}"), "added".to_owned()]));
        view.add(Section::risk("Refused").items([Item::new(Sign::Danger, ["it"])]));
        view.add(Section::new("Files (1000)").items(many));
        view.add(Section::new("Later").note("Not reached."));
        let text = markdown(&view, 2_000);
        assert!(text.len() <= 2_000, "{}", text.len());
        for part in ["### Refused", "`file-0`", "… and ", " more", "Plan id: `abc`\n"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn keeps_to_every_budget_that_its_frame_fits_into() {
        let mut plan = crate::report::example::refused();
        for index in 0..400 {
            let mut loss = plan.merge.losses[0].clone();
            loss.path = format!("models/{index}_{}.sql", "x".repeat(index));
            plan.merge.losses.push(loss);
        }
        let view = crate::report::plan_view(&plan, &[]);
        for budget_bytes in (2_000..90_000).step_by(997) {
            let size_bytes = markdown(&view, budget_bytes).len();
            assert!(size_bytes <= budget_bytes, "{size_bytes} of {budget_bytes}");
        }
    }
}
