//! Environments of the project at hand: listed, added with the workspace that they need, taken out.
//!
//! Everything is checked before the first write. The new file lies ready beside the old one, then branch
//! or repository are made, then the file is renamed into place: what fails before that leaves the file as it was.

use std::path::{Component, Path, PathBuf};

use crate::config::{self, Amended, ConfigError, Like, Listed};
use crate::git;
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;

use super::apply::border;
use super::error::PromotionError;
use super::ground::{AtHand, Ground};
use super::request::Ports;
use super::rewrite::{Content, Rewrite};
use super::workspace::{MadeWorkspace, Wanted};

/// The environments of a project.
pub struct Environments {
    /// The project file.
    pub file: String,
    /// The environments, in the order of the file.
    pub listed: Vec<Listed>,
}

/// What adding an environment did.
pub struct Added {
    /// The environment.
    pub listed: Listed,
    /// The files that changed, in the working tree only.
    pub files: Vec<String>,
    /// The same as seen from the working directory.
    pub paths: Vec<String>,
    /// Its workspace, where it has one of its own.
    pub workspace: Option<MadeWorkspace>,
    /// What a person should know.
    pub findings: Vec<Finding>,
}

/// What taking an environment out did.
pub struct Removed {
    /// The environment as it was.
    pub listed: Listed,
    /// The files that changed, in the working tree only.
    pub files: Vec<String>,
    /// The same as seen from the working directory.
    pub paths: Vec<String>,
}

/// Lists the environments of the working tree's project file.
///
/// # Errors
///
/// [`PromotionError::NoProject`] if there is none, [`PromotionError::Config`] if it is broken.
pub fn environments(ports: &Ports<'_>) -> Result<Environments, PromotionError> {
    let ground = Ground::find(ports)?;
    let project = ground.need_project(ports)?;
    Ok(Environments { file: project.file.clone(), listed: project.written.listed() })
}

/// Adds an environment, and makes its branch or repository where it is like another one.
///
/// Effects: as the module says; a branch that is there already is left where it is.
///
/// # Errors
///
/// [`PromotionError::Config`] if the file cannot have it; [`PromotionError::NoBranch`],
/// [`PromotionError::NoRepositoryYet`], [`PromotionError::Occupied`], [`PromotionError::Git`] if its workspace cannot be
/// made; [`PromotionError::File`], [`PromotionError::Stale`] if the file cannot be written.
pub fn add_environment(
    name: &str,
    like: Option<&Like<'_>>,
    ports: &mut Ports<'_>,
) -> Result<Added, PromotionError> {
    let ground = Ground::find(ports)?;
    let project = ground.need_project(ports)?;
    let snapshot = config::read_work_tree(&project.root, &config::is_project_file)?;
    let repository = like
        .and_then(|like| like.repository)
        .map(|repository| spelled(&project.root, ports.folder, repository));
    let like = like.map(|like| Like { repository: repository.as_deref(), ..*like });
    let amended = config::add_environment(&snapshot, &project.file, name, like.as_ref())?;
    let listed = amended.written.listed().into_iter().find(|listed| listed.name.as_str() == name);
    let listed = listed.ok_or_else(|| ConfigError::UnknownEnvironment {
        name: EnvironmentName::new(name),
        known: Vec::new(),
        meant: None,
    })?;
    let mut findings: Vec<Finding> = outside_the_order(&amended, name).into_iter().collect();
    let wanted = match &like {
        Some(like) => Wanted::of(&ground, &amended, (name, like), ports)?,
        None => None,
    };
    findings.extend(wanted.iter().flat_map(|wanted| wanted.findings.iter().cloned()));
    let rewrite = Rewrite::prepare(contents(project, &amended)?)?;
    border("staged", ports);
    ports.stop_if_asked()?;
    let workspace = wanted.map(|wanted| wanted.make(&ground, ports)).transpose()?;
    border("made", ports);
    rewrite.finish()?;
    let paths = paths(project, &amended, ports);
    Ok(Added { listed, files: amended.files, paths, workspace, findings })
}

/// Takes an environment out of the project file; its branch, repository and data are left alone.
///
/// # Errors
///
/// [`PromotionError::Config`] if there is none or something still names it; [`PromotionError::File`],
/// [`PromotionError::Stale`] if the file cannot be written.
pub fn remove_environment(name: &str, ports: &Ports<'_>) -> Result<Removed, PromotionError> {
    let ground = Ground::find(ports)?;
    let project = ground.need_project(ports)?;
    let snapshot = config::read_work_tree(&project.root, &config::is_project_file)?;
    let amended = config::remove_environment(&snapshot, &project.file, name)?;
    let listed = project.written.listed().into_iter().find(|listed| listed.name.as_str() == name);
    let listed =
        listed.ok_or_else(|| PromotionError::Stale { what: format!("`{}` changed", project.file) })?;
    Rewrite::prepare(contents(project, &amended)?)?.finish()?;
    let paths = paths(project, &amended, ports);
    Ok(Removed { listed, files: amended.files, paths })
}

/// Gives the files that change, with what they say before and after.
fn contents(project: &AtHand, amended: &Amended) -> Result<Vec<Content>, PromotionError> {
    let content = |file: &String| {
        let path = project.root.join(file);
        let before = std::fs::read(&path).map_err(|source| PromotionError::File {
            doing: "read",
            path: path.clone(),
            source,
        })?;
        let after = amended.snapshot.files.get(file).cloned().unwrap_or_default();
        Ok(Content { path, before, after })
    };
    amended.files.iter().map(content).collect()
}

/// Gives the files that change as seen from the working directory.
fn paths(project: &AtHand, amended: &Amended, ports: &Ports<'_>) -> Vec<String> {
    amended.files.iter().map(|file| seen_from(ports.folder, &project.root, file)).collect()
}

/// Says that the order of promotions does not know a new environment.
fn outside_the_order(amended: &Amended, name: &str) -> Option<Finding> {
    let order = &amended.written.project().promotion.order;
    if order.is_empty() || order.iter().any(|known| known.as_str() == name) {
        return None;
    }
    let message = format!("`promotion.order` does not name `{name}`: promotions from and to it are free");
    Some(Finding::notice("not-in-order", message).hint("put it where it belongs in `promotion.order`"))
}

/// Spells a repository that was typed in one folder as it is seen from another; addresses stay.
fn spelled(root: &Path, folder: &Path, typed: &str) -> String {
    let is_path = git::local_path(typed).is_some() && !typed.contains("://");
    if is_path { seen_from(root, folder, typed) } else { typed.to_owned() }
}

/// Spells a path that is relative to one folder as it is seen from another; whole paths stay.
fn seen_from(root: &Path, folder: &Path, path: &str) -> String {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (root, folder) = (real(root), real(folder));
    if Path::new(path).is_absolute() || root == folder {
        return path.to_owned();
    }
    let mut whole = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => whole.push(component),
        }
    }
    let common = root.components().zip(whole.components()).take_while(|(one, other)| one == other).count();
    let up = root.components().skip(common).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(whole.components().skip(common)).collect();
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_paths_as_the_project_file_sees_them() {
        for (folder, typed, seen) in [
            ("/srv/shop", "../staging.git", "../staging.git"),
            ("/srv/shop/models", "../../staging.git", "../staging.git"),
            ("/srv/shop/models", "./x/../y.git", "models/y.git"),
            ("/srv", "staging.git", "../staging.git"),
            ("/srv/shop/models", "/abs/x.git", "/abs/x.git"),
            ("/srv/shop/models", "git@h:a/b.git", "git@h:a/b.git"),
            ("/srv/shop/models", "https://h/a.git", "https://h/a.git"),
        ] {
            assert_eq!(spelled(Path::new("/srv/shop"), Path::new(folder), typed), seen, "{folder} {typed}");
        }
    }
}
