//! Which expressions of a file may be asked of live rows before anybody has approved them.
//!
//! In: an expression. Out: whether it only computes: it names no relation, has no subquery, and calls nothing but
//! functions that reach neither files nor network and change nothing. Pure.

use crate::sql::{Dialect, Role, references};
use crate::warehouse::words;

/// Functions that only compute.
const FUNCTIONS: [&str; 42] = [
    "abs",
    "cast",
    "ceil",
    "ceiling",
    "coalesce",
    "concat",
    "concat_ws",
    "date_part",
    "date_trunc",
    "extract",
    "floor",
    "format_date",
    "greatest",
    "if",
    "ifnull",
    "least",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "mod",
    "nullif",
    "position",
    "regexp_replace",
    "replace",
    "right",
    "round",
    "rpad",
    "rtrim",
    "sign",
    "split_part",
    "strftime",
    "strptime",
    "substr",
    "substring",
    "to_char",
    "to_number",
    "trim",
    "try_cast",
    "upper",
];

/// Words that begin a query, or are one.
const QUERIES: [&str; 5] = ["select", "from", "with", "values", "table"];

/// Whether an expression only computes.
pub(super) fn is_harmless(expression: &str, dialect: Dialect) -> bool {
    let Ok(found) = references(&format!("select {expression}"), dialect) else { return false };
    let known = found.iter().all(|reference| match reference.role {
        Role::Relation => false,
        Role::Routine => {
            let [name] = reference.parts.as_slice() else { return false };
            FUNCTIONS.contains(&name.text.to_lowercase().as_str())
        }
        Role::Column | Role::Type | Role::ColumnOf => true,
    });
    let spoken = words(expression);
    known && !expression.contains(';') && !QUERIES.iter().any(|word| spoken.contains(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_computes() {
        for (expression, expected) in [
            ("cast(total as bigint)", true),
            ("nullif(trim(total), '')::numeric(10,2)", true),
            ("case when total ~ '^[0-9]+$' then total::int end", true),
            ("(select max(x) from t)", false),
            ("pg_read_file('/etc/passwd')::int", false),
            ("s.f(total)", false),
            ("(select content from read_text('x'))", false),
            ("1; drop table t", false),
            ("'", false),
        ] {
            assert_eq!(is_harmless(expression, Dialect::Postgres), expected, "{expression}");
        }
    }
}
