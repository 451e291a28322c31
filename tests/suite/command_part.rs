//! Promotions of a part: some paths, some commits, and what they refer to.

use super::support::project::{Layout, change_in_dev, hotfix, shop};
use super::support::sandbox::Sandbox;

const LAYOUT: Layout = Layout::Repositories;

fn tree(sandbox: &Sandbox, repository: &str) -> String {
    sandbox.git(repository, &["rev-parse", "main^{tree}"])
}

fn has(sandbox: &Sandbox, path: &str) -> bool {
    sandbox.git_succeeds("staging.git", &["cat-file", "-e", &format!("main:{path}")])
}

fn tip(sandbox: &Sandbox) -> String {
    sandbox.git("dev.git", &["rev-parse", "main"])
}

#[test]
fn a_part_is_closed_over_what_its_models_refer_to_and_the_reason_is_shown() {
    let sandbox = shop(LAYOUT);
    change_in_dev(&sandbox, LAYOUT, "models/base_rates.sql", "select 1 as rate\n", "rates");
    change_in_dev(&sandbox, LAYOUT, "models/rates.sql", "select rate from {{ ref('base_rates') }}\n", "more");
    change_in_dev(&sandbox, LAYOUT, "models/other.sql", "select 2 as two\n", "other");
    change_in_dev(
        &sandbox,
        LAYOUT,
        "models/best.sql",
        "select max(rate) as rate, cents(1) as c from {{ ref('rates') }}\n",
        "best",
    );
    change_in_dev(
        &sandbox,
        LAYOUT,
        "routines/cents.sql",
        "create macro cents(amount) as amount * 101;\n",
        "cents",
    );
    let run = sandbox.promote("shop", "plan dev staging --only models/best.sql --format json").exits(0);
    let part = run.json()["result"]["merge"]["part"].clone();
    let shown: Vec<(&str, Option<&str>)> = part
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["path"].as_str().unwrap(), part["reason"].as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("models/best.sql", None),
            ("routines/cents.sql", Some("`best` refers to `cents`")),
            ("models/rates.sql", Some("`best` refers to `rates`")),
            ("models/base_rates.sql", Some("`rates` refers to `base_rates`")),
        ]
    );
    let run = sandbox.promote("shop", "plan dev staging --only models/best.sql").exits(0);
    run.says("was named").says("comes too: `best` refers to `rates`");
    sandbox.promote("shop", "dev staging --yes --only models/best.sql").exits(0);
    for (path, there) in [("rates", true), ("base_rates", true), ("best", true), ("other", false)] {
        assert_eq!(has(&sandbox, &format!("models/{path}.sql")), there, "{path}");
    }
    // What came along is known as well, when it goes again in the source.
    sandbox.git("shop", &["rm", "-q", "models/best.sql", "models/rates.sql", "models/base_rates.sql"]);
    change_in_dev(&sandbox, LAYOUT, "models/last.sql", "select 3 as three\n", "without rates");
    sandbox.promote("shop", "dev staging --yes --allow drop-table:analytics").exits(0);
    assert_eq!(tree(&sandbox, "staging.git"), tree(&sandbox, "dev.git"), "as if never divided");
    sandbox.promote("shop", "history staging --verify").exits(0).says("is whole");
}

#[test]
fn a_part_that_needs_what_only_the_project_file_declares_is_refused() {
    let sandbox = shop(LAYOUT);
    let project = sandbox
        .read("shop/project.yml")
        .replace("  - {name: payments}\n", "  - {name: payments}\n  - {name: refunds}\n");
    sandbox.write("shop/project.yml", project);
    change_in_dev(
        &sandbox,
        LAYOUT,
        "models/back.sql",
        "select * from {{ source('raw', 'refunds') }}\n",
        "back",
    );
    let before = sandbox.git("staging.git", &["rev-parse", "main"]);
    let run = sandbox.promote("shop", "dev staging --yes --only models/back.sql").exits(3);
    run.says("refunds").says("models/back.sql");
    assert_eq!(sandbox.git("staging.git", &["rev-parse", "main"]), before);
}

#[test]
fn a_commit_is_promoted_alone_and_the_rest_comes_later() {
    let sandbox = shop(LAYOUT);
    change_in_dev(&sandbox, LAYOUT, "models/a.sql", "select 1 as one\n", "a");
    let first = tip(&sandbox);
    change_in_dev(&sandbox, LAYOUT, "models/b.sql", "select 2 as two\n", "b");
    let second = tip(&sandbox);
    change_in_dev(&sandbox, LAYOUT, "models/b.sql", "select 3 as two\n", "b again");
    let third = tip(&sandbox);
    sandbox
        .promote("shop", "dev staging --yes --only-commit nothing")
        .exits(4)
        .says("`nothing` is no commit");
    // A name means what it means in the repository at hand.
    let run = sandbox.promote("shop", "plan dev staging --only-commit HEAD~1 --format json").exits(0);
    assert_eq!(run.json()["result"]["merge"]["part"][0]["commit"], second.as_str());
    let needs = format!("it needs {} (b)", &second[..7]);
    let run = sandbox.promote("shop", &format!("dev staging --yes --only-commit {third}"));
    run.exits(4).says(&needs).says("--only-commit");
    let words = format!("dev staging --yes --only-commit {}", &second[..10]);
    sandbox.promote("shop", &words).exits(0).says("Only a part of dev (1)");
    assert!(has(&sandbox, "models/b.sql") && !has(&sandbox, "models/a.sql"));
    let message = sandbox.git("staging.git", &["log", "-1", "--format=%B%P", "main"]);
    assert!(message.contains(&format!("Promote-Only-Commit: {second}\n")), "{message}");
    assert!(!message.contains(&first), "one parent: {message}");
    sandbox.promote("shop", &words).exits(0).says("Nothing to do");
    // Another one, then the rest, with a hotfix in between.
    hotfix(&sandbox, LAYOUT, "staging", "models/hotfix.sql", "select 0 as zero\n");
    sandbox.promote("shop", &format!("dev staging --yes --only-commit {third}")).exits(0);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    let whole = sandbox.git("staging.git", &["diff", "--name-status", &third, "main"]);
    assert_eq!(whole, "A\tmodels/hotfix.sql", "as if never divided");
}

#[test]
fn a_path_that_names_nothing_is_said() {
    let sandbox = shop(LAYOUT);
    change_in_dev(&sandbox, LAYOUT, "models/a.sql", "select 1 as one\n", "a");
    let run = sandbox.promote("shop", "plan dev staging --no-migrate --only models/aa.sql").exits(0);
    run.says("`--only models/aa.sql` matches nothing").says("staging has what was chosen of dev");
    let run = sandbox.promote("shop", "plan dev staging --no-migrate --only models/orders.sql").exits(0);
    run.keeps_quiet_about("matches nothing").says("staging has what was chosen of dev");
    let run = sandbox.promote("shop", "plan dev staging --no-migrate --only models/*.sql").exits(0);
    run.keeps_quiet_about("matches nothing").says("models/a.sql");
}
