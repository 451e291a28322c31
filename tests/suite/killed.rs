//! `kill -9` at random moments: a second run ends in the state of an undisturbed one, and nothing is left over.
//!
//! `PROMOTE_KILLS=500 cargo test --test suite -- killed --nocapture` (or `make kills`) kills as often as that and
//! says how the kills fell; `PROMOTE_KILLS_SEED` repeats one series.

use std::path::Path;
use std::time::{Duration, Instant};

use super::crash::{checked_out, state};
use super::support::project::Layout;
use super::support::sandbox::Sandbox;

const WORDS: &str = "dev staging --yes";

/// A small generator of numbers that a seed repeats (Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn killed_at_random_a_second_run_ends_in_the_same_state() {
    let kills = number("PROMOTE_KILLS", 20);
    let mut numbers = Numbers(number("PROMOTE_KILLS_SEED", 1));
    let mut fell = [0_u64; 3];
    for (share, layout) in [(kills.div_ceil(2), Layout::Branches), (kills / 2, Layout::Repositories)] {
        let template = checked_out(layout);
        let undisturbed = template.twin();
        let began = Instant::now();
        undisturbed.promote("shop", WORDS).exits(0);
        let mut longest = u64::try_from(began.elapsed().as_micros()).unwrap();
        let wanted = state(&undisturbed, layout);
        let mut number = 0;
        while number < share {
            let after = Duration::from_micros(numbers.below(longest));
            let sandbox = template.twin();
            let mut child = sandbox.start("shop", WORDS, &[]);
            std::thread::sleep(after);
            child.kill().unwrap();
            let killed = sandbox.wait(child).status == -1;
            let moved = has_moved(&sandbox, &template, layout);
            fell[if killed { usize::from(moved) } else { 2 }] += 1;
            // How long a run takes changes with what else the machine does; one that had ended counts for nothing.
            longest = if killed { longest + longest / 50 } else { longest - longest / 10 };
            number += u64::from(killed);
            let told = format!("{layout:?}, kill {number} after {after:?}");
            let run = sandbox.promote("shop", WORDS);
            assert_eq!(run.status, 0, "{told}\n{}", run.everything());
            assert_eq!(state(&sandbox, layout), wanted, "{told}");
            prune(&sandbox);
            assert_eq!(left_over(&sandbox), Vec::<String>::new(), "{told}");
        }
    }
    let [before, after, too_late] = fell;
    super::support::told(&format!(
        "{kills} kills: {before} before the branch moved, {after} after it ({too_late} more came after the end); all ended in \
         the same state"
    ));
}

fn has_moved(sandbox: &Sandbox, template: &Sandbox, layout: Layout) -> bool {
    let tip = |sandbox: &Sandbox| match layout {
        Layout::Branches => sandbox.git("shop", &["rev-parse", "staging"]),
        Layout::Repositories => sandbox.git("staging.git", &["rev-parse", "main"]),
    };
    tip(sandbox) != tip(template)
}

/// Lets Git take away half-written objects, as it does with its own when it collects garbage.
fn prune(sandbox: &Sandbox) {
    for path in left_over(sandbox) {
        if let Some((folder, _)) = path.split_once("/objects/tmp_object_git2_") {
            sandbox.git(folder, &["prune", "--expire=now"]);
        }
    }
}

/// Lists what a run must not leave: locks, notes, what it was making, temporary files.
fn left_over(sandbox: &Sandbox) -> Vec<String> {
    let mut found = Vec::new();
    look(&sandbox.path(""), &mut found);
    found
}

fn look(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        let litter = ["promote-", "new-", "corrupt-", "tmp_", "tmp-", ".tmp"];
        if Path::new(&name).extension().is_some_and(|extension| extension == "lock" || extension == "wal")
            || litter.iter().any(|begin| name.starts_with(begin))
        {
            found.push(path.display().to_string());
        }
        if entry.file_type().unwrap().is_dir() {
            look(&path, found);
        }
    }
}
