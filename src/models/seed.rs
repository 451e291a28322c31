//! Seeds: CSV files that are tables.

use super::config::Configuration;
use super::object::{DeclaredColumn, Object, Seed};
use crate::sql::{literal, quote};

impl Seed {
    /// Takes a file's text.
    pub(super) fn of(text: &str, config: &Configuration) -> Self {
        let delimiter = config.text("delimiter").and_then(|text| text.chars().next()).unwrap_or(',');
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let header = lines.next().map(|line| fields(line, delimiter)).unwrap_or_default();
        Self { csv: text.as_bytes().to_vec(), header, delimiter, rows: lines.count() }
    }
}

/// Cuts a line into fields; quotes are CSV's.
fn fields(line: &str, delimiter: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars().peekable();
    let mut inside = false;
    while let Some(character) = characters.next() {
        let field = fields.last_mut().expect("there is one from the start");
        match character {
            '"' if inside && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => inside = !inside,
            _ if character == delimiter && !inside => fields.push(String::new()),
            _ => field.push(character),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

impl Object {
    /// Gives the SELECT that reads a seed's rows from a copy of its file; nothing where it is no seed.
    ///
    /// Shape: columns with a declared type are read as that type, the engine finds the others' types;
    /// an empty field is NULL.
    pub fn seed_select(&self, path: &str) -> Option<String> {
        let seed = self.seed.as_ref()?;
        let typed: Vec<String> = seed
            .header
            .iter()
            .filter_map(|name| {
                let column = self.declared.iter().find(|column| column.name.eq_ignore_ascii_case(name))?;
                Some(format!("{}: {}", literal(name), literal(column.data_type.as_ref()?)))
            })
            .collect();
        let types =
            if typed.is_empty() { String::new() } else { format!(", types = {{{}}}", typed.join(", ")) };
        let columns: Vec<String> = seed.header.iter().map(|name| quote(name)).collect();
        Some(format!(
            "SELECT {} FROM read_csv({}, header = true, delim = {}, quote = '\"', escape = '\"', sample_size = -1{types})",
            columns.join(", "),
            literal(path),
            literal(&seed.delimiter.to_string()),
        ))
    }
}

/// Adds the types of `config: {column_types: …}` to the declared columns.
pub(super) fn with_types(mut declared: Vec<DeclaredColumn>, config: &Configuration) -> Vec<DeclaredColumn> {
    for (name, data_type) in config.mapping("column_types").into_iter().flatten() {
        let data_type = data_type.as_str().map(str::to_owned);
        match declared.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name)) {
            Some(column) => column.data_type = column.data_type.take().or(data_type),
            None => {
                declared.push(DeclaredColumn { name: name.clone(), data_type, ..DeclaredColumn::default() });
            }
        }
    }
    declared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_a_header_into_names() {
        assert_eq!(fields("id,\"a, b\",\"say \"\"x\"\"\"", ','), ["id", "a, b", "say \"x\""]);
        assert_eq!(fields("id;name", ';'), ["id", "name"]);
    }
}
