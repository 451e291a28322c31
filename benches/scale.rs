//! What grows with a project: `promote status` with the environments, and a merge with the files.
//!
//! `cargo bench --bench scale [-- ENVIRONMENTS FILES CHANGED TURNS [DELAY]]` (10, 200,000, 1,000, 5 and 0):
//!
//! * as many repositories on one `git daemon`, each with work that the one before it brought; `promote status` beside
//!   the slowest single `git fetch` of one of them, and all these fetches started at once, with nothing new and with a
//!   new commit in each. The last number is how many milliseconds every answer of the server is late, as one that is
//!   far away would be;
//! * a local repository of so many files, of which the source changed so many and the target a tenth as many, half of
//!   these in both; the merge alone, with its losses, beside `git merge-tree`, and a plan of it.
//!
//! `PROMOTE_BINARY` names another binary to measure.

mod ground;
mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use ground::{IDENTITY, Import, bar, numbers, path, run, serve, text};
use promote::git::{self, GitProgram, Identity, MergeRequest, Prompts, Store};
use support::{Cost, measure, median, milliseconds, print};

fn main() {
    let [environments, files, changed, turns, delay] = numbers([10, 200_000, 1_000, 5, 0]);
    #[expect(clippy::disallowed_methods, reason = "another binary can be measured")]
    let binary = std::env::var("PROMOTE_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_promote").to_owned());
    status(&binary, environments, turns, Duration::from_millis(delay as u64));
    merge(&binary, files, changed, turns);
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn status(binary: &str, environments: usize, turns: usize, delay: Duration) {
    print(&format!("{environments} environments on one server, {turns} turns, answers {delay:?} late"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let mut import = Import::into(folder, "e0.git");
    import.history(1_000, 200);
    import.end();
    for number in 1..environments {
        run(folder, &format!("cp -a e0.git e{number}.git"));
    }
    let (_daemon, port) = serve(folder);
    let port = far(port, delay);
    let url = |number: usize| format!("git://127.0.0.1:{port}/e{number}.git");
    let names: Vec<String> = (0..environments).map(|number| format!("e{number}")).collect();
    write_project(folder, &names, &url);
    let status = format!("'{binary}' status >../said 2>&1");
    let fetch = |into: &str, number: usize| {
        format!(
            "git -C ../{into}.git fetch -q --no-tags --no-write-fetch-head {} +refs/heads/main:refs/r/{number}",
            url(number)
        )
    };
    let at_once =
        (0..environments).map(|number| fetch("all", number)).collect::<Vec<_>>().join(" & ") + " & wait";
    run(folder, "git init -q --bare warm.git; git init -q --bare all.git");
    let shop = folder.join("shop");
    let take = |command: &str| measure(&shop, folder, command);
    for number in 0..environments {
        take(&fetch("warm", number));
        take(&fetch("all", number));
    }
    take(&status);
    for (what, moves) in [("nothing new", false), ("a new commit in each", true)] {
        let (mut all, mut bare, mut single) = (Vec::new(), Vec::new(), vec![Vec::new(); environments]);
        for turn in 0..turns {
            if moves {
                advance(folder, environments, turn);
            }
            all.push(take(&status));
            bare.push(take(&at_once));
            for (number, costs) in single.iter_mut().enumerate() {
                costs.push(take(&fetch("warm", number)));
            }
        }
        let said = std::fs::read_to_string(folder.join("said")).unwrap_or_default();
        assert!(
            names.iter().all(|name| said.contains(name.as_str())),
            "status names every environment: {said}"
        );
        let slowest = single.into_iter().map(|costs| median(costs).wall).max().unwrap_or_default();
        let (all, bare) = (median(all), median(bare).wall);
        print(&format!(
            "{what}: status cpu {:.0} ms, wall {:.0} ms; slowest single fetch {:.0} ms, all at once {:.0} ms: {:.2}",
            milliseconds(all.cpu),
            milliseconds(all.wall),
            milliseconds(slowest),
            milliseconds(bare),
            ratio(bare, slowest)
        ));
        bar("status, in slowest single fetches", ratio(all.wall, slowest), ..=1.5);
    }
}

/// Writes a project file whose environments follow each other.
fn write_project(folder: &Path, names: &[String], url: &dyn Fn(usize) -> String) {
    let entry = |(number, name): (usize, &String)| {
        format!("- {{name: {name}, workspace: {{repository: \"{}\", branch: main}}}}\n", url(number))
    };
    let project = format!(
        "version: 1\nproject_id: shop\ndefault_environment: e0\npromotion: {{order: [{}]}}\nenvironments:\n{}",
        names.join(", "),
        names.iter().enumerate().map(entry).collect::<String>()
    );
    std::fs::create_dir(folder.join("shop")).expect("a folder for the project file");
    std::fs::write(folder.join("shop/project.yml"), project).expect("a project file");
}

/// Makes a commit in each repository.
fn advance(folder: &Path, environments: usize, turn: usize) {
    for number in 0..environments {
        run(
            folder,
            &format!(
                "cd e{number}.git && blob=$(echo {turn} {number} | git hash-object -w --stdin) && \
                 tree=$( {{ git ls-tree main; printf '100644 blob %s\\tnews-{turn}.txt\\n' $blob; }} | git mktree) && \
                 git update-ref refs/heads/main $(git commit-tree -m news -p main $tree)"
            ),
        );
    }
}

/// Gives a port whose answers are late; the server's own where they are not to be.
fn far(port: u16, delay: Duration) -> u16 {
    if delay.is_zero() {
        return port;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let far = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let both = (near.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
            std::thread::spawn(move || carry(near, server, Duration::ZERO));
            std::thread::spawn(move || carry(both.1, both.0, delay));
        }
    });
    far
}

fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let size = from.read(&mut buffer).unwrap_or_default();
        std::thread::sleep(delay);
        if size == 0 || to.write_all(&buffer[..size]).is_err() {
            // Whoever is gone already needs no telling.
            to.shutdown(Shutdown::Write).unwrap_or_default();
            return;
        }
    }
}

fn merge(binary: &str, files: usize, changed: usize, turns: usize) {
    let own = (changed / 10).max(2);
    print(&format!(
        "{files} files, {changed} changed in the source, {own} in the target, {} in both, {turns} turns",
        own / 2
    ));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let mut import = Import::into(folder, "all.git");
    import.history(files, 1);
    let step = files.div_ceil(changed);
    let work = |numbers: &mut dyn Iterator<Item = usize>, version: usize| -> Vec<(String, String)> {
        numbers.map(|number| (path(number % files), text(number % files, version))).collect()
    };
    import.commit("source", Some("refs/heads/main"), &work(&mut (0..changed).map(|number| number * step), 3));
    // The second half of the target's files lie between those of the source.
    let place = |number: usize| number * step + if number < own / 2 { 0 } else { step / 2 };
    import.commit("target", Some("refs/heads/main"), &work(&mut (0..own).map(place), 12));
    import.end();
    run(folder, "git -C all.git repack -adq");
    let all = folder.join("all.git");
    let words = format!("{IDENTITY}; git merge-tree --write-tree -X theirs target source >/dev/null");
    let plan = format!("'{binary}' plan source target >/dev/null 2>&1");
    let mut costs: [Vec<Cost>; 2] = [Vec::new(), Vec::new()];
    let mut ours = Vec::new();
    for turn in 0..=turns {
        let both = [measure(&all, folder, &words), measure(&all, folder, &plan)];
        let ours_now = alone(&all);
        if turn > 0 {
            costs.iter_mut().zip(both).for_each(|(costs, cost)| costs.push(cost));
            ours.push(ours_now);
        }
    }
    ours.sort_unstable();
    let [theirs, plan] = costs.map(median);
    let ours = ours[ours.len() / 2];
    print(&format!(
        "git merge-tree {:.0} ms; the merge with its losses {:.0} ms; a plan, the whole command, cpu {:.0} ms, wall {:.0} ms",
        milliseconds(theirs.wall),
        milliseconds(ours),
        milliseconds(plan.cpu),
        milliseconds(plan.wall)
    ));
    bar("the merge, in seconds", ours.as_secs_f64(), ..=0.2);
}

/// Merges once, with both engines, and gives how long it took.
fn alone(repository: &Path) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the `git` program is found as the command finds it")]
    let program = GitProgram::find(std::env::var_os("PATH").as_deref(), Prompts::Refused).expect("git");
    // Its version is asked once a run, whatever is merged.
    program.can_merge_tree();
    let store = Store::local(repository).expect("the repository").speculative().expect("a store aside");
    let tip = |name: &str| store.resolve(name).expect("a branch");
    let (source, target) = (tip("source"), tip("target"));
    let nobody = Identity {
        name: "Nobody".to_owned(),
        email: "nobody@example.com".to_owned(),
        time_seconds: 0,
        offset_minutes: 0,
    };
    let began = Instant::now();
    let merged = git::merge(
        &store,
        &MergeRequest::plain(&source, &target, &nobody, (Some(&program), &AtomicBool::new(false))),
    )
    .expect("a merge");
    let took = began.elapsed();
    assert!(merged.merge.conflicts.is_empty() && merged.tree.is_some(), "it merges cleanly");
    took
}
