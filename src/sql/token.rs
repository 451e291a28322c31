//! Text → tokens with byte spans.

use std::ops::Range;

use sqlparser::tokenizer::{Token as Lexeme, Tokenizer, Whitespace};

use super::dialect::Dialect;
use super::error::SqlError;

/// What a token is, as far as names are concerned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A name or keyword; the text without quotes.
    Word { text: String, quoted: bool },
    /// `.`
    Period,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `::`
    Cast,
    /// `;`
    Semicolon,
    /// `(`, `[`, `{`
    Open(char),
    /// `)`, `]`, `}`
    Close,
    /// Space.
    Space,
    /// A comment.
    Comment,
    /// A string in whatever quotes.
    Text,
    /// Numbers and operators.
    Other,
}

/// A token and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Bytes.
    pub(super) span: Range<usize>,
    /// Line, from 1.
    pub(super) line: u32,
    /// Column in characters, from 1.
    pub(super) column: u32,
}

impl Token {
    /// Whether it says nothing: space or comment.
    pub(super) fn blank(&self) -> bool {
        matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// Gives an unquoted word in upper case.
    pub(super) fn keyword(&self) -> Option<String> {
        let Kind::Word { text, quoted: false } = &self.kind else { return None };
        Some(text.to_ascii_uppercase())
    }
}

/// Cuts a text into tokens that cover it without a gap.
///
/// # Errors
///
/// [`SqlError::Token`] if something does not end, or the tokens do not cover the text.
pub(super) fn tokens(sql: &str, dialect: Dialect) -> Result<Vec<Token>, SqlError> {
    let lexemes =
        Tokenizer::new(dialect.lexer(), sql).tokenize_with_location().map_err(|error| SqlError::Token {
            line: number(error.location.line),
            column: number(error.location.column),
            message: words(&error.message),
        })?;
    let mut cursor = Cursor { sql, byte: 0, line: 1, column: 1 };
    let mut tokens = Vec::with_capacity(lexemes.len());
    for lexeme in lexemes {
        let (line, column) = (number(lexeme.span.start.line), number(lexeme.span.start.column));
        let start = cursor.byte;
        if (line, column) != (cursor.line, cursor.column) || !cursor.advance(lexeme.span.end) {
            let message = "this cannot be read as SQL".to_owned();
            return Err(SqlError::Token { line, column, message });
        }
        tokens.push(Token { kind: kind(lexeme.token), span: start..cursor.byte, line, column });
    }
    Ok(tokens)
}

/// Walks lines and columns in step with bytes.
struct Cursor<'a> {
    sql: &'a str,
    byte: usize,
    line: u32,
    column: u32,
}

impl Cursor<'_> {
    /// Goes to a position; tells whether it is there.
    fn advance(&mut self, to: sqlparser::tokenizer::Location) -> bool {
        let to = (number(to.line), number(to.column));
        let width = (to.1.saturating_sub(self.column)) as usize;
        let ahead = self.sql.as_bytes().get(self.byte..self.byte + width);
        // Most tokens are on one line, and each of their characters is a byte.
        if self.line == to.0 && ahead.is_some_and(|bytes| bytes.is_ascii() && !bytes.contains(&b'\n')) {
            self.byte += width;
            self.column += u32::try_from(width).unwrap_or(u32::MAX);
        }
        while (self.line, self.column) < to {
            let Some(character) = self.sql[self.byte..].chars().next() else { return false };
            self.byte += character.len_utf8();
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        (self.line, self.column) == to
    }
}

fn number(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn words(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's hundred operators are all one to us")]
fn kind(token: Lexeme) -> Kind {
    match token {
        Lexeme::Word(word) => Kind::Word { quoted: word.quote_style.is_some(), text: word.value },
        Lexeme::Period => Kind::Period,
        Lexeme::Comma => Kind::Comma,
        Lexeme::Colon => Kind::Colon,
        Lexeme::DoubleColon => Kind::Cast,
        Lexeme::SemiColon => Kind::Semicolon,
        Lexeme::LParen => Kind::Open('('),
        Lexeme::LBracket => Kind::Open('['),
        Lexeme::LBrace => Kind::Open('{'),
        Lexeme::RParen | Lexeme::RBracket | Lexeme::RBrace => Kind::Close,
        Lexeme::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab) => Kind::Space,
        Lexeme::Whitespace(_) => Kind::Comment,
        Lexeme::SingleQuotedString(_)
        | Lexeme::DoubleQuotedString(_)
        | Lexeme::DollarQuotedString(_)
        | Lexeme::NationalStringLiteral(_)
        | Lexeme::EscapedStringLiteral(_)
        | Lexeme::UnicodeStringLiteral(_)
        | Lexeme::HexStringLiteral(_) => Kind::Text,
        _ => Kind::Other,
    }
}
