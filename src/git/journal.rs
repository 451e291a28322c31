//! The journal: what was promoted, for ever, in a ref of the target's repository.
//!
//! A chain of commits; each adds `records/<number>.json`, canonical JSON (sorted keys, no spaces, one
//! newline at the end) that holds the SHA-256 of its predecessor's bytes. Reading checks the chain.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::commit;
use super::error::GitError;
use super::revision::{Identity, Revision};
use super::store::Store;
use super::tree::{self, Entry, MODE_FILE};
use crate::model::record::{Entry as RecordEntry, Record};

/// The format of the records that this version writes.
const FORMAT: u32 = 1;

/// Reads the journal from its first record on, and checks the chain.
///
/// # Errors
///
/// [`GitError::Journal`] if a record is missing, changed or unreadable.
pub fn read(store: &Store, tip: Option<&Revision>) -> Result<Vec<Record>, GitError> {
    let texts = texts(store, tip)?;
    let mut records = Vec::with_capacity(texts.len());
    let mut previous: Option<String> = None;
    for (expected, (number, text)) in (1..).zip(&texts) {
        let broken = |text: String| GitError::Journal { number: expected, text };
        if *number != expected {
            return Err(broken("it is missing".to_owned()));
        }
        let record: Record = serde_json::from_slice(text).map_err(|error| broken(error.to_string()))?;
        if record.number != expected {
            return Err(broken(format!("it calls itself {}", record.number)));
        }
        if record.previous != previous {
            return Err(broken("its predecessor was changed".to_owned()));
        }
        previous = Some(digest(text));
        records.push(record);
    }
    if let Some(tip) = tip {
        ends_with(store, tip, records.len() as u64)?;
    }
    Ok(records)
}

/// Checks that the journal's last commit brought its last record: one that takes some away does not.
fn ends_with(store: &Store, tip: &Revision, last: u64) -> Result<(), GitError> {
    let broken = |number, text: &str| Err(GitError::Journal { number, text: text.to_owned() });
    if last == 0 {
        return broken(1, "it is missing");
    }
    let failed = || GitError::doing("cannot read the journal");
    let commit = store.repository.find_commit(tip.oid()).map_err(failed())?;
    let Some(before) = commit.parent_ids().next() else { return Ok(()) };
    let had = store.read_file(&before.into(), &format!("records/{last}.json"))?.is_some();
    if had { broken(last + 1, "it was taken away") } else { Ok(()) }
}

/// Writes the next record and the commit that holds it; no ref is moved.
///
/// # Errors
///
/// [`GitError::Journal`] if the last record cannot be read; [`GitError::Library`] if nothing can be written.
pub fn append(
    store: &Store,
    tip: Option<&Revision>,
    entry: RecordEntry,
    (by, at): (&str, &str),
    identity: &Identity,
) -> Result<(Revision, Record), GitError> {
    let last = texts(store, tip)?.pop_last();
    let number = last.as_ref().map_or(1, |(number, _)| number + 1);
    let previous = last.map(|(_, text)| digest(&text));
    let record = Record { format: FORMAT, number, previous, at: at.to_owned(), by: by.to_owned(), entry };
    let bytes = canonical(&record).map_err(|error| GitError::Journal { number, text: error.to_string() })?;
    let failed = || GitError::doing("cannot write the journal");
    let oid = store.repository.blob(bytes.as_bytes()).map_err(failed())?;
    let before = match tip {
        Some(tip) => store.tree(tip)?.id(),
        None => tree::empty(&store.repository)?,
    };
    let path = format!("records/{number}.json");
    let edits = BTreeMap::from([(path, Some(Entry { oid, mode: MODE_FILE }))]);
    let tree = tree::edited(&store.repository, before, &edits)?;
    let parents: Vec<&Revision> = tip.into_iter().collect();
    let message = format!("record {number}\n");
    let revision = commit::write(&store.repository, tree, &parents, (&message, identity))?;
    Ok((revision, record))
}

/// Reads the records' bytes by number.
fn texts(store: &Store, tip: Option<&Revision>) -> Result<BTreeMap<u64, Vec<u8>>, GitError> {
    let Some(tip) = tip else { return Ok(BTreeMap::new()) };
    let root = store.tree(tip)?;
    let Some(folder) = tree::entry(Some(&root), "records").filter(|entry| entry.is_tree()) else {
        return Ok(BTreeMap::new());
    };
    let folder = store.tree(&Revision::from(folder.oid))?;
    let mut texts = BTreeMap::new();
    for (name, entry) in tree::files(&store.repository, &folder)? {
        if let Some(number) = name.strip_suffix(".json").and_then(|number| number.parse().ok()) {
            texts.insert(number, tree::bytes(&store.repository, entry)?);
        }
    }
    Ok(texts)
}

/// Gives the SHA-256 of bytes, hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

/// Writes a value as canonical JSON: keys sorted, no spaces, one newline at the end.
fn canonical(record: &Record) -> Result<String, serde_json::Error> {
    let mut text = sorted(serde_json::to_value(record)?).to_string();
    text.push('\n');
    Ok(text)
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries: BTreeMap<String, Value> =
                entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}
