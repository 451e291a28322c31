//! Fetching from several repositories side by side, into the bare cache.
//!
//! Each remote is asked once for the few refs that count and sends what the cache lacks; where that cannot be (a
//! branch that is not there, another process at the same refs) it is asked first, and then for what is lacking.
//! The answer, not a ref of the cache, says where the remote stands: a ref that is gone there is
//! nothing here. The cache's own refs (`refs/remotes-of/<digest of the address>/…`) only keep objects
//! and tell Git what need not be sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use git2::Repository;

use super::error::GitError;
use super::filling::fill;
use super::journal::digest;
use super::program::{GitProgram, Output, Run};
use super::publish::Transport;
use super::revision::Revision;
use super::ssh::is_ssh;
use super::store::Store;
use super::url::{display_url, local_path, mask_words};

/// How often a fetch is tried that another process got in the way of.
const TRIES: u32 = 5;

/// The same where a ref of the cache is locked, and how long the second waits; each further one waits twice as long.
const TRIES_AT_A_LOCK: u32 = 8;
const PAUSE: Duration = Duration::from_millis(20);

/// How old a lock of one of the cache's own refs is when whoever took it was killed: it is held for a moment.
const ABANDONED: Duration = Duration::from_secs(1);

/// How many remotes are asked at once.
const AT_ONCE: usize = 32;

/// How many over ssh: a server of OpenSSH's turns away who comes when ten others have not yet logged in.
const SSH_AT_ONCE: usize = 8;

/// How many begin together, and how long the next so many wait. A server's queue of those whom it has not let in yet
/// may be as short as five (`git daemon`), and whoever finds it full knocks again only after a second.
const BURST: usize = 5;
const PACE: Duration = Duration::from_millis(10);

/// What `git fetch` says where it has to be asked ref by ref; the last where another process took a ref of the cache away
/// while this one was reading them all.
const ONE_BY_ONE: [&str; 5] = [
    "couldn't find remote ref",
    "cannot lock ref",
    "unable to update local ref",
    "mismatched algorithms",
    "bad object refs/remotes-of/",
];

/// Digits of an object's id where objects are named by SHA-256.
const SHA256_DIGITS: usize = 64;

/// What is wanted of a remote.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fetch {
    /// A path or URL; may hold a password.
    pub url: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Prefix of the refs that hold lock and journal: `refs/promote`.
    pub refs: String,
}

/// Where a remote stands; nothing for a ref that is not there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fetched {
    /// The branch.
    pub tip: Option<Revision>,
    /// The journal.
    pub journal: Option<Revision>,
    /// The branch's lock.
    pub lock: Option<Revision>,
}

impl Fetch {
    fn references(&self) -> [String; 3] {
        [
            format!("refs/heads/{}", self.branch),
            format!("{}/journal", self.refs),
            format!("{}/lock/{}", self.refs, self.branch),
        ]
    }

    /// Picks the answer out of what its remote said.
    fn answer(&self, tips: &Tips) -> Fetched {
        let [tip, journal, lock] = self.references().map(|name| tips.get(&name).cloned());
        Fetched { tip, journal, lock }
    }
}

impl Store {
    /// Fetches branch, journal and lock of several remotes at once.
    ///
    /// Shape: one answer per question, in the same order; questions to one address share a process.
    /// Effects: writes objects and the cache's own refs; deletes those whose remote ref is gone.
    ///
    /// # Errors
    ///
    /// [`GitError::NoRepository`], [`GitError::Unreachable`] for the first remote that fails, by its address;
    /// [`GitError::Interrupted`].
    pub fn fetch(
        &self,
        wanted: &[Fetch],
        program: &GitProgram,
        interrupt: &AtomicBool,
    ) -> Result<Vec<Fetched>, GitError> {
        let found = self.bring_wanted(wanted, (program, interrupt), &|_, _| {})?;
        let found: BTreeMap<&str, Tips> =
            found.into_iter().map(|(url, brought)| Ok((url, brought?))).collect::<Result<_, GitError>>()?;
        Ok(wanted.iter().map(|fetch| fetch.answer(&found[fetch.url.as_str()])).collect())
    }

    /// Fetches as [`Store::fetch`] does, and tells of each question's answer as soon as it is there.
    ///
    /// Shape: `arrived` gets the question's number; it is called by the threads that fetch. A remote that fails is no
    /// reason to know nothing of the others.
    ///
    /// # Errors
    ///
    /// [`GitError::Library`], [`GitError::File`] if the cache fails; [`GitError::Interrupted`].
    pub fn fetch_each(
        &self,
        wanted: &[Fetch],
        (program, interrupt): (&GitProgram, &AtomicBool),
        arrived: &(dyn Fn(usize, Result<Fetched, &GitError>) + Sync),
    ) -> Result<(), GitError> {
        let tell = |url: &str, brought: &Result<Tips, GitError>| {
            for (number, fetch) in wanted.iter().enumerate().filter(|(_, fetch)| fetch.url == url) {
                arrived(number, brought.as_ref().map(|tips| fetch.answer(tips)));
            }
        };
        self.bring_wanted(wanted, (program, interrupt), &tell).map(|_| ())
    }

    fn bring_wanted<'a>(
        &self,
        wanted: &'a [Fetch],
        (program, interrupt): (&GitProgram, &AtomicBool),
        tell: Tell<'_>,
    ) -> Result<BTreeMap<&'a str, Result<Tips, GitError>>, GitError> {
        let mut by_url: BTreeMap<&str, Vec<&Fetch>> = BTreeMap::new();
        for fetch in wanted {
            by_url.entry(&fetch.url).or_default().push(fetch);
        }
        if let Some(first) = wanted.first().filter(|_| self.is_empty()) {
            fill(&self.repository, &first.url, &first.branch, (program, interrupt))?;
        }
        let remotes: Vec<(&str, Vec<&Fetch>)> = by_url.into_iter().collect();
        bring_each(self.git_dir(), &remotes, (program, interrupt), tell)
    }
}

impl Store {
    /// Whether it has no ref at all.
    fn is_empty(&self) -> bool {
        self.repository.references().is_ok_and(|mut references| references.next().is_none())
    }

    /// Lists the branches of a remote, without `refs/heads/`.
    ///
    /// # Errors
    ///
    /// [`GitError::NoRepository`], [`GitError::Unreachable`], [`GitError::Interrupted`].
    pub fn remote_branches(
        &self,
        url: &str,
        program: &GitProgram,
        interrupt: &AtomicBool,
    ) -> Result<Vec<String>, GitError> {
        let run = program.talk(self.git_dir(), url).args(["ls-remote", "--quiet", "--heads", "--", url]);
        let output = run.output(interrupt)?;
        if !output.success() {
            return Err(failure(url, &output));
        }
        let text = output.text();
        let names = text.lines().filter_map(|line| line.split_once("\trefs/heads/"));
        Ok(names.map(|(_, name)| name.to_owned()).collect())
    }
}

/// Asks a remote where a branch stands; nothing is fetched.
///
/// Shape: nothing where it is not there.
///
/// # Errors
///
/// [`GitError::NoRepository`], [`GitError::Unreachable`], [`GitError::Interrupted`]; [`GitError::NoProgram`].
pub fn tip(
    git_dir: &Path,
    url: &str,
    branch: &str,
    transport: Transport<'_>,
) -> Result<Option<Revision>, GitError> {
    let tools = transport.program("look into", url)?;
    let references = [format!("refs/heads/{branch}")];
    Ok(look(git_dir, url, &references, tools)?.remove(&references[0]))
}

/// Where refs of a remote stand.
pub(super) type Tips = BTreeMap<String, Revision>;

/// Hears what a remote said, as soon as it did.
type Tell<'a> = &'a (dyn Fn(&str, &Result<Tips, GitError>) + Sync);

/// Brings what is wanted of several remotes, side by side, as fast as their servers let many in.
fn bring_each<'a>(
    git_dir: &Path,
    remotes: &[(&'a str, Vec<&Fetch>)],
    tools: (&GitProgram, &AtomicBool),
    tell: Tell<'_>,
) -> Result<BTreeMap<&'a str, Result<Tips, GitError>>, GitError> {
    let next = AtomicUsize::new(0);
    let work = |worker: usize| {
        std::thread::sleep(PACE * u32::try_from(worker / BURST).unwrap_or_default());
        let mut found = Vec::new();
        while let Some((url, wanted)) = remotes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let brought = bring_all(git_dir, url, wanted, tools);
            tell(url, &brought);
            found.push((*url, brought));
        }
        found
    };
    let most = if remotes.iter().any(|(url, _)| is_ssh(url)) { SSH_AT_ONCE } else { AT_ONCE };
    let all: BTreeMap<&str, Result<Tips, GitError>> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..remotes.len().min(most)).map(|worker| scope.spawn(move || work(worker))).collect();
        let mut all = BTreeMap::new();
        for worker in workers {
            let failed = |_| GitError::Unreachable { url: String::new(), text: "it failed".to_owned() };
            all.extend(worker.join().map_err(failed)?);
        }
        Ok(all)
    })?;
    // Not while any of them is at work: Git reads all refs of the cache, and fails where one goes meanwhile.
    let cache = Repository::open(git_dir).map_err(GitError::doing("cannot open the cache"))?;
    for (url, wanted) in remotes {
        let references: Vec<String> = wanted.iter().flat_map(|fetch| fetch.references()).collect();
        if let Some(Ok(tips)) = all.get(url) {
            forget(&cache, url, &references, tips);
        }
    }
    Ok(all)
}

/// Brings what is wanted of one remote.
fn bring_all(
    git_dir: &Path,
    url: &str,
    wanted: &[&Fetch],
    tools: (&GitProgram, &AtomicBool),
) -> Result<Tips, GitError> {
    if let Some(tips) = bring_at_once(git_dir, url, wanted, tools)? {
        return Ok(tips);
    }
    let references: Vec<String> = wanted.iter().flat_map(|fetch| fetch.references()).collect();
    bring(git_dir, url, &references, tools)
}

/// Asks a remote for refs and brings what the cache lacks, in one connection; none where that cannot be.
///
/// Shape: journal and lock are asked for as patterns, because one that is not there is no failure then.
fn bring_at_once(
    git_dir: &Path,
    url: &str,
    wanted: &[&Fetch],
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<Option<Tips>, GitError> {
    if !program.can_list_what_it_fetched() || local_path(url).is_some_and(|path| !path.exists()) {
        return Ok(None);
    }
    let cache = Repository::open(git_dir).map_err(GitError::doing("cannot open the cache"))?;
    let mut refspecs = BTreeSet::new();
    for fetch in wanted {
        let [branch, journal, lock] = fetch.references();
        refspecs.insert(format!("+{branch}:{}", cached_name(url, &branch)));
        refspecs.extend([journal, lock].map(|name| format!("+{name}*:{}*", cached_name(url, &name))));
    }
    let output = asking(program, git_dir, url)
        .args(["fetch", "--porcelain", "--verbose", "--progress"])
        .args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--", url])
        .args(refspecs)
        .output(interrupt)?;
    refuse_shallow(url, &output)?;
    if !output.success() {
        let words = output.words();
        let again = output.status.is_some() && ONE_BY_ONE.iter().any(|one| words.contains(one));
        return if again { Ok(None) } else { Err(failure(url, &output)) };
    }
    let references: Vec<String> = wanted.iter().flat_map(|fetch| fetch.references()).collect();
    let tips: Tips = output.text().lines().filter_map(|line| listed(line, url, &references)).collect();
    let arrived = tips.iter().all(|(name, tip)| is_cached(&cache, url, name, tip));
    Ok(arrived.then_some(tips))
}

/// Reads a line of `git fetch --porcelain`: `= OLD NEW refs/…`, the last a ref of the cache.
fn listed(line: &str, url: &str, references: &[String]) -> Option<(String, Revision)> {
    let mut words = line.get(1..)?.split_whitespace();
    let (_, new, local) = (words.next()?, words.next()?, words.next()?);
    let name = references.iter().find(|name| cached_name(url, name) == local)?;
    Some((name.clone(), Revision::new(new).ok()?))
}

/// Asks a remote for refs and brings what the cache lacks.
pub(super) fn bring(
    git_dir: &Path,
    url: &str,
    references: &[String],
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<Tips, GitError> {
    let cache = Repository::open(git_dir).map_err(GitError::doing("cannot open the cache"))?;
    let mut tries = 0;
    loop {
        tries += 1;
        let tips = look(git_dir, url, references, (program, interrupt))?;
        forget(&cache, url, references, &tips);
        let missing: Vec<(&String, &Revision)> =
            tips.iter().filter(|(name, tip)| !is_cached(&cache, url, name, tip)).collect();
        if missing.is_empty() {
            return Ok(tips);
        }
        let refspecs = missing.iter().map(|(name, _)| format!("+{name}:{}", cached_name(url, name)));
        let output = program
            .talk(git_dir, url)
            .args(["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"])
            .args(["--", url])
            .args(refspecs)
            .output(interrupt)?;
        refuse_shallow(url, &output)?;
        let arrived = missing.iter().all(|(name, tip)| is_cached(&cache, url, name, tip));
        if arrived {
            return Ok(tips);
        }
        // A ref that moved or went meanwhile, or one that another process writes: look again.
        let locked = output.words().contains("cannot lock ref");
        let most = if locked { TRIES_AT_A_LOCK } else { TRIES };
        if tries >= most || output.status.is_none() {
            return Err(failure(url, &output));
        }
        if locked {
            for (name, _) in missing {
                take_abandoned(&git_dir.join(format!("{}.lock", cached_name(url, name))));
            }
            std::thread::sleep(PAUSE * 2_u32.pow(tries - 1));
        }
    }
}

/// Takes a lock away that a killed process left. The refs of the cache are hints: one who lives after all writes anew.
fn take_abandoned(lock: &Path) {
    let age = std::fs::metadata(lock).and_then(|meta| meta.modified()).map(|taken| taken.elapsed());
    if matches!(age, Ok(Ok(age)) if age > ABANDONED) {
        std::fs::remove_file(lock).unwrap_or_default();
    }
}

/// Begins to ask a remote for refs by their names.
///
/// Git writes the question of its protocol's version 2 in small pieces. On the bare socket of `git://` the second of them
/// waits until the server acknowledges the first, which it puts off for 40 ms; in version 0 the server begins.
fn asking<'a>(program: &'a GitProgram, git_dir: &Path, url: &str) -> Run<'a> {
    let run = program.talk(git_dir, url);
    if url.starts_with("git://") { run.args(["-c", "protocol.version=0"]) } else { run }
}

/// Asks a remote where refs stand.
pub(super) fn look(
    git_dir: &Path,
    url: &str,
    references: &[String],
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<Tips, GitError> {
    if let Some(path) = local_path(url).filter(|path| !path.exists()) {
        let text = format!("there is no `{}`", path.display());
        return Err(GitError::NoRepository { url: display_url(url), text });
    }
    let run = asking(program, git_dir, url).args(["ls-remote", "--quiet", "--refs", "--", url]);
    let output = run.args(references).output(interrupt)?;
    if !output.success() {
        return Err(failure(url, &output));
    }
    let text = output.text();
    if text.lines().any(|line| line.split('\t').next().is_some_and(|id| id.len() == SHA256_DIGITS)) {
        return Err(GitError::ObjectFormat { url: display_url(url) });
    }
    let tips = text.lines().filter_map(|line| {
        let (id, name) = line.split_once('\t')?;
        // A pattern also matches the end of longer names.
        let wanted = references.iter().any(|reference| reference == name);
        Some((name.to_owned(), Revision::new(id).ok()?)).filter(|_| wanted)
    });
    Ok(tips.collect())
}

/// Git leaves the refs of a shallow repository out with a warning, and calls that a success.
fn refuse_shallow(url: &str, output: &Output) -> Result<(), GitError> {
    if output.words().contains("shallow roots are not allowed") {
        return Err(GitError::Shallow { url: display_url(url) });
    }
    Ok(())
}

/// Tells a repository that is not there from one that does not answer.
pub(super) fn failure(url: &str, output: &Output) -> GitError {
    let (text, url) = (mask_words(&output.words(), url), display_url(url));
    let absent = [
        "does not appear to be a git repository",
        "repository not found",
        "Repository not found",
        "not a git repository",
        "repository not exported",
        "does not exist",
    ];
    let not_found = text.contains("fatal: repository '") && text.contains("not found");
    if not_found || absent.iter().any(|words| text.contains(words)) {
        GitError::NoRepository { url, text }
    } else {
        GitError::Unreachable { url, text }
    }
}

pub(super) fn cached_name(url: &str, name: &str) -> String {
    let digest = digest(url.as_bytes());
    format!("refs/remotes-of/{}/{}", &digest[..16], name.trim_start_matches("refs/"))
}

fn is_cached(cache: &Repository, url: &str, name: &str, tip: &Revision) -> bool {
    cache.refname_to_id(&cached_name(url, name)).is_ok_and(|id| id == tip.oid())
}

/// Deletes the cache's refs whose remote ref is gone; another process may have been quicker.
fn forget(cache: &Repository, url: &str, references: &[String], tips: &Tips) {
    for name in references.iter().filter(|name| !tips.contains_key(*name)) {
        if let Ok(mut reference) = cache.find_reference(&cached_name(url, name)) {
            reference.delete().unwrap_or_default();
        }
    }
}
