//! The workspace of a new environment: a branch, or a repository with one, at the tip of another environment's.
//!
//! In: the project as it would be. First it is looked what is there ([`Wanted::of`], which changes nothing), then it is
//! made ([`Wanted::make`]). A branch that is there already is left where it is. A repository of this machine is made here,
//! one of a forge by the forge's API.

use std::time::Duration;

use crate::ci::{Forge, ForgeError};
use crate::config::{Amended, ConfigError, Flags, Like};
use crate::git::{self, GitError, Revision, Standing, Store, Transport};
use crate::model::environment::{Via, Workspace};
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;

use super::apply::border;
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
    /// A repository with the branch: a bare one of this machine, or one of a forge.
    Repository,
}

/// How long it is waited for a forge before it is asked again for a repository that it has just made.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// A workspace that is to be made.
pub(super) struct Wanted {
    site: Site,
    standing: Standing,
    /// The forge that has to make the repository first.
    forge: Option<Forge>,
    tip: Revision,
    store: Store,
    /// What a person should know.
    pub(super) findings: Vec<Finding>,
}

impl Wanted {
    /// Looks what has to be made; nothing where the new environment has no workspace.
    ///
    /// Effects: asks the repositories and their forges, and fetches the code of the copied environment into the cache.
    ///
    /// # Errors
    ///
    /// [`PromotionError::NoBranch`], [`PromotionError::NoRepositoryYet`], [`PromotionError::Occupied`],
    /// [`PromotionError::Forge`], [`PromotionError::File`], [`PromotionError::Config`], [`PromotionError::Git`].
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
        let tip = side.tip.clone().ok_or_else(|| side.no_branch())?;
        let mut findings = not_committed(ground, &gathered.store, &tip, like.environment, ports)?;
        findings.extend(shared(ground, &site, ports));
        let (standing, forge) = standing(&gathered.store, &site, ports)?;
        if like.repository.is_some() && !is_known(ground, &site, ports) {
            vacant(ground, &standing, (&side.site, &site), ports)?;
        }
        if let Standing::NoRepository(folder) = &standing {
            let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
            if let Some(above) = above.filter(|above| !above.is_dir()) {
                let source = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(PromotionError::File { doing: "find", path: above.to_owned(), source });
            }
        }
        Ok(Some(Self { site, standing, forge, tip, store: gathered.store, findings }))
    }

    /// Makes it.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Git`], [`PromotionError::Forge`]; nothing is left then. [`PromotionError::StillEmpty`] if a forge's
    /// repository is made and its branch is not: the same again goes on.
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
        if let Some(forge) = &self.forge {
            self.make_at(forge, (&branch, &identity, transport), ports)?;
            return Ok(MadeWorkspace {
                repository,
                branch,
                commit: commit.to_string(),
                made: Made::Repository,
            });
        }
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

    /// Has a forge make the repository, and pushes the branch there.
    fn make_at(
        &self,
        forge: &Forge,
        (branch, identity, transport): (&str, &git::Identity, Transport<'_>),
        ports: &mut Ports<'_>,
    ) -> Result<(), PromotionError> {
        let url = self.site.location.words();
        let what = format!("making the repository {url} on {}", forge.kind().as_str());
        ports.doing(what, || forge.create(branch))?;
        border("repository", ports);
        let target = destination(&self.site.location);
        let mut pauses = PAUSES.into_iter();
        loop {
            let tools = (identity, transport);
            let pushed = ports.doing(format!("pushing {branch} to {url}"), || {
                git::create_branch(&self.store, &target, branch, &self.tip, tools)
            });
            let Err(error) = pushed else { return Ok(()) };
            // What is new may take a moment until every part of a forge knows it.
            let absent = matches!(error, GitError::NoRepository { .. } | GitError::Unreachable { .. });
            match pauses.next().filter(|_| absent && !ports.is_interrupted()) {
                Some(pause) => std::thread::sleep(pause),
                None => {
                    return Err(PromotionError::StillEmpty {
                        url,
                        kind: forge.kind(),
                        source: Box::new(error),
                    });
                }
            }
        }
    }
}

/// A repository that is not the project's has to be empty, or to hold the project: never another one's work.
fn vacant(
    ground: &Ground,
    standing: &Standing,
    (source, site): (&Site, &Site),
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let occupied = match standing {
        Standing::NoRepository(_) | Standing::Empty => false,
        Standing::OtherBranches => true,
        Standing::At(there) => {
            let both = Gathered::of(ground, source.clone(), site.clone(), ports)?;
            match &both.from.tip {
                Some(tip) => !both.store.is_related(tip, there)?,
                None => false,
            }
        }
    };
    if !occupied {
        return Ok(());
    }
    let held = matches!(standing, Standing::At(_));
    Err(PromotionError::Occupied { url: site.location.words(), branch: site.branch.clone(), held })
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
            Ok(Site { location: Location::Local(local.git_dir.clone()), branch, via: Via::Push })
        }
        (site, _) => site,
    }
}

/// Tells how the branch stands, and which forge has to make its repository first.
fn standing(
    store: &Store,
    site: &Site,
    ports: &mut Ports<'_>,
) -> Result<(Standing, Option<Forge>), PromotionError> {
    let url = match &site.location {
        Location::Local(folder) => {
            let tip = Store::local(folder)?.tip(&format!("refs/heads/{}", site.branch))?;
            return Ok((tip.map_or(Standing::OtherBranches, Standing::At), None));
        }
        Location::Remote(url) => url,
    };
    let interrupted = std::sync::Arc::clone(&ports.interrupted);
    let transport = Transport { program: ports.git, interrupt: &interrupted };
    let what = format!("looking into {}", site.location.words());
    let found = ports.doing(what, || git::standing(store, url, &site.branch, transport));
    let error = match found {
        Ok(standing) => return Ok((standing, None)),
        Err(error) => error,
    };
    let absent = matches!(error, GitError::NoRepository { .. } | GitError::Unreachable { .. });
    if !absent || git::local_path(url).is_some() {
        return Err(error.into());
    }
    let forge = match Forge::of(url, ports.variables, &interrupted) {
        Ok(forge) => forge,
        Err(ForgeError::Unknown { .. } | ForgeError::NoToken { .. }) => {
            return Err(PromotionError::NoRepositoryYet { url: site.location.words(), source: error });
        }
        Err(error) => return Err(error.into()),
    };
    let what = format!("asking {} for {}", forge.kind().as_str(), site.location.words());
    if ports.doing(what, || forge.exists())? {
        // It is there, and Git is not let in: Git's own words say why.
        return Err(error.into());
    }
    Ok((Standing::Empty, Some(forge)))
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
