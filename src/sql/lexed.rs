//! A text with the tokens that it is cut into, so that it is cut once.

use super::dialect::Dialect;
use super::error::SqlError;
use super::reference::{Reference, found};
use super::token::{Kind, Token, tokens};

/// A text and its tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lexed {
    text: String,
    pub(super) dialect: Dialect,
    /// Without spaces and comments.
    pub(super) tokens: Vec<Token>,
}

impl Lexed {
    /// Cuts a text.
    ///
    /// # Errors
    ///
    /// [`SqlError::Token`] if a string, quoted name or comment does not end.
    pub fn new(text: impl Into<String>, dialect: Dialect) -> Result<Self, SqlError> {
        let text = text.into();
        let tokens = said(&text, dialect)?;
        Ok(Self { text, dialect, tokens })
    }

    /// Gives a text that holds nothing.
    #[must_use]
    pub fn empty(dialect: Dialect) -> Self {
        Self { text: String::new(), dialect, tokens: Vec::new() }
    }

    /// Takes a part of a text, from the first to the last of its tokens.
    pub(super) fn part(sql: &str, dialect: Dialect, mut tokens: Vec<Token>) -> Self {
        let (Some(from), Some(to)) = (tokens.first().cloned(), tokens.last().map(|token| token.span.end))
        else {
            return Self::empty(dialect);
        };
        for token in &mut tokens {
            token.span = token.span.start - from.span.start..token.span.end - from.span.start;
            if token.line == from.line {
                token.column -= from.column - 1;
            }
            token.line -= from.line - 1;
        }
        Self { text: sql[from.span.start..to].to_owned(), dialect, tokens }
    }

    /// Gives the same with comments before it.
    #[must_use]
    pub fn behind(mut self, comments: &str) -> Self {
        let lines = count(comments.matches('\n').count());
        let columns = count(comments.rsplit('\n').next().unwrap_or_default().chars().count());
        for token in &mut self.tokens {
            token.span = token.span.start + comments.len()..token.span.end + comments.len();
            if token.line == 1 {
                token.column += columns;
            }
            token.line += lines;
        }
        self.text.insert_str(0, comments);
        self
    }

    /// Gives the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Gives the text alone.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// Lists what the text refers to; shape: [`super::references`].
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        found(&self.tokens)
    }
}

/// Cuts a text; what says nothing is left out.
pub(super) fn said(sql: &str, dialect: Dialect) -> Result<Vec<Token>, SqlError> {
    Ok(tokens(sql, dialect)?.into_iter().filter(|token| !token.blank()).collect())
}

/// Parts tokens at semicolons.
pub(super) fn parted(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| token.kind == Kind::Semicolon)
}

fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split;

    #[test]
    fn a_part_is_what_its_text_would_be_cut_into() {
        let sql = "select 1;\n\t/* ü */ -- x\n  select \"ä\" . b, '\n', ü\nfrom t -- y\n , u; from v";
        let statements = split(sql, Dialect::DuckDb).unwrap();
        assert_eq!(statements.len(), 3);
        for statement in statements {
            let text = statement.lexed.text().to_owned();
            assert_eq!(statement.lexed, Lexed::new(&*text, Dialect::DuckDb).unwrap());
            for comments in ["", "/* ü */ ", "-- ü\n\n  ", "-- a\n/* b\n ö */"] {
                let whole = Lexed::new(format!("{comments}{text}"), Dialect::DuckDb).unwrap();
                assert_eq!(statement.lexed.clone().behind(comments), whole, "{comments}");
            }
        }
    }
}
