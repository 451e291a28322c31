//! What a statement does, by its leading keywords.

use super::dialect::Dialect;
use super::error::SqlError;
use super::reference::Part;
use super::token::{Kind, Token, tokens};

/// What a statement does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Leading {
    /// It creates something.
    Create(Creation),
    /// It comments on something: the kind's word in upper case, and the name as it is written.
    Comment(String, Vec<Part>),
    /// It alters a table, view or sequence: its name as it is written.
    Alter(Vec<Part>),
    /// It reads: `SELECT`, `WITH`, `FROM`, `VALUES`, `TABLE`, a parenthesis.
    Query,
    /// Anything else: its first word in upper case, two for what is created.
    Other(String),
}

/// What a statement creates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Creation {
    /// The kind.
    pub kind: CreationKind,
    /// The name as it is written; empty for an index without one.
    pub name: Vec<Part>,
    /// The table, for an index or a trigger.
    pub on: Vec<Part>,
    /// Whether `OR REPLACE` is written.
    pub or_replace: bool,
    /// Whether it is `TEMP` or `TEMPORARY`.
    pub temporary: bool,
}

/// The kind of thing that a statement creates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CreationKind {
    /// `TABLE`
    Table,
    /// `VIEW` or `MATERIALIZED VIEW`
    View,
    /// `INDEX`
    Index,
    /// `TRIGGER`
    Trigger,
    /// `TYPE` or `DOMAIN`
    Type,
    /// `SEQUENCE`
    Sequence,
    /// `SCHEMA`
    Schema,
    /// `FUNCTION` or `MACRO`
    Function,
    /// `PROCEDURE`
    Procedure,
}

impl CreationKind {
    fn of(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "TABLE" => Self::Table,
            "VIEW" => Self::View,
            "INDEX" => Self::Index,
            "TRIGGER" => Self::Trigger,
            "TYPE" | "DOMAIN" => Self::Type,
            "SEQUENCE" => Self::Sequence,
            "SCHEMA" => Self::Schema,
            "FUNCTION" | "MACRO" => Self::Function,
            "PROCEDURE" => Self::Procedure,
            _ => return None,
        })
    }
}

/// Tells what one statement does.
///
/// # Errors
///
/// [`SqlError::Token`] if a string, quoted name or comment does not end.
pub fn leading(statement: &str, dialect: Dialect) -> Result<Leading, SqlError> {
    let tokens: Vec<Token> = tokens(statement, dialect)?.into_iter().filter(|token| !token.blank()).collect();
    Ok(led(&tokens))
}

/// The same for a statement that is cut into tokens, without spaces and comments.
pub(super) fn led(tokens: &[Token]) -> Leading {
    let mut words = Words { tokens, next: 0 };
    let first = words.keyword().unwrap_or_default();
    match first.as_str() {
        "CREATE" => {
            let what = words.peek().map(|word| format!("{first} {word}"));
            create(&mut words).map_or(Leading::Other(what.unwrap_or(first)), Leading::Create)
        }
        "COMMENT" => {
            words.skip(&["ON"]);
            words.skip(&["MATERIALIZED"]);
            let kind = words.keyword().unwrap_or_default();
            Leading::Comment(kind, words.chain())
        }
        "ALTER"
            if words.peek().is_some_and(|word| {
                matches!(word.as_str(), "TABLE" | "SEQUENCE" | "VIEW" | "MATERIALIZED")
            }) =>
        {
            words.skip(&["TABLE", "SEQUENCE", "MATERIALIZED", "VIEW", "IF", "EXISTS", "ONLY"]);
            Leading::Alter(words.chain())
        }
        "SELECT" | "WITH" | "FROM" | "VALUES" | "TABLE" => Leading::Query,
        "" if tokens.first().is_some_and(|token| token.kind == Kind::Open('(')) => Leading::Query,
        _ => Leading::Other(first),
    }
}

fn create(words: &mut Words<'_>) -> Option<Creation> {
    let mut creation = Creation {
        kind: CreationKind::Table,
        name: Vec::new(),
        on: Vec::new(),
        or_replace: false,
        temporary: false,
    };
    loop {
        let word = words.keyword()?;
        if let Some(kind) = CreationKind::of(&word) {
            creation.kind = kind;
            if kind == CreationKind::Function && words.peek().as_deref() == Some("TABLE") {
                return None;
            }
            break;
        }
        match word.as_str() {
            "REPLACE" => creation.or_replace = true,
            "TEMP" | "TEMPORARY" => creation.temporary = true,
            "OR" | "UNIQUE" | "RECURSIVE" | "UNLOGGED" | "MATERIALIZED" | "CONSTRAINT" => {}
            _ => return None,
        }
    }
    words.skip(&["CONCURRENTLY", "IF", "NOT", "EXISTS"]);
    if creation.kind != CreationKind::Index || words.peek().as_deref() != Some("ON") {
        creation.name = words.chain();
    }
    if creation.kind == CreationKind::Index {
        words.skip(&["ON", "ONLY"]);
        creation.on = words.chain();
    }
    if creation.kind == CreationKind::Trigger {
        words.until("ON");
        words.skip(&["ON"]);
        creation.on = words.chain();
    }
    Some(creation)
}

/// Reads word by word.
struct Words<'a> {
    tokens: &'a [Token],
    next: usize,
}

impl Words<'_> {
    fn peek(&self) -> Option<String> {
        self.tokens.get(self.next)?.keyword()
    }

    fn keyword(&mut self) -> Option<String> {
        let word = self.peek()?;
        self.next += 1;
        Some(word)
    }

    /// Goes on to a keyword.
    fn until(&mut self, word: &str) {
        while self.next < self.tokens.len() && self.peek().as_deref() != Some(word) {
            self.next += 1;
        }
    }

    fn skip(&mut self, words: &[&str]) {
        while self.peek().is_some_and(|word| words.contains(&word.as_str())) {
            self.next += 1;
        }
    }

    fn chain(&mut self) -> Vec<Part> {
        let (parts, next) = super::reference::chain(self.tokens, self.next);
        self.next = next;
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_a_statement_does() {
        for (sql, kind, name, on) in [
            ("create table a.b (c int)", CreationKind::Table, "a.b", ""),
            ("CREATE OR REPLACE TEMP VIEW \"A\" AS SELECT 1", CreationKind::View, "A", ""),
            ("create unique index i on s.t (x)", CreationKind::Index, "i", "s.t"),
            ("create index on t (x)", CreationKind::Index, "", "t"),
            ("create /* x */ macro if not exists vat(x) as x", CreationKind::Function, "vat", ""),
            ("create type mood as enum ('a')", CreationKind::Type, "mood", ""),
            ("create materialized view s.m as select 1", CreationKind::View, "s.m", ""),
            ("create domain d as int", CreationKind::Type, "d", ""),
            (
                "create trigger x before update of a on s.t for each row execute function f()",
                CreationKind::Trigger,
                "x",
                "s.t",
            ),
            ("create schema if not exists other", CreationKind::Schema, "other", ""),
        ] {
            let Leading::Create(creation) = leading(sql, Dialect::DuckDb).unwrap() else { panic!("{sql}") };
            let join =
                |parts: &[Part]| parts.iter().map(|part| part.text.clone()).collect::<Vec<_>>().join(".");
            assert_eq!(
                (creation.kind, join(&creation.name), join(&creation.on)),
                (kind, name.into(), on.into())
            );
        }
        for (sql, query) in
            [("with a as (select 1) from a", true), ("(select 1)", true), ("drop table t", false)]
        {
            assert_eq!(leading(sql, Dialect::DuckDb).unwrap() == Leading::Query, query, "{sql}");
        }
        let comment = leading("comment on column s.t.c is 'x'", Dialect::DuckDb).unwrap();
        assert!(matches!(comment, Leading::Comment(kind, name) if kind == "COLUMN" && name.len() == 3));
    }
}
