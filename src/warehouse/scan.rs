//! Just enough reading of SQL to tell statements apart and to say what each declares.
//!
//! The engine parses; this only keeps apart what is handed to it, so that two statements never pass for one.

use std::collections::BTreeSet;

use super::error::WarehouseError;

/// A piece of SQL: a word, a quoted name, a text, or a single symbol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Piece {
    Word,
    Quoted,
    Text,
    Symbol(char),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) piece: Piece,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.piece == Piece::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    fn name(&self) -> Option<String> {
        match self.piece {
            Piece::Word => Some(self.text.to_owned()),
            Piece::Quoted => Some(self.text[1..self.text.len() - 1].replace("\"\"", "\"")),
            Piece::Text | Piece::Symbol(_) => None,
        }
    }
}

/// What a statement does, as far as its first words say.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// `CREATE TABLE` with columns.
    Table,
    /// `CREATE TABLE … AS`: declares and fills.
    FilledTable,
    /// `CREATE [MATERIALIZED] VIEW`.
    View,
    /// `CREATE INDEX`.
    Index,
    /// `CREATE TYPE`.
    Type,
    /// `CREATE SEQUENCE`.
    Sequence,
    /// `CREATE FUNCTION|PROCEDURE|MACRO`.
    Routine,
    /// `CREATE TRIGGER`.
    Trigger,
    /// `CREATE SCHEMA`.
    Dataset,
    /// `COMMENT ON`.
    Comment,
    /// `ALTER TABLE|VIEW|TYPE|SEQUENCE|…`.
    Alter,
    /// `DROP TABLE|VIEW|INDEX|MACRO|…`.
    Drop,
    /// `INSERT INTO`.
    Insert,
    /// `SELECT`, `WITH`, `FROM`, `VALUES`, a bracket.
    Query,
    /// Anything else.
    Other,
}

impl Kind {
    /// Whether a place to try things in takes it on any engine, whatever it says further.
    pub(super) fn is_tried(self) -> bool {
        match self {
            Self::Table
            | Self::View
            | Self::Index
            | Self::Type
            | Self::Sequence
            | Self::Dataset
            | Self::Comment
            | Self::Alter
            | Self::Drop
            | Self::Insert => true,
            Self::FilledTable | Self::Routine | Self::Trigger | Self::Query | Self::Other => false,
        }
    }
}

/// A statement's first words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// What it does.
    pub kind: Kind,
    /// The parts of the name that it declares, unquoted; empty where it has none.
    pub name: Vec<String>,
    /// Its leading words, for messages.
    pub keyword: String,
}

/// Splits SQL at its semicolons: each statement with its byte offset, without the semicolon.
///
/// Shape: empty statements and pure comments are left out.
pub fn statements(sql: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut first: Option<usize> = None;
    let mut end = 0;
    for token in tokens(sql) {
        if token.piece == Piece::Symbol(';') {
            if let Some(start) = first.take() {
                found.push((start, &sql[start..end]));
            }
        } else {
            first.get_or_insert(token.start);
            end = token.start + token.text.len();
        }
    }
    if let Some(start) = first {
        found.push((start, &sql[start..end]));
    }
    found
}

/// Gives the only statement of a text, without its semicolon; none where there are several or none at all.
pub fn single(sql: &str) -> Option<&str> {
    match statements(sql).as_slice() {
        [(_, only)] => Some(only),
        _ => None,
    }
}

/// Gives the only statement of a text with its first words.
///
/// # Errors
///
/// [`WarehouseError::NotDeclaring`] where there are several, or none at all.
pub fn only_statement(sql: &str) -> Result<(&str, Head), WarehouseError> {
    let only = single(sql).ok_or_else(|| WarehouseError::NotDeclaring {
        sql: sql.to_owned(),
        keyword: "more than one statement".to_owned(),
    })?;
    Ok((only, head(only)))
}

/// Gives the only statement of a text, which has to be a query.
///
/// # Errors
///
/// [`WarehouseError::NotDeclaring`] for everything else.
pub fn only_query(sql: &str) -> Result<&str, WarehouseError> {
    single(sql)
        .filter(|only| head(only).kind == Kind::Query)
        .ok_or_else(|| WarehouseError::NotDeclaring { sql: sql.to_owned(), keyword: head(sql).keyword })
}

/// Gives the line, from 1, of a byte offset.
pub fn line_of(sql: &str, offset: usize) -> u32 {
    let lines =
        sql.char_indices().take_while(|(at, _)| *at < offset).filter(|(_, next)| *next == '\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

/// Gives every word and quoted name of a text, in lower case: what it may refer to.
pub fn words(sql: &str) -> BTreeSet<String> {
    words_among(sql, |_| true)
}

/// The same, of those that are wanted: few of a text's words mean anything to whoever asks.
pub fn words_among(sql: &str, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut word = String::new();
    for token in tokens(sql) {
        if token.piece == Piece::Word && token.text.is_ascii() {
            word.clear();
            word.push_str(token.text);
            word.make_ascii_lowercase();
        } else if let Some(name) = token.name() {
            word = name.to_lowercase();
        } else {
            continue;
        }
        if wanted(&word) && !found.contains(&word) {
            found.insert(word.clone());
        }
    }
    found
}

/// Gives what decides which rows a query gives, in one form: everything but the list of what it returns.
///
/// Shape: the list of the first `SELECT` that is in no bracket; all of the query where that list has a say too.
pub fn rows_of(query: &str) -> String {
    let tokens: Vec<Token<'_>> = tokens(query).collect();
    let mut depth = 0_u32;
    let outside = tokens.iter().enumerate().filter(|(_, token)| {
        match token.piece {
            Piece::Symbol('(') => depth += 1,
            Piece::Symbol(')') => depth = depth.saturating_sub(1),
            Piece::Word | Piece::Quoted | Piece::Text | Piece::Symbol(_) => {}
        }
        depth == 0
    });
    let outside: Vec<(usize, &Token<'_>)> = outside.collect();
    let select = outside.iter().find(|(_, token)| token.is("select")).map(|(at, _)| *at);
    let says = |token: &Token<'_>| token.is("distinct") || token.is("all");
    let list = select.filter(|_| !outside.iter().any(|(_, token)| says(token))).map(|select| {
        let from = outside.iter().find(|(at, token)| *at > select && token.is("from"));
        select + 1..from.map_or(tokens.len(), |(at, _)| *at)
    });
    let list = list.unwrap_or_default();
    let kept = tokens.iter().enumerate().filter(|(at, _)| !list.contains(at));
    kept.map(|(_, token)| token.text).collect::<Vec<_>>().join(" ")
}

/// Reads the first words of every statement of a text.
pub fn heads(sql: &str) -> Vec<Head> {
    statements(sql).into_iter().map(|(_, statement)| head(statement)).collect()
}

/// Reads a statement's first words.
pub fn head(statement: &str) -> Head {
    let mut tokens: Vec<Token<'_>> = tokens(statement).take(2).collect();
    if !tokens.first().is_some_and(asks) {
        tokens = self::tokens(statement).collect();
    }
    let keyword = tokens
        .iter()
        .take_while(|token| token.piece == Piece::Word)
        .take(2)
        .map(|token| token.text.to_uppercase())
        .collect::<Vec<_>>()
        .join(" ");
    let Some(first) = tokens.first() else {
        return Head { kind: Kind::Other, name: Vec::new(), keyword };
    };
    let rest = &tokens[1..];
    let (kind, name) = match first.text.to_ascii_lowercase().as_str() {
        "create" => created(rest),
        "comment" => (Kind::Comment, commented(rest)),
        "alter" => altered(rest),
        "drop" => (Kind::Drop, named(skip(rest, DROPPED))),
        "insert" => (Kind::Insert, named(skip(rest, &["into"]))),
        _ if asks(first) => (Kind::Query, Vec::new()),
        _ => (Kind::Other, Vec::new()),
    };
    Head { kind, name, keyword }
}

/// Whether a statement that begins so is a query.
fn asks(first: &Token<'_>) -> bool {
    ["select", "with", "from", "values", "pivot", "unpivot", "("]
        .iter()
        .any(|word| first.text.eq_ignore_ascii_case(word))
}

/// What may be dropped, and words that may stand around it.
const DROPPED: &[&str] = &[
    "table",
    "view",
    "materialized",
    "index",
    "concurrently",
    "macro",
    "function",
    "procedure",
    "schema",
    "type",
    "domain",
    "sequence",
    "trigger",
];

/// What may be altered is what may be created: no role, no system, no database.
fn altered(rest: &[Token<'_>]) -> (Kind, Vec<String>) {
    const NOUNS: &[&str] = &[
        "table",
        "view",
        "materialized",
        "index",
        "type",
        "domain",
        "sequence",
        "function",
        "procedure",
        "only",
    ];
    let after = skip(rest, NOUNS);
    let kind = if after.len() < rest.len() { Kind::Alter } else { Kind::Other };
    (kind, named(skip(after, &["if", "exists", "only"])))
}

fn created(rest: &[Token<'_>]) -> (Kind, Vec<String>) {
    let rest =
        skip(rest, &["or", "replace", "unique", "recursive", "unlogged", "materialized", "constraint"]);
    let Some(noun) = rest.first() else { return (Kind::Other, Vec::new()) };
    let after = &rest[1..];
    match noun.text.to_ascii_lowercase().as_str() {
        "table" => table(after),
        "view" => (Kind::View, named(after)),
        "index" => (Kind::Index, named(skip(after, &["concurrently"]))),
        "type" | "domain" => (Kind::Type, named(after)),
        "trigger" => (Kind::Trigger, named(after)),
        "sequence" => (Kind::Sequence, named(after)),
        "function" | "procedure" | "macro" => (Kind::Routine, named(after)),
        "schema" => (Kind::Dataset, named(after)),
        _ => (Kind::Other, Vec::new()),
    }
}

/// A table is filled where `AS` follows its name, or the bracket after it.
fn table(after: &[Token<'_>]) -> (Kind, Vec<String>) {
    let mut depth = 0_u32;
    let filled = after.iter().any(|token| match token.piece {
        Piece::Symbol('(') => {
            depth += 1;
            false
        }
        Piece::Symbol(')') => {
            depth = depth.saturating_sub(1);
            false
        }
        Piece::Word => depth == 0 && token.is("as"),
        Piece::Quoted | Piece::Text | Piece::Symbol(_) => false,
    });
    (if filled { Kind::FilledTable } else { Kind::Table }, named(after))
}

fn commented(rest: &[Token<'_>]) -> Vec<String> {
    let column = rest.get(1).is_some_and(|token| token.is("column"));
    let mut name = named(skip(
        rest,
        &[
            "on",
            "table",
            "view",
            "materialized",
            "column",
            "macro",
            "function",
            "procedure",
            "index",
            "type",
            "domain",
            "sequence",
        ],
    ));
    if column {
        name.pop();
    }
    name
}

fn skip<'a, 'b>(tokens: &'a [Token<'b>], keywords: &[&str]) -> &'a [Token<'b>] {
    let count = tokens.iter().take_while(|token| keywords.iter().any(|keyword| token.is(keyword))).count();
    &tokens[count..]
}

/// Reads `[IF [NOT] EXISTS] a.b.c`.
fn named(tokens: &[Token<'_>]) -> Vec<String> {
    let mut tokens = skip(tokens, &["if", "not", "exists"]).iter();
    let mut parts = Vec::new();
    while let Some(part) = tokens.next().and_then(Token::name) {
        parts.push(part);
        if !matches!(tokens.next(), Some(token) if token.piece == Piece::Symbol('.')) {
            break;
        }
    }
    parts
}

pub(super) fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(next) = sql[at..].chars().next() {
            let (start, rest) = (at, &sql[at..]);
            let (piece, length) = match next {
                _ if next.is_whitespace() => (None, next.len_utf8()),
                '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
                '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
                '\'' => (Some(Piece::Text), quoted(rest, '\'')),
                '"' => (Some(Piece::Quoted), quoted(rest, '"')),
                '$' => dollar(rest),
                _ if next.is_alphanumeric() || next == '_' => word(rest),
                _ => (Some(Piece::Symbol(next)), next.len_utf8()),
            };
            at += length;
            if let Some(piece) = piece {
                return Some(Token { piece, text: &rest[..length], start });
            }
        }
        None
    })
}

/// A word, or a text with a letter before it: `E'a\'b'`, `X'00'`.
fn word(rest: &str) -> (Option<Piece>, usize) {
    let length =
        rest.find(|next: char| !(next.is_alphanumeric() || next == '_' || next == '$')).unwrap_or(rest.len());
    let after = &rest[length..];
    if length == 1 && after.starts_with('\'') {
        let escapes = rest.starts_with(['e', 'E']);
        let text = if escapes { escaped(after) } else { quoted(after, '\'') };
        return (Some(Piece::Text), length + text);
    }
    (Some(Piece::Word), length)
}

/// The length of a text in quotes; a doubled quote is part of it. One that never ends takes the rest.
fn quoted(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, next)) = characters.next() {
        if next == quote {
            match characters.peek() {
                Some((_, following)) if *following == quote => {
                    characters.next();
                }
                _ => return at + quote.len_utf8(),
            }
        }
    }
    rest.len()
}

fn escaped(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, next)) = characters.next() {
        match next {
            '\'' if !rest[at + 1..].starts_with('\'') => return at + 1,
            '\\' | '\'' => {
                characters.next();
            }
            _ => {}
        }
    }
    rest.len()
}

/// `$$ … $$` and `$tag$ … $tag$`; a lone dollar is a symbol.
fn dollar(rest: &str) -> (Option<Piece>, usize) {
    let tag = rest[1..].find('$').map(|end| &rest[..end + 2]).filter(|tag| {
        tag[1..tag.len() - 1].chars().all(|next| next.is_alphanumeric() || next == '_')
            && !tag[1..].starts_with(|next: char| next.is_ascii_digit())
    });
    match tag {
        Some(tag) => {
            let end = rest[tag.len()..].find(tag).map_or(rest.len(), |end| tag.len() + end + tag.len());
            (Some(Piece::Text), end)
        }
        None => (Some(Piece::Symbol('$')), 1),
    }
}

/// Reads every bracketed parameter list of a `CREATE MACRO|FUNCTION` that stands before an `AS`.
///
/// Shape: one list for each signature; each parameter with its default as written, where it has one.
pub fn written_defaults(statement: &str) -> Vec<Vec<(String, Option<String>)>> {
    let tokens: Vec<Token<'_>> = tokens(statement).collect();
    let mut found = Vec::new();
    let mut depth = 0_u32;
    let mut open = None;
    for (index, token) in tokens.iter().enumerate() {
        match token.piece {
            Piece::Symbol('(') => {
                if depth == 0 {
                    open = Some(index);
                }
                depth += 1;
            }
            Piece::Symbol(')') => {
                depth = depth.saturating_sub(1);
                let named = tokens.get(index + 1).is_some_and(|next| next.is("as"));
                if let (0, true, Some(open)) = (depth, named, open) {
                    found.push(written(statement, &tokens[open + 1..index]));
                }
            }
            Piece::Word | Piece::Quoted | Piece::Text | Piece::Symbol(_) => {}
        }
    }
    found
}

fn written(statement: &str, tokens: &[Token<'_>]) -> Vec<(String, Option<String>)> {
    let mut depth = 0_u32;
    let mut parameters = Vec::new();
    for parameter in tokens.split(|token| {
        match token.piece {
            Piece::Symbol('(' | '[' | '{') => depth += 1,
            Piece::Symbol(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Piece::Word | Piece::Quoted | Piece::Text | Piece::Symbol(_) => {}
        }
        depth == 0 && token.piece == Piece::Symbol(',')
    }) {
        let Some(name) = parameter.first().and_then(Token::name) else { continue };
        let equals =
            parameter.iter().position(|token| token.piece == Piece::Symbol('=') || token.is("default"));
        let default = equals.and_then(|equals| {
            let (first, last) = (parameter.get(equals + 1)?, parameter.last()?);
            Some(statement[first.start..last.start + last.text.len()].to_owned())
        });
        parameters.push((name, default));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_where_the_engine_would() {
        let sql = "-- a; b\nselect ';', \";\", $$;$$, E'\\';' /* ; */ ;\n\n ; create view v as select 1";
        let found: Vec<_> = statements(sql).into_iter().map(|(at, _)| line_of(sql, at)).collect();
        assert_eq!(found, [2, 4]);
        assert_eq!(single("select 1;"), Some("select 1"));
        assert_eq!(single("select 1; copy x to 'y'"), None);
        assert_eq!(single("-- nothing"), None);
    }

    #[test]
    fn tells_whether_a_query_selects_other_rows() {
        for (before, after, same) in [
            ("select a from t", "SELECT a, (select max(b) from u) AS c\n FROM t", false),
            ("SELECT a FROM t", "SELECT a, (SELECT max(b) FROM u) AS c\n FROM t", true),
            ("SELECT a FROM t WHERE a > 1", "SELECT a, b FROM t WHERE (a > 1)", false),
            ("SELECT a FROM t", "SELECT a, b FROM u", false),
            ("SELECT DISTINCT a FROM t", "SELECT DISTINCT a, b FROM t", false),
            ("SELECT a FROM t GROUP BY ALL", "SELECT a, b FROM t GROUP BY ALL", false),
            ("SELECT 1 AS a", "SELECT 1 AS a, 2 AS b", true),
            (
                "WITH c AS (SELECT 1 AS a FROM t) SELECT a FROM c",
                "WITH c AS (SELECT 1 AS a FROM u) SELECT a FROM c",
                false,
            ),
            ("FROM t", "FROM t SELECT a", false),
        ] {
            assert_eq!(rows_of(before) == rows_of(after), same, "{before} / {after}");
        }
    }

    #[test]
    fn reads_what_a_statement_declares() {
        for (sql, kind, name) in [
            ("create table if not exists a.\"b c\" (x int)", Kind::Table, "a|b c"),
            ("create or replace table a.b as select 1", Kind::FilledTable, "a|b"),
            ("create table b(x int default (1 + 2))", Kind::Table, "b"),
            ("create table b(x) as select 1", Kind::FilledTable, "b"),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", Kind::View, "v"),
            ("create unique index i on a.b(x)", Kind::Index, "i"),
            ("create macro a.f(x) as x", Kind::Routine, "a|f"),
            ("comment on column a.b.c is 'x'", Kind::Comment, "a|b"),
            ("comment on table a.b is 'x'", Kind::Comment, "a|b"),
            ("alter table a.b add column c int", Kind::Alter, "a|b"),
            ("copy a to 'b'", Kind::Other, ""),
            ("attach 'x' as y", Kind::Other, ""),
            ("create secret s (type s3)", Kind::Other, ""),
            ("with a as (select 1) select * from a", Kind::Query, ""),
        ] {
            let head = head(sql);
            assert_eq!((head.kind, head.name.join("|").as_str()), (kind, name), "{sql}");
        }
    }

    #[test]
    fn reads_the_defaults_of_a_routine() {
        let found =
            written_defaults("create macro f(x, y int := coalesce(1, 2), z = 'a,b') as x + y, (x) as x");
        let text = |written: &Vec<(String, Option<String>)>| {
            written
                .iter()
                .map(|(name, default)| format!("{name}={}", default.clone().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join("; ")
        };
        assert_eq!(found.iter().map(text).collect::<Vec<_>>(), ["x=; y=coalesce(1, 2); z='a,b'", "x="]);
    }
}
