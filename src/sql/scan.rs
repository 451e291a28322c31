//! The walk over one statement's tokens that tells relations from everything else.

use std::collections::BTreeSet;

use super::reference::{Part, Reference, Role, chain};
use super::token::{Kind, Token};
use super::words::{CLAUSES, FROM_INSIDE, NOT_A_CALL, NOT_AN_ALIAS};

/// What the next name is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expected {
    /// Nothing in particular.
    Nothing,
    /// A relation, table function or subquery.
    Source,
    /// A name of this role, whatever follows it.
    Named(Role),
    /// A name that is no reference, such as an index's.
    Label,
    /// A common table expression's name.
    Cte,
}

/// Whether a comma begins a further common table expression.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum With {
    /// It does not.
    Over,
    /// It does; each is known behind its body.
    Plain,
    /// It does; each is known in its body too.
    Recursive,
}

/// One level of parentheses.
#[derive(Debug)]
struct Level {
    expected: Expected,
    /// Whether a comma begins a further relation.
    in_from: bool,
    /// Whether a relation has just ended, so that an alias may follow.
    after_source: bool,
    with: With,
    /// The word before the parenthesis.
    opener: String,
    /// A common table expression whose body is not closed yet.
    pending: Option<String>,
    ctes: Vec<String>,
}

impl Level {
    fn new(expected: Expected, opener: String) -> Self {
        Self {
            expected,
            in_from: expected == Expected::Source,
            after_source: false,
            with: With::Over,
            opener,
            pending: None,
            ctes: Vec::new(),
        }
    }
}

/// The walk.
pub(super) struct Scanner<'a> {
    tokens: &'a [Token],
    at: usize,
    levels: Vec<Level>,
    /// The statement's first word.
    verb: String,
    /// Whether the object that the statement is about has been named.
    named: bool,
    /// Whether it is about an index.
    index: bool,
    aliases: BTreeSet<String>,
    found: Vec<Reference>,
}

impl<'a> Scanner<'a> {
    /// Begins at a statement's first token; blanks are left out.
    pub(super) fn new(tokens: &'a [Token]) -> Self {
        let verb = tokens.first().and_then(Token::keyword).unwrap_or_default();
        Self {
            tokens,
            at: 0,
            levels: vec![Level::new(Expected::Nothing, String::new())],
            verb,
            named: false,
            index: false,
            aliases: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// Walks to the end.
    pub(super) fn references(mut self) -> Vec<Reference> {
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Word { quoted, .. } => self.word(*quoted),
                Kind::Open(_) => self.open(),
                Kind::Close => self.close(),
                Kind::Comma => self.comma(),
                // A field of a value: `list[1].name`.
                Kind::Period => self.at += 2,
                Kind::Text | Kind::Other | Kind::Colon | Kind::Cast => {
                    self.source_ends();
                    self.at += 1;
                }
                Kind::Semicolon | Kind::Space | Kind::Comment => self.at += 1,
            }
        }
        let aliases = self.aliases;
        self.found.retain(|reference| {
            reference.role != Role::Column || !aliases.contains(&reference.parts[0].text.to_lowercase())
        });
        self.found
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never closed")
    }

    fn keyword(&self, at: Option<usize>) -> String {
        at.and_then(|at| self.tokens.get(at)).and_then(Token::keyword).unwrap_or_default()
    }

    fn kind(&self, at: usize) -> Option<&Kind> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    /// A relation that is a string or a subquery ends here.
    fn source_ends(&mut self) {
        let level = self.level();
        if level.expected == Expected::Source {
            level.expected = Expected::Nothing;
            level.after_source = true;
        }
    }

    fn open(&mut self) {
        let opener = self.keyword(self.at.checked_sub(1));
        let expected = match self.level().expected {
            Expected::Source => Expected::Source,
            Expected::Nothing | Expected::Named(_) | Expected::Label | Expected::Cte => Expected::Nothing,
        };
        self.levels.push(Level::new(expected, opener));
        self.at += 1;
    }

    fn close(&mut self) {
        self.at += 1;
        if self.levels.len() == 1 {
            return;
        }
        let Some(closed) = self.levels.pop() else { return };
        self.source_ends();
        let body = closed.opener == "AS" || closed.opener == "MATERIALIZED";
        let level = self.level();
        if body && let Some(name) = level.pending.take() {
            level.ctes.push(name);
        }
    }

    fn comma(&mut self) {
        self.at += 1;
        let level = self.level();
        level.after_source = false;
        if level.with != With::Over && level.pending.is_none() {
            level.expected = Expected::Cte;
        } else if level.in_from {
            level.expected = Expected::Source;
        }
    }

    fn word(&mut self, quoted: bool) {
        let (parts, next) = chain(self.tokens, self.at);
        let word = if quoted || parts.len() > 1 { String::new() } else { self.keyword(Some(self.at)) };
        let start = self.at;
        if !word.is_empty() && self.takes_keyword(&word) {
            self.at = start + 1;
            return;
        }
        self.at = next;
        let expected = self.level().expected;
        match expected {
            Expected::Cte => self.cte(&parts, next),
            Expected::Label => self.level().expected = Expected::Nothing,
            Expected::Named(role) => {
                self.named = true;
                let level = self.level();
                level.expected = Expected::Nothing;
                level.after_source = role == Role::Relation;
                if let Some(last) = parts.last().filter(|_| role == Role::Relation) {
                    self.aliases.insert(last.text.to_lowercase());
                }
                self.push(role, parts, start);
            }
            Expected::Source if self.kind(next) == Some(&Kind::Colon) => {
                self.aliases.insert(parts[0].text.to_lowercase());
                self.at += 1;
            }
            Expected::Source => self.source(parts, start, next),
            Expected::Nothing => self.other(&word, parts, start, next),
        }
    }

    fn cte(&mut self, parts: &[Part], next: usize) {
        let name = parts[0].text.to_lowercase();
        let is_cte = self.keyword(Some(next)) == "AS" || self.opens(next);
        let level = self.level();
        level.expected = Expected::Nothing;
        if !is_cte {
            level.with = With::Over;
        } else if level.with == With::Recursive {
            level.ctes.push(name.clone());
        }
        if is_cte {
            level.pending = Some(name);
        }
    }

    fn source(&mut self, parts: Vec<Part>, start: usize, next: usize) {
        let level = self.level();
        level.expected = Expected::Nothing;
        level.after_source = true;
        if self.opens(next) {
            self.push(Role::Routine, parts, start);
            return;
        }
        let first = parts[0].text.to_lowercase();
        let cte = parts.len() == 1 && self.levels.iter().any(|level| level.ctes.contains(&first));
        // `FROM orders o, o.items`: a list of the row, not a table.
        let lateral = parts.len() > 1 && self.aliases.contains(&first);
        if let Some(last) = parts.last() {
            self.aliases.insert(last.text.to_lowercase());
        }
        if !cte && !lateral {
            self.push(Role::Relation, parts, start);
        }
    }

    fn other(&mut self, word: &str, parts: Vec<Part>, start: usize, next: usize) {
        if self.level().after_source && parts.len() == 1 {
            if word == "AS" {
                return;
            }
            self.level().after_source = false;
            if !NOT_AN_ALIAS.contains(&word) {
                self.aliases.insert(parts[0].text.to_lowercase());
                return;
            }
        }
        let call = self.opens(next) && !NOT_A_CALL.contains(&word);
        if call {
            self.push(Role::Routine, parts, start);
        } else if parts.len() > 1 {
            self.push(Role::Column, parts, start);
        } else if self.names_type(start) {
            self.push(Role::Type, parts, start);
        }
    }

    /// Whether a single name stands where a type stands.
    fn names_type(&self, start: usize) -> bool {
        let Some(before) = start.checked_sub(1) else { return false };
        let cast =
            self.levels.last().is_some_and(|level| matches!(level.opener.as_str(), "CAST" | "TRY_CAST"));
        let column = self.verb == "CREATE"
            && self.levels.len() == 2
            && matches!(self.kind(before), Some(Kind::Word { .. }))
            && matches!(
                before.checked_sub(1).and_then(|at| self.kind(at)),
                Some(Kind::Open('(') | Kind::Comma)
            );
        self.kind(before) == Some(&Kind::Cast) || (cast && self.keyword(Some(before)) == "AS") || column
    }

    fn push(&mut self, role: Role, parts: Vec<Part>, start: usize) {
        let Token { line, column, .. } = self.tokens[start];
        self.found.push(Reference { role, parts, line, column });
    }

    /// Takes a word that says what comes next; tells whether it was one.
    fn takes_keyword(&mut self, word: &str) -> bool {
        let before = |scanner: &Self| scanner.keyword(scanner.at.checked_sub(1));
        if matches!(
            self.level().expected,
            Expected::Named(_) | Expected::Label | Expected::Source | Expected::Cte
        ) && matches!(word, "IF" | "NOT" | "EXISTS" | "LATERAL" | "ONLY" | "CONCURRENTLY" | "RECURSIVE")
        {
            return true;
        }
        if !self.named && self.takes_header(word) {
            return true;
        }
        match word {
            "FROM" => {
                let distinct = before(self) == "DISTINCT"
                    && matches!(self.keyword(self.at.checked_sub(2)).as_str(), "IS" | "NOT");
                if !distinct && !FROM_INSIDE.contains(&self.level().opener.as_str()) {
                    self.expect_sources();
                }
            }
            "JOIN" => self.expect_sources(),
            "INTO" | "REFERENCES" => self.expect(Expected::Named(Role::Relation)),
            "UPDATE" if !matches!(before(self).as_str(), "FOR" | "ON" | "DO" | "KEY") => {
                self.expect(Expected::Named(Role::Relation));
            }
            "USING" if matches!(self.verb.as_str(), "DELETE" | "MERGE") => self.expect_sources(),
            "PIVOT" | "UNPIVOT" | "SUMMARIZE" | "DESCRIBE" if self.begins() => self.expect_sources(),
            "WITH" if self.begins_ctes() => {
                let recursive = self.keyword(Some(self.at + 1)) == "RECURSIVE";
                let level = self.level();
                level.with = if recursive { With::Recursive } else { With::Plain };
                level.expected = Expected::Cte;
            }
            "ON" if self.index => {
                self.index = false;
                self.expect(Expected::Named(Role::Relation));
            }
            _ if CLAUSES.contains(&word) => {
                let level = self.level();
                level.expected = Expected::Nothing;
                level.in_from = false;
                level.after_source = false;
                level.with = With::Over;
            }
            _ => return false,
        }
        true
    }

    /// Takes a word of `CREATE|ALTER|DROP|COMMENT ON …` before the name; tells whether it was one.
    fn takes_header(&mut self, word: &str) -> bool {
        if !matches!(self.verb.as_str(), "CREATE" | "ALTER" | "DROP" | "COMMENT" | "TRUNCATE") {
            return false;
        }
        let expected = match word {
            "TABLE" | "VIEW" | "TYPE" | "SEQUENCE" => Expected::Named(Role::Relation),
            "FUNCTION" | "MACRO" | "PROCEDURE" => Expected::Named(Role::Routine),
            "COLUMN" => Expected::Named(Role::ColumnOf),
            "INDEX" | "SCHEMA" => {
                self.named = true;
                self.index = word == "INDEX" && self.verb == "CREATE";
                let unnamed = self.keyword(Some(self.at + 1)) == "ON";
                if unnamed { Expected::Nothing } else { Expected::Label }
            }
            _ => return false,
        };
        self.expect(expected);
        true
    }

    fn expect(&mut self, expected: Expected) {
        let level = self.level();
        level.expected = expected;
        level.after_source = false;
        level.with = With::Over;
    }

    fn expect_sources(&mut self) {
        self.expect(Expected::Source);
        self.level().in_from = true;
    }

    /// Whether nothing stands before the word at its level.
    fn begins(&self) -> bool {
        self.at == 0
            || matches!(self.kind(self.at - 1), Some(Kind::Open(_)))
            || matches!(self.keyword(Some(self.at - 1)).as_str(), "AS" | "EXPLAIN")
    }

    /// Whether the `WITH` here begins common table expressions: not `WITH ORDINALITY` and the like.
    fn begins_ctes(&self) -> bool {
        let next = self.keyword(Some(self.at + 1));
        matches!(self.kind(self.at + 1), Some(Kind::Word { .. }))
            && !matches!(next.as_str(), "ORDINALITY" | "TIES" | "TIME" | "NO" | "DATA")
    }

    fn opens(&self, at: usize) -> bool {
        self.kind(at) == Some(&Kind::Open('('))
    }
}
