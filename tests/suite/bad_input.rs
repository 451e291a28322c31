//! Bad input: a clear error with place and hint, the documented exit code, and everything as it was.

use super::support::project::{Layout, WIDER_REVENUE, change_in_dev, project_file, shop, write_files};
use super::support::sandbox::Sandbox;

/// A folder with the project's files and no repository, its project file changed.
fn loose(change: impl Fn(String) -> String) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let data = sandbox.path("data").to_str().unwrap().to_owned();
    sandbox.set("DATA", &data);
    write_files(&sandbox, "shop", &change(project_file(Layout::Branches, "")));
    sandbox
}

#[test]
fn neither_a_project_nor_a_repository() {
    let sandbox = Sandbox::new();
    sandbox.write("empty/x", "");
    sandbox.promote("empty", "dev staging").exits(3).says("hint:").says("promote init");
    sandbox.promote("empty", "config show -e dev").exits(3).says("project.yml");
}

#[test]
fn faults_of_the_project_file_come_with_their_places() {
    let cases: [(&str, &str, &[&str]); 6] = [
        ("a tab", "vars: {minimum: 10}\n=>vars:\n\tminimum: 10\n", &["project.yml:11:1", "tab"]),
        (
            "a duplicate key",
            "dataset: analytics\n=>dataset: analytics\ndataset: other\n",
            &["project.yml:10:1", "dataset"],
        ),
        ("a wrong type", "vars: {minimum: 10}\n=>vars: 3\n", &["project.yml:10:7", "vars"]),
        (
            "a misspelt key",
            "dataset: analytics\n=>datset: analytics\n",
            &["project.yml:9:1", "did you mean `dataset`"],
        ),
        (
            "a cycle",
            "- name: staging\n=>- name: staging\n  inherit_from: prod\n",
            &["inherit_from", "staging", "prod"],
        ),
        ("two documents", "dataset: analytics\n=>dataset: analytics\n---\na: 1\n", &["document"]),
    ];
    for (name, change, says) in cases {
        let (old, new) = change.split_once("=>").unwrap();
        let sandbox = loose(|text| {
            let text = text.replace(old, new);
            if name == "a cycle" {
                text.replace("- name: prod\n", "- name: prod\n  inherit_from: staging\n")
            } else {
                text
            }
        });
        let run = sandbox.promote("shop", "config show -e dev").exits(3);
        for text in says {
            assert!(run.stderr.contains(text), "{name}: nothing says `{text}` in\n{}", run.stderr);
        }
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let sandbox = loose(|text| {
        text.replace("dataset: analytics", "datset: analytics").replace("vars: {minimum: 10}", "vars: 3")
    });
    sandbox.promote("shop", "config show -e dev").exits(3).says("project.yml:9:1").says("project.yml:10:7");
}

#[test]
fn an_unknown_environment_is_named_with_those_there_are() {
    let sandbox = shop(Layout::Branches);
    sandbox.promote("shop", "plan dev stagin").exits(3).says("stagin").says("staging");
    sandbox.promote("shop", "config show -e prd").exits(3).says("prod");
}

#[test]
fn repositories_that_are_not_there_not_ready_or_empty() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    std::fs::rename(sandbox.path("staging.git"), sandbox.path("gone.git")).unwrap();
    sandbox.promote("shop", "dev staging --yes").exits(4).says("staging.git").says("hint:");
    sandbox.git(".", &["init", "-q", "--bare", "-b", "main", "staging.git"]);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    std::fs::remove_dir_all(sandbox.path("staging.git")).unwrap();
    sandbox.git(".", &["clone", "-q", "--bare", "gone.git", "staging.git"]);
    sandbox.git("staging.git", &["branch", "-m", "main", "trunk"]);
    sandbox.promote("shop", "dev staging --yes").exits(1).says("--create-branch");
    sandbox.promote("shop", "dev staging --yes --create-branch").exits(0);
    sandbox.git("dev.git", &["branch", "-m", "main", "trunk"]);
    sandbox.promote("shop", "dev staging --yes").exits(4).says("branch `main`");
}

#[test]
fn models_that_cannot_be() {
    let layout = Layout::Branches;
    let cases = [
        ("models/orders.sql", "select {{ nothing }}\n", "models/orders.sql:1"),
        ("models/orders.sql", "select * from {{ ref('custmers') }}\n", "did you mean `customers`"),
        ("models/orders.sql", "select * from {{ ref('revenue') }}\n", "revenue"),
        ("models/orders.sql", "select id,, amount from {{ ref('customers') }}\n", "models/orders.sql"),
        ("models/orders.sql", "select no_such_column from {{ ref('customers') }}\n", "no_such_column"),
        ("schema/events.sql", "create table events (id nosuchtype);\n", "schema/events.sql"),
        ("models/properties.yml", "models:\n- name: orders\n  columns: 3\n", "models/properties.yml"),
    ];
    for (path, text, says) in cases {
        let sandbox = shop(layout);
        change_in_dev(&sandbox, layout, path, text, "break it");
        let before = sandbox.git("shop", &["rev-parse", "staging"]);
        sandbox.promote("shop", "dev staging --yes").exits(3).says(says);
        assert_eq!(sandbox.git("shop", &["rev-parse", "staging"]), before, "{path}");
        assert!(!sandbox.path("data/staging.duckdb").exists());
    }
}

#[test]
fn a_database_that_another_process_holds_is_busy_with_its_pid() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    let holder = super::support::holder::hold(&sandbox, "data/staging.duckdb");
    sandbox.promote("shop", "dev staging --yes").exits(5).says(&holder.pid().to_string());
    drop(holder);
    sandbox.promote("shop", "dev staging --yes").exits(0);
}

#[test]
fn wrong_usage() {
    let sandbox = shop(Layout::Branches);
    for words in ["plan", "plan dev", "dev staging --no-such-flag", "dev staging --accept-loss", "apply"] {
        sandbox.promote("shop", words).exits(2);
    }
    sandbox.promote("shop", "dev staging --resolve a=b").exits(2).says("source");
    sandbox.promote("shop", "plan dev dev").exits(2).says("cannot be promoted to itself");
    sandbox.promote("shop", "help exit-codes").exits(0).says("70");
}

#[test]
fn no_word_of_a_secret_in_any_output() {
    let canary = "s3cr3t-canary-8f2";
    let layout = Layout::Branches;
    let mut sandbox = shop(layout);
    sandbox.set("TAP_CANARY", canary);
    let project = sandbox
        .read("shop/project.yml")
        .replace("client_id: aaa", &format!("client_id: aaa, client_secret: {canary}"))
        .replace("client_id: bbb", "client_id: bbb, password: $TAP_CANARY")
        .replace(
            "client_id: ccc",
            &format!("client_id: ccc\n          url: https://bot:{canary}@example.com/x"),
        );
    change_in_dev(&sandbox, layout, "project.yml", &project, "settings");
    hotfix_in_the_way(&sandbox, canary);
    for words in [
        "plan dev staging",
        "plan dev staging --format json",
        "plan dev staging --format markdown",
        "plan dev staging --format html",
        "plan dev staging --save ../plan.json",
        "show ../plan.json",
        "dev staging",
        "dev staging --yes",
        "dev staging --yes --accept-loss all",
        "history staging",
        "history staging --format json",
        "config show -e dev",
        "config show -e dev --format json",
        "config show -e staging",
        "config show -e prod --format markdown",
        "check",
    ] {
        sandbox.promote("shop", words).keeps_quiet_about(canary);
    }
    assert!(!sandbox.read("plan.json").contains(canary), "the saved plan");
    let journal = sandbox.git("shop", &["log", "-p", "refs/promote/journal"]);
    assert!(!journal.contains(canary), "the journal: {journal}");
    sandbox.promote("shop", "config show -e dev --reveal").exits(0).says(canary);
}

#[test]
fn a_statement_that_holds_a_secret_runs_as_it_is_and_is_shown_and_recorded_without_it() {
    let canary = "s3cr3t-canary-8f2";
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    let project = sandbox
        .read("shop/project.yml")
        .replace("client_id: bbb", &format!("client_id: bbb, password: {canary}"));
    sandbox.write("shop/project.yml", project);
    let view = format!("select '{canary}' as key\n");
    change_in_dev(&sandbox, layout, "models/keys.sql", &view, "keys");
    sandbox.promote("shop", "dev staging --yes --accept-loss all").exits(0).keeps_quiet_about(canary);
    sandbox.promote("shop", "migrate -e staging --plan").exits(0).keeps_quiet_about(canary);
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    let text = |sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(text("select key from analytics.keys"), canary);
    let ledger = text("select string_agg(steps, ' ') from analytics._promote_migrations");
    assert!(ledger.contains("analytics.keys") && !ledger.contains(canary), "{ledger}");
    for entry in std::fs::read_dir(sandbox.path("cache/declared")).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains(canary), "{} remembers the secret", entry.path().display());
    }
}

/// Puts a line with the secret on the target where the source changes it, so that it is a loss.
fn hotfix_in_the_way(sandbox: &Sandbox, canary: &str) {
    sandbox.write("shop/notes.txt", "one\n");
    sandbox.commit("shop", "Ada", "notes");
    sandbox.git("shop", &["branch", "-f", "staging", "dev~1"]);
    super::support::project::hotfix(
        sandbox,
        Layout::Branches,
        "staging",
        "notes.txt",
        &format!("key {canary}\n"),
    );
}

#[test]
fn a_place_that_may_not_be_written_is_named_and_the_lock_is_given_back() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "wider");
    let before = sandbox.git("shop", &["rev-parse", "staging"]);
    // Nobody may make a folder there, root included.
    let run = sandbox.promote_with("shop", "dev staging --yes", ("DATA", "/sys/promote-test"));
    run.exits(5).says("/sys/promote-test").says("permission");
    assert_eq!(sandbox.git("shop", &["rev-parse", "staging"]), before);
    assert!(!sandbox.git("shop", &["for-each-ref"]).contains("lock"));
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(feature = "bundled")))]
#[test]
fn without_the_duckdb_library_only_what_asks_a_warehouse_ends() {
    let sandbox = shop(Layout::Branches);
    let alone = sandbox.path("alone");
    sandbox.program("alone", std::fs::read(env!("CARGO_BIN_EXE_promote")).unwrap());
    let run = |words: &[&str]| {
        let mut command = sandbox.command(alone.to_str().unwrap(), "shop");
        command.args(words).env_remove("LD_LIBRARY_PATH").output().unwrap()
    };
    for words in [&["--version"][..], &["config", "show", "-e", "dev"], &["check"]] {
        let output = run(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
    }
    let output = run(&["plan", "dev", "staging"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("libduckdb.so") && told.contains("hint:"), "{told}");
}

#[test]
fn repositories_that_name_objects_otherwise_are_named() {
    let sandbox = shop(Layout::Repositories);
    for name in ["staging", "dev"] {
        std::fs::remove_dir_all(sandbox.path(&format!("{name}.git"))).unwrap();
        let repository = format!("{name}.git");
        sandbox.git(".", &["init", "-q", "--bare", "--object-format=sha256", &repository]);
        let tree = sandbox.git(&repository, &["write-tree"]);
        let commit = sandbox.git(&repository, &["commit-tree", "-m", "empty", &tree]);
        sandbox.git(&repository, &["update-ref", "refs/heads/main", &commit]);
        let run = sandbox.promote("shop", "dev staging --yes").exits(4);
        run.says("$SANDBOX").says(&repository).says("names its objects by sha256").says("hint:");
    }
    sandbox.git(".", &["init", "-q", "--object-format=sha256", "other"]);
    sandbox.promote("other", "plan a b").exits(4).says("names its objects by sha256");
}
