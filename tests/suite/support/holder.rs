//! Another process that holds a DuckDB file.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::sandbox::Sandbox;

/// A process that holds a file until it is dropped.
pub(crate) struct Holder(Child);

impl Holder {
    /// Gives its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts this test binary once more with the one job of holding the file.
pub(crate) fn hold(sandbox: &Sandbox, path: &str) -> Holder {
    let this = std::env::current_exe().expect("the test binary");
    let mut child = sandbox
        .command(this.to_str().expect("paths are UTF-8"), ".")
        .args(["--exact", "support::holder::holds_a_file", "--ignored", "--nocapture"])
        .env("HOLD", sandbox.path(path))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the holder starts");
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let held = stdout.lines().map_while(Result::ok).any(|line| line.contains("held"));
    assert!(held, "the holder holds the file");
    Holder(child)
}

#[test]
#[ignore = "the job of the process that `hold` starts"]
fn holds_a_file() {
    let path = std::env::var("HOLD").expect("HOLD");
    let connection = duckdb::Connection::open(path).expect("the file opens");
    println!("held");
    let mut line = String::new();
    drop(std::io::stdin().read_line(&mut line));
    drop(connection);
}
