//! How one type fits another: what widens, what narrows, what is another thing.
//!
//! Measured on DuckDB 1.5.6: a successful ALTER proves nothing, for several casts lose values silently. What is
//! called wider here keeps every value and every old reader.

use std::borrow::Cow;

/// How the values of one type fit into another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Fit {
    /// The same type.
    Same,
    /// Every value fits, and reads as before.
    Wider,
    /// The same kind of value, not every one of which fits.
    Narrower,
    /// Another kind of value.
    Other,
}

/// Says how values of `from` fit into `to`.
///
/// Pure. Types are as the engine spells them.
pub(super) fn fit(from: &str, to: &str) -> Fit {
    if from == to {
        return Fit::Same;
    }
    let (from, to) = (common(from), common(to));
    let (from, to) = (from.as_ref(), to.as_ref());
    if widens(from, to) {
        return Fit::Wider;
    }
    if widens(to, from) || (family(from).is_some() && family(from) == family(to)) {
        return Fit::Narrower;
    }
    Fit::Other
}

/// A type of PostgreSQL by the name that it is compared under.
fn common(data_type: &str) -> Cow<'_, str> {
    if let Some(element) = data_type.strip_suffix("[]") {
        return Cow::Owned(format!("{}[]", common(element)));
    }
    Cow::Borrowed(match data_type {
        "smallint" => "SMALLINT",
        "integer" => "INTEGER",
        "bigint" => "BIGINT",
        "real" => "FLOAT",
        "double precision" => "DOUBLE",
        "date" => "DATE",
        "timestamp without time zone" => "TIMESTAMP",
        _ if data_type.starts_with("numeric(") => {
            return Cow::Owned(data_type.replacen("numeric", "DECIMAL", 1));
        }
        other => other,
    })
}

/// How many characters a text of PostgreSQL may have: the most that there are where that is not said. Nothing
/// where it is no text.
fn characters(data_type: &str) -> Option<u32> {
    match data_type {
        "text" | "character varying" => Some(u32::MAX),
        _ => data_type.strip_prefix("character varying(")?.strip_suffix(')')?.parse().ok(),
    }
}

/// The condition under which a value of a column does not fit into a narrower type of PostgreSQL.
///
/// Shape: nothing where no condition can say so without failing itself.
pub(super) fn misfits(column: &str, from: &str, to: &str) -> Option<String> {
    if let (Some(_), Some(length)) = (characters(from), characters(to).filter(|length| *length < u32::MAX)) {
        return Some(format!("char_length({column}) > {length}"));
    }
    let number = |text: &str| {
        let text = common(text);
        whole(&text).is_some() || decimal(&text).is_some() || text == "numeric"
    };
    if number(from) {
        if let Some((precision, scale)) = decimal(&common(to)) {
            let digits = precision.saturating_sub(scale);
            return Some(format!(
                "abs({column}) >= 1e{digits}::numeric OR {column} <> round({column}::numeric, {scale})"
            ));
        }
        let (bits, _) = whole(&common(to))?;
        let most = (1_u128 << (bits - 1)) - 1;
        return Some(format!(
            "{column} > {most}::numeric OR {column} < -{most}::numeric - 1 OR {column} <> trunc({column}::numeric)"
        ));
    }
    match (from, to) {
        ("double precision", "real") => Some(format!(
            "abs({column}) > 3.4e38 OR ({column} BETWEEN -3.4e38 AND 3.4e38 AND {column} <> ({column}::numeric)::real::double precision)"
        )),
        (_, "date") if from.starts_with("timestamp") => {
            Some(format!("{column} <> date_trunc('day', {column})"))
        }
        _ => None,
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Family {
    Text,
    Whole,
    Decimal,
    Floating,
    Enumeration,
    Timestamp,
}

fn family(data_type: &str) -> Option<Family> {
    if characters(data_type).is_some() {
        return Some(Family::Text);
    }
    if whole(data_type).is_some() {
        return Some(Family::Whole);
    }
    if decimal(data_type).is_some() {
        return Some(Family::Decimal);
    }
    match data_type {
        "FLOAT" | "DOUBLE" => Some(Family::Floating),
        "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS" => Some(Family::Timestamp),
        _ if data_type.starts_with("ENUM(") => Some(Family::Enumeration),
        _ => None,
    }
}

/// A whole number's size in bits, and whether it has a sign.
fn whole(data_type: &str) -> Option<(u32, bool)> {
    Some(match data_type {
        "TINYINT" => (8, true),
        "SMALLINT" => (16, true),
        "INTEGER" => (32, true),
        "BIGINT" => (64, true),
        "HUGEINT" => (128, true),
        "UTINYINT" => (8, false),
        "USMALLINT" => (16, false),
        "UINTEGER" => (32, false),
        "UBIGINT" => (64, false),
        "UHUGEINT" => (128, false),
        _ => return None,
    })
}

/// Digits that a whole number may need.
fn digits(bits: u32, signed: bool) -> u32 {
    match (bits, signed) {
        (8, _) => 3,
        (16, _) => 5,
        (32, _) => 10,
        (64, true) => 19,
        (64, false) => 20,
        _ => 39,
    }
}

fn decimal(data_type: &str) -> Option<(u32, u32)> {
    let (precision, scale) = data_type.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
    Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?))
}

fn widens(from: &str, to: &str) -> bool {
    if let (Some(from), Some(to)) = (from.strip_suffix("[]"), to.strip_suffix("[]")) {
        return matches!(fit(from, to), Fit::Same | Fit::Wider);
    }
    if let (Some(from), Some(to)) = (fields(from), fields(to)) {
        return from.iter().zip(&to).all(|((name, from), (other, to))| {
            name == other && matches!(fit(from, to), Fit::Same | Fit::Wider)
        }) && from.len() <= to.len();
    }
    if let (Some(from), Some(to)) = (labels(from), labels(to)) {
        return to.starts_with(from);
    }
    if let (Some(from), Some(to)) = (characters(from), characters(to)) {
        return from <= to;
    }
    if to == "numeric" {
        return whole(from).is_some() || decimal(from).is_some();
    }
    match (whole(from), decimal(from)) {
        (Some((bits, signed)), _) => whole_widens(bits, signed, to),
        (_, Some((precision, scale))) => decimal(to).is_some_and(|(wider, finer)| {
            finer >= scale && wider.saturating_sub(finer) >= precision.saturating_sub(scale)
        }),
        (None, None) => matches!(
            (from, to),
            ("FLOAT", "DOUBLE")
                | ("DATE" | "TIMESTAMP_S" | "TIMESTAMP_MS", "TIMESTAMP")
                | ("TIMESTAMP_S", "TIMESTAMP_MS")
        ),
    }
}

fn whole_widens(bits: u32, signed: bool, to: &str) -> bool {
    if let Some((more, sign)) = whole(to) {
        return if signed == sign { more > bits } else { sign && more > bits };
    }
    if let Some((precision, scale)) = decimal(to) {
        return precision.saturating_sub(scale) >= digits(bits, signed);
    }
    to == "DOUBLE" && bits <= 32
}

/// The labels of an enumeration, as the engine writes them.
fn labels(data_type: &str) -> Option<&str> {
    data_type.strip_prefix("ENUM(")?.strip_suffix(')')
}

/// The fields of a structure: name and type.
fn fields(data_type: &str) -> Option<Vec<(String, String)>> {
    let inner = data_type.strip_prefix("STRUCT(")?.strip_suffix(')')?;
    let (mut depth, mut quoted, mut start, mut parts) = (0_u32, None, 0, Vec::new());
    for (at, next) in inner.char_indices() {
        match (quoted, next) {
            (Some(quote), _) if next == quote => quoted = None,
            (None, '"' | '\'') => quoted = Some(next),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            (Some(_) | None, _) => {}
        }
    }
    parts.push(&inner[start..]);
    parts
        .into_iter()
        .map(|part| {
            let part = part.trim();
            let end = match part.strip_prefix('"') {
                Some(rest) => rest.find('"')? + 2,
                None => part.find(' ')?,
            };
            Some((part[..end].to_owned(), part[end..].trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_fits() {
        for (from, to, expected) in [
            ("INTEGER", "INTEGER", Fit::Same),
            ("integer", "bigint", Fit::Wider),
            ("bigint", "smallint", Fit::Narrower),
            ("character varying(255)", "text", Fit::Wider),
            ("text", "character varying", Fit::Wider),
            ("character varying(20)", "character varying(10)", Fit::Narrower),
            ("text", "integer", Fit::Other),
            ("numeric(10,2)", "numeric(12,2)", Fit::Wider),
            ("numeric(10,2)", "numeric", Fit::Wider),
            ("numeric", "numeric(10,2)", Fit::Narrower),
            ("integer", "numeric", Fit::Wider),
            ("integer[]", "bigint[]", Fit::Wider),
            ("timestamp without time zone", "timestamp with time zone", Fit::Other),
            ("json", "jsonb", Fit::Other),
            ("INTEGER", "BIGINT", Fit::Wider),
            ("UINTEGER", "BIGINT", Fit::Wider),
            ("INTEGER", "UBIGINT", Fit::Narrower),
            ("BIGINT", "INTEGER", Fit::Narrower),
            ("INTEGER", "DOUBLE", Fit::Wider),
            ("BIGINT", "DOUBLE", Fit::Other),
            ("INTEGER", "DECIMAL(12,2)", Fit::Wider),
            ("INTEGER", "DECIMAL(10,2)", Fit::Other),
            ("DECIMAL(10,2)", "DECIMAL(12,2)", Fit::Wider),
            ("DECIMAL(10,2)", "DECIMAL(12,4)", Fit::Wider),
            ("DECIMAL(18,4)", "DECIMAL(10,2)", Fit::Narrower),
            ("DECIMAL(10,2)", "DECIMAL(11,4)", Fit::Narrower),
            ("FLOAT", "DOUBLE", Fit::Wider),
            ("DOUBLE", "FLOAT", Fit::Narrower),
            ("INTEGER", "VARCHAR", Fit::Other),
            ("DATE", "TIMESTAMP", Fit::Wider),
            ("TIMESTAMP", "DATE", Fit::Narrower),
            ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", Fit::Other),
            ("INTEGER[]", "BIGINT[]", Fit::Wider),
            ("INTEGER", "INTEGER[]", Fit::Other),
            ("STRUCT(a INTEGER)", "STRUCT(a INTEGER, b VARCHAR)", Fit::Wider),
            ("STRUCT(a INTEGER, b DECIMAL(3,1))", "STRUCT(a INTEGER)", Fit::Narrower),
            ("ENUM('x')", "ENUM('x', 'y')", Fit::Wider),
            ("ENUM('x', 'y')", "ENUM('x')", Fit::Narrower),
        ] {
            assert_eq!(fit(from, to), expected, "{from} to {to}");
        }
    }
}
