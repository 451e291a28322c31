//! A digest of a schema, by which a plan knows that nothing moved.

use sha2::{Digest, Sha256};

use crate::model::schema::Schema;

/// Gives the SHA-256 of a schema's canonical JSON, hexadecimal.
///
/// Pure: equal schemas give equal digests; rows and sizes have no part in it.
pub fn fingerprint(schema: &Schema) -> String {
    let canonical = serde_json::to_vec(schema).expect("a schema has string keys only");
    Sha256::digest(&canonical).iter().fold(String::with_capacity(64), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::coordinate::Dataset;

    #[test]
    fn is_the_same_for_the_same_and_another_for_another() {
        let empty = Schema::default();
        let other = Schema { datasets: vec![Dataset::new("a")], ..Schema::default() };
        assert_eq!(fingerprint(&empty), fingerprint(&Schema::default()));
        assert_ne!(fingerprint(&empty), fingerprint(&other));
        assert_eq!(fingerprint(&empty).len(), 64);
    }
}
