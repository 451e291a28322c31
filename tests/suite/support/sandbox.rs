//! A folder of its own with a fixed clock, author and configuration, in which real commands run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A throw-away folder with an environment that nothing outside of it can reach.
pub(crate) struct Sandbox {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

/// What a run of the binary left: paths of the sandbox are written `$SANDBOX`.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Checks the status and gives itself back; shows everything where it differs.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "status\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that a text is somewhere in what was printed.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let all = self.everything();
        assert!(all.contains(text), "nothing says `{text}` in\n{all}");
        self
    }

    /// Checks that a text is nowhere in what was printed.
    #[track_caller]
    pub(crate) fn keeps_quiet_about(self, text: &str) -> Self {
        let all = self.everything();
        assert!(!all.contains(text), "`{text}` is in\n{all}");
        self
    }

    /// Gives both streams.
    pub(crate) fn everything(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Reads stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
        })
    }
}

impl Sandbox {
    /// Makes an empty one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("promote-test-").tempdir().expect("a temporary folder");
        let home = folder.path().join("home");
        fs::create_dir(&home).expect("a home");
        fs::write(
            home.join("gitconfig"),
            "[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n",
        )
        .expect("a configuration of Git");
        let text = |path: &Path| path.to_str().expect("paths are UTF-8").to_owned();
        let variables = BTreeMap::from(
            [
                ("PATH", std::env::var("PATH").expect("PATH")),
                ("HOME", text(&home)),
                ("TMPDIR", text(folder.path())),
                ("GIT_CONFIG_GLOBAL", text(&home.join("gitconfig"))),
                ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
                ("GIT_AUTHOR_NAME", "Ada".to_owned()),
                ("GIT_AUTHOR_EMAIL", "ada@example.com".to_owned()),
                ("GIT_COMMITTER_NAME", "Ada".to_owned()),
                ("GIT_COMMITTER_EMAIL", "ada@example.com".to_owned()),
                ("GIT_AUTHOR_DATE", "2026-03-01T09:00:00+00:00".to_owned()),
                ("GIT_COMMITTER_DATE", "2026-03-01T09:00:00+00:00".to_owned()),
                ("SOURCE_DATE_EPOCH", "1772359200".to_owned()),
                ("PROMOTE_CACHE_DIR", text(&folder.path().join("cache"))),
                ("TZ", "UTC".to_owned()),
                ("LANG", "C.UTF-8".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        Self { folder, variables }
    }

    /// Makes a copy that shares nothing with it.
    pub(crate) fn twin(&self) -> Self {
        let twin = Self::new();
        let (from, to) = (self.folder.path(), twin.folder.path());
        let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().expect("cp runs");
        assert!(copied.success(), "the sandbox is copied");
        let text = |path: &Path| path.to_str().expect("paths are UTF-8").to_owned();
        let (from, to) = (text(from), text(to));
        let variables = self.variables.iter().map(|(name, value)| (name.clone(), value.replace(&from, &to)));
        Self { variables: variables.collect(), ..twin }
    }

    /// Sets a variable for all that runs from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a variable away for all that runs from now on.
    pub(crate) fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.remove(name);
        self
    }

    /// Gives a path in the sandbox.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file with the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder above it")).expect("folders");
        fs::write(path, text).expect("a file");
        self
    }

    /// Writes a program: a script, a hook. Another process writes it: what another test starts meanwhile would inherit
    /// our open file, and nobody can run a file that somebody has open for writing.
    pub(crate) fn program(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let written = "mkdir -p \"${1%/*}\" && cat >\"$1\" && chmod 755 \"$1\"";
        let mut writer = Command::new("sh");
        writer.args(["-c", written, "sh"]).arg(self.path(path)).stdin(Stdio::piped());
        let mut writer = writer.spawn().expect("sh starts");
        writer.stdin.take().expect("a pipe").write_all(text.as_ref()).expect("it reads");
        assert!(writer.wait().expect("it ends").success(), "{path} is not written");
        self
    }

    /// Puts a `git` before the one of the machine that does something first, as a shell script says, and gives the
    /// `PATH` with it.
    pub(crate) fn before_git(&self, first: &str) -> String {
        let output = self.command("sh", ".").args(["-c", "command -v git; printf %s \"$PATH\""]).output();
        let text = String::from_utf8(output.expect("it starts").stdout).expect("UTF-8");
        let (git, path) = text.split_once('\n').expect("two lines");
        self.program("before/git", format!("#!/bin/sh\n{first}\nexec {git} \"$@\"\n"));
        format!("{}:{path}", self.path("before").display())
    }

    /// Reads a file.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Runs Git in a folder of the sandbox and gives its stdout without the last line end.
    #[track_caller]
    pub(crate) fn git(&self, folder: &str, words: &[&str]) -> String {
        let output = self.command("git", folder).args(words).output().expect("git runs");
        assert!(
            output.status.success(),
            "git {words:?} in {folder}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Whether a Git command in a folder succeeds.
    pub(crate) fn git_succeeds(&self, folder: &str, words: &[&str]) -> bool {
        self.command("git", folder).args(words).output().expect("git runs").status.success()
    }

    /// Commits everything in a folder, by an author at a time of day.
    #[track_caller]
    pub(crate) fn commit(&self, folder: &str, author: &str, message: &str) -> String {
        self.git(folder, &["add", "-A"]);
        let author = format!("{author} <{}@example.com>", author.to_lowercase());
        self.git(folder, &["commit", "-q", "--allow-empty", "--author", &author, "-m", message]);
        self.git(folder, &["rev-parse", "HEAD"])
    }

    /// Runs the binary in a folder of the sandbox, with words separated by spaces.
    pub(crate) fn promote(&self, folder: &str, words: &str) -> Run {
        self.promote_words(folder, &words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the binary in a folder of the sandbox.
    pub(crate) fn promote_words(&self, folder: &str, words: &[&str]) -> Run {
        let output = self.binary(folder).args(words).stdin(Stdio::null()).output().expect("promote runs");
        self.run_of(&output)
    }

    /// Runs the binary with one more variable.
    pub(crate) fn promote_with(&self, folder: &str, words: &str, variable: (&str, &str)) -> Run {
        let output = self
            .binary(folder)
            .args(words.split_whitespace())
            .env(variable.0, variable.1)
            .stdin(Stdio::null())
            .output()
            .expect("promote runs");
        self.run_of(&output)
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn start(&self, folder: &str, words: &str, variables: &[(&str, &str)]) -> Child {
        self.binary(folder)
            .args(words.split_whitespace())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promote starts")
    }

    /// Waits for a started binary.
    pub(crate) fn wait(&self, child: Child) -> Run {
        self.run_of(&child.wait_with_output().expect("promote ends"))
    }

    /// A command with the sandbox's environment.
    pub(crate) fn command(&self, program: &str, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path(folder)).env_clear().envs(&self.variables);
        command
    }

    fn binary(&self, folder: &str) -> Command {
        self.command(env!("CARGO_BIN_EXE_promote"), folder)
    }

    fn run_of(&self, output: &Output) -> Run {
        let sandbox = self.folder.path().to_str().expect("paths are UTF-8").to_owned();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&sandbox, "$SANDBOX");
        Run {
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}
