//! The workspace of a new environment: a branch, or a bare repository with one, at the tip of another environment's.
//!
//! In: the project as it would be. First it is looked what is there ([`Wanted::of`], which changes nothing), then it is
//! made ([`Wanted::make`]). A branch that is there already is left where it is.

use crate::config::{Amended, ConfigError, Flags, Like};
use crate::git::{self, GitError, Revision, Standing, Store, Transport};
use crate::model::environment::Workspace;
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;

use super::error::PromotionError;
use super::gather::{Gathered, destination};
use super::ground::{Ground, inputs};
use super::request::Ports;
use super::site::{Location, Site, is_same, locate};

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

/// A workspace that is to be made.
pub(super) struct Wanted {
    site: Site,
    standing: Standing,
    tip: Revision,
    store: Store,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
}

impl Wanted {
    /// Looks what has to be made; nothing where the new environment has no workspace.
    ///
    /// Effects: asks the repositories, and fetches the code of the copied environment into the cache.
    ///
    /// # Errors
    ///
    /// [`PromotionError::NoBranch`], [`PromotionError::NoRepositoryYet`], [`PromotionError::Occupied`],
    /// [`PromotionError::File`], [`PromotionError::Config`], [`PromotionError::Git`].
    pub(super) fn of(
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

    /// Makes it.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Git`]; nothing is left then.
    pub(super) fn make(
        self,
        ground: &Ground,
        ports: &mut Ports<'_>,
    ) -> Result<MadeWorkspace, PromotionError> {
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
