//! Rollback and what comes after it, promotions by path, how every environment stands.

use std::time::{Duration, Instant};

use super::support::project::{Layout, WIDER_REVENUE, change_in_dev, hotfix, lock_by_hand, shop};
use super::support::sandbox::Sandbox;

fn tree(sandbox: &Sandbox, revision: &str) -> String {
    sandbox.git("staging.git", &["rev-parse", &format!("{revision}^{{tree}}")])
}

fn has(sandbox: &Sandbox, path: &str) -> bool {
    sandbox.git_succeeds("staging.git", &["cat-file", "-e", &format!("main:{path}")])
}

/// A shop whose staging got a model and was rolled back.
fn rolled_back() -> Sandbox {
    let sandbox = shop(Layout::Repositories);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "a new model");
    let before = tree(&sandbox, "main");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    sandbox.promote("shop", "rollback staging --plan").exits(0).says("1 promotion taken back");
    let run = sandbox.promote("shop", "rollback staging --yes --format json").exits(0);
    assert_eq!(run.json()["result"]["outcome"], "promoted");
    assert_eq!(tree(&sandbox, "main"), before);
    sandbox
}

#[test]
fn a_rollback_brings_the_earlier_tree_and_the_next_promotion_asks_what_becomes_of_it() {
    let sandbox = rolled_back();
    sandbox.promote("shop", "history staging").exits(0).says("rollback of staging");
    sandbox.promote("shop", "dev staging --yes").exits(1).says("on hold");
    sandbox.promote("shop", "release staging").exits(0);
    // The same source: Git calls that up to date.
    sandbox.promote("shop", "dev staging --yes").exits(1).says("--reinstate").says("--leave-out");
    change_in_dev(&sandbox, Layout::Repositories, "models/later.sql", "select 2 as two\n", "a later model");
    sandbox.promote("shop", "dev staging --yes").exits(1).says("--reinstate").says("--leave-out");
    sandbox.promote("shop", "dev staging --yes --leave-out").exits(0);
    assert!(has(&sandbox, "models/later.sql") && !has(&sandbox, "models/new.sql"));
    // Said once is said.
    change_in_dev(&sandbox, Layout::Repositories, "models/last.sql", "select 3 as three\n", "a last model");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    assert!(has(&sandbox, "models/last.sql") && !has(&sandbox, "models/new.sql"));
    sandbox.promote("shop", "history staging --verify").exits(0).says("is whole");
}

#[test]
fn a_journal_that_was_set_back_is_told_by_what_its_branch_holds() {
    let sandbox = shop(Layout::Repositories);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let first = sandbox.git("staging.git", &["rev-parse", "refs/promote/journal"]);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "a new model");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let tip = sandbox.git("staging.git", &["rev-parse", "--short=7", "main"]);
    sandbox.git("staging.git", &["update-ref", "refs/promote/journal", &first]);
    let words = format!("the journal does not know 1 of the promotions that are in `staging`: {tip}");
    sandbox.promote("shop", "history staging").exits(0).says("journal-behind").says(&words);
    let verified = sandbox.promote("shop", "history staging --verify").exits(1);
    verified.says("The chain of 1 record is whole.").says(&words).says("the journal is behind its branch");
    sandbox.promote("shop", "plan dev staging").exits(0).says("journal-behind");
}

#[test]
fn what_was_taken_back_comes_again_with_what_came_since() {
    let sandbox = rolled_back();
    sandbox.promote("shop", "release staging").exits(0);
    hotfix(&sandbox, Layout::Repositories, "staging", "models/hotfix.sql", "select 0 as zero\n");
    change_in_dev(&sandbox, Layout::Repositories, "models/later.sql", "select 2 as two\n", "a later model");
    sandbox.promote("shop", "dev staging --yes --reinstate").exits(0);
    for path in ["models/new.sql", "models/later.sql", "models/hotfix.sql"] {
        assert!(has(&sandbox, path), "{path}");
    }
    sandbox.promote("shop", "dev staging --yes").exits(0).says("Nothing to do");
    // And away again: a rollback over a promotion that brought something again.
    sandbox.promote("shop", "rollback staging --yes").exits(0);
    assert!(!has(&sandbox, "models/new.sql") && has(&sandbox, "models/hotfix.sql"));
}

#[test]
fn a_hotfix_since_the_last_promotion_is_a_loss_of_the_rollback() {
    let sandbox = shop(Layout::Repositories);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "a new model");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let commit =
        hotfix(&sandbox, Layout::Repositories, "staging", "models/new.sql", "select 1 as one, 2 as fix\n");
    let run = sandbox.promote("shop", "rollback staging --yes --format json").exits(1);
    let losses = run.json()["result"]["losses"].clone();
    assert_eq!(losses[0]["path"], "models/new.sql");
    assert_eq!(losses[0]["commit"], commit.as_str());
    let tip = sandbox.git("staging.git", &["rev-parse", "main"]);
    assert_eq!(tip, commit, "nothing was changed");
    sandbox.promote("shop", "rollback staging --yes --accept-loss models/new.sql").exits(0);
    assert!(!has(&sandbox, "models/new.sql"));
}

#[test]
fn a_name_that_a_hotfix_gave_is_a_loss_of_the_rollback() {
    let sandbox = shop(Layout::Repositories);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "new");
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0);
    sandbox.git(".", &["clone", "-q", "staging.git", "grace"]);
    sandbox.git("grace", &["mv", "models/revenue.sql", "models/turnover.sql"]);
    sandbox.commit("grace", "Grace", "another name");
    sandbox.git("grace", &["push", "-q", "origin", "HEAD:main"]);
    let tip = sandbox.git("staging.git", &["rev-parse", "main"]);
    let run = sandbox.promote("shop", "rollback staging --yes").exits(1);
    run.says("--accept-loss models/turnover.sql").says("Grace");
    assert_eq!(sandbox.git("staging.git", &["rev-parse", "main"]), tip);
    sandbox.promote("shop", "rollback staging --yes --accept-loss models/turnover.sql").exits(0);
    assert!(has(&sandbox, "models/revenue.sql") && !has(&sandbox, "models/turnover.sql"));
}

#[test]
fn a_rollback_over_several_promotions_lists_every_hotfix_in_between() {
    let sandbox = shop(Layout::Repositories);
    let promoted = |path: &str, text: &str| {
        change_in_dev(&sandbox, Layout::Repositories, path, text, "a model");
        sandbox.promote("shop", "dev staging --yes").exits(0);
    };
    promoted("models/m1.sql", "select 1 as one\n");
    let first = hotfix(&sandbox, Layout::Repositories, "staging", "models/fix.sql", "select 0 as zero\n");
    promoted("models/m2.sql", "select 2 as two\n");
    let second =
        hotfix(&sandbox, Layout::Repositories, "staging", "models/m2.sql", "select 2 as two, 3 as fix\n");
    promoted("models/m3.sql", "select 3 as three\n");
    let run = sandbox.promote("shop", "rollback staging --to 1 --yes --format json").exits(1);
    let losses = run.json()["result"]["losses"].clone();
    let listed: Vec<(&str, &str)> = losses
        .as_array()
        .unwrap()
        .iter()
        .map(|loss| (loss["path"].as_str().unwrap(), loss["commit"].as_str().unwrap()))
        .collect();
    assert_eq!(listed, [("models/fix.sql", first.as_str()), ("models/m2.sql", second.as_str())]);
    let run = sandbox.promote("shop", "rollback staging --yes --plan --format json").exits(0);
    assert_eq!(
        run.json()["result"]["losses"].as_array().unwrap().len(),
        0,
        "the last alone takes nothing of it"
    );
    sandbox.promote("shop", "rollback staging --to 1 --yes --accept-loss all").exits(0);
    assert!(has(&sandbox, "models/m1.sql") && !has(&sandbox, "models/fix.sql"));
}

#[test]
fn after_a_rollback_the_schema_is_ahead_of_the_code_and_nothing_is_refused_for_that() {
    let sandbox = shop(Layout::Repositories);
    let schema = "create table events (id bigint not null, happened_at timestamp);\n";
    change_in_dev(&sandbox, Layout::Repositories, "models/first.sql", "select 1 as one\n", "first");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let wider = schema.replace("timestamp)", "timestamp, kind varchar)");
    change_in_dev(&sandbox, Layout::Repositories, "schema/events.sql", &wider, "the kind of an event");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "orders are counted");
    sandbox.promote("shop", "dev staging --yes").exits(0).says("Schema of staging (2 steps)");
    sandbox.promote("shop", "rollback staging --yes").exits(0).says("ahead of the code");
    sandbox.promote("shop", "release staging").exits(0);
    change_in_dev(&sandbox, Layout::Repositories, "models/later.sql", "select 2 as two\n", "a later model");
    let run = sandbox.promote("shop", "plan dev staging --leave-out").exits(0);
    run.says("ahead-of-code")
        .says("column `kind` was applied for a later version")
        .says("`analytics.revenue` returns `order_count` for a later version");
    sandbox.promote("shop", "dev staging --yes --leave-out").exits(0).says("2 ahead of the code");
    // By name it goes.
    change_in_dev(&sandbox, Layout::Repositories, "models/last.sql", "select 3 as three\n", "a last model");
    let words = "dev staging --yes --allow drop-column:analytics.events.kind";
    sandbox
        .promote("shop", words)
        .exits(0)
        .says("drop-column")
        .keeps_quiet_about("column `kind` was applied");
}

#[test]
fn what_somebody_put_back_by_hand_is_named_and_asked_about_once() {
    for (word, there) in [("--leave-out", false), ("--reinstate", true)] {
        let sandbox = shop(Layout::Repositories);
        change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "a new model");
        sandbox.promote("shop", "dev staging --yes").exits(0);
        hotfix(&sandbox, Layout::Repositories, "staging", "models/fix.sql", "select 0 as zero\n");
        sandbox.git("staging-clone", &["rm", "-q", "models/new.sql"]);
        let commit = sandbox.commit("staging-clone", "Grace", "tidy up");
        sandbox.git("staging-clone", &["push", "-q", "origin", "HEAD:main"]);
        change_in_dev(
            &sandbox,
            Layout::Repositories,
            "models/later.sql",
            "select 2 as two\n",
            "a later model",
        );
        let run = sandbox.promote("shop", "dev staging --yes --format json").exits(1);
        let undone = run.json()["result"]["merge"]["undone"].clone();
        assert_eq!(
            (&undone[0]["path"], &undone[0]["commit"]),
            (&"models/new.sql".into(), &commit.as_str().into())
        );
        sandbox
            .promote("shop", "dev staging --yes")
            .exits(1)
            .says("`models/new.sql` was put back")
            .says("--leave-out");
        sandbox.promote("shop", &format!("dev staging --yes {word}")).exits(0);
        assert_eq!(has(&sandbox, "models/new.sql"), there);
        assert!(has(&sandbox, "models/later.sql") && has(&sandbox, "models/fix.sql"));
        change_in_dev(
            &sandbox,
            Layout::Repositories,
            "models/last.sql",
            "select 3 as three\n",
            "a last model",
        );
        sandbox.promote("shop", "dev staging --yes").exits(0);
        assert_eq!(has(&sandbox, "models/new.sql"), there, "said once is said");
    }
}

#[test]
fn a_rollback_to_a_promotion_takes_back_all_that_came_after_it() {
    let sandbox = shop(Layout::Repositories);
    let mut trees = Vec::new();
    for number in 1..=3 {
        let path = format!("models/m{number}.sql");
        change_in_dev(&sandbox, Layout::Repositories, &path, "select 1 as one\n", "a model");
        sandbox.promote("shop", "dev staging --yes").exits(0);
        trees.push(tree(&sandbox, "main"));
    }
    sandbox.promote("shop", "rollback staging --to 9 --yes").exits(2).says("there are: 1, 2, 3");
    let run = sandbox.promote("shop", "rollback staging --to 1 --yes --format json").exits(0);
    assert_eq!(run.json()["result"]["promotions"].as_array().unwrap().len(), 2);
    assert_eq!(tree(&sandbox, "main"), trees[0]);
    sandbox.promote("shop", "rollback staging --to 1 --yes").exits(1).says("has that tree already");
    sandbox.promote("shop", "rollback staging --yes").exits(0);
    assert!(!has(&sandbox, "models/m1.sql"));
    sandbox.promote("shop", "rollback staging --yes").exits(1).says("taken back already");
    sandbox.promote("shop", "release staging").exits(0);
    sandbox.promote("shop", "dev staging --yes --reinstate").exits(0);
    assert_eq!(tree(&sandbox, "main"), trees[2]);
}

#[test]
fn a_promotion_by_path_leaves_the_rest_for_later() {
    let sandbox = shop(Layout::Repositories);
    change_in_dev(&sandbox, Layout::Repositories, "models/a.sql", "select 1 as one\n", "a");
    change_in_dev(&sandbox, Layout::Repositories, "models/b.sql", "select 2 as two\n", "b");
    sandbox.promote("shop", "dev staging --yes --only models/a.sql").exits(0);
    assert!(has(&sandbox, "models/a.sql") && !has(&sandbox, "models/b.sql"));
    let parents = sandbox.git("staging.git", &["log", "-1", "--format=%P", "main"]);
    assert_eq!(parents.split(' ').count(), 1, "with two parents the rest would count as merged");
    sandbox.promote("shop", "dev staging --yes --only models/a.sql").exits(0).says("Nothing to do");
    sandbox.git("shop", &["rm", "-q", "models/a.sql"]);
    change_in_dev(&sandbox, Layout::Repositories, "models/c.sql", "select 3 as three\n", "c, without a");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let whole = sandbox.git("dev.git", &["rev-parse", "main^{tree}"]);
    assert_eq!(tree(&sandbox, "main"), whole, "as if never divided");
}

#[test]
fn status_tells_how_every_environment_stands_and_what_a_promotion_would_lose() {
    let sandbox = shop(Layout::Repositories);
    let commit = hotfix(&sandbox, Layout::Repositories, "staging", "models/revenue.sql", "select 1 as fix\n");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", "select 2 as two\n", "rewritten");
    sandbox.promote("shop", "hold prod --reason audit").exits(0);
    let before = sandbox.git("staging.git", &["for-each-ref"]);
    let run = sandbox.promote("shop", "status --format json").exits(0);
    let all = run.json()["result"]["environments"].clone();
    let [dev, staging, prod] = [0, 1, 2].map(|number| all[number].clone());
    assert_eq!((&dev["name"], &dev["from"]), (&"dev".into(), &serde_json::Value::Null));
    assert_eq!((&staging["behind"], &staging["ahead"]), (&1.into(), &1.into()));
    assert_eq!(staging["hotfixes"][0]["commit"], commit.as_str());
    assert_eq!((&staging["next"]["losses"], &staging["next"]["files"]), (&1.into(), &1.into()));
    assert_eq!((&prod["hold"], &prod["behind"]), (&"audit".into(), &1.into()));
    sandbox.promote("shop", "status").exits(0).says("lacks 1 commit of dev").says("promote plan dev staging");
    assert_eq!(sandbox.git("staging.git", &["for-each-ref"]), before, "looking leaves nothing behind");

    sandbox.promote("shop", "dev staging --yes --accept-loss all").exits(0);
    let all =
        sandbox.promote("shop", "status --format json").exits(0).json()["result"]["environments"].clone();
    assert_eq!((&all[1]["behind"], &all[1]["last"]["number"]), (&0.into(), &1.into()));
    std::fs::rename(sandbox.path("prod.git"), sandbox.path("gone.git")).unwrap();
    let run = sandbox.promote("shop", "status --format json").exits(4);
    let all = run.json()["result"]["environments"].clone();
    assert!(all[2]["problem"].is_string() && all[1]["tip"].is_string(), "{all}");
    let run = sandbox.promote("shop", "status").exits(4);
    run.says("`$SANDBOX/prod.git` is not a Git repository").keeps_quiet_about("no such branch");
}

#[test]
fn status_and_plan_mean_the_same_by_a_hotfix() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    let fix =
        |name: &str, text: &str| hotfix(&sandbox, layout, "staging", &format!("notes/{name}.sql"), text);
    let dropped = fix("dropped", "select 1 as hot\n");
    fix("same", "select 2 as hot\n");
    let picked = fix("picked", "select 3 as hot\n");
    fix("again", "select 4 as hot\n");
    hotfix(&sandbox, layout, "staging", "notes/again.sql", "");
    let open = fix("open", "select 5 as hot\n");
    let left = "select 1 as source\n";
    change_in_dev(&sandbox, layout, "notes/dropped.sql", left, "the source's own");
    change_in_dev(&sandbox, layout, "notes/same.sql", "select 2 as hot\n", "the same in dev");
    sandbox.git("shop", &["fetch", "-q", "../staging.git", "main"]);
    sandbox.git("shop", &["cherry-pick", &picked]);
    change_in_dev(&sandbox, layout, "notes/again.sql", "", "nothing");

    let agree = |hotfixes: &[&str]| {
        let run = sandbox.promote("shop", "status --format json").exits(0).json();
        let listed = run["result"]["environments"][1]["hotfixes"].clone();
        let commits = |all: &serde_json::Value| -> Vec<String> {
            let commits = all.as_array().unwrap().iter();
            commits.map(|one| one["commit"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(commits(&listed), hotfixes, "{listed}");
        let run = sandbox.promote("shop", "plan dev staging --accept-loss all --format json").json();
        let merge = &run["result"]["merge"];
        assert_eq!([commits(&merge["kept"]), commits(&merge["losses"])].concat(), hotfixes);
    };
    agree(&[open.as_str(), dropped.as_str()]);
    sandbox.promote("shop", "dev staging --yes --accept-loss all").exits(0);
    agree(&[open.as_str()]);
    sandbox.promote("shop", "staging dev --yes").exits(0);
    agree(&[]);
    // What a conflict stops at is not carried back either.
    let torn = fix("open", "select 6 as hot\n");
    sandbox.git("shop", &["pull", "-q", "origin", "main"]);
    sandbox.git("shop", &["rm", "-q", "notes/open.sql"]);
    change_in_dev(&sandbox, layout, "notes/other.sql", "", "in its place");
    let run = sandbox.promote("shop", "status --format json").exits(0).json();
    let staging = &run["result"]["environments"][1];
    assert_eq!((&staging["next"]["conflicts"], &staging["hotfixes"][0]["commit"]), (&1.into(), &torn.into()));
}

#[test]
fn status_knows_branches_of_one_repository() {
    let sandbox = shop(Layout::Branches);
    change_in_dev(&sandbox, Layout::Branches, "models/new.sql", "select 1 as one\n", "new");
    sandbox.promote("shop", "status").exits(0).says("lacks 1 commit of dev").says("has all of staging");
}

/// Git reads all refs of the cache while it fetches, and another process may take one away at that moment.
#[test]
fn a_ref_that_goes_from_the_cache_during_a_fetch_is_in_nobodys_way() {
    let mut sandbox = shop(Layout::Repositories);
    sandbox.promote("shop", "plan dev staging").exits(0);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "new");
    let once = sandbox.path("once");
    let path = sandbox.before_git(&format!(
        "case \" $* \" in *\" fetch \"*) if mkdir '{}' 2>/dev/null; then\n\
         for one in \"$@\"; do case $one in --git-dir=*) cache=${{one#--git-dir=}};; esac; done\n\
         mkdir -p $cache/refs/remotes-of/other && echo {} >$cache/refs/remotes-of/other/gone\n\
         PATH=${{PATH#*:}} git \"$@\"; status=$?; rm $cache/refs/remotes-of/other/gone; exit $status\n\
         fi;; esac",
        once.display(),
        "1".repeat(40)
    ));
    sandbox.set("PATH", &path);
    sandbox.promote("shop", "plan dev staging").exits(0).says("models/new.sql");
    assert!(once.exists());
}

/// Environments are looked at side by side; where their datasets are in one file, they meet there.
#[test]
fn status_looks_at_several_datasets_of_one_file() {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    let sandbox = Sandbox::new();
    let entry =
        |name: &str| format!("- {{name: {name}, workspace: {{branch: {name}}}, dataset: in_{name}}}\n");
    let project = format!(
        "version: 1\nwarehouse: {{kind: duckdb, path: all.duckdb}}\npromotion: {{order: [{}]}}\nenvironments:\n{}",
        NAMES.join(", "),
        NAMES.map(entry).concat()
    );
    sandbox.write("shop/project.yml", &project);
    sandbox.write("shop/.gitignore", "all.duckdb*\n");
    sandbox.write("shop/models/one.sql", "select 1 as one\n");
    sandbox.git("shop", &["init", "-q", "-b", "a"]);
    sandbox.commit("shop", "Ada", "one");
    for name in &NAMES[1..] {
        sandbox.git("shop", &["branch", name]);
        sandbox.promote("shop", &format!("migrate -e {name} --yes")).exits(0);
    }
    sandbox.write("shop/models/one.sql", "select 1 as one, 2 as two\n");
    sandbox.commit("shop", "Ada", "two");
    for _ in 0..5 {
        std::fs::remove_dir_all(sandbox.path("cache")).unwrap();
        let all = sandbox.promote("shop", "status --format json").exits(0).json();
        let next: Vec<_> = all["result"]["environments"].as_array().unwrap()[1..]
            .iter()
            .map(|one| {
                (one["next"]["files"].as_u64(), one["next"]["steps"].as_u64(), one["problem"].is_null())
            })
            .collect();
        let none = (Some(0), Some(0), true);
        assert_eq!(next, [(Some(1), Some(1), true), none, none, none], "{all}");
    }
}

#[test]
fn a_lock_is_shown_before_it_is_taken_away_and_its_holder_pushes_nothing_any_more() {
    let sandbox = shop(Layout::Repositories);
    sandbox.promote("shop", "unlock staging").exits(0).says("Nobody holds the lock");
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "new");
    // A run that died on another machine.
    let dead = sandbox.promote_with("shop", "dev staging --yes", ("PROMOTE_CRASH_AT", "locked"));
    assert_ne!(dead.status, 0);
    sandbox.promote("shop", "unlock staging").exits(1).says("promote dev staging").says("no terminal");
    assert!(sandbox.git_succeeds("staging.git", &["rev-parse", "-q", "--verify", "refs/promote/lock/main"]));
    sandbox.promote("shop", "unlock staging --yes").exits(0).says("taken away");
    assert!(!sandbox.git_succeeds("staging.git", &["rev-parse", "-q", "--verify", "refs/promote/lock/main"]));
    sandbox.promote("shop", "dev staging --yes").exits(0);
}

#[test]
fn the_doctor_says_which_engine_does_what_and_which_repository_is_gone() {
    let sandbox = shop(Layout::Repositories);
    sandbox.promote("shop", "doctor").exits(0).says("libgit2").says("environment prod");
    std::fs::rename(sandbox.path("prod.git"), sandbox.path("gone.git")).unwrap();
    let run = sandbox.promote("shop", "doctor --format json").exits(4);
    let findings = run.json()["result"]["findings"].as_array().unwrap().clone();
    let bad: Vec<_> = findings.iter().filter(|one| one["good"] == false).map(|one| &one["what"]).collect();
    assert_eq!(bad, ["environment prod"]);
}

/// As many as there are start at once: each ends promoted or refused, and the journal's chain is whole.
#[test]
fn many_promotions_at_once_lose_nothing() {
    const RUNS: usize = 24;
    let sandbox = shop(Layout::Repositories);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "new");
    let words = "dev staging --yes --no-migrate --lock-timeout 90s";
    let running: Vec<_> = (0..RUNS)
        .map(|number| {
            let cache = sandbox.path(&format!("cache-{}", number % 3));
            sandbox.start("shop", words, &[("PROMOTE_CACHE_DIR", cache.to_str().unwrap())])
        })
        .collect();
    let mut promoted = 0;
    for child in running {
        let run = sandbox.wait(child);
        let done = run.status == 0 && run.stdout.contains("Promoted:");
        let nothing = run.status == 0 && run.stdout.contains("Nothing to do");
        promoted += usize::from(done);
        assert!(done || nothing || run.status == 6, "{}\n{}\n{}", run.status, run.stdout, run.stderr);
    }
    assert_eq!(promoted, 1);
    assert!(!sandbox.git_succeeds("staging.git", &["rev-parse", "-q", "--verify", "refs/promote/lock/main"]));
    sandbox.promote("shop", "history staging --verify").exits(0).says("The chain of 1 record is whole");
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0).says("Nothing to do");
}

/// Waits until a run has noted that it saw somebody else's lock.
fn saw_a_lock(sandbox: &Sandbox) {
    let is_note = |entry: walkdir::DirEntry| {
        std::fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("since_seconds"))
    };
    let noted = || walkdir::WalkDir::new(sandbox.path("cache")).into_iter().flatten().any(is_note);
    let began = Instant::now();
    while !noted() {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody waits for the lock");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn whoever_waited_for_the_lock_plans_again_under_it() {
    let lock = serde_json::json!({
        "holder": "Eve <eve@example.com>", "host": "elsewhere", "pid": 1, "purpose": "promote hotfix staging",
        "token": "t", "at": "2026-03-01T10:00:00Z",
    });
    let reference = "refs/promote/lock/main";
    for (path, status, words) in [
        ("models/hotfix.sql", 0, "planned again, and nothing that was confirmed differs"),
        ("models/revenue.sql", 1, "planning again"),
    ] {
        let sandbox = shop(Layout::Repositories);
        change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", "select 2 as two\n", "rewritten");
        lock_by_hand(&sandbox, "staging.git", reference, &lock);
        let run = sandbox.start("shop", "dev staging --yes --no-migrate", &[]);
        saw_a_lock(&sandbox);
        let fix = hotfix(&sandbox, Layout::Repositories, "staging", path, "select 1 as fix\n");
        sandbox.git("staging.git", &["update-ref", "-d", reference]);
        sandbox.wait(run).exits(status).says("The lock was held by Eve").says(words);
        assert!(!sandbox.git_succeeds("staging.git", &["rev-parse", "-q", "--verify", reference]));
        assert!(sandbox.git_succeeds("staging.git", &["merge-base", "--is-ancestor", &fix, "main"]));
    }
}

#[test]
fn the_lock_of_a_local_branch_names_the_plan_that_is_carried_out() {
    // By that a second run knows whether a record that is ahead of its branch is the dead run's.
    let lock = serde_json::json!({
        "holder": "Eve <eve@example.com>", "host": "elsewhere", "pid": 1, "purpose": "promote hotfix staging",
        "token": "t", "at": "2026-03-01T10:00:00Z",
    });
    let (layout, reference) = (Layout::Branches, "refs/promote/lock/staging");
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/new.sql", "select 1 as one\n", "new");
    lock_by_hand(&sandbox, "shop", reference, &lock);
    let run = sandbox.start("shop", "dev staging --yes --no-migrate", &[("PROMOTE_CRASH_AT", "committed")]);
    saw_a_lock(&sandbox);
    hotfix(&sandbox, layout, "staging", "models/hotfix.sql", "select 1 as fix\n");
    sandbox.git("shop", &["update-ref", "-d", reference]);
    assert_eq!(sandbox.wait(run).status, -1);
    let held: serde_json::Value =
        serde_json::from_str(&sandbox.git("shop", &["show", &format!("{reference}:lock.json")])).unwrap();
    let plan = sandbox.promote("shop", "plan dev staging --no-migrate --format json").exits(0).json();
    assert_eq!(held["token"], plan["result"]["plan_id"]);
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0).says("Promoted");
}

#[test]
fn a_record_goes_behind_another_that_came_meanwhile() {
    let sandbox = shop(Layout::Repositories);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "new");
    sandbox.promote("shop", "hold staging --reason audit").exits(0);
    sandbox.promote("shop", "release staging").exits(0);
    let journal = sandbox.git("staging.git", &["rev-parse", "refs/promote/journal"]);
    sandbox.git("staging.git", &["update-ref", "-d", "refs/promote/journal"]);
    // Two records of somebody else come as soon as the lock is taken.
    let hook = format!(
        "#!/bin/sh\nwhile read old new name; do\n  case $name in refs/promote/lock/*)\n    \
         test -e moved || git update-ref refs/promote/journal {journal}\n    touch moved;;\n  esac\ndone\n"
    );
    sandbox.program("staging.git/hooks/post-receive", hook);
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0).says("Promoted");
    assert!(has(&sandbox, "models/new.sql"));
    sandbox.promote("shop", "history staging --verify").exits(0).says("The chain of 3 records is whole");
}

/// A shop whose staging moves to a prepared commit as soon as a promotion has its lock.
fn moving(path: &str, text: &str) -> Sandbox {
    let sandbox = shop(Layout::Repositories);
    let before = sandbox.git("staging.git", &["rev-parse", "main"]);
    let after = hotfix(&sandbox, Layout::Repositories, "staging", path, text);
    sandbox.git("staging.git", &["update-ref", "refs/heads/main", &before]);
    let hook = format!(
        "#!/bin/sh\nwhile read old new name; do\n  case $name in refs/promote/lock/*)\n    \
         test -e moved || git update-ref refs/heads/main {after}\n    touch moved;;\n  esac\ndone\n"
    );
    sandbox.program("staging.git/hooks/post-receive", hook);
    sandbox
}

#[test]
fn a_target_that_moves_is_planned_again_and_what_was_not_confirmed_is_not_done() {
    let sandbox = moving("models/hotfix.sql", "select 0 as zero\n");
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "new");
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0).says("planning again");
    assert!(has(&sandbox, "models/hotfix.sql") && has(&sandbox, "models/new.sql"));

    let sandbox = moving("models/revenue.sql", "select 1 as fix\n");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", "select 2 as two\n", "rewritten");
    let tip = sandbox.git("staging-clone", &["rev-parse", "HEAD"]);
    let run = sandbox.promote("shop", "dev staging --yes --no-migrate");
    run.exits(1).says("planning again").says("--keep models/revenue.sql:1");
    assert_eq!(sandbox.git("staging.git", &["rev-parse", "main"]), tip);

    // What was said beforehand is not said about what nobody saw.
    let sandbox = moving("models/revenue.sql", "select 1 as fix\n");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", "select 2 as two\n", "rewritten");
    sandbox
        .promote("shop", "dev staging --yes --no-migrate --accept-loss all")
        .exits(6)
        .says("select 1 as fix");
}

#[test]
fn a_rollback_that_was_killed_between_record_and_branch_is_finished_by_the_next() {
    let sandbox = shop(Layout::Branches);
    change_in_dev(&sandbox, Layout::Branches, "models/new.sql", "select 1 as one\n", "new");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let before = sandbox.git("shop", &["rev-parse", "staging"]);
    sandbox.promote("shop", "rollback staging --yes").exits(0);
    let after = sandbox.git("shop", &["rev-parse", "staging"]);
    // The refs of a local repository move one after the other, the journal first.
    sandbox.git("shop", &["update-ref", "refs/heads/staging", &before]);
    sandbox.promote("shop", "rollback staging --yes").exits(0);
    assert_eq!(sandbox.git("shop", &["rev-parse", "staging"]), after);
    sandbox.promote("shop", "history staging --verify").exits(0).says("The chain of 3 records is whole");
}

/// A shop with a file of Git LFS in dev; nothing where there is no `git lfs`.
fn with_a_large_file() -> Option<Sandbox> {
    let sandbox = shop(Layout::Repositories);
    if !sandbox.git_succeeds(".", &["lfs", "version"]) {
        super::support::told("skipped: there is no `git lfs`");
        return None;
    }
    sandbox.git(".", &["lfs", "install", "--skip-repo"]);
    sandbox.git("shop", &["lfs", "install", "--local"]);
    sandbox.write("shop/.gitattributes", "*.parquet filter=lfs diff=lfs merge=lfs -text\n");
    change_in_dev(&sandbox, Layout::Repositories, "data/big.parquet", "many rows\n", "a large file");
    Some(sandbox)
}

/// Gives where a repository's store has the large file.
fn large_object(sandbox: &Sandbox, repository: &str) -> std::path::PathBuf {
    let pointer = sandbox.git("dev.git", &["cat-file", "-p", "main:data/big.parquet"]);
    let object = pointer.lines().find_map(|line| line.strip_prefix("oid sha256:")).expect("a pointer");
    sandbox.path(&format!("{repository}/lfs/objects/{}/{}/{object}", &object[..2], &object[2..4]))
}

#[test]
fn what_a_pointer_of_git_lfs_points_to_goes_along() {
    let Some(sandbox) = with_a_large_file() else { return };
    assert!(large_object(&sandbox, "dev.git").is_file() && !large_object(&sandbox, "staging.git").exists());
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0).says("lfs-carried");
    assert_eq!(std::fs::read_to_string(large_object(&sandbox, "staging.git")).unwrap(), "many rows\n");
    sandbox.git(".", &["clone", "-q", "staging.git", "after"]);
    assert_eq!(sandbox.read("after/data/big.parquet"), "many rows\n");
}

#[test]
fn a_pointer_to_what_cannot_go_along_stops_the_promotion() {
    let Some(sandbox) = with_a_large_file() else { return };
    let tip = || sandbox.git("staging.git", &["rev-parse", "main"]);
    let before = tip();
    let path = sandbox.before_git("case \" $* \" in *\" lfs \"*) exit 1;; esac");
    let run = sandbox.promote_with("shop", "dev staging --yes --no-migrate", ("PATH", &path));
    run.exits(1).says("`data/big.parquet` is a pointer of Git LFS").says("no `git lfs`");
    assert_eq!(tip(), before);
    // And where the source's own store has lost it.
    std::fs::remove_file(large_object(&sandbox, "dev.git")).unwrap();
    sandbox
        .promote("shop", "dev staging --yes --no-migrate")
        .exits(4)
        .says("data/big.parquet")
        .says("Git LFS");
    assert_eq!(tip(), before);
    // What the target's store has need not go along.
    let there = large_object(&sandbox, "staging.git");
    std::fs::create_dir_all(there.parent().unwrap()).unwrap();
    std::fs::write(there, "many rows\n").unwrap();
    let run = sandbox.promote_with("shop", "dev staging --yes --no-migrate", ("PATH", &path));
    run.exits(0);
}

#[test]
fn each_remote_is_asked_in_one_connection() {
    let sandbox = shop(Layout::Repositories);
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "a new model");
    let log = sandbox.path("asked");
    let path = sandbox.before_git(&format!("echo \"$*\" >> {}", log.display()));
    sandbox
        .promote_with("shop", "plan dev staging --no-migrate", ("PATH", &path))
        .exits(0)
        .says("models/new.sql");
    let asked = std::fs::read_to_string(&log).unwrap();
    let asked: Vec<&str> =
        asked.lines().filter(|line| line.contains(" fetch ") || line.contains(" ls-remote ")).collect();
    assert_eq!(asked.len(), 2, "{asked:#?}");
}
