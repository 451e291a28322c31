//! Text → statements.

use std::ops::Range;

use super::creation::{Leading, led};
use super::dialect::Dialect;
use super::error::SqlError;
use super::lexed::{Lexed, said};
use super::token::{Kind, Token};

/// A statement of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// The statement from its first to its last token, without the semicolon.
    pub lexed: Lexed,
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
    let mut tokens = said(sql, dialect)?.into_iter();
    let mut statements = Vec::new();
    while !tokens.as_slice().is_empty() {
        let tokens: Vec<_> = tokens.by_ref().take_while(|token| token.kind != Kind::Semicolon).collect();
        let Some(Token { span, line, column, .. }) = tokens.first().cloned() else { continue };
        let leading = led(&tokens);
        let lexed = Lexed::part(sql, dialect, tokens);
        let span = span.start..span.start + lexed.text().len();
        statements.push(Statement { lexed, span, line, column, leading });
    }
    Ok(statements)
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
        assert_eq!(statements.iter().map(|s| (s.lexed.text(), s.line)).collect::<Vec<_>>(), expected);
        let error = split("select\n 'abc", Dialect::DuckDb).unwrap_err();
        assert_eq!(error.position(), (2, 2), "{error}");
    }
}
