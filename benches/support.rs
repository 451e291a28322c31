//! What benchmarks share: the cost of a command with all its children, and medians.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// CPU and wall time of one command with all its children.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// Runs a command and asks bash what it and its children took.
pub(crate) fn measure(folder: &Path, home: &Path, command: &str) -> Cost {
    let began = Instant::now();
    let output = Command::new("bash")
        .args(["-c", &format!("( {command} ); times")])
        .current_dir(folder)
        .env("PROMOTE_CACHE_DIR", home.join("cache"))
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let wall = began.elapsed();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let children = text.lines().last().unwrap_or_else(|| fail(&text));
    let cpu = children.split_whitespace().map(|time| seconds(time).unwrap_or_else(|| fail(&text))).sum();
    Cost { cpu: Duration::from_secs_f64(cpu), wall }
}

/// Reads `0m0.123s`.
fn seconds(time: &str) -> Option<f64> {
    let (minutes, seconds) = time.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}

pub(crate) fn median(mut costs: Vec<Cost>) -> Cost {
    let mut walls: Vec<Duration> = costs.iter().map(|cost| cost.wall).collect();
    walls.sort_unstable();
    costs.sort_unstable_by_key(|cost| cost.cpu);
    Cost { cpu: costs[costs.len() / 2].cpu, wall: walls[walls.len() / 2] }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::print_stdout, reason = "a benchmark's result is its output")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::panic, reason = "a benchmark that cannot measure has to stop")]
fn fail<T>(text: &str) -> T {
    panic!("bash's `times` cannot be read: {text}")
}
