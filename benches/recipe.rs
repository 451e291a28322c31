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

mod support;

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let number = |place: usize, otherwise| numbers.get(place).copied().unwrap_or(otherwise);
    let sizes = Sizes {
        files: number(0, 50_000),
        commits: number(1, 5_000),
        changed: number(2, 1_000),
        turns: number(3, 5),
    };
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
    bar("the recipe, in promotions with a warm cache", ratio(recipe.1.wall, warm.1.wall), Bar::AtLeast(8.0));
    bar("a promotion with a warm cache, in floors with a lock", ratio(warm.1.wall, bottom), Bar::AtMost(1.3));
    bar("a promotion with a cold cache, in recipes", ratio(cold.1.wall, recipe.1.wall), Bar::AtMost(1.0));
    memory(&stage);
}

#[derive(Clone, Copy)]
enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

fn bar(what: &str, found: f64, bar: Bar) {
    let (held, words) = match bar {
        Bar::AtLeast(bar) => (found >= bar, format!("at least {bar}")),
        Bar::AtMost(bar) => (found <= bar, format!("at most {bar}")),
    };
    print(&format!("{what}: {found:.2} (bar: {words}, {})", if held { "held" } else { "missed" }));
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

impl Stage {
    fn new(folder: &Path, sizes: Sizes) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        make(folder, sizes);
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
        #[expect(clippy::disallowed_methods, reason = "another binary can be measured")]
        let binary =
            std::env::var("PROMOTE_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_promote").to_owned());
        let stage = Self { folder: folder.to_owned(), port, sizes, binary, _daemon: Daemon(daemon) };
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

fn run(folder: &Path, script: &str) {
    let script = &format!("{IDENTITY}; {script}");
    let output = Command::new("bash").args(["-c", script]).current_dir(folder).output().expect("bash runs");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

const IDENTITY: &str = "export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada \
                        GIT_COMMITTER_EMAIL=ada@example.com GIT_CONFIG_NOSYSTEM=1";

fn path(number: usize) -> String {
    format!("data/{:03}/{:02}.txt", number / 100, number % 100)
}

/// The path of the n-th file that the source changes: a new one, so that a turn can be looked at afterwards.
fn changed(number: usize, sizes: Sizes) -> String {
    if number + 1 == sizes.changed {
        "news.txt".to_owned()
    } else {
        path(number * sizes.files.div_ceil(sizes.changed) % sizes.files)
    }
}

fn text(number: usize, version: usize) -> String {
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

/// Makes `dev.git` and `staging.git`: one history, then work of its own on either side.
fn make(folder: &Path, sizes: Sizes) {
    run(folder, "git init -q --bare -b main all.git");
    let mut child = Command::new("git")
        .args(["-C", "all.git", "fast-import", "--quiet"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("git fast-import starts");
    let mut stream = std::io::BufWriter::new(child.stdin.take().expect("a pipe"));
    let mut commit = |branch: &str, from: Option<&str>, files: &[(String, String)]| {
        let from = from.map(|from| format!("from {from}\n")).unwrap_or_default();
        write!(
            stream,
            "commit refs/heads/{branch}\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 2\nx\n{from}"
        )
        .expect("a commit");
        for (path, text) in files {
            write!(stream, "M 644 inline {path}\ndata {}\n{text}\n", text.len()).expect("a file");
        }
    };
    let all: Vec<(String, String)> = (0..sizes.files).map(|number| (path(number), text(number, 0))).collect();
    commit("main", None, &all);
    for number in 1..sizes.commits {
        let file = number * 7 % sizes.files;
        commit("main", None, &[(path(file), text(file, number))]);
    }
    commit("staging", Some("refs/heads/main"), &[("hotfix.txt".to_owned(), "a hotfix\n".to_owned())]);
    let work: Vec<(String, String)> = (0..sizes.changed)
        .map(|number| (changed(number, sizes), text(number, sizes.commits + number + 1)))
        .collect();
    commit("dev", Some("refs/heads/main"), &work);
    drop(stream);
    assert!(child.wait().expect("it ends").success(), "git fast-import made the history");
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
    bar("memory, in recipes", warm.max(cold) as f64 / recipe as f64, Bar::AtMost(2.0));
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
