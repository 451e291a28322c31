//! A view as one page: no network, readable on a phone and in the dark.

use serde::Serialize;

use super::error::ReportError;
use super::label::Sign;
use super::text::visible;
use super::view::{Item, View};
use crate::template::Engine;

/// The page's template; a name that ends in `.html` is escaped for HTML.
const PAGE: &str = include_str!("../../templates/report.html");

/// Items of a section, and lines of a detail, that a page shows.
const MOST: usize = 1_000;

#[derive(Serialize)]
struct Context<'a> {
    view: &'a View,
    tool: &'a str,
}

/// Writes a view as a self-contained page.
///
/// # Errors
///
/// [`ReportError::Page`] if the built-in template does not render: a bug of ours.
pub fn html(view: &View) -> Result<String, ReportError> {
    let mut engine = Engine::new();
    engine.function("spans", |text: String| spans(&text));
    engine.function("visible", |text: String| visible(&text));
    engine.function("visible_lines", |text: String| text.lines().map(visible).collect::<Vec<_>>().join("\n"));
    let view = &bounded(view);
    engine
        .render("report.html", PAGE, Context { view, tool: env!("CARGO_PKG_VERSION") })
        .map_err(ReportError::Page)
}

/// Cuts what is longer than anybody reads on a page; the template's work is bounded too.
fn bounded(view: &View) -> View {
    let mut view = view.clone();
    for section in &mut view.sections {
        if section.items.len() > MOST {
            let more = format!("… and {} more. The terminal shows all.", section.items.len() - MOST);
            section.items.truncate(MOST);
            section.items.push(Item::new(Sign::None, [more]));
        }
        for detail in section.items.iter_mut().flat_map(|item| &mut item.details) {
            if detail.lines.len() > MOST {
                detail.lines.truncate(MOST);
                detail.lines.push("…".to_owned());
            }
        }
    }
    view
}

/// Splits sentences at backticks: plain text and code take turns, plain text first.
fn spans(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = text.split('`').map(visible).collect();
    if pieces.len().is_multiple_of(2) {
        let last = pieces.pop().unwrap_or_default();
        let before = pieces.pop().unwrap_or_default();
        pieces.push(format!("{before}`{last}"));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::view::Section;

    #[test]
    fn a_long_list_still_makes_a_page() {
        let mut view = View::titled("Long");
        let items =
            (0..20_000).map(|index| Item::new(Sign::Add, [format!("file-{index}"), "added".to_owned()]));
        view.add(Section::new("Files").items(items));
        let page = html(&view).unwrap();
        assert!(page.contains("and 19000 more"), "{}", page.len());
        assert!(!page.contains("://") && !page.contains("src="), "nothing is fetched");
    }

    #[test]
    fn values_stand_side_by_side() {
        let plan = crate::report::example::ready();
        let page = html(&crate::report::plan_view(&plan, &[])).unwrap();
        let table = page.split("<table").nth(1).unwrap().split("</table>").next().unwrap();
        for part in
            ["Before", "After", ">shop.eu.auth0.com<", ">shop-staging.eu.auth0.com<", "project.yml:32:20"]
        {
            assert!(table.contains(part), "{part} in {table}");
        }
    }

    #[test]
    fn statements_are_whole_and_keep_their_lines() {
        let long = format!("SELECT\n  {} < 1", "x".repeat(500));
        let mut view = View::titled("Long");
        let item =
            Item::new(Sign::Add, ["a"]).detail(crate::report::DetailKind::Code, "runs", [long.clone()]);
        view.add(Section::new("Schema").items([item]));
        assert!(html(&view).unwrap().contains(&long.replace('<', "&lt;")));
    }

    #[test]
    fn plain_text_and_code_take_turns() {
        assert_eq!(spans("a `b` c"), ["a ", "b", " c"]);
        assert_eq!(spans("a ` c"), ["a ` c"]);
    }
}
