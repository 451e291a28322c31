//! What a command for one environment reads: the working tree where its branch is checked out, or where there
//! is no Git; else the tip of its workspace.

use crate::config::{self, Flags, Resolved, Written};
use crate::model::finding::Finding;
use crate::model::snapshot::Snapshot;
use crate::models::Models;

use super::error::PromotionError;
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
    let (snapshot, read) = snapshot(&ground, name.as_str(), files, ports)?;
    let project = ground.need_project(ports)?;
    let written = config::load(&snapshot, &project.file)?;
    let mut resolved = written.environment(&name, &inputs(&project.root, ports, flags)?)?;
    for value in resolved.effective.root.values_mut() {
        value.origin.commit = snapshot.commit().map(Into::into).filter(|_| value.origin.file.is_some());
    }
    for value in resolved.effective.plugins.values_mut().flat_map(|settings| settings.values_mut()) {
        value.origin.commit = snapshot.commit().map(Into::into).filter(|_| value.origin.file.is_some());
    }
    let mut findings = written.findings().to_vec();
    findings.extend(resolved.findings.iter().cloned());
    Ok(Reading { resolved, chosen, read, findings, written, snapshot, ground })
}

fn snapshot(
    ground: &Ground,
    name: &str,
    files: Files,
    ports: &mut Ports<'_>,
) -> Result<(Snapshot, String), PromotionError> {
    let project = ground.need_project(ports)?;
    let work_tree = || Ok((project.work_tree()?, "the working tree".to_owned()));
    if files == Files::WorkTree || ground.local.is_none() {
        return work_tree();
    }
    // A project that names no workspace for the environment has its code here.
    let Ok(site) = ground.site(name, ports) else { return work_tree() };
    if is_checked_out(ground, &site) {
        return work_tree();
    }
    let gathered = Gathered::of(ground, site.clone(), site, ports)?;
    let side = &gathered.from;
    let tip = side.tip.as_ref().ok_or_else(|| PromotionError::NoBranch {
        branch: side.site.branch.clone(),
        repository: side.site.location.words(),
    })?;
    let read = format!("branch {} at {}", side.site.branch, tip.short());
    let found = load::load(&gathered.store, tip, &project.prefix, &project.file)?;
    found.map(|(_, snapshot)| (snapshot, read)).ok_or_else(|| PromotionError::NoProject {
        folder: std::path::PathBuf::from(format!("{} {}", side.site.location.words(), side.site.branch)),
    })
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

    /// Gives the secrets of the environment's values.
    pub fn mask(&self) -> config::Mask {
        config::Mask::new(config::secrets(&self.resolved.effective).into_iter())
    }

    /// Gives the name of the project file.
    pub fn file(&self) -> &str {
        &self.written.project().file
    }
}
