//! A whole promotion beside the recipe that it replaces and beside the floor under both: time, and memory beside Git's.
//!
//! `cargo bench --bench recipe [-- FILES COMMITS CHANGED TURNS]` (50,000, 5,000, 1,000 and 5) makes a repository,
//! serves it by `git daemon` on loopback, and lets all take turns, each from the same state of servers and caches:
//!
//! * the recipe: `git clone`, `git pull -X theirs --allow-unrelated-histories`, `git push`;
//! * the floor: both sides fetched side by side into a warm bare repository, `git merge-tree`, `git commit-tree`,
//!   one atomic push; and one push more, as for a lock;
//! * `promote`, with a warm cache and with none.
//!
//! `PROMOTE_BINARY` names another binary to measure. Bars are printed with what was measured, held or missed.

mod ground;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ground::{Daemon, IDENTITY, Import, bar, numbers, path, run, serve, text};
use support::{Cost, measure, median, milliseconds, print};

/// The sizes of a run.
#[derive(Clone, Copy)]
struct Sizes {
    files: usize,
    commits: usize,
    changed: usize,
    turns: usize,
}

/// Folders and addresses of a run.
struct Stage {
    folder: PathBuf,
    port: u16,
    sizes: Sizes,
    binary: String,
    _daemon: Daemon,
}

fn main() {
    let [files, commits, changed, turns] = numbers([50_000, 5_000, 1_000, 5]);
    let sizes = Sizes { files, commits, changed, turns };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stage = Stage::new(folder.path(), sizes);
    print(&format!(
        "{} files, {} commits, {} changed files, {} turns",
        sizes.files, sizes.commits, sizes.changed, sizes.turns
    ));
    let mut all: Vec<(&str, Vec<Cost>)> =
        ["recipe", "floor", "lock", "warm", "cold"].into_iter().map(|name| (name, Vec::new())).collect();
    for _ in 0..sizes.turns {
        for (name, costs) in &mut all {
            stage.reset(name);
            costs.push(measure(&stage.folder.join("shop"), &stage.folder, &stage.command(name)));
            stage.promoted(name);
        }
    }
    let [recipe, floor, lock, warm, cold] =
        [0, 1, 2, 3, 4].map(|place: usize| (all[place].0, median(all[place].1.clone())));
    for (name, cost) in [recipe, floor, lock, warm, cold] {
        print(&format!(
            "{name:8} cpu {:>8.0} ms   wall {:>8.0} ms",
            milliseconds(cost.cpu),
            milliseconds(cost.wall)
        ));
    }
    let bottom = floor.1.wall + lock.1.wall;
    bar("the recipe, in promotions with a warm cache", ratio(recipe.1.wall, warm.1.wall), 8.0..);
    bar("a promotion with a warm cache, in floors with a lock", ratio(warm.1.wall, bottom), ..=1.3);
    bar("a promotion with a cold cache, in recipes", ratio(cold.1.wall, recipe.1.wall), ..=1.0);
    memory(&stage);
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

impl Stage {
    fn new(folder: &Path, sizes: Sizes) -> Self {
        make(folder, sizes);
        let (daemon, port) = serve(folder);
        let url = |name: &str| format!("git://127.0.0.1:{port}/{name}.git");
        let project = format!(
            "version: 1\nproject_id: shop\ndefault_environment: dev\nenvironments:\n\
             - {{name: dev, workspace: {{repository: \"{}\", branch: main}}}}\n\
             - {{name: staging, workspace: {{repository: \"{}\", branch: main}}}}\n",
            url("dev"),
            url("staging")
        );
        std::fs::create_dir(folder.join("shop")).expect("a folder for the project file");
        std::fs::write(folder.join("shop/project.yml"), project).expect("a project file");
        #[expect(clippy::disallowed_methods, reason = "another binary can be measured")]
        let binary =
            std::env::var("PROMOTE_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_promote").to_owned());
        let stage = Self { folder: folder.to_owned(), port, sizes, binary, _daemon: daemon };
        // What is warm: both tips are in the bare repository of the floor and in the cache.
        stage.run(&format!(
            "git init -q --bare floor.git && git -C floor.git fetch -q --no-tags git://127.0.0.1:{port}/dev.git \
             +refs/heads/main:refs/r/dev && git -C floor.git fetch -q --no-tags \
             git://127.0.0.1:{port}/staging.git +refs/heads/main:refs/r/staging && mv floor.git warm-floor.git"
        ));
        measure(&folder.join("shop"), folder, &format!("{} >/dev/null 2>&1", stage.plan()));
        stage.run("mv cache warm-cache && mv staging.git fresh.git");
        stage
    }

    fn plan(&self) -> String {
        format!("'{}' plan dev staging", self.binary)
    }

    /// Puts servers and caches where they were before.
    fn reset(&self, name: &str) {
        self.run("rm -rf staging.git cache floor.git recipe && cp -a fresh.git staging.git");
        match name {
            "warm" => self.run("cp -a warm-cache cache"),
            "floor" | "lock" => self.run("cp -a warm-floor.git floor.git"),
            _ => {}
        }
        self.run("sync -f . || true");
    }

    fn command(&self, name: &str) -> String {
        format!("{IDENTITY}; {}", self.words(name))
    }

    fn words(&self, name: &str) -> String {
        let url = |name: &str| format!("git://127.0.0.1:{}/{name}.git", self.port);
        let (dev, staging) = (url("dev"), url("staging"));
        let fetch = |url: &str, name: &str| {
            format!("git fetch -q --no-tags --no-write-fetch-head {url} +refs/heads/main:refs/r/{name}")
        };
        match name {
            "recipe" => format!(
                "git clone -q {staging} ../recipe && cd ../recipe && \
                 git pull -q -X theirs --no-edit --no-rebase --allow-unrelated-histories {dev} main && git push -q"
            ),
            "floor" => format!(
                "cd ../floor.git && {{ {} & {}; wait; }} && tree=$(git merge-tree --write-tree -X theirs refs/r/staging refs/r/dev) && \
                 commit=$(git commit-tree -m promote -p refs/r/staging -p refs/r/dev $tree) && \
                 git push -q --atomic --force-with-lease=refs/heads/main:$(git rev-parse refs/r/staging) {staging} \
                 $commit:refs/heads/main $(git commit-tree -m record $(git mktree </dev/null)):refs/promote/journal",
                fetch(&dev, "dev"),
                fetch(&staging, "staging")
            ),
            "lock" => format!(
                "cd ../floor.git && git push -q {staging} \
                 $(git commit-tree -m lock $(git mktree </dev/null)):refs/promote/lock/main"
            ),
            _ => format!("'{}' dev staging --yes --quiet >/dev/null 2>../said", self.binary),
        }
    }

    /// Looks that a turn did what it is measured for.
    fn promoted(&self, name: &str) {
        if name != "lock" {
            let last = self.sizes.changed - 1;
            self.run(&format!("git -C staging.git cat-file -e main:{}", changed(last, self.sizes)));
            self.run("git -C staging.git cat-file -e main:hotfix.txt");
        }
    }

    fn run(&self, script: &str) {
        run(&self.folder, script);
    }
}

/// The path of the n-th file that the source changes: a new one, so that a turn can be looked at afterwards.
fn changed(number: usize, sizes: Sizes) -> String {
    if number + 1 == sizes.changed {
        "news.txt".to_owned()
    } else {
        path(number * sizes.files.div_ceil(sizes.changed) % sizes.files)
    }
}

/// Makes `dev.git` and `staging.git`: one history, then work of its own on either side.
fn make(folder: &Path, sizes: Sizes) {
    let mut import = Import::into(folder, "all.git");
    import.history(sizes.files, sizes.commits);
    import.commit("staging", Some("refs/heads/main"), &[("hotfix.txt".to_owned(), "a hotfix\n".to_owned())]);
    let work: Vec<(String, String)> = (0..sizes.changed)
        .map(|number| (changed(number, sizes), text(number, sizes.commits + number + 1)))
        .collect();
    import.commit("dev", Some("refs/heads/main"), &work);
    import.end();
    run(
        folder,
        "git -C all.git repack -adq && for name in dev staging; do \
         git clone -q --bare --single-branch -b $name all.git $name.git && git -C $name.git branch -m $name main && \
         git -C $name.git repack -adq; done && rm -rf all.git",
    );
}

/// The largest process of a promotion beside the largest of the recipe.
fn memory(stage: &Stage) {
    let peak = |name: &str| {
        stage.reset(name);
        let script = format!("{IDENTITY}; /usr/bin/env time -f %M bash -c {}", quoted(&stage.command(name)));
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(stage.folder.join("shop"))
            .env("PROMOTE_CACHE_DIR", stage.folder.join("cache"))
            .output()
            .expect("bash runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().last().and_then(|line| line.trim().parse::<u64>().ok())
    };
    let (Some(recipe), Some(warm), Some(cold)) = (peak("recipe"), peak("warm"), peak("cold")) else {
        print("memory: not measured, GNU `time` is not installed here");
        return;
    };
    print(&format!("memory of the largest process: recipe {recipe} kB, warm {warm} kB, cold {cold} kB"));
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    bar("memory, in recipes", warm.max(cold) as f64 / recipe as f64, ..=2.0);
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
