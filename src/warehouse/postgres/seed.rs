//! The types of a seed's columns, from its texts: the engine does not read files.

use crate::model::schema::Column;

/// Gives the columns of a CSV text with a header.
pub(super) fn columns(bytes: &[u8]) -> Result<Vec<Column>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let mut rows = crate::warehouse::csv::rows(text)?.into_iter();
    let header = rows.next().ok_or("it has no header")?;
    let rows: Vec<Vec<Option<String>>> = rows.collect();
    let column = |(index, name): (usize, Option<String>)| {
        let values = || rows.iter().filter_map(|row| row.get(index)?.as_deref());
        Ok(Column::plain(name.ok_or("its header has an empty name")?, type_of(values).to_owned()))
    };
    header.into_iter().enumerate().map(column).collect()
}

fn type_of<'a, I: Iterator<Item = &'a str>>(values: impl Fn() -> I) -> &'static str {
    let all = |fits: fn(&str) -> bool| values().next().is_some() && values().all(fits);
    if all(|text| {
        text.parse::<i64>().is_ok() && (text == "0" || !text.trim_start_matches('-').starts_with('0'))
    }) {
        return "bigint";
    }
    if all(|text| {
        text.parse::<f64>().is_ok()
            && text.chars().all(|next| next.is_ascii_digit() || "+-.eE".contains(next))
    }) {
        return "double precision";
    }
    if all(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "false")) {
        return "boolean";
    }
    if all(|text| text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10) {
        return "date";
    }
    if all(|text| text.len() > 10 && text.parse::<jiff::civil::DateTime>().is_ok()) {
        return "timestamp without time zone";
    }
    "text"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_columns_by_their_texts() {
        let csv =
            "a,b,c,d,e,f\n1,1.5,true,2026-01-02,2026-01-02 03:04:05,007\n-3,2e3,false,,,\"x, \"\"y\"\"\"\n";
        let types: Vec<_> =
            columns(csv.as_bytes()).unwrap().into_iter().map(|column| column.data_type).collect();
        assert_eq!(
            types,
            ["bigint", "double precision", "boolean", "date", "timestamp without time zone", "text"]
        );
        assert!(columns(b"").is_err());
    }
}
