//! Plugins: their definitions, and their settings by Meltano's layers.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Check;
use super::convert::{Content, plain};
use super::environments;
use super::layers::Stack;
use super::reference::Rules;
use super::secret::is_secret_name;
use super::settings::{Scope, block, settle};
use super::shape::{OVERLAY_PLUGIN_KEYS, PLUGIN_KEYS};
use super::suggest::did_you_mean;
use super::written::Written;
use crate::model::environment::EffectiveValue;
use crate::model::finding::Finding;
use crate::model::origin::Layer;
use crate::model::snapshot::Snapshot;
use crate::yaml::{Entry, Kind, Node, parse};

/// Type and name of a plugin.
type Identity = (String, String);

/// The settings that definitions declare, by plugin.
pub(super) type Definitions = BTreeMap<Identity, Vec<Node>>;

/// Lists the plugins of the base with their types.
fn plugins(root: &Node) -> impl Iterator<Item = (&str, &str, &Node)> {
    root.get("plugins").into_iter().flat_map(Node::entries).flat_map(|entry| {
        entry
            .value
            .items()
            .iter()
            .filter_map(move |node| Some((&*entry.name, node.get("name")?.as_str()?, node)))
    })
}

fn find<'a>(root: &'a Node, kind: &str, name: &str) -> Option<&'a Node> {
    root.get("plugins")?.get(kind)?.named(name)
}

/// Finds what defines each plugin: itself, a parent in the project, or a lock file.
///
/// Shape: `folder` is the project file's, with a slash at its end, or empty.
pub(super) fn definitions(snapshot: &Snapshot, folder: &str, root: &Node, check: &mut Check) -> Definitions {
    let mut all = Definitions::new();
    for (kind, name, node) in plugins(root) {
        let mut settings: Vec<Node> = node.get("settings").map(Node::items).unwrap_or_default().to_vec();
        let lineage = lineage(root, kind, node);
        let first = lineage.first().copied().unwrap_or(node);
        for ancestor in lineage.iter().rev() {
            add(&mut settings, ancestor.get("settings").map(Node::items).unwrap_or_default());
        }
        let inline = first.get("namespace").is_some_and(|namespace| !namespace.is_null());
        match lock(snapshot, folder, kind, first) {
            Some(lock) => add(&mut settings, lock.get("settings").map(Node::items).unwrap_or_default()),
            None if inline || kind == "mappings" => {}
            None => {
                let message = format!("`{kind}/{name}` has no definition: neither inline nor a lock file");
                let finding = Finding::warning("no-definition", message).at(node.place());
                check.add(finding.hint(format!("run `meltano lock` to write `{}`", lock_path(kind, first))));
            }
        }
        all.insert((kind.to_owned(), name.to_owned()), settings);
    }
    all
}

/// Adds settings of a definition farther away: a nearer entry of the same name replaces one whole.
fn add(settings: &mut Vec<Node>, more: &[Node]) {
    for setting in more {
        let known = settings.iter().any(|known| known.get("name") == setting.get("name"));
        if !known {
            settings.push(setting.clone());
        }
    }
}

fn lock_path(kind: &str, node: &Node) -> String {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let name = text("inherit_from").or_else(|| text("name")).unwrap_or_default();
    format!("plugins/{kind}/{name}--{}.lock", text("variant").unwrap_or("default"))
}

fn lock(snapshot: &Snapshot, folder: &str, kind: &str, node: &Node) -> Option<Node> {
    let path = format!("{folder}{}", lock_path(kind, node));
    let text = snapshot.text(&path).ok()??;
    parse(text, &path).ok()
}

/// Lists the plugins of the project that a plugin inherits from, the farthest first.
fn lineage<'a>(root: &'a Node, kind: &str, plugin: &'a Node) -> Vec<&'a Node> {
    let mut lineage: Vec<&Node> = Vec::new();
    let mut node = plugin;
    while let Some(parent) = parent(root, kind, node) {
        if std::ptr::eq(parent, plugin) || lineage.iter().any(|known| std::ptr::eq(*known, parent)) {
            break;
        }
        lineage.push(parent);
        node = parent;
    }
    lineage.reverse();
    lineage
}

fn parent<'a>(root: &'a Node, kind: &str, node: &Node) -> Option<&'a Node> {
    if node.get("variant").is_some_and(|variant| !variant.is_null()) {
        return None;
    }
    let name = node.get("inherit_from")?.as_str()?;
    if node.get("name").and_then(Node::as_str) == Some(name) {
        return None;
    }
    find(root, kind, name)
}

/// Warns of environments' entries for plugins that are not there.
pub(super) fn check_overlays(root: &Node, check: &mut Check) {
    for environment in root.get("environments").map(Node::items).unwrap_or_default() {
        for entry in environment.at(&["config", "plugins"]).map(Node::entries).unwrap_or_default() {
            for overlay in entry.value.items() {
                let Some(name) = overlay.get("name").and_then(Node::as_str) else { continue };
                let added =
                    environment.get("plugins").and_then(|plugins| plugins.get(&entry.name)?.named(name));
                if find(root, &entry.name, name).is_none() && added.is_none() {
                    orphan(root, &entry.name, name, overlay, check);
                }
            }
        }
    }
}

fn orphan(root: &Node, kind: &str, name: &str, overlay: &Node, check: &mut Check) {
    let message = format!("`{kind}/{name}` is configured here but is not a plugin of the project");
    let finding = Finding::warning("orphan-overlay", message).at(overlay.place());
    let elsewhere = plugins(root).find(|(other, known, _)| *known == name && *other != kind);
    let names = plugins(root).filter(|(other, ..)| *other == kind).map(|(_, known, _)| known);
    let hint = match (elsewhere, did_you_mean(name, names)) {
        (Some((other, ..)), _) => format!("it is one of the {other}: move the entry there"),
        (None, Some(meant)) => format!("did you mean `{meant}`?"),
        (None, None) => format!("add it to `plugins.{kind}` or remove the entry"),
    };
    check.add(finding.hint(hint));
}

/// Resolves the settings of all plugins in an environment.
pub(super) fn resolve(
    written: &Written,
    environment: &str,
    scope: &Scope,
) -> BTreeMap<String, BTreeMap<String, EffectiveValue>> {
    let chain = environments::chain(&written.root, environment);
    let mut resolved = BTreeMap::new();
    for (kind, name, node) in plugins(&written.root) {
        let plugin = Plugin { written, chain: &chain, kind, name, node };
        resolved.insert(format!("{kind}/{name}"), plugin.resolve(scope));
    }
    resolved
}

/// A plugin in an environment.
struct Plugin<'a> {
    written: &'a Written,
    chain: &'a [&'a Node],
    kind: &'a str,
    name: &'a str,
    node: &'a Node,
}

/// An environment's entry for a plugin.
struct Overlay<'a> {
    /// Whether it is the chosen environment's, and not that of one it inherits from.
    own: bool,
    node: &'a Node,
    /// Keys that are not extras.
    known: &'static [&'static str],
}

impl Plugin<'_> {
    fn resolve(&self, scope: &Scope) -> BTreeMap<String, EffectiveValue> {
        let identity = (self.kind.to_owned(), self.name.to_owned());
        let definition = self.written.definitions.get(&identity).map(Vec::as_slice).unwrap_or_default();
        let declared: BTreeSet<String> =
            definition.iter().filter(|setting| sensitive(setting)).filter_map(name_of).collect();
        let scope = self.scope(scope);
        let mut values = BTreeMap::new();
        for leaf in self.stack(definition).leaves(1) {
            let key = leaf.path.concat();
            let settled = settle(&leaf.value, Rules::Meltano, &scope);
            let sensitive = settled.secret || declared.contains(&key) || is_secret_name(&key);
            let value =
                EffectiveValue { raw: leaf.value, value: settled.value, origin: leaf.origin, sensitive };
            values.insert(key, value);
        }
        values
    }

    /// Stacks the layers, the strongest last.
    fn stack(&self, definition: &[Node]) -> Stack {
        let mut stack = Stack::new(self.written.commit.clone());
        stack.push(Layer::Default, "default", defaults(definition));
        for (index, ancestor) in lineage(&self.written.root, self.kind, self.node).into_iter().enumerate() {
            let name = name_of(ancestor).unwrap_or_default();
            push(&mut stack, Layer::Inherited, format!("parent {index}"), ancestor, PLUGIN_KEYS);
            for (number, overlay) in self.overlays(&name).into_iter().enumerate() {
                let label = format!("parent {index} environment {number}");
                push(&mut stack, Layer::Inherited, label, overlay.node, overlay.known);
            }
        }
        push(&mut stack, Layer::MeltanoYml, "base".to_owned(), self.node, PLUGIN_KEYS);
        for (number, overlay) in self.overlays(self.name).into_iter().enumerate() {
            let layer = if overlay.own { Layer::MeltanoEnvironment } else { Layer::Inherited };
            push(&mut stack, layer, format!("environment {number}"), overlay.node, overlay.known);
        }
        stack
    }

    /// Gives the environments' entries for a plugin, the strongest last.
    fn overlays(&self, name: &str) -> Vec<Overlay<'_>> {
        let paths: [(&[&str], &'static [&'static str]); 2] =
            [(&["plugins"], PLUGIN_KEYS), (&["config", "plugins"], OVERLAY_PLUGIN_KEYS)];
        let mut overlays = Vec::new();
        for (depth, environment) in self.chain.iter().enumerate() {
            for (path, known) in paths {
                let plugins = environment.at(path).and_then(|plugins| plugins.get(self.kind));
                if let Some(node) = plugins.and_then(|plugins| plugins.named(name)) {
                    overlays.push(Overlay { own: depth + 1 == self.chain.len(), node, known });
                }
            }
        }
        overlays
    }

    fn scope(&self, scope: &Scope) -> Scope {
        let kind =
            if self.kind == "utilities" { "utility" } else { self.kind.trim_end_matches('s') }.to_uppercase();
        let text = |key: &str| self.node.get(key).and_then(Node::as_str).map(str::to_owned);
        let namespace = text("namespace").unwrap_or_else(|| self.name.replace('-', "_"));
        let mut own = BTreeMap::from([
            (format!("MELTANO_{kind}_NAME"), self.name.to_owned()),
            (format!("MELTANO_{kind}_NAMESPACE"), namespace),
            (format!("MELTANO_{kind}_VARIANT"), text("variant").unwrap_or_default()),
        ]);
        own.extend(block(self.node));
        let overlay = self.overlays(self.name).into_iter().flat_map(|overlay| block(overlay.node)).collect();
        scope.of_plugin(own, overlay)
    }
}

fn name_of(node: &Node) -> Option<String> {
    node.get("name").and_then(Node::as_str).map(str::to_owned)
}

/// Whether a definition says that a setting is a secret.
fn sensitive(setting: &Node) -> bool {
    let kind = setting.get("kind").and_then(Node::as_str);
    matches!(kind, Some("password" | "oauth"))
        || setting.get("sensitive").map(|flag| &flag.value) == Some(&Kind::Bool(true))
}

fn defaults(definition: &[Node]) -> Content {
    let mut content = Content::default();
    for setting in definition {
        if let (Some(name), Some(value)) =
            (name_of(setting), setting.get("value").filter(|value| !value.is_null()))
        {
            content.places.insert(vec![name.clone()], value.place());
            content.data.insert(name, plain(value));
        }
    }
    content
}

fn push(stack: &mut Stack, layer: Layer, name: String, node: &Node, known: &[&str]) {
    let mut content = Content::default();
    for entry in node.get("config").map(Node::entries).unwrap_or_default() {
        flatten(&mut content, "", entry);
    }
    for entry in node.entries().iter().filter(|entry| !known.contains(&&*entry.name)) {
        flatten(&mut content, "_", entry);
    }
    if !content.unset.is_empty() {
        // What is unset takes with it all that is below it.
        let merged = stack.merged();
        let below = |path: &Vec<String>| {
            let prefix = format!("{}.", path[0]);
            merged
                .keys()
                .filter(|key| key.starts_with(&prefix))
                .map(|key| vec![key.clone()])
                .collect::<Vec<_>>()
        };
        let below: Vec<Vec<String>> = content.unset.iter().flat_map(below).collect();
        content.unset.extend(below);
    }
    stack.push(layer, name, content);
}

/// Flattens a setting to its leaves: `a: {b: 1}` is `a.b: 1`; lists and `{}` are leaves; null falls through.
fn flatten(content: &mut Content, prefix: &str, entry: &Entry) {
    let key = format!("{prefix}{}", entry.name);
    let node = &entry.value;
    if node.is_unset() {
        content.unset.push(vec![key]);
        return;
    }
    if node.is_null() {
        return;
    }
    if node.entries().is_empty() {
        content.places.insert(vec![key.clone()], node.place());
        content.data.insert(key, plain(node));
        return;
    }
    for inner in node.entries() {
        flatten(content, &format!("{key}."), inner);
    }
}
