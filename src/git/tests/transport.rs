//! Journal, lock, fetch, publishing and work trees, with a real `git` where one is needed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use git2::Repository;

use super::sandbox::{CALM, Sandbox, identity, program, text};
use crate::git::{
    CommitMessage, Destination, Fetch, GitError, Lock, LockHolder, LockRequest, Publication, Revision, Store,
    Transport, WorkTreeState, acquire, append, commit, finish, follow, prepare, publish, read, release,
    state, uncommitted, unpushed,
};
use crate::model::record::Entry;

fn hold(reason: &str) -> Entry {
    Entry::Hold { environment: "prod".to_owned(), reason: reason.to_owned() }
}

fn record(store: &Store, tip: Option<&Revision>, reason: &str) -> Revision {
    append(store, tip, hold(reason), ("Ann <a@x>", "2026-01-01T00:00:00Z"), &identity()).unwrap().0
}

fn holder(pid: u32, host: &str, token: &str) -> LockHolder {
    LockHolder {
        holder: "Ann <a@x>".to_owned(),
        host: host.to_owned(),
        pid,
        purpose: "promote staging prod".to_owned(),
        token: token.to_owned(),
        at: "2026-01-01T00:00:00Z".to_owned(),
    }
}

fn transport(program: Option<&crate::git::GitProgram>) -> Transport<'_> {
    Transport { program, interrupt: &CALM }
}

fn lock(
    store: &Store,
    destination: &Destination,
    holder: &LockHolder,
    (seen, now): (&Path, i64),
) -> Result<Lock, GitError> {
    lock_where(store, destination, holder, (&[], seen, now))
}

fn lock_where(
    store: &Store,
    destination: &Destination,
    holder: &LockHolder,
    (expected, seen, now): (&[(String, Revision)], &Path, i64),
) -> Result<Lock, GitError> {
    let program = program();
    let request = LockRequest {
        destination,
        refs: "refs/promote",
        branch: "main",
        holder,
        identity: &identity(),
        expected,
        patience: Duration::ZERO,
        seen,
        clock: &|| now,
        waiting: &|_| {},
    };
    acquire(store, &request, transport(program.as_ref()))
}

#[test]
fn the_journal_is_a_chain() {
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    assert!(read(&store, None).unwrap().is_empty());
    let one = record(&store, None, "first");
    let two = record(&store, Some(&one), "second");
    let records = read(&store, Some(&two)).unwrap();
    assert_eq!(records.iter().map(|record| record.number).collect::<Vec<_>>(), [1, 2]);
    assert!(records[0].previous.is_none() && records[1].previous.is_some());
    let bytes = store.read_file(&two, "records/1.json").unwrap().unwrap();
    let first = String::from_utf8(bytes).unwrap();
    assert!(first.starts_with(r#"{"at":"2026-01-01T00:00:00Z","by":"Ann <a@x>","entry":{"#), "{first}");
    assert!(first.ends_with("}\n"));
    let forged = first.replace("first", "worst");
    let broken = sandbox.commit(Some(&two), "eve", &[("records/1.json", text(&forged))]);
    assert!(matches!(read(&store, Some(&broken)), Err(GitError::Journal { number: 2, .. })));
    let short = sandbox.commit(Some(&two), "eve", &[("records/1.json", None)]);
    assert!(matches!(read(&store, Some(&short)), Err(GitError::Journal { number: 1, .. })));
    let cut = sandbox.commit(Some(&two), "eve", &[("records/2.json", None)]);
    assert!(matches!(read(&store, Some(&cut)), Err(GitError::Journal { number: 2, .. })));
    let no_journal = sandbox.commit(None, "eve", &[("a.sql", text("a\n"))]);
    assert!(matches!(read(&store, Some(&no_journal)), Err(GitError::Journal { number: 1, .. })));
}

#[test]
fn a_commit_has_its_trailers() {
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    let store = sandbox.store();
    let message = CommitMessage {
        subject: "promote staging to prod".to_owned(),
        body: String::new(),
        trailers: vec![("Promote-From".to_owned(), "staging".to_owned())],
    };
    let tree = store.tree_of(&base).unwrap();
    let made = commit(&store, &tree, &[&base], &message, &identity()).unwrap();
    let found = store.repository.find_commit(made.oid()).unwrap();
    assert!(found.message().unwrap().ends_with("\nPromote-From: staging\n"), "{:?}", found.message());
    assert!(store.contains(&made, &base).unwrap());
    assert_eq!(store.ahead_behind(&made, &base).unwrap(), (1, 0));
}

#[test]
fn an_empty_cache_is_filled_by_one_pack() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    let next = sandbox.commit(Some(&base), "ann", &[("b", text("b\n"))]);
    sandbox.branch("main", &base);
    sandbox.branch("next", &next);
    let folder = sandbox.folder.path().join("cache/objects.git");
    let cache = Store::cache(&folder).unwrap();
    // What a killed run left: no process has so high a number.
    fs::create_dir(folder.join("arriving-4194305-x")).unwrap();
    let url = format!("file://{}", sandbox.path().display());
    let fetch = |branch: &str| Fetch { url: url.clone(), branch: branch.to_owned(), refs: "r".to_owned() };
    let wanted = [fetch("main"), fetch("next"), fetch("none")];
    let tips: Vec<_> =
        cache.fetch(&wanted, &program, &CALM).unwrap().into_iter().map(|one| one.tip).collect();
    assert_eq!(tips, [Some(base.clone()), Some(next.clone()), None]);
    assert!(cache.has(&base) && cache.has(&next));
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).collect()
    };
    assert!(!names(&folder).iter().any(|name| name.starts_with("arriving")));
    let packs = names(&folder.join("objects/pack"));
    assert_eq!(packs.iter().filter(|name| name.contains(".pack")).count(), 1, "{packs:?}");
    assert!(program.run(&folder).arg("fsck").output(&CALM).unwrap().success());
}

#[test]
fn a_lock_that_a_killed_process_left_in_the_cache_is_taken_away() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    sandbox.branch("main", &base);
    let cache = Store::cache(&sandbox.folder.path().join("cache/objects.git")).unwrap();
    let url = format!("file://{}", sandbox.path().display());
    let fetch = [Fetch { url: url.clone(), branch: "main".to_owned(), refs: "r".to_owned() }];
    let tip = || cache.fetch(&fetch, &program, &CALM).unwrap().swap_remove(0).tip;
    assert_eq!(tip(), Some(base.clone()));
    let next = sandbox.commit(Some(&base), "ann", &[("b", text("b\n"))]);
    sandbox.branch("main", &next);
    let name = crate::git::remote::cached_name(&url, "refs/heads/main");
    let lock = cache.git_dir().join(format!("{name}.lock"));
    fs::write(&lock, "").unwrap();
    assert_eq!(tip(), Some(next));
    assert!(!lock.exists());
}

#[test]
fn a_first_fetch_does_without_a_clone_where_none_can_be() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    let next = sandbox.commit(Some(&base), "ann", &[("b", text("b\n"))]);
    sandbox.branch("main", &next);
    let deep = format!("file://{}", sandbox.path().display());
    let shallow = sandbox.folder.path().join("shallow.git");
    let run = program.run(sandbox.path()).args(["clone", "-q", "--bare", "--depth=1", &deep]);
    assert!(run.arg(&shallow).output(&CALM).unwrap().success());
    let fetched = |url: String, branch: &str| {
        let cache = Store::cache(&sandbox.folder.path().join(format!("cache-{branch}"))).unwrap();
        let fetch = Fetch { url, branch: branch.to_owned(), refs: "r".to_owned() };
        cache.fetch(&[fetch], &program, &CALM)
    };
    assert_eq!(fetched(deep, "none").unwrap()[0].tip, None);
    let url = format!("file://{}", shallow.display());
    let error = fetched(url.clone(), "main").unwrap_err();
    assert!(matches!(&error, GitError::Shallow { url: named } if *named == url), "{error}");
}

#[test]
fn the_push_that_takes_the_lock_sees_what_moved() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    let next = sandbox.commit(Some(&base), "ann", &[("b", text("b\n"))]);
    sandbox.branch("main", &base);
    let store = sandbox.store();
    let remote = sandbox.folder.path().join("remote.git");
    let from = sandbox.path().display().to_string();
    let remote_store = git2::build::RepoBuilder::new().bare(true).clone(&from, &remote).unwrap();
    let destination = Destination::Remote { url: format!("file://{}", remote.display()) };
    let seen = sandbox.folder.path().join("seen");
    let main = "refs/heads/main".to_owned();
    for (number, (expected, unmoved)) in [
        (vec![(main.clone(), base.clone())], true),
        (vec![(main.clone(), next.clone())], false),
        (vec![(main.clone(), base.clone()), ("refs/promote/journal".to_owned(), base.clone())], false),
        (vec![], false),
    ]
    .into_iter()
    .enumerate()
    {
        let holder = holder(std::process::id(), "here", &number.to_string());
        let lock = lock_where(&store, &destination, &holder, (&expected, &seen, 1000)).unwrap();
        assert_eq!(lock.unmoved, unmoved, "{expected:?}");
        let at = |name: &str| remote_store.refname_to_id(name).ok().map(|oid| oid.to_string());
        assert_eq!(at(&lock.reference), Some(lock.revision.to_string()), "{expected:?}");
        assert_eq!(at(&main), Some(base.to_string()));
        assert_eq!(at("refs/promote/journal"), None);
        release(&store, &destination, &lock, &identity(), transport(Some(&program))).unwrap();
    }
}

#[test]
fn a_local_publication_moves_all_refs_or_none() {
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    sandbox.branch("main", &base);
    let store = sandbox.store();
    let destination = Destination::Local(sandbox.path().to_path_buf());
    publication_story(&store, &destination, &base, &sandbox, &sandbox.repository);
}

#[test]
fn a_remote_publication_moves_all_refs_or_none() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    sandbox.branch("main", &base);
    let url = sandbox.folder.path().join("remote.git");
    let remote = git2::build::RepoBuilder::new()
        .bare(true)
        .clone(&sandbox.path().display().to_string(), &url)
        .unwrap();
    let cache = Store::cache(&sandbox.folder.path().join("cache/objects.git")).unwrap();
    let url = format!("file://{}", url.display());
    let fetch = Fetch { url: url.clone(), branch: "main".to_owned(), refs: "refs/promote".to_owned() };
    let fetched = cache.fetch(&[fetch], &program, &CALM).unwrap();
    assert_eq!(fetched[0].tip.as_ref(), Some(&base));
    assert_eq!(fetched[0].journal, None);
    publication_story(&cache, &Destination::Remote { url }, &base, &sandbox, &remote);
}

/// Locks, publishes, and tries what must not go.
fn publication_story(
    store: &Store,
    destination: &Destination,
    base: &Revision,
    sandbox: &Sandbox,
    target: &Repository,
) {
    let program = program();
    let seen = sandbox.folder.path().join("seen");
    let ours = holder(std::process::id(), "here", "t1");
    let held = lock(store, destination, &ours, (&seen, 1000)).unwrap();
    let other = holder(1, "elsewhere", "t2");
    let refused = lock(store, destination, &other, (&seen, 1000));
    assert!(matches!(&refused, Err(GitError::Locked { holder, .. }) if **holder == ours), "{refused:?}");

    let tree = store.tree_of(base).unwrap();
    let after = commit(store, &tree, &[base], &CommitMessage::default(), &identity()).unwrap();
    let journal = record(store, None, "first");
    let identity = identity();
    let publication = Publication {
        branch: "main",
        refs: "refs/promote",
        before: Some(base),
        after: Some(&after),
        journal_before: None,
        journal_after: &journal,
        lock: Some(&held),
        identity: &identity,
    };
    let run =
        |publication: &Publication<'_>| publish(store, destination, publication, transport(program.as_ref()));
    let at = |name: &str| target.refname_to_id(name).ok().map(|oid| oid.to_string());
    let stale = Publication { journal_before: Some(base), ..publication.clone() };
    assert!(matches!(run(&stale), Err(GitError::JournalMoved { .. })));
    let stale = Publication { before: Some(&journal), ..publication.clone() };
    assert!(matches!(run(&stale), Err(GitError::Moved { .. })));
    assert_eq!(at("refs/heads/main"), Some(base.to_string()));
    assert_eq!(at("refs/promote/journal"), None);

    run(&publication).unwrap();
    assert_eq!(at("refs/heads/main"), Some(after.to_string()));
    assert_eq!(at("refs/promote/journal"), Some(journal.to_string()));
    assert_eq!(at("refs/promote/lock/main"), None);

    let next = record(store, Some(&journal), "second");
    let lost = Publication {
        before: Some(&after),
        after: None,
        journal_before: Some(&journal),
        journal_after: &next,
        ..publication.clone()
    };
    assert!(matches!(run(&lost), Err(GitError::LockLost { .. })));
    let again = lock(store, destination, &other, (&seen, 1000)).unwrap();
    release(store, destination, &again, &identity, transport(program.as_ref())).unwrap();
    assert_eq!(at("refs/promote/lock/main"), None);
}

#[test]
fn a_lock_of_the_dead_and_one_long_unchanged_are_taken_over() {
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    let destination = Destination::Local(sandbox.path().to_path_buf());
    let seen = sandbox.folder.path().join("seen");
    // Beyond the largest process number that Linux gives.
    let dead = holder(4_194_305, "here", "dead");
    lock(&store, &destination, &dead, (&seen, 0)).unwrap();
    let other = holder(1, "elsewhere", "other");
    let taken = lock(&store, &destination, &holder(2, "here", "mine"), (&seen, 0)).unwrap();
    assert_eq!(taken.taken_over, Some(dead));
    for (now, locked) in [(1000, true), (1299, true), (1300, false)] {
        let result = lock(&store, &destination, &other, (&seen, now));
        assert_eq!(matches!(result, Err(GitError::Locked { .. })), locked, "{now}");
    }
}

#[test]
fn a_fetch_tells_what_is_not_there() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let cache = Store::cache(&sandbox.folder.path().join("cache.git")).unwrap();
    let fetch =
        |url: String, branch: &str| Fetch { url, branch: branch.to_owned(), refs: "refs/promote".to_owned() };
    let here = sandbox.path().display().to_string();
    let empty = cache.fetch(&[fetch(here.clone(), "main")], &program, &CALM).unwrap();
    assert_eq!(empty[0].tip, None);
    let base = sandbox.commit(None, "ann", &[("a", text("a\n"))]);
    sandbox.branch("main", &base);
    let both = [fetch(here.clone(), "main"), fetch(here.clone(), "other")];
    let found = cache.fetch(&both, &program, &CALM).unwrap();
    assert_eq!((found[0].tip.as_ref(), found[1].tip.as_ref()), (Some(&base), None));
    assert!(cache.has(&base));
    let nowhere = sandbox.folder.path().join("nowhere").display().to_string();
    for (url, absent) in [
        (nowhere, true),
        (sandbox.folder.path().display().to_string(), true),
        ("https://ann:secret@127.0.0.1:1/x".to_owned(), false),
    ] {
        let error = cache.fetch(&[fetch(url.clone(), "main")], &program, &CALM).unwrap_err();
        assert_eq!(matches!(error, GitError::NoRepository { .. }), absent, "{error}");
        assert_eq!(matches!(error, GitError::Unreachable { .. }), !absent, "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_corrupt_cache_is_made_anew() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path().join("cache.git");
    assert!(Store::cache(&folder).unwrap().findings().is_empty());
    assert!(Store::cache(&folder).unwrap().findings().is_empty());
    fs::write(folder.join("HEAD"), "rubbish").unwrap();
    assert_eq!(Store::cache(&folder).unwrap().findings()[0].code, "cache-rebuilt");
    assert!(Store::cache(&folder).unwrap().findings().is_empty());
}

#[test]
fn a_push_that_a_hook_declines_is_rejected_with_its_words() {
    use std::os::unix::fs::PermissionsExt;
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    let url = sandbox.folder.path().join("remote.git");
    Repository::init_bare(&url).unwrap();
    let hook = url.join("hooks/pre-receive");
    fs::create_dir_all(url.join("hooks")).unwrap();
    fs::write(&hook, "#!/bin/sh\necho not on a friday >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let (base, journal) = (sandbox.commit(None, "ann", &[("a", text("a\n"))]), record(&store, None, "x"));
    let publication = Publication {
        branch: "main",
        refs: "refs/promote",
        before: None,
        after: Some(&base),
        journal_before: None,
        journal_after: &journal,
        lock: None,
        identity: &identity(),
    };
    let destination = Destination::Remote { url: url.display().to_string() };
    let result = publish(&store, &destination, &publication, transport(Some(&program)));
    assert!(matches!(&result, Err(GitError::Rejected { text, .. }) if text.contains("friday")), "{result:?}");
}

#[test]
fn a_clean_work_tree_follows_and_a_dirty_one_is_left_alone() {
    let sandbox = Sandbox::new();
    let one = sandbox.commit(None, "ann", &[("a", text("a\n")), ("d/gone", text("x\n"))]);
    let two =
        sandbox.commit(Some(&one), "ann", &[("a", text("b\n")), ("d/gone", None), ("e/new", text("n\n"))]);
    sandbox.branch("main", &one);
    let path = sandbox.path();
    sandbox.repository.checkout_head(Some(git2::build::CheckoutBuilder::new().force())).unwrap();
    let new = ["e/new".to_owned()];
    let folder = path.to_path_buf();
    assert_eq!(state(path, "main", &new).unwrap(), WorkTreeState::Clean(folder.clone()));
    assert_eq!(state(path, "other", &new).unwrap(), WorkTreeState::NotCheckedOut);
    fs::create_dir_all(path.join("e")).unwrap();
    fs::write(path.join("e/new"), "mine\n").unwrap();
    assert_eq!(state(path, "main", &new).unwrap(), WorkTreeState::Dirty(folder.clone(), new.to_vec()));
    assert_eq!(uncommitted(path).unwrap(), new);

    prepare(path, "main", &one, &two).unwrap();
    sandbox.branch("main", &two);
    assert!(matches!(follow(path, &one, &two), Err(GitError::Dirty { .. })));
    fs::remove_file(path.join("e/new")).unwrap();
    assert_eq!(finish(path).unwrap().len(), 1);
    assert_eq!(fs::read_to_string(path.join("a")).unwrap(), "b\n");
    assert_eq!(fs::read_to_string(path.join("e/new")).unwrap(), "n\n");
    assert!(!path.join("d").exists());
    assert!(uncommitted(path).unwrap().is_empty());
    assert!(finish(path).unwrap().is_empty());
    assert_eq!(unpushed(path, "main", Some(&one)).unwrap(), 1);
    assert_eq!(unpushed(path, "main", Some(&two)).unwrap(), 0);
}
