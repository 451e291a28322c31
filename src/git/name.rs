//! Names of files: bytes to Git, text here.
//!
//! A name that is no UTF-8 is written with each odd byte in octal, as Git itself shows it (`caf\351.sql`), and a
//! backslash doubled; so every name has one text, and every text gives its name back.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// Writes a name or path as text.
pub(super) fn shown(bytes: &[u8]) -> String {
    if let Ok(plain) = std::str::from_utf8(bytes)
        && !bytes.contains(&b'\\')
    {
        return plain.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            text.push('\\');
            text.extend([6, 3, 0].map(|shift| char::from(b'0' + (byte >> shift & 7))));
        }
    }
    text
}

/// Gives the bytes of a name or path that [`shown`] wrote.
pub(super) fn raw(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('\\') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), after)
            }
            (other, after) => (*other, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(bytes)
}

/// Gives the path of a file in a work tree.
pub(super) fn path(text: &str) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&raw(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_text_that_gives_it_back() {
        for (name, text) in [
            (b"a/b.sql".as_slice(), "a/b.sql"),
            ("caf\u{e9} \"x\"".as_bytes(), "caf\u{e9} \"x\""),
            (b"caf\xe9.sql", "caf\\351.sql"),
            (b"a\\351", "a\\\\351"),
            (b"\xff\xe9/\xc3\xa9\\", "\\377\\351/\u{e9}\\\\"),
            (b"", ""),
        ] {
            assert_eq!(shown(name), text);
            assert_eq!(raw(text), name);
        }
        // What somebody typed by hand is taken as it is.
        assert_eq!(*raw("a\\b"), *b"a\\b");
    }
}
