//! What this machine and the environments' repositories can do: `promote doctor`.

use std::path::Path;

use crate::ci::{Forge, ForgeError};
use crate::git::{self, Revision, Store, Transport, Trial};
use crate::model::environment::{Migrate, Via};
use crate::model::examined::Examined;

use super::error::PromotionError;
use super::gather::{destination, gather_all};
use super::ground::Ground;
use super::request::Ports;
use super::site::{Location, Site};

/// Whether the doctor may write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trying {
    /// It only reads.
    Reads,
    /// It makes and deletes refs of its own in every environment's repository.
    Writes,
}

/// Looks at the machine and at every environment's repository; changes nothing there that stays.
///
/// # Errors
///
/// [`PromotionError::Config`] if the project file is broken; [`PromotionError::Nowhere`].
pub fn examine(trying: Trying, ports: &mut Ports<'_>) -> Result<Examined, PromotionError> {
    let mut examined = Examined::default();
    engines(&mut examined, ports);
    let ground = Ground::find(ports)?;
    match &ground.project {
        Some(project) => {
            examined.add("project", true, format!("`{}`", project.root.join(&project.file).display()), None);
        }
        None => examined.add(
            "project",
            true,
            "none: branches of this repository are promoted as plain files",
            None,
        ),
    }
    writable(&mut examined, ports.cache);
    repositories(&mut examined, &ground, trying, ports)?;
    Ok(examined)
}

/// Says which engine does what, and why.
fn engines(examined: &mut Examined, ports: &Ports<'_>) {
    let library = git::library();
    match ports.git {
        None => {
            examined.add(
                "git",
                false,
                "there is no `git` program on the PATH",
                Some("install git 2.45 or newer: without it only branches of one repository can be promoted"),
            );
            examined.add("merge", true, format!("{library} alone; it stops where it is unsure"), None);
        }
        Some(program) => {
            let found = format!("{} at `{}`", program.version(), program.path.display());
            examined.add("git", true, found, None);
            if program.can_merge_tree() {
                let found = format!(
                    "{library}, checked by git {}; where they differ, Git's tree counts",
                    program.version()
                );
                examined.add("merge", true, found, None);
            } else {
                let found = format!("{library} alone: git {} is older than 2.43", program.version());
                examined.add(
                    "merge",
                    false,
                    found,
                    Some("install git 2.45 or newer to have each merge checked"),
                );
            }
            let found = "the `git` program: your ssh configuration, credential helpers and proxies count";
            examined.add("fetch and push", true, found, None);
        }
    }
}

fn writable(examined: &mut Examined, cache: &Path) {
    let tried = std::fs::create_dir_all(cache).and_then(|()| tempfile::NamedTempFile::new_in(cache));
    match tried {
        Ok(_) => examined.add("cache", true, format!("`{}`", cache.display()), None),
        Err(error) => examined.add(
            "cache",
            false,
            format!("`{}` cannot be written: {error}", cache.display()),
            Some("set PROMOTE_CACHE_DIR to a folder that can"),
        ),
    }
}

fn repositories(
    examined: &mut Examined,
    ground: &Ground,
    trying: Trying,
    ports: &mut Ports<'_>,
) -> Result<(), PromotionError> {
    let Some(project) = &ground.project else { return Ok(()) };
    let mut sites = Vec::new();
    for name in &project.written.project().environments {
        match ground.site(name.as_str(), ports) {
            Ok(site) => sites.push((name.to_string(), site)),
            Err(error) => examined.add(format!("environment {name}"), false, error.to_string(), None),
        }
    }
    let (store, sides) = gather_all(ground, sites.iter().map(|(_, site)| site.clone()).collect(), ports)?;
    for ((name, site), side) in sites.into_iter().zip(sides) {
        let what = format!("environment {name}");
        let repository = match site.location.words().as_str() {
            "." => "this repository".to_owned(),
            words => words.to_owned(),
        };
        let place = format!("branch `{}` of {repository}", site.branch);
        let there = side.is_ok() && trying == Trying::Writes;
        if side.is_ok() {
            protection(examined, ground, (&name, &site), ports);
        }
        match side {
            Ok(side) => match side.tip.as_ref().map(Revision::short) {
                Some(tip) => {
                    let journal = if side.journal.is_some() { "with a journal" } else { "no promotion yet" };
                    examined.add(what, true, format!("{place} is at {tip}, {journal}"), None);
                }
                None => examined.add(what, true, format!("{place} is not there yet"), None),
            },
            Err(error) => examined.add(
                what,
                false,
                error,
                Some("try `git ls-remote` with the same address: what helps it helps here"),
            ),
        }
        if there {
            refs(examined, (&name, &site), (ground, &store), ports);
        }
    }
    Ok(())
}

/// Tries whether a repository takes the refs that a promotion into it needs.
fn refs(
    examined: &mut Examined,
    (name, site): (&str, &Site),
    (ground, store): (&Ground, &Store),
    ports: &mut Ports<'_>,
) {
    let (what, prefix) = (format!("refs of {name}"), ground.refs());
    let identity = ground.identity(ports);
    let interrupted = std::sync::Arc::clone(&ports.interrupted);
    let transport = Transport { program: ports.git, interrupt: &interrupted };
    let (to, token) = (destination(&site.location), format!("{}-{}", ports.host, ports.pid));
    let tried = ports.doing(format!("trying refs of {}", site.location.words()), || {
        git::try_refs(store, &to, (&prefix, &token), &identity, transport)
    });
    let as_branches = prefix.starts_with("refs/heads/");
    match tried {
        Ok(Trial::Takes) => {
            examined.add(what, true, format!("`{prefix}/…` is made and deleted, all or none"), None);
        }
        Ok(Trial::OneByOne) => {
            let found =
                format!("`{prefix}/…` is made and deleted, one ref after the other: no atomic pushes");
            examined.add(what, true, found, None);
        }
        Ok(Trial::Refuses(why)) => {
            let hint = if as_branches {
                "let who promotes make branches of that name: a rule of the repository stands against it"
            } else {
                "set `promotion.refs: refs/heads/promote`: this repository may take nothing but branches"
            };
            examined.add(what, false, format!("`{prefix}/…` cannot be made: {why}"), Some(hint));
        }
        Ok(Trial::Keeps(left, why)) => {
            let hint = "let who promotes delete these refs (a rule for branches, `receive.denyDeletes`): a lock is \
                        given back so; then delete the ones that are left";
            let found = format!("{} cannot be deleted: {why}", left.join(" and "));
            examined.add(what, false, found, Some(hint));
        }
        Err(error) => examined.add(what, false, error.to_string(), None),
    }
}

/// Says what the forge says of an environment's branch, where there is a token to ask with; and what is missing where
/// promotions have to open pull requests.
fn protection(examined: &mut Examined, ground: &Ground, (name, site): (&str, &Site), ports: &mut Ports<'_>) {
    let Location::Remote(url) = &site.location else { return };
    let what = format!("forge of {name}");
    let forge = match Forge::of(url, ports.variables, &ports.interrupted) {
        Ok(forge) => forge,
        Err(ForgeError::Unknown { .. } | ForgeError::NoToken { .. }) if site.via != Via::PullRequest => {
            return;
        }
        Err(error) => {
            let hint =
                "`workspace.via: pull_request` needs a forge and its token; `via: branch` needs neither";
            return examined.add(what, false, error.to_string(), Some(hint));
        }
    };
    let asked = format!("asking {} for branch {}", forge.kind().as_str(), site.branch);
    let protected = match ports.doing(asked, || forge.is_protected(&site.branch)) {
        Ok(protected) => protected,
        Err(error) => {
            return examined.add(what, false, error.to_string(), Some("look what the token may see"));
        }
    };
    let word = forge.kind().as_str();
    let too_early = (protected == Some(true) || site.via != Via::Push) && migrates(ground, name, ports);
    let found = match protected {
        Some(true) => format!("{word} protects branch `{}`", site.branch),
        Some(false) => format!("{word} does not protect branch `{}`", site.branch),
        None => format!("{word} does not say whether branch `{}` is protected", site.branch),
    };
    if too_early {
        let found =
            format!("{found}, and `migrate: promotion` changes the schema before what it takes is merged");
        let hint = "set `migrate: ci` for this environment: CI changes the schema when it is merged";
        examined.add(what, false, found, Some(hint));
    } else {
        examined.add(what, true, found, None);
    }
}

/// Whether promotions change the schema of an environment.
fn migrates(ground: &Ground, name: &str, ports: &Ports<'_>) -> bool {
    let resolved = ground.project.as_ref().and_then(|project| project.resolve(name, ports).ok());
    resolved.is_some_and(|resolved| {
        let environment = resolved.environment;
        environment.migrate == Migrate::Promotion && environment.warehouse.is_some()
    })
}
