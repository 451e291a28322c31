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
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::error::GitError;
use super::ssh::{Ssh, is_ssh};
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
    /// Shared by all copies: it is asked once a run.
    version: Arc<OnceLock<String>>,
    prompts: Prompts,
    patience: Duration,
    ssh: Ssh,
}

/// For how long a remote may say nothing before it is given up, unless somebody says otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// A push may be silent for so many times as long as a fetch: what runs on the server's side says nothing meanwhile.
const PUSH: u32 = 10;

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

    /// What it said beside its answer, without secrets and without how far it was.
    pub(super) fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines: Vec<&str> = text.lines().filter(|line| !line.contains("% (")).collect();
        mask_urls(lines.join("\n").trim())
    }
}

/// A run of the program that is being put together.
pub(super) struct Run<'a> {
    program: &'a GitProgram,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    /// For how long it may say nothing.
    silence: Option<Duration>,
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
        let version = Arc::default();
        Some(Self { path, version, prompts, patience: PATIENCE, ssh: Ssh::default() })
    }

    /// Says for how long a remote may say nothing.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Says which ssh the environment names: `GIT_SSH_COMMAND` and `GIT_SSH`.
    #[must_use]
    pub fn with_ssh(self, command: Option<&str>, program: Option<&str>) -> Self {
        Self { ssh: Ssh::new(command, program), ..self }
    }

    /// Gives the same program where nobody is to be asked, whoever sits at the terminal.
    pub(super) fn unattended(&self) -> Self {
        Self { prompts: Prompts::Refused, ..self.clone() }
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

    /// Asks for its version while something else is done; whoever needs it first waits for the answer.
    ///
    /// Effects: starts a thread, and in it the program.
    pub fn ask_ahead(&self) {
        let own = self.clone();
        std::thread::spawn(move || {
            own.version();
        });
    }

    /// Tells whether its `merge-tree` merges as `git merge -X theirs` does: from 2.43 on.
    pub fn can_merge_tree(&self) -> bool {
        self.number() >= (2, 43)
    }

    /// Tells whether its `merge-tree` also takes a tree for the base: from 2.45 on.
    pub(super) fn can_merge_on_a_tree(&self) -> bool {
        self.number() >= (2, 45)
    }

    /// Tells whether its `fetch` lists what it brought: from 2.41 on.
    pub(super) fn can_list_what_it_fetched(&self) -> bool {
        self.number() >= (2, 41)
    }

    fn number(&self) -> (u32, u32) {
        let mut parts = self.version().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }

    /// Tells who would commit in a repository, or outside of any: name and mail.
    ///
    /// Shape: nothing where neither variables nor configuration say so.
    /// Effects: starts the program.
    pub fn user(&self, git_dir: Option<&Path>, interrupt: &AtomicBool) -> Option<(String, String)> {
        let output = self.begin(git_dir).args(["var", "GIT_AUTHOR_IDENT"]).output(interrupt).ok()?;
        let text = output.text();
        let (name, rest) = text.split_once(" <")?;
        let (mail, _) = rest.split_once('>')?;
        output.success().then(|| (name.to_owned(), mail.to_owned()))
    }

    /// Begins a run in a repository.
    pub(super) fn run(&self, git_dir: &Path) -> Run<'_> {
        self.begin(Some(git_dir))
    }

    fn begin(&self, git_dir: Option<&Path>) -> Run<'_> {
        let mut arguments = Vec::new();
        for setting in PINNED {
            arguments.extend([OsString::from("-c"), OsString::from(setting)]);
        }
        if let Some(git_dir) = git_dir {
            let mut folder = OsString::from("--git-dir=");
            folder.push(git_dir);
            arguments.push(folder);
        }
        Run { program: self, arguments, variables: Vec::new(), silence: None }
    }

    /// Begins a run that talks to a remote: one that stays silent is given up, and nobody is asked for a
    /// password where nobody would answer.
    pub(super) fn talk(&self, git_dir: &Path, url: &str) -> Run<'_> {
        let mut run = self.run(git_dir);
        run.silence = Some(match self.prompts {
            // Somebody may be typing a password.
            Prompts::Allowed => self.patience * 2,
            Prompts::Refused => self.patience,
        });
        if self.prompts == Prompts::Refused && is_ssh(url) {
            let configured = || {
                let run = self.run(git_dir).args(["config", "--get", "core.sshCommand"]);
                let output = run.output(&AtomicBool::new(false)).ok()?;
                output.success().then(|| output.text().trim().to_owned())
            };
            run.variables.extend(self.ssh.batch(configured).map(|words| ("GIT_SSH_COMMAND", words.into())));
        }
        run
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

    /// Waits longer, as a push has to.
    pub(super) fn for_a_push(mut self) -> Self {
        self.silence = self.silence.map(|silence| silence * PUSH);
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
        let (path, prompts, limit) = (self.program.path.clone(), self.program.prompts, self.silence);
        let mut child = self.command().spawn().map_err(|source| GitError::Start { path, source })?;
        let (sender, receiver) = mpsc::channel();
        read_all(child.stdout.take(), 0, sender.clone());
        read_all(child.stderr.take(), 1, sender);
        let mut streams = [Vec::new(), Vec::new()];
        let (mut open, mut heard) = (2, Instant::now());
        let mut ended: Option<Instant> = None;
        while open > 0 {
            match receiver.recv_timeout(Duration::from_millis(20)) {
                Ok((_, bytes)) if bytes.is_empty() => open -= 1,
                Ok((stream, bytes)) => {
                    streams[stream].extend(bytes);
                    heard = Instant::now();
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if interrupt.load(Ordering::SeqCst) {
                end(&mut child, prompts);
                return Err(GitError::Interrupted);
            }
            if let Some(limit) = limit.filter(|limit| ended.is_none() && heard.elapsed() > *limit) {
                end(&mut child, prompts);
                let [stdout, mut stderr] = streams;
                stderr.extend(silent(limit).bytes());
                return Ok(Output { status: None, stdout, stderr });
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
        let [stdout, stderr] = streams;
        Ok(Output { status, stdout, stderr })
    }
}

fn read_all(
    stream: Option<impl Read + Send + 'static>,
    number: usize,
    sender: mpsc::Sender<(usize, Vec<u8>)>,
) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        let mut stream = stream;
        loop {
            // What came before a failure is still worth having; nothing says that no more will come.
            let size = match stream.as_mut().map(|stream| stream.read(&mut buffer)) {
                Some(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Some(Ok(size)) => size,
                Some(Err(_)) | None => 0,
            };
            // Nobody listens any more only when the run was given up.
            if sender.send((number, buffer[..size].to_vec())).is_err() || size == 0 {
                return;
            }
        }
    });
}

/// Says why a remote was given up.
fn silent(limit: Duration) -> String {
    format!("\nit said nothing for {} s and was given up", limit.as_secs_f64().ceil())
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
            version: Arc::new(OnceLock::from(version.to_owned())),
            prompts: Prompts::Refused,
            patience: PATIENCE,
            ssh: Ssh::default(),
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
