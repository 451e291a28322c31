//! What a command for one environment reads: the working tree where its branch is checked out, or where there
//! is no Git; else the tip of its workspace.

use std::path::PathBuf;

use crate::config::{self, Flags, Resolved, Written};
use crate::git::Store;
use crate::model::environment::Effective;
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::model::snapshot::{Snapshot, SnapshotSource};
use crate::models::Models;

use super::error::PromotionError;
use super::folder::{self, Folder};
use super::gather::Gathered;
use super::ground::{Ground, inputs};
use super::load;
use super::request::Ports;
use super::site::{self, Location, Site};

/// Which files are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Files {
    /// The working tree where the environment's branch is checked out, else the tip of its workspace.
    Fitting,
    /// The working tree.
    WorkTree,
}

/// One environment, as its files say.
pub struct Reading {
    /// What its layers come to.
    pub resolved: Resolved,
    /// Which environment, and why that one.
    pub chosen: config::Chosen,
    /// What was read, in words.
    pub read: String,
    /// Warnings of the project file and the variables.
    pub findings: Vec<Finding>,
    pub(super) written: Written,
    pub(super) snapshot: Snapshot,
    /// Where the objects of the commit are that was read.
    pub(super) store: Option<PathBuf>,
    pub(super) ground: Ground,
}

/// Chooses the environment and reads its files.
///
/// Effects: reads the working tree, or fetches the workspace into the cache.
///
/// # Errors
///
/// [`PromotionError::NoProject`], [`PromotionError::NoneChosen`], [`PromotionError::Config`], [`PromotionError::Git`].
pub fn read(
    asked: config::Asked<'_>,
    files: Files,
    flags: Flags,
    ports: &mut Ports<'_>,
) -> Result<Reading, PromotionError> {
    let ground = Ground::find(ports)?;
    let project = ground.need_project(ports)?;
    let from_dotenv = inputs(&project.root, ports, Flags::default())?.dotenv;
    let chosen =
        config::choose_environment(asked, ports.variables, &from_dotenv, Some(project.written.project()));
    let Some(name) = chosen.name.clone() else {
        return Err(PromotionError::NoneChosen {
            known: project.written.project().environments.iter().map(ToString::to_string).collect(),
        });
    };
    let (snapshot, read, store) = snapshot(&ground, name.as_str(), files, ports)?;
    let project = ground.need_project(ports)?;
    let written = config::load(&snapshot, &project.file)?;
    ports.stop_if_asked()?;
    let resolved = written.environment(&name, &inputs(&project.root, ports, flags)?)?;
    let mut findings = written.findings().to_vec();
    findings.extend(resolved.findings.iter().cloned());
    Ok(Reading { resolved, chosen, read, findings, written, snapshot, store, ground })
}

/// A project whose configuration is read, environment by environment.
pub struct Configurations {
    ground: Ground,
}

/// What an environment's configuration comes to.
pub struct Configured {
    /// Its values.
    pub effective: Effective,
    /// What was read, in words.
    pub read: String,
    /// Warnings of the project file, the variables and the values.
    pub findings: Vec<Finding>,
    /// Its secrets: every text of a sensitive value, and passwords in URLs.
    pub secrets: Vec<String>,
    /// What must not be seen: these, and what is written in clear in any layer.
    pub mask: config::Mask,
}

impl Configurations {
    /// Finds the project.
    ///
    /// # Errors
    ///
    /// [`PromotionError::NoProject`] if there is none, [`PromotionError::Config`] if it is broken.
    pub fn open(ports: &Ports<'_>) -> Result<Self, PromotionError> {
        let ground = Ground::find(ports)?;
        ground.need_project(ports)?;
        Ok(Self { ground })
    }

    /// Gives the names of the environments in the order of the file.
    ///
    /// # Errors
    ///
    /// [`PromotionError::NoProject`] if there is no project.
    pub fn environments(&self, ports: &Ports<'_>) -> Result<Vec<EnvironmentName>, PromotionError> {
        Ok(self.ground.need_project(ports)?.written.project().environments.clone())
    }

    /// Chooses the environment; none where nothing names one.
    ///
    /// # Errors
    ///
    /// [`PromotionError::File`] if `.env` cannot be read.
    pub fn choose(
        &self,
        asked: config::Asked<'_>,
        ports: &Ports<'_>,
    ) -> Result<config::Chosen, PromotionError> {
        let project = self.ground.need_project(ports)?;
        let dotenv = inputs(&project.root, ports, Flags::default())?.dotenv;
        Ok(config::choose_environment(asked, ports.variables, &dotenv, Some(project.written.project())))
    }

    /// Resolves an environment, or the project without one.
    ///
    /// Effects: fetches the environment's workspace where its branch is not what is checked out here.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Config`], [`PromotionError::Git`].
    pub fn read(
        &self,
        name: Option<&EnvironmentName>,
        files: Files,
        ports: &mut Ports<'_>,
    ) -> Result<Configured, PromotionError> {
        ports.stop_if_asked()?;
        let project = self.ground.need_project(ports)?;
        let inputs = inputs(&project.root, ports, Flags::default())?;
        let elsewhere = name.and_then(|name| elsewhere(&self.ground, name.as_str(), files, ports));
        let Some(site) = elsewhere else {
            return Configured::of(&project.written, name, &inputs, "the working tree".to_owned());
        };
        let tip = at_tip(&self.ground, (name, site), ports)?;
        Configured::of(&tip.written, name, &inputs, tip.read)
    }
}

impl Configurations {
    /// Explains a key of an environment, or of the project without one.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`ConfigError::UnknownKey`](config::ConfigError::UnknownKey).
    pub fn explain(
        &self,
        name: Option<&EnvironmentName>,
        key: &str,
        files: Files,
        ports: &mut Ports<'_>,
    ) -> Result<(Vec<config::Explanation>, Configured), PromotionError> {
        let project = self.ground.need_project(ports)?;
        let inputs = inputs(&project.root, ports, Flags::default())?;
        let elsewhere = name.and_then(|name| elsewhere(&self.ground, name.as_str(), files, ports));
        let Some(site) = elsewhere else {
            let configured = Configured::of(&project.written, name, &inputs, "the working tree".to_owned())?;
            return Ok((project.written.explain(name, key, &inputs)?, configured));
        };
        let Tip { written, read, .. } = at_tip(&self.ground, (name, site), ports)?;
        Ok((written.explain(name, key, &inputs)?, Configured::of(&written, name, &inputs, read)?))
    }

    /// Resolves an environment as a revision of the local repository has it.
    ///
    /// # Errors
    ///
    /// [`PromotionError::NoRevisions`] outside of Git, [`PromotionError::Git`] if there is no such revision, [`PromotionError::NoProject`] if it holds no project
    /// file, [`PromotionError::Config`].
    pub fn at_revision(
        &self,
        name: Option<&EnvironmentName>,
        revision: &str,
        ports: &Ports<'_>,
    ) -> Result<Configured, PromotionError> {
        let project = self.ground.need_project(ports)?;
        let local = self.ground.local.as_ref().ok_or_else(|| PromotionError::NoRevisions {
            folder: project.root.clone(),
            revision: revision.to_owned(),
        })?;
        let store = Store::local(&local.git_dir)?;
        let commit = store.resolve(revision)?;
        let found = load::load(&store, &commit, &project.prefix, &project.file)?;
        let (written, _) = found.ok_or_else(|| PromotionError::NoProject {
            folder: std::path::PathBuf::from(format!("{revision}:{}{}", project.prefix, project.file)),
        })?;
        let inputs = inputs(&project.root, ports, Flags::default())?;
        Configured::of(&written, name, &inputs, format!("{revision} ({})", commit.short()))
    }
}

impl Configured {
    fn of(
        written: &Written,
        name: Option<&EnvironmentName>,
        inputs: &config::Inputs,
        read: String,
    ) -> Result<Self, PromotionError> {
        let (effective, faults) = written.effective(name, inputs)?;
        let secrets = config::secrets(&effective);
        let mask = config::Mask::new(secrets.iter().chain(written.secrets()).cloned());
        let mut findings = written.findings().to_vec();
        findings.extend(faults);
        Ok(Self { effective, read, findings, secrets, mask })
    }
}

fn snapshot(
    ground: &Ground,
    name: &str,
    files: Files,
    ports: &mut Ports<'_>,
) -> Result<(Snapshot, String, Option<PathBuf>), PromotionError> {
    let Some(site) = elsewhere(ground, name, files, ports) else {
        return Ok((ground.need_project(ports)?.work_tree()?, "the working tree".to_owned(), None));
    };
    let tip = at_tip(ground, (Some(&EnvironmentName::new(name)), site), ports)?;
    Ok((tip.snapshot, tip.read, Some(tip.store)))
}

/// Gives the workspace of an environment that is not read from the working tree.
fn elsewhere(ground: &Ground, name: &str, files: Files, ports: &Ports<'_>) -> Option<Site> {
    if files == Files::WorkTree || ground.local.is_none() {
        return None;
    }
    // A project that names no workspace for the environment has its code here.
    ground.site(name, ports).ok().filter(|site| !is_checked_out(ground, site))
}

/// A project at the tip of a workspace.
struct Tip {
    written: Written,
    snapshot: Snapshot,
    /// What was read, in words.
    read: String,
    /// Where its objects are.
    store: PathBuf,
}

/// Reads the project and its files at the tip of a workspace.
fn at_tip(
    ground: &Ground,
    (name, site): (Option<&EnvironmentName>, Site),
    ports: &mut Ports<'_>,
) -> Result<Tip, PromotionError> {
    let project = ground.need_project(ports)?;
    let gathered = Gathered::of(ground, site.clone(), site, ports)?;
    let side = &gathered.from;
    let tip = side.tip.as_ref().ok_or_else(|| side.no_branch())?;
    let read = format!("branch {} at {}", side.site.branch, tip.short());
    let found = load::load(&gathered.store, tip, &project.prefix, &project.file)?;
    let (written, snapshot) = found.ok_or_else(|| PromotionError::NoProject {
        folder: std::path::PathBuf::from(format!("{} {}", side.site.location.words(), side.site.branch)),
    })?;
    if let Some(name) = name.filter(|name| !written.project().environments.contains(name)) {
        return Err(PromotionError::NotThereYet { environment: name.to_string(), read });
    }
    Ok(Tip { written, snapshot, read, store: gathered.store.git_dir().to_path_buf() })
}

/// Whether the environment's branch is what is checked out here.
fn is_checked_out(ground: &Ground, site: &Site) -> bool {
    let Some(local) = &ground.local else { return false };
    let same_branch = local.head.as_deref() == Some(site.branch.as_str());
    match &site.location {
        Location::Local(_) => same_branch,
        Location::Remote(url) => {
            same_branch && local.origin.as_deref().is_some_and(|origin| site::is_same(origin, url))
        }
    }
}

impl Reading {
    /// Loads the environment's models.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Models`] with every fault.
    pub fn models(&self, ports: &Ports<'_>) -> Result<Models, PromotionError> {
        load::load_models(&self.snapshot, &self.resolved, &self.written, ports)
    }

    /// Gives a folder with its files for programs that only know folders.
    ///
    /// # Errors
    ///
    /// [`PromotionError::File`] if they cannot be written.
    pub(super) fn folder(&self, ports: &Ports<'_>) -> Result<Folder, PromotionError> {
        let project = self.ground.need_project(ports)?;
        let commit = match (&self.snapshot.source, &self.store) {
            (SnapshotSource::Commit(id) | SnapshotSource::Tree(id), Some(store)) => {
                Some((store.as_path(), id.as_str()))
            }
            _ => None,
        };
        folder::folder((&project.root, &project.prefix), commit)
    }

    /// Gives the secrets of the environment's values.
    pub fn mask(&self) -> config::Mask {
        config::Mask::new(config::secrets(&self.resolved.effective).into_iter())
    }

    /// Gives the name of the project file.
    pub fn file(&self) -> &str {
        &self.written.project().file
    }
}
