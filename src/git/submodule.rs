//! Submodules: whether the commit that a merge takes one to is where its address says.
//!
//! In: what a merge brings. Out: an answer for each submodule that moves. The addresses come from a branch that
//! nobody has approved yet, so only plain transports are asked, nobody is asked for a password, and what is
//! received goes into a folder that is thrown away. Start at [`Submodules::ask`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use git2::Repository;

use super::error::GitError;
use super::program::{GitProgram, Output};
use super::revision::Revision;
use super::tree::{self, Change, MODE_SUBMODULE};
use super::url::{display_url, local_path, mask_words};

/// Where a project says which repositories its submodules are.
const FILE: &str = ".gitmodules";

/// How many remotes are asked at once.
const AT_ONCE: usize = 8;

/// What may carry the question.
const TRANSPORTS: [&str; 4] = ["https", "ssh", "git", "file"];

/// The submodules that a merge takes to other commits, and what the merged tree says of their addresses.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Submodules {
    moved: Vec<Moved>,
    addresses: Option<Vec<u8>>,
}

/// A submodule that goes to another commit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moved {
    /// Its path.
    pub path: String,
    /// The commit that it goes to.
    pub commit: Revision,
}

/// What is known of a submodule's commit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Its remote has it.
    Has,
    /// Its remote, at this address, answers and has it not.
    Lacks(String),
    /// Nobody could be asked, for this reason.
    Unknown(String),
}

impl Submodules {
    /// Lists what a merge brings.
    pub(super) fn brought(
        repository: &Repository,
        result: &git2::Tree<'_>,
        changes: &[Change],
    ) -> Result<Self, GitError> {
        let brought = changes.iter().filter_map(|change| {
            let old = change.old.as_ref().map(|old| old.entry);
            change.new.as_ref().filter(|new| new.entry.mode == MODE_SUBMODULE && old != Some(new.entry))
        });
        let moved = brought.map(|side| Moved { path: side.path.clone(), commit: side.entry.oid.into() });
        let moved: Vec<Moved> = moved.collect();
        let file = tree::entry(Some(result), FILE).filter(|entry| entry.is_file() && !moved.is_empty());
        let addresses = file.map(|entry| tree::bytes(repository, entry)).transpose()?;
        Ok(Self { moved, addresses })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.moved.len()
    }

    /// Lists them, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Moved> {
        self.moved.iter()
    }

    /// Asks each one's remote for the commit, side by side.
    ///
    /// Shape: an answer per submodule, in the order of the paths. `target` is what relative addresses are relative to.
    /// Effects: what is received goes into temporary folders and with them.
    ///
    /// # Errors
    ///
    /// [`GitError::Interrupted`]; [`GitError::File`], [`GitError::Library`] if no temporary folder can be made.
    pub fn ask(
        &self,
        target: &str,
        (program, interrupt): (Option<&GitProgram>, &AtomicBool),
    ) -> Result<Vec<(Moved, Answer)>, GitError> {
        let Some(program) = program.map(GitProgram::unattended) else {
            let answer = Answer::Unknown("there is no `git` program here to ask with".to_owned());
            return Ok(self.moved.iter().map(|moved| (moved.clone(), answer.clone())).collect());
        };
        let addresses = match &self.addresses {
            Some(text) => addresses(text, (&program, interrupt))?,
            None => Ok(BTreeMap::new()),
        };
        let one = |moved: &Moved| match &addresses {
            Ok(addresses) => match address(addresses.get(&moved.path), target) {
                Ok(url) => ask(&url, &moved.commit, (&program, interrupt)),
                Err(why) => Ok(Answer::Unknown(why)),
            },
            Err(why) => Ok(Answer::Unknown(format!("`{FILE}` cannot be read: {why}"))),
        };
        let mut answers = Vec::with_capacity(self.moved.len());
        for some in self.moved.chunks(AT_ONCE) {
            let found: Vec<Result<Answer, GitError>> = std::thread::scope(|scope| {
                let asked: Vec<_> = some.iter().map(|moved| scope.spawn(|| one(moved))).collect();
                let failed = |_| Ok(Answer::Unknown("the question failed".to_owned()));
                asked.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect()
            });
            for (moved, answer) in some.iter().zip(found) {
                answers.push((moved.clone(), answer?));
            }
        }
        Ok(answers)
    }
}

/// Makes a repository that goes with its folder.
fn throw_away() -> Result<(tempfile::TempDir, Repository), GitError> {
    let folder = tempfile::Builder::new()
        .prefix("promote-submodule-")
        .tempdir()
        .map_err(GitError::file("create", std::env::temp_dir()))?;
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).external_template(false).initial_head("main");
    let repository = Repository::init_opts(folder.path(), &options);
    Ok((folder, repository.map_err(GitError::doing("cannot make a temporary repository"))?))
}

/// Reads addresses by path, as Git reads them; what Git says where it cannot.
fn addresses(
    text: &[u8],
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<Result<BTreeMap<String, String>, String>, GitError> {
    let (folder, repository) = throw_away()?;
    let blob = repository.blob(text).map_err(GitError::doing(format!("cannot keep `{FILE}`")))?;
    let words = ["config", "-z", "--no-includes", "--list", "--blob", &blob.to_string()];
    let output = program.run(folder.path()).args(words).output(interrupt)?;
    if !output.success() {
        return Ok(Err(reason(&output, "")));
    }
    let text = output.text();
    let mut named: BTreeMap<&str, [Option<&str>; 2]> = BTreeMap::new();
    for (key, value) in text.split('\0').filter_map(|entry| entry.split_once('\n')) {
        let Some((name, variable)) = key.strip_prefix("submodule.").and_then(|rest| rest.rsplit_once('.'))
        else {
            continue;
        };
        if let Some(place) = ["path", "url"].iter().position(|known| *known == variable) {
            named.entry(name).or_default()[place] = Some(value);
        }
    }
    let pair =
        |[path, url]: [Option<&str>; 2]| Some((path?.trim_end_matches('/').to_owned(), url?.to_owned()));
    Ok(Ok(named.into_values().filter_map(pair).collect()))
}

/// Gives the address to ask; why there is none otherwise.
///
/// Pure.
fn address(written: Option<&String>, target: &str) -> Result<String, String> {
    let written = written.ok_or_else(|| format!("`{FILE}` names no address for it"))?;
    let shown = display_url(written);
    let url = if written.starts_with("./") || written.starts_with("../") {
        relative(target, written).ok_or_else(|| format!("its address `{shown}` leads nowhere"))?
    } else {
        written.clone()
    };
    let scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    if url.starts_with('-') || url.chars().any(char::is_control) {
        return Err(format!("`{}` is no address", shown.escape_debug()));
    }
    if url.trim_start_matches(scheme).starts_with("::") {
        return Err(format!("its address `{shown}` names a program, which is not run"));
    }
    match (url.split_once("://"), local_path(&url)) {
        (Some((scheme, _)), _) if TRANSPORTS.contains(&scheme) => Ok(url),
        (Some((scheme, _)), _) => Err(format!("its address is for `{scheme}`, which is not asked")),
        (None, Some(path)) if path.is_absolute() => Ok(format!("file://{url}")),
        (None, Some(_)) => Err(format!("its address `{shown}` is a path relative to nothing known")),
        (None, None) => Ok(url),
    }
}

/// Resolves a relative address as `git submodule` does, but never beyond the host.
///
/// Pure.
fn relative(base: &str, written: &str) -> Option<String> {
    let base = base.trim_end_matches('/');
    let path_starts = match base.split_once("://") {
        Some((scheme, rest)) => scheme.len() + 3 + rest.find('/')? + 1,
        None if local_path(base).is_some() => 0,
        None => base.find(':')? + 1,
    };
    let (host, mut path) = base.split_at(path_starts);
    let mut rest = written;
    loop {
        if let Some(below) = rest.strip_prefix("./") {
            rest = below;
        } else if let Some(above) = rest.strip_prefix("../") {
            if path.is_empty() || path.rsplit('/').next() == Some("..") {
                return None;
            }
            path = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            // A folder at the root of this machine.
            if path.is_empty() && host.is_empty() && base.starts_with('/') {
                return above.split('/').all(|part| part != "..").then(|| format!("/{above}"));
            }
            rest = above;
        } else {
            break;
        }
    }
    let separator = if path.is_empty() { "" } else { "/" };
    Some(format!("{host}{path}{separator}{rest}"))
}

/// Asks a remote for a commit.
fn ask(
    url: &str,
    commit: &Revision,
    (program, interrupt): (&GitProgram, &AtomicBool),
) -> Result<Answer, GitError> {
    if let Some(path) = local_path(url).filter(|path| !path.exists()) {
        return Ok(Answer::Unknown(format!("there is no `{}`", path.display())));
    }
    let (folder, _repository) = throw_away()?;
    let output = fetch(folder.path(), url, commit, program).output(interrupt)?;
    if output.success() {
        return Ok(Answer::Has);
    }
    let words = output.words();
    // Git's own words, and those of JGit.
    let lacks = words.contains("not our ref") || words.contains(&format!("want {commit} not valid"));
    if lacks { Ok(Answer::Lacks(display_url(url))) } else { Ok(Answer::Unknown(reason(&output, url))) }
}

fn fetch<'a>(
    folder: &Path,
    url: &str,
    commit: &Revision,
    program: &'a GitProgram,
) -> super::program::Run<'a> {
    let allowed =
        TRANSPORTS.iter().flat_map(|name| ["-c".to_owned(), format!("protocol.{name}.allow=always")]);
    // Only the second version of the protocol asks for a commit that no branch ends with.
    program
        .talk(folder, url)
        .args(["-c", "protocol.version=2", "-c", "protocol.allow=never", "-c", "protocol.ext.allow=never"])
        .args(allowed)
        .args(["fetch", "--quiet", "--depth=1", "--filter=tree:0", "--no-tags", "--no-write-fetch-head"])
        .args(["--", url, commit.as_str()])
}

/// Gives the line that says what went wrong.
fn reason(output: &Output, url: &str) -> String {
    let words = mask_words(&output.words(), url);
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("warning:"));
    let line = lines.into_iter().next().unwrap_or("`git` does not say why");
    ["fatal: ", "error: "].iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_addresses_are_those_of_git_and_stay_on_their_host() {
        for (base, written, wanted) in [
            ("https://h/shop/prod.git", "../lib.git", Some("https://h/shop/lib.git")),
            ("https://h/shop/prod.git/", "../../lib.git", Some("https://h/lib.git")),
            ("https://h/shop/prod.git", "../../../lib.git", None),
            ("https://h/shop/prod.git", "./lib.git", Some("https://h/shop/prod.git/lib.git")),
            ("https://h", "../lib.git", None),
            ("git@h:shop/prod.git", "../lib.git", Some("git@h:shop/lib.git")),
            ("git@h:shop/prod.git", "../../lib.git", Some("git@h:lib.git")),
            ("git@h:shop/prod.git", "../../../lib.git", None),
            ("/srv/prod.git", "../lib.git", Some("/srv/lib.git")),
            ("/srv/prod.git", "../../lib.git", Some("/lib.git")),
            ("/srv/prod.git", "../../../lib.git", None),
            ("file:///srv/prod.git", "../lib.git", Some("file:///srv/lib.git")),
        ] {
            assert_eq!(relative(base, written).as_deref(), wanted, "{base} {written}");
        }
    }

    #[test]
    fn only_plain_transports_are_asked() {
        for (written, wanted) in [
            ("https://h/lib.git", Ok("https://h/lib.git")),
            ("ssh://git@h/lib.git", Ok("ssh://git@h/lib.git")),
            ("git@h:lib.git", Ok("git@h:lib.git")),
            ("git://h/lib.git", Ok("git://h/lib.git")),
            ("/srv/lib.git", Ok("file:///srv/lib.git")),
            ("../lib.git", Ok("https://h/shop/lib.git")),
            ("ext::sh -c true", Err("names a program")),
            ("-uexec", Err("is no address")),
            ("a\nb", Err("is no address")),
            ("http://h/lib.git", Err("`http`, which is not asked")),
            ("HTTPS://h/lib.git", Err("which is not asked")),
            ("lib.git", Err("relative to nothing")),
            ("../../../x", Err("leads nowhere")),
        ] {
            match (address(Some(&written.to_owned()), "https://h/shop/prod.git"), wanted) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted),
                (Err(found), Err(wanted)) => assert!(found.contains(wanted), "{written}: {found}"),
                (found, wanted) => panic!("{written}: {found:?}, not {wanted:?}"),
            }
        }
        assert!(address(None, "/srv/prod.git").unwrap_err().contains("names no address"));
    }
}
