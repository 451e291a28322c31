//! Names and texts as SQL writes them.

use crate::model::coordinate::Dataset;

pub(crate) use crate::sql::quoted;
pub use crate::sql::{literal, qualified as path, quote as name};

/// Writes a dataset's name, with its catalog where it has one.
pub(crate) fn dataset(dataset: &Dataset) -> String {
    match &dataset.catalog {
        Some(catalog) => format!("{}.{}", name(catalog), name(&dataset.schema)),
        None => name(&dataset.schema),
    }
}

/// Whether two names are the same to an engine that folds case.
pub fn same_name(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
        || (!(left.is_ascii() && right.is_ascii()) && left.to_lowercase() == right.to_lowercase())
}

/// Puts queries of one column of texts, `k`, into one that gives a row: of each its texts.
pub(in crate::warehouse) fn joined(questions: &[String]) -> String {
    let one = |(index, sql): (usize, &String)| {
        format!("(SELECT string_agg(k, chr(31) ORDER BY k) FROM ({sql}) AS q{index})")
    };
    let all: Vec<String> = questions.iter().enumerate().map(one).collect();
    format!("SELECT {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_what_needs_it() {
        for (text, written) in [
            ("orders", "orders"),
            ("_x1", "_x1"),
            ("at", "\"at\""),
            ("Orders", "\"Orders\""),
            ("order", "\"order\""),
            ("a\"b", "\"a\"\"b\""),
            ("1a", "\"1a\""),
            ("", "\"\""),
        ] {
            assert_eq!(name(text), written);
        }
        assert_eq!(path(&"a.b c".parse().unwrap()), "a.\"b c\"");
        assert_eq!(literal("it's"), "'it''s'");
    }
}
