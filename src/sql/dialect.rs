//! The dialects that the tokenizer tells apart.

use std::any::TypeId;

use sqlparser::dialect::{Dialect as Lexer, DuckDbDialect, GenericDialect, PostgreSqlDialect};

use crate::model::environment::Warehouse;

/// How text is cut into tokens: comments, strings, quoted names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// DuckDB.
    DuckDb,
    /// PostgreSQL.
    Postgres,
    /// Where no warehouse is known.
    #[default]
    Generic,
}

impl Dialect {
    /// Gives the dialect of a warehouse.
    pub fn of(warehouse: &Warehouse) -> Self {
        match warehouse {
            Warehouse::DuckDb { .. } => Self::DuckDb,
            Warehouse::Postgres { .. } => Self::Postgres,
            Warehouse::Command { .. } => Self::Generic,
        }
    }

    /// Gives the tokenizer's dialect.
    pub(super) fn lexer(self) -> &'static dyn Lexer {
        match self {
            Self::DuckDb => &Duck,
            Self::Postgres => &PostgreSqlDialect {},
            Self::Generic => &GenericDialect {},
        }
    }
}

/// DuckDB's lexer is PostgreSQL's in three points that the library's dialect leaves out: comments
/// nest, `E'…'` strings have escapes, and every character beyond ASCII may stand in a name.
#[derive(Debug)]
struct Duck;

impl Lexer for Duck {
    fn dialect(&self) -> TypeId {
        TypeId::of::<DuckDbDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_' || !ch.is_ascii()
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.is_identifier_start(ch) || ch.is_ascii_digit() || ch == '$'
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_string_escape_constant(&self) -> bool {
        true
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }
}
