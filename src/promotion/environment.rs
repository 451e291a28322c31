//! Environments of the project at hand: listed, added with the workspace that they need, taken out.
//!
//! Everything is checked before the first write. The new file lies ready beside the old one, then branch
//! or repository are made, then the file is renamed into place: what fails before that leaves the file as it was.

use std::path::{Component, Path, PathBuf};

use crate::config::{self, Amended, ConfigError, Flags, Like, Listed};
use crate::git::{self, GitError, Revision, Standing, Store, Transport};
use crate::model::environment::Workspace;
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;

use super::error::PromotionError;
use super::gather::{Gathered, destination};
use super::ground::{AtHand, Ground, inputs};
use super::request::Ports;
use super::rewrite::{Content, Rewrite};
use super::site::{Location, Site, is_same, locate};

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

/// A new environment's workspace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MadeWorkspace {
    /// The repository in words: `.` for the one at hand, no password in a URL.
    pub repository: String,
    /// The branch.
    pub branch: String,
    /// Where the branch is.
    pub commit: String,
    /// What was made.
    pub made: Made,
}

/// What was made of a workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Made {
    /// Nothing: the branch was there already.
    Nothing,
    /// The branch.
    Branch,
    /// A bare repository with the branch.
    Repository,
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
    if ports.is_interrupted() {
        return Err(PromotionError::Interrupted);
    }
    let workspace = wanted.map(|wanted| wanted.make(&ground, ports)).transpose()?;
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

/// A workspace that is to be made.
struct Wanted {
    site: Site,
    standing: Standing,
    tip: Revision,
    store: Store,
    findings: Vec<Finding>,
}

impl Wanted {
    /// Looks what has to be made; nothing where the new environment has no workspace.
    fn of(
        ground: &Ground,
        amended: &Amended,
        (name, like): (&str, &Like<'_>),
        ports: &mut Ports<'_>,
    ) -> Result<Option<Self>, PromotionError> {
        let Some(workspace) = workspace(ground, amended, name, ports)? else { return Ok(None) };
        let site = place(ground, &workspace).ok_or(PromotionError::Config(ConfigError::Missing {
            environment: EnvironmentName::new(name),
            key: "workspace.repository",
            place: None,
        }))?;
        let source = source(ground, like.environment, ports)?;
        let gathered = Gathered::of(ground, source.clone(), source, ports)?;
        let side = &gathered.from;
        let tip = side.tip.clone().ok_or_else(|| PromotionError::NoBranch {
            branch: side.site.branch.clone(),
            repository: side.site.location.words(),
        })?;
        let mut findings = not_committed(ground, &gathered.store, &tip, like.environment, ports)?;
        findings.extend(shared(ground, &site, ports));
        let standing = standing(&gathered.store, &site, ports)?;
        if standing == Standing::OtherBranches && like.repository.is_some() && !is_known(ground, &site, ports)
        {
            return Err(PromotionError::Occupied { url: site.location.words(), branch: site.branch });
        }
        if let Standing::NoRepository(folder) = &standing {
            let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
            if let Some(above) = above.filter(|above| !above.is_dir()) {
                let source = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(PromotionError::File { doing: "find", path: above.to_owned(), source });
            }
        }
        Ok(Some(Self { site, standing, tip, store: gathered.store, findings }))
    }

    fn make(self, ground: &Ground, ports: &mut Ports<'_>) -> Result<MadeWorkspace, PromotionError> {
        let identity = ground.identity(ports);
        let (repository, branch) = (self.site.location.words(), self.site.branch.clone());
        let interrupted = std::sync::Arc::clone(&ports.interrupted);
        let transport = Transport { program: ports.git, interrupt: &interrupted };
        let (store, tip) = (&self.store, &self.tip);
        let mut commit = tip.clone();
        let made = match &self.standing {
            Standing::At(there) => {
                commit = there.clone();
                Made::Nothing
            }
            Standing::NoRepository(folder) => {
                let what = format!("making the repository {}", folder.display());
                ports.doing(what, || git::create_repository(store, folder, &branch, tip, transport))?;
                Made::Repository
            }
            Standing::Empty | Standing::OtherBranches => {
                let target = destination(&self.site.location);
                let what = format!("making the branch {branch}");
                let tools = (&identity, transport);
                ports.doing(what, || git::create_branch(store, &target, &branch, tip, tools))?;
                Made::Branch
            }
        };
        Ok(MadeWorkspace { repository, branch, commit: commit.to_string(), made })
    }
}

/// Gives the workspace of a new environment as it would be in force.
fn workspace(
    ground: &Ground,
    amended: &Amended,
    name: &str,
    ports: &Ports<'_>,
) -> Result<Option<Workspace>, PromotionError> {
    let project = ground.need_project(ports)?;
    let inputs = inputs(&project.root, ports, Flags::default())?;
    let resolved = amended.written.environment(&EnvironmentName::new(name), &inputs)?;
    match resolved.workspace() {
        Ok(workspace) => Ok(Some(workspace.clone())),
        Err(ConfigError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn place(ground: &Ground, workspace: &Workspace) -> Option<Site> {
    let local = ground.local.as_ref();
    locate(
        workspace,
        local.map(|local| local.git_dir.as_path()),
        local.and_then(|local| local.origin.as_deref()),
    )
}

/// Gives where the code of the copied environment is; without a workspace, what is checked out here.
fn source(ground: &Ground, name: &str, ports: &Ports<'_>) -> Result<Site, PromotionError> {
    match (ground.site(name, ports), &ground.local) {
        (Err(PromotionError::Config(ConfigError::Missing { .. })), Some(local)) => {
            let branch = local.head.clone().unwrap_or_else(|| "HEAD".to_owned());
            Ok(Site { location: Location::Local(local.git_dir.clone()), branch })
        }
        (site, _) => site,
    }
}

fn standing(store: &Store, site: &Site, ports: &mut Ports<'_>) -> Result<Standing, PromotionError> {
    let url = match &site.location {
        Location::Local(folder) => {
            let tip = Store::local(folder)?.tip(&format!("refs/heads/{}", site.branch))?;
            return Ok(tip.map_or(Standing::OtherBranches, Standing::At));
        }
        Location::Remote(url) => url,
    };
    let interrupted = std::sync::Arc::clone(&ports.interrupted);
    let transport = Transport { program: ports.git, interrupt: &interrupted };
    let what = format!("looking into {}", site.location.words());
    let found = ports.doing(what, || git::standing(store, url, &site.branch, transport));
    found.map_err(|error| {
        let absent = matches!(error, GitError::NoRepository { .. } | GitError::Unreachable { .. });
        if absent && git::local_path(url).is_none() {
            PromotionError::NoRepositoryYet { url: site.location.words(), source: error }
        } else {
            error.into()
        }
    })
}

/// Lists the workspaces of the environments that are there.
fn sites<'a>(ground: &'a Ground, ports: &'a Ports<'_>) -> impl Iterator<Item = (EnvironmentName, Site)> + 'a {
    let names = ground.project.iter().flat_map(|project| project.written.project().environments.clone());
    names.filter_map(|name| ground.site(name.as_str(), ports).ok().map(|site| (name, site)))
}

fn is_one(one: &Location, other: &Location) -> bool {
    match (one, other) {
        (Location::Remote(one), Location::Remote(other)) => is_same(one, other),
        (Location::Local(_), Location::Local(_)) => true,
        (Location::Local(_), Location::Remote(_)) | (Location::Remote(_), Location::Local(_)) => false,
    }
}

/// Whether a repository is one of the project's: that of another environment, or `origin`.
fn is_known(ground: &Ground, site: &Site, ports: &Ports<'_>) -> bool {
    let origin = ground.local.as_ref().and_then(|local| local.origin.clone()).map(Location::Remote);
    matches!(site.location, Location::Local(_))
        || origin.is_some_and(|origin| is_one(&origin, &site.location))
        || sites(ground, ports).any(|(_, other)| is_one(&other.location, &site.location))
}

/// Warns of a workspace that another environment has.
fn shared(ground: &Ground, site: &Site, ports: &Ports<'_>) -> Option<Finding> {
    let (other, _) = sites(ground, ports)
        .find(|(_, other)| other.branch == site.branch && is_one(&other.location, &site.location))?;
    let message =
        format!("branch `{}` of `{}` is the workspace of `{other}` too", site.branch, site.location.words());
    Some(Finding::warning("same-workspace", message).hint("give the new environment a branch of its own"))
}

/// Warns where the branch that is copied does not hold the project yet.
fn not_committed(
    ground: &Ground,
    store: &Store,
    tip: &Revision,
    name: &str,
    ports: &Ports<'_>,
) -> Result<Vec<Finding>, PromotionError> {
    let project = ground.need_project(ports)?;
    let path = format!("{}{}", project.prefix, project.file);
    if store.read_file(tip, &path)?.is_some() {
        return Ok(Vec::new());
    }
    let message = format!("the code of `{name}` holds no `{path}` yet, so the new workspace does not either");
    Ok(vec![Finding::warning("not-pushed", message).hint("commit it there and promote it")])
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
