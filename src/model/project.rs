//! What a project file says for all environments: identity, policy, the list of environments.

use serde::{Deserialize, Serialize};

use super::merge::Resolution;
use super::name::EnvironmentName;

/// The project-wide part of a project file.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// The file, relative to the repository's root (`project.yml`).
    pub file: String,
    /// `project_id`, where given.
    pub project_id: Option<String>,
    /// `default_environment`, where given.
    pub default_environment: Option<EnvironmentName>,
    /// `promotion`.
    pub promotion: Promotion,
    /// Names in the order of the file.
    pub environments: Vec<EnvironmentName>,
}

/// The policy of promotions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Promotion {
    /// Forward order; no step may be skipped. Empty: every pair is allowed.
    pub order: Vec<EnvironmentName>,
    /// Who wins a conflicting hunk.
    pub prefer: Prefer,
    /// Globs of paths that a target keeps as its own.
    pub protected_paths: Vec<String>,
    /// Root keys of the project file that a target keeps as its own.
    pub protected_keys: Vec<String>,
    /// What merges by structure: `project` (the project file and its includes) and globs of YAML files.
    pub structural: Vec<String>,
    /// Conflicts that always go one way: a glob of paths, and the side.
    pub resolve: Vec<(String, Resolution)>,
    /// Prefix of the refs that hold lock, journal and approvals: `refs/promote`.
    pub refs: String,
}

impl Default for Promotion {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            prefer: Prefer::Source,
            protected_paths: vec![".env*".to_owned(), "workspace*.yml".to_owned()],
            protected_keys: vec!["default_environment".to_owned()],
            structural: vec!["project".to_owned()],
            resolve: Vec::new(),
            refs: "refs/promote".to_owned(),
        }
    }
}

/// Who wins a conflicting hunk.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    /// The source: Git's `-X theirs`.
    #[default]
    Source,
    /// The target.
    Target,
    /// Nobody: a conflict stops.
    None,
}

/// How two environments stand to each other in `promotion.order`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// One step forward, or no order is given.
    Forward,
    /// Backwards: the target is before the source.
    Backward,
    /// Forward over a step that lies between.
    Skips,
}

impl Promotion {
    /// Tells the direction of a pair.
    ///
    /// Shape: an environment that the order does not name may be promoted from and to freely.
    pub fn direction(&self, from: &EnvironmentName, to: &EnvironmentName) -> Direction {
        let place = |name| self.order.iter().position(|other| other == name);
        match (place(from), place(to)) {
            (Some(from), Some(to)) if to < from => Direction::Backward,
            (Some(from), Some(to)) if to > from + 1 => Direction::Skips,
            _ => Direction::Forward,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_direction_of_a_pair() {
        let name = EnvironmentName::new;
        let promotion =
            Promotion { order: ["dev", "staging", "prod"].map(name).to_vec(), ..Promotion::default() };
        for (from, to, direction) in [
            ("dev", "staging", Direction::Forward),
            ("dev", "prod", Direction::Skips),
            ("prod", "dev", Direction::Backward),
            ("dev", "other", Direction::Forward),
        ] {
            assert_eq!(promotion.direction(&name(from), &name(to)), direction, "{from} {to}");
        }
    }
}
