//! Remotes, networks, caches and disks that fail: a clear word, the exit code 4, and everything as it was.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::support::daemon::free_port;
use super::support::project::{Layout, WIDER_REVENUE, change_in_dev, project_file, shop};
use super::support::sandbox::{Run, Sandbox};

const LAYOUT: Layout = Layout::Repositories;

/// A shop with a change in dev, whose staging is at another address.
fn with_staging_at(url: &str) -> Sandbox {
    let sandbox = shop(LAYOUT);
    sandbox.write("shop/project.yml", project_file(LAYOUT, "../").replace("../staging.git", url));
    change_in_dev(&sandbox, LAYOUT, "models/revenue.sql", WIDER_REVENUE, "wider");
    sandbox
}

/// A server that does the same with whoever comes; gives its port.
fn server(serve: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(serve));
    port
}

/// A web server that gives one answer.
fn web(status: &'static str, header: &'static str) -> u16 {
    server(move |mut stream| {
        let mut request = [0_u8; 4096];
        let read = stream.read(&mut request).unwrap_or_default();
        let answer = format!("HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n");
        if read > 0 {
            drop(stream.write_all(answer.as_bytes()));
        }
    })
}

/// Promotes, and looks that it ended soon, with status 4, a hint and nothing written.
#[track_caller]
fn fails(sandbox: &Sandbox, words: &str) -> Run {
    let before = sandbox.git("staging.git", &["for-each-ref"]);
    let began = Instant::now();
    let run = sandbox.promote("shop", words).exits(4).says("hint:");
    assert!(began.elapsed() < Duration::from_secs(60), "it does not wait for ever");
    assert_eq!(sandbox.git("staging.git", &["for-each-ref"]), before);
    assert!(!sandbox.path("data/staging.duckdb").exists());
    run
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let kept = std::sync::Mutex::new(Vec::new());
    let port = server(move |stream| kept.lock().unwrap().push(stream));
    for url in [format!("git://127.0.0.1:{port}/staging.git"), format!("http://127.0.0.1:{port}/staging.git")]
    {
        let sandbox = with_staging_at(&url);
        fails(&sandbox, "dev staging --yes --timeout 2s").says("said nothing for 2 s and was given up");
    }
}

#[test]
fn a_server_that_refuses_is_named_with_its_words() {
    let url = format!("git://127.0.0.1:{}/staging.git", free_port());
    fails(&with_staging_at(&url), "dev staging --yes").says("refused").says(&url);
    for (status, words) in
        [("403 Forbidden", "403"), ("404 Not Found", "is not a Git repository"), ("500 Oops", "500")]
    {
        let url = format!("http://127.0.0.1:{}/staging.git", web(status, ""));
        fails(&with_staging_at(&url), "dev staging --yes").says(words).says(&url);
    }
}

#[test]
fn a_password_is_not_asked_for_where_nobody_would_answer() {
    let port = web("401 Unauthorized", "WWW-Authenticate: Basic realm=\"shop\"\r\n");
    let sandbox = with_staging_at(&format!("http://127.0.0.1:{port}/staging.git"));
    fails(&sandbox, "dev staging --yes").says("terminal prompts disabled");
    let secret = "correct-horse-battery";
    let sandbox = with_staging_at(&format!("http://ann:{secret}@127.0.0.1:{port}/staging.git"));
    fails(&sandbox, "dev staging --yes").keeps_quiet_about(secret);
}

#[test]
fn ssh_is_told_to_ask_nothing_and_its_words_are_shown() {
    let mut sandbox = with_staging_at("git@shop.invalid:shop/staging.git");
    // What OpenSSH says of a host that it does not know, and of nobody to ask.
    sandbox.program(
        "bin/ssh",
        "#!/bin/sh\necho \"$@\" >>\"$HOME/ssh-words\"\necho 'Host key verification failed.' >&2\nexit 255\n",
    );
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH").unwrap());
    sandbox.set("PATH", &path);
    fails(&sandbox, "dev staging --yes").says("Host key verification failed");
    assert!(sandbox.read("home/ssh-words").contains("BatchMode=yes"));
}

#[test]
fn a_target_that_may_not_be_written_is_left_as_it_is() {
    let sandbox = with_staging_at("../staging.git");
    let config = sandbox.read("home/gitconfig") + "[safe]\n\tdirectory = *\n";
    sandbox.write("home/gitconfig", config);
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    let promote = env!("CARGO_BIN_EXE_promote");
    let mut command = if root {
        // Nobody forbids root anything: somebody else has to try.
        let owned = sandbox.command("chown", ".").args(["-R", "nobody", "."]).status().unwrap();
        let kept = sandbox.command("chown", ".").args(["-R", "root", "staging.git"]).status().unwrap();
        assert!(owned.success() && kept.success());
        let mut command = sandbox.command("setpriv", "shop");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--", promote]);
        command
    } else {
        let kept = sandbox.command("chmod", ".").args(["-R", "a-w", "staging.git"]).status().unwrap();
        assert!(kept.success());
        sandbox.command(promote, "shop")
    };
    let before = sandbox.git("staging.git", &["for-each-ref"]);
    let output = command.args(["dev", "staging", "--yes"]).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}{}", String::from_utf8_lossy(&output.stdout));
    assert!(said.contains("ermission denied") || said.contains("unpacker error"), "{said}");
    assert_eq!(sandbox.git("staging.git", &["for-each-ref"]), before);
    let _mended = sandbox.command("chmod", ".").args(["-R", "u+w", "staging.git"]).status().unwrap();
}

#[test]
fn a_full_disk_stops_it_and_once_there_is_room_it_goes_on() {
    let sandbox = shop(LAYOUT);
    let noise: Vec<String> = (0_u64..60_000)
        .map(|number| format!("{:x}\n", number.wrapping_mul(number ^ 0x9e37_79b9_7f4a_7c15)))
        .collect();
    let noise = noise.concat();
    change_in_dev(&sandbox, LAYOUT, "notes.txt", &noise, "much to store");
    let before = sandbox.git("staging.git", &["for-each-ref"]);
    // A file may grow to 64 KiB and no further; who tries gets an error, as on a full disk.
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} dev staging --yes --no-migrate",
        env!("CARGO_BIN_EXE_promote")
    );
    let output = sandbox.command("bash", "shop").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}{}", String::from_utf8_lossy(&output.stdout));
    assert!(said.contains("error:"), "{said}");
    assert_eq!(sandbox.git("staging.git", &["for-each-ref"]), before);
    sandbox.promote("shop", "dev staging --yes --no-migrate").exits(0).says("Promoted");
}

#[test]
fn a_cache_that_is_shallow_partial_or_broken_is_made_anew() {
    let sandbox = shop(LAYOUT);
    sandbox.promote("shop", "plan dev staging --no-migrate").exits(0);
    let folder = std::fs::read_dir(sandbox.path("cache")).unwrap().next().unwrap().unwrap().path();
    let cache = folder.join("objects.git");
    let name = cache.strip_prefix(sandbox.path("")).unwrap().to_str().unwrap().to_owned();
    let plan = "plan dev staging --no-migrate";

    let tip = sandbox.git("dev.git", &["rev-parse", "main"]);
    std::fs::write(cache.join("shallow"), format!("{tip}\n")).unwrap();
    sandbox.promote("shop", plan).exits(0).says("cache-rebuilt").says("shallow");
    sandbox.promote("shop", plan).exits(0).keeps_quiet_about("cache-rebuilt");

    sandbox.git(&name, &["config", "core.repositoryFormatVersion", "1"]);
    sandbox.git(&name, &["config", "extensions.partialClone", "origin"]);
    sandbox.promote("shop", plan).exits(0).says("cache-rebuilt").says("partial");

    // A file's object is gone: nothing shows that before somebody reads it.
    hotfix_and_change(&sandbox);
    sandbox.promote("shop", plan);
    let blob = sandbox.git("dev.git", &["rev-parse", "main:models/revenue.sql"]);
    sandbox.git(&name, &["repack", "-adq"]);
    let packs: Vec<_> =
        std::fs::read_dir(cache.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let pack =
        packs.iter().find(|path| path.extension().is_some_and(|extension| extension == "pack")).unwrap();
    let loose = sandbox.path("loose.pack");
    std::fs::rename(pack, &loose).unwrap();
    for path in &packs {
        drop(std::fs::remove_file(path));
    }
    let input = std::fs::File::open(&loose).unwrap();
    let unpacked =
        sandbox.command("git", &name).args(["unpack-objects", "-q"]).stdin(input).status().unwrap();
    assert!(unpacked.success());
    std::fs::remove_file(cache.join(format!("objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    let run = sandbox.promote("shop", "plan dev staging --no-migrate --format json");
    let findings = run.json()["findings"].clone();
    let rebuilt = findings.as_array().unwrap().iter().any(|finding| finding["code"] == "cache-rebuilt");
    assert!(rebuilt && run.json()["result"]["merge"]["losses"].as_array().is_some(), "{}", run.everything());
}

fn hotfix_and_change(sandbox: &Sandbox) {
    use super::support::project::hotfix;
    hotfix(sandbox, LAYOUT, "staging", "models/orders.sql", "select 1 as fix\n");
    change_in_dev(sandbox, LAYOUT, "models/revenue.sql", WIDER_REVENUE, "wider");
}

#[test]
fn the_doctor_tries_whether_a_repository_takes_the_refs() {
    let sandbox = shop(LAYOUT);
    let refs = |name: &str| sandbox.git(&format!("{name}.git"), &["for-each-ref"]);
    let before = ["dev", "staging", "prod"].map(refs);
    sandbox.promote("shop", "doctor").exits(0).keeps_quiet_about("refs of");
    sandbox.promote("shop", "doctor --write").exits(0).says("refs of staging").says("all or none");
    assert_eq!(["dev", "staging", "prod"].map(refs), before);

    // A forge that takes nothing but branches.
    let text = "#!/bin/sh\nwhile read old new name; do\n  case $name in refs/heads/*) ;; \
                *) echo \"deny updating a hidden ref\"; exit 1;; esac\ndone\n";
    sandbox.program("staging.git/hooks/pre-receive", text);
    let run = sandbox.promote("shop", "doctor --write").exits(4);
    run.says("deny updating a hidden ref").says("promotion.refs: refs/heads/promote");
    // What it advises helps.
    let project =
        project_file(LAYOUT, "../").replace("promotion:\n", "promotion:\n  refs: refs/heads/promote\n");
    sandbox.write("shop/project.yml", project);
    sandbox.promote("shop", "doctor --write").exits(0);

    sandbox.git("prod.git", &["config", "receive.denyDeletes", "true"]);
    let run = sandbox.promote("shop", "doctor --write").exits(4);
    run.says("refs of prod").says("receive.denyDeletes").says("cannot be deleted");
    // Without a server no push is needed.
    let sandbox = shop(Layout::Branches);
    let before = sandbox.git("shop", &["for-each-ref"]);
    sandbox.promote("shop", "doctor --write").exits(0).says("refs of staging");
    assert_eq!(sandbox.git("shop", &["for-each-ref"]), before);
}
