//! Environments added to a project and taken out of it: what its files say then, byte for byte.
//!
//! In: a [`Snapshot`] of the project and what is wanted. Out: an [`Amended`] project, sound as a whole, or
//! the reason why not; nothing is written here. An environment may be written in parts: in the project
//! file, in files that it includes, and in a `meltano.yml` also under `annotations.promote.environments`.

use serde_json::{Value, json};

use super::document::{Dialect, dialect};
use super::environments::find;
use super::error::ConfigError;
use super::written::{Written, load};
use crate::model::finding::{Finding, Level};
use crate::model::name::EnvironmentName;
use crate::model::origin::Place;
use crate::model::snapshot::Snapshot;
use crate::yaml::edit::{self, Step};
use crate::yaml::{Node, YamlError, parse};

/// What a new environment takes over, and what it has of its own.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Like<'a> {
    /// The environment that is copied.
    pub environment: &'a str,
    /// `workspace.repository`, as it is to be written.
    pub repository: Option<&'a str>,
    /// `workspace.branch`.
    pub branch: Option<&'a str>,
    /// `dataset`.
    pub dataset: Option<&'a str>,
}

/// A project as it would be.
#[derive(Clone, Debug)]
pub struct Amended {
    /// What it says then.
    pub written: Written,
    /// Its files then.
    pub snapshot: Snapshot,
    /// The files that change, in order.
    pub files: Vec<String>,
}

/// An environment as its entry is written; inherited and root values are not its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: EnvironmentName,
    /// Whether it is `default_environment`.
    pub default: bool,
    /// Where it begins.
    pub place: Place,
    /// `workspace.repository`.
    pub repository: Option<String>,
    /// `workspace.branch`.
    pub branch: Option<String>,
    /// `dataset`.
    pub dataset: Option<String>,
    /// `inherit_from`.
    pub inherit_from: Option<String>,
}

impl Written {
    /// Lists the environments in the order of the file.
    pub fn listed(&self) -> Vec<Listed> {
        let names = self.project.environments.iter();
        let listed = names.filter_map(|name| {
            let node = find(&self.root, name.as_str())?;
            let text = |path: &[&str]| node.at(path).and_then(Node::text);
            Some(Listed {
                name: name.clone(),
                default: self.project.default_environment.as_ref() == Some(name),
                place: node.place(),
                repository: text(&["workspace", "repository"]),
                branch: text(&["workspace", "branch"]),
                dataset: text(&["dataset"]),
                inherit_from: text(&["inherit_from"]),
            })
        });
        listed.collect()
    }
}

/// Adds an environment: a new entry with nothing but its name, or a copy of another's.
///
/// Shape: the entry goes behind the last one of the list that holds the copied one; without one, of the
/// project file's, or of the only included file that holds environments. Of a copy, `workspace` and `dataset` are what was
/// said; where nothing was said of the workspace, its branch bears the environment's name.
/// Pure: nothing but the snapshot is read, and nothing is written.
///
/// # Errors
///
/// [`ConfigError::BadName`], [`ConfigError::Exists`], [`ConfigError::UnknownEnvironment`],
/// [`ConfigError::Uneditable`], [`ConfigError::WouldBreak`]; what [`load`] gives for the project as it is.
pub fn add_environment(
    snapshot: &Snapshot,
    file: &str,
    name: &str,
    like: Option<&Like<'_>>,
) -> Result<Amended, ConfigError> {
    check_name(name)?;
    let written = load(snapshot, file)?;
    if let Some(known) = find(&written.root, name) {
        return Err(ConfigError::Exists { name: EnvironmentName::new(name), place: known.place() });
    }
    let mut editor = Editor::new(snapshot, &written)?;
    match like {
        None => editor.begin(name)?,
        Some(like) if find(&written.root, like.environment).is_none() => {
            return Err(written.unknown(&EnvironmentName::new(like.environment)));
        }
        Some(like) => editor.copy(&written, name, like)?,
    }
    editor.done(file, name)
}

/// Takes an environment out, with the lines of its entry and nothing else.
///
/// Pure: nothing but the snapshot is read, and nothing is written.
///
/// # Errors
///
/// [`ConfigError::UnknownEnvironment`]; [`ConfigError::StillNamed`] with every place that names it;
/// [`ConfigError::Uneditable`], [`ConfigError::WouldBreak`]; what [`load`] gives for the project as it is.
pub fn remove_environment(snapshot: &Snapshot, file: &str, name: &str) -> Result<Amended, ConfigError> {
    let written = load(snapshot, file)?;
    if find(&written.root, name).is_none() {
        return Err(written.unknown(&EnvironmentName::new(name)));
    }
    let places = still_named(&written.root, name);
    if !places.is_empty() {
        return Err(ConfigError::StillNamed { name: EnvironmentName::new(name), places });
    }
    let mut editor = Editor::new(snapshot, &written)?;
    for list in editor.lists.clone() {
        // A name that is there twice is gone only with both.
        while editor.holds(&list, name)? {
            let path = [list.steps().as_slice(), &[Step::Named(name)]].concat();
            editor.edit(&list.file, |text, file| edit::remove(text, file, &path))?;
        }
    }
    editor.done(file, name)
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    let why = if name.trim().is_empty() {
        "a name may not be empty"
    } else if name.contains(':') {
        "a name may hold no `:`"
    } else if name.eq_ignore_ascii_case("null") {
        "that name stands for no environment"
    } else if name != name.trim() || name.contains(char::is_control) {
        "a name may neither begin nor end with a blank, nor hold control characters"
    } else {
        return Ok(());
    };
    Err(ConfigError::BadName { name: name.escape_default().to_string(), why })
}

/// Lists the places that name an environment.
fn still_named(root: &Node, name: &str) -> Vec<Finding> {
    let mut named: Vec<(String, &Node)> = Vec::new();
    named.extend(root.get("default_environment").map(|node| ("default_environment".to_owned(), node)));
    for node in root.at(&["promotion", "order"]).map(Node::items).unwrap_or_default() {
        named.push(("promotion.order".to_owned(), node));
    }
    for environment in root.get("environments").map(Node::items).unwrap_or_default() {
        let other = environment.get("name").and_then(Node::text).unwrap_or_default();
        let parent = environment.get("inherit_from").filter(|_| other != name);
        named.extend(parent.map(|node| (format!("inherit_from` of `{other}"), node)));
    }
    named.retain(|(_, node)| node.as_str() == Some(name));
    let finding = |(key, node): (String, &Node)| {
        Finding::error("still-named", format!("`{key}` names `{name}`"))
            .at(node.place())
            .hint("name another environment there, or take the name out")
    };
    named.into_iter().map(finding).collect()
}

/// A list of environments in a file.
#[derive(Clone, Debug)]
struct List {
    file: String,
    keys: &'static [&'static str],
    /// Whether our keys stand in the entry itself, not under `annotations.promote`.
    own: bool,
}

const PLAIN: &[&str] = &["environments"];

/// Where parts of environments stand in a `meltano.yml` that Meltano must not see.
const HIDDEN: &[&str] = &["annotations", "promote", "environments"];

impl List {
    fn steps(&self) -> Vec<Step<'static>> {
        self.keys.iter().map(|key| Step::Key(key)).collect()
    }
}

/// Files that are being edited, each edit read again.
struct Editor {
    snapshot: Snapshot,
    /// Every list that may hold environments, the project file's first.
    lists: Vec<List>,
    changed: Vec<String>,
}

impl Editor {
    fn new(snapshot: &Snapshot, written: &Written) -> Result<Self, ConfigError> {
        let files = written.files();
        let meltano = files.first().is_some_and(|file| dialect(file) == Dialect::Meltano);
        let lists = files.iter().flat_map(|file| {
            let own = !meltano && dialect(file) == Dialect::Own;
            let plain = List { file: file.clone(), keys: PLAIN, own };
            let hidden = List { file: file.clone(), keys: HIDDEN, own: true };
            std::iter::once(plain).chain((!own).then_some(hidden))
        });
        let editor = Self { snapshot: snapshot.clone(), lists: lists.collect(), changed: Vec::new() };
        for file in files {
            editor.text(file)?;
        }
        Ok(editor)
    }

    /// Gives a file's text as it is now.
    fn text(&self, file: &str) -> Result<&str, ConfigError> {
        let text = self.snapshot.text(file).ok().flatten();
        text.ok_or_else(|| ConfigError::NoProject { path: file.into() })
    }

    fn edit(
        &mut self,
        file: &str,
        change: impl FnOnce(&str, &str) -> Result<String, YamlError>,
    ) -> Result<(), ConfigError> {
        let edited = change(self.text(file)?, file);
        let edited = edited.map_err(|source| ConfigError::Uneditable { file: file.to_owned(), source })?;
        self.snapshot.files.insert(file.to_owned(), edited.into_bytes());
        if !self.changed.iter().any(|known| known == file) {
            self.changed.push(file.to_owned());
        }
        Ok(())
    }

    /// Gives what a file says now.
    fn root(&self, file: &str) -> Result<Node, ConfigError> {
        parse(self.text(file)?, file)
            .map_err(|source| ConfigError::Uneditable { file: file.to_owned(), source })
    }

    fn holds(&self, list: &List, name: &str) -> Result<bool, ConfigError> {
        Ok(self.root(&list.file)?.at(list.keys).is_some_and(|list| list.named(name).is_some()))
    }

    /// Adds an entry with nothing but a name.
    fn begin(&mut self, name: &str) -> Result<(), ConfigError> {
        let mut holders = Vec::new();
        for list in self.lists.iter().filter(|list| list.keys == PLAIN) {
            if self.root(&list.file)?.get("environments").is_some() {
                holders.push(list.file.clone());
            }
        }
        let project = self.lists[0].file.clone();
        let file = match holders.as_slice() {
            [only] => only.clone(),
            _ => project,
        };
        let there = holders.contains(&file);
        self.edit(&file, |text, file| {
            if there {
                edit::append(text, file, &[Step::Key("environments")], &json!({ "name": name }))
            } else {
                edit::set(text, file, &[], "environments", &json!([{ "name": name }]))
            }
        })
    }

    /// Copies every part of an environment, and sets what was said of its workspace and dataset.
    fn copy(&mut self, written: &Written, name: &str, like: &Like<'_>) -> Result<(), ConfigError> {
        let mut parts: Vec<List> = Vec::new();
        for list in &self.lists {
            // Of two entries that Meltano sees, the first wins.
            let dead = !list.own && parts.iter().any(|part| !part.own);
            if !dead && self.holds(list, like.environment)? {
                parts.push(list.clone());
            }
        }
        for part in &parts {
            let steps = part.steps();
            self.edit(&part.file, |text, file| edit::copy(text, file, &steps, like.environment, name))?;
        }
        for (keys, value) in said(written, name, like) {
            self.set(&parts, name, keys, &value)?;
        }
        Ok(())
    }

    /// Sets a key of our own where it is written, else in the first part that can have it.
    fn set(&mut self, parts: &[List], name: &str, keys: &[&str], value: &Value) -> Result<(), ConfigError> {
        let mut here = parts.iter().find(|part| part.own).or(parts.first());
        for part in parts {
            let root = self.root(&part.file)?;
            let entry = root.at(part.keys).and_then(|list| list.named(name));
            if entry.and_then(|entry| entry.at(&full(part, &keys[..1]))).is_some() {
                here = Some(part);
                break;
            }
        }
        let Some(part) = here else { return Ok(()) };
        let path = [part.steps().as_slice(), &[Step::Named(name)]].concat();
        let keys = full(part, keys);
        self.edit(&part.file, |text, file| set_below(text, file, &path, (&keys, value)))
    }

    /// Reads the project again as it would be.
    fn done(self, file: &str, name: &str) -> Result<Amended, ConfigError> {
        let written = load(&self.snapshot, file).map_err(|error| {
            let ConfigError::Faults(mut faults) = error else { return error };
            faults.retain(|fault| fault.level == Level::Error);
            ConfigError::WouldBreak { name: EnvironmentName::new(name), faults }
        })?;
        Ok(Amended { written, snapshot: self.snapshot, files: self.changed })
    }
}

/// Gives where a key of ours stands in an entry.
fn full<'a>(part: &List, keys: &[&'a str]) -> Vec<&'a str> {
    if part.own { keys.to_vec() } else { [&["annotations", "promote"], keys].concat() }
}

/// Lists what differs from the environment that is copied.
fn said<'a>(written: &Written, name: &str, like: &Like<'_>) -> Vec<(&'a [&'a str], Value)> {
    const BRANCH: &[&str] = &["workspace", "branch"];
    let copied = written.root.get("environments").and_then(|list| list.named(like.environment));
    let copied = copied.and_then(|node| node.at(BRANCH)).and_then(Node::text);
    let branch = match (like.branch, like.repository, copied) {
        (Some(branch), ..) => Some(branch.to_owned()),
        (None, None, Some(copied)) if !copied.contains("{{") && !copied.contains('$') => {
            Some(name.to_owned())
        }
        (None, Some(_), None) => Some("main".to_owned()),
        (None, ..) => None,
    };
    let repository = like.repository.map(|repository| (&["workspace", "repository"][..], json!(repository)));
    let branch = branch.map(|branch| (BRANCH, json!(branch)));
    let dataset = like.dataset.map(|dataset| (&["dataset"][..], json!(dataset)));
    repository.into_iter().chain(branch).chain(dataset).collect()
}

/// Sets a key below a mapping; mappings that are missing on the way are made.
fn set_below(
    text: &str,
    file: &str,
    path: &[Step<'_>],
    (keys, value): (&[&str], &Value),
) -> Result<String, YamlError> {
    let [first, rest @ ..] = keys else { return Ok(text.to_owned()) };
    if rest.is_empty() {
        return edit::set(text, file, path, first, value);
    }
    let root = parse(text, file)?;
    let node = path.iter().try_fold(&root, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Named(name) => node.named(name),
        Step::Index(index) => node.items().get(*index),
    });
    let entry = node.and_then(|node| node.entry(first));
    if entry.is_some_and(|entry| !entry.merged && !entry.value.is_null()) {
        let deeper: Vec<Step<'_>> = path.iter().copied().chain([Step::Key(first)]).collect();
        return set_below(text, file, &deeper, (rest, value));
    }
    // What a merge key brings is not changed, but repeated with the new value.
    let mut whole = entry.map_or(Value::Null, |entry| entry.value.to_json());
    let mut slot = &mut whole;
    for key in rest {
        if !slot.is_object() {
            *slot = json!({});
        }
        slot = &mut slot[*key];
    }
    *slot = value.clone();
    edit::set(text, file, path, first, &whole)
}
