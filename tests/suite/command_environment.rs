//! `environment list`, `add` and `remove`: what they print, what they write, and what they leave alone.

use super::support::project::{Layout, shop};
use super::support::sandbox::{Run, Sandbox};

/// A Meltano project, as Meltano's own documentation has it.
const AUTH0: &str = include_str!("../../fixtures/auth0/meltano.yml");

/// Checks a run's document against the envelope's and the command's schema, and gives the result.
#[track_caller]
fn result(sandbox: &Sandbox, run: &Run, name: &str) -> serde_json::Value {
    let document = run.json();
    for (schema, value) in [("envelope", &document), (name, &document["result"])] {
        let schema = sandbox.promote(".", &format!("schema {schema}")).exits(0).json();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}\n{document}");
    }
    document["result"].clone()
}

/// Gives the lines that one text has and the other lacks, in order.
fn added<'a>(after: &'a str, before: &str) -> String {
    let lines: Vec<&'a str> =
        after.lines().filter(|line| !before.lines().any(|known| known == *line)).collect();
    lines.join("\n")
}

#[test]
fn lists_names_in_the_order_of_the_file() {
    let sandbox = shop(Layout::Repositories);
    let run = sandbox.promote("shop", "environment list").exits(0);
    assert_eq!(
        run.stdout,
        "\
Environments of project.yml

Names
    dev      branch main of ../dev.git      default
    staging  branch main of ../staging.git
    prod     branch main of ../prod.git
"
    );
    let run = sandbox.promote("shop", "environment list --format json").exits(0);
    let listed = result(&sandbox, &run, "environment-list");
    assert_eq!(listed["environments"][1]["name"], "staging");
    assert_eq!(listed["environments"][1]["workspace"]["repository"], "../staging.git");
    assert_eq!(listed["environments"][1]["where"]["line"], 28);
    sandbox.write("auth0/meltano.yml", AUTH0);
    sandbox.promote("auth0", "environment list").exits(0).says("    dev   ").says("default");
}

#[test]
fn adds_a_name_and_takes_it_out_again() {
    let sandbox = Sandbox::new();
    for (folder, text) in [
        ("meltano", AUTH0.to_owned()),
        ("crlf", AUTH0.replace('\n', "\r\n")),
        ("unended", AUTH0.trim_end().to_owned()),
        ("empty", "version: 1 # empty\nenvironments: [] # none\n".to_owned()),
    ] {
        sandbox.write(&format!("{folder}/meltano.yml"), &text);
        let run = sandbox.promote(folder, "environment add qa --format json").exits(0);
        let added = result(&sandbox, &run, "environment-add");
        assert_eq!(added["environment"]["name"], "qa");
        assert_eq!(added["files"], serde_json::json!(["meltano.yml"]));
        assert!(added["workspace"].is_null());
        sandbox.promote(folder, "environment list").exits(0).says("qa");
        let run = sandbox.promote(folder, "environment remove qa --format json").exits(0);
        result(&sandbox, &run, "environment-remove");
        assert_eq!(sandbox.read(&format!("{folder}/meltano.yml")), text, "{folder}");
    }
    sandbox.write("bare/project.yml", "version: 1\n\n# the end\n");
    sandbox.promote("bare", "environment list").exits(0).says("There are none.");
    sandbox.promote("bare", "environment add dev").exits(0).says("commit it");
    assert_eq!(sandbox.read("bare/project.yml"), "version: 1\nenvironments:\n- name: dev\n\n# the end\n");
    sandbox.promote("bare", "environment remove dev").exits(0).says("left alone");
    assert_eq!(sandbox.read("bare/project.yml"), "version: 1\nenvironments: []\n\n# the end\n");
}

#[test]
fn refuses_names_that_cannot_be_and_warns_of_those_that_hide() {
    let sandbox = Sandbox::new();
    sandbox.write("p/meltano.yml", AUTH0);
    for (name, status, words) in [
        ("dev", 1, "there is an environment `dev` already"),
        ("a:b", 2, "a name may hold no `:`"),
        ("", 2, "a name may not be empty"),
        ("NULL", 2, "stands for no environment"),
        ("a\nb", 2, "control characters"),
    ] {
        sandbox.promote_words("p", &["environment", "add", name]).exits(status).says(words);
        assert_eq!(sandbox.read("p/meltano.yml"), AUTH0, "{name}");
    }
    sandbox.promote("p", "environment add x --dataset d").exits(2).says("--like");
    sandbox.promote("p", "environment add x --like dve").exits(3).says("did you mean `dev`?");
    sandbox.promote("p", "environment remove dve").exits(3).says("did you mean `dev`?");
    let run = sandbox.promote("p", "environment add check").exits(0);
    assert!(run.stderr.contains("warning[hidden-environment]"), "{}", run.stderr);
    assert!(run.stderr.contains("promote apply check TO"), "{}", run.stderr);
    for name in ["1_000", "yes", "it's"] {
        sandbox.promote_words("p", &["environment", "add", name]).exits(0);
        sandbox.promote("p", "environment list").exits(0).says(name);
    }
    sandbox.promote("p", "check").exits(0);
}

#[test]
fn says_who_still_names_an_environment() {
    let sandbox = Sandbox::new();
    let text = "\
version: 1
default_environment: dev
promotion: {order: [dev, prod]}
environments:
- name: dev
- name: prod
  inherit_from: dev
  dataset: d
- name: eu
  inherit_from: prod
";
    sandbox.write("p/project.yml", text);
    let run = sandbox.promote("p", "environment remove dev").exits(1);
    assert!(run.stdout.is_empty());
    for place in ["project.yml:2:22", "project.yml:3:21", "project.yml:7:17"] {
        assert!(run.stderr.contains(place), "{place}\n{}", run.stderr);
    }
    sandbox.promote("p", "environment remove prod").exits(1).says("`inherit_from` of `eu` names `prod`");
    assert_eq!(sandbox.read("p/project.yml"), text);
    sandbox.promote("p", "environment remove eu").exits(0);
    assert_eq!(sandbox.read("p/project.yml"), text.replace("- name: eu\n  inherit_from: prod\n", ""));
}

#[test]
fn a_branch_of_its_own_in_one_command() {
    let sandbox = shop(Layout::Branches);
    let before = sandbox.read("shop/project.yml");
    let run = sandbox
        .promote("shop", "environment add qa --like staging --dataset analytics_qa --format json")
        .exits(0);
    let done = result(&sandbox, &run, "environment-add");
    assert_eq!(done["workspace"]["made"], "branch");
    assert_eq!(done["workspace"]["repository"], ".");
    assert_eq!(run.json()["findings"][0]["code"], "not-in-order");
    assert_eq!(sandbox.git("shop", &["rev-parse", "qa"]), sandbox.git("shop", &["rev-parse", "staging"]));
    let after = sandbox.read("shop/project.yml");
    assert!(after.starts_with(before.trim_end()), "{after}");
    assert_eq!(
        after.strip_prefix(&before).unwrap(),
        "\
- name: qa
  workspace: {branch: qa}
  config: {plugins: {extractors: [{name: tap-auth0, config: {client_id: bbb}}]}}
  dataset: analytics_qa
"
    );
    sandbox.commit("shop", "Ada", "qa");
    sandbox.promote("shop", "dev qa --yes").exits(0);
    sandbox.promote("shop", "environment remove qa").exits(0).says("branch qa");
    assert_eq!(sandbox.read("shop/project.yml"), before);
    assert!(sandbox.git_succeeds("shop", &["rev-parse", "--verify", "qa"]), "the branch is left alone");
    // The branch that is there is taken as it is.
    let again = sandbox.promote("shop", "environment add qa --like staging --format json").exits(0);
    assert_eq!(result(&sandbox, &again, "environment-add")["workspace"]["made"], "nothing");
}

#[test]
fn a_repository_of_its_own_in_one_command() {
    let sandbox = shop(Layout::Repositories);
    sandbox.git("shop", &["commit", "-q", "--allow-empty", "-m", "only here"]);
    let words = "environment add qa --like dev --repository ../../qa.git --format json";
    let run = sandbox.promote("shop/models", words).exits(0);
    let done = result(&sandbox, &run, "environment-add");
    assert_eq!(done["workspace"]["made"], "repository");
    assert_eq!(done["environment"]["workspace"]["repository"], "../qa.git", "relative to the project file");
    assert_eq!(sandbox.git("qa.git", &["rev-parse", "main"]), sandbox.git("dev.git", &["rev-parse", "main"]));
    assert_eq!(sandbox.git("qa.git", &["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert!(sandbox.git("qa.git", &["ls-tree", "--name-only", "main"]).contains("project.yml"));
    assert!(
        added(&sandbox.read("shop/project.yml"), "")
            .contains("workspace: {repository: ../qa.git, branch: main}")
    );
    sandbox.promote("shop", "plan dev qa").exits(0);
    // A file's URL, another branch, and an empty repository that is there.
    let url = format!("file://{}", sandbox.path("eu.git").display());
    let words = ["environment", "add", "eu", "--like", "dev", "--repository", &url, "--branch", "live"];
    sandbox.promote_words("shop", &words).exits(0).says("repository made");
    assert_eq!(sandbox.git("eu.git", &["symbolic-ref", "HEAD"]), "refs/heads/live");
    sandbox.git(".", &["init", "-q", "--bare", "us.git"]);
    sandbox
        .promote("shop", "environment add us --like dev --repository ../us.git")
        .exits(0)
        .says("branch made");
    // A branch beside the copied one, in its repository.
    sandbox.promote("shop", "environment add jp --like dev --branch jp").exits(0).says("branch made");
    assert_eq!(sandbox.git("dev.git", &["rev-parse", "jp"]), sandbox.git("dev.git", &["rev-parse", "main"]));
    let run = sandbox.promote("shop", "environment add twin --like dev --branch main").exits(0);
    assert!(run.stderr.contains("warning[same-workspace]"), "{}", run.stderr);
    sandbox.promote("shop", "check").exits(0);
}

#[test]
fn killed_at_any_border_the_same_command_ends_in_the_same_state() {
    for words in ["--repository ../qa.git", "--branch qa"] {
        let words = format!("environment add qa --like dev {words}");
        let undisturbed = shop(Layout::Repositories);
        undisturbed.promote("shop", &words).exits(0);
        let refs = |sandbox: &Sandbox| {
            let folder = if words.contains("qa.git") { "qa.git" } else { "dev.git" };
            sandbox.git(folder, &["for-each-ref", "--format=%(refname) %(objectname)"])
        };
        for border in ["staged", "made"] {
            let sandbox = shop(Layout::Repositories);
            let before = sandbox.read("shop/project.yml");
            let killed = sandbox.promote_with("shop", &words, ("PROMOTE_CRASH_AT", border));
            assert_eq!(killed.status, -1, "{border}\n{}", killed.everything());
            assert_eq!(sandbox.read("shop/project.yml"), before);
            sandbox.promote("shop", &words).exits(0);
            assert_eq!(sandbox.read("shop/project.yml"), undisturbed.read("shop/project.yml"));
            assert_eq!(refs(&sandbox), refs(&undisturbed), "{border}");
        }
    }
}

#[test]
fn nothing_is_half_done() {
    let sandbox = shop(Layout::Repositories);
    let before = sandbox.read("shop/project.yml");
    sandbox.write("taken/file", "x");
    sandbox.git(".", &["clone", "-q", "--bare", "shop", "other.git"]);
    sandbox.git("other.git", &["branch", "-m", "main", "trunk"]);
    for (words, status, says) in [
        ("--repository ../taken", 4, "is not a Git repository"),
        ("--repository ../other.git", 4, "has branches, but none named `main`"),
        ("--repository ../no/where/x.git", 3, "cannot find"),
        ("--repository http://127.0.0.1:1/a/b.git", 4, "there is no repository"),
        ("--branch a..b", 4, "no valid name"),
        ("--dataset a.b.c", 3, "error[bad-dataset]"),
    ] {
        let run = sandbox
            .promote("shop", &format!("environment add qa --like dev {words}"))
            .exits(status)
            .says(says);
        assert!(run.stdout.is_empty(), "{words}");
        assert_eq!(sandbox.read("shop/project.yml"), before, "{words}");
    }
    // A server that declines the push.
    sandbox.git(".", &["init", "-q", "--bare", "strict.git"]);
    sandbox.program("strict.git/hooks/pre-receive", "#!/bin/sh\necho no >&2\nexit 1\n");
    sandbox
        .promote("shop", "environment add qa --like dev --repository ../strict.git")
        .exits(4)
        .says("rejected");
    assert_eq!(sandbox.read("shop/project.yml"), before);
    let left: Vec<String> = std::fs::read_dir(sandbox.path("."))
        .unwrap()
        .chain(std::fs::read_dir(sandbox.path("shop")).unwrap())
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".promote"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn one_warehouse_and_dataset_for_two_is_refused_before_anything_is_made() {
    let sandbox = Sandbox::new();
    let text = "version: 1\nwarehouse: {kind: duckdb, path: x.duckdb}\nenvironments:\n- name: dev\n  dataset: d\n  workspace: {branch: main}\n";
    sandbox.write("p/project.yml", text);
    sandbox.git("p", &["init", "-q"]);
    sandbox.commit("p", "Ada", "the project");
    sandbox
        .promote("p", "environment add qa --like dev")
        .exits(3)
        .says("same-target")
        .says("give it a dataset of its own: `--dataset D`");
    assert_eq!(sandbox.read("p/project.yml"), text);
    assert!(!sandbox.git_succeeds("p", &["rev-parse", "--verify", "qa"]));
    sandbox.promote("p", "environment add qa --like dev --dataset d_qa").exits(0);
    let expected = format!("{text}- name: qa\n  dataset: d_qa\n  workspace: {{branch: qa}}\n");
    assert_eq!(sandbox.read("p/project.yml"), expected);
}

#[test]
fn in_a_meltano_project_our_keys_go_where_meltano_accepts_them() {
    let sandbox = Sandbox::new();
    sandbox.write("p/meltano.yml", AUTH0);
    sandbox.git("p", &["init", "-q"]);
    sandbox.commit("p", "Ada", "the project");
    sandbox.promote("p", "environment add qa --like staging --branch qa --dataset analytics_qa").exits(0);
    let after = sandbox.read("p/meltano.yml");
    let new = "\
- name: qa
  config:
    plugins:
      extractors:
      - name: tap-auth0
        config:
          client_id: 4Zd5QXqHKNoKq4ySx8CP1UBm5eIUgh7t
  annotations:
    promote:
      workspace:
        branch: qa
      dataset: analytics_qa
";
    assert_eq!(
        after,
        AUTH0.replace(
            "plugins:\n  extractors:\n  - name: tap-auth0\n    config:\n      domain: matatika-s",
            &format!(
                "{new}plugins:\n  extractors:\n  - name: tap-auth0\n    config:\n      domain: matatika-s"
            )
        )
    );
    assert_eq!(sandbox.git("p", &["rev-parse", "qa"]), sandbox.git("p", &["rev-parse", "main"]));
    sandbox.promote("p", "environment add eu --like qa --branch eu --dataset eu").exits(0);
    sandbox.promote("p", "environment list").exits(0).says("branch eu").says("dataset eu");
    sandbox.promote("p", "environment remove eu").exits(0);
    assert_eq!(sandbox.read("p/meltano.yml"), after);
    sandbox.promote("p", "environment remove dev").exits(1).says("meltano.yml:2:22");
    sandbox.promote("p", "check").exits(0);
}

#[test]
fn edits_the_file_that_holds_the_environment() {
    let sandbox = Sandbox::new();
    sandbox.write("p/project.yml", "version: 1\ninclude_paths: [meltano.yml, 'env/*.yml']\n");
    sandbox.write("p/meltano.yml", "version: 1\nenvironments:\n- name: dev # one\n  config: {plugins: {}}\n");
    sandbox.promote("p", "environment add qa").exits(0).says("meltano.yml");
    assert_eq!(
        sandbox.read("p/meltano.yml"),
        "version: 1\nenvironments:\n- name: dev # one\n  config: {plugins: {}}\n- name: qa\n"
    );
    // One environment that is split over two files is copied and taken out in both.
    let (ours, theirs) = ("environments:\n- name: dev\n  dataset: d\n", sandbox.read("p/meltano.yml"));
    sandbox.write("p/env/dev.yml", ours);
    sandbox
        .promote("p", "environment add eu --like dev --dataset e")
        .exits(0)
        .says("meltano.yml and env/dev.yml");
    assert_eq!(sandbox.read("p/env/dev.yml"), format!("{ours}- name: eu\n  dataset: e\n"));
    assert_eq!(
        sandbox.read("p/meltano.yml"),
        format!("{theirs}- name: eu # one\n  config: {{plugins: {{}}}}\n")
    );
    sandbox.promote("p", "environment remove eu").exits(0);
    assert_eq!((sandbox.read("p/env/dev.yml"), sandbox.read("p/meltano.yml")), (ours.to_owned(), theirs));
    // Meltano's other place for parts of ours.
    let parts = "version: 1\nannotations:\n  promote:\n    environments:\n    - {name: dev, dataset: d}\nenvironments:\n- name: dev\n";
    sandbox.write("m/meltano.yml", parts);
    sandbox.promote("m", "environment add qa --like dev --dataset q").exits(0);
    let expected =
        parts.replace("dataset: d}\n", "dataset: d}\n    - {name: qa, dataset: q}\n") + "- name: qa\n";
    assert_eq!(sandbox.read("m/meltano.yml"), expected);
}
