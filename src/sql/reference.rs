//! Names that a text refers to, with the bytes where they stand.

use std::ops::Range;

use super::dialect::Dialect;
use super::error::SqlError;
use super::lexed::{parted, said};
use super::scan::Scanner;
use super::token::{Kind, Token};

/// One name of a chain such as `dataset.table`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// The name without quotes.
    pub text: String,
    /// Whether it is written in quotes.
    pub quoted: bool,
    /// Its bytes, quotes included.
    pub span: Range<usize>,
}

/// What a chain of names stands for, by its position.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// A table or view: after `FROM`, `JOIN`, `INTO`, `CREATE TABLE`, …
    Relation,
    /// A function, macro or procedure: before `(`, or after `CREATE FUNCTION`.
    Routine,
    /// Anything else: usually a column, of a relation that may be written out before it.
    Column,
    /// A type without a dataset: behind `::`, in `CAST`, behind a column of `CREATE TABLE`.
    Type,
    /// A column after its relation: `COMMENT ON COLUMN`.
    ColumnOf,
}

/// A chain of names that refers to something outside its statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// What it stands for.
    pub role: Role,
    /// The names, outermost first.
    pub parts: Vec<Part>,
    /// Line of its first byte, from 1.
    pub line: u32,
    /// Column of its first byte in characters, from 1.
    pub column: u32,
}

/// Lists what a text refers to.
///
/// Shape: in the order of the text. Left out: what stands in strings and comments, the names of common
/// table expressions, aliases, and columns without a dataset before them.
///
/// # Errors
///
/// [`SqlError::Token`] if a string, quoted name or comment does not end.
pub fn references(sql: &str, dialect: Dialect) -> Result<Vec<Reference>, SqlError> {
    Ok(found(&said(sql, dialect)?))
}

/// The same for a text that is cut already.
pub(super) fn found(tokens: &[Token]) -> Vec<Reference> {
    parted(tokens).flat_map(|statement| Scanner::new(statement).references()).collect()
}

/// Reads a chain of names from a place on; gives it and the place behind it.
pub(super) fn chain(tokens: &[Token], mut at: usize) -> (Vec<Part>, usize) {
    let mut parts = Vec::new();
    while let Some(Token { kind: Kind::Word { text, quoted }, span, .. }) = tokens.get(at) {
        parts.push(Part { text: text.clone(), quoted: *quoted, span: span.clone() });
        at += 1;
        let dotted = tokens.get(at).is_some_and(|token| token.kind == Kind::Period)
            && tokens.get(at + 1).is_some_and(|token| matches!(token.kind, Kind::Word { .. }));
        if !dotted {
            break;
        }
        at += 1;
    }
    (parts, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str) -> Vec<String> {
        let role = |role| match role {
            Role::Relation => "",
            Role::Routine => "()",
            Role::Column => "?",
            Role::ColumnOf => "#",
            Role::Type => "!",
        };
        references(sql, Dialect::DuckDb)
            .unwrap()
            .iter()
            .map(|r| {
                format!(
                    "{}{}",
                    r.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("."),
                    role(r.role)
                )
            })
            .collect()
    }

    #[test]
    fn finds_relations_and_nothing_else() {
        for (sql, expected) in [
            ("select a, b from orders", vec!["orders"]),
            (
                "select o.a from s.orders o join s.\"Items\" as i on i.x = o.a, t u",
                vec!["s.orders", "s.Items", "t"],
            ),
            ("select 'from s.x' -- from s.y\n from /* s.z */ s . orders", vec!["s.orders"]),
            ("with x as (select * from t), y as (from x) select * from y, x, z", vec!["t", "z"]),
            ("with t as (select * from t) select * from t", vec!["t"]),
            ("with recursive t as (select 1 union select * from t) select * from t", vec![]),
            ("select * from (with x as (select 1) select * from x), x", vec!["x"]),
            (
                "select extract(year from d), trim(both from e) from s.t where a is distinct from b",
                vec!["extract()", "trim()", "s.t"],
            ),
            ("select s.f(x), g(y) from s.h(1) as a, a.items", vec!["s.f()", "g()", "s.h()"]),
            ("select s.t.c, t.c from s.t", vec!["s.t.c?", "s.t"]),
        ] {
            assert_eq!(found(sql), expected, "{sql}");
        }
    }

    #[test]
    fn finds_targets_types_and_clauses_of_dialects() {
        for (sql, expected) in [
            (
                "insert into s.t (a, b) select a, b from u where a in (select id from v)",
                vec!["s.t", "u", "v"],
            ),
            (
                "create table if not exists t (id int references s.u (id), n int)",
                vec!["t", "int!", "s.u", "int!"],
            ),
            ("create unique index i on s.t (a, lower(b))", vec!["s.t", "lower()"]),
            ("create or replace macro s.f(a) as table select * from t", vec!["s.f()", "t"]),
            ("comment on column s.t.c is 'x'; comment on table t is 's.x'", vec!["s.t.c#", "t"]),
            ("from s.a select x, y union all from b", vec!["s.a", "b"]),
            ("select * from (a join b using (x)) left join c using (y)", vec!["a", "b", "c"]),
            (
                "delete from t using u where t.a = u.a; update v set a = s.w.b from s.w",
                vec!["t", "u", "v", "s.w.b?", "s.w"],
            ),
            (
                "select x::s.mood, y::mood, cast(z as mood), list[1].a.b from s.größe_ü",
                vec!["s.mood?", "mood!", "cast()", "mood!", "s.größe_ü"],
            ),
            ("select * from 'file.csv', o: s.orders where o.x > 1", vec!["s.orders"]),
            ("select a from t order by b, c", vec!["t"]),
            ("select a, (select max(x) from u), b from t for update", vec!["max()", "u", "t"]),
            ("with a as (from x) from a, b, s.c as c(i) asof join d using (e)", vec!["x", "b", "s.c", "d"]),
            (
                "with a(n) as materialized (select 1), b as not materialized (from a) insert into t from b",
                vec!["t"],
            ),
            ("create table s.t as from u, v", vec!["s.t", "u", "v"]),
            (
                "merge into s.t using u on t.a = u.a when matched then update set b = u.b when not matched then insert (a) values (u.a)",
                vec!["s.t", "u"],
            ),
            (
                "select * from range(3) r(i), (values (1)) v(x), unnest([a, b]) with ordinality",
                vec!["range()", "unnest()"],
            ),
            ("pivot s.t on a using sum(b)", vec!["s.t", "sum()"]),
            (
                "select coalesce(a, b) over (partition by c, d) from t window w as (order by e, f)",
                vec!["coalesce()", "t"],
            ),
        ] {
            assert_eq!(found(sql), expected, "{sql}");
        }
    }
}
