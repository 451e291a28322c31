//! Forges: repositories made by their API, promotions as pull requests, and what happens when they say no.
//!
//! All of it against `support::forge`, which checks each request against the forge's published description.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::daemon::free_port;
use super::support::forge::{Forge, Instead, KINDS, Kind, TOKEN};
use super::support::project::{Layout, WIDER_REVENUE, change_in_dev, shop};
use super::support::sandbox::{Run, Sandbox};
use super::support::skipped;

/// Runs the binary; the token is never in what it prints.
#[track_caller]
fn promote(sandbox: &Sandbox, words: &str) -> Run {
    sandbox.promote("shop", words).keeps_quiet_about(TOKEN)
}

/// The token is in no file that a run has left.
fn nothing_keeps_the_token(sandbox: &Sandbox) {
    let found = sandbox.command("grep", ".").args(["-r", "-l", "-a", TOKEN, "."]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

fn add(url: &str) -> String {
    format!("environment add qa --like dev --repository {url} --format json")
}

#[test]
fn makes_a_repository_on_each_forge() {
    for kind in KINDS {
        let mut sandbox = shop(Layout::Repositories);
        let forge = Forge::start(kind, &mut sandbox);
        let before = sandbox.read("shop/project.yml");
        let url = format!("{}/shop/qa.git", forge.url);
        let run = promote(&sandbox, &add(&url)).exits(0);
        let workspace = &run.json()["result"]["workspace"];
        assert_eq!(workspace["made"], "repository", "{kind:?}");
        assert_eq!(workspace["repository"], url.as_str());
        let tip = sandbox.git("dev.git", &["rev-parse", "main"]);
        assert_eq!(sandbox.git("forge/shop/qa.git", &["rev-parse", "main"]), tip, "{kind:?}");
        assert!(sandbox.read("shop/project.yml").contains(&url));
        let made = if matches!(kind, Kind::GitHub | Kind::Gitea) { "make of organisation" } else { "make" };
        let body = forge.last(made).body;
        let private = [body["private"] == true, body["is_private"] == true, body["visibility"] == "private"];
        assert!(private.contains(&true), "{kind:?} {body}");
        // The same once more, as after a run that was killed before it wrote the file.
        sandbox.write("shop/project.yml", &before);
        let again = promote(&sandbox, &add(&url)).exits(0);
        assert_eq!(again.json()["result"]["workspace"]["made"], "nothing", "{kind:?}");
        assert_eq!(forge.count(made), 1, "{kind:?}");
        forge.was_asked_rightly();
        nothing_keeps_the_token(&sandbox);
    }
}

#[test]
fn a_users_repository_is_made_with_that_users_token_only() {
    for kind in [Kind::GitHub, Kind::Gitea] {
        let mut sandbox = shop(Layout::Repositories);
        let forge = Forge::start(kind, &mut sandbox);
        promote(&sandbox, &add(&format!("{}/ada/qa.git", forge.url))).exits(0);
        assert_eq!(forge.count("make of user"), 1, "{kind:?}");
        forge.was_asked_rightly();
    }
    let mut sandbox = shop(Layout::Repositories);
    let forge = Forge::start(Kind::GitHub, &mut sandbox);
    promote(&sandbox, &add(&format!("{}/grace/qa.git", forge.url)))
        .exits(4)
        .says("lets only `grace` make repositories of that user, and the token is of `ada`");
    assert_eq!(forge.count("make of user"), 0);
}

#[test]
fn without_a_token_the_command_is_named_and_a_token_goes_to_its_own_host_only() {
    let mut sandbox = shop(Layout::Repositories);
    let forge = Forge::start(Kind::GitLab, &mut sandbox);
    // The same forge under a name that no variable names: it may be somebody else's.
    let other = forge.url.replace("127.0.0.1", "localhost");
    promote(&sandbox, &add(&format!("{other}/shop/qa.git"))).exits(4).says("there is no repository at");
    sandbox.unset("GITLAB_TOKEN");
    promote(&sandbox, &add(&format!("{}/shop/qa.git", forge.url))).exits(4).says("there is no repository at");
    assert!(forge.state().asked.is_empty());
}

/// What a forge may say instead of doing what it is asked: which, to what, how, and what of it is passed on.
type Refusal = (Kind, &'static str, Instead, &'static str);

fn say(status: u16, headers: &'static str, text: &str) -> Instead {
    Instead::Say(status, headers, text.to_owned())
}

fn refusals_of_github() -> Vec<Refusal> {
    let echo = format!("{{\"message\": \"Bad credentials: {TOKEN}\"}}");
    let github = |operation, instead, words: &'static str| (Kind::GitHub, operation, instead, words);
    vec![
        github(
            "repository",
            say(401, "", &echo),
            "GitHub refuses to show `shop/qa`: 401 Bad credentials: ••••",
        ),
        github(
            "make of organisation",
            say(403, "", r#"{"message": "Resource not accessible by personal access token"}"#),
            "403 Resource not accessible by personal access token",
        ),
        github(
            "owner",
            say(404, "", r#"{"message": "Not Found"}"#),
            "GitHub refuses to make `shop/qa`: 404 Not Found",
        ),
        github(
            "make of organisation",
            say(
                422,
                "",
                r#"{"message": "Validation Failed", "errors": [{"field": "name", "code": "invalid"}]}"#,
            ),
            "422 Validation Failed; name invalid",
        ),
        github(
            "make of organisation",
            say(
                403,
                "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1772362800\r\n",
                r#"{"message": "API rate limit exceeded"}"#,
            ),
            "API rate limit exceeded; again from 2026-03-01T11:00:00Z",
        ),
        github(
            "repository",
            say(429, "Retry-After: 3600\r\n", r#"{"message": "slow down"}"#),
            "slow down; again in 3600 s",
        ),
        github("repository", say(200, "", "<html>Please log in</html>"), "answers with `text/html`"),
        github("repository", say(302, "Location: http://127.0.0.1:1/\r\n", ""), "a redirect (302)"),
        github("make of organisation", Instead::Close, "GitHub cannot be reached at"),
    ]
}

fn refusals_of_others() -> Vec<Refusal> {
    vec![
        (
            Kind::GitLab,
            "make",
            say(400, "", r#"{"message": {"path": ["has already been taken"]}}"#),
            "GitLab refuses to make `shop/qa`: 400 path: has already been taken",
        ),
        (
            Kind::GitLab,
            "namespace",
            say(403, "", r#"{"error": "insufficient_scope", "error_description": "needs api"}"#),
            "403 insufficient_scope; needs api",
        ),
        (
            Kind::Gitea,
            "make of organisation",
            say(409, "", r#"{"message": "exists", "url": "x"}"#),
            "409 exists",
        ),
        (
            Kind::Bitbucket,
            "make",
            say(400, "", r#"{"type": "error", "error": {"message": "Bad", "detail": "name"}}"#),
            "400 Bad; name",
        ),
    ]
}

#[test]
fn each_refusal_has_the_forges_words_and_leaves_everything_as_it_was() {
    for (kind, operation, instead, words) in refusals_of_github().into_iter().chain(refusals_of_others()) {
        let mut sandbox = shop(Layout::Repositories);
        let forge = Forge::start(kind, &mut sandbox);
        let before = sandbox.read("shop/project.yml");
        forge.say_instead(operation, instead);
        let run = promote(&sandbox, &add(&format!("{}/shop/qa.git", forge.url))).exits(4).says(words);
        assert!(run.json()["error"].is_object(), "{words}");
        assert_eq!(sandbox.read("shop/project.yml"), before, "{words}");
        assert!(!sandbox.path("forge/shop/qa.git").exists(), "{words}");
        // Nothing that changes something is asked twice.
        assert!(forge.count("make") <= 1 && forge.count("make of organisation") <= 1, "{words}");
        forge.was_asked_rightly();
        nothing_keeps_the_token(&sandbox);
    }
}

#[test]
fn a_question_is_asked_again_and_a_forge_that_is_gone_is_named() {
    let mut sandbox = shop(Layout::Repositories);
    let forge = Forge::start(Kind::Gitea, &mut sandbox);
    forge.say_instead("repository", Instead::Say(502, "", "<html>Bad gateway</html>".to_owned()));
    forge.say_instead("repository", Instead::Close);
    let url = format!("{}/shop/qa.git", forge.url);
    promote(&sandbox, &add(&url)).exits(0);
    assert_eq!(forge.count("repository"), 3);
    sandbox.set("GITEA_API_URL", "http://127.0.0.1:1/api/v1");
    promote(&sandbox, &add(&url.replace("qa", "eu")).replace(" qa ", " eu "))
        .exits(4)
        .says("Gitea cannot be reached at `http://127.0.0.1:1/api/v1`")
        .says("GITEA_API_URL");
}

#[test]
fn the_line_is_encrypted_and_an_unknown_certificate_is_refused() {
    let mut sandbox = shop(Layout::Repositories);
    let made = sandbox
        .command("openssl", ".")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "own.pem"])
        .args(["-days", "2", "-subj", "/CN=forge", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return skipped("there is no `openssl` to make a certificate with");
    }
    let port = free_port();
    let mut server = sandbox
        .command("openssl", ".")
        .args([
            "s_server",
            "-quiet",
            "-www",
            "-cert",
            "own.pem",
            "-key",
            "key.pem",
            "-accept",
            &port.to_string(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < patience, "openssl does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    let api = format!("https://127.0.0.1:{port}/api");
    sandbox.set("GITHUB_TOKEN", TOKEN).set("GITHUB_API_URL", &api);
    let words = add("ssh://git@127.0.0.1:1/shop/qa.git");
    promote(&sandbox, &words).exits(4).says("cannot be reached").says("certificate");
    let own = sandbox.path("own.pem").to_str().unwrap().to_owned();
    sandbox.set("SSL_CERT_FILE", &own);
    // It is no forge, and says so in HTML: the handshake succeeded.
    promote(&sandbox, &words).exits(4).says("answers with `text/html`");
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_proxy_of_the_environment_is_asked_and_never_sees_the_token() {
    let mut sandbox = shop(Layout::Repositories);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let (send, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut head = String::new();
            let mut reader = BufReader::new(&stream);
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            drop(send.send(head));
            drop((&stream).write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    sandbox.set("GITLAB_TOKEN", TOKEN).set("GITLAB_API_URL", "https://forge.invalid/api/v4");
    sandbox.set("HTTPS_PROXY", &proxy);
    promote(&sandbox, &add("ssh://git@forge.invalid:1/shop/qa.git"))
        .exits(4)
        .says("GitLab cannot be reached at `https://forge.invalid/api/v4`");
    let head = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(head.starts_with("CONNECT forge.invalid:443 HTTP/1.1"), "{head}");
    assert!(!head.contains(TOKEN), "{head}");
}

#[test]
fn a_push_that_fails_after_it_is_made_says_so_and_the_same_command_goes_on() {
    let mut sandbox = shop(Layout::Repositories);
    let forge = Forge::start(Kind::GitHub, &mut sandbox);
    forge.state().hook = Some("#!/bin/sh\necho not on a sunday >&2\nexit 1\n".to_owned());
    let before = sandbox.read("shop/project.yml");
    let words = add(&format!("{}/shop/qa.git", forge.url));
    promote(&sandbox, &words)
        .exits(4)
        .says("is made on GitHub and still empty")
        .says("not on a sunday")
        .says("it goes on from here");
    assert_eq!(sandbox.read("shop/project.yml"), before);
    std::fs::remove_file(sandbox.path("forge/shop/qa.git/hooks/pre-receive")).unwrap();
    let run = promote(&sandbox, &words).exits(0);
    assert_eq!(run.json()["result"]["workspace"]["made"], "branch");
    // Killed between the two, likewise.
    forge.state().hook = None;
    let words = words.replace("qa", "eu");
    let killed = sandbox.promote_with("shop", &words, ("PROMOTE_CRASH_AT", "repository"));
    assert_eq!(killed.status, -1, "{}", killed.everything());
    assert!(sandbox.path("forge/shop/eu.git").exists());
    promote(&sandbox, &words).exits(0);
    assert_eq!(forge.count("make of organisation"), 2);
}

#[test]
fn a_repository_with_other_work_is_refused() {
    let mut sandbox = shop(Layout::Repositories);
    let forge = Forge::start(Kind::GitHub, &mut sandbox);
    // As a forge makes it where somebody asks for a first commit.
    sandbox.git(".", &["init", "-q", "readme"]);
    sandbox.write("readme/README.md", "# qa\n");
    sandbox.commit("readme", "Grace", "Initial commit");
    sandbox.git(".", &["clone", "-q", "--bare", "readme", "forge/shop/qa.git"]);
    let before = sandbox.read("shop/project.yml");
    promote(&sandbox, &add(&format!("{}/shop/qa.git", forge.url)))
        .exits(4)
        .says("is not empty: its branch `main` holds other work than this project");
    assert_eq!(sandbox.read("shop/project.yml"), before);
}

/// The shop with staging on a forge, where somebody merges what is promoted, and CI migrates.
fn merged_shop(kind: Kind, via: &str, migrate: &str) -> (Sandbox, Forge) {
    let mut sandbox = shop(Layout::Repositories);
    let forge = Forge::start(kind, &mut sandbox);
    let project = sandbox.read("shop/project.yml");
    let entry = format!(
        "- name: staging\n  migrate: {migrate}\n  workspace: {{repository: \"{}/shop/staging.git\", branch: main, via: {via}}}",
        forge.url
    );
    let changed = project
        .replace("- name: staging\n  workspace: {repository: \"../staging.git\", branch: main}", &entry);
    assert_ne!(changed, project);
    change_in_dev(&sandbox, Layout::Repositories, "project.yml", &changed, "staging is on a forge");
    sandbox.git(".", &["clone", "-q", "--bare", "shop", "forge/shop/staging.git"]);
    sandbox.git("shop", &["push", "-q", "../prod.git", "HEAD:main"]);
    sandbox.git(".", &["clone", "-q", "forge/shop/staging.git", "person"]);
    (sandbox, forge)
}

const BRANCH: &str = "promote/dev-to-staging";

fn tip(sandbox: &Sandbox, branch: &str) -> String {
    sandbox.git("forge/shop/staging.git", &["rev-parse", &format!("refs/heads/{branch}")])
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Merge,
    Squash,
    Rebase,
}

/// Merges the pull request as a forge does, and takes its branch away.
fn merge(sandbox: &Sandbox, way: Way) {
    let git = |words: &[&str]| {
        let mut command = sandbox.command("git", "person");
        // What a forge commits bears its own name and time.
        command
            .args(words)
            .env("GIT_COMMITTER_NAME", "Forge")
            .env("GIT_COMMITTER_DATE", "2026-03-02T09:00:00+00:00");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let branch = format!("origin/{BRANCH}");
    git(&["fetch", "-q", "origin"]);
    git(&["checkout", "-q", "-B", "main", "origin/main"]);
    match way {
        Way::Merge => git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #7", &branch]),
        Way::Squash => {
            git(&["merge", "-q", "--squash", &branch]);
            git(&["commit", "-q", "-m", "Promote dev to staging (#7)"]);
        }
        Way::Rebase => {
            git(&["checkout", "-q", "-B", "main", &branch]);
            git(&["rebase", "-q", "--no-ff", "origin/main"]);
        }
    }
    git(&["push", "-q", "origin", "main", &format!(":{BRANCH}")]);
}

#[track_caller]
fn proposed(sandbox: &Sandbox) -> Value {
    let run = promote(sandbox, "dev staging --yes --format json").exits(0);
    let result = run.json()["result"].clone();
    assert_eq!(result["outcome"], "proposed", "{}", run.stdout);
    result
}

#[test]
fn opens_a_pull_request_keeps_it_up_to_date_and_finds_it_merged() {
    for kind in KINDS {
        let (sandbox, forge) = merged_shop(kind, "pull_request", "ci");
        let before = tip(&sandbox, "main");
        change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "count orders");
        let plan = promote(&sandbox, "plan dev staging --format json").exits(0).json()["result"].clone();
        assert_eq!(plan["proposal"]["branch"], BRANCH);
        assert!(forge.state().asked.is_empty(), "a plan asks nobody");
        let result = proposed(&sandbox);
        assert_eq!(tip(&sandbox, "main"), before, "only a person merges");
        assert_eq!(result["proposal"]["commit"], tip(&sandbox, BRANCH).as_str());
        assert_eq!(result["proposal"]["number"], 7);
        let url = result["proposal"]["url"].as_str().unwrap();
        assert!(url.starts_with(&forge.url) && url.ends_with("/7"), "{url}");
        let id = result["plan_id"].as_str().unwrap().to_owned();
        {
            let state = forge.state();
            let pull = &state.pulls[0];
            assert_eq!(
                (pull.title.as_str(), pull.source.as_str(), pull.target.as_str()),
                ("Promote dev to staging", BRANCH, "main")
            );
            assert!(pull.body.starts_with("## Promotion of dev to staging\n"), "{}", pull.body);
            assert!(pull.body.contains("models/revenue.sql"), "{}", pull.body);
            assert!(pull.body.ends_with(&format!("\n\nPromote-Plan: {id}\n")), "{}", pull.body);
        }
        // The same again changes nothing but the text of the pull request.
        let commit = tip(&sandbox, BRANCH);
        proposed(&sandbox);
        assert_eq!(tip(&sandbox, BRANCH), commit, "{kind:?}");
        assert_eq!((forge.count("open"), forge.count("change")), (1, 1), "{kind:?}");
        // More in the source goes into the same pull request.
        change_in_dev(&sandbox, Layout::Repositories, "models/more.sql", "select 1 as one\n", "more");
        proposed(&sandbox);
        assert_ne!(tip(&sandbox, BRANCH), commit, "{kind:?}");
        assert_eq!((forge.count("open"), forge.count("change")), (1, 2), "{kind:?}");
        assert!(forge.state().pulls[0].body.contains("models/more.sql"));
        promote(&sandbox, "history staging")
            .exits(0)
            .says("proposed in promote/dev-to-staging")
            .says(" of promote/dev-to-staging,");
        merge(&sandbox, Way::Merge);
        forge.state().pulls[0].open = false;
        let run = promote(&sandbox, "dev staging --yes --format json").exits(0);
        assert_eq!(run.json()["result"]["outcome"], "nothing_to_do", "{}", run.stdout);
        promote(&sandbox, "history staging --verify").exits(0);
        let history = promote(&sandbox, "history staging --format json").exits(0).json();
        let last = history["result"]["records"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["entry"]["kind"], "promotion", "{history}");
        assert_eq!(last["entry"]["commit"], tip(&sandbox, "main").as_str());
        forge.was_asked_rightly();
        nothing_keeps_the_token(&sandbox);
    }
}

#[test]
fn however_it_was_merged_it_does_not_come_back_as_a_conflict() {
    for way in [Way::Merge, Way::Squash, Way::Rebase] {
        for moved in [false, true] {
            let (sandbox, forge) = merged_shop(Kind::GitHub, "pull_request", "ci");
            change_in_dev(
                &sandbox,
                Layout::Repositories,
                "models/revenue.sql",
                WIDER_REVENUE,
                "count orders",
            );
            proposed(&sandbox);
            if moved {
                sandbox.write("person/notes.md", "a hotfix\n");
                sandbox.commit("person", "Grace", "stop the incident");
                sandbox.git("person", &["push", "-q", "origin", "HEAD:main"]);
            }
            merge(&sandbox, way);
            forge.state().pulls[0].open = false;
            let landing = tip(&sandbox, "main");
            let run = promote(&sandbox, "dev staging --yes --format json").exits(0);
            assert_eq!(run.json()["result"]["outcome"], "nothing_to_do", "{way:?} {moved} {}", run.stdout);
            let history = promote(&sandbox, "history staging --format json").exits(0).json();
            let records = history["result"]["records"].as_array().unwrap();
            let last = &records.last().unwrap()["entry"];
            assert_eq!(last["kind"], "promotion", "{way:?} {moved} {history}");
            assert_eq!(last["commit"], landing.as_str(), "{way:?} {moved}");
            // It is recorded once.
            let count = records.len();
            promote(&sandbox, "dev staging --yes").exits(0);
            let again = promote(&sandbox, "history staging --format json").exits(0).json();
            assert_eq!(again["result"]["records"].as_array().unwrap().len(), count, "{way:?} {moved}");
            // The next change of the same lines.
            let next = WIDER_REVENUE.replace("order_count", "orders_counted");
            change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", &next, "a better name");
            let plan = promote(&sandbox, "plan dev staging --format json --no-migrate").exits(0).json();
            let merge = &plan["result"]["merge"];
            assert_eq!(merge["losses"], serde_json::json!([]), "{way:?} {moved}");
            assert_eq!(merge["conflicts"], serde_json::json!([]), "{way:?} {moved}");
            let files: Vec<&str> = merge["files"]
                .as_array()
                .unwrap()
                .iter()
                .map(|file| file["path"].as_str().unwrap())
                .collect();
            assert_eq!(files, ["models/revenue.sql"], "{way:?} {moved}");
        }
    }
}

#[test]
fn a_branch_without_an_api_prints_the_page_that_opens_the_pull_request() {
    let (mut sandbox, forge) = merged_shop(Kind::GitLab, "branch", "ci");
    sandbox.unset("GITLAB_TOKEN");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "count orders");
    let result = proposed(&sandbox);
    assert_eq!(
        result["proposal"]["url"],
        format!(
            "{}/shop/staging/-/merge_requests/new?merge_request%5Bsource_branch%5D=promote%2Fdev-to-staging&merge_request%5Btarget_branch%5D=main",
            forge.url
        )
    );
    promote(&sandbox, "dev staging --yes")
        .exits(0)
        .says("its pull request can be opened at http://127.0.0.1");
    assert!(forge.state().asked.is_empty());
    merge(&sandbox, Way::Squash);
    promote(&sandbox, "dev staging --yes").exits(0).says("Nothing to do");
    promote(&sandbox, "history staging").exits(0).says("dev → staging");
}

#[test]
fn a_pull_request_that_cannot_be_opened_is_opened_by_the_same_command() {
    let (sandbox, forge) = merged_shop(Kind::GitHub, "pull_request", "ci");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "count orders");
    let refused = r#"{"message": "Validation Failed", "errors": [{"message": "Draft pull requests only"}]}"#;
    forge.say_instead("open", Instead::Say(422, "", refused.to_owned()));
    promote(&sandbox, "dev staging --yes")
        .exits(4)
        .says("is pushed to")
        .says("422 Validation Failed; Draft pull requests only")
        .says("run the same command again");
    let commit = tip(&sandbox, BRANCH);
    assert_eq!(proposed(&sandbox)["proposal"]["commit"], commit.as_str());
    forge.was_asked_rightly();
    nothing_keeps_the_token(&sandbox);
}

#[test]
fn without_a_token_or_with_somebody_elses_commits_nothing_is_pushed() {
    let (mut sandbox, _forge) = merged_shop(Kind::Gitea, "pull_request", "ci");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "count orders");
    let refs = |sandbox: &Sandbox| sandbox.git("forge/shop/staging.git", &["for-each-ref"]);
    let before = refs(&sandbox);
    sandbox.unset("GITEA_TOKEN");
    promote(&sandbox, "dev staging --yes")
        .exits(4)
        .says("there is no token for Gitea")
        .says("set GITEA_TOKEN");
    assert_eq!(refs(&sandbox), before);
    sandbox.set("GITEA_TOKEN", TOKEN);
    proposed(&sandbox);
    sandbox.git("person", &["fetch", "-q", "origin"]);
    sandbox.git("person", &["checkout", "-q", "-B", "fix", &format!("origin/{BRANCH}")]);
    sandbox.write("person/fix.md", "by hand\n");
    sandbox.commit("person", "Grace", "mend the pull request");
    sandbox.git("person", &["push", "-q", "origin", &format!("HEAD:{BRANCH}")]);
    let before = refs(&sandbox);
    promote(&sandbox, "dev staging --yes").exits(4).says("holds commits that are no promotion's");
    assert_eq!(refs(&sandbox), before, "somebody's work is not replaced");
}

#[test]
fn a_migration_before_the_merge_is_refused_and_warned_of() {
    let (sandbox, forge) = merged_shop(Kind::GitHub, "pull_request", "promotion");
    change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "count orders");
    promote(&sandbox, "dev staging --yes").exits(1).says("with `migrate: ci` CI changes it then");
    promote(&sandbox, "dev staging --yes --no-migrate").exits(0).says("pull request 7 is open");
    promote(&sandbox, "check").exits(0).says("migrates-too-early");
    promote(&sandbox, "doctor")
        .exits(4)
        .says("GitHub does not protect branch `main`, and `migrate: promotion`");
    let mended = sandbox.read("shop/project.yml").replace("migrate: promotion", "migrate: ci");
    sandbox.write("shop/project.yml", mended);
    forge.state().protected = true;
    promote(&sandbox, "check").exits(0).keeps_quiet_about("migrates-too-early");
    promote(&sandbox, "doctor").exits(0).says("GitHub protects branch `main`");
    forge.was_asked_rightly();
    // A protected branch that is pushed to is as much too early.
    let pushed = sandbox.read("shop/project.yml").replace("migrate: ci", "migrate: promotion");
    sandbox.write("shop/project.yml", pushed.replace(", via: pull_request", ""));
    promote(&sandbox, "doctor").exits(4).says("GitHub protects branch `main`, and `migrate: promotion`");
}

#[test]
fn ci_finds_the_promotion_on_the_push_that_merged_it_and_migrates() {
    for way in [Way::Merge, Way::Squash, Way::Rebase] {
        let (mut sandbox, _forge) = merged_shop(Kind::GitLab, "pull_request", "ci");
        let ci = |sandbox: &mut Sandbox| {
            let commit = tip(sandbox, "main");
            let repository = sandbox.path("forge/shop/staging.git").to_str().unwrap().to_owned();
            sandbox
                .set("PROMOTE_CI", "hook")
                .set("PROMOTE_CI_BRANCH", "main")
                .set("PROMOTE_CI_COMMIT", &commit)
                .set("PROMOTE_CI_REPOSITORY", &repository);
            sandbox.promote("forge/shop/staging.git", "ci run -e staging")
        };
        ci(&mut sandbox).exits(0);
        // A column goes: that is let through in the promotion, and CI finds the word in its record.
        let fewer = "select country\nfrom {{ ref('orders') }}\ngroup by country\n";
        change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", fewer, "no sums");
        let words = "dev staging --yes --allow drop-view-column:analytics.revenue.revenue";
        promote(&sandbox, words).exits(0).says("is open at");
        merge(&sandbox, way);
        ci(&mut sandbox).exits(0).says("that was proposed is merged");
        let connection = duckdb::Connection::open(sandbox.path("data/staging.duckdb")).unwrap();
        let columns: String = connection
            .query_row(
                "select string_agg(column_name, ' ') from duckdb_columns() where schema_name = 'analytics' and table_name = 'revenue'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(columns, "country", "{way:?}");
        drop(connection);
        let history = promote(&sandbox, "history staging --format json").exits(0).json();
        let kinds: Vec<&str> = history["result"]["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["entry"]["kind"].as_str().unwrap())
            .collect();
        assert!(kinds.ends_with(&["proposed", "promotion", "followed", "followed"]), "{way:?} {kinds:?}");
    }
}

#[test]
fn killed_at_any_border_the_same_promotion_ends_in_the_same_pull_request() {
    for border in ["planned", "locked", "checked", "committed", "published", "opened"] {
        let (sandbox, forge) = merged_shop(Kind::GitHub, "pull_request", "ci");
        change_in_dev(&sandbox, Layout::Repositories, "models/revenue.sql", WIDER_REVENUE, "count orders");
        let killed = sandbox.promote_with("shop", "dev staging --yes", ("PROMOTE_CRASH_AT", border));
        assert_eq!(killed.status, -1, "{border}\n{}", killed.everything());
        let result = proposed(&sandbox);
        assert_eq!(result["proposal"]["number"], 7, "{border}");
        assert_eq!(forge.state().pulls.len(), 1, "{border}");
        let refs = sandbox.git("forge/shop/staging.git", &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(
            refs, "refs/heads/main\nrefs/heads/promote/dev-to-staging\nrefs/promote/journal",
            "{border}"
        );
        let history = promote(&sandbox, "history staging --format json").exits(0).json();
        assert_eq!(history["result"]["records"].as_array().unwrap().len(), 1, "{border}");
    }
}
