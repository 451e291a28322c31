//! Other coordinates in the place of names, byte for byte.

use std::collections::BTreeMap;
use std::ops::Range;

use super::dialect::Dialect;
use super::error::SqlError;
use super::lexed::Lexed;
use super::mapping::{Known, Mapping};
use super::quote::{quote, quoted};
use super::reference::{Part, Reference, Role, found, references};
use super::token::{Kind, Token, tokens};
use crate::model::coordinate::{Coordinate, Dataset};

/// A text with other coordinates in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rewritten {
    /// The text; nothing but the names is changed.
    pub text: String,
    /// What it refers to, in the order of the text.
    pub uses: Vec<Use>,
}

/// A reference of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Use {
    /// What it refers to, after the rewriting.
    pub target: Target,
    /// What it stands for.
    pub role: Role,
    /// The name as it was written.
    pub written: String,
    /// Line in the text as it was, from 1.
    pub line: u32,
    /// Column in the text as it was, in characters, from 1.
    pub column: u32,
}

/// What a reference refers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// Something that the mapping knows.
    Known(Coordinate),
    /// A coordinate that the mapping does not know.
    Unknown(Coordinate),
    /// A name without a dataset that the mapping does not know.
    Bare(String),
}

/// Puts the coordinates of a mapping in the place of the names that it knows.
///
/// Shape: bytes change at names only; a name that is in quotes stays in quotes; comments, spacing and
/// strings stay. A bare name gets its dataset before it. Common table expressions and aliases of the
/// same name are left alone, and so is a column without a dataset.
///
/// # Errors
///
/// [`SqlError::Token`] if the result cannot be cut into tokens; [`SqlError::Unstable`] if it
/// would not refer to what was put in.
pub fn rewrite(lexed: &Lexed, mapping: &Mapping) -> Result<Rewritten, SqlError> {
    let (sql, references) = (lexed.text(), lexed.references());
    let mut edits = Vec::new();
    let mut uses = Vec::new();
    for reference in &references {
        let found = find(reference, mapping);
        if let Some((relation, to)) = &found {
            edits.extend(edit(relation, to));
        }
        if let Some(target) = found.map(|(_, to)| Target::Known(to.clone())).or_else(|| unknown(reference)) {
            let Reference { role, line, column, .. } = *reference;
            let written = sql[span(&reference.parts)].to_owned();
            uses.push(Use { target, role, written, line, column });
        }
    }
    let text = splice(sql, &edits);
    // What was not changed reads as it did.
    let after = if edits.is_empty() { None } else { Some(reread(lexed, &edits, &text)?) };
    check(sql, &references, after.as_deref().unwrap_or(&references), mapping)?;
    Ok(Rewritten { text, uses })
}

/// Puts other SQL in the place of whole relations, such as a call that reads files.
///
/// Shape: only relations after `FROM`, `JOIN` and the like; where no alias follows, the relation's name
/// becomes one, so that its columns can still be named.
///
/// # Errors
///
/// [`SqlError::Token`] if the text cannot be cut into tokens.
pub fn replace(sql: &str, dialect: Dialect, with: &BTreeMap<Coordinate, String>) -> Result<String, SqlError> {
    let mut edits = Vec::new();
    for reference in references(sql, dialect)? {
        let Some(Target::Unknown(coordinate)) = unknown(&reference) else { continue };
        let (Role::Relation, Some(replacement)) = (reference.role, with.get(&coordinate)) else { continue };
        let span = span(&reference.parts);
        let alias = if aliased(&sql[span.end..], dialect)? {
            String::new()
        } else {
            format!(" AS {}", quote(&coordinate.name))
        };
        edits.push((span, format!("{replacement}{alias}")));
    }
    Ok(splice(sql, &edits))
}

/// Whether a text that follows a relation begins with an alias.
fn aliased(rest: &str, dialect: Dialect) -> Result<bool, SqlError> {
    const FOLLOWS: &[&str] = &[
        "ON",
        "USING",
        "LEFT",
        "RIGHT",
        "INNER",
        "FULL",
        "CROSS",
        "NATURAL",
        "JOIN",
        "ASOF",
        "POSITIONAL",
        "SEMI",
        "ANTI",
        "WHERE",
        "GROUP",
        "ORDER",
        "HAVING",
        "LIMIT",
        "OFFSET",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "QUALIFY",
        "WINDOW",
        "SELECT",
        "PIVOT",
        "UNPIVOT",
        "TABLESAMPLE",
    ];
    let tokens = tokens(rest, dialect)?;
    let next = tokens.iter().find(|token| !token.blank());
    Ok(next.is_some_and(|token| match token.keyword() {
        Some(word) => !FOLLOWS.contains(&word.as_str()),
        None => matches!(token.kind, Kind::Word { .. }),
    }))
}

/// Finds the part of a chain that names something known, and what takes its place.
fn find<'a, 'm>(reference: &'a Reference, mapping: &'m Mapping) -> Option<(&'a [Part], &'m Coordinate)> {
    let parts = reference.parts.as_slice();
    let lookup = |known, length: usize| {
        let chain = parts.get(..length).filter(|chain| !chain.is_empty())?;
        Some((chain, mapping.find(known, chain.iter().map(|part| part.text.as_str()))?))
    };
    match reference.role {
        Role::Relation => lookup(Known::Relation, parts.len()),
        Role::Routine => lookup(Known::Routine, parts.len()),
        Role::Type => lookup(Known::Type, 1),
        Role::ColumnOf => lookup(Known::Relation, parts.len() - 1),
        Role::Column => lookup(Known::Relation, 3).or_else(|| lookup(Known::Relation, 2)),
    }
}

/// Tells what a chain refers to that the mapping does not know.
fn unknown(reference: &Reference) -> Option<Target> {
    let names: Vec<&str> = reference.parts.iter().map(|part| part.text.as_str()).collect();
    let names = match reference.role {
        Role::Relation | Role::Routine => names.as_slice(),
        Role::ColumnOf => &names[..names.len() - 1],
        Role::Column | Role::Type => return None,
    };
    match *names {
        [name] => Some(Target::Bare(name.to_owned())),
        [schema, name] => Some(Target::Unknown(Dataset::new(schema).object(name))),
        [catalog, schema, name] => {
            let dataset = Dataset { catalog: Some(catalog.to_owned()), schema: schema.to_owned() };
            Some(Target::Unknown(dataset.object(name)))
        }
        _ => None,
    }
}

/// Bytes and what takes their place.
pub(super) type Edit = (Range<usize>, String);

fn span(parts: &[Part]) -> Range<usize> {
    let start = parts.first().map_or(0, |part| part.span.start);
    start..parts.last().map_or(start, |part| part.span.end)
}

/// Gives the edits that make a chain name a coordinate.
fn edit(chain: &[Part], to: &Coordinate) -> Vec<Edit> {
    let Some((name, dataset)) = chain.split_last() else { return Vec::new() };
    let mut edits = Vec::new();
    match dataset {
        [] => {
            let at = name.span.start;
            edits.push((at..at, format!("{}.", written(&to.dataset))));
        }
        [schema] if to.dataset.catalog.is_none() => edits.extend(renamed(schema, &to.dataset.schema)),
        [catalog, schema] if to.dataset.catalog.is_some() => {
            edits.extend(to.dataset.catalog.as_ref().and_then(|to| renamed(catalog, to)));
            edits.extend(renamed(schema, &to.dataset.schema));
        }
        parts => edits.push((span(parts), written(&to.dataset))),
    }
    edits.extend(renamed(name, &to.name));
    edits
}

/// Gives the edit that makes a part another name; none where it is that name whatever its case.
fn renamed(part: &Part, to: &str) -> Option<Edit> {
    if part.text.eq_ignore_ascii_case(to) {
        return None;
    }
    Some((part.span.clone(), if part.quoted { quoted(to) } else { quote(to) }))
}

fn written(dataset: &Dataset) -> String {
    match &dataset.catalog {
        Some(catalog) => format!("{}.{}", quote(catalog), quote(&dataset.schema)),
        None => quote(&dataset.schema),
    }
}

pub(super) fn splice(sql: &str, edits: &[Edit]) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut copied = 0;
    for (span, replacement) in edits {
        text.push_str(&sql[copied..span.start]);
        text.push_str(replacement);
        copied = span.end;
    }
    text.push_str(&sql[copied..]);
    text
}

/// Lists what the result refers to.
///
/// Shape: positions are those of the text before. Where all that was put in are datasets that need no quotes, and
/// each stands by itself, the result is cut into the same tokens and these, so that nothing is cut again.
fn reread(lexed: &Lexed, edits: &[Edit], text: &str) -> Result<Vec<Reference>, SqlError> {
    let Some(words) = edits.iter().map(|edit| prefix(lexed.text(), edit)).collect::<Option<Vec<_>>>() else {
        return references(text, lexed.dialect);
    };
    let mut put = edits.iter().map(|(span, _)| span.start).zip(words).peekable();
    let mut tokens = Vec::with_capacity(lexed.tokens.len() + 2 * edits.len());
    for token in &lexed.tokens {
        if let Some((_, word)) = put.next_if(|(at, _)| *at == token.span.start) {
            let kind = Kind::Word { text: word.to_owned(), quoted: false };
            tokens.push(Token { kind, ..token.clone() });
            tokens.push(Token { kind: Kind::Period, ..token.clone() });
        }
        tokens.push(token.clone());
    }
    Ok(found(&tokens))
}

/// Gives the name that is put before another, if it can be nothing else there.
fn prefix<'a>(sql: &str, (span, put): &'a Edit) -> Option<&'a str> {
    let word = put.strip_suffix('.').filter(|_| span.is_empty())?;
    let mut bytes = word.bytes();
    let plain = bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let (before, after) = (sql[..span.start].bytes().next_back(), sql[span.end..].bytes().next());
    let apart = before.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'(' | b','))
        && after.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'"'));
    (plain && apart).then_some(word)
}

/// Reads the result again: it has to refer to the same number of things, each where it was to go.
fn check(sql: &str, before: &[Reference], after: &[Reference], mapping: &Mapping) -> Result<(), SqlError> {
    for (index, reference) in before.iter().enumerate() {
        let Some((_, to)) = find(reference, mapping) else { continue };
        let stands = after.get(index).is_some_and(|after| {
            let names = after.parts.iter().map(|part| part.text.to_lowercase());
            let wanted = [to.dataset.catalog.as_ref(), Some(&to.dataset.schema), Some(&to.name)];
            names.zip(wanted.into_iter().flatten()).all(|(name, wanted)| name == wanted.to_lowercase())
        });
        if !stands || before.len() != after.len() {
            return Err(SqlError::Unstable {
                line: reference.line,
                column: reference.column,
                name: sql[span(&reference.parts)].to_owned(),
                replacement: to.to_string(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rewrites, after a look whether what is not cut again reads as if it were.
    fn rewrite(sql: &str, dialect: Dialect, mapping: &Mapping) -> Result<Rewritten, SqlError> {
        let lexed = Lexed::new(sql, dialect)?;
        let references = lexed.references();
        let known = references.iter().filter_map(|reference| find(reference, mapping));
        let edits: Vec<Edit> = known.flat_map(|(chain, to)| edit(chain, to)).collect();
        let text = splice(sql, &edits);
        let read = |references: Vec<Reference>| -> Vec<_> {
            references.into_iter().map(|Reference { role, parts, .. }| (role, names(parts))).collect()
        };
        let cut = super::references(&text, dialect).unwrap();
        assert_eq!(read(reread(&lexed, &edits, &text).unwrap()), read(cut), "{sql}");
        super::rewrite(&lexed, mapping)
    }

    fn names(parts: Vec<Part>) -> Vec<(String, bool)> {
        parts.into_iter().map(|part| (part.text, part.quoted)).collect()
    }

    fn mapping(from: &str, to: &str) -> Mapping {
        let mut mapping = Mapping::default();
        for name in ["orders", "Items", "größe"] {
            let to = Dataset::new(to).object(name);
            mapping.coordinate(Known::Relation, &Dataset::new(from).object(name), &to);
            mapping.bare(Known::Relation, name, &to);
        }
        let to = Dataset::new(to).object("vat");
        mapping.coordinate(Known::Routine, &Dataset::new(from).object("vat"), &to);
        mapping.bare(Known::Routine, "vat", &to);
        mapping.bare(Known::Type, "mood", &Dataset::new("stage").object("mood"));
        mapping
    }

    const TEXTS: &[(&str, &str)] = &[
        ("select * from prod.orders", "select * from stage.orders"),
        ("select prod.orders.id from prod.orders", "select stage.orders.id from stage.orders"),
        (
            "select * from \"prod\" . /* prod.orders */ \"Items\"",
            "select * from \"stage\" . /* prod.orders */ \"Items\"",
        ),
        (
            "select 'prod.orders', prod.vat(x) from PROD.Orders o -- prod.orders",
            "select 'prod.orders', stage.vat(x) from stage.Orders o -- prod.orders",
        ),
        (
            "with prod as (select 1 as orders) select prod.orders from prod",
            "with prod as (select 1 as orders) select prod.orders from prod",
        ),
        ("select prod.orders from other.t prod", "select prod.orders from other.t prod"),
        ("select * from prod.größe, prod.\"größe\"", "select * from stage.größe, stage.\"größe\""),
        (
            "comment on column prod.orders.id is 'prod.orders.id'",
            "comment on column stage.orders.id is 'prod.orders.id'",
        ),
        (
            "select * from prod.unknown join raw.orders using (id)",
            "select * from prod.unknown join raw.orders using (id)",
        ),
        ("\u{fc}\n from prod.orders\r\n", "\u{fc}\n from stage.orders\r\n"),
    ];

    #[test]
    fn there_and_back_is_the_identity() {
        for (before, expected) in TEXTS {
            let there = rewrite(before, Dialect::DuckDb, &mapping("prod", "stage")).unwrap().text;
            assert_eq!(&there, expected);
            let back = rewrite(&there, Dialect::DuckDb, &mapping("stage", "prod")).unwrap().text;
            assert_eq!(back.to_lowercase(), before.to_lowercase());
        }
    }

    #[test]
    fn bare_names_get_their_dataset() {
        for (before, after) in [
            (
                "select orders.id, orders, vat(x) from orders",
                "select orders.id, orders, stage.vat(x) from stage.orders",
            ),
            (
                "with orders as (select * from orders) from orders",
                "with orders as (select * from stage.orders) from orders",
            ),
            (
                "create table orders (id int); create index orders on orders (id)",
                "create table stage.orders (id int); create index orders on stage.orders (id)",
            ),
            (
                "create table orders (mood mood, n int); select mood, a::Mood from orders",
                "create table stage.orders (mood stage.mood, n int); select mood, a::stage.Mood from stage.orders",
            ),
            ("create macro vat(orders) as orders * 2", "create macro stage.vat(orders) as orders * 2"),
            (
                "insert into orders select * from \"Items\" items",
                "insert into stage.orders select * from stage.\"Items\" items",
            ),
        ] {
            let rewritten = rewrite(before, Dialect::DuckDb, &mapping("prod", "stage")).unwrap();
            assert_eq!(rewritten.text, after);
        }
    }

    #[test]
    fn catalogs_come_and_go() {
        let there: Coordinate = "db.s.t".parse().unwrap();
        let here: Coordinate = "a.b".parse().unwrap();
        let rename = |from: &Coordinate, to: &Coordinate, sql: &str| {
            let mut mapping = Mapping::default();
            mapping.coordinate(Known::Relation, from, to);
            rewrite(sql, Dialect::DuckDb, &mapping).unwrap().text
        };
        assert_eq!(rename(&here, &there, "from a.b"), "from db.s.t");
        assert_eq!(rename(&there, &here, "from db.s.t"), "from a.b");
        assert_eq!(rename(&here, &"order.b".parse().unwrap(), "from a.b"), "from \"order\".b");
    }

    #[test]
    fn files_take_the_place_of_tables() {
        let with = BTreeMap::from([("raw.clicks".parse().unwrap(), "read_csv('c.csv')".to_owned())]);
        for (before, after) in [
            (
                "select clicks.a from raw.clicks where 1",
                "select clicks.a from read_csv('c.csv') AS clicks where 1",
            ),
            ("from raw.clicks c, raw.clicks", "from read_csv('c.csv') c, read_csv('c.csv') AS clicks"),
        ] {
            assert_eq!(replace(before, Dialect::DuckDb, &with).unwrap(), after);
        }
    }

    #[test]
    fn tells_what_is_unknown() {
        let sql = "select f(x)\n from prod.orders, other.t, bare";
        let uses = rewrite(sql, Dialect::DuckDb, &mapping("prod", "stage")).unwrap().uses;
        let told: Vec<_> = uses.iter().map(|a| (a.line, a.column, a.target.clone())).collect();
        assert_eq!(
            told,
            [
                (1, 8, Target::Bare("f".into())),
                (2, 7, Target::Known("stage.orders".parse().unwrap())),
                (2, 20, Target::Unknown("other.t".parse().unwrap())),
                (2, 29, Target::Bare("bare".into())),
            ]
        );
    }
}
