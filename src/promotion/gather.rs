//! Both sides in one place: the local repository, or the cache that others are fetched into.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config;
use crate::git::{self, Destination, Fetch, GitError, GitProgram, Revision, Store};
use crate::model::finding::Finding;
use crate::model::record::Record;

use super::digest::digest;
use super::error::PromotionError;
use super::ground::Ground;
use super::request::Ports;
use super::site::{Location, Site};

/// A branch with what its repository says of it.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// Where it is.
    pub(super) site: Site,
    /// Its tip; absent where there is no such branch.
    pub(super) tip: Option<Revision>,
    /// The journal of its repository.
    pub(super) journal: Option<Revision>,
    /// Whether its repository has any branch at all.
    pub(super) has_branches: bool,
    /// A branch of its repository with a name like the one that is not there.
    pub(super) near: Option<String>,
}

impl Side {
    /// Says that the branch is not there.
    pub(super) fn no_branch(&self) -> PromotionError {
        let repository = match self.site.location.words().as_str() {
            "." => "this repository".to_owned(),
            words => format!("`{words}`"),
        };
        PromotionError::NoBranch { branch: self.site.branch.clone(), repository, near: self.near.clone() }
    }
}

/// Both sides, in one store.
pub(super) struct Gathered {
    /// Where the objects of both are.
    pub(super) store: Store,
    /// The source.
    pub(super) from: Side,
    /// The target.
    pub(super) to: Side,
    /// Prefix of the refs that hold lock and journal.
    pub(super) refs: String,
    /// Where what is remembered between runs lies.
    pub(super) memory: PathBuf,
}

impl Gathered {
    /// Brings both sides into one store.
    ///
    /// Effects: another repository's objects and refs go into the cache; the repositories are only read.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Git`] if a repository is not there or cannot be reached.
    pub(super) fn of(
        ground: &Ground,
        from: Site,
        to: Site,
        ports: &mut Ports<'_>,
    ) -> Result<Self, PromotionError> {
        let refs = ground.refs();
        let memory = cache_folder(ground, ports.cache);
        let both = (&from.location, &to.location);
        let (store, from, to) = if let (Location::Local(folder), Location::Local(_)) = both {
            local_sides(&folder.clone(), from, to, &refs)?
        } else {
            let store = open_store(ground, &memory)?;
            let (from, to) = remote_sides(&store, from, to, &refs, ports)?;
            (store, from, to)
        };
        Ok(Self { store, from, to, refs, memory })
    }

    /// Gives where a promotion is written to.
    pub(super) fn destination(&self) -> Destination {
        destination(&self.to.site.location)
    }

    /// Reads the journal of the target's repository, and checks its chain.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Git`] if the chain is broken.
    pub(super) fn records(&self) -> Result<Vec<Record>, PromotionError> {
        Ok(git::read(&self.store, self.to.journal.as_ref())?)
    }
}

/// What can be known of a branch, or what went wrong.
pub(super) type Brought = Result<Side, String>;

/// Many branches on their way into one store.
pub(super) struct Gathering {
    /// Where the objects of all are to be.
    pub(super) store: Store,
    sites: Vec<Site>,
    refs: String,
    /// Whether they are all here already.
    here: bool,
}

impl Gathering {
    /// Opens the store that they come into.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Git`] if it cannot be opened.
    pub(super) fn begin(
        ground: &Ground,
        sites: Vec<Site>,
        ports: &Ports<'_>,
    ) -> Result<Self, PromotionError> {
        let all_local = || sites.iter().all(|site| matches!(site.location, Location::Local(_)));
        let local = ground.local.as_ref().filter(|_| all_local());
        let store = match local {
            Some(local) => Store::local(&local.git_dir)?,
            None => open_store(ground, &cache_folder(ground, ports.cache))?,
        };
        Ok(Self { here: local.is_some(), store, sites, refs: ground.refs() })
    }

    /// Brings them, by one process per remote, side by side; tells of each by its number as soon as it is there.
    ///
    /// Shape: a remote that fails is no reason to know nothing of the others.
    ///
    /// # Errors
    ///
    /// [`GitError`] if the store fails, or there is no program that could fetch.
    pub(super) fn bring(
        &self,
        (program, interrupted): (Option<&GitProgram>, &AtomicBool),
        arrived: &(dyn Fn(usize, Brought) + Sync),
    ) -> Result<(), GitError> {
        let sites = &self.sites;
        let side = |number: usize, tip, journal| Side {
            tip,
            journal,
            has_branches: true,
            near: None,
            site: sites[number].clone(),
        };
        if self.here {
            let journal = self.store.tip(&format!("{}/journal", self.refs))?;
            for (number, site) in sites.iter().enumerate() {
                let tip = self.store.tip(&format!("refs/heads/{}", site.branch));
                arrived(
                    number,
                    tip.map(|tip| side(number, tip, journal.clone())).map_err(|error| error.to_string()),
                );
            }
            return Ok(());
        }
        let program = program.ok_or_else(|| GitError::NoProgram { doing: "fetch".to_owned() })?;
        let wanted: Vec<Fetch> = sites.iter().map(|site| wanted(site, &self.refs)).collect();
        self.store.fetch_each(&wanted, (program, interrupted), &|number, fetched| {
            let brought = fetched.map(|fetched| side(number, fetched.tip, fetched.journal));
            arrived(number, brought.map_err(ToString::to_string));
        })
    }
}

/// Brings many branches into one store.
///
/// Shape: an answer per site, in order.
///
/// # Errors
///
/// As [`Gathering::begin`] and [`Gathering::bring`].
pub(super) fn gather_all(
    ground: &Ground,
    sites: Vec<Site>,
    ports: &mut Ports<'_>,
) -> Result<(Store, Vec<Brought>), PromotionError> {
    let gathering = Gathering::begin(ground, sites, ports)?;
    let all = Mutex::new(BTreeMap::new());
    let (program, interrupted) = (ports.git, Arc::clone(&ports.interrupted));
    let arrived = |number, brought| {
        all.lock().unwrap_or_else(PoisonError::into_inner).insert(number, brought);
    };
    ports.doing(format!("fetching {} environments", gathering.sites.len()), || {
        gathering.bring((program, &interrupted), &arrived)
    })?;
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((gathering.store, all.into_values().collect()))
}

/// Says what is wanted of a site's repository.
fn wanted(site: &Site, refs: &str) -> Fetch {
    Fetch {
        url: match &site.location {
            Location::Local(folder) => folder.to_string_lossy().into_owned(),
            Location::Remote(url) => url.clone(),
        },
        branch: site.branch.clone(),
        refs: refs.to_owned(),
    }
}

/// Gives where a repository is written to.
pub(super) fn destination(location: &Location) -> Destination {
    match location {
        Location::Local(folder) => Destination::Local(folder.clone()),
        Location::Remote(url) => Destination::Remote { url: url.clone() },
    }
}

fn local_sides(
    folder: &Path,
    from: Site,
    to: Site,
    refs: &str,
) -> Result<(Store, Side, Side), PromotionError> {
    let store = Store::local(folder)?;
    let branches = store.branches()?;
    let journal = store.tip(&format!("{refs}/journal"))?;
    let side = |site: Site| -> Result<Side, GitError> {
        let tip = store.tip(&format!("refs/heads/{}", site.branch))?;
        let near = near(&site.branch, tip.as_ref(), &branches);
        Ok(Side { tip, journal: journal.clone(), has_branches: !branches.is_empty(), near, site })
    };
    let (from, to) = (side(from)?, side(to)?);
    Ok((store, from, to))
}

fn remote_sides(
    store: &Store,
    from: Site,
    to: Site,
    refs: &str,
    ports: &mut Ports<'_>,
) -> Result<(Side, Side), PromotionError> {
    let program =
        ports.git.ok_or_else(|| GitError::NoProgram { doing: format!("fetch {}", to.location.words()) })?;
    let both = [wanted(&from, refs), wanted(&to, refs)];
    let interrupted = std::sync::Arc::clone(&ports.interrupted);
    let what = format!("fetching {} and {}", from.location.words(), to.location.words());
    let fetched = ports.doing(what, || store.fetch(&both, program, &interrupted))?;
    let mut sides = Vec::with_capacity(2);
    for ((site, wanted), fetched) in [from, to].into_iter().zip(&both).zip(fetched) {
        // Only a branch that is not there makes it matter whether there are others.
        let branches = match &fetched.tip {
            Some(_) => vec![site.branch.clone()],
            None => store.remote_branches(&wanted.url, program, &interrupted)?,
        };
        let (tip, journal, has_branches) = (fetched.tip, fetched.journal, !branches.is_empty());
        let near = near(&site.branch, tip.as_ref(), &branches);
        sides.push(Side { site, tip, journal, has_branches, near });
    }
    let (Some(to), Some(from)) = (sides.pop(), sides.pop()) else {
        return Err(PromotionError::Interrupted);
    };
    Ok((from, to))
}

/// Picks the branch that was probably meant, where the one that was named is not there.
fn near(branch: &str, tip: Option<&Revision>, branches: &[String]) -> Option<String> {
    let named = config::did_you_mean(branch, branches.iter().map(String::as_str));
    named.filter(|_| tip.is_none()).map(str::to_owned)
}

/// Tells whether a failure may come from a cache that is not whole.
pub(super) fn may_be_the_cache(error: &PromotionError) -> bool {
    let PromotionError::Git(error) = error else { return false };
    if let GitError::Unreachable { text, .. } = error {
        // Git's words for objects that it cannot read, when it fetches into such a cache.
        let words =
            ["bad object", "corrupt", "missing", "unable to read", "did not send all", "not our ref", "fsck"];
        return words.iter().any(|words| text.contains(words));
    }
    matches!(error, GitError::Library { .. } | GitError::Program { .. } | GitError::Journal { .. })
}

/// Throws the cache away where it is broken, and says so.
pub(super) fn discard_broken(
    ground: &Ground,
    ports: &mut Ports<'_>,
) -> Result<Option<Finding>, PromotionError> {
    let (Some(program), None) = (ports.git, &ground.store) else { return Ok(None) };
    let folder = cache_folder(ground, ports.cache).join("objects.git");
    let interrupted = std::sync::Arc::clone(&ports.interrupted);
    let found =
        ports.doing("examining the cache", || Store::discard_broken(&folder, program, &interrupted))?;
    Ok(found)
}

/// Opens where other repositories are fetched into.
fn open_store(ground: &Ground, memory: &Path) -> Result<Store, GitError> {
    match &ground.store {
        Some(folder) => Store::local(folder),
        None => Store::cache(&memory.join("objects.git")),
    }
}

/// Gives the folder of one project's cache: one for all its remotes.
pub(super) fn cache_folder(ground: &Ground, cache: &Path) -> PathBuf {
    let place = match (&ground.project, &ground.local) {
        (Some(project), _) => project.root.join(&project.file),
        (None, Some(local)) => local.git_dir.clone(),
        (None, None) => PathBuf::new(),
    };
    let place = place.canonicalize().unwrap_or(place);
    cache.join(&digest(&place.to_string_lossy())[..16])
}
