//! Digests of what decides. Pure.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Gives the SHA-256 of a text, hexadecimal.
pub(super) fn digest(text: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing into a string cannot fail.
        write!(digits, "{byte:02x}").unwrap_or_default();
    }
    digits
}
