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
const BY: &str = concat!("promote ", env!("CARGO_PKG_VERSION"), ", 5");

/// Gives the key of a desired state; none where it may not be remembered.
pub(super) fn key(declared: &Declared, live: &Schema, ledger: &Ledger, engine: &str) -> Option<String> {
    if !declared.files.is_empty() {
        return None;
    }
    let mut digest = Sha256::new();
    let mut feed = |part: &str| {
        digest.update(part.len().to_le_bytes());
        digest.update(part.as_bytes());
    };
    feed(BY);
    feed(engine);
    feed(&declared.dataset.to_string());
    for object in &declared.objects {
        feed_object(object, &mut feed);
        feed(&format!("{:?} {:?}", object.place, object.described));
    }
    feed(&format!("{:?}", declared.sources));
    let managed: BTreeSet<Coordinate> =
        declared.objects.iter().filter_map(|object| object.coordinate.as_ref()).map(folded).collect();
    let others = live.only(|name| !managed.contains(&folded(name)));
    feed(&serde_json::to_string(&pairs(&others)).ok()?);
    // Of what is recorded only routines have a say: their defaults are kept there and nowhere else.
    for (object, owned) in ledger.owned.iter().filter(|(_, owned)| owned.definition.is_some()) {
        feed(&format!("{object:?} {} {:?}", owned.source_hash, owned.definition));
    }
    Some(hex(&digest.finalize()))
}

/// Feeds a digest with everything that an object is made from, wherever it stands.
pub(super) fn feed_object(object: &DeclaredObject, feed: &mut dyn FnMut(&str)) {
    // A seed's bytes are in the digest of its source already.
    match (&object.body, object.body.sql()) {
        (body, Some(sql)) => feed(&format!("{:?} {sql}", std::mem::discriminant(body))),
        (body, None) => feed(&format!("{:?}", std::mem::discriminant(body))),
    }
    feed(&object.source_hash);
    let (names, state) = ((&object.coordinate, &object.renamed_from, &object.depends_on), object.state);
    feed(&format!("{names:?} {state:?} {:?}", object.description));
    feed(&format!("{:?} {:?}", object.columns, object.constraints));
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
    serde_json::from_str::<super::Desired>(&text).is_ok_and(|read| read == *desired)
}
