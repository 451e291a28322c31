//! Whole objects for a while: under another name, beside their old self, or gone. Pure.

use serde_json::{Value, json};

use super::properties::described;
use super::stage::Way;
use crate::model::coordinate::Coordinate;
use crate::model::schema::Column;
use crate::sql::table::names_column;
use crate::sql::{self, CreationKind, Leading};
use crate::warehouse::{name, same_name};

impl Way<'_> {
    /// Declares an index without UNIQUE, in whichever file it is.
    #[must_use]
    pub(in crate::migration) fn plain_index(mut self, table: &Coordinate, index: &str) -> Self {
        let dialect = self.context.desired.dialect;
        let named = |sql: &str| {
            let Ok(Leading::Create(creation)) = sql::leading(sql, dialect) else { return false };
            creation.kind == CreationKind::Index
                && creation.name.last().is_some_and(|part| same_name(&part.text, index))
                && creation.on.last().is_some_and(|part| same_name(&part.text, &table.name))
        };
        for (file, text) in &self.context.desired.texts {
            let statements = sql::split(text, dialect).unwrap_or_default();
            let Some(statement) = statements.into_iter().find(|statement| named(statement.lexed.text()))
            else {
                continue;
            };
            let Some(at) = statement.lexed.text().to_lowercase().find("unique ") else { continue };
            let mut edited = text.clone();
            let from = statement.span.start + at;
            edited.replace_range(from..from + "unique ".len(), "");
            self.put(file, Some(edited));
            break;
        }
        self
    }

    /// Takes out the indexes and comments of a table that name a column, and what is added to it by `ALTER`, in
    /// whichever files they are.
    pub(super) fn without_what_names(&mut self, table: &Coordinate, column: &str) {
        let dialect = self.context.desired.dialect;
        let is_table = |part: Option<&sql::Part>| part.is_some_and(|part| same_name(&part.text, &table.name));
        let names = |sql: &str| match sql::leading(sql, dialect) {
            Ok(Leading::Create(made)) if made.kind == CreationKind::Index => {
                let on = made.on.last();
                is_table(on) && on.is_some_and(|on| names_column(sql, dialect, on.span.end, column))
            }
            Ok(Leading::Comment(kind, parts)) if kind == "COLUMN" => match parts.as_slice() {
                [.., owner, last] => is_table(Some(owner)) && same_name(&last.text, column),
                _ => false,
            },
            Ok(Leading::Alter(parts)) => {
                let owner = parts.last();
                is_table(owner)
                    && owner.is_some_and(|owner| names_column(sql, dialect, owner.span.end, column))
            }
            Ok(Leading::Create(_) | Leading::Comment(..) | Leading::Query | Leading::Other(_)) | Err(_) => {
                false
            }
        };
        let files: Vec<String> = self.context.desired.texts.keys().cloned().collect();
        for file in files {
            let Some(mut text) = self.text(&file) else { continue };
            let statements = sql::split(&text, dialect).unwrap_or_default();
            let spans: Vec<_> = statements
                .iter()
                .filter(|statement| names(statement.lexed.text()))
                .map(|statement| statement.span.clone())
                .collect();
            for span in spans.iter().rev() {
                let rest = &text[span.end..];
                let rest = rest.trim_start().strip_prefix(';').unwrap_or(rest);
                let rest = rest.strip_prefix('\n').unwrap_or(rest);
                text = format!("{}{rest}", &text[..span.start]);
            }
            if !spans.is_empty() {
                self.put(&file, (!text.trim().is_empty()).then_some(text));
            }
        }
    }

    /// Gives an enumeration or a composite type other parts.
    #[must_use]
    pub(in crate::migration) fn parts(mut self, object: &Coordinate, parts: &str) -> Self {
        let Some(file) = self.file_of(object) else { return self };
        self.statement(&file, object, |sql, _| {
            let (open, close) = (sql.find('(')?, sql.rfind(')')?);
            Some(format!("{}{parts}{}", &sql[..=open], &sql[close..]))
        });
        self
    }

    /// Declares under another name what a file declares now.
    #[must_use]
    pub(in crate::migration) fn renamed(mut self, object: &Coordinate, new: &str) -> Self {
        let Some(file) = self.file_of(object) else { return self };
        if self.statement_of(&file, object).is_some() {
            self.statement(&file, object, |sql, dialect| with_name(sql, dialect, new));
        } else if let Some(text) = self.text(&file) {
            self.put(&file, None);
            let place = beside(&file, new, "sql");
            self.put(&place, Some(text));
        }
        self
    }

    /// Declares a routine as it was, and what it is to be under another name.
    #[must_use]
    pub(in crate::migration) fn second_routine(
        mut self,
        object: &Coordinate,
        new: &str,
        old: &[String],
    ) -> Self {
        let Some(file) = self.file_of(object) else { return self };
        let Some((text, span)) = self.text(&file).zip(self.statement_of(&file, object)) else { return self };
        let Some(second) = with_name(&text[span.clone()], self.context.desired.dialect, new) else {
            return self;
        };
        let old = old.join(";\n");
        if self.context.managed(object).indexed {
            let edited = format!("{}{old};\n{second}{}", &text[..span.start], &text[span.end..]);
            self.put(&file, Some(edited));
        } else {
            let edited = format!("{}{old}{}", &text[..span.start], &text[span.end..]);
            self.put(&file, Some(edited));
            self.put(&beside(&file, new, "sql"), Some(format!("{second};\n")));
        }
        self
    }

    /// Declares a view of an object under another name, beside it, with columns under their old names.
    #[must_use]
    pub(in crate::migration) fn view_beside(
        mut self,
        object: &Coordinate,
        view: &str,
        columns: &[(&Column, &Column)],
    ) -> Self {
        let Some(file) = self.place_of(object) else { return self };
        let written = |(old, new): &(&Column, &Column)| {
            let (old, new) = (name(&old.name), name(&new.name));
            if old == new { new } else { format!("{new} AS {old}") }
        };
        let list = columns.iter().map(written).collect::<Vec<_>>().join(", ");
        let text = if self.context.managed(object).indexed {
            format!("CREATE VIEW {} AS\nSELECT {list} FROM {};\n", name(view), name(&object.name))
        } else {
            format!("select {list}\nfrom {{{{ ref('{}') }}}}\n", object.name)
        };
        self.put(&beside(&file, view, "sql"), Some(text));
        self
    }

    /// Declares more behind what the file of an object declares.
    #[must_use]
    pub(in crate::migration) fn also(mut self, object: &Coordinate, statements: &[String]) -> Self {
        let Some(file) = self.file_of(object) else { return self };
        let Some(mut text) = self.text(&file) else { return self };
        let declared = sql::split(&text, self.context.desired.dialect).unwrap_or_default();
        if let Some(end) = declared.last().map(|statement| statement.span.end)
            && !text[end..].trim_start().starts_with(';')
        {
            text.insert(end, ';');
        }
        let text = format!("{}\n{};\n", text.trim_end(), statements.join(";\n"));
        self.put(&file, Some(text));
        self
    }

    /// Declares another table beside an object.
    #[must_use]
    pub(in crate::migration) fn beside(mut self, object: &Coordinate, other: &str, statement: &str) -> Self {
        let Some(file) = self.place_of(object) else { return self };
        if self.context.managed(object).indexed {
            self.put(&beside(&file, other, "sql"), Some(format!("{statement};\n")));
            return self;
        }
        let live = self.context.live.relations.get(&object.dataset.object(other));
        let columns: Vec<Value> = live.into_iter().flat_map(|live| &live.columns).map(described).collect();
        let entry = json!({"name": other, "config": {"materialized": "external"}, "columns": columns});
        let text = crate::yaml::to_text(&json!({"models": [entry]}));
        self.put(&beside(&file, other, "yml"), Some(text));
        self
    }

    /// Says that what was declared beside an object is to go.
    #[must_use]
    pub(in crate::migration) fn dropped_beside(mut self, object: &Coordinate, other: &str) -> Self {
        let Some(file) = self.place_of(object) else { return self };
        self.put(&beside(&file, other, "sql"), None);
        let text = crate::yaml::to_text(&json!({"models": [{"name": other, "state": "dropped"}]}));
        self.put(&beside(&file, other, "yml"), Some(text));
        self
    }

    pub(super) fn place_of(&self, object: &Coordinate) -> Option<String> {
        let described = || self.described(object).map(|(file, _)| file);
        self.file_of(object).or_else(described)
    }

    /// Gives the file that declares an object.
    pub(in crate::migration) fn file_of(&self, object: &Coordinate) -> Option<String> {
        let place = self.context.managed(object).place?;
        self.text(&place.file).map(|_| place.file.to_string())
    }

    /// Gives a statement that creates an object: its bytes in the file.
    pub(in crate::migration) fn statement_of(
        &self,
        file: &str,
        object: &Coordinate,
    ) -> Option<std::ops::Range<usize>> {
        let text = self.text(file)?;
        let dialect = self.context.desired.dialect;
        let statements = sql::split(&text, dialect).ok()?;
        let creates = |sql: &str| {
            let Ok(Leading::Create(creation)) = sql::leading(sql, dialect) else { return false };
            let named = creation.name.last().is_some_and(|part| same_name(&part.text, &object.name));
            named && creation.kind != CreationKind::Index
        };
        statements
            .into_iter()
            .find(|statement| creates(statement.lexed.text()))
            .map(|statement| statement.span)
    }

    /// Edits the statement that creates an object.
    pub(in crate::migration) fn statement(
        &mut self,
        file: &str,
        object: &Coordinate,
        edit: impl FnOnce(&str, sql::Dialect) -> Option<String>,
    ) {
        let dialect = self.context.desired.dialect;
        let Some((mut text, span)) = self.text(file).zip(self.statement_of(file, object)) else { return };
        if let Some(edited) = edit(&text[span.clone()], dialect) {
            text.replace_range(span, &edited);
            self.put(file, Some(text));
        }
    }
}

/// A file of another name in the same folder.
pub(super) fn beside(file: &str, stem: &str, extension: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{stem}.{extension}").trim_start_matches('/').to_owned()
}

/// A statement that creates the same under another name.
fn with_name(sql: &str, dialect: sql::Dialect, new: &str) -> Option<String> {
    let Ok(Leading::Create(creation)) = sql::leading(sql, dialect) else { return None };
    let mut edited = sql.to_owned();
    edited.replace_range(creation.name.last()?.span.clone(), &name(new));
    Some(edited)
}
