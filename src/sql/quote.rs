//! Names and strings as SQL writes them.

use super::words::RESERVED;
use crate::model::coordinate::Coordinate;

/// Writes a name, in double quotes only where it needs them.
///
/// Shape: bare for lower-case ASCII letters, digits and `_` that neither begin with a digit nor are a
/// reserved word; else quoted, with inner quotes doubled.
pub fn quote(name: &str) -> String {
    let mut characters = name.chars();
    let bare = characters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && characters.all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
        })
        && RESERVED.binary_search(&name).is_err();
    if bare { name.to_owned() } else { quoted(name) }
}

/// Writes a name in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Writes a coordinate: `catalog.dataset.name`, each part quoted where it needs it.
pub fn qualified(coordinate: &Coordinate) -> String {
    let parts =
        [coordinate.dataset.catalog.as_deref(), Some(&coordinate.dataset.schema), Some(&coordinate.name)];
    parts.into_iter().flatten().map(quote).collect::<Vec<_>>().join(".")
}

/// Writes a string literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_what_needs_it() {
        assert!(RESERVED.is_sorted());
        for (name, written) in [
            ("orders", "orders"),
            ("_x1", "_x1"),
            ("Orders", "\"Orders\""),
            ("1st", "\"1st\""),
            ("order", "\"order\""),
            ("größe", "\"größe\""),
            ("a\"b", "\"a\"\"b\""),
            ("a b", "\"a b\""),
            ("", "\"\""),
        ] {
            assert_eq!(quote(name), written);
        }
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(qualified(&"raw.Order".parse().unwrap()), "raw.\"Order\"");
    }
}
