//! A digest of a schema, by which a plan knows that nothing moved.

use std::io::{self, BufWriter, Write};

use sha2::{Digest, Sha256};

use crate::model::schema::Schema;

/// Gives the SHA-256 of a schema's canonical JSON, hexadecimal.
///
/// Pure: equal schemas give equal digests; rows and sizes have no part in it.
pub fn fingerprint(schema: &Schema) -> String {
    let mut digest = Digesting(Sha256::new());
    let mut buffer = BufWriter::with_capacity(1 << 16, &mut digest);
    serde_json::to_writer(&mut buffer, schema).expect("a schema has string keys only");
    buffer.flush().expect("a digest takes everything");
    drop(buffer);
    digest.0.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

/// Digests what is written to it, so that a large schema is never a text as a whole.
struct Digesting(Sha256);

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
