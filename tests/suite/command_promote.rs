//! `promote FROM TO` and `promote plan FROM TO`, over each kind of workspace.

use super::support::project::{Layout, WIDER_REVENUE, change_in_dev, hotfix, shop, shop_at, write_files};
use super::support::sandbox::Sandbox;

const LAYOUTS: [Layout; 2] = [Layout::Branches, Layout::Repositories];

/// Gives the tip of an environment's branch.
fn tip(sandbox: &Sandbox, layout: Layout, name: &str) -> String {
    match layout {
        Layout::Branches => sandbox.git("shop", &["rev-parse", name]),
        Layout::Repositories => sandbox.git(&format!("{name}.git"), &["rev-parse", "main"]),
    }
}

/// Gives the repository of an environment.
fn repository(layout: Layout, name: &str) -> String {
    match layout {
        Layout::Branches => "shop".to_owned(),
        Layout::Repositories => format!("{name}.git"),
    }
}

#[test]
fn carries_a_change_with_its_tables_and_leaves_a_record() {
    for layout in LAYOUTS {
        let sandbox = shop(layout);
        change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
        let before = tip(&sandbox, layout, "staging");
        let run = sandbox.promote("shop", "dev staging --yes --format json").exits(0);
        let result = &run.json()["result"];
        assert_eq!(result["outcome"], "promoted", "{layout:?}");
        assert_eq!(result["target"]["before"], before.as_str());
        let after = tip(&sandbox, layout, "staging");
        assert_eq!(result["target"]["after"], after.as_str());
        let folder = repository(layout, "staging");
        let parents = sandbox.git(&folder, &["log", "-1", "--format=%P", &after]);
        assert_eq!(parents, format!("{before} {}", tip(&sandbox, layout, "dev")), "two parents");
        let message = sandbox.git(&folder, &["log", "-1", "--format=%B", &after]);
        for trailer in ["From: dev", "To: staging", "Source: ", "Plan: ", "By: ", "Engine: "] {
            assert!(message.contains(&format!("Promote-{trailer}")), "{trailer} in {message}");
        }
        let record = sandbox.git(&folder, &["show", "refs/promote/journal:records/1.json"]);
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        assert_eq!(record["entry"]["commit"], after.as_str());
        assert_eq!(record["entry"]["plan_id"], result["plan_id"]);
        for part in ["plan_ms", "lock_ms", "migration_ms"] {
            assert!(record["entry"]["durations"][part].is_u64(), "{part} in {record}");
        }
        let planning = record["entry"]["durations"]["plan_ms"].as_u64();
        assert!((1..600_000).contains(&planning.unwrap()), "{planning:?}");
        assert!(!sandbox.git(&folder, &["for-each-ref"]).contains("refs/promote/lock"), "the lock is gone");
        sandbox.promote("shop", "dev staging --yes").exits(0).says("othing to do");
    }
}

#[test]
fn planning_leaves_nothing_behind() {
    for layout in LAYOUTS {
        let sandbox = shop(layout);
        change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
        let all = |folder: &str| {
            let objects = sandbox.git(folder, &["count-objects", "-v"]);
            format!("{}\n{objects}", sandbox.git(folder, &["for-each-ref"]))
        };
        let folder = repository(layout, "staging");
        let before = all(&folder);
        let first = sandbox.promote("shop", "plan dev staging --format json").exits(0);
        let second = sandbox.promote("shop", "plan dev staging --format json").exits(0);
        assert_eq!(first.stdout, second.stdout, "the same bytes for the same input");
        assert_eq!(before, all(&folder));
        assert!(!sandbox.path("data/staging.duckdb").exists(), "no database is made");
        sandbox.promote("shop", "plan dev staging --exit-code").exits(10);
    }
}

#[test]
fn refuses_to_lose_a_hotfix_and_takes_either_answer() {
    for layout in LAYOUTS {
        let sandbox = shop(layout);
        let fixed = "{{ config(materialized='table') }}\nselect\n  id,\n  id * 10 as amount,\n  upper(country) as country\nfrom {{ ref('customers') }}\nwhere id * 10 >= {{ var('minimum') }}\n";
        let commit = hotfix(&sandbox, layout, "staging", "models/orders.sql", fixed);
        let changed = fixed.replace("upper(country) as country", "lower(country) as country");
        change_in_dev(&sandbox, layout, "models/orders.sql", &changed, "lower case");
        let before = tip(&sandbox, layout, "staging");
        let refused = sandbox
            .promote("shop", "dev staging --yes")
            .exits(1)
            .says("upper(country)")
            .says("Grace")
            .says(&commit[..7])
            .says("--accept-loss models/orders.sql:5")
            .says("--keep models/orders.sql:5");
        assert_eq!(tip(&sandbox, layout, "staging"), before, "{}", refused.stdout);
        assert!(!sandbox.path("data/staging.duckdb").exists());
        let folder = repository(layout, "staging");
        let file = |sandbox: &Sandbox| {
            sandbox.git(&folder, &["show", &format!("{}:models/orders.sql", tip(sandbox, layout, "staging"))])
        };
        sandbox.promote("shop", "dev staging --yes --keep models/orders.sql:5").exits(0);
        assert!(file(&sandbox).contains("upper(country)"));
        let record = sandbox.git(&folder, &["show", "refs/promote/journal:records/1.json"]);
        assert!(record.contains("\"keep\":[\"models/orders.sql:5\"]"), "{record}");

        let sandbox = shop(layout);
        hotfix(&sandbox, layout, "staging", "models/orders.sql", fixed);
        change_in_dev(&sandbox, layout, "models/orders.sql", &changed, "lower case");
        sandbox.promote("shop", "dev staging --yes --accept-loss models/orders.sql:5").exits(0);
        let text = sandbox
            .git(&folder, &["show", &format!("{}:models/orders.sql", tip(&sandbox, layout, "staging"))]);
        assert!(text.contains("lower(country)"));
        let record = sandbox.git(&folder, &["show", "refs/promote/journal:records/1.json"]);
        assert!(record.contains("upper(country)"), "the loss is in the record: {record}");
    }
}

#[test]
fn a_conflict_that_no_preference_settles_is_named_and_nothing_is_written() {
    for layout in LAYOUTS {
        let sandbox = shop(layout);
        hotfix(&sandbox, layout, "staging", "models/revenue.sql", "select 2 as two\n");
        sandbox.git("shop", &["rm", "-q", "models/revenue.sql"]);
        change_in_dev(&sandbox, layout, "models/other.sql", "select 3 as three\n", "replace");
        let before = tip(&sandbox, layout, "staging");
        sandbox
            .promote("shop", "dev staging --yes --accept-loss all")
            .exits(4)
            .says("models/revenue.sql")
            .says("modify-delete")
            .says("--resolve models/revenue.sql=source");
        assert_eq!(tip(&sandbox, layout, "staging"), before);
        sandbox
            .promote("shop", "dev staging --yes --accept-loss all --resolve models/revenue.sql=target")
            .exits(0);
        let folder = repository(layout, "staging");
        assert!(sandbox.git_succeeds(
            &folder,
            &["cat-file", "-e", &format!("{}:models/revenue.sql", tip(&sandbox, layout, "staging"))]
        ));
    }
}

#[test]
fn a_conflict_that_the_project_settles_is_no_question() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    let project = sandbox
        .read("shop/project.yml")
        .replace("promotion:\n", "promotion:\n  resolve: [{path: \"*.lock\", side: source}]\n");
    change_in_dev(&sandbox, layout, "project.yml", &project, "what goes one way");
    change_in_dev(&sandbox, layout, "x.lock", "1\n", "a lock file");
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0);
    hotfix(&sandbox, layout, "staging", "x.lock", "2\n");
    std::fs::remove_file(sandbox.path("shop/x.lock")).unwrap();
    change_in_dev(&sandbox, layout, "models/new.sql", "select 1 as one\n", "without the lock file");
    let run = sandbox.promote("shop", "dev staging --yes --no-migrate --format json").exits(0);
    let merge = run.json()["result"]["merge"].clone();
    assert_eq!(
        (&merge["conflicts"][0]["kind"], &merge["conflicts"][0]["resolution"]),
        (&"modify-delete".into(), &"source".into())
    );
    assert_eq!(
        (&merge["losses"][0]["path"], &merge["losses"][0]["accepted"]),
        (&"x.lock".into(), &true.into())
    );
    run.says("settled by `--resolve` or `promotion.resolve`");
    assert!(!sandbox.git_succeeds("staging.git", &["cat-file", "-e", "main:x.lock"]));
}

#[test]
fn an_incompatible_change_is_refused_with_a_way_out_and_let_through_by_name() {
    for layout in LAYOUTS {
        let sandbox = shop(layout);
        sandbox.promote("shop", "dev staging --yes --run").exits(0);
        let without = "models:\n- name: orders\n  columns:\n  - {name: id, data_type: bigint}\n  - {name: amount, data_type: bigint}\n";
        sandbox.write(
            "shop/models/orders.sql",
            "{{ config(materialized='table') }}\nselect id, id * 10 as amount from {{ ref('customers') }}\n",
        );
        sandbox.write("shop/models/revenue.sql", "select sum(amount) as revenue from {{ ref('orders') }}\n");
        change_in_dev(&sandbox, layout, "models/properties.yml", without, "drop the country");
        let before = tip(&sandbox, layout, "staging");
        sandbox
            .promote("shop", "dev staging --yes")
            .exits(1)
            .says("drop-column")
            .says("--allow drop-column:analytics.orders.country");
        assert_eq!(tip(&sandbox, layout, "staging"), before);
        let run = sandbox.promote("shop", "dev staging --yes --force --format json").exits(0);
        assert_eq!(run.json()["result"]["outcome"], "promoted");
        sandbox.promote("shop", "dev staging --yes").exits(0).says("othing to do");
    }
}

#[test]
fn a_checked_out_target_follows_when_clean_and_stops_when_dirty() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    sandbox.git("shop", &["switch", "-q", "staging"]);
    sandbox.write("shop/models/orders.sql", "select 1 as dirty\n");
    let before = tip(&sandbox, layout, "staging");
    sandbox.promote("shop", "dev staging --yes").exits(1).says("models/orders.sql").says("uncommitted");
    assert_eq!(tip(&sandbox, layout, "staging"), before);
    sandbox.git("shop", &["checkout", "-q", "--", "models/orders.sql"]);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    assert_eq!(sandbox.read("shop/models/revenue.sql"), WIDER_REVENUE);
    assert_eq!(sandbox.git("shop", &["status", "--porcelain"]), "");
}

#[test]
fn what_is_only_in_the_working_copy_is_a_finding() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    sandbox.write("shop/models/orders.sql", "select 1 as not_committed\n");
    let run = sandbox.promote("shop", "plan dev staging --format json").exits(0);
    assert!(
        run.json()["findings"].as_array().unwrap().iter().any(|f| f["code"] == "not-pushed"),
        "{}",
        run.stdout
    );
    sandbox.commit("shop", "Ada", "committed, not pushed");
    let run = sandbox.promote("shop", "plan dev staging --format json").exits(0);
    assert!(
        run.json()["findings"].as_array().unwrap().iter().any(|f| f["code"] == "not-pushed"),
        "{}",
        run.stdout
    );
}

#[test]
fn promotes_over_file_urls() {
    let sandbox = shop(Layout::Repositories);
    let root = sandbox.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let project = super::support::project::project_file(Layout::Repositories, &format!("file://{root}/"));
    change_in_dev(&sandbox, Layout::Repositories, "project.yml", &project, "use URLs");
    sandbox.promote("shop", "dev staging --yes").exits(0);
}

#[test]
fn promotes_over_the_git_protocol() {
    let daemon = super::support::daemon::free_port();
    let sandbox = shop_at(Layout::Repositories, &format!("git://127.0.0.1:{daemon}/"));
    let _server = super::support::daemon::serve(&sandbox, daemon);
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "simplify");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    sandbox.promote("shop", "staging prod --yes").exits(0);
    assert!(sandbox.git("prod.git", &["show", "main:models/revenue.sql"]).contains("as order_count"));
}

#[test]
fn without_a_project_branches_are_merged_and_losses_named() {
    let sandbox = Sandbox::new();
    sandbox.write("plain/notes.txt", "one\ntwo\nthree\n");
    sandbox.git("plain", &["init", "-q", "-b", "main"]);
    sandbox.commit("plain", "Ada", "notes");
    sandbox.git("plain", &["switch", "-q", "-c", "release"]);
    sandbox.write("plain/notes.txt", "one\ntwo, fixed\nthree\n");
    sandbox.commit("plain", "Grace", "hotfix");
    sandbox.git("plain", &["switch", "-q", "main"]);
    sandbox.write("plain/notes.txt", "one\ntwo, changed\nthree\n");
    sandbox.commit("plain", "Ada", "change");
    sandbox.promote("plain", "plan main release").exits(1).says("two, fixed").says("Grace");
    sandbox.promote("plain", "main release --yes --accept-loss notes.txt:2").exits(0);
    assert_eq!(sandbox.git("plain", &["show", "release:notes.txt"]), "one\ntwo, changed\nthree");
    sandbox.promote("plain", "plan main nowhere").exits(1).says("nowhere").says("--create-branch");
    sandbox.promote("plain", "plan main mainn").exits(1).says("did you mean `main`?");
    sandbox.promote("plain", "plan mian main").exits(4).says("did you mean `main`?");
}

#[test]
fn unrelated_histories_are_refused_until_said_and_the_pair_is_remembered() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    write_files(&sandbox, "fresh", &sandbox.read("shop/project.yml"));
    sandbox.write("fresh/only-here.txt", "ours\n");
    sandbox.git("fresh", &["init", "-q", "-b", "main"]);
    sandbox.commit("fresh", "Grace", "another beginning");
    sandbox.git(".", &["clone", "-q", "--bare", "fresh", "fresh.git"]);
    std::fs::remove_dir_all(sandbox.path("staging.git")).unwrap();
    std::fs::rename(sandbox.path("fresh.git"), sandbox.path("staging.git")).unwrap();
    sandbox.promote("shop", "dev staging --yes").exits(1).says("only-here.txt").says("--allow-unrelated");
    sandbox.promote("shop", "dev staging --yes --allow-unrelated --accept-loss all").exits(0);
    assert!(sandbox.git_succeeds("staging.git", &["cat-file", "-e", "main:only-here.txt"]));
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    sandbox.promote("shop", "dev staging --yes").exits(0);
    // Another repository of the same project and history, and then the same one at its new place.
    change_in_dev(&sandbox, layout, "models/more.sql", "select 1 as one\n", "more");
    sandbox.git(".", &["clone", "-q", "--bare", "dev.git", "fork.git"]);
    let project = sandbox.read("shop/project.yml");
    sandbox.write("shop/project.yml", project.replace("dev.git", "fork.git"));
    sandbox.promote("shop", "dev staging --yes").exits(1).says("wrong repository").says("fork.git");
    sandbox.promote("shop", "plan dev staging --allow-unrelated").exits(0);
    sandbox.write("shop/project.yml", &project);
    std::fs::remove_dir_all(sandbox.path("dev.git")).unwrap();
    write_files(
        &sandbox,
        "stranger",
        &sandbox.read("shop/project.yml").replace("project_id: shop", "project_id: other"),
    );
    sandbox.git("stranger", &["init", "-q", "-b", "main"]);
    sandbox.commit("stranger", "Mallory", "somebody else's");
    sandbox.git(".", &["clone", "-q", "--bare", "stranger", "dev.git"]);
    sandbox
        .promote("shop", "dev staging --yes --allow-unrelated --accept-loss all")
        .exits(1)
        .says("wrong repository");
}

#[test]
fn a_plugin_that_one_side_moved_and_the_other_changed_is_not_taken_twice() {
    const HEAD: &str = "version: 1\nproject_id: taps\ndefault_environment: dev\nenvironments:\n\
        - {name: dev, workspace: {branch: main}, migrate: off}\n\
        - {name: prod, workspace: {branch: release}, migrate: off}\n";
    const TAPS: &str = "plugins:\n  extractors:\n  - name: tap-a\n    config: {limit: 1}\n";
    let sandbox = Sandbox::new();
    sandbox.write("taps/project.yml", format!("{HEAD}{TAPS}"));
    sandbox.git("taps", &["init", "-q", "-b", "main"]);
    sandbox.commit("taps", "Ada", "a tap");
    sandbox.git("taps", &["switch", "-q", "-c", "release"]);
    sandbox.write("taps/project.yml", format!("{HEAD}{}", TAPS.replace("limit: 1", "limit: 7")));
    sandbox.commit("taps", "Grace", "hotfix");
    sandbox.git("taps", &["switch", "-q", "main"]);
    sandbox.write("taps/project.yml", format!("{HEAD}include_paths: [taps.yml]\n"));
    sandbox.write("taps/taps.yml", TAPS);
    sandbox.commit("taps", "Ada", "taps have a file of their own");
    let refused = sandbox.promote("taps", "dev prod --yes").exits(1);
    refused.says("`extractors/tap-a` would be in project.yml and taps.yml");
    sandbox.git("taps", &["switch", "-q", "release"]);
    sandbox.write("taps/project.yml", format!("{HEAD}include_paths: [taps.yml]\n"));
    sandbox.write("taps/taps.yml", TAPS.replace("limit: 1", "limit: 7"));
    sandbox.commit("taps", "Grace", "the same here");
    sandbox.git("taps", &["switch", "-q", "main"]);
    sandbox.promote("taps", "dev prod --yes").exits(1).says("limit: 7");
    sandbox.promote("taps", "dev prod --yes --keep taps.yml").exits(0);
    assert!(sandbox.git("taps", &["show", "release:taps.yml"]).contains("limit: 7"));
}

#[test]
fn a_target_that_calls_itself_something_else_is_named() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    sandbox.promote("shop", "dev staging --yes").exits(0);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    let project = sandbox.read("shop/project.yml");
    let exchanged = project.replace("staging.git", "third.git").replace("prod.git", "staging.git");
    sandbox.write("shop/project.yml", exchanged.replace("third.git", "prod.git"));
    sandbox.promote("shop", "plan dev prod --allow-unrelated").says("other-target").says("staging.git");
    sandbox.write("shop/project.yml", &project);
    let same = sandbox.promote("shop", "plan dev staging").exits(0);
    assert!(!same.everything().contains("other-target"), "{}", same.everything());
}

#[test]
fn without_a_terminal_and_without_yes_it_stops_after_the_plan() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    let before = tip(&sandbox, layout, "staging");
    sandbox.promote("shop", "dev staging").exits(1).says("--yes");
    assert_eq!(tip(&sandbox, layout, "staging"), before);
}

#[test]
fn a_saved_plan_is_applied_as_it_is_or_refused_as_stale() {
    for layout in LAYOUTS {
        let sandbox = shop(layout);
        change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
        sandbox.promote("shop", "plan dev staging --save ../plan.json").exits(0);
        sandbox.promote("shop", "show ../plan.json").exits(0).says("models/revenue.sql");
        sandbox.promote("shop", "apply ../plan.json --yes").exits(0);
        sandbox.promote("shop", "apply ../plan.json --yes").exits(6).says("stale");
        change_in_dev(
            &sandbox,
            layout,
            "models/revenue.sql",
            &format!("{WIDER_REVENUE}order by country\n"),
            "again",
        );
        sandbox.promote("shop", "plan dev staging --save ../plan.json").exits(0);
        change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "and again");
        let before = tip(&sandbox, layout, "staging");
        sandbox
            .promote("shop", "apply ../plan.json --yes")
            .exits(6)
            .says("--- the saved plan")
            .says("+++ the plan now");
        assert_eq!(tip(&sandbox, layout, "staging"), before);
        sandbox.promote("shop", "show ../plan.json").exits(0).says("models/revenue.sql");
    }
}

#[test]
fn a_step_of_the_order_cannot_be_skipped() {
    let layout = Layout::Branches;
    let sandbox = shop(layout);
    change_in_dev(&sandbox, layout, "models/revenue.sql", WIDER_REVENUE, "simplify");
    sandbox.promote("shop", "dev prod --yes").exits(1).says("promote `staging` to `prod`");
}

#[test]
fn a_base_value_that_was_changed_for_devs_sake_shows_up_in_prods_configuration() {
    let sandbox = shop(Layout::Repositories);
    let project = sandbox.read("shop/project.yml");
    change_in_dev(
        &sandbox,
        Layout::Repositories,
        "project.yml",
        &project.replace("vars: {minimum: 10}", "vars: {minimum: 1000}"),
        "less to look at while developing",
    );
    for (pair, then) in [("dev staging", "dev staging --yes"), ("staging prod", "staging prod --yes")] {
        let run = sandbox.promote("shop", &format!("plan {pair} --format json")).exits(0);
        let changes = run.json()["result"]["config"]["environments"]["prod"].clone();
        assert_eq!(changes.as_array().unwrap().len(), 1, "{changes}");
        assert_eq!(
            (&changes[0]["key"], &changes[0]["before"], &changes[0]["after"]),
            (&"vars.minimum".into(), &10.into(), &1000.into())
        );
        assert_eq!(changes[0]["origin_after"]["line"], 10);
        sandbox.promote("shop", &format!("plan {pair}")).exits(0).says("Configuration of prod (1 value)");
        sandbox.promote("shop", then).exits(0);
    }
}

#[test]
fn who_promotes_is_whom_git_would_name() {
    let mut sandbox = shop(Layout::Repositories);
    let config = sandbox.read("home/gitconfig") + "[user]\n\tname = Hedy\n\temail = hedy@example.com\n";
    sandbox.write("home/gitconfig", config);
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        sandbox.unset(name);
    }
    // By `GIT_CONFIG_GLOBAL`, which only the program reads.
    sandbox.promote("shop", "hold staging --reason audit").exits(0);
    sandbox.promote("shop", "history staging").exits(0).says("Hedy <hedy@example.com>");
    // The repository's own name counts more; a folder that is in no repository has only the other.
    sandbox.git("shop", &["config", "user.name", "Mary"]);
    sandbox.promote("shop", "release staging").exits(0);
    sandbox.promote("shop", "history staging").exits(0).says("Mary <hedy@example.com>");
    sandbox.write("plain/project.yml", sandbox.read("shop/project.yml"));
    sandbox.promote("plain", "hold prod --reason audit").exits(0);
    sandbox.promote("plain", "history prod").exits(0).says("Hedy <hedy@example.com>");
    sandbox.promote_with("plain", "release prod", ("GIT_AUTHOR_NAME", "Joan")).exits(0);
    sandbox.promote("plain", "history prod").exits(0).says("Joan <hedy@example.com>");
}

#[test]
fn what_a_target_keeps_as_its_own_is_no_hotfix_to_carry_back() {
    let layout = Layout::Repositories;
    let sandbox = shop(layout);
    let project = sandbox.read("shop/project.yml");
    let other = project.replace("default_environment: dev", "default_environment: prod");
    change_in_dev(&sandbox, layout, "project.yml", &other, "another default");
    hotfix(&sandbox, layout, "staging", ".env.staging", "A=1\n");
    hotfix(&sandbox, layout, "staging", "models/hotfix.sql", "select 0 as zero\n");
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0);
    change_in_dev(&sandbox, layout, "models/a.sql", "select 1 as one\n", "a");
    let run = sandbox.promote("shop", "plan dev staging --no-migrate --format json").exits(0);
    let kept = run.json()["result"]["merge"]["kept"].clone();
    let paths: Vec<&str> = kept.as_array().unwrap().iter().filter_map(|kept| kept["path"].as_str()).collect();
    assert_eq!(paths, ["models/hotfix.sql"]);
}
