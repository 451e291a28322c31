//! What defines a plugin: itself, a plugin of the project that it inherits from, or a lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::super::check::Check;
use super::super::shape::PLUGIN_KEYS;
use super::builtin;
use super::flat::{Flat, Leaf, flatten, leaves};
use super::ground::{Ground, Once};
use super::setting::Setting;
use super::variables::{Block, Variable, block, variable_name};
use crate::model::environment::{EffectiveValue, Nesting};
use crate::model::finding::Finding;
use crate::model::origin::Place;
use crate::model::snapshot::Snapshot;
use crate::yaml::{Node, parse};

/// Keys of an inline definition that are neither settings nor extras.
const INLINE_KEYS: [&str; 7] =
    ["original", "deprecated", "docs", "repo", "supported_python_versions", "variants", "is_default_variant"];

/// Keys of a lock file that are not extras.
const LOCK_KEYS: [&str; 20] = [
    "plugin_type",
    "name",
    "namespace",
    "variant",
    "label",
    "docs",
    "repo",
    "pip_url",
    "python",
    "executable",
    "description",
    "logo_url",
    "capabilities",
    "settings_group_validation",
    "settings",
    "commands",
    "requires",
    "requires_meltano",
    "env",
    "supported_python_versions",
];

/// Keys of a plugin that say what runs, and not with which configuration.
const ATTRIBUTES: [&str; 9] = [
    "inherit_from",
    "namespace",
    "variant",
    "pip_url",
    "python",
    "executable",
    "capabilities",
    "commands",
    "requires_meltano",
];

/// A plugin of the project, as it is defined.
#[derive(Clone, Debug)]
pub(in crate::config) struct Definition {
    /// Its type: `extractors`.
    pub(super) kind: String,
    /// Its name.
    pub(super) name: String,
    /// Where it begins.
    pub(super) place: Place,
    /// Its settings and extras, in the order of their definition; no name twice.
    pub(super) settings: Vec<Arc<Setting>>,
    /// The leaves of its own configuration.
    pub(super) base: Flat,
    /// Its own `env`.
    pub(super) env: Block,
    pub(super) variant: Option<String>,
    /// The plugin of the project that it inherits from, as a key of [`Definitions::plugins`].
    pub(super) parent: Option<String>,
    /// Whether custom variables (`env_aliases`) set its settings.
    pub(super) custom_variables: bool,
    /// Its names as variables: `MELTANO_EXTRACTOR_NAME`.
    pub(super) names: Block,
    /// What begins the variables that set its settings: `TAP_X_`.
    pub(super) setters: Vec<String>,
    /// What begins the variables that its process gets its settings in: `TAP_X_`.
    pub(super) prefixes: Vec<String>,
    /// What runs: `pip_url`, `variant` and the like.
    pub(super) attributes: Vec<(String, Leaf)>,
    pub(super) nesting: Nesting,
    /// Groups of settings of which at least one has to be set whole.
    pub(super) groups: Vec<Vec<String>>,
    /// Whether there is a definition at all.
    pub(super) known: bool,
    /// Why it cannot be used.
    pub(super) fault: Option<Finding>,
    /// What holds for it in all environments, once one was resolved.
    pub(super) ground: Once<Result<Arc<Ground>, Box<Finding>>>,
    /// The attributes as they are shown, once one was resolved.
    pub(super) shown: Once<Arc<BTreeMap<String, EffectiveValue>>>,
}

/// The plugins of a project, as they are defined.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct Definitions {
    /// By `TYPE/NAME` (a mapping: `mappers/NAME#MAPPING`), in the order of the file.
    pub(super) plugins: IndexMap<String, Arc<Definition>>,
    /// The lock files that are used, by path.
    pub(in crate::config) locks: BTreeMap<String, Node>,
}

/// Defines the plugins of a project.
///
/// Shape: `folder` is the project file's, with a slash at its end, or empty.
pub(in crate::config) fn definitions(
    snapshot: &Snapshot,
    folder: &str,
    root: &Node,
    check: &mut Check,
) -> Definitions {
    let locks = locks(snapshot, folder, root, check);
    let base = index(root);
    let mut definitions = Definitions { plugins: IndexMap::new(), locks };
    for (kind, name) in base.keys() {
        define(&mut definitions, &base, (kind, name), &mut Vec::new());
    }
    // Parents are defined before those who inherit from them; the file's order is what people see.
    let order: BTreeMap<String, usize> =
        base.keys().enumerate().map(|(place, (kind, name))| (format!("{kind}/{name}"), place)).collect();
    let place = |key: &str| order.get(key.split('#').next().unwrap_or(key)).copied();
    definitions.plugins.sort_by(|one, _, other, _| place(one).cmp(&place(other)));
    definitions
}

/// The plugins of the base by type and name, in the order of the file; of two of one name the first.
pub(in crate::config) type Base<'a> = IndexMap<(&'a str, &'a str), &'a Node>;

/// Indexes the plugins of the base.
pub(in crate::config) fn index(root: &Node) -> Base<'_> {
    let mut base = Base::new();
    for entry in root.get("plugins").map(Node::entries).unwrap_or_default() {
        for node in entry.value.items() {
            if let Some(name) = node.get("name").and_then(Node::as_str) {
                base.entry((&*entry.name, name)).or_insert(node);
            }
        }
    }
    base
}

fn define(definitions: &mut Definitions, base: &Base<'_>, identity: (&str, &str), path: &mut Vec<String>) {
    let (kind, name) = identity;
    let key = format!("{kind}/{name}");
    if definitions.plugins.contains_key(&key) {
        return;
    }
    let Some(node) = base.get(&(kind, name)) else { return };
    let source = Source { kind, name, nodes: &[node], base: Some(node) };
    let parent = source.parent(|parent| base.contains_key(&(kind, parent)));
    let mut cycle = None;
    path.push(key.clone());
    if let Some(parent) = parent {
        let parent_key = format!("{kind}/{parent}");
        if path.contains(&parent_key) {
            cycle = Some(parent_key);
        } else {
            define(definitions, base, (kind, parent), path);
        }
    }
    let mut definition = source.define(definitions, parent.filter(|_| cycle.is_none()));
    if let Some(again) = cycle {
        definition.fault = Some(cyclic(node, path, &again));
    }
    path.pop();
    let mappings = mappings(&definition, node);
    definitions.plugins.insert(key, Arc::new(definition));
    definitions.plugins.extend(mappings);
}

fn cyclic(node: &Node, path: &[String], again: &str) -> Finding {
    let message = format!("`inherit_from` goes round in a circle: {} → {again}", path.join(" → "));
    let place = node.get("inherit_from").unwrap_or(node).place();
    Finding::error("inherit-cycle", message).at(place).hint("remove one `inherit_from` of these")
}

/// Gives the mappings of a mapper: each is a plugin with its own configuration in place of the mapper's.
fn mappings(mapper: &Definition, node: &Node) -> Vec<(String, Arc<Definition>)> {
    let items =
        node.get("mappings").filter(|_| mapper.kind == "mappers").map(Node::items).unwrap_or_default();
    let mut all = Vec::new();
    for item in items {
        let Some(name) = item.get("name").and_then(Node::text) else { continue };
        let mut flat = Flat::new();
        for entry in item.get("config").map(Node::entries).unwrap_or_default() {
            flatten(&mut flat, "", entry);
        }
        let settings: Vec<Arc<Setting>> = mapper
            .settings
            .iter()
            .filter(|setting| setting.declared || setting.is_extra())
            .cloned()
            .collect();
        flat.extend(
            mapper
                .base
                .iter()
                .filter(|(key, _)| key.starts_with('_'))
                .map(|(key, leaf)| (key.clone(), leaf.clone())),
        );
        let said = |value: Value| Arc::new(Leaf { value, ..Leaf::written(item) });
        flat.insert("_mapping".into(), said(Value::Bool(true)));
        flat.insert("_mapping_name".into(), said(Value::from(name.as_str())));
        let mut mapping = Definition { settings, base: flat, place: item.place(), ..mapper.clone() };
        imply(&mut mapping.settings, &mapping.base);
        all.push((format!("mappers/{}#{name}", mapper.name), Arc::new(mapping)));
    }
    all
}

/// What a plugin is defined from.
pub(super) struct Source<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    /// What says something of it: environments' entries under `plugins`, then the base's; the strongest first.
    pub(super) nodes: &'a [&'a Node],
    /// The base's entry.
    pub(super) base: Option<&'a Node>,
}

impl Source<'_> {
    fn attribute(&self, key: &str) -> Option<&Node> {
        self.nodes.iter().find_map(|node| node.get(key).filter(|value| !value.is_null()))
    }

    fn text(&self, key: &str) -> Option<String> {
        self.attribute(key).and_then(Node::text)
    }

    fn inherit_from(&self) -> Option<&str> {
        let from = self.attribute("inherit_from").and_then(Node::as_str)?;
        (from != self.name && !from.is_empty()).then_some(from)
    }

    /// Gives the plugin of the project that it inherits from, if it is there.
    pub(super) fn parent(&self, is_there: impl Fn(&str) -> bool) -> Option<&str> {
        if self.attribute("variant").is_some() {
            return None;
        }
        self.inherit_from().filter(|parent| is_there(parent))
    }

    /// Gives the path of its lock file below the project's folder.
    pub(super) fn lock_path(&self) -> String {
        let name = self.inherit_from().unwrap_or(self.name);
        let variant = self.text("variant").unwrap_or_else(|| "default".to_owned());
        format!("plugins/{}/{name}--{variant}.lock", self.kind)
    }

    /// Defines the plugin.
    pub(super) fn define(&self, definitions: &Definitions, parent: Option<&str>) -> Definition {
        let inherits = self.inherit_from().is_some();
        let inline = !inherits && self.attribute("namespace").is_some();
        let parent_key = parent.map(|parent| format!("{}/{parent}", self.kind));
        let parent = parent_key.as_ref().and_then(|key| definitions.plugins.get(key));
        let lock = definitions.locks.get(&self.lock_path()).filter(|_| !inline && parent.is_none());
        let base = self.base.map(|node| Self::leaves_of(node, inline)).unwrap_or_default();
        let mut settings = self.settings(parent.map(|parent| &**parent), lock);
        imply(&mut settings, &base);
        let lock_text = |key: &str| lock.and_then(|lock| lock.get(key)).and_then(Node::text);
        let own_namespace = || self.name.replace('-', "_");
        let namespace = self.text("namespace").unwrap_or_else(|| match lock_text("namespace") {
            Some(namespace) if !inherits => namespace,
            _ => own_namespace(),
        });
        let prefixes = self.prefixes(&namespace, parent.map(|parent| &**parent), lock);
        let defined_as = lock_text("name").unwrap_or_else(|| self.name.to_owned());
        let parent_nesting = parent.map(|parent| parent.nesting);
        let variant = self.text("variant").or_else(|| lock_text("variant"));
        let variant = variant.or_else(|| parent.and_then(|parent| parent.variant.clone()));
        Definition {
            kind: self.kind.to_owned(),
            name: self.name.to_owned(),
            place: self.nodes.first().map_or_else(|| Place::file(""), |node| node.place()),
            settings,
            base,
            env: self.nodes.iter().rev().flat_map(|node| block(node)).collect(),
            names: self.names(&namespace, variant.as_deref()),
            setters: self.setters(&namespace),
            variant,
            known: inline || lock.is_some() || parent.is_some_and(|parent| parent.known),
            parent: parent_key.filter(|_| parent.is_some()),
            custom_variables: !inherits,
            prefixes,
            attributes: self.attributes(),
            nesting: parent_nesting.unwrap_or_else(|| nesting(self.kind, &defined_as)),
            groups: self.groups(parent.map(|parent| &**parent), lock),
            fault: None,
            ground: Once::default(),
            shown: Once::default(),
        }
    }

    fn names(&self, namespace: &str, variant: Option<&str>) -> Block {
        let name = |key: &str| variable_name(&["meltano", singular(self.kind), key]);
        Block::from([
            (name("name"), Variable::text(self.name)),
            (name("namespace"), Variable::text(namespace)),
            (name("variant"), Variable::text(variant.unwrap_or("None"))),
        ])
    }

    fn setters(&self, namespace: &str) -> Vec<String> {
        let mut setters: Vec<String> =
            [self.name, namespace].iter().map(|prefix| format!("{}_", variable_name(&[prefix]))).collect();
        setters.dedup();
        setters
    }

    fn leaves_of(node: &Node, inline: bool) -> Flat {
        let mut flat = leaves(node, PLUGIN_KEYS);
        if inline {
            flat.retain(|key, _| {
                let extra = key.strip_prefix('_').unwrap_or_default();
                !INLINE_KEYS.contains(&extra.split('.').next().unwrap_or_default())
            });
        }
        flat
    }

    /// Lists the settings: those of the definition, an own entry in place of one of the same name, and the extras.
    fn settings(&self, parent: Option<&Definition>, lock: Option<&Node>) -> Vec<Arc<Setting>> {
        let read = |node: Option<&Node>| -> Vec<Arc<Setting>> {
            node.map(Node::items).unwrap_or_default().iter().filter_map(Setting::read).collect()
        };
        let own = read(self.attribute("settings"));
        let mut settings: Vec<Arc<Setting>> = match parent {
            Some(parent) => parent.settings.clone(),
            None => read(lock.and_then(|lock| lock.get("settings"))),
        };
        settings.retain(|known| !own.iter().any(|setting| setting.name == known.name));
        for (at, setting) in own.iter().enumerate() {
            // Of two entries of one name the later one counts.
            if !own[at + 1..].iter().any(|later| later.name == setting.name) {
                settings.push(setting.clone());
            }
        }
        if parent.is_none() {
            settings.extend(self.builtin_extras(lock));
        }
        settings
    }

    /// Gives the extras of the type, with the defaults that a lock file has for them, and its other extras.
    fn builtin_extras(&self, lock: Option<&Node>) -> Vec<Arc<Setting>> {
        let Some(lock) = lock else { return builtin::extras(self.kind, self.name).to_vec() };
        let extras: Vec<_> =
            lock.entries().iter().filter(|entry| !LOCK_KEYS.contains(&&*entry.name)).collect();
        let mut settings = Vec::new();
        let defined_as = lock.get("name").and_then(Node::text);
        for known in builtin::extras(self.kind, defined_as.as_deref().unwrap_or(self.name)) {
            let default =
                extras.iter().find(|entry| known.name[1..] == *entry.name && !entry.value.is_null());
            settings.push(match default {
                Some(entry) => Arc::new(Setting {
                    default: Some(Arc::new(Leaf::written(&entry.value))),
                    ..(**known).clone()
                }),
                None => known.clone(),
            });
        }
        let mut flat = Flat::new();
        for entry in &extras {
            flatten(&mut flat, "_", entry);
        }
        let known: BTreeSet<Arc<str>> = settings.iter().map(|setting| setting.name.clone()).collect();
        for (key, leaf) in flat.into_iter().filter(|(key, _)| !known.contains(key)) {
            let implied = (*Setting::implied(&key, &leaf.value)).clone();
            let default = Some(leaf).filter(|leaf| !leaf.value.is_null());
            settings.push(Arc::new(Setting { default, ..implied }));
        }
        settings
    }

    fn prefixes(&self, namespace: &str, parent: Option<&Definition>, lock: Option<&Node>) -> Vec<String> {
        let begins = |name: &str| format!("{}_", variable_name(&[name]));
        let mut prefixes = vec![begins(self.name), begins(namespace)];
        match (parent, lock) {
            (Some(parent), _) => prefixes.extend(parent.prefixes.iter().cloned()),
            (None, Some(lock)) => {
                let names = ["name", "namespace"].iter().filter_map(|key| lock.get(key)?.text());
                prefixes.extend(names.map(|name| begins(&name)));
            }
            (None, None) => {}
        }
        prefixes.push(begins(&format!("meltano_{}", verb(self.kind))));
        let mut seen = BTreeSet::new();
        prefixes.retain(|prefix| seen.insert(prefix.clone()));
        prefixes
    }

    fn attributes(&self) -> Vec<(String, Leaf)> {
        let attribute = |key: &str| Some((key.to_owned(), Leaf::written(self.attribute(key)?)));
        ATTRIBUTES.iter().filter_map(|key| attribute(key)).collect()
    }

    fn groups(&self, parent: Option<&Definition>, lock: Option<&Node>) -> Vec<Vec<String>> {
        let key = "settings_group_validation";
        let own = self.attribute(key).or_else(|| lock.and_then(|lock| lock.get(key)));
        match own {
            Some(groups) => groups
                .items()
                .iter()
                .map(|group| group.items().iter().filter_map(Node::text).collect())
                .collect(),
            None => parent.map(|parent| parent.groups.clone()).unwrap_or_default(),
        }
    }
}

/// Adds a setting for each key of a configuration that none has.
pub(super) fn imply(settings: &mut Vec<Arc<Setting>>, flat: &Flat) {
    for (key, leaf) in flat {
        if !settings.iter().any(|setting| setting.name == *key) {
            settings.push(Setting::implied(key, &leaf.value));
        }
    }
}

/// Tells how a plugin gets its configuration.
fn nesting(kind: &str, defined_as: &str) -> Nesting {
    match kind {
        "extractors" | "loaders" | "mappers" => Nesting::Nested,
        "orchestrators" if defined_as == "airflow" => Nesting::Texts,
        _ => Nesting::Flat,
    }
}

/// Gives the singular of a type.
fn singular(kind: &str) -> &str {
    if kind == "utilities" { "utility" } else { kind.strip_suffix('s').unwrap_or(kind) }
}

fn verb(kind: &str) -> &str {
    match kind {
        "transforms" => "transform",
        "utilities" => "utilize",
        "mappers" => "map",
        _ => kind.strip_suffix("ors").or_else(|| kind.strip_suffix("ers")).unwrap_or(kind),
    }
}

/// Reads the lock files that any plugin needs, of the base or of an environment.
fn locks(snapshot: &Snapshot, folder: &str, root: &Node, check: &mut Check) -> BTreeMap<String, Node> {
    let mut locks = BTreeMap::new();
    let base = index(root);
    let environments = root.get("environments").map(Node::items).unwrap_or_default();
    let mut read = |source: &Source<'_>| {
        let path = source.lock_path();
        let full = format!("{folder}{path}");
        if locks.contains_key(&path) || !snapshot.files.contains_key(&full) {
            return;
        }
        let Ok(Some(text)) = snapshot.text(&full) else { return };
        match parse(text, &full) {
            Ok(lock) => {
                locks.insert(path, lock);
            }
            Err(error) => {
                let mut finding = Finding::error("bad-lock", format!("the lock file is broken: {error}"));
                finding.place = Some(error.place);
                check.add(finding.hint("write it again with `meltano lock --update`"));
            }
        }
    };
    for ((kind, name), node) in &base {
        read(&Source { kind, name, nodes: &[node], base: Some(node) });
    }
    for environment in environments {
        for entry in environment.get("plugins").map(Node::entries).unwrap_or_default() {
            for node in entry.value.items() {
                let Some(name) = node.get("name").and_then(Node::as_str) else { continue };
                let own = base.get(&(&*entry.name, name)).copied();
                let nodes: Vec<&Node> = std::iter::once(node).chain(own).collect();
                read(&Source { kind: &entry.name, name, nodes: &nodes, base: own });
            }
        }
    }
    locks
}
