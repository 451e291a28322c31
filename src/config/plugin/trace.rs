//! What each layer says of a setting, for people.

use super::super::explain::Word;
use super::prepare::Prepared;
use super::setting::Setting;
use super::surroundings::{Surroundings, definition};
use super::variables::Settled;
use crate::model::finding::Finding;

/// What a layer has written, and what it comes to.
pub(in crate::config) type Traced = (Word, Settled);

/// Gives the settings of a plugin that are meant by a name: itself, an alias, an extra without its `_`, else all
/// that are below it; with no name all.
pub(in crate::config) fn keys_of(around: &Surroundings<'_>, plugin: &str, name: &str) -> Vec<String> {
    let definition = definition(around, plugin);
    let Some(Ok(prepared)) = definition.as_ref().map(|definition| Prepared::new(around, definition)) else {
        return Vec::new();
    };
    let keys = |wanted: &dyn Fn(&Setting) -> bool| -> Vec<String> {
        let settings = prepared.settings.iter().filter(|setting| wanted(setting));
        settings.map(|setting| setting.name.to_string()).collect()
    };
    let extra = format!("_{name}");
    let exact = keys(&|setting| name.is_empty() || *setting.name == *name || *setting.name == *extra);
    if !exact.is_empty() {
        return exact;
    }
    let alias = keys(&|setting| setting.keys().any(|key| key == name));
    if !alias.is_empty() {
        return alias;
    }
    let below = [format!("{name}."), format!("{extra}.")];
    keys(&|setting| below.iter().any(|prefix| setting.name.starts_with(prefix)))
}

/// What the layers of a setting say, the weakest first: as written with its origin, and what it comes to.
pub(in crate::config) fn trace(
    around: &Surroundings<'_>,
    plugin: &str,
    key: &str,
) -> Option<Result<Vec<Traced>, Box<Finding>>> {
    let definition = definition(around, plugin)?;
    let prepared = match Prepared::new(around, &definition) {
        Ok(prepared) => prepared,
        Err(finding) => return Some(Err(finding)),
    };
    let setting = prepared.settings.iter().find(|setting| *setting.name == *key)?;
    let said = prepared.layers.all_said(&setting.name).map(|said| {
        let origin = prepared.origin_of(said.layer, said.leaf);
        let word = Word { written: said.leaf.value.clone(), unset: said.leaf.unset, origin };
        (word, prepared.settled(setting, said.leaf))
    });
    Some(Ok(said.collect()))
}
