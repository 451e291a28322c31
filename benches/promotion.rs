//! What a plan costs, beside the recipe that it replaces: CPU and wall time in one run, as ratios.
//!
//! `cargo bench` (or `make bench`) makes the example project with three environments, warms the cache and
//! the disk, and then takes turns: a plan, the recipe (`git clone`, `git pull -X theirs`), a plan, …
//! CPU time is that of the process and all its children, as `bash`'s `times` counts it.

mod support;

use std::process::{Command, Stdio};
use std::time::Duration;

use support::{measure, median, milliseconds, print};

const TURNS: u32 = 15;

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
        let costs = (
            measure(&demo.join("shop"), folder.path(), &plan),
            measure(&demo.join("shop"), folder.path(), recipe),
        );
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
