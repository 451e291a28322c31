//! What benchmarks with repositories share: histories of any size, a server for them, and bars.

use std::io::{BufWriter, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::print;

/// Who makes commits, for a shell.
pub(crate) const IDENTITY: &str = "export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com \
                                   GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com GIT_CONFIG_NOSYSTEM=1";

/// Prints what was found and whether it is within the bar.
pub(crate) fn bar(what: &str, found: f64, bar: impl RangeBounds<f64>) {
    let words = match (bar.start_bound(), bar.end_bound()) {
        (_, Bound::Included(most)) => format!("at most {most}"),
        (Bound::Included(least), _) => format!("at least {least}"),
        (_, Bound::Excluded(_) | Bound::Unbounded) => "none".to_owned(),
    };
    let held = if bar.contains(&found) { "held" } else { "missed" };
    print(&format!("{what}: {found:.2} (bar: {words}, {held})"));
}

/// Gives the numbers among the arguments, each with what it is otherwise.
pub(crate) fn numbers<const COUNT: usize>(otherwise: [usize; COUNT]) -> [usize; COUNT] {
    let given: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    std::array::from_fn(|place| given.get(place).copied().unwrap_or(otherwise[place]))
}

/// Runs a script in a folder; it has to succeed.
pub(crate) fn run(folder: &Path, script: &str) {
    let script = &format!("{IDENTITY}; {script}");
    let output = Command::new("bash").args(["-c", script]).current_dir(folder).output().expect("bash runs");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A `git daemon` that ends with the benchmark.
pub(crate) struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // `git` only takes the daemon, a process of its own, with it where it is asked to end.
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap_or_default();
        drop(self.0.wait());
    }
}

/// Serves the repositories of a folder on loopback; gives the port.
pub(crate) fn serve(folder: &Path) -> (Daemon, u16) {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let daemon = Command::new("git")
        .args(["daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1"])
        .arg(format!("--port={port}"))
        .arg(format!("--base-path={}", folder.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("git daemon starts");
    let patience = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < patience, "git daemon answers");
        std::thread::sleep(Duration::from_millis(20));
    }
    (Daemon(daemon), port)
}

/// The path of the n-th file.
pub(crate) fn path(number: usize) -> String {
    format!("data/{:03}/{:02}.txt", number / 100, number % 100)
}

/// The text of a file: twenty lines, of which a version changes one.
pub(crate) fn text(number: usize, version: usize) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..20)
        .map(|line| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if line == version % 20 && version > 0 {
                format!("changed {version}\n")
            } else {
                format!("{state:x}\n")
            }
        })
        .collect()
}

/// A bare repository that is being filled.
pub(crate) struct Import {
    child: Child,
    stream: BufWriter<ChildStdin>,
}

impl Import {
    /// Makes an empty repository in a folder.
    pub(crate) fn into(folder: &Path, name: &str) -> Self {
        run(folder, &format!("git init -q --bare -b main {name}"));
        let mut child = Command::new("git")
            .args(["-C", name, "fast-import", "--quiet"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("git fast-import starts");
        let stream = BufWriter::new(child.stdin.take().expect("a pipe"));
        Self { child, stream }
    }

    /// Makes a commit on a branch that begins at another, or goes on.
    pub(crate) fn commit(&mut self, branch: &str, from: Option<&str>, files: &[(String, String)]) {
        let from = from.map(|from| format!("from {from}\n")).unwrap_or_default();
        let stream = &mut self.stream;
        write!(
            stream,
            "commit refs/heads/{branch}\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 2\nx\n{from}"
        )
        .expect("a commit");
        for (path, text) in files {
            write!(stream, "M 644 inline {path}\ndata {}\n{text}\n", text.len()).expect("a file");
        }
    }

    /// Makes a history on `main`: all files, then commits that change one each.
    pub(crate) fn history(&mut self, files: usize, commits: usize) {
        let all: Vec<(String, String)> = (0..files).map(|number| (path(number), text(number, 0))).collect();
        self.commit("main", None, &all);
        for number in 1..commits {
            let file = number * 7 % files;
            self.commit("main", None, &[(path(file), text(file, number))]);
        }
    }

    /// Waits until all is there.
    pub(crate) fn end(self) {
        let Self { mut child, stream } = self;
        drop(stream);
        assert!(child.wait().expect("it ends").success(), "git fast-import made the history");
    }
}
