//! Commands that reports offer: pasted as they stand, they do what was shown.

use super::support::project::{Layout, change_in_dev, shop};
use super::support::sandbox::{Run, Sandbox};

/// A repository without a project, on the branch `main`.
fn plain(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(".", &["init", "-q", "-b", "main", "plain"]);
    committed(&sandbox, "main", "a", text, "Ada");
    sandbox
}

/// Commits a file on a branch, which is made where it is not there, and goes back to `main`.
fn committed(sandbox: &Sandbox, branch: &str, path: &str, text: &str, author: &str) -> String {
    if branch != "main" && !sandbox.git_succeeds("plain", &["switch", "-q", branch]) {
        sandbox.git("plain", &["switch", "-q", "-c", branch]);
    }
    sandbox.write(&format!("plain/{path}"), text);
    let commit = sandbox.commit("plain", author, &format!("{path} of {branch}"));
    if branch != "main" {
        sandbox.git("plain", &["switch", "-q", "main"]);
    }
    commit
}

/// The file that these tests work with, some lines of it otherwise.
fn ten(changed: &[(usize, &str)]) -> String {
    let line = |number: usize| {
        let found = changed.iter().find(|(other, _)| *other == number);
        found.map_or_else(|| format!("line {number}\n"), |(_, text)| format!("{text}\n"))
    };
    (1..=10).map(line).collect()
}

/// Runs a command that was offered, without a question.
fn paste(sandbox: &Sandbox, command: &str) -> Run {
    let words = command.strip_prefix("promote ").expect("a command of ours");
    sandbox.promote("plain", &format!("{words} --yes"))
}

/// The commands that a plan names as the next.
fn next(run: &Run) -> Vec<String> {
    let next = run.json()["result"]["next"].clone();
    next.as_array().unwrap().iter().map(|command| command.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_next_command_carries_what_was_decided_and_the_form_that_is_understood() {
    // A branch that bears a command's name, and work of both sides on one line.
    let sandbox = plain(&ten(&[]));
    committed(&sandbox, "release", "a", &ten(&[(3, "hot")]), "Grace");
    committed(&sandbox, "main", "a", &ten(&[(3, "source")]), "Ada");
    let run = sandbox.promote("plain", "plan main release --accept-loss a:3 --format json").exits(0);
    assert_eq!(next(&run), ["promote main release --accept-loss a:3"]);
    let run = sandbox.promote("plain", "main release --accept-loss a:3 --run").exits(1);
    run.says("Next:\n  promote main release --accept-loss a:3 --run\n");
    sandbox.promote("plain", "plan main release --accept-loss a:3 --save ../plan.json").exits(0);
    paste(&sandbox, "promote main release --accept-loss a:3").exits(0).says("Promoted");
    sandbox
        .promote("plain", "apply ../plan.json --yes")
        .exits(6)
        .says("plan again: promote plan main release --accept-loss a:3 --save ../plan.json");

    committed(&sandbox, "release", "hot", "hot\n", "Grace");
    let run = sandbox.promote("plain", "plan release main --format json").exits(0);
    assert_eq!(next(&run), ["promote apply release main"]);
    for format in ["terminal", "markdown", "html"] {
        let run = sandbox.promote("plain", &format!("plan release main --format {format}")).exits(0);
        run.says("promote apply release main").keeps_quiet_about("promote release main");
    }
    paste(&sandbox, &next(&run)[0]).exits(0).says("Promoted");
    assert_eq!(sandbox.git("plain", &["show", "main:hot"]), "hot");
}

#[test]
fn a_plan_that_would_be_refused_names_no_next_command() {
    let sandbox = plain(&ten(&[]));
    committed(&sandbox, "release", "a", &ten(&[(3, "hot")]), "Grace");
    committed(&sandbox, "main", "a", &ten(&[(3, "source")]), "Ada");
    let refused = |words: &str, status: i32| {
        let run = sandbox.promote("plain", &format!("plan main release {words} --format json")).exits(status);
        assert!(next(&run).is_empty(), "{run:?}");
        for format in ["terminal", "markdown", "html"] {
            let run = sandbox.promote("plain", &format!("plan main release {words} --format {format}"));
            run.exits(status).keeps_quiet_about("promote plan main release").keeps_quiet_about("Next");
        }
    };
    refused("", 1);
    sandbox.promote("plain", "hold release").exits(0);
    refused("--accept-loss all", 1);
    sandbox.promote("plain", "release release").exits(0);
    sandbox.git("plain", &["rm", "-q", "a"]);
    sandbox.commit("plain", "Ada", "gone");
    refused("", 4);
}

#[test]
fn a_gate_that_waits_is_no_next_command() {
    let sandbox = shop(Layout::Repositories);
    let project = sandbox.read("shop/project.yml");
    let gated = project.replace("- name: staging\n", "- name: staging\n  gates: {approvals: 1}\n");
    assert_ne!(project, gated);
    change_in_dev(&sandbox, Layout::Repositories, "project.yml", &gated, "approvals");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    change_in_dev(&sandbox, Layout::Repositories, "models/new.sql", "select 1 as one\n", "new");
    let run = sandbox.promote("shop", "plan dev staging --format json").exits(0);
    assert!(next(&run).is_empty(), "{run:?}");
}

#[test]
fn the_refusal_of_a_rollback_offers_the_same_rollback() {
    let sandbox = plain(&ten(&[]));
    sandbox.write("plain/b", ten(&[]));
    sandbox.commit("plain", "Ada", "b");
    sandbox.git("plain", &["branch", "rel"]);
    for number in 1..=3 {
        let changed: Vec<(usize, &str)> = (1..=number).map(|line| (line, "new")).collect();
        committed(&sandbox, "main", "a", &ten(&changed), "Ada");
        sandbox.promote("plain", "main rel --yes").exits(0);
    }
    committed(&sandbox, "rel", "b", &ten(&[(2, "hot"), (9, "hot")]), "Grace");
    let mut command = "promote rollback rel --to 1".to_owned();
    for line in ["b:2", "b:9"] {
        let run = paste(&sandbox, &command).exits(1);
        command = format!("{command} --accept-loss {line}");
        run.says(&format!("drop it  {command}\n"));
    }
    paste(&sandbox, &command).exits(0).says("promotion 1 (from main)").says("Rolled back");
    assert_eq!(sandbox.git("plain", &["show", "rel:a"]), ten(&[(1, "new")]).trim_end());
}

/// A promotion of `main` into `rel` that was rolled back, and what came since on both sides.
fn rolled_back() -> (Sandbox, String) {
    let sandbox = plain(&ten(&[]));
    committed(&sandbox, "main", "b", "x\n", "Ada");
    sandbox.git("plain", &["branch", "rel"]);
    sandbox.write("plain/a", ten(&[(3, "feature")])).write("plain/c", "new\n");
    sandbox.git("plain", &["rm", "-q", "b"]);
    sandbox.commit("plain", "Ada", "feature");
    sandbox.promote("plain", "main rel --yes").exits(0);
    sandbox.promote("plain", "rollback rel --yes").exits(0);
    sandbox.promote("plain", "release rel").exits(0);
    let hotfix = committed(&sandbox, "rel", "a", &ten(&[(8, "hot")]), "Grace");
    committed(&sandbox, "main", "n", "next\n", "Ada");
    (sandbox, hotfix)
}

/// Path and commit of everything that a plan lists as kept.
fn kept(run: &Run) -> Vec<(String, String)> {
    let kept = run.json()["result"]["merge"]["kept"].clone();
    let text = |kept: &serde_json::Value, key: &str| kept[key].as_str().unwrap_or_default().to_owned();
    kept.as_array().unwrap().iter().map(|kept| (text(kept, "path"), text(kept, "commit"))).collect()
}

#[test]
fn what_carries_hotfixes_back_does_not_carry_a_rollback() {
    for decided in [false, true] {
        let (sandbox, hotfix) = rolled_back();
        let plan = "plan main rel --leave-out";
        if decided {
            sandbox.promote("plain", "main rel --yes --leave-out").exits(0);
            committed(&sandbox, "main", "m", "more\n", "Ada");
        }
        let run = sandbox.promote("plain", &format!("{plan} --format json")).exits(0);
        assert_eq!(kept(&run), [("a".to_owned(), hotfix.clone())], "the rollback is no hotfix");
        sandbox.promote("plain", plan).exits(0).says("`promote rel main --reinstate` carries them back");

        let run = paste(&sandbox, "promote rel main").exits(1);
        run.says("was taken back by Ada <ada@example.com>").says("out of `main` as well as of `rel`");
        paste(&sandbox, "promote rel main --reinstate").exits(0).says("it is in `main`, not in `rel`");
        assert_eq!(sandbox.git("plain", &["show", "main:a"]), ten(&[(3, "feature"), (8, "hot")]).trim_end());
        assert_eq!(sandbox.git("plain", &["show", "main:c"]), "new");
        assert!(!sandbox.git_succeeds("plain", &["cat-file", "-e", "main:b"]));
        // From now on the two are as they were before: what `main` has comes.
        sandbox.promote("plain", "main rel --yes").exits(0);
        assert!(sandbox.git_succeeds("plain", &["diff", "--quiet", "main", "rel"]));
    }
}

#[test]
fn a_rollback_is_carried_back_where_that_is_said() {
    let (sandbox, _) = rolled_back();
    paste(&sandbox, "promote rel main --leave-out").exits(0).says("it is in neither `rel` nor `main`");
    assert_eq!(sandbox.git("plain", &["show", "main:a"]), ten(&[(8, "hot")]).trim_end());
    assert_eq!(sandbox.git("plain", &["show", "main:b"]), "x");
    assert!(!sandbox.git_succeeds("plain", &["cat-file", "-e", "main:c"]));
    sandbox.promote("plain", "main rel --yes").exits(0);
    assert!(sandbox.git_succeeds("plain", &["diff", "--quiet", "main", "rel"]));
}

#[test]
fn a_commit_carried_back_alone_takes_no_rollback_with_it() {
    let (sandbox, hotfix) = rolled_back();
    paste(&sandbox, &format!("promote rel main --only-commit {hotfix}")).exits(0);
    assert_eq!(sandbox.git("plain", &["show", "main:a"]), ten(&[(3, "feature"), (8, "hot")]).trim_end());
}

#[test]
fn what_a_source_reverted_itself_is_no_rollback() {
    let sandbox = plain(&ten(&[]));
    sandbox.git("plain", &["branch", "rel"]);
    committed(&sandbox, "main", "a", &ten(&[(3, "feature")]), "Ada");
    sandbox.promote("plain", "main rel --yes").exits(0);
    sandbox.git("plain", &["revert", "--no-edit", "HEAD"]);
    sandbox.promote("plain", "main rel --yes").exits(0).says("Promoted");
    assert_eq!(sandbox.git("plain", &["show", "rel:a"]), ten(&[]).trim_end());
}
