//! Text → statements.

use std::ops::Range;

use super::creation::{Leading, led};
use super::dialect::Dialect;
use super::error::SqlError;
use super::token::{Kind, Token, tokens};

/// A statement of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// The statement from its first to its last token, without the semicolon.
    pub text: String,
    /// Its bytes.
    pub span: Range<usize>,
    /// The line of its first token, from 1.
    pub line: u32,
    /// The column of its first token in characters, from 1.
    pub column: u32,
    /// What it does.
    pub leading: Leading,
}

/// Splits a text into its statements.
///
/// Shape: in the order of the text; comments before a statement are not part of it, those within are;
/// what holds nothing but comments is no statement.
///
/// # Errors
///
/// [`SqlError::Token`] if a string, quoted name or comment does not end.
pub fn split(sql: &str, dialect: Dialect) -> Result<Vec<Statement>, SqlError> {
    let tokens: Vec<Token> = tokens(sql, dialect)?.into_iter().filter(|token| !token.blank()).collect();
    let statements = tokens.split(|token| token.kind == Kind::Semicolon).filter_map(|tokens| {
        let (first, last) = (tokens.first()?, tokens.last()?);
        let span = first.span.start..last.span.end;
        let (line, column) = (first.line, first.column);
        Some(Statement { text: sql[span.clone()].to_owned(), span, line, column, leading: led(tokens) })
    });
    Ok(statements.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_semicolons_that_end_a_statement() {
        let sql =
            "-- one; \n select ';' ;;\n/* ; /* nested ; */ */ create macro f() as ($$ ; $$); select \";\"\n;";
        let statements = split(sql, Dialect::DuckDb).unwrap();
        let expected = [("select ';'", 2), ("create macro f() as ($$ ; $$)", 3), ("select \";\"", 3)];
        assert_eq!(statements.iter().map(|s| (s.text.as_str(), s.line)).collect::<Vec<_>>(), expected);
        let error = split("select\n 'abc", Dialect::DuckDb).unwrap_err();
        assert_eq!(error.position(), (2, 2), "{error}");
    }
}
