//! What is remembered between plans: the engine's form of what is declared, by the digest of what it was made from.
//!
//! Building the desired side costs the engine far more than reading the live one, and the same declarations
//! give the same answer. Nothing is remembered that reads files, because their content is in no digest.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::build::folded;
use super::declared::{Declared, DeclaredObject};
use crate::model::coordinate::Coordinate;
use crate::model::migration::Step;
use crate::model::schema::Schema;
use crate::warehouse::Ledger;

/// Keeps texts by key. What it loses costs time and nothing else.
pub trait Memory {
    /// Gives what was kept, where it still is.
    fn recall(&self, key: &str) -> Option<String>;

    /// Keeps a text.
    fn keep(&mut self, key: &str, text: &str);
}

/// Remembers nothing.
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _key: &str) -> Option<String> {
        None
    }

    fn keep(&mut self, _key: &str, _text: &str) {}
}

/// By what a value was made, so that another version does not read it.
const BY: &str = concat!("promote ", env!("CARGO_PKG_VERSION"), ", 7");

/// What a desired state is remembered by.
pub(super) struct Key {
    /// The digest of everything that it is made from.
    pub(super) whole: String,
    /// The digest of each declaration wherever it stands, by position.
    pub(super) each: Vec<[u8; 32]>,
}

/// Gives the key of a desired state; none where it may not be remembered.
pub(super) fn key(declared: &Declared, live: &Schema, ledger: &Ledger, engine: &str) -> Option<Key> {
    if !declared.files.is_empty() {
        return None;
    }
    let mut digest = Sha256::new();
    let mut feed = |part: &[u8]| fed(&mut digest, part);
    feed(BY.as_bytes());
    feed(engine.as_bytes());
    feed(declared.dataset.to_string().as_bytes());
    let each: Vec<[u8; 32]> = declared.objects.iter().map(of_object).collect();
    for (object, own) in declared.objects.iter().zip(&each) {
        feed(own);
        feed(format!("{:?} {:?}", object.place, object.described).as_bytes());
    }
    feed(format!("{:?}", declared.sources).as_bytes());
    let managed: BTreeSet<Coordinate> =
        declared.objects.iter().filter_map(|object| object.coordinate.as_ref()).map(folded).collect();
    let others = live.only(|name| !managed.contains(&folded(name)));
    feed(&serde_json::to_vec(&pairs(&others)).ok()?);
    // Of what is recorded only routines have a say: their defaults are kept there and nowhere else.
    for (object, owned) in ledger.owned.iter().filter(|(_, owned)| owned.definition.is_some()) {
        feed(format!("{object:?} {} {:?}", owned.source_hash, owned.definition).as_bytes());
    }
    Some(Key { whole: hex(&digest.finalize()), each })
}

/// Feeds a digest with a part so that no two lists of parts give one text.
fn fed(digest: &mut Sha256, part: &[u8]) {
    digest.update(part.len().to_le_bytes());
    digest.update(part);
}

/// Digests everything that an object is made from.
fn of_object(object: &DeclaredObject) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut feed = |part: &str| fed(&mut digest, part.as_bytes());
    // A seed's bytes are in the digest of its source already.
    match (&object.body, object.body.sql()) {
        (body, Some(sql)) => feed(&format!("{:?} {sql}", std::mem::discriminant(body))),
        (body, None) => feed(&format!("{:?}", std::mem::discriminant(body))),
    }
    feed(&object.source_hash);
    let (names, state) = ((&object.coordinate, &object.renamed_from, &object.depends_on), object.state);
    feed(&format!("{names:?} {state:?} {:?}", object.description));
    feed(&format!("{:?} {:?}", object.columns, object.constraints));
    digest.finalize().into()
}

/// Gives the key under which the latest desired state for a dataset is found, whatever it was made from.
pub(super) fn latest(declared: &Declared, engine: &str) -> String {
    hex(&Sha256::digest(format!("{BY} {engine} {} latest", declared.dataset).as_bytes()))
}

/// Gives the key of a proof: what is desired, what is live, and the way from one to the other.
pub(super) fn proof_key(desired: &str, fingerprint: &str, steps: &[Step]) -> Option<String> {
    let steps = serde_json::to_string(steps).ok()?;
    Some(hex(&Sha256::digest(format!("{desired} {fingerprint} {steps}").as_bytes())))
}

/// Recalls a value: one that is damaged, or was kept for something else, is none.
pub fn recall<T: DeserializeOwned>(memory: &dyn Memory, key: &str) -> Option<T> {
    let text = memory.recall(key)?;
    let (seal, value) = text.split_once('\n')?;
    (seal == sealed(key, value)).then(|| serde_json::from_str(value).ok())?
}

/// Keeps a value.
pub fn keep<T: Serialize>(memory: &mut dyn Memory, key: &str, value: &T) {
    if let Ok(value) = serde_json::to_string(value) {
        memory.keep(key, &format!("{}\n{value}", sealed(key, &value)));
    }
}

/// What stands before a value, by which it is known to be whole and the one that was kept.
fn sealed(key: &str, value: &str) -> String {
    let mut digest = Sha256::new_with_prefix(key);
    digest.update(value);
    format!("{BY} {}", hex(&digest.finalize()))
}

/// What keys of a mapping cannot be in JSON, items of a list can.
fn pairs(schema: &Schema) -> impl Serialize + '_ {
    (
        &schema.datasets,
        schema.relations.iter().collect::<Vec<_>>(),
        schema.routines.iter().collect::<Vec<_>>(),
        schema.types.iter().collect::<Vec<_>>(),
    )
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

/// Whether a desired state survives being kept: a test's question.
#[cfg(test)]
pub(super) fn survives(desired: &super::Desired) -> bool {
    let text = serde_json::to_string(desired).unwrap_or_default();
    let read = serde_json::from_str::<super::Desired>(&text);
    read.is_ok_and(|read| super::Desired { objects: desired.objects.clone(), ..read } == *desired)
}
