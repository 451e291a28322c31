//! Which expressions of a file may be asked of live rows before anybody has approved them.
//!
//! In: an expression. Out: what in it may do more than compute: it names a relation, has a subquery, or calls anything
//! but functions that reach neither files nor network and change nothing. Pure.

use crate::sql::{Dialect, Role, references};
use crate::warehouse::words;

/// Functions that only compute, and what is written before a bracket without being one.
const FUNCTIONS: &[&str] = &[
    "abs",
    "all",
    "any",
    "array",
    "array_length",
    "ascii",
    "bit_length",
    "btrim",
    "cardinality",
    "cast",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "date_part",
    "date_trunc",
    "div",
    "ends_with",
    "exp",
    "extract",
    "floor",
    "format_date",
    "greatest",
    "if",
    "ifnull",
    "initcap",
    "isempty",
    "isfinite",
    "jsonb_typeof",
    "json_typeof",
    "least",
    "left",
    "len",
    "length",
    "ln",
    "lower",
    "lower_inf",
    "lpad",
    "ltrim",
    "make_date",
    "mod",
    "nullif",
    "num_nonnulls",
    "num_nulls",
    "octet_length",
    "overlay",
    "position",
    "power",
    "regexp_full_match",
    "regexp_like",
    "regexp_matches",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "row",
    "rpad",
    "rtrim",
    "sign",
    "split_part",
    "sqrt",
    "starts_with",
    "strftime",
    "strlen",
    "strpos",
    "strptime",
    "substr",
    "substring",
    "to_char",
    "to_number",
    "translate",
    "trim",
    "trunc",
    "try_cast",
    "upper",
    "upper_inf",
    "year",
];

/// Words that begin a query, or are one.
const QUERIES: [&str; 4] = ["select", "with", "values", "table"];

/// Names the first part of an expression that may do more than compute.
pub(super) fn beyond(expression: &str, dialect: Dialect) -> Option<String> {
    let Ok(found) = references(&format!("select {expression}"), dialect) else {
        return Some(expression.to_owned());
    };
    let reaching = found.iter().find(|reference| match reference.role {
        Role::Relation => true,
        Role::Routine => match reference.parts.as_slice() {
            [name] => !FUNCTIONS.contains(&name.text.to_lowercase().as_str()),
            _ => true,
        },
        Role::Column | Role::Type | Role::ColumnOf => false,
    });
    if let Some(reference) = reaching {
        let parts: Vec<&str> = reference.parts.iter().map(|part| part.text.as_str()).collect();
        return Some(parts.join("."));
    }
    // DuckDB takes `FROM` for the beginning of a query; behind `DISTINCT` it compares.
    let plain = expression.to_lowercase().replace("distinct from", " ").replace("with time zone", " ");
    let spoken = words(&plain);
    let query = QUERIES.iter().find(|word| spoken.contains(**word)).map(|word| (*word).to_owned());
    let from = dialect == Dialect::DuckDb && spoken.contains("from");
    query
        .or_else(|| from.then(|| "from".to_owned()))
        .or_else(|| expression.contains(';').then(|| ";".to_owned()))
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
            ("a IS DISTINCT FROM b AND c IN (1, 2) AND NOT (a = 1)", true),
            ("((w)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))", true),
            ("(EXTRACT(year FROM at) > (2000)::numeric)", true),
            (
                "(((\"left\"(w, 1) ~~ 'x%'::text) AND (a BETWEEN 1 AND 2)) OR (n >= ((0)::numeric(10,2))))",
                true,
            ),
            (
                "((lower_inf(r)) AND (char_length((w)::text) <= 3) AND (at > '2020-01-01 00:00:00+00'::timestamp with time zone))",
                true,
            ),
            ("(((a + b) > 0) AND ((CASE WHEN (a > (1)) THEN (b) ELSE (0) END) > (3)))", true),
            ("((w)::text OPERATOR(public.~*~) 'x'::text)", false),
            ("(public.dblink_exec('dbname=x'::text, 'DELETE FROM t'::text) <> w)", false),
            ("(lo_export(4711, '/tmp/x'::text) > 0)", false),
            ("(\"pg_terminate_backend\" (1))", false),
            ("(pg_terminate_backend /* */ (1))", false),
        ] {
            assert_eq!(beyond(expression, Dialect::Postgres).is_none(), expected, "{expression}");
        }
        for (expression, expected) in [
            ("((a IS DISTINCT FROM b) AND (c IN (1, 2)))", true),
            ("((w = 'x') OR (length(w) > 3) AND (NOT (a > 1)))", true),
            ("(a > (FROM 'secret.csv'))", false),
            ("(a IS DISTINCT FROM (FROM 'secret.csv'))", false),
            ("(getenv('HOME') = w)", false),
            ("(w = main.f(w))", false),
        ] {
            assert_eq!(beyond(expression, Dialect::DuckDb).is_none(), expected, "{expression}");
        }
    }
}
