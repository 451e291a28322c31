//! Sequences that a text names in a string: `nextval('numbers')`.
//!
//! In: a text and another name for each sequence. Out: the text with these names. A string is no reference, so nothing
//! else places it.

use super::dialect::Dialect;
use super::quote::literal;
use super::rewrite::{Edit, splice};
use super::token::{Kind, tokens};
use crate::model::coordinate::Dataset;

/// Functions that take a sequence's name.
const FUNCTIONS: [&str; 2] = ["nextval", "currval"];

/// Writes the dataset before every sequence that is named without one.
pub fn placed_counters(sql: &str, dialect: Dialect, own: &Dataset) -> String {
    named(sql, dialect, |name| (!name.contains('.')).then(|| format!("{}.{name}", own.schema)))
}

/// Takes the dataset away from before every sequence of it.
pub fn bare_counters(sql: &str, dialect: Dialect, own: &Dataset) -> String {
    named(sql, dialect, |name| {
        let (schema, name) = name.split_once('.')?;
        (schema.eq_ignore_ascii_case(&own.schema) && !name.contains('.')).then(|| name.to_owned())
    })
}

fn named(sql: &str, dialect: Dialect, other: impl Fn(&str) -> Option<String>) -> String {
    if !FUNCTIONS.iter().any(|function| sql.to_lowercase().contains(function)) {
        return sql.to_owned();
    }
    let Ok(tokens) = tokens(sql, dialect) else { return sql.to_owned() };
    let tokens: Vec<_> = tokens.into_iter().filter(|token| !token.blank()).collect();
    let edits = tokens.windows(3).filter_map(|window| {
        let [function, open, text] = window else { return None };
        let Kind::Word { text: word, .. } = &function.kind else { return None };
        let calls = FUNCTIONS.iter().any(|function| word.eq_ignore_ascii_case(function));
        if !calls || open.kind != Kind::Open('(') || text.kind != Kind::Text {
            return None;
        }
        let name = sql[text.span.clone()].strip_prefix('\'')?.strip_suffix('\'')?;
        Some((text.span.clone(), literal(&other(name)?)))
    });
    let edits: Vec<Edit> = edits.collect();
    splice(sql, &edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sequences_in_strings_and_no_other_string() {
        let own = Dataset::new("shop");
        let bare = "create table t (a int default nextval('numbers'), b text default 'numbers')";
        let placed = "create table t (a int default nextval('shop.numbers'), b text default 'numbers')";
        assert_eq!(placed_counters(bare, Dialect::DuckDb, &own), placed);
        assert_eq!(placed_counters(placed, Dialect::DuckDb, &own), placed);
        assert_eq!(bare_counters(placed, Dialect::DuckDb, &own), bare);
        let other = "select nextval ( 'other.numbers' ) -- nextval('numbers')";
        assert_eq!(placed_counters(other, Dialect::DuckDb, &own), other);
        assert_eq!(bare_counters(other, Dialect::DuckDb, &own), other);
    }
}
