//! Edits of a `CREATE TABLE` that touch nothing but the column or key in question.
//!
//! In: one statement as it is written. Out: the same text with a column or key more, less or another, or nothing
//! where the statement does not say it in a way that can be edited so.

use std::ops::Range;

use super::dialect::Dialect;
use super::token::{Kind, Token, tokens};

/// A statement's list of columns and keys.
struct List<'a> {
    sql: &'a str,
    items: Vec<Item>,
}

/// One column or key.
struct Item {
    tokens: Vec<Token>,
}

/// Words that begin what is said of a column behind its type.
const CLAUSES: [&str; 9] =
    ["NOT", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "GENERATED", "COLLATE"];
/// Words that begin a key of the table as a whole.
const KEYS: [&str; 6] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"];

/// Gives a column another text, or adds it behind the last one.
pub fn with_column(sql: &str, dialect: Dialect, column: &str, text: &str) -> Option<String> {
    let list = List::of(sql, dialect)?;
    if let Some(item) = list.column(column) {
        return Some(replaced(sql, item.span(), text));
    }
    let last = list.items.iter().rfind(|item| item.column().is_some())?.span();
    let line = &sql[sql[..last.start].rfind('\n').map_or(last.start, |at| at + 1)..last.start];
    let alone = sql[..last.start].contains('\n') && line.trim().is_empty();
    let separator = if alone { format!(",\n{line}") } else { ", ".to_owned() };
    Some(replaced(sql, last.end..last.end, &format!("{separator}{text}")))
}

/// Takes a column out, and the keys and checks of the table that name it.
///
/// Shape: nothing where another column is said by it.
pub fn without_column(sql: &str, dialect: Dialect, column: &str) -> Option<String> {
    let list = List::of(sql, dialect)?;
    let at = list.items.iter().position(|item| item.is(column))?;
    let others = list.items.iter().filter(|item| item.column().is_some() && !item.is(column));
    if others.into_iter().any(|item| item.is_said_by(column)) {
        return None;
    }
    let mut left = list.without(at)?;
    loop {
        let list = List::of(&left, dialect)?;
        let key = list.items.iter().position(|item| item.column().is_none() && item.names_as_key(column));
        let Some(key) = key else { return Some(left) };
        left = list.without(key)?;
    }
}

/// Whether a statement names a column behind what it is about: an index's table, or what a comment is on.
pub fn names_column(sql: &str, dialect: Dialect, from: usize, column: &str) -> bool {
    let tokens = tokens(sql, dialect).unwrap_or_default();
    tokens.iter().filter(|token| token.span.start >= from).any(|token| is_named(token, column))
}

/// Gives a column another type, and nothing else.
pub fn with_type(sql: &str, dialect: Dialect, column: &str, data_type: &str) -> Option<String> {
    let list = List::of(sql, dialect)?;
    let item = list.column(column)?;
    let end = item.clauses().first().map_or(item.tokens.len(), |clause| clause.start);
    let span = item.tokens.get(1)?.span.start..item.tokens[end - 1].span.end;
    Some(replaced(sql, span, data_type))
}

/// Takes out what a word begins of what is said of a column: `NOT`, `DEFAULT`, `UNIQUE`; nothing where it does not say it.
pub fn without_clause(sql: &str, dialect: Dialect, column: &str, word: &str) -> Option<String> {
    let list = List::of(sql, dialect)?;
    let item = list.column(column)?;
    let clause = item.clauses().into_iter().find(|clause| item.word_of(clause).as_deref() == Some(word))?;
    let from = item.tokens[clause.start - 1].span.end;
    Some(replaced(sql, from..item.tokens[clause.end - 1].span.end, ""))
}

/// Says one more thing of a column.
pub fn with_clause(sql: &str, dialect: Dialect, column: &str, clause: &str) -> Option<String> {
    let list = List::of(sql, dialect)?;
    let end = list.column(column)?.span().end;
    Some(replaced(sql, end..end, &format!(" {clause}")))
}

/// Takes out a key of the table by its name, or by its kind and columns, wherever it is said.
pub fn without_key(
    sql: &str,
    dialect: Dialect,
    key: (Option<&str>, &str),
    columns: &[String],
) -> Option<String> {
    let (name, kind) = key;
    let list = List::of(sql, dialect)?;
    let word = kind.split(' ').next().unwrap_or(kind);
    let of_table = list.items.iter().position(|item| {
        let named = name.is_some() && item.key_name().is_some() && item.key_name().as_deref() == name;
        let covers = item.key_word().as_deref() == Some(word) && item.key_columns() == folded(columns);
        item.column().is_none() && (named || (item.key_name().is_none() && covers))
    });
    if let Some(at) = of_table {
        return list.without(at);
    }
    let [column] = columns else { return None };
    let inline = if word == "FOREIGN" { "REFERENCES" } else { word };
    without_clause(sql, dialect, column, inline)
}

/// Takes the foreign keys to some tables out, and gives the statements that add them to the table when all are there.
///
/// Shape: nothing where the statement's columns cannot be told apart; `points` is asked with a table's name alone.
pub fn without_foreign_keys(
    sql: &str,
    dialect: Dialect,
    points: impl Fn(&str) -> bool,
) -> Option<(String, Vec<String>)> {
    let (mut left, mut added) = (sql.to_owned(), Vec::new());
    let table = made(sql, dialect)?;
    loop {
        let list = List::of(&left, dialect)?;
        let mut keys =
            list.items.iter().enumerate().filter_map(|(at, item)| Some((at, item.foreign(&points)?)));
        let Some((at, key)) = keys.next() else { return Some((left, added)) };
        let item = &list.items[at];
        let span = item.tokens[key.start].span.start..item.tokens[key.end - 1].span.end;
        let text = &left[span.clone()];
        let without = if item.column().is_some() {
            let column = &left[item.tokens[0].span.clone()];
            let reference = item.tokens[key.clone()].iter().find(|token| is(token, "REFERENCES"))?;
            let (name, rest) = text.split_at(reference.span.start - span.start);
            added.push(format!("ALTER TABLE {table} ADD {name}FOREIGN KEY ({column}) {rest}"));
            let from = item.tokens[key.start - 1].span.end;
            replaced(&left, from..span.end, "")
        } else {
            added.push(format!("ALTER TABLE {table} ADD {text}"));
            list.without(at)?
        };
        left = without;
    }
}

/// The name of the table that a statement makes, as it is written.
fn made(sql: &str, dialect: Dialect) -> Option<String> {
    let tokens: Vec<Token> = tokens(sql, dialect).ok()?.into_iter().filter(|token| !token.blank()).collect();
    let open = tokens.iter().position(|token| matches!(token.kind, Kind::Open(_)))?;
    let word = tokens[..open].iter().position(|token| is(token, "TABLE"))?;
    let name: Vec<&Token> = tokens[word + 1..open]
        .iter()
        .skip_while(|token| ["IF", "NOT", "EXISTS"].iter().any(|word| is(token, word)))
        .collect();
    Some(sql[name.first()?.span.start..name.last()?.span.end].to_owned())
}

fn is_named(token: &Token, name: &str) -> bool {
    matches!(&token.kind, Kind::Word { text, .. } if text.eq_ignore_ascii_case(name))
}

fn is(token: &Token, word: &str) -> bool {
    token.keyword().as_deref() == Some(word)
}

/// Gives what a `CREATE VIEW` is made from: everything behind its `AS`.
pub fn query_of(sql: &str, dialect: Dialect) -> Option<Range<usize>> {
    let tokens: Vec<Token> = tokens(sql, dialect).ok()?.into_iter().filter(|token| !token.blank()).collect();
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        depth = deeper(depth, &token.kind);
        if depth == 0 && token.keyword().as_deref() == Some("AS") {
            return Some(tokens.get(at + 1)?.span.start..tokens.last()?.span.end);
        }
    }
    None
}

/// How many parentheses are open behind a token.
fn deeper(depth: usize, kind: &Kind) -> usize {
    if matches!(kind, Kind::Open(_)) {
        depth + 1
    } else if *kind == Kind::Close {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

fn replaced(sql: &str, span: Range<usize>, text: &str) -> String {
    let mut edited = sql.to_owned();
    edited.replace_range(span, text);
    edited
}

fn folded(columns: &[String]) -> Vec<String> {
    columns.iter().map(|column| column.to_lowercase()).collect()
}

/// Gives the columns that are compared by a collation of their own, with its name in lower case.
///
/// Shape: also where the statement lists a key that has no text, as DuckDB does.
pub fn collations(sql: &str, dialect: Dialect) -> Vec<(String, String)> {
    let list = List::of_any(sql, dialect);
    let items = list.iter().flat_map(|list| &list.items).filter(|item| !item.tokens.is_empty());
    let collated = items.filter_map(|item| {
        let clauses = item.clauses();
        let clause =
            clauses.iter().find(|clause| item.keyword(clause.start).as_deref() == Some("COLLATE"))?;
        let parts = item.tokens[clause.start + 1..clause.end].iter().filter_map(|token| {
            let Kind::Word { text, .. } = &token.kind else { return None };
            Some(super::quote(&text.to_lowercase()))
        });
        Some((item.column()?.to_owned(), parts.collect::<Vec<_>>().join(".")))
    });
    collated.collect()
}

impl<'a> List<'a> {
    fn of(sql: &'a str, dialect: Dialect) -> Option<Self> {
        Self::of_any(sql, dialect).filter(|list| list.items.iter().all(|item| !item.tokens.is_empty()))
    }

    /// The same where an item may be empty.
    fn of_any(sql: &'a str, dialect: Dialect) -> Option<Self> {
        let tokens = tokens(sql, dialect).ok()?.into_iter().filter(|token| !token.blank());
        let (mut items, mut item, mut depth) = (Vec::new(), Vec::new(), 0_usize);
        for token in tokens {
            let before = depth;
            depth = deeper(depth, &token.kind);
            if before == 0 {
                continue;
            }
            if depth == 0 || (depth == 1 && token.kind == Kind::Comma) {
                items.push(Item { tokens: std::mem::take(&mut item) });
                if depth == 0 {
                    break;
                }
                continue;
            }
            item.push(token);
        }
        (!items.is_empty()).then_some(Self { sql, items })
    }

    fn column(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.is(name))
    }

    fn without(&self, at: usize) -> Option<String> {
        let span = self.items[at].span();
        if let Some(left) = self.without_lines(at) {
            return Some(left);
        }
        let span = match (at.checked_sub(1).map(|before| self.items[before].span()), self.items.get(at + 1)) {
            (Some(before), _) => before.end..span.end,
            (None, Some(next)) => span.start..next.span().start,
            (None, None) => return None,
        };
        Some(replaced(self.sql, span, ""))
    }
}

impl List<'_> {
    /// Takes out the lines of an item that stands there alone, with the comment behind it.
    fn without_lines(&self, at: usize) -> Option<String> {
        let (sql, span) = (self.sql, self.items[at].span());
        let from = sql[..span.start].rfind('\n')? + 1;
        let to = span.end + sql[span.end..].find('\n')? + 1;
        let behind = sql[span.end..to].trim_start();
        let behind = behind.strip_prefix(',').unwrap_or(behind).trim();
        let alone =
            sql[from..span.start].trim().is_empty() && (behind.is_empty() || behind.starts_with("--"));
        let mut left = alone.then(|| replaced(sql, from..to, ""))?;
        if at + 1 == self.items.len() {
            let before = self.items[at.checked_sub(1)?].span().end;
            let comma = before + sql[before..].find(|next: char| !next.is_whitespace())?;
            if !sql[comma..].starts_with(',') {
                return None;
            }
            left.remove(comma);
        }
        Some(left)
    }
}

impl Item {
    fn span(&self) -> Range<usize> {
        self.tokens[0].span.start..self.tokens[self.tokens.len() - 1].span.end
    }

    fn column(&self) -> Option<&str> {
        let Kind::Word { text, quoted } = &self.tokens[0].kind else { return None };
        let key = !quoted && KEYS.contains(&text.to_ascii_uppercase().as_str());
        (!key).then_some(text)
    }

    fn is(&self, name: &str) -> bool {
        self.column().is_some_and(|column| column.eq_ignore_ascii_case(name))
    }

    /// Whether what is said of a column names another one of its table.
    fn is_said_by(&self, name: &str) -> bool {
        let clauses = self.clauses().into_iter();
        let own = clauses.filter(|clause| self.word_of(clause).as_deref() != Some("REFERENCES"));
        own.flatten().any(|at| is_named(&self.tokens[at], name))
    }

    /// Whether a name stands in it, from a token on.
    fn names(&self, from: usize, name: &str) -> bool {
        self.tokens.iter().skip(from).any(|token| is_named(token, name))
    }

    /// Whether a key of the table names a column of it: what a foreign key points at is another's.
    fn names_as_key(&self, column: &str) -> bool {
        match self.key_word().as_deref() {
            Some("FOREIGN") => self.key_columns().contains(&column.to_lowercase()),
            _ => self.names(if self.key_name().is_some() { 2 } else { 0 }, column),
        }
    }

    fn keyword(&self, at: usize) -> Option<String> {
        self.tokens.get(at)?.keyword()
    }

    /// The name of a key of the table, where it has one.
    fn key_name(&self) -> Option<String> {
        let Kind::Word { text, .. } = &self.tokens.get(1)?.kind else { return None };
        (self.keyword(0)? == "CONSTRAINT").then(|| text.clone())
    }

    fn key_word(&self) -> Option<String> {
        self.keyword(if self.key_name().is_some() { 2 } else { 0 })
    }

    /// The names in the first parentheses of a key.
    fn key_columns(&self) -> Vec<String> {
        let open = self.tokens.iter().position(|token| token.kind == Kind::Open('('));
        let inner = self.tokens.iter().skip(open.map_or(usize::MAX, |at| at + 1));
        let inner = inner.take_while(|token| token.kind != Kind::Close);
        let words = inner.filter_map(|token| {
            let Kind::Word { text, .. } = &token.kind else { return None };
            Some(text.to_lowercase())
        });
        words.collect()
    }

    /// The foreign key to one of some tables that is said here, as a range of tokens.
    fn foreign(&self, points: &impl Fn(&str) -> bool) -> Option<Range<usize>> {
        let all = std::iter::once(0..self.tokens.len());
        let said = if self.column().is_some() { self.clauses() } else { all.collect() };
        said.into_iter().find(|range| {
            let tokens = &self.tokens[range.clone()];
            let mut depth = 0;
            let reference = tokens.iter().position(|token| {
                depth = deeper(depth, &token.kind);
                depth == 0 && is(token, "REFERENCES")
            });
            let name = reference.into_iter().flat_map(|at| &tokens[at + 1..]);
            let mut name = name.take_while(|token| matches!(token.kind, Kind::Word { .. } | Kind::Period));
            let mut last = None;
            // A name ends where no period follows it.
            while let Some(Kind::Word { text, .. }) = name.next().map(|token| &token.kind) {
                last = Some(text);
                if name.next().is_none_or(|token| token.kind != Kind::Period) {
                    break;
                }
            }
            last.is_some_and(|name| points(name))
        })
    }

    /// The word that a clause is about, past its name.
    fn word_of(&self, clause: &Range<usize>) -> Option<String> {
        let named = self.keyword(clause.start).as_deref() == Some("CONSTRAINT");
        self.keyword(if named { clause.start + 2 } else { clause.start })
    }

    /// What is said of a column behind its type, as ranges of tokens.
    fn clauses(&self) -> Vec<Range<usize>> {
        let (mut starts, mut depth) = (Vec::new(), 0_usize);
        for (at, token) in self.tokens.iter().enumerate() {
            depth = deeper(depth, &token.kind);
            if at > 1 && depth == 0 && self.begins(at) {
                starts.push(at);
            }
        }
        let ends = starts.iter().copied().skip(1).chain([self.tokens.len()]);
        starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
    }

    /// Whether a token begins something that is said of a column.
    fn begins(&self, at: usize) -> bool {
        let Some(word) = self.keyword(at) else { return false };
        let (before, after) = (self.keyword(at - 1), self.keyword(at + 1));
        let (before, after) = (before.as_deref(), after.as_deref());
        let named = at > 2 && self.keyword(at - 2).as_deref() == Some("CONSTRAINT");
        match word.as_str() {
            "CONSTRAINT" => true,
            "NOT" => after == Some("NULL") && !named,
            "NULL" | "DEFAULT" => !matches!(before, Some("NOT" | "SET" | "DEFAULT" | "BY" | "IS")) && !named,
            "AS" => !matches!(before, Some("ALWAYS" | "DEFAULT")),
            word => CLAUSES.contains(&word) && !named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect::DuckDb;

    #[test]
    fn tells_by_what_columns_are_compared() {
        for (columns, expected) in [
            ("n VARCHAR COLLATE NOCASE.NOACCENT DEFAULT('x') NOT NULL, i INTEGER", "n nocase.noaccent"),
            ("id INTEGER PRIMARY KEY, b INTEGER, , n VARCHAR COLLATE de", "n de"),
            ("\"a, b COLLATE z\" VARCHAR, m ENUM('a', 'b'), c VARCHAR COLLATE C PRIMARY KEY", "c c"),
            ("a VARCHAR DEFAULT((', n VARCHAR COLLATE NOCASE')), CHECK(((a COLLATE NOCASE) = 'x'))", ""),
        ] {
            let found = collations(&format!("CREATE TABLE s.t({columns});"), DIALECT);
            let found = found.iter().map(|(column, name)| format!("{column} {name}")).collect::<Vec<_>>();
            assert_eq!(found.join(", "), expected);
        }
    }

    #[test]
    fn edits_columns_and_nothing_else() {
        let sql = "create table t (\n  a int primary key, -- the id\n  b decimal(10,2) not null default 0\n)";
        assert_eq!(
            with_column(sql, DIALECT, "c", "c int").unwrap(),
            "create table t (\n  a int primary key, -- the id\n  b decimal(10,2) not null default 0,\n  c int\n)"
        );
        assert_eq!(
            with_column(sql, DIALECT, "B", "b int").unwrap(),
            "create table t (\n  a int primary key, -- the id\n  b int\n)"
        );
        assert_eq!(
            with_column("create table t (a int)", DIALECT, "b", "b int").unwrap(),
            "create table t (a int, b int)"
        );
        assert_eq!(
            without_column("create table t (a int, b int)", DIALECT, "a").unwrap(),
            "create table t (b int)"
        );
        assert_eq!(
            without_column("create table t (a int, b int)", DIALECT, "b").unwrap(),
            "create table t (a int)"
        );
        assert_eq!(without_column("create table t (a int)", DIALECT, "a"), None);
        for (list, expected) in [
            ("\n  a int, -- the a\n  b int, -- the b\n  c int\n", Some("\n  a int, -- the a\n  c int\n")),
            ("\n  a int, -- the a\n  b int -- the b\n", Some("\n  a int -- the a\n")),
            ("\n  a int -- the a\n  , b int\n", Some("\n  a int\n")),
            ("a int, b int, constraint k unique (b), check (a > B)", Some("a int")),
            ("b int, a int, primary key (a, b), unique (a)", Some("a int, unique (a)")),
            (
                "a int, b int, foreign key (a) references u (b)",
                Some("a int, foreign key (a) references u (b)"),
            ),
            ("a int, b int, foreign key (b) references u (a)", Some("a int")),
            ("a int, b int, constraint b check (a > 0)", Some("a int, constraint b check (a > 0)")),
            ("a int check (a > b), b int", None),
            ("a int, b int, c int generated always as (b + 1)", None),
        ] {
            let found = without_column(&format!("create table t ({list})"), DIALECT, "b");
            assert_eq!(found, expected.map(|list| format!("create table t ({list})")), "{list}");
        }
        assert_eq!(without_column("create table t (a int)", DIALECT, "x"), None);
    }

    #[test]
    fn edits_what_is_said_of_a_column() {
        for (item, word, expected) in [
            ("a int not null default 0", "NOT", "a int default 0"),
            ("a int not null default 0", "DEFAULT", "a int not null"),
            ("a int constraint k unique not null", "UNIQUE", "a int not null"),
            ("a int default null not null", "NOT", "a int default null"),
            ("a numeric(3, 1) references u (x) on delete set null", "REFERENCES", "a numeric(3, 1)"),
            ("a int check (a not null is null) not null", "NOT", "a int check (a not null is null)"),
            ("a int generated by default as identity primary key", "GENERATED", "a int primary key"),
        ] {
            let found = without_clause(&format!("create table t ({item})"), DIALECT, "a", word).unwrap();
            assert_eq!(found, format!("create table t ({expected})"), "{item}");
        }
        let sql = "create table t (a decimal(3, 1) not null, b int)";
        assert_eq!(
            with_type(sql, DIALECT, "a", "bigint").unwrap(),
            "create table t (a bigint not null, b int)"
        );
        assert_eq!(
            with_clause(sql, DIALECT, "b", "default 1").unwrap(),
            "create table t (a decimal(3, 1) not null, b int default 1)"
        );
        assert_eq!(without_clause(sql, DIALECT, "b", "NOT"), None);
    }

    #[test]
    fn takes_keys_out_wherever_they_are_said() {
        let columns = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
        for (list, name, kind, names, expected) in [
            ("a int, unique (a)", None, "UNIQUE", &["a"][..], "a int"),
            ("a int unique, b int", None, "UNIQUE", &["a"], "a int, b int"),
            ("a int, constraint k check (a > 0), b int", Some("k"), "CHECK", &["a"], "a int, b int"),
            ("a int, foreign key (a) references u (x)", Some("t_a_fkey"), "FOREIGN KEY", &["a"], "a int"),
            ("a int references u", Some("t_a_fkey"), "FOREIGN KEY", &["a"], "a int"),
            ("a int, b int, primary key (a, b)", None, "PRIMARY KEY", &["a", "b"], "a int, b int"),
        ] {
            let sql = format!("create table t ({list})");
            let found = without_key(&sql, DIALECT, (name, kind), &columns(names));
            assert_eq!(found, Some(format!("create table t ({expected})")), "{list}");
        }
    }

    #[test]
    fn takes_foreign_keys_apart() {
        for (list, left, added) in [
            (
                "a int, b int references s.u (x) on delete set null not null",
                "a int, b int not null",
                "FOREIGN KEY (b) references s.u (x) on delete set null",
            ),
            (
                "\"B b\" int constraint k references u, a int",
                "\"B b\" int, a int",
                "constraint k FOREIGN KEY (\"B b\") references u",
            ),
            (
                "a int, constraint k foreign key (a) references u (x)",
                "a int",
                "constraint k foreign key (a) references u (x)",
            ),
            (
                "a int, foreign key (a, b) references \"u\", b int",
                "a int, b int",
                "foreign key (a, b) references \"u\"",
            ),
        ] {
            for name in ["t", "s.t", "\"T t\""] {
                let sql = format!("create table if not exists {name} ({list})");
                let found = without_foreign_keys(&sql, Dialect::Postgres, |name| name == "u").unwrap();
                assert_eq!(found.0, format!("create table if not exists {name} ({left})"));
                assert_eq!(found.1, [format!("ALTER TABLE {name} ADD {added}")]);
            }
        }
        let other = "create table t (a int references x.w (u), b int check (b > 0))";
        let found = without_foreign_keys(other, Dialect::Postgres, |name| name == "u");
        assert_eq!(found, Some((other.to_owned(), Vec::new())));
    }

    #[test]
    fn finds_the_query_of_a_view() {
        let sql = "create view v (a) as\nselect 1 as b";
        assert_eq!(&sql[query_of(sql, DIALECT).unwrap()], "select 1 as b");
    }
}
