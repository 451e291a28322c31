//! CI takes over on a push: `migrate: ci`, `promote ci init`, `promote ci run`.

use super::support::project::{Layout, change_in_dev, shop};
use super::support::sandbox::Sandbox;

/// The shop with `migrate: ci` for staging, and the hook in its bare repository.
fn with_hook() -> Sandbox {
    let mut sandbox = shop(Layout::Repositories);
    let binary = env!("CARGO_BIN_EXE_promote");
    sandbox.set("PROMOTE", binary);
    let project =
        sandbox.read("shop/project.yml").replace("- name: staging\n", "- name: staging\n  migrate: ci\n");
    change_in_dev(&sandbox, Layout::Repositories, "project.yml", &project, "CI migrates staging");
    sandbox.git("shop", &["push", "-q", "../staging.git", "HEAD:main"]);
    sandbox.git("shop", &["push", "-q", "../prod.git", "HEAD:main"]);
    sandbox
        .promote("shop", "ci init hook -e staging --repository ../staging.git")
        .exits(0)
        .says("post-receive");
    sandbox
}

fn columns(sandbox: &Sandbox, table: &str) -> String {
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    connection
        .query_row(
            "select coalesce(string_agg(column_name, ' ' order by column_index), '') from duckdb_columns() where schema_name = 'analytics' and table_name = ?",
            [table],
            |row| row.get(0),
        )
        .unwrap()
}

#[test]
fn a_push_finds_the_tables_migrated_and_the_models_built() {
    let sandbox = with_hook();
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", "select 1 as one\n", "simplify");
    let run = sandbox.promote("shop", "dev staging --yes --format json").exits(0);
    assert_eq!(run.json()["result"]["migration"]["state"], "unknown", "{}", run.stdout);
    assert_eq!(columns(&sandbox, "orders"), "id amount country");
    assert_eq!(columns(&sandbox, "revenue"), "one");
    let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
    let rows: i64 =
        connection.query_row("select count(*) from analytics.orders", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 3, "the models were built");
    drop(connection);
    sandbox.promote("shop", "history staging").exits(0).says("migrated").says("ran");
    sandbox.promote("shop", "history staging --verify").exits(0);
}

#[test]
fn what_it_refuses_puts_the_environment_on_hold_and_says_how_to_go_on() {
    let sandbox = with_hook();
    change_in_dev(
        &sandbox,
        Layout::Repositories,
        "models/revenue.sql",
        "select 1 as one, 2 as two\n",
        "two columns",
    );
    sandbox.promote("shop", "dev staging --yes").exits(0);
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", "select 1 as one\n", "one column");
    // The database is held by nobody, so the plan sees it; out of reach it would be CI that refuses.
    std::fs::rename(sandbox.path("data/staging.duckdb"), sandbox.path("data/away")).unwrap();
    std::fs::create_dir(sandbox.path("elsewhere")).unwrap();
    let before = sandbox.path("data/away");
    let run = sandbox.promote_with(
        "shop",
        "dev staging --yes",
        ("DATA", sandbox.path("elsewhere").to_str().unwrap()),
    );
    run.exits(0);
    std::fs::rename(before, sandbox.path("data/staging.duckdb")).unwrap();
    // The hook ran with the other folder too; run by hand against the real one, CI refuses.
    let tip = sandbox.git("staging.git", &["rev-parse", "main"]);
    let hook = |words: &str| {
        let output = sandbox
            .command(env!("CARGO_BIN_EXE_promote"), "staging.git")
            .args(words.split_whitespace())
            .env("PROMOTE_CI", "hook")
            .env("PROMOTE_CI_BRANCH", "main")
            .env("PROMOTE_CI_COMMIT", &tip)
            .env("PROMOTE_CI_REPOSITORY", sandbox.path("staging.git"))
            .output()
            .unwrap();
        (
            output.status.code(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let (status, text) = hook("ci run -e staging");
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("--allow drop-view-column:analytics.revenue.two"), "{text}");
    sandbox.promote("shop", "dev staging --yes").exits(1).says("on hold");
    let (status, text) = hook("ci run -e staging --allow drop-view-column:analytics.revenue.two");
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(columns(&sandbox, "revenue"), "one");
    change_in_dev(
        &sandbox,
        Layout::Repositories,
        "models/revenue.sql",
        "select 1 as one, 3 as three\n",
        "on we go",
    );
    sandbox.promote("shop", "dev staging --yes").exits(0);
}

#[test]
fn the_workflow_is_written_and_not_overwritten() {
    let sandbox = shop(Layout::Repositories);
    sandbox.promote("shop", "ci init github -e prod").exits(0).says(".github/workflows/promote-prod.yml");
    let text = sandbox.read("shop/.github/workflows/promote-prod.yml");
    assert!(
        text.contains("promote ci run") && text.contains("GITHUB_TOKEN") && text.contains("sha256"),
        "{text}"
    );
    sandbox.promote("shop", "ci init github -e prod").exits(1).says("--overwrite");
    sandbox.promote("shop", "ci init github -e prod --overwrite").exits(0);
}

/// Runs `promote ci run` in the folder `checkout` as a workflow of GitHub does; gives status and all that was said.
fn workflow(sandbox: &Sandbox, commit: &str, event: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = sandbox
        .command(env!("CARGO_BIN_EXE_promote"), "checkout")
        .args(["ci", "run", "-e", "staging"])
        .env("GITHUB_ACTIONS", "true")
        .envs(event.iter().copied())
        .env("GITHUB_SHA", commit)
        .env("GITHUB_REPOSITORY", "shop/staging")
        .env("GITHUB_SERVER_URL", "https://example.com")
        .env("GITHUB_STEP_SUMMARY", sandbox.path("summary.md"))
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), text)
}

#[test]
fn on_a_pull_request_it_plans_and_changes_nothing() {
    let sandbox = shop(Layout::Repositories);
    sandbox.git(".", &["clone", "-q", "staging.git", "checkout"]);
    sandbox.git("checkout", &["switch", "-q", "-c", "feature"]);
    sandbox.write("checkout/models/revenue.sql", "select 1 as one\n");
    let head = sandbox.commit("checkout", "Ada", "feature");
    sandbox.git("checkout", &["push", "-q", "origin", "feature"]);
    let before = sandbox.git("staging.git", &["for-each-ref"]);
    let event =
        [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_HEAD_REF", "feature"), ("GITHUB_BASE_REF", "main")];
    let (status, text) = workflow(&sandbox, &head, &event);
    assert_eq!(status, Some(0), "{text}");
    assert!(sandbox.read("summary.md").contains("models/revenue.sql"));
    assert_eq!(sandbox.git("staging.git", &["for-each-ref"]), before);
    assert!(!sandbox.path("data/staging.duckdb").exists());
}

#[test]
fn a_workflow_migrates_what_was_pushed_and_keeps_the_record_in_its_origin() {
    let sandbox = with_hook();
    std::fs::remove_file(sandbox.path("staging.git/hooks/post-receive")).unwrap();
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", "select 1 as one\n", "simplify");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    sandbox.git(".", &["clone", "-q", "staging.git", "checkout"]);
    // A checkout's own settings let it into its origin, as a workflow's token does.
    let staging = sandbox.path("staging.git").to_str().unwrap().to_owned();
    sandbox.git("checkout", &["config", &format!("url.{staging}.insteadOf"), "forge://shop/staging"]);
    sandbox.git("checkout", &["remote", "set-url", "origin", "forge://shop/staging"]);
    let tip = sandbox.git("checkout", &["rev-parse", "HEAD"]);
    let event =
        [("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_REF_NAME", "main")];
    let (status, text) = workflow(&sandbox, &tip, &event);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(columns(&sandbox, "revenue"), "one");
    assert!(sandbox.read("summary.md").contains("analytics.orders"));
    sandbox.promote("shop", "history staging").exits(0).says("CI migrated staging");
}

#[test]
fn a_pull_request_reads_the_journal_where_the_project_keeps_it() {
    let sandbox = shop(Layout::Repositories);
    let project = sandbox.read("shop/project.yml");
    let project = project.replace("promotion:\n", "promotion:\n  refs: refs/heads/state\n");
    change_in_dev(&sandbox, Layout::Repositories, "project.yml", &project, "records in branches");
    sandbox.git("shop", &["push", "-q", "../staging.git", "HEAD:main"]);
    sandbox.promote("shop", "hold staging --reason audit").exits(0);
    sandbox.git(".", &["clone", "-q", "staging.git", "checkout"]);
    sandbox.git("checkout", &["switch", "-q", "-c", "feature"]);
    sandbox.write("checkout/models/new.sql", "select 1 as one\n");
    let head = sandbox.commit("checkout", "Ada", "feature");
    let event =
        [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_HEAD_REF", "feature"), ("GITHUB_BASE_REF", "main")];
    let (status, text) = workflow(&sandbox, &head, &event);
    assert!(status == Some(1) && text.contains("audit"), "{status:?}\n{text}");
}

#[test]
fn a_pull_requests_submodules_are_not_asked_for() {
    let sandbox = shop(Layout::Repositories);
    sandbox.git(".", &["clone", "-q", "staging.git", "checkout"]);
    sandbox.git("checkout", &["switch", "-q", "-c", "feature"]);
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let url = format!("git://{}/lib.git", server.local_addr().unwrap());
    let text = format!("[submodule \"lib\"]\n\tpath = lib\n\turl = {url}\n");
    sandbox.write("checkout/.gitmodules", text);
    std::fs::create_dir(sandbox.path("checkout/lib")).unwrap();
    let commit = sandbox.git("checkout", &["rev-parse", "HEAD"]);
    sandbox.git("checkout", &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},lib")]);
    let head = sandbox.commit("checkout", "Mallory", "a submodule");
    let event =
        [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_HEAD_REF", "feature"), ("GITHUB_BASE_REF", "main")];
    let (status, said) = workflow(&sandbox, &head, &event);
    assert_eq!(status, Some(0), "{said}");
    let summary = sandbox.read("summary.md");
    assert!(summary.contains("submodule-unchecked") && summary.contains("are not asked"), "{summary}");
    assert!(server.accept().is_err(), "nobody came to {url}");
}
