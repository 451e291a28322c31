//! Ctrl-C during the question, the migration and the push: nothing half done, and the next run goes on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};

use super::support::project::{Layout, WIDER_REVENUE, change_in_dev, shop};
use super::support::sandbox::Sandbox;

/// Waits until a started binary says something on stderr, and gives all that was said by then.
fn wait_for(child: &mut Child, words: &str) -> String {
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    while !said.contains(words) {
        let mut line = String::new();
        assert!(stderr.read_line(&mut line).expect("text") > 0, "it ended without saying `{words}`: {said}");
        said.push_str(&line);
    }
    child.stderr = Some(stderr.into_inner());
    said
}

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("the signal is sent");
}

#[test]
fn at_the_question_nothing_was_done() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "wider");
    let before = sandbox.git("shop", &["for-each-ref"]);
    // `script` gives the binary a terminal, and its stdin is what a person types there.
    let command = format!("{} dev staging", env!("CARGO_BIN_EXE_promote"));
    let mut child = sandbox
        .command("script", "shop")
        .args(["-qefc", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script starts (Debian: bsdutils)");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut shown = Vec::new();
    let mut byte = [0_u8; 1];
    while !shown.ends_with(b"[y/N] ") {
        assert_eq!(stdout.read(&mut byte).expect("text"), 1, "{}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    child.stdin.as_mut().expect("a pipe").write_all(b"\x03").expect("Ctrl-C is typed");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest}");
    assert!(rest.contains("nothing was done"), "{rest}");
    assert_eq!(sandbox.git("shop", &["for-each-ref"]), before);
    assert!(!sandbox.path("data/staging.duckdb").exists());
}

#[test]
fn in_the_migration_it_is_rolled_back() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    // Enough rows that rewriting them takes a while.
    connection.execute_batch("insert into analytics.events select range, null from range(60000000)").unwrap();
    drop(connection);
    let wider = "create table events (id hugeint not null, happened_at timestamp);\n";
    change_in_dev(&sandbox, layout, "schema/events.sql", wider, "more events");
    let before = sandbox.git("shop", &["rev-parse", "staging"]);
    let mut child = sandbox.start("shop", "dev staging --yes -v", &[]);
    let said = wait_for(&mut child, "migrating staging");
    interrupt(&child);
    let run = sandbox.wait(child);
    assert_eq!(run.status, 130, "{said}{}", run.everything());
    assert_eq!(sandbox.git("shop", &["rev-parse", "staging"]), before);
    assert!(!sandbox.git("shop", &["for-each-ref"]).contains("lock"), "the lock is given back");
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    let kind: String = connection
        .query_row(
            "select data_type from duckdb_columns() where table_name = 'events' and column_name = 'id'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kind, "BIGINT");
    drop(connection);
    sandbox.promote("shop", "dev staging --yes").exits(0);
}

#[test]
fn in_the_push_it_is_seen_through() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "wider");
    // Only the push that moves the branch is slow; the one for the lock is not.
    sandbox.program(
        "staging.git/hooks/pre-receive",
        "#!/bin/sh\nif grep -q refs/heads/main; then sleep 2; fi\n",
    );
    let before = sandbox.git("staging.git", &["rev-parse", "main"]);
    let mut child = sandbox.start("shop", "dev staging --yes", &[]);
    wait_for(&mut child, "pushing to");
    interrupt(&child);
    sandbox.wait(child).exits(0).says("Promoted");
    assert_ne!(sandbox.git("staging.git", &["rev-parse", "main"]), before);
    assert!(!sandbox.git("staging.git", &["for-each-ref"]).contains("lock"));
    sandbox.promote("shop", "dev staging --yes").exits(0).says("othing to do");
}

#[test]
fn a_push_that_the_server_declines_leaves_a_way_to_go_on() {
    let layout = Layout::Repositories;
    let sandbox: Sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "wider");
    let hook = sandbox.path("staging.git/hooks/pre-receive");
    sandbox.program(
        "staging.git/hooks/pre-receive",
        "#!/bin/sh\nif grep -q refs/heads/main; then echo 'main is frozen today'; exit 1; fi\n",
    );
    let run =
        sandbox.promote("shop", "dev staging --yes --format json").exits(4).says("main is frozen today");
    assert_eq!(run.json()["result"]["outcome"], "partial", "{}", run.stdout);
    assert!(!sandbox.git("staging.git", &["for-each-ref"]).contains("lock"));
    std::fs::remove_file(hook).unwrap();
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let record = sandbox.git("staging.git", &["show", "refs/promote/journal:records/1.json"]);
    assert!(record.contains("create-table"), "the record holds what the first run migrated: {record}");
}

/// A project that is large enough for each of these to be at work for a while.
#[test]
fn what_only_reads_ends_soon_and_says_so() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..8).map(|number| format!("e{number}")).collect();
    let plugins = |indent: &str| -> String {
        let entry = |number| format!("{indent}- {{name: tap-{number}, config: {{a: {number}}}}}\n");
        (0..1500).map(entry).collect()
    };
    let entry = |name: &String| {
        let overlay = plugins("        ");
        format!(
            "- name: {name}\n  workspace: {{branch: {name}}}\n  config:\n    plugins:\n      extractors:\n{overlay}"
        )
    };
    let project = format!(
        "version: 1\nplugins:\n  extractors:\n{}environments:\n{}",
        plugins("  "),
        names.iter().map(entry).collect::<String>()
    );
    sandbox.write("shop/project.yml", &project);
    sandbox.git("shop", &["init", "-q", "-b", "e0"]);
    sandbox.commit("shop", "Ada", "large");
    names[1..].iter().for_each(|name| drop(sandbox.git("shop", &["branch", name])));
    for words in ["check", "config show --all-environments --worktree", "plan e0 e1"] {
        let mut child = sandbox.start("shop", words, &[]);
        let mut stdout = child.stdout.take().expect("a pipe");
        let shown = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text).expect("text")
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        interrupt(&child);
        let run = sandbox.wait(child);
        assert_eq!(run.status, 130, "{words}: {}", run.stderr);
        assert!(run.stderr.contains("interrupted"), "{words}: {}", run.stderr);
        assert_eq!(shown.join().expect("it ends"), "", "{words}");
    }
}
