//! What a place to try things in does alike, wherever it is: which statements it takes, what a query returns.

use super::server::Session;
use crate::model::schema::Column;
use crate::warehouse::{Files, Head, Kind, Typed, WarehouseError, head, only_query, only_statement, words};

/// How much of a name the engine keeps.
const NAME_BYTES: usize = 63;

/// Gives the one statement that declares or alters, with its first words; none where there is nothing to run.
///
/// # Errors
///
/// [`WarehouseError::NotDeclaring`] for everything else.
pub(super) fn declaring(statement: &str) -> Result<Option<(&str, Head)>, WarehouseError> {
    let (only, head) = only_statement(statement)?;
    let declares = head.kind.is_tried()
        || head.kind == Kind::Trigger
        || (head.kind == Kind::Routine && trusted(only))
        || ["GRANT", "REFRESH MATERIALIZED"].iter().any(|word| head.keyword.starts_with(word));
    if !declares {
        return Err(WarehouseError::NotDeclaring { sql: only.to_owned(), keyword: head.keyword });
    }
    if let Some(long) = words(only).into_iter().find(|word| word.len() > NAME_BYTES) {
        return Err(WarehouseError::Statement {
            sql: only.to_owned(),
            message: format!(
                "the name `{long}` has {} bytes, and PostgreSQL cuts names off after {NAME_BYTES}",
                long.len()
            ),
            line: None,
        });
    }
    // Who owns a copy makes no difference, and only few may say it.
    let owner = head.kind == Kind::Alter && only.contains(" OWNER TO ");
    Ok((!owner).then_some((only, head)))
}

/// Whether a statement of a plan makes no difference on a copy: it says how far something has counted, or who has
/// no right to it.
pub(super) fn counts_on(statement: &str) -> bool {
    statement.starts_with("SELECT pg_catalog.setval(") || statement.starts_with("REVOKE ALL ON ")
}

/// Whether a routine is written in a language that reaches nothing outside of the database.
fn trusted(statement: &str) -> bool {
    let words = words(statement);
    let after: Vec<&str> = statement.split_whitespace().collect();
    let language = after.windows(2).find(|pair| pair[0].eq_ignore_ascii_case("language"));
    let language = language.map(|pair| pair[1].trim_matches(['\'', '"', ';']).to_lowercase());
    let known = language.as_deref().is_none_or(|language| ["sql", "plpgsql"].contains(&language));
    known && !words.contains("plpython3u") && !words.contains("plperlu")
}

/// Asks what a query returns, without running it.
pub(super) async fn columns(session: &Session, query: &str) -> Result<Vec<Column>, WarehouseError> {
    let only = only_query(query)?;
    session.run(&format!("CREATE TEMPORARY VIEW _promote_query AS\n{only}")).await.map_err(one_line_up)?;
    let rows = session
        .ask(
            "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = 'pg_temp._promote_query'::pg_catalog.regclass AND a.attnum > 0 ORDER BY a.attnum",
        )
        .await;
    session.run("DROP VIEW pg_temp._promote_query").await?;
    Ok(rows?.iter().map(|row| Column::plain(row.text(0), row.text(1))).collect())
}

/// The query begins one line below the statement that was made of it.
fn one_line_up(error: WarehouseError) -> WarehouseError {
    if let WarehouseError::Statement { sql, message, line } = error {
        let line = line.and_then(|line| line.checked_sub(1)).filter(|line| *line > 0);
        return WarehouseError::Statement { sql, message, line };
    }
    error
}

/// Types what lies outside: the engine reads no files, so a seed's types are those of its texts.
pub(super) fn types(files: &Files) -> Typed {
    let mut typed = Typed::default();
    for (object, _) in &files.sources {
        typed.faults.push((object.clone(), "PostgreSQL reads no files: load it into a table".to_owned()));
    }
    for (object, bytes) in &files.seeds {
        match super::seed::columns(bytes) {
            Ok(columns) => drop(typed.columns.insert(object.clone(), columns)),
            Err(message) => typed.faults.push((object.clone(), message)),
        }
    }
    typed
}

/// The table that an index or trigger is on.
pub(super) fn on_table(statement: &str) -> Vec<String> {
    let upper = statement.to_ascii_uppercase();
    let at = upper.match_indices("ON").find(|(at, _)| {
        let space = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
        space(upper.as_bytes().get(at.wrapping_sub(1))) && space(upper.as_bytes().get(at + 2))
    });
    at.map(|(at, _)| head(&format!("ALTER TABLE {}", &statement[at + 2..])).name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_table_that_something_is_on() {
        for (sql, table) in [
            ("CREATE INDEX i ON a.t USING btree (b)", vec!["a", "t"]),
            ("CREATE UNIQUE INDEX one\nON \"T\" (b)", vec!["T"]),
            ("CREATE TRIGGER once BEFORE INSERT on a.t FOR EACH ROW EXECUTE FUNCTION f()", vec!["a", "t"]),
            ("COMMENT", vec![]),
        ] {
            assert_eq!(on_table(sql), table, "{sql}");
        }
    }
}
