//! Submodules in real repositories: whether the commit that a promotion brings is where its address says.

use super::support::daemon::{free_port, serve};
use super::support::project::{Layout, change_in_dev, shop};
use super::support::sandbox::{Run, Sandbox};

const LAYOUT: Layout = Layout::Repositories;
const PLAN: &str = "plan dev staging --no-migrate";

/// A shop with a library beside it, of two commits, whose clone is in `lib-clone`.
fn with_library() -> Sandbox {
    let sandbox = shop(LAYOUT);
    sandbox.git(".", &["init", "-q", "--bare", "-b", "main", "lib.git"]);
    sandbox.git(".", &["clone", "-q", "lib.git", "lib-clone"]);
    sandbox.write("lib-clone/a.sql", "select 1\n");
    sandbox.commit("lib-clone", "Lin", "one");
    sandbox.write("lib-clone/a.sql", "select 2\n");
    sandbox.commit("lib-clone", "Lin", "two");
    sandbox.git("lib-clone", &["push", "-q", "origin", "HEAD:main"]);
    sandbox
}

/// Puts a submodule at a commit into dev, with an address.
fn submodule(sandbox: &Sandbox, path: &str, commit: &str, url: &str) {
    let file = sandbox.path("shop/.gitmodules");
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let entry = format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n");
    sandbox.write("shop/.gitmodules", before + &entry);
    // What is in the index and not in the work tree would go with the next commit.
    std::fs::create_dir_all(sandbox.path(&format!("shop/{path}"))).unwrap();
    sandbox.git("shop", &["add", "-A"]);
    sandbox.git("shop", &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    sandbox.git("shop", &["commit", "-q", "-m", "a submodule"]);
    sandbox.git("shop", &["push", "-q", "origin", "HEAD:main"]);
}

fn head(sandbox: &Sandbox, name: &str) -> String {
    sandbox.git("lib-clone", &["rev-parse", name])
}

/// Gives a commit that was made and not pushed.
fn unpushed(sandbox: &Sandbox) -> String {
    sandbox.write("lib-clone/a.sql", "select 3\n");
    sandbox.commit("lib-clone", "Lin", "not pushed")
}

/// Lists what is said of submodules: code and message.
fn said(run: &Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let findings = run.json()["findings"].as_array().cloned().unwrap_or_default();
    let all = findings.iter().map(|finding| (text(&finding["code"]), text(&finding["message"])));
    all.filter(|(code, _)| code.starts_with("submodule-")).collect()
}

fn looked(sandbox: &Sandbox) -> Vec<(String, String)> {
    said(&sandbox.promote("shop", &format!("{PLAN} --format json")).exits(0))
}

/// Checks that only one thing is said, with a code and words.
#[track_caller]
fn says_only(found: &[(String, String)], code: &str, words: &str) {
    let [(one, message)] = found else { panic!("{found:?}") };
    assert!(one == code && message.contains(words), "{found:?}, not {code} with `{words}`");
}

#[test]
fn a_commit_that_the_submodules_remote_has_is_no_word_worth() {
    for name in ["HEAD", "HEAD~1"] {
        let sandbox = with_library();
        submodule(&sandbox, "libs/sql", &head(&sandbox, name), "../lib.git");
        assert_eq!(looked(&sandbox), [], "{name}, by a relative address");
        let left = std::fs::read_dir(sandbox.path("")).unwrap();
        let left = left.filter(|entry| {
            entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("promote-submodule-")
        });
        assert_eq!(left.count(), 0);
    }
    let sandbox = with_library();
    let port = free_port();
    let _daemon = serve(&sandbox, port);
    submodule(&sandbox, "libs/sql", &head(&sandbox, "HEAD~1"), &format!("git://127.0.0.1:{port}/lib.git"));
    assert_eq!(looked(&sandbox), []);
}

#[test]
fn a_commit_that_nobody_pushed_is_a_warning_with_path_and_address() {
    let sandbox = with_library();
    let commit = unpushed(&sandbox);
    let path = sandbox.path("lib.git");
    submodule(&sandbox, "libs/sql", &commit, &format!("file://{}", path.display()));
    says_only(&looked(&sandbox), "submodule-missing", &format!("`libs/sql` goes to commit {}", &commit[..7]));
    let run = sandbox.promote("shop", PLAN).exits(0);
    run.says("which `file://$SANDBOX/lib.git` does not have").says("push the commit");
    // Once it is pushed, nothing is left to say, and what was promoted is not asked about again.
    sandbox.git("lib-clone", &["push", "-q", "origin", "HEAD:main"]);
    assert_eq!(looked(&sandbox), []);
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0);
    std::fs::rename(sandbox.path("lib.git"), sandbox.path("gone.git")).unwrap();
    change_in_dev(&sandbox, LAYOUT, "models/new.sql", "select 1 as one\n", "new");
    assert_eq!(looked(&sandbox), []);
}

#[test]
fn what_cannot_be_asked_says_why_and_stops_nothing() {
    let sandbox = with_library();
    let commit = head(&sandbox, "HEAD");
    let url = "https://ann:correct-horse-battery@shop.invalid/lib.git";
    submodule(&sandbox, "libs/gone", &commit, url);
    submodule(&sandbox, "libs/there", &commit, "../lib.git");
    submodule(&sandbox, "libs/web", &commit, "http://127.0.0.1/lib.git");
    sandbox.git("shop", &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},libs/nameless")]);
    std::fs::create_dir_all(sandbox.path("shop/libs/nameless")).unwrap();
    sandbox.git("shop", &["commit", "-q", "-m", "without an address"]);
    sandbox.git("shop", &["push", "-q", "origin", "HEAD:main"]);
    let run = sandbox.promote("shop", &format!("{PLAN} --format json")).exits(0);
    let run = run.keeps_quiet_about("correct-horse-battery");
    let found = said(&run);
    assert!(found.iter().all(|(code, _)| code == "submodule-unchecked"), "{found:?}");
    let messages: Vec<&str> = found.iter().map(|(_, message)| message.as_str()).collect();
    let [gone, nameless, web] = messages[..] else { panic!("{messages:?}") };
    assert!(gone.contains("`libs/gone`") && gone.contains("unable to"), "{gone}");
    assert!(nameless.contains("names no address"), "{nameless}");
    assert!(web.contains("`http`, which is not asked"), "{web}");
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0).says("Promoted");
}

#[test]
fn an_address_that_names_a_program_runs_none() {
    let sandbox = with_library();
    let commit = head(&sandbox, "HEAD");
    let mark = sandbox.path("ran");
    submodule(&sandbox, "libs/a", &commit, &format!("\"ext::sh -c touch% {}\"", mark.display()));
    submodule(&sandbox, "libs/b", &commit, &format!("\"--upload-pack=touch {}\"", mark.display()));
    let found = looked(&sandbox);
    assert!(found.iter().all(|(code, _)| code == "submodule-unchecked") && found.len() == 2, "{found:?}");
    assert!(!mark.exists());
    // Nor one that the person's own settings put in the place of a plain address.
    let config = sandbox.read("home/gitconfig");
    let rewrite = format!("[url \"ext::sh -c touch% {}% \"]\n\tinsteadOf = git://h/\n", mark.display());
    sandbox.write("home/gitconfig", format!("{config}[protocol \"ext\"]\n\tallow = always\n{rewrite}"));
    submodule(&sandbox, "libs/c", &commit, "git://h/lib.git");
    assert!(looked(&sandbox).iter().any(|(_, message)| message.contains("`libs/c`")));
    assert!(!mark.exists());
    // And a file that is none.
    sandbox.write("shop/.gitmodules", "[submodule\n");
    change_in_dev(&sandbox, LAYOUT, "models/new.sql", "select 1 as one\n", "broken");
    assert!(looked(&sandbox).iter().all(|(_, message)| message.contains("`.gitmodules` cannot be read")));
}

#[test]
fn many_submodules_are_asked_side_by_side_and_a_silent_one_is_given_up() {
    let sandbox = with_library();
    let commit = head(&sandbox, "HEAD");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for number in 0..6 {
        let url = format!("git://127.0.0.1:{port}/lib.git");
        submodule(&sandbox, &format!("libs/{number}"), &commit, &url);
    }
    let began = std::time::Instant::now();
    let run = sandbox.promote("shop", &format!("{PLAN} --timeout 3s --format json")).exits(0);
    let found = said(&run);
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found.iter().all(|(_, message)| message.contains("said nothing for 3 s")), "{found:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(14), "{:?}", began.elapsed());
}
