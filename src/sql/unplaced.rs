//! Names without the dataset that their place gives them.

use super::dialect::Dialect;
use super::error::SqlError;
use super::mapping::{Known, Mapping};
use super::reference::{Part, Role, chain, references};
use super::rewrite::{Edit, splice};
use super::token::{Kind, tokens};
use crate::model::coordinate::Dataset;

/// Takes a dataset away from before the names of it that a mapping knows.
///
/// Shape: a column that stands behind its dataset and relation keeps both, or its relation would not be found. Whether
/// the text means the same without is for an engine to say. Pure.
///
/// # Errors
///
/// [`SqlError::Token`] if the text cannot be cut into tokens.
pub fn unplaced(sql: &str, dialect: Dialect, own: &Dataset, mapping: &Mapping) -> Result<String, SqlError> {
    let references = references(sql, dialect)?;
    let columns = references.iter().filter(|reference| reference.role == Role::Column);
    let columns: Vec<usize> =
        columns.filter_map(|reference| Some(reference.parts.get(2)?.span.start)).collect();
    let is_column = |parts: &[Part]| parts.get(2).is_some_and(|part| columns.contains(&part.span.start));
    let chains = chains(sql, dialect)?;
    let placed = chains.iter().filter(|parts| is_placed(parts, own, mapping) && !is_column(parts));
    let edits: Vec<Edit> =
        placed.map(|parts| (parts[0].span.start..parts[1].span.start, String::new())).collect();
    Ok(splice(sql, &edits))
}

/// Lists the chains of names, in order.
fn chains(sql: &str, dialect: Dialect) -> Result<Vec<Vec<Part>>, SqlError> {
    let tokens: Vec<_> = tokens(sql, dialect)?.into_iter().filter(|token| !token.blank()).collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let (parts, next) = chain(&tokens, at);
        let follows = at > 0 && tokens[at - 1].kind == Kind::Period;
        if !parts.is_empty() && !follows {
            found.push(parts);
        }
        at = next.max(at + 1);
    }
    Ok(found)
}

/// Whether a chain begins with the dataset and a name in it.
fn is_placed(parts: &[Part], own: &Dataset, mapping: &Mapping) -> bool {
    let [dataset, name, ..] = parts else { return false };
    let known = |known| mapping.find(known, std::iter::once(name.text.as_str())).is_some();
    dataset.text.eq_ignore_ascii_case(&own.schema)
        && [Known::Relation, Known::Routine, Known::Type].into_iter().any(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_dataset_away_from_what_is_known() {
        let own = Dataset::new("shop");
        let mut mapping = Mapping::default();
        for name in ["orders", "Big One", "mood"] {
            mapping.bare(Known::Relation, name, &own.object(name));
        }
        mapping.bare(Known::Routine, "cents", &own.object("cents"));
        mapping.bare(Known::Type, "mood", &own.object("mood"));
        for (sql, expected) in [
            ("CREATE TABLE shop.orders (id int)", "CREATE TABLE orders (id int)"),
            ("SELECT shop.cents(id) FROM shop.orders o", "SELECT cents(id) FROM orders o"),
            (
                "COMMENT ON COLUMN shop.orders.id IS 'shop.orders'",
                "COMMENT ON COLUMN orders.id IS 'shop.orders'",
            ),
            ("SELECT * FROM shop.\"Big One\"", "SELECT * FROM \"Big One\""),
            ("SELECT shop.orders.id FROM shop.orders", "SELECT shop.orders.id FROM orders"),
            ("SELECT * FROM other.orders, shop.unknown", "SELECT * FROM other.orders, shop.unknown"),
            ("CREATE TABLE shop.orders (m shop.mood)", "CREATE TABLE orders (m mood)"),
            ("CREATE DOMAIN shop.mood AS text", "CREATE DOMAIN mood AS text"),
            ("SELECT x.shop.orders", "SELECT x.shop.orders"),
        ] {
            assert_eq!(unplaced(sql, Dialect::Postgres, &own, &mapping).unwrap(), expected);
        }
    }
}
