//! The real world, read once: arguments, environment, working directory, clock, terminal, signals.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::exit::ExitCode;

/// What the edge knows of the real world.
#[derive(Clone, Debug)]
pub struct World {
    /// The words of the command line, the program first.
    pub words: Vec<OsString>,
    /// The process environment; variables that are not UTF-8 are left out.
    pub variables: BTreeMap<String, String>,
    /// The working directory.
    pub folder: PathBuf,
    /// This program's own file.
    pub executable: PathBuf,
    /// Which standard streams are a terminal.
    pub terminal: Terminal,
    /// Set by Ctrl-C and SIGTERM; whoever works looks at it between two steps.
    pub interrupted: Arc<AtomicBool>,
}

/// Which standard streams are a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

impl World {
    /// Reads the real world.
    ///
    /// Effects: from now on the first Ctrl-C or SIGTERM is noted and the second ends the process.
    ///
    /// # Errors
    ///
    /// The working directory's error, where it is gone.
    pub fn real() -> std::io::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        watch_signals(&interrupted);
        Ok(Self {
            words: std::env::args_os().collect(),
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            folder: std::env::current_dir()?,
            executable: std::env::current_exe()?,
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
            },
            interrupted,
        })
    }

    /// Gives the time in whole seconds: the clock's, or that of `SOURCE_DATE_EPOCH` where it is set.
    pub fn now(&self) -> Timestamp {
        let fixed = self.variable("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
        let now = Timestamp::now();
        Timestamp::from_second(fixed.unwrap_or_else(|| now.as_second())).unwrap_or(now)
    }

    /// Gives a variable that is set to something.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Gives the folder of caches: `PROMOTE_CACHE_DIR`, else `promote` in the user's cache folder.
    pub fn cache(&self) -> PathBuf {
        if let Some(folder) = self.variable("PROMOTE_CACHE_DIR") {
            return PathBuf::from(folder);
        }
        let home = || self.variable("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let base = self.variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        base.unwrap_or_else(std::env::temp_dir).join("promote")
    }

    /// Whether Ctrl-C or SIGTERM came.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Gives this host's name.
    pub fn host() -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
}

/// Notes the first Ctrl-C or SIGTERM, ends the process at the second.
fn watch_signals(interrupted: &Arc<AtomicBool>) {
    let status = i32::from(ExitCode::Interrupted.number());
    for signal in [SIGINT, SIGTERM] {
        // In this order: what ends the process must not see what the same signal notes.
        let ends = flag::register_conditional_shutdown(signal, status, Arc::clone(interrupted));
        let notes = flag::register(signal, Arc::clone(interrupted));
        // Where neither can be had, a signal ends the process as it always does.
        drop((ends, notes));
    }
}
