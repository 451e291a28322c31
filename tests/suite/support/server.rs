//! A private PostgreSQL server for the tests: started once, gone with them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A running server.
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    /// Where it listens: part of its socket's name.
    port: u16,
    count: AtomicU32,
    /// The server ends when this process lets go of its input.
    _keeper: Child,
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static ENCRYPTED: OnceLock<Option<Server>> = OnceLock::new();

/// Gives the server; where the machine has no PostgreSQL that is said, and the test has nothing to do.
pub(crate) fn server() -> Option<&'static Server> {
    let server = SERVER.get_or_init(|| Some(Server::start(programs()?, 5432, |_| String::new()))).as_ref();
    if server.is_none() {
        super::skipped("no PostgreSQL server is installed here (`initdb` and `postgres` are not found)");
    }
    server
}

/// Gives a server that listens on loopback for encrypted connections only. Its certificate is for `localhost`, signed by
/// `ca.pem` of [`Server::file`]; `other.pem` has signed nothing.
pub(crate) fn encrypted() -> Option<&'static Server> {
    let server = ENCRYPTED.get_or_init(|| {
        let found = Command::new("openssl").arg("version").output().is_ok();
        let port = super::daemon::free_port();
        found.then_some(Server::start(programs()?, port, certificates))
    });
    if server.is_none() {
        super::skipped("no PostgreSQL server or no `openssl` is installed here");
    }
    server.as_ref()
}

/// Makes certificates, and gives the settings that use them.
fn certificates(folder: &Path) -> String {
    let run = |words: &str| {
        let output =
            as_user(Path::new("openssl")).args(words.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for name in ["ca", "other"] {
        run(&format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"
        ));
    }
    run("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    run(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    let rules = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
    fs::write(folder.join("rules"), rules).unwrap();
    let place = folder.display();
    format!(
        "-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file='{place}/server.pem' \
         -c ssl_key_file='{place}/server.key' -c hba_file='{place}/rules'"
    )
}

/// Finds the folder of the server's programs: `PATH`, then where Debian puts them, the latest first.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().find(|folder| {
        ["initdb", "postgres", "psql", "pg_dump"].iter().all(|name| folder.join(name).exists())
    })
}

/// The server refuses to run as root: then another user has to.
fn as_user(program: &Path) -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program);
    command
}

impl Server {
    fn start(programs: PathBuf, port: u16, prepare: impl Fn(&Path) -> String) -> Self {
        let folder = tempfile::Builder::new().prefix("promote-pg-").tempdir().unwrap().keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let data = folder.join("data");
        let made = as_user(&programs.join("initdb"))
            .args(["--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C", "-U", "postgres", "-D"])
            .arg(&data)
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let settings = prepare(&folder);
        let script = format!(
            "'{}' -D '{}' -k '{}' -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
             -c max_connections=200 -c log_statement=all -c port={port} {settings} >'{2}/log' 2>&1 & server=$!; cat >/dev/null; \
             kill -QUIT $server; wait $server; rm -rf '{2}'/*",
            programs.join("postgres").display(),
            data.display(),
            folder.display()
        );
        let keeper = as_user(Path::new("/bin/sh"))
            .args(["-c", &script])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { programs, folder, port, count: AtomicU32::new(0), _keeper: keeper };
        let begun = Instant::now();
        while !server.psql("postgres", "SELECT 1").0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Runs SQL as the owner of everything; gives whether it succeeded, and what was printed.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> (bool, String) {
        use std::io::Write as _;
        let mut child = Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"])
            .arg(&self.folder)
            .args(["-p", &self.port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that cannot connect, as while the server starts, ends before it reads; its status says so.
        drop(child.stdin.take().unwrap().write_all(sql.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// Runs SQL that has to succeed.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let (succeeded, text) = self.psql(database, sql);
        assert!(succeeded, "{sql}\n{text}");
        text
    }

    /// Makes an empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("t{}_{}", std::process::id(), self.count.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Gives the URL of a database for a user.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@/{database}?host={}", self.folder.display())
    }

    /// Gives everything that a database declares, one normalised statement an item, without what promote keeps.
    pub(crate) fn catalog(&self, database: &str) -> Vec<String> {
        let output = Command::new(self.programs.join("pg_dump"))
            .args(["-s", "--no-owner", "--no-acl", "-U", "postgres", "-d", database, "-h"])
            .arg(&self.folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut found: Vec<String> = text.split(";\n").filter_map(normalised).collect();
        found.sort();
        found
    }

    /// Gives the URL of a database over the network.
    pub(crate) fn network_url(&self, host: &str, database: &str) -> String {
        format!("postgres://postgres@{host}:{}/{database}", self.port)
    }

    /// Gives a file of the server's folder.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// Gives a path that the server itself may write.
    pub(crate) fn writable(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The databases that are there.
    pub(crate) fn databases(&self) -> Vec<String> {
        let sql = "SELECT datname FROM pg_database ORDER BY 1";
        self.sql("postgres", sql).lines().map(str::to_owned).collect()
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

/// A statement of a dump, its table's lines sorted: the order of columns is not compared.
fn normalised(statement: &str) -> Option<String> {
    let noise = |line: &&str| !line.trim().is_empty() && !line.starts_with("--") && !line.starts_with('\\');
    let lines: Vec<&str> = statement.lines().filter(noise).collect();
    let text = lines.join("\n");
    if text.is_empty()
        || text.starts_with("SET ")
        || text.contains("set_config")
        || text.contains("_promote_")
    {
        return None;
    }
    if !text.starts_with("CREATE TABLE") {
        return Some(text);
    }
    let mut columns: Vec<&str> = lines[1..].iter().map(|line| line.trim().trim_end_matches(',')).collect();
    columns.sort_unstable();
    Some(format!("{}\n{}", lines[0], columns.join("\n")))
}
