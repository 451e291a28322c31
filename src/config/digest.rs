//! A digest of what the files say.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::written::Written;
use crate::yaml::{Kind, Node};

/// Gives the SHA-256 of the committed layers, references unexpanded, hexadecimal.
///
/// Shape: comments, layout, the order of keys and the files that values stand in do not count; no
/// variable and no flag goes in, but what lock files define does.
/// Pure: equal projects give equal digests.
pub fn committed_digest(written: &Written) -> String {
    let mut text = String::new();
    canonical(&written.root, &mut text);
    for (path, lock) in &written.definitions.locks {
        write!(text, "{path:?}").expect("a String takes everything");
        canonical(lock, &mut text);
    }
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    })
}

fn canonical(node: &Node, out: &mut String) {
    if let Some(tag) = node.tag.as_deref().filter(|tag| !tag.starts_with("!!")) {
        out.push_str(tag);
        out.push(' ');
    }
    match &node.value {
        Kind::Mapping(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|left, right| left.name.cmp(&right.name));
            out.push('{');
            for entry in entries {
                out.push_str(&serde_json::Value::from(&*entry.name).to_string());
                out.push(':');
                canonical(&entry.value, out);
                out.push(',');
            }
            out.push('}');
        }
        Kind::Sequence(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {
            out.push_str(&node.to_json().to_string());
        }
    }
}
