//! What is sound and probably a mistake: keys without effect, words that nothing declares, secrets in clear.
//!
//! In: a project that has no fault. Out: warnings, each with its place and a suggestion. [`Written::lint`] finds
//! what the files alone show, [`lint_effective`] what shows once an environment is resolved.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Check;
use super::credential::credentials;
use super::plugin::{Definitions, is_declared, near_keys, plugin_index};
use super::secret::{is_reference, is_secret_name};
use super::shape::{
    OVERLAY, OVERLAY_PLUGIN_KEYS, PLUGIN_KEYS, ROOT_OWN, ROOT_SHARED, SETTINGS, SHARED_OVERLAY,
};
use super::suggest::did_you_mean;
use super::written::Written;
use crate::model::environment::{Effective, EffectivePlugin};
use crate::model::finding::Finding;
use crate::yaml::{Entry, Kind, Node};

/// Values that stand for a secret and are none.
const PLACEHOLDERS: [&str; 6] = ["changeme", "change-me", "redacted", "xxx", "todo", "secret"];

impl Written {
    /// Lists what the files alone show.
    ///
    /// Pure: equal projects give equal findings, ordered by place.
    pub fn lint(&self) -> Vec<Finding> {
        let mut check = Check::default();
        for ((kind, name), node) in plugin_index(&self.root) {
            let plugin = Plugin { kind, name, definitions: &self.definitions };
            plugin.keys(node, PLUGIN_KEYS, &mut check);
            plugin.settings(node, &mut check);
        }
        for environment in self.root.get("environments").map(Node::items).unwrap_or_default() {
            self.environment_entries(environment, &mut check);
        }
        self.overlays_of_root(&mut check);
        self.root_keys(&mut check);
        clear_secrets(&self.root, "", &mut check);
        let mut findings = check.findings;
        findings.sort_by(|one, other| {
            (&one.place, &one.code, &one.message).cmp(&(&other.place, &other.code, &other.message))
        });
        findings.dedup();
        findings
    }

    fn environment_entries(&self, environment: &Node, check: &mut Check) {
        let base = plugin_index(&self.root);
        for (path, known) in
            [(&["plugins"][..], PLUGIN_KEYS), (&["config", "plugins"][..], OVERLAY_PLUGIN_KEYS)]
        {
            for (kind, name, node) in environment.at(path).into_iter().flat_map(entries) {
                let plugin = Plugin { kind, name, definitions: &self.definitions };
                plugin.keys(node, known, check);
                plugin.settings(node, check);
                if let Some(base) = base.get(&(kind, name)) {
                    plugin.same_as_base(node, base, check);
                }
            }
        }
    }

    /// Finds root keys that are near to a known one: Meltano takes any key at the root.
    fn root_keys(&self, check: &mut Check) {
        let fields = [ROOT_SHARED, ROOT_OWN, OVERLAY, SHARED_OVERLAY].concat();
        let known = || fields.iter().map(|field| field.name).chain(SETTINGS.iter().copied());
        for entry in self.root.entries().iter().filter(|entry| !entry.name.starts_with("x-")) {
            let first = entry.name.split('.').next().unwrap_or_default();
            if known().any(|name| name == first) {
                continue;
            }
            if let Some(meant) = did_you_mean(first, known()) {
                let message = format!("nothing reads the key `{}`", entry.name);
                let finding = Finding::warning("misspelt-key", message).at(entry.key.place());
                check.add(finding.hint(format!("did you mean `{meant}`?")));
            }
        }
    }

    /// Finds root keys that an environment repeats.
    fn overlays_of_root(&self, check: &mut Check) {
        for environment in self.root.get("environments").map(Node::items).unwrap_or_default() {
            if environment.get("inherit_from").is_some() {
                // What it repeats of the base may be there against what it inherits.
                continue;
            }
            for entry in environment.entries().iter().filter(|entry| entry.value.is_leaf()) {
                if let Some(base) = self.root.get(&entry.name).filter(|base| base.is_leaf()) {
                    same(&entry.name, &entry.value, base, check);
                }
            }
        }
    }
}

/// Lists plugins by type and name.
fn entries(plugins: &Node) -> impl Iterator<Item = (&str, &str, &Node)> {
    plugins.entries().iter().flat_map(|entry| {
        let named = |node| Some((&*entry.name, Node::get(node, "name")?.as_str()?, node));
        entry.value.items().iter().filter_map(named)
    })
}

struct Plugin<'a> {
    kind: &'a str,
    name: &'a str,
    definitions: &'a Definitions,
}

impl Plugin<'_> {
    fn key(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Finds keys that are near to a known one, and those that an environment cannot set.
    fn keys(&self, node: &Node, known: &[&str], check: &mut Check) {
        for entry in node.entries().iter().filter(|entry| !known.contains(&&*entry.name)) {
            let name: &str = &entry.name;
            let message = |what: &str| format!("`{name}` of `{}` {what}", self.key());
            if PLUGIN_KEYS.contains(&name) {
                let hint = format!(
                    "an environment changes what runs under `plugins.{}` of its own entry",
                    self.kind
                );
                let what = "has no effect in an environment's `config`";
                check.add(Finding::warning("dead-key", message(what)).at(entry.key.place()).hint(hint));
            } else if let Some(meant) = near_keys(self.definitions, self.kind, self.name, name) {
                let hint = format!("did you mean `{meant}`?");
                let finding =
                    Finding::warning("misspelt-key", message("is taken as an extra that nothing reads"));
                check.add(finding.at(entry.key.place()).hint(hint));
            }
        }
    }

    /// Finds settings that the definition does not declare, and settings that are there twice.
    fn settings(&self, node: &Node, check: &mut Check) {
        let mut seen: BTreeMap<String, &Node> = BTreeMap::new();
        for entry in node.get("config").map(Node::entries).unwrap_or_default() {
            walk(&entry.name, entry, &mut |key, entry| {
                if let Some(first) = seen.insert(key.to_owned(), &entry.value) {
                    let message =
                        format!("`{key}` of `{}` is there twice: first at {}", self.key(), first.place());
                    let finding = Finding::warning("duplicate-setting", message).at(entry.key.place());
                    check.add(finding.hint("remove one of the two: the later one counts"));
                }
                if let Err(meant) = is_declared(self.definitions, &self.key(), key) {
                    let message =
                        format!("`{key}` is no setting that the definition of `{}` declares", self.key());
                    let finding = Finding::warning("undeclared-setting", message).at(entry.key.place());
                    check.add(finding.hint(meant.map_or_else(
                        || "correct the name, or add the setting to the plugin's `settings`".to_owned(),
                        |meant| format!("did you mean `{meant}`?"),
                    )));
                }
            });
        }
    }

    /// Finds settings that an environment sets to what the base says.
    fn same_as_base(&self, node: &Node, base: &Node, check: &mut Check) {
        let mut leaves: BTreeMap<String, &Node> = BTreeMap::new();
        for entry in base.get("config").map(Node::entries).unwrap_or_default() {
            walk(&entry.name, entry, &mut |key, entry| {
                leaves.insert(key.to_owned(), &entry.value);
            });
        }
        for entry in node.get("config").map(Node::entries).unwrap_or_default() {
            walk(&entry.name, entry, &mut |key, entry| {
                if let Some(base) = leaves.get(key) {
                    same(&format!("{}.{key}", self.key()), &entry.value, base, check);
                }
            });
        }
    }
}

fn same(key: &str, overlay: &Node, base: &Node, check: &mut Check) {
    let equal = overlay.to_json() == base.to_json() && !overlay.is_null() && !overlay.is_unset();
    if equal && overlay.place() != base.place() {
        let message = format!("`{key}` is what the base says already, at {}", base.place());
        let finding = Finding::warning("same-as-base", message).at(overlay.place());
        check.add(finding.hint("remove it, unless the base may change and this must not"));
    }
}

/// Visits the leaves of an entry with their flat keys.
fn walk<'a>(key: &str, entry: &'a Entry, visit: &mut dyn FnMut(&str, &'a Entry)) {
    if entry.value.entries().is_empty() {
        return visit(key, entry);
    }
    for inner in entry.value.entries() {
        walk(&format!("{key}.{}", inner.name), inner, visit);
    }
}

/// Finds values of keys named like secrets that are no references.
fn clear_secrets(node: &Node, path: &str, check: &mut Check) {
    for entry in node.entries().iter().filter(|entry| !entry.merged) {
        let inner = if path.is_empty() { entry.name.to_string() } else { format!("{path}.{}", entry.name) };
        // What a definition says of a secret is no secret.
        if matches!(&*entry.name, "settings" | "commands" | "annotations") {
            continue;
        }
        if let Kind::String(text) = &entry.value.value
            && (is_clear_secret(&entry.name, text) || !credentials(text).is_empty())
        {
            check.add(in_clear(&inner, &entry.value));
        }
        clear_secrets(&entry.value, &inner, check);
    }
    for item in node.items() {
        let name = item.get("name").and_then(Node::as_str);
        let inner = name.map_or_else(|| path.to_owned(), |name| format!("{path}.{name}"));
        clear_secrets(item, &inner, check);
    }
}

/// Whether a value that is called like a secret is written as it is.
fn is_clear_secret(name: &str, text: &str) -> bool {
    let refers = text.contains('$') || is_reference(text);
    is_secret_name(name)
        && !text.is_empty()
        && !refers
        && !PLACEHOLDERS.contains(&text.to_lowercase().as_str())
}

fn in_clear(key: &str, node: &Node) -> Finding {
    let message = format!("`{key}` holds a secret in clear");
    let variable: String = key
        .rsplit('.')
        .next()
        .unwrap_or(key)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    Finding::warning("secret-in-clear", message).at(node.place()).hint(format!(
        "write `${variable}` and set the variable, for example in `.env`; then change the secret"
    ))
}

/// Lists what shows once an environment is resolved: references without a value, settings that are missing,
/// plugins that cannot be resolved, secrets by declaration that stand in clear.
pub fn lint_effective(effective: &Effective) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, plugin) in &effective.plugins {
        findings.extend(plugin.error.clone());
        for (setting, variable) in plugin.unset.iter().filter(|(_, variable)| !is_set_by_runs(variable)) {
            let message =
                format!("`{name}.{setting}` refers to `{variable}`, which is not set: it comes to nothing");
            let mut finding = Finding::warning("unset-reference", message)
                .hint(format!("set the variable `{variable}`, for example in `.env`"));
            finding.place = plugin.settings.get(setting).and_then(|value| value.origin.place());
            findings.push(finding);
        }
        findings.extend(missing(name, plugin));
        for (setting, value) in plugin.settings.iter().filter(|(_, value)| value.sensitive) {
            let clear = value.raw.is_none() && value.value.as_str().is_some_and(|text| !text.is_empty());
            let written = value.origin.variable.is_none().then(|| value.origin.place()).flatten();
            if let Some(place) = written.filter(|_| clear && !is_secret_name(setting)) {
                let message =
                    format!("`{name}.{setting}` holds a secret in clear: its definition says `sensitive`");
                let hint = "write a reference to a variable and set it, for example in `.env`; then change the secret";
                findings.push(Finding::warning("secret-in-clear", message).at(place).hint(hint));
            }
        }
    }
    findings
}

/// Whether Meltano sets a variable itself while a pipeline runs: what its definitions say of other plugins of it.
fn is_set_by_runs(variable: &str) -> bool {
    const PARTS: [&str; 6] = ["EXTRACTOR_", "EXTRACT_", "LOADER_", "LOAD_", "TRANSFORMER_", "TRANSFORM_"];
    let part = |rest: &str| PARTS.iter().any(|part| rest.starts_with(part));
    variable.strip_prefix("MELTANO_").is_some_and(part)
}

/// Finds that no group of settings is whole of which one has to be.
///
/// Shape: a setting whose reference has no value is not missing; that is said of the reference.
fn missing(name: &str, plugin: &EffectivePlugin) -> Option<Finding> {
    let refers = |setting: &String| plugin.unset.iter().any(|(named, _)| **named == **setting);
    let unset = |setting: &&String| {
        let value = plugin.settings.get(setting.as_str());
        value.is_none_or(|value| value.value.is_null()) && !refers(setting)
    };
    let lacks = |group: &Vec<String>| group.iter().filter(unset).cloned().collect::<BTreeSet<String>>();
    let nearest = plugin.groups.iter().map(lacks).min_by_key(BTreeSet::len)?;
    if nearest.is_empty() {
        return None;
    }
    let list: Vec<String> = nearest.iter().map(|setting| format!("`{setting}`")).collect();
    let message = format!("`{name}` lacks settings that it needs: {}", list.join(", "));
    let mut finding = Finding::warning("missing-setting", message);
    finding.place.clone_from(&plugin.place);
    Some(finding.hint("set them in the plugin's `config`, or by variables"))
}
