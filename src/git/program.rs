//! The `git` program: finding it, and running it so that only its answer comes back.
//!
//! It does what needs the user's own set-up (ssh configuration, credential helpers, proxies) and what
//! the library cannot do: atomic pushes, leases, and the merge that people know. Settings that a user's
//! configuration could change are pinned; what it writes is captured, never printed.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::error::GitError;
use super::url::mask_urls;

/// Settings that a user's configuration must not change.
const PINNED: [&str; 10] = [
    "merge.renames=true",
    "merge.directoryRenames=conflict",
    "merge.renameLimit=7000",
    "diff.renames=true",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.submoduleMergeConflict=false",
];

/// Variables with which a caller (a hook, say) would send the program into another repository.
const FOREIGN: [&str; 10] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_INTERNAL_SUPER_PREFIX",
];

/// Whether the program may ask on the terminal (passwords, host keys).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prompts {
    /// There is a terminal with a person.
    Allowed,
    /// Nobody would answer.
    Refused,
}

/// A `git` program that was found.
#[derive(Clone, Debug)]
pub struct GitProgram {
    /// Where it is.
    pub path: PathBuf,
    version: OnceLock<String>,
    prompts: Prompts,
}

/// What a run of the program gave.
pub(super) struct Output {
    pub(super) status: Option<i32>,
    pub(super) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Output {
    pub(super) fn success(&self) -> bool {
        self.status == Some(0)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it said beside its answer, without secrets.
    pub(super) fn words(&self) -> String {
        mask_urls(String::from_utf8_lossy(&self.stderr).trim())
    }
}

/// A run of the program that is being put together.
pub(super) struct Run<'a> {
    program: &'a GitProgram,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
}

impl GitProgram {
    /// Looks for a `git` on a `PATH` value.
    ///
    /// Effects: reads folders; starts nothing.
    pub fn find(search: Option<&OsStr>, prompts: Prompts) -> Option<Self> {
        let path = std::env::split_paths(search?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("git"))
            .find(|candidate| candidate.is_file())?;
        Some(Self { path, version: OnceLock::new(), prompts })
    }

    /// Gives its version: `2.47.3`; `unknown` where it cannot be asked.
    ///
    /// Effects: starts the program when it is asked for the first time.
    pub fn version(&self) -> &str {
        let ask = || {
            let output = Command::new(&self.path).arg("version").stdin(Stdio::null()).output().ok()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let version = text.strip_prefix("git version ")?.split_whitespace().next()?.to_owned();
            output.status.success().then_some(version)
        };
        self.version.get_or_init(|| ask().unwrap_or_else(|| "unknown".to_owned()))
    }

    /// Tells whether its `merge-tree` merges as `git merge -X theirs` does: from 2.43 on.
    pub fn can_merge_tree(&self) -> bool {
        self.number() >= (2, 43)
    }

    /// Tells whether its `merge-tree` also takes a tree for the base: from 2.45 on.
    pub(super) fn can_merge_on_a_tree(&self) -> bool {
        self.number() >= (2, 45)
    }

    fn number(&self) -> (u32, u32) {
        let mut parts = self.version().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }

    /// Begins a run in a repository.
    pub(super) fn run(&self, git_dir: &Path) -> Run<'_> {
        let mut arguments = Vec::new();
        for setting in PINNED {
            arguments.extend([OsString::from("-c"), OsString::from(setting)]);
        }
        let mut folder = OsString::from("--git-dir=");
        folder.push(git_dir);
        arguments.push(folder);
        Run { program: self, arguments, variables: Vec::new() }
    }
}

impl Run<'_> {
    pub(super) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(super) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Writes objects into `folder` and reads those of `objects` as well.
    pub(super) fn scratch(mut self, folder: &Path, objects: &Path) -> Self {
        let mut quoted = Vec::from(b"\"");
        for byte in objects.as_os_str().as_bytes() {
            if matches!(byte, b'"' | b'\\') {
                quoted.push(b'\\');
            }
            quoted.push(*byte);
        }
        quoted.push(b'"');
        self.variables.push(("GIT_OBJECT_DIRECTORY", folder.as_os_str().to_owned()));
        self.variables.push(("GIT_ALTERNATE_OBJECT_DIRECTORIES", OsStr::from_bytes(&quoted).to_owned()));
        self
    }

    fn command(self) -> Command {
        let mut command = Command::new(&self.program.path);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for variable in FOREIGN {
            command.env_remove(variable);
        }
        // The words of errors tell one failure from another, so they must not be translated.
        command.env("LANGUAGE", "en");
        command.envs(self.variables);
        match self.program.prompts {
            // In a group of its own it could not read the terminal.
            Prompts::Allowed => {}
            Prompts::Refused => {
                command.env("GIT_TERMINAL_PROMPT", "0").process_group(0);
            }
        }
        command
    }

    /// Runs it to its end.
    ///
    /// Effects: on an interruption the program and what it started are ended.
    ///
    /// # Errors
    ///
    /// [`GitError::Start`]; [`GitError::Interrupted`].
    pub(super) fn output(self, interrupt: &AtomicBool) -> Result<Output, GitError> {
        let (path, prompts) = (self.program.path.clone(), self.program.prompts);
        let mut child = self.command().spawn().map_err(|source| GitError::Start { path, source })?;
        let (sender, receiver) = mpsc::channel();
        read_all(child.stdout.take(), 0, sender.clone());
        read_all(child.stderr.take(), 1, sender);
        let mut streams: [Option<Vec<u8>>; 2] = [None, None];
        let mut ended: Option<Instant> = None;
        while streams.iter().any(Option::is_none) {
            match receiver.recv_timeout(Duration::from_millis(20)) {
                Ok((stream, bytes)) => streams[stream] = Some(bytes),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if interrupt.load(Ordering::SeqCst) {
                end(&mut child, prompts);
                return Err(GitError::Interrupted);
            }
            // Something that it left running (ssh's master) may hold the streams open for ever.
            if ended.is_none() && matches!(child.try_wait(), Ok(Some(_))) {
                ended = Some(Instant::now());
            }
            if ended.is_some_and(|since| since.elapsed() > Duration::from_secs(2)) {
                break;
            }
        }
        let status = child.wait().ok().and_then(|status| status.code());
        let [stdout, stderr] = streams.map(Option::unwrap_or_default);
        Ok(Output { status, stdout, stderr })
    }
}

fn read_all(
    stream: Option<impl Read + Send + 'static>,
    number: usize,
    sender: mpsc::Sender<(usize, Vec<u8>)>,
) {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What came before a failure is still worth having.
            stream.read_to_end(&mut bytes).unwrap_or_default();
        }
        // Nobody listens any more only when the run was interrupted.
        sender.send((number, bytes)).unwrap_or_default();
    });
}

fn end(child: &mut Child, prompts: Prompts) {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
    let signal = |signal| match prompts {
        Prompts::Allowed => kill_process(pid, signal),
        Prompts::Refused => kill_process_group(pid, signal),
    };
    // A process that is gone already is what is wanted.
    signal(Signal::TERM).unwrap_or_default();
    for _ in 0..40 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    signal(Signal::KILL).unwrap_or_default();
    child.wait().map(drop).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_version(version: &str) -> GitProgram {
        GitProgram {
            path: PathBuf::new(),
            version: OnceLock::from(version.to_owned()),
            prompts: Prompts::Refused,
        }
    }

    #[test]
    fn only_a_recent_git_merges_trees_with_a_preference() {
        for (version, can) in [
            ("2.43.0", true),
            ("2.47.3", true),
            ("3.0.0", true),
            ("2.39.5", false),
            ("2.42.1", false),
            ("x", false),
        ] {
            assert_eq!(of_version(version).can_merge_tree(), can, "{version}");
        }
    }

    #[test]
    fn no_path_no_program() {
        assert!(GitProgram::find(None, Prompts::Refused).is_none());
        assert!(GitProgram::find(Some(OsStr::new("/nowhere")), Prompts::Refused).is_none());
    }
}
