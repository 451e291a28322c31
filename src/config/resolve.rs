//! An environment as it is in force: layers merged, references expanded, values typed.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::Value;

use super::convert::{Content, Path};
use super::decode;
use super::environments;
use super::error::ConfigError;
use super::explain::Word;
use super::layers::{Leaf, Stack};
use super::plugin::{Block, Settled, Surroundings, Variable, resolve_all, settle};
use super::reference::Rules;
use super::secret::is_secret_name;
use super::suggest::did_you_mean;
use super::variable;
use super::written::Written;
use crate::model::coordinate::Dataset;
use crate::model::environment::{Effective, EffectiveValue, Environment, Warehouse, Workspace};
use crate::model::finding::{Finding, Level};
use crate::model::name::EnvironmentName;
use crate::model::origin::{Layer, Origin, Place};
use crate::template::Engine;
use crate::yaml::{Node, parse};

/// What is built in, written as a project file would say it.
pub(super) const DEFAULTS: &str = r#"
promotion:
  prefer: source
  protect: {paths: [".env*", "workspace*.yml"], keys: [default_environment]}
  structural: [project]
  refs: refs/promote
paths: {models: [models], schema: [schema], routines: [routines], seeds: [seeds], macros: [macros], tests: [tests]}
migrate: promotion
force: allowed
gates: {approvals: 0}
"#;

/// Root keys that are not settings of an environment.
const NOT_MERGED: [&str; 4] = ["environments", "plugins", "include_paths", "annotations"];

/// Keys of an environment that say what it is and set nothing.
const IDENTITY: [&str; 5] = ["name", "inherit_from", "config", "plugins", "annotations"];

/// Keys of an environment that those who inherit from it do not get.
const NEVER_INHERITED: [&str; 2] = ["workspace", "dataset"];

/// Our keys whose texts may hold references and templates. Policy and commands are taken as written.
const EXPANDED: [&str; 6] = ["warehouse", "workspace", "dataset", "vars", "paths", "sources"];

/// What the world says beside the files.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The process's variables.
    pub variables: BTreeMap<String, String>,
    /// The variables of `.env`: see [`parse_dotenv`](super::parse_dotenv).
    pub dotenv: Block,
    /// The variables of each `.env.<environment>`, by environment.
    pub environment_dotenv: BTreeMap<String, Block>,
    /// What flags say.
    pub flags: Flags,
    /// The project's folder, absolute: relative warehouse paths and repositories are relative to it.
    pub root: PathBuf,
}

/// The layer of the command line's flags.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// `--dataset`.
    pub dataset: Option<String>,
}

/// A value that is not usable, which matters only to whom needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The key: `warehouse.url`.
    pub key: String,
    /// What is wrong.
    pub finding: Finding,
}

/// An environment in force, with the origin of every value.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The project's folder, absolute.
    pub root: std::path::PathBuf,
    /// What commands act on; a value with a fault is absent in it.
    pub environment: Environment,
    /// Every value with its origin.
    pub effective: Effective,
    /// Values that are not usable.
    pub faults: Vec<Fault>,
    /// Warnings about variables.
    pub findings: Vec<Finding>,
    /// Where the environment begins.
    pub place: Option<Place>,
}

impl Resolved {
    /// Gives the warehouse.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Faults`] if it is not usable, [`ConfigError::Missing`] if there is none.
    pub fn warehouse(&self) -> Result<&Warehouse, ConfigError> {
        self.need("warehouse", self.environment.warehouse.as_ref())
    }

    /// Gives the workspace.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Faults`] if it is not usable, [`ConfigError::Missing`] if there is none.
    pub fn workspace(&self) -> Result<&Workspace, ConfigError> {
        self.need("workspace", self.environment.workspace.as_ref())
    }

    /// Gives the dataset.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Faults`] if it is not usable, [`ConfigError::Missing`] if there is none.
    pub fn dataset(&self) -> Result<&Dataset, ConfigError> {
        self.need("dataset", self.environment.dataset.as_ref())
    }

    /// Lists the faults of a key and of what is below it.
    pub fn faults_of(&self, key: &str) -> Vec<Finding> {
        let below = format!("{key}.");
        let faults = self.faults.iter().filter(|fault| fault.key == key || fault.key.starts_with(&below));
        faults.map(|fault| fault.finding.clone()).collect()
    }

    fn need<'a, T>(&self, key: &'static str, value: Option<&'a T>) -> Result<&'a T, ConfigError> {
        let faults = self.faults_of(key);
        if !faults.is_empty() {
            return Err(ConfigError::Faults(faults));
        }
        value.ok_or_else(|| {
            let (environment, place) = (self.environment.name.clone(), self.place.clone());
            ConfigError::Missing { environment, key, place }
        })
    }
}

impl Written {
    /// Merges the layers of an environment: defaults, base, inherited ones, its own, variables, flags.
    ///
    /// Shape: a value that cannot be used (a reference without a value, a dataset that is none) is a
    /// [`Fault`] beside the rest, because a command that does not need it must go on.
    /// Pure: equal inputs give equal output.
    ///
    /// # Errors
    ///
    /// [`ConfigError::UnknownEnvironment`] if there is none of this name; [`ConfigError::Faults`] if
    /// a variable sets what a variable must not.
    pub fn environment(&self, name: &EnvironmentName, inputs: &Inputs) -> Result<Resolved, ConfigError> {
        Ok(self.decoded(name, inputs, self.settled(Some(name), inputs)?))
    }

    /// Does the same and leaves plugins out, for who asks where the environment is and what it may.
    ///
    /// # Errors
    ///
    /// As [`environment`](Self::environment).
    pub fn without_plugins(&self, name: &EnvironmentName, inputs: &Inputs) -> Result<Resolved, ConfigError> {
        Ok(self.decoded(name, inputs, self.surrounded(Some(name), inputs)?.0))
    }

    fn decoded(&self, name: &EnvironmentName, inputs: &Inputs, mut settled: Everything) -> Resolved {
        let root = &settled.effective.root;
        let environment = decode::environment(name, root, &settled.tree, &inputs.root, &mut settled.faults);
        let Everything { effective, faults, findings, .. } = settled;
        let (root, place) = (inputs.root.clone(), self.place_of(name));
        Resolved { root, environment, effective, faults, findings, place }
    }

    /// Gives every value of an environment, or of the project without one, as [`environment`](Self::environment) does.
    ///
    /// # Errors
    ///
    /// As [`environment`](Self::environment).
    pub fn effective(
        &self,
        name: Option<&EnvironmentName>,
        inputs: &Inputs,
    ) -> Result<(Effective, Vec<Finding>), ConfigError> {
        let settled = self.settled(name, inputs)?;
        let mut findings = settled.findings;
        findings.extend(settled.faults.into_iter().map(|fault| fault.finding));
        Ok((settled.effective, findings))
    }

    pub(super) fn settled(
        &self,
        name: Option<&EnvironmentName>,
        inputs: &Inputs,
    ) -> Result<Everything, ConfigError> {
        let (mut settled, around) = self.surrounded(name, inputs)?;
        settled.effective.plugins = resolve_all(&around);
        Ok(settled)
    }

    /// Gives the values of the root, and what plugins see around them.
    fn surrounded(
        &self,
        name: Option<&EnvironmentName>,
        inputs: &Inputs,
    ) -> Result<(Everything, Surroundings<'_>), ConfigError> {
        if let Some(name) = name.filter(|name| environments::find(&self.root, name.as_str()).is_none()) {
            return Err(self.unknown(name));
        }
        let name = name.map(EnvironmentName::as_str);
        let mut findings = Vec::new();
        let stack = stack(self, name, inputs, &mut findings);
        if findings.iter().any(|finding| finding.level == Level::Error) {
            return Err(ConfigError::Faults(findings));
        }
        let around = Surroundings::new(self, name, inputs);
        let mut faults = Vec::new();
        let (root, tree) = expanded(&stack, name.unwrap_or_default(), &around, &mut faults);
        let effective = Effective { root, plugins: BTreeMap::new() };
        Ok((Everything { effective, tree, faults, findings }, around))
    }

    pub(super) fn unknown(&self, name: &EnvironmentName) -> ConfigError {
        let known = self.project.environments.clone();
        let meant = did_you_mean(name.as_str(), known.iter().map(EnvironmentName::as_str)).map(str::to_owned);
        ConfigError::UnknownEnvironment { name: name.clone(), known, meant }
    }
}

/// What the layers of an environment come to.
pub(super) struct Everything {
    pub(super) effective: Effective,
    /// The root's values as one tree, named lists as lists.
    tree: Value,
    faults: Vec<Fault>,
    findings: Vec<Finding>,
}

/// Stacks the layers of an environment, or of the project without one.
pub(super) fn stack(
    written: &Written,
    name: Option<&str>,
    inputs: &Inputs,
    findings: &mut Vec<Finding>,
) -> Stack {
    static READ: LazyLock<Node> = LazyLock::new(|| parse(DEFAULTS, "").expect("the defaults are sound"));
    let mut stack = Stack::new(written.commit.clone());
    stack.push(Layer::Default, "defaults", Content::take(&READ, &|_| true));
    let base = |key: &str| !NOT_MERGED.contains(&key) && !key.starts_with("x-");
    stack.push(Layer::Base, "base", Content::take(&written.root, &base));
    let chain = name.map(|name| environments::chain(&written.root, name)).unwrap_or_default();
    for (index, node) in chain.iter().enumerate() {
        let own = index + 1 == chain.len();
        let wanted = |key: &str| !IDENTITY.contains(&key) && (own || !NEVER_INHERITED.contains(&key));
        let (layer, label) =
            if own { (Layer::Environment, "environment") } else { (Layer::Inherited, "inherited") };
        stack.push(layer, format!("{label} {index}"), Content::take(node, &wanted));
    }
    let process = inputs.variables.iter();
    let process = process.map(|(name, text)| (name.clone(), Variable::text(text.as_str()))).collect();
    for (layer, label, variables) in
        [(Layer::Dotenv, "dotenv", &written.dotenv(name, inputs)), (Layer::Variable, "variables", &process)]
    {
        let content = variable::content(variables, &stack.merged(), findings);
        stack.push(layer, label, content);
    }
    let mut flags = Content::default();
    if let Some(dataset) = &inputs.flags.dataset {
        flags.data.insert("dataset".to_owned(), figment::value::Value::from(dataset.as_str()));
    }
    stack.push(Layer::Flag, "flags", flags);
    stack
}

/// Expands all values; gives them by key, and as one tree in which named lists are lists again.
fn expanded(
    stack: &Stack,
    name: &str,
    around: &Surroundings<'_>,
    faults: &mut Vec<Fault>,
) -> (BTreeMap<String, EffectiveValue>, Value) {
    let engine = Templates::of(name);
    let mut root = BTreeMap::new();
    let mut tree = Value::Object(serde_json::Map::new());
    for leaf in stack.leaves(usize::MAX) {
        let key = leaf.path.join(".");
        let settled = settle_leaf(&leaf, &engine, around, &key, faults);
        if !settled.value.is_null() {
            graft(&mut tree, &leaf.path, settled.value.clone());
        }
        let sensitive = settled.secret || is_secret_name(&key);
        let raw = (settled.value != leaf.value).then_some(leaf.value);
        let value = EffectiveValue { raw, sensitive, ..EffectiveValue::plain(settled.value, leaf.origin) };
        root.insert(key, value);
    }
    for (path, names) in stack.lists().iter().rev() {
        relist(&mut tree, path, names);
    }
    (root, tree)
}

fn settle_leaf(
    leaf: &Leaf,
    engine: &Templates<'_>,
    around: &Surroundings<'_>,
    key: &str,
    faults: &mut Vec<Fault>,
) -> Settled {
    let as_written = || Settled { value: leaf.value.clone(), ..Settled::default() };
    if key == "state_id_suffix" {
        return settle(&leaf.value, Rules::Meltano, &|name| around.outside_of_environment(name));
    }
    // What a variable or a flag says keeps its text.
    let ours = leaf.path.first().is_some_and(|first| EXPANDED.contains(&first.as_str()));
    if !ours
        || !matches!(leaf.origin.layer, Layer::Default | Layer::Base | Layer::Inherited | Layer::Environment)
    {
        return as_written();
    }
    let mut fault = |code: &str, message: String, hint: String| {
        let finding = at_origin(Finding::error(code, message).hint(hint), &leaf.origin);
        faults.push(Fault { key: key.to_owned(), finding });
    };
    let rendered = match render(&leaf.value, engine) {
        Ok(rendered) => rendered,
        Err(message) => {
            let hint = "only `{{ environment.name }}` is known here".to_owned();
            fault("bad-template", format!("`{key}` does not render: {message}"), hint);
            return Settled::default();
        }
    };
    let mut settled = settle(&rendered, Rules::Own, &|name| around.lookup(name));
    if !settled.unset.is_empty() {
        settled.unset.dedup();
        for name in &settled.unset {
            let hint = format!("set the variable `{name}`, or write `${{{name}:-default}}`");
            fault("unset-reference", format!("`{key}` refers to `{name}`, which is not set"), hint);
        }
        settled.value = Value::Null;
    }
    settled
}

/// Expands a root key's value as a layer has it.
pub(super) fn settled_root(
    word: &Word,
    (key, environment): (&str, Option<&str>),
    around: &Surroundings<'_>,
) -> Settled {
    let engine = Templates::of(environment.unwrap_or_default());
    let path = key.split('.').map(str::to_owned).collect();
    let leaf = Leaf { path, value: word.written.clone(), origin: word.origin.clone() };
    settle_leaf(&leaf, &engine, around, key, &mut Vec::new())
}

/// Adds the place, or the variable, that a value comes from.
pub(super) fn at_origin(mut finding: Finding, origin: &Origin) -> Finding {
    finding.place = origin.place();
    if let Some(variable) = &origin.variable {
        finding.message = format!("{} (from variable `{variable}`)", finding.message);
    }
    finding
}

/// What the templates of an environment see. Few values are templates: what renders them is made for the first one.
pub(super) struct Templates<'a> {
    name: &'a str,
    engine: OnceCell<Engine>,
}

impl<'a> Templates<'a> {
    /// Names the environment.
    pub(super) fn of(name: &'a str) -> Self {
        Self { name, engine: OnceCell::new() }
    }

    fn engine(&self) -> &Engine {
        self.engine.get_or_init(|| {
            let mut engine = Engine::new();
            engine.global("environment", BTreeMap::from([("name", self.name)]));
            engine
        })
    }
}

/// Renders the templates of every text in a value.
pub(super) fn render(value: &Value, engine: &Templates<'_>) -> Result<Value, String> {
    match value {
        Value::String(text) if text.contains("{{") || text.contains("{%") => engine
            .engine()
            .render("value", text, BTreeMap::<String, String>::new())
            .map(Value::String)
            .map_err(|error| error.message),
        Value::Array(items) => {
            items.iter().map(|item| render(item, engine)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(value.clone())
        }
    }
}

fn graft(tree: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *tree = value;
        return;
    };
    if let Value::Object(fields) = tree {
        let below = fields.entry(first.clone()).or_insert_with(|| Value::Object(serde_json::Map::new()));
        graft(below, rest, value);
    }
}

/// Turns a dictionary by name into the list that was written, deeper ones first.
fn relist(tree: &mut Value, path: &Path, names: &[String]) {
    let Some(slot) = path.iter().try_fold(tree, |value, name| value.get_mut(name)) else { return };
    let Value::Object(fields) = slot else { return };
    let mut fields = std::mem::take(fields);
    let others: Vec<String> = fields.keys().filter(|name| !names.contains(name)).cloned().collect();
    let mut items = Vec::new();
    for name in names.iter().chain(&others) {
        if let Some(Value::Object(mut item)) = fields.remove(name) {
            item.insert("name".to_owned(), Value::String(name.clone()));
            items.push(Value::Object(item));
        }
    }
    *slot = Value::Array(items);
}
