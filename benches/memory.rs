//! How much memory a command takes at its height.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Gives the highest resident set of a run, in megabytes, as a look every millisecond sees it.
pub(crate) fn peak_megabytes(folder: &Path, binary: &str, arguments: &[&str], home: &Path) -> u64 {
    let mut child = Command::new(binary)
        .args(arguments)
        .current_dir(folder)
        .env("PROMOTE_CACHE_DIR", home.join("cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("promote starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("promote runs").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or_default());
        std::thread::sleep(Duration::from_millis(1));
    }
    peak >> 10
}
