//! Replays the merges of any clone as promotions and counts what each would lose.
//!
//! `cargo bench --bench replay -- CLONE [LIMIT]`: every merge commit with two parents is merged again, its
//! second parent as the source and its first as the target. Where the target has no work of its own
//! nothing may be lost. Nothing is written to the clone.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use promote::git::{
    self, GitError, GitProgram, Identity, MergeRequest, Merged, Prompts, Revision, Store, Unrelated,
};
use promote::model::merge::LossKind;

/// What a number of merges came to.
#[derive(Default)]
struct Tally {
    losses: Vec<usize>,
    lines: usize,
    conflicts: usize,
    commits: Vec<usize>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let Some(clone) = words.first() else {
        print("replay: no clone is named: cargo bench --bench replay -- CLONE [LIMIT]\n");
        return ExitCode::SUCCESS;
    };
    let limit = words.get(1).and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    #[expect(clippy::disallowed_methods, reason = "a measurement asks the machine for its programs")]
    let search = std::env::var_os("PATH");
    let program = GitProgram::find(search.as_deref(), Prompts::Refused);
    let merges = merges(Path::new(clone));
    let (mut alone, mut with_work) = (Tally::default(), Tally::default());
    let mut faults: BTreeMap<String, usize> = BTreeMap::new();
    let mut times: Vec<Duration> = Vec::new();
    for (target, source) in merges.iter().take(limit) {
        let began = Instant::now();
        match replay(Path::new(clone), program.as_ref(), (target, source)) {
            Ok(merged) if merged.merge.base.as_deref() == Some(target.as_str()) => alone.add(&merged),
            Ok(merged) => with_work.add(&merged),
            Err(error) => *faults.entry(error.to_string()).or_default() += 1,
        }
        times.push(began.elapsed());
    }
    times.sort();
    print(&format!("{} merges of {clone}\n", times.len()));
    alone.print("the target has no work of its own");
    with_work.print("both sides have work");
    print(&format!(
        "time of one merge: median {:.0} ms, slowest {:.0} ms\n",
        times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0),
        times.last().map_or(0.0, |time| time.as_secs_f64() * 1000.0),
    ));
    for (fault, count) in &faults {
        print(&format!("not merged, {count} times: {fault}\n"));
    }
    if alone.losses.iter().any(|count| *count > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Lists the merge commits' parents: what was merged into, what was merged.
fn merges(clone: &Path) -> Vec<(String, String)> {
    let mut command = Command::new("git");
    let command = command.arg("-C").arg(clone).args(["log", "--all", "--merges", "--format=%P"]);
    let output = command.output().expect("git runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| {
        let (target, source) = line.split_once(' ')?;
        (!source.contains(' ')).then(|| (target.to_owned(), source.to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

fn replay(
    clone: &Path,
    program: Option<&GitProgram>,
    (target, source): (&str, &str),
) -> Result<Merged, GitError> {
    // Opened anew for each: what a merge writes goes with it.
    let store = Store::local(clone)?.speculative()?;
    let (target, source) = (Revision::new(target)?, Revision::new(source)?);
    let (name, email) = ("Nobody".to_owned(), "nobody@example.com".to_owned());
    let nobody = Identity { name, email, time_seconds: 0, offset_minutes: 0 };
    let calm = AtomicBool::new(false);
    let plain = MergeRequest::plain(&source, &target, &nobody, (program, &calm));
    git::merge(&store, &MergeRequest { unrelated: Unrelated::Allowed, ..plain })
}

impl Tally {
    fn add(&mut self, merged: &Merged) {
        let merge = &merged.merge;
        self.losses.push(merge.losses.len());
        let lost = merge.losses.iter().filter(|loss| loss.kind == LossKind::Line);
        self.lines += lost.map(|loss| loss.text.len()).sum::<usize>();
        self.conflicts += usize::from(!merge.conflicts.is_empty());
        let mut commits: Vec<_> = merge.losses.iter().filter_map(|loss| loss.commit.as_ref()).collect();
        commits.sort();
        commits.dedup();
        self.commits.push(commits.len());
    }

    fn print(&mut self, what: &str) {
        self.losses.sort_unstable();
        self.commits.sort_unstable();
        let at = |list: &[usize], share: usize| {
            list.get((list.len() * share / 100).min(list.len().max(1) - 1)).copied()
        };
        let of = |list: &[usize], share| at(list, share).unwrap_or_default();
        let with = self.losses.iter().filter(|count| **count > 0).count();
        print(&format!(
            "{what}: {} merges, {with} with a loss, {} with a conflict\n\
             \x20 losses of a merge: median {}, 90th percentile {}, 99th {}, most {}; lines in all {}\n\
             \x20 commits that lose something: median {}, 90th percentile {}, most {}\n",
            self.losses.len(),
            self.conflicts,
            of(&self.losses, 50),
            of(&self.losses, 90),
            of(&self.losses, 99),
            of(&self.losses, 100),
            self.lines,
            of(&self.commits, 50),
            of(&self.commits, 90),
            of(&self.commits, 100),
        ));
    }
}

/// Prints; a reader that is gone is nobody's fault.
fn print(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).unwrap_or_default();
}
