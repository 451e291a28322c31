//! Many promotions of different sources into one branch, started at once: none is lost, and the journal's chain is whole.
//!
//! `PROMOTE_STORM=200 cargo test --test suite -- storm --nocapture` (or `make storm`) starts as many as that.

use std::collections::BTreeMap;

use super::support::project::{Layout, shop};
use super::support::sandbox::Sandbox;

/// A shop with as many environments before staging as there are promotions, each with a file of its own.
fn sources(count: usize) -> Sandbox {
    let sandbox = shop(Layout::Repositories);
    let order =
        sandbox.read("shop/project.yml").replace("  order: [dev, staging, prod]\n", "  prefer: source\n");
    let added: Vec<String> = (0..count)
        .map(|number| {
            format!(
                "- name: dev{number}\n  dataset: own{number}\n  \
                 workspace: {{repository: \"../dev.git\", branch: dev{number}}}\n"
            )
        })
        .collect();
    sandbox.write("shop/project.yml", order + &added.concat());
    sandbox.commit("shop", "Ada", "a developer each");
    sandbox.git("shop", &["push", "-q", "origin", "HEAD:main"]);
    sandbox.git("shop", &["push", "-q", "../staging.git", "HEAD:main"]);
    for number in 0..count {
        sandbox.git("shop", &["checkout", "-q", "-B", "work", "main"]);
        sandbox.write(&format!("shop/notes/{number}.txt"), format!("note {number}\n"));
        sandbox.commit("shop", "Ada", "a note");
        sandbox.git("shop", &["push", "-q", "origin", &format!("HEAD:dev{number}")]);
    }
    sandbox.git("shop", &["checkout", "-q", "main"]);
    sandbox
}

#[test]
fn a_storm_of_promotions_loses_none() {
    let count = std::env::var("PROMOTE_STORM").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let sandbox = sources(count);
    let running: Vec<_> = (0..count)
        .map(|number| {
            let cache = sandbox.path(&format!("cache-{}", number % 3));
            let words = format!("dev{number} staging --yes --no-migrate --lock-timeout 5m");
            sandbox.start("shop", &words, &[("PROMOTE_CACHE_DIR", cache.to_str().unwrap())])
        })
        .collect();
    let mut ended: BTreeMap<i32, usize> = BTreeMap::new();
    for (number, child) in running.into_iter().enumerate() {
        let run = sandbox.wait(child);
        let told = format!("promotion {number}: {}\n{}", run.status, run.everything());
        assert!([0, 6, 7].contains(&run.status), "{told}");
        let arrived =
            sandbox.git_succeeds("staging.git", &["cat-file", "-e", &format!("main:notes/{number}.txt")]);
        assert_eq!(arrived, run.status == 0, "{told}");
        *ended.entry(run.status).or_default() += 1;
    }
    let promoted = ended.get(&0).copied().unwrap_or_default();
    super::support::told(&format!("{count} at once, by exit code: {ended:?}"));
    assert!(promoted > 0);
    let records = format!("The chain of {promoted} record{} is whole", if promoted == 1 { "" } else { "s" });
    sandbox.promote("shop", "history staging --verify").exits(0).says(&records);
    assert!(!sandbox.git("staging.git", &["for-each-ref"]).contains("lock"));
    // Each promotion is one commit on top of another: none was taken back by the next.
    let commits = sandbox.git("staging.git", &["log", "--first-parent", "--format=%s", "main"]);
    assert_eq!(commits.lines().filter(|subject| subject.starts_with("Promote dev")).count(), promoted);
}
