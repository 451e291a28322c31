//! What can be wrong with plugins as they are written.

use super::super::check::Check;
use super::super::shape::PLUGIN_KEYS;
use super::super::suggest::did_you_mean;
use super::builtin::extras;
use super::definition::{Definition, Definitions, index};
use crate::model::finding::Finding;
use crate::yaml::Node;

/// Warns of plugins that nothing defines, and reports those that cannot be used.
pub(in crate::config) fn check_declared(definitions: &Definitions, check: &mut Check) {
    let unknown = |definition: &Definition| !definition.known && definition.fault.is_none();
    let plugins = definitions.plugins.iter().filter(|(key, _)| !key.contains('#'));
    for (key, definition) in plugins.filter(|(_, definition)| unknown(definition)) {
        let siblings = definitions
            .plugins
            .values()
            .filter(|other| other.kind == definition.kind && other.name != definition.name)
            .map(|other| other.name.as_str());
        check.add(no_definition(key, definition, siblings));
    }
}

fn no_definition<'a>(key: &str, definition: &Definition, siblings: impl Iterator<Item = &'a str>) -> Finding {
    let text = |wanted: &str| {
        let found = definition.attributes.iter().find(|(name, _)| name == wanted);
        found.and_then(|(_, leaf)| leaf.value.as_str())
    };
    let from = text("inherit_from").filter(|from| *from != definition.name);
    let meant = from.and_then(|from| did_you_mean(from, siblings));
    let (name, variant) = (from.unwrap_or(&definition.name), text("variant").unwrap_or("default"));
    let hint = meant.map_or_else(
        || format!("run `meltano lock` to write `plugins/{}/{name}--{variant}.lock`", definition.kind),
        |meant| format!("did you mean `inherit_from: {meant}`?"),
    );
    let message = format!("`{key}` has no definition: neither inline nor a lock file");
    Finding::warning("no-definition", message).at(definition.place.clone()).hint(hint)
}

/// Warns of environments' entries for plugins that are not there.
pub(in crate::config) fn check_overlays(root: &Node, check: &mut Check) {
    let base = index(root);
    for environment in root.get("environments").map(Node::items).unwrap_or_default() {
        for entry in environment.at(&["config", "plugins"]).map(Node::entries).unwrap_or_default() {
            for overlay in entry.value.items() {
                let Some(name) = overlay.get("name").and_then(Node::as_str) else { continue };
                let added =
                    environment.get("plugins").and_then(|plugins| plugins.get(&entry.name)?.named(name));
                if !base.contains_key(&(&*entry.name, name)) && added.is_none() {
                    check.add(orphan(&base.keys().copied().collect::<Vec<_>>(), &entry.name, name, overlay));
                }
            }
        }
    }
}

fn orphan(known: &[(&str, &str)], kind: &str, name: &str, overlay: &Node) -> Finding {
    let message = format!("`{kind}/{name}` is configured here but is not a plugin of the project");
    let finding = Finding::warning("orphan-overlay", message).at(overlay.place());
    let elsewhere = known.iter().find(|(other, there)| *there == name && *other != kind);
    let names = known.iter().filter(|(other, _)| *other == kind).map(|(_, there)| *there);
    finding.hint(match (elsewhere, did_you_mean(name, names)) {
        (Some((other, _)), _) => format!("it is one of the {other}: move the entry there"),
        (None, Some(meant)) => format!("did you mean `{meant}`?"),
        (None, None) => format!("add it to `plugins.{kind}` or remove the entry"),
    })
}

/// Tells whether the definition of a plugin declares a setting; if not, the setting that was probably meant.
///
/// Shape: fine is what nothing is known of: a plugin without a definition, or with one that declares no setting.
pub(in crate::config) fn is_declared(
    definitions: &Definitions,
    plugin: &str,
    key: &str,
) -> Result<(), Option<String>> {
    let Some(definition) = definitions.plugins.get(plugin).filter(|definition| definition.known) else {
        return Ok(());
    };
    let settings = || definition.settings.iter().filter(|setting| setting.declared && !setting.is_extra());
    let names = || settings().flat_map(|setting| setting.keys());
    // A key with a dot may be a part of a declared object, or have declared parts itself.
    let related = |name: &str| {
        name == key
            || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
            || name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
    };
    if key.starts_with('_') || names().next().is_none() || names().any(related) {
        return Ok(());
    }
    Err(did_you_mean(key, names()).map(str::to_owned))
}

/// Finds the key of a plugin that another key was probably meant to be.
pub(in crate::config) fn near_keys(
    definitions: &Definitions,
    kind: &str,
    name: &str,
    key: &str,
) -> Option<String> {
    let builtin = || extras(kind, name).iter().map(|setting| &setting.name[1..]);
    let declared = definitions.plugins.get(&format!("{kind}/{name}"));
    let declared = declared.map(|definition| definition.settings.as_slice()).unwrap_or_default();
    let declared = declared.iter().filter(|setting| setting.declared && setting.is_extra());
    let declared: Vec<&str> = declared.map(|setting| &setting.name[1..]).collect();
    let known = |word: &str| builtin().any(|extra| extra == word) || declared.contains(&word);
    if known(key.split('.').next().unwrap_or(key)) {
        return None;
    }
    let candidates = PLUGIN_KEYS.iter().copied().chain(builtin()).chain(declared.iter().copied());
    did_you_mean(key, candidates).map(str::to_owned)
}
