//! Killed at each border of the act: a second run ends in the state of an undisturbed one.

use super::support::project::{Layout, change_in_dev, lock_by_hand, shop};
use super::support::sandbox::Sandbox;

/// The borders, in the order in which the act passes them.
const BORDERS: [&str; 7] = ["planned", "locked", "checked", "migrated", "committed", "published", "recorded"];

const WIDER: &str = "\
models:
- name: orders
  columns:
  - {name: id, data_type: bigint}
  - {name: amount, data_type: bigint}
  - {name: country, data_type: varchar}
  - {name: note, data_type: varchar}
";

pub(crate) fn prepared(layout: Layout) -> Sandbox {
    let sandbox = shop(layout);
    sandbox.promote("shop", "dev staging --yes --run").exits(0);
    sandbox.write(
        "shop/models/orders.sql",
        "{{ config(materialized='table') }}\nselect id, id * 10 as amount, country, 'n' as note from {{ ref('customers') }}\n",
    );
    change_in_dev(&sandbox, layout, "models/properties.yml", WIDER, "a note");
    sandbox
}

/// The same with the target's branch in a work tree of its own, where it is a branch.
pub(crate) fn checked_out(layout: Layout) -> Sandbox {
    let sandbox = prepared(layout);
    if layout == Layout::Branches {
        sandbox.git("shop", &["worktree", "add", "-q", "../staging-tree", "staging"]);
    }
    sandbox
}

/// What the end state is: the target's tree, the schema, what the journal says of steps, and how a work tree stands.
pub(crate) fn state(sandbox: &Sandbox, layout: Layout) -> String {
    let (folder, branch) = match layout {
        Layout::Branches => ("shop", "staging"),
        Layout::Repositories => ("staging.git", "main"),
    };
    let tree = sandbox.git(folder, &["rev-parse", &format!("{branch}^{{tree}}")]);
    let parents = sandbox.git(folder, &["log", "-1", "--format=%P", branch]);
    let records = sandbox.git(folder, &["ls-tree", "-r", "--name-only", "refs/promote/journal"]);
    let last = records.lines().last().map(str::to_owned).unwrap_or_default();
    let count = records.lines().count();
    let record = sandbox.git(folder, &["show", &format!("refs/promote/journal:records/{count}.json")]);
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let steps: Vec<String> = record["entry"]["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|migration| migration["steps"].as_array().unwrap().clone())
        .filter(|step| !step["ddl"].as_array().unwrap().is_empty())
        .map(|step| format!("{} {} {}", step["code"], step["object"], step["column"]))
        .collect();
    let refs = sandbox.git(folder, &["for-each-ref", "--format=%(refname)", "refs/promote"]);
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    let columns: String = connection
        .query_row(
            "select string_agg(table_name || '.' || column_name, ' ' order by table_name, column_index) from duckdb_columns() where schema_name = 'analytics' and table_name not like '\\_promote%' escape '\\'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let beside = sandbox.path("staging-tree").exists();
    let beside = beside.then(|| sandbox.git("staging-tree", &["status", "--short"]));
    format!("{tree}\n{parents}\n{last} of {count}\n{steps:?}\n{refs}\n{columns}\n{beside:?}")
}

#[test]
fn killed_at_any_border_a_second_run_ends_in_the_same_state() {
    for layout in [Layout::Branches, Layout::Repositories] {
        let undisturbed = checked_out(layout);
        undisturbed.promote("shop", "dev staging --yes").exits(0);
        let wanted = state(&undisturbed, layout);
        assert!(wanted.contains("add-column"), "{wanted}");
        for border in BORDERS {
            let sandbox = checked_out(layout);
            let killed = sandbox.promote_with("shop", "dev staging --yes", ("PROMOTE_CRASH_AT", border));
            assert_eq!(killed.status, -1, "{border} is a border: {}", killed.everything());
            sandbox.promote("shop", "dev staging --yes").exits(0);
            assert_eq!(state(&sandbox, layout), wanted, "{layout:?}, killed at `{border}`");
        }
    }
}

#[test]
fn killed_between_the_refs_of_a_local_repository_the_branch_follows_its_record() {
    let layout = Layout::Branches;
    let sandbox = prepared(layout);
    let before = sandbox.git("shop", &["rev-parse", "staging"]);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let (after, wanted) = (sandbox.git("shop", &["rev-parse", "staging"]), state(&sandbox, layout));
    let count =
        sandbox.git("shop", &["ls-tree", "--name-only", "refs/promote/journal:records"]).lines().count();
    let record = sandbox.git("shop", &["show", &format!("refs/promote/journal:records/{count}.json")]);
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    // The journal has moved, the branch has not, and the lock of a process that is gone is still there.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let lock = serde_json::json!({
        "holder": "Ada <ada@example.com>", "host": host.trim(), "pid": 4_194_303, "purpose": "promote dev staging",
        "token": record["entry"]["plan_id"], "at": "2026-03-01T10:00:00Z",
    });
    lock_by_hand(&sandbox, "shop", "refs/promote/lock/staging", &lock);
    sandbox.git("shop", &["update-ref", "refs/heads/staging", &before]);
    sandbox.promote("shop", "dev staging --yes").exits(0).says("An earlier run was killed");
    assert_eq!(sandbox.git("shop", &["rev-parse", "staging"]), after);
    assert_eq!(state(&sandbox, layout), wanted);
    // Now the branch has moved as well, and only the lock is still there.
    lock_by_hand(&sandbox, "shop", "refs/promote/lock/staging", &lock);
    sandbox.promote("shop", "dev staging --yes").exits(0).says("Nothing to do").says("was given back");
    assert_eq!(state(&sandbox, layout), wanted);
}

#[test]
fn a_forced_change_that_was_cut_short_is_finished_by_the_same_command() {
    for layout in [Layout::Branches, Layout::Repositories] {
        let sandbox = prepared(layout);
        sandbox.promote("shop", "dev staging --yes").exits(0);
        sandbox.write("shop/models/orders.sql", "{{ config(materialized='table') }}\nselect id, id * 10 as amount, country from {{ ref('customers') }}\n");
        change_in_dev(
            &sandbox,
            layout,
            "models/properties.yml",
            &WIDER.replace("  - {name: note, data_type: varchar}\n", ""),
            "no note",
        );
        let words = "dev staging --yes --allow drop-column:analytics.orders.note";
        let killed = sandbox.promote_with("shop", words, ("PROMOTE_CRASH_AT", "published"));
        assert_eq!(killed.status, -1, "{}", killed.everything());
        sandbox.promote("shop", words).exits(0);
        sandbox.promote("shop", words).exits(0).says("othing to do");
        let state = state(&sandbox, layout);
        assert!(!state.contains("orders.note"), "{state}");
        assert!(state.contains("drop-column"), "the record is whole: {state}");
    }
}
