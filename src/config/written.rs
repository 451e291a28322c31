//! A project as it is written: read, joined with what it includes, and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use globset::GlobBuilder;

use super::check::Check;
use super::document::{Dialect, MORE_ENVIRONMENTS, dialect, read};
use super::error::ConfigError;
use super::join::{Indexed, join, keep_first, take_part};
use super::plugin::Block;
use super::resolve::Inputs;
use super::secret::secrets_in;
use super::{environments, plugin, targets};
use crate::model::finding::{Finding, Level};
use crate::model::merge::Resolution;
use crate::model::name::EnvironmentName;
use crate::model::origin::Place;
use crate::model::project::{Prefer, Project, Promotion};
use crate::model::snapshot::Snapshot;
use crate::yaml::Node;

/// A project file with what it includes, sound as a whole.
#[derive(Clone, Debug)]
pub struct Written {
    pub(super) project: Project,
    pub(super) root: Node,
    pub(super) findings: Vec<Finding>,
    pub(super) commit: Option<std::sync::Arc<str>>,
    pub(super) definitions: plugin::Definitions,
    files: Vec<String>,
    /// Whether `.env.<environment>` is read beside `.env`.
    own_dotenv: bool,
    secrets: OnceLock<Vec<String>>,
}

impl Written {
    /// Whether it says the same as another, in the same places.
    pub fn is_same(&self, other: &Self) -> bool {
        let both = (&self.definitions.locks, &other.definitions.locks);
        self.root == other.root && both.0 == both.1 && self.own_dotenv == other.own_dotenv
    }

    /// Gives what it says for all environments.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Gives the plugins (`extractors/tap-a`) that several files speak of, each with these files.
    pub fn scattered(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for kind in self.root.get("plugins").map(Node::entries).unwrap_or_default() {
            for item in kind.value.items() {
                let Some(name) = item.get("name").and_then(Node::as_str) else { continue };
                let mut files = BTreeSet::new();
                files_of(item, &mut files);
                if files.len() > 1 {
                    found.insert(format!("{}/{name}", kind.name), files);
                }
            }
        }
        found
    }

    /// Gives its warnings and notices, ordered by place.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Gives the files that it was read from: the project file, then what it includes.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Gives the variables of `.env`, and of the environment's own `.env.<environment>` where that is read.
    pub(super) fn dotenv(&self, name: Option<&str>, inputs: &Inputs) -> Block {
        let mut dotenv = inputs.dotenv.clone();
        let own = name.filter(|_| self.own_dotenv).and_then(|name| inputs.environment_dotenv.get(name));
        dotenv.extend(own.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        dotenv
    }

    /// Lists the secrets that are written in clear, in any layer: values of keys named like secrets, and
    /// passwords in URLs.
    pub fn secrets(&self) -> &[String] {
        self.secrets.get_or_init(|| secrets_in(&self.root))
    }

    /// Gives the place where an environment begins.
    pub fn place_of(&self, name: &EnvironmentName) -> Option<Place> {
        environments::find(&self.root, name.as_str()).map(Node::place)
    }
}

/// Reads the project file of a snapshot with everything that it includes, and checks all of it.
///
/// Shape: what a file means goes by its name: `meltano.yml` is read as Meltano reads it, any other
/// as ours.
/// Pure: nothing but the snapshot is read.
///
/// # Errors
///
/// [`ConfigError::NoProject`] if the snapshot lacks the file; [`ConfigError::Faults`] with every
/// fault of all files, ordered by place, warnings included.
pub fn load(snapshot: &Snapshot, file: &str) -> Result<Written, ConfigError> {
    let (written, findings) = examine(snapshot, file)?;
    match written.filter(|_| !is_faulty(&findings)) {
        Some(written) => Ok(Written { findings: sorted(findings), ..written }),
        None => Err(faults(findings)),
    }
}

/// Lists what is wrong with a project that [`load`] refuses, and what probably is a mistake beside.
///
/// Shape: ordered by place; where a fault stands, nothing else is said. What hangs on other parts of the files is
/// left out until these are sound.
///
/// # Errors
///
/// [`ConfigError::NoProject`] if the snapshot lacks the file.
pub fn all_findings(snapshot: &Snapshot, file: &str) -> Result<Vec<Finding>, ConfigError> {
    let (written, mut findings) = examine(snapshot, file)?;
    let more = written.map(|written| written.lint()).unwrap_or_default();
    let taken = |finding: &Finding| findings.iter().any(|fault| fault.place == finding.place);
    let more: Vec<Finding> = more.into_iter().filter(|finding| !taken(finding)).collect();
    findings.extend(more);
    Ok(sorted(findings))
}

/// Reads what there is to be read, and gives with it whatever was found.
fn examine(snapshot: &Snapshot, file: &str) -> Result<(Option<Written>, Vec<Finding>), ConfigError> {
    if !snapshot.files.contains_key(file) {
        return Err(ConfigError::NoProject { path: file.into() });
    }
    let dialect = dialect(file);
    let mut check = Check::default();
    let (root, files) = documents(snapshot, file, dialect, &mut check);
    let Some(root) = root else { return Ok((None, check.findings)) };
    let definitions = plugin::definitions(snapshot, folder(file), &root, &mut check);
    plugin::check_declared(&definitions, &mut check);
    let project = project(&root, file);
    environments::check(&root, &project, dialect, &mut check);
    if !is_faulty(&check.findings) {
        plugin::check_overlays(&root, &mut check);
    }
    let commit = snapshot.commit().map(Into::into);
    let own_dotenv = match root.get("dotenv").and_then(Node::as_str) {
        Some(said) => said == "per_environment",
        None => dialect == Dialect::Own,
    };
    let written = Written {
        project,
        root,
        findings: Vec::new(),
        commit,
        definitions,
        files,
        own_dotenv,
        secrets: OnceLock::new(),
    };
    if !is_faulty(&check.findings) {
        targets::check(&written, &mut check);
    }
    Ok((Some(written), check.findings))
}

fn is_faulty(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

/// Gives a file's folder with a slash at its end; of a file at the root, nothing.
fn folder(file: &str) -> &str {
    file.rfind('/').map_or("", |slash| &file[..=slash])
}

fn faults(findings: Vec<Finding>) -> ConfigError {
    let mut findings = sorted(findings);
    // The first fault gives the message: errors before warnings.
    findings.sort_by_key(|finding| finding.level);
    ConfigError::Faults(findings)
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|left, right| {
        (&left.place, &left.code, &left.message).cmp(&(&right.place, &right.code, &right.message))
    });
    findings.dedup();
    findings
}

/// Lists the files that a node and what it holds come from.
fn files_of(node: &Node, files: &mut BTreeSet<String>) {
    files.insert(node.place().file.to_string());
    for entry in node.entries() {
        files_of(&entry.value, files);
    }
    for item in node.items() {
        files_of(item, files);
    }
}

/// Reads the project file and what it includes, and joins them.
fn documents(
    snapshot: &Snapshot,
    file: &str,
    dialect: Dialect,
    check: &mut Check,
) -> (Option<Node>, Vec<String>) {
    let mut root = read(snapshot, file, dialect, check);
    let mut files = vec![file.to_owned()];
    let mut indexed = Indexed::default();
    let mut pending =
        root.as_ref().map(|root| included(snapshot, folder(file), root, check)).unwrap_or_default();
    if dialect == Dialect::Own && root.is_some() {
        check_sibling(snapshot, file, root.as_ref(), &pending, check);
    }
    pending.reverse();
    while let Some(path) = pending.pop() {
        if files.contains(&path) {
            continue;
        }
        let of = super::document::dialect(&path);
        // What a `meltano.yml` includes is Meltano's; included in ours, a file is ours unless its name says otherwise.
        let of = if dialect == Dialect::Meltano { Dialect::Meltano } else { of };
        if let Some(mut other) = read(snapshot, &path, of, check) {
            if dialect == Dialect::Own && of == Dialect::Meltano {
                keep_first(&mut other, check);
                let mut more = included(snapshot, folder(file), &other, check);
                more.reverse();
                pending.extend(more);
            }
            if dialect == Dialect::Meltano {
                indexed.add(&other, check);
            }
            match &mut root {
                Some(root) => join(root, other, dialect == Dialect::Own),
                None => root = Some(other),
            }
        }
        files.push(path);
    }
    if let Some(root) = &mut root {
        if dialect == Dialect::Meltano {
            keep_first(root, check);
        }
        take_part(root, MORE_ENVIRONMENTS, "environments");
    }
    // With a part missing, what is said of the rest would mostly be wrong.
    let complete =
        !check.findings.iter().any(|finding| matches!(finding.code.as_str(), "bad-yaml" | "not-utf8"));
    (root.filter(|_| complete), files)
}

/// Lists the files that a document includes, in its order; of one pattern by name.
fn included(snapshot: &Snapshot, folder: &str, root: &Node, check: &mut Check) -> Vec<String> {
    let mut found = Vec::new();
    let Some(patterns) = root.get("include_paths") else { return found };
    for node in patterns.items() {
        let Some(pattern) = node.as_str() else { continue };
        let plain = pattern.strip_prefix("./").unwrap_or(pattern);
        if plain.starts_with('/') || plain.split('/').any(|part| part == "..") {
            let message = format!("`{pattern}` leads out of the project");
            check.error(
                "bad-include",
                node,
                message,
                Some("include files below the project's folder".to_owned()),
            );
            continue;
        }
        let glob = match GlobBuilder::new(&format!("{}{plain}", globset::escape(folder)))
            .literal_separator(true)
            .build()
        {
            Ok(glob) => glob.compile_matcher(),
            Err(error) => {
                let message = format!("`{pattern}` is not a pattern: {}", error.kind());
                check.error("bad-include", node, message, None);
                continue;
            }
        };
        let before = found.len();
        let inside = format!("{folder}{}/", plain.trim_end_matches('/'));
        found.extend(snapshot.files.keys().filter(|path| glob.is_match(path)).cloned());
        if found.len() == before {
            let is_folder = snapshot.files.keys().any(|path| path.starts_with(&inside));
            no_match(check, node, pattern, is_folder);
        }
    }
    found
}

fn no_match(check: &mut Check, node: &Node, pattern: &str, is_folder: bool) {
    if is_folder {
        let hint = format!("write `{}/*.yml`", pattern.trim_end_matches('/'));
        check.error("bad-include", node, format!("`{pattern}` is a folder"), Some(hint));
    } else {
        let finding = Finding::warning("include-no-match", format!("`{pattern}` matches no file"));
        check.add(finding.at(node.place()).hint("correct the pattern or remove it"));
    }
}

fn check_sibling(
    snapshot: &Snapshot,
    file: &str,
    root: Option<&Node>,
    included: &[String],
    check: &mut Check,
) {
    let sibling = "meltano.yml";
    let path = format!("{}{sibling}", folder(file));
    if snapshot.files.contains_key(&path) && !included.contains(&path) {
        let place =
            root.and_then(|root| root.get("include_paths")).map_or_else(|| Place::file(file), Node::place);
        let message = format!("`{file}` lies beside a `{sibling}` that it does not include");
        let hint = format!("add `include_paths: [{sibling}]` to `{file}`");
        check.add(Finding::error("meltano-not-included", message).at(place).hint(hint));
    }
}

/// Reads `promotion.resolve`.
fn settled(root: &Node) -> Vec<(String, Resolution)> {
    let items = root.at(&["promotion", "resolve"]).map(Node::items).unwrap_or_default();
    let settled = items.iter().filter_map(|item| {
        let side = match item.get("side").and_then(Node::as_str)? {
            "source" => Resolution::Source,
            "target" => Resolution::Target,
            "delete" => Resolution::Delete,
            _ => return None,
        };
        Some((item.get("path").and_then(Node::text)?, side))
    });
    settled.collect()
}

/// Reads the project-wide part; what is wrong in it is found elsewhere.
fn project(root: &Node, file: &str) -> Project {
    let text = |path: &[&str]| root.at(path).and_then(Node::as_str).map(str::to_owned);
    let texts = |path: &[&str]| {
        root.at(path)
            .map(|list| list.items().iter().filter_map(Node::as_str).map(str::to_owned).collect::<Vec<_>>())
    };
    let defaults = Promotion::default();
    Project {
        file: file.to_owned(),
        project_id: root.get("project_id").and_then(Node::text),
        default_environment: text(&["default_environment"]).map(EnvironmentName::new),
        promotion: Promotion {
            order: texts(&["promotion", "order"])
                .unwrap_or_default()
                .into_iter()
                .map(EnvironmentName::new)
                .collect(),
            prefer: match text(&["promotion", "prefer"]).as_deref() {
                Some("target") => Prefer::Target,
                Some("none") => Prefer::None,
                _ => Prefer::Source,
            },
            protected_paths: texts(&["promotion", "protect", "paths"]).unwrap_or(defaults.protected_paths),
            protected_keys: texts(&["promotion", "protect", "keys"]).unwrap_or(defaults.protected_keys),
            structural: texts(&["promotion", "structural"]).unwrap_or(defaults.structural),
            resolve: settled(root),
            refs: text(&["promotion", "refs"]).unwrap_or(defaults.refs),
        },
        environments: environments::names(root),
    }
}
