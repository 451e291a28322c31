//! Layers on top of each other: one figment provider each, and beside them what figment does not keep.
//!
//! figment merges dictionaries; it keeps neither the order of named lists nor lines. So each layer's
//! [`Content`] stays beside, and the tag that figment puts on every value leads back to its layer.
//! What must not merge (a `!unset`, a list over a mapping, a warehouse of another kind) is cut out
//! by a provider of its own in between.

use std::collections::{BTreeMap, BTreeSet};

use figment::value::{Dict, Empty, Map, Tag, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::convert::{Content, Path, json};
use super::explain::Word;
use crate::model::origin::{Layer, Origin};

/// A layer as figment sees it.
struct Provided {
    name: String,
    file: Option<std::sync::Arc<str>>,
    data: Dict,
}

impl Provider for Provided {
    fn metadata(&self) -> Metadata {
        let metadata = Metadata::named(self.name.clone());
        match &self.file {
            Some(file) => metadata.source(std::path::Path::new(&**file)),
            None => metadata,
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.data.clone()))
    }
}

/// What is known of a layer beside figment.
struct Beside {
    layer: Layer,
    name: String,
    content: Content,
}

/// Layers, the strongest last.
pub(super) struct Stack {
    figment: Figment,
    layers: Vec<Beside>,
    lists: BTreeMap<Path, Vec<String>>,
    mappings: BTreeSet<Path>,
    kind: Option<String>,
    commit: Option<std::sync::Arc<str>>,
}

/// A value that no layer merges any further.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// Its path.
    pub(super) path: Path,
    /// Its value as written.
    pub(super) value: serde_json::Value,
    /// Where it comes from.
    pub(super) origin: Origin,
}

impl Stack {
    /// Begins without a layer.
    pub(super) fn new(commit: Option<std::sync::Arc<str>>) -> Self {
        Self {
            figment: Figment::new(),
            layers: Vec::new(),
            lists: BTreeMap::new(),
            mappings: BTreeSet::new(),
            kind: None,
            commit,
        }
    }

    /// Puts a layer on top. Its name is its own among the layers of the stack.
    pub(super) fn push(&mut self, layer: Layer, name: impl Into<String>, content: Content) {
        let name = name.into();
        let mut cuts = content.unset.clone();
        cuts.extend(self.misfits(&content));
        cuts.extend(self.other_kind(&content));
        let mut figment = std::mem::take(&mut self.figment);
        if !cuts.is_empty() {
            let data = tombstones(&cuts);
            figment = figment.merge(Provided { name: format!("cut by {name}"), file: None, data });
            for cut in &cuts {
                self.lists.retain(|path, _| !path.starts_with(cut));
                self.mappings.retain(|path| !path.starts_with(cut));
            }
        }
        let file = content.places.values().next().map(|place| place.file.clone());
        self.figment = figment.merge(Provided { name: name.clone(), file, data: content.data.clone() });
        for (path, names) in &content.lists {
            let known = self.lists.entry(path.clone()).or_default();
            for name in names {
                if !known.contains(name) {
                    known.push(name.clone());
                }
            }
        }
        self.mappings.extend(content.mappings.iter().cloned());
        self.layers.push(Beside { layer, name, content });
    }

    /// Lists where a named list lies over a mapping or the other way round.
    fn misfits(&self, content: &Content) -> Vec<Path> {
        let lists = content.lists.keys().filter(|path| self.mappings.contains(*path));
        let mappings = content.mappings.iter().filter(|path| self.lists.contains_key(*path));
        // A variable cannot tell a named list from a mapping: it goes into what is there.
        let mappings = mappings.filter(|_| content.variables.is_empty());
        lists.chain(mappings).cloned().collect()
    }

    /// A warehouse of another kind replaces the whole mapping.
    fn other_kind(&mut self, content: &Content) -> Option<Path> {
        let warehouse = content.data.get("warehouse")?.as_dict()?;
        let kind = warehouse.get("kind")?.as_str()?.to_owned();
        let before = self.kind.replace(kind.clone());
        before.is_some_and(|before| before != kind).then(|| vec!["warehouse".to_owned()])
    }

    /// Gives what has merged so far.
    pub(super) fn merged(&self) -> Dict {
        self.figment.find_value("").ok().and_then(Value::into_dict).unwrap_or_default()
    }

    /// Gives the named lists with the order of their items.
    pub(super) fn lists(&self) -> &BTreeMap<Path, Vec<String>> {
        &self.lists
    }

    /// Lists all values, in the order of their paths.
    ///
    /// Shape: `depth` is how many levels of mappings are entered; what is deeper is one value.
    pub(super) fn leaves(&self, depth: usize) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for (name, value) in self.merged() {
            self.collect(vec![name], &value, depth, &mut leaves);
        }
        leaves
    }

    fn collect(&self, path: Path, value: &Value, depth: usize, leaves: &mut Vec<Leaf>) {
        if let Value::Dict(_, dict) = value
            && path.len() < depth
            && !dict.is_empty()
        {
            for (name, value) in dict {
                let mut deeper = path.clone();
                deeper.push(name.clone());
                self.collect(deeper, value, depth, leaves);
            }
        } else if value.to_empty().is_none() {
            let origin = self.origin(value.tag(), &path);
            leaves.push(Leaf { value: json(value), origin, path });
        }
    }

    /// Lists the paths of all values that any layer sets or unsets, in order.
    pub(super) fn paths(&self) -> Vec<Path> {
        let mut paths: BTreeSet<Path> = self.leaves(usize::MAX).into_iter().map(|leaf| leaf.path).collect();
        paths.extend(self.layers.iter().flat_map(|beside| beside.content.unset.iter().cloned()));
        paths.into_iter().collect()
    }

    /// Gives what each layer says of a path, the weakest first; what is unset is null.
    pub(super) fn says(&self, path: &Path) -> Vec<Word> {
        let mut says = Vec::new();
        for beside in &self.layers {
            let cut = beside.content.unset.iter().find(|unset| path.starts_with(unset));
            let value = find(&beside.content.data, path).map(json);
            if value.is_some() || cut.is_some() {
                let origin = self.origin_in(beside, path);
                says.push(Word { unset: value.is_none(), written: value.unwrap_or_default(), origin });
            }
        }
        says
    }

    fn origin(&self, tag: Tag, path: &Path) -> Origin {
        let name = self.figment.get_metadata(tag).map(|metadata| metadata.name.as_ref());
        match self.layers.iter().find(|beside| Some(beside.name.as_str()) == name) {
            Some(beside) => self.origin_in(beside, path),
            None => Origin::of(Layer::Default),
        }
    }

    fn origin_in(&self, beside: &Beside, path: &Path) -> Origin {
        let mut origin = match beside.content.places.get(path) {
            // Defaults are built in: their text is nobody's file.
            Some(place) if beside.layer != Layer::Default || !place.file.is_empty() => {
                Origin { commit: self.commit.clone(), ..Origin::in_file(beside.layer, place) }
            }
            _ => Origin::of(beside.layer),
        };
        origin.variable = beside.content.variables.get(path).cloned();
        origin
    }
}

fn find<'a>(dict: &'a Dict, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = dict.get(first)?;
    if rest.is_empty() { Some(value) } else { find(value.as_dict()?, rest) }
}

fn tombstones(cuts: &[Path]) -> Dict {
    let mut root = Dict::new();
    for cut in cuts {
        bury(&mut root, cut);
    }
    root
}

fn bury(dict: &mut Dict, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        dict.insert(first.clone(), Value::Empty(Tag::Default, Empty::None));
        return;
    }
    let below = dict.entry(first.clone()).or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
    if let Value::Dict(_, below) = below {
        bury(below, rest);
    }
}
