//! What a plan costs, beside the recipe that it replaces: CPU and wall time in one run, as ratios.
//!
//! `cargo bench` (or `make bench`) makes the example project with three environments, warms the cache and
//! the disk, and then takes turns: a plan, the recipe (`git clone`, `git pull -X theirs`), a plan, …
//! CPU time is that of the process and all its children, as `bash`'s `times` counts it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TURNS: u32 = 15;

/// CPU and wall time of one command with all its children.
#[derive(Clone, Copy, Debug)]
struct Cost {
    cpu: Duration,
    wall: Duration,
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let demo = folder.path().join("demo");
    let binary = env!("CARGO_BIN_EXE_promote");
    let made = Command::new(binary)
        .args(["demo", "--quiet"])
        .arg(&demo)
        .env("PROMOTE_CACHE_DIR", folder.path().join("cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("promote demo runs");
    assert!(made.success(), "promote demo made the project");
    let plan = format!("'{binary}' plan dev staging >/dev/null 2>&1 || true");
    let recipe = "rm -rf ../recipe && git clone -q ../staging.git ../recipe && cd ../recipe \
                  && git pull -q -X theirs --no-edit --allow-unrelated-histories ../dev.git main";
    let mut plans = Vec::new();
    let mut recipes = Vec::new();
    for turn in 0..=TURNS {
        let costs = (measure(&demo, folder.path(), &plan), measure(&demo, folder.path(), recipe));
        if turn > 0 {
            plans.push(costs.0);
            recipes.push(costs.1);
        }
    }
    let (plan, recipe) = (median(plans), median(recipes));
    print(&format!(
        "plan of the example project, warm cache, median of {TURNS}\n\
         promote plan   cpu {:>6.1} ms   wall {:>6.1} ms\n\
         the recipe     cpu {:>6.1} ms   wall {:>6.1} ms   (merge only: no configuration, no schema)\n\
         ratio          cpu {:>6.2}      wall {:>6.2}\n\
         bar            cpu under 150 ms: {}\n",
        milliseconds(plan.cpu),
        milliseconds(plan.wall),
        milliseconds(recipe.cpu),
        milliseconds(recipe.wall),
        plan.cpu.as_secs_f64() / recipe.cpu.as_secs_f64(),
        plan.wall.as_secs_f64() / recipe.wall.as_secs_f64(),
        if plan.cpu < Duration::from_millis(150) { "held" } else { "missed" },
    ));
}

/// Runs a command and asks bash what it and its children took.
fn measure(folder: &Path, home: &Path, command: &str) -> Cost {
    let began = Instant::now();
    let output = Command::new("bash")
        .args(["-c", &format!("( {command} ); times")])
        .current_dir(folder.join("shop"))
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

fn median(mut costs: Vec<Cost>) -> Cost {
    let mut walls: Vec<Duration> = costs.iter().map(|cost| cost.wall).collect();
    walls.sort_unstable();
    costs.sort_unstable_by_key(|cost| cost.cpu);
    Cost { cpu: costs[costs.len() / 2].cpu, wall: walls[walls.len() / 2] }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::print_stdout, reason = "a benchmark's result is its output")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::panic, reason = "a benchmark that cannot measure has to stop")]
fn fail<T>(text: &str) -> T {
    panic!("bash's `times` cannot be read: {text}")
}
