//! Just enough reading of an expression to say whether there is anything to compute in it.

use super::scan::{Piece, Token, tokens};

/// What DuckDB takes for a call though it is written as a name, with the function that it calls.
const CALLED_BY_NAME: [(&str, &str); 11] = [
    ("current_catalog", "current_database"),
    ("current_date", "current_date"),
    ("current_role", "current_role"),
    ("current_schema", "current_schema"),
    ("current_time", "get_current_time"),
    ("current_timestamp", "get_current_timestamp"),
    ("current_user", "current_user"),
    ("localtime", "current_localtime"),
    ("localtimestamp", "current_localtimestamp"),
    ("session_user", "session_user"),
    ("user", "user"),
];

/// Whether an expression is a number, a text, or NULL: the same for every row, with nothing to compute.
pub fn is_literal(expression: &str) -> bool {
    let unsigned = expression.trim().trim_start_matches(['-', '+']).trim_start();
    // What Rust takes for a number beside that begins with a letter: `inf`.
    let number = unsigned.starts_with(|next: char| next.is_ascii_digit() || next == '.');
    let mut tokens = tokens(expression);
    match (tokens.next(), tokens.next()) {
        (Some(only), None) if only.piece == Piece::Text || only.is("null") => true,
        _ => number && unsigned.parse::<f64>().is_ok(),
    }
}

/// Writes what DuckDB calls by a name alone as a call: where it alters a column it takes such a name for a column's.
pub fn with_calls(expression: &str) -> String {
    let tokens: Vec<Token<'_>> = tokens(expression).collect();
    let is = |at: Option<usize>, symbols: &[char]| {
        let piece = at.and_then(|at| tokens.get(at)).map(|token| token.piece);
        matches!(piece, Some(Piece::Symbol(symbol)) if symbols.contains(&symbol))
    };
    let mut text = String::with_capacity(expression.len());
    let mut end = 0;
    for (at, token) in tokens.iter().enumerate() {
        text.push_str(&expression[end..token.start]);
        end = token.start + token.text.len();
        let alone = !is(Some(at + 1), &['(', '.']) && !is(at.checked_sub(1), &['.']);
        match CALLED_BY_NAME.iter().find(|(name, _)| alone && token.is(name)) {
            Some((_, function)) => text.extend(["\"", function, "\"()"]),
            None => text.push_str(token.text),
        }
    }
    text + &expression[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_there_is_nothing_to_compute_in() {
        for (expression, literal) in [
            ("7", true),
            ("-1", true),
            ("- 7.25", true),
            ("1e3", true),
            ("'it''s'", true),
            ("NULL", true),
            ("true", false),
            ("CAST('t' AS BOOLEAN)", false),
            ("now()", false),
            ("current_timestamp", false),
            ("1 + 1", false),
            ("1 - 1", false),
            ("'x' || 'y'", false),
            ("main.list_value(1)", false),
            ("", false),
        ] {
            assert_eq!(is_literal(expression), literal, "{expression}");
        }
    }

    #[test]
    fn writes_names_that_call_as_calls() {
        for (expression, written) in [
            ("current_date", "\"current_date\"()"),
            ("CURRENT_TIMESTAMP", "\"get_current_timestamp\"()"),
            ("strftime(current_date, '%Y') || 'user'", "strftime(\"current_date\"(), '%Y') || 'user'"),
            ("now()", "now()"),
            ("current_schema()", "current_schema()"),
            ("(\"user\")", "(\"user\")"),
        ] {
            assert_eq!(with_calls(expression), written, "{expression}");
        }
    }
}
