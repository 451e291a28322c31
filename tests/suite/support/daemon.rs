//! A real `git daemon` on loopback.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::sandbox::Sandbox;

/// A daemon that ends with the test.
pub(crate) struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // `git` only takes the daemon, a process of its own, with it where it is asked to end.
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap_or_default();
        drop(self.0.wait());
    }
}

/// Gives a port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

/// Serves the repositories of a sandbox at `git://127.0.0.1:<port>/`.
pub(crate) fn serve(sandbox: &Sandbox, port: u16) -> Daemon {
    let mut command = sandbox.command("git", ".");
    command
        .args(["daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1"])
        .arg(format!("--port={port}"))
        .arg(format!("--base-path={}", sandbox.path("").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let daemon = Daemon(command.spawn().expect("git daemon starts"));
    let patience = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < patience, "git daemon does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon
}
