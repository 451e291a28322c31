//! A forge on loopback: checks each request against the API's description, keeps what was made, and keeps its
//! repositories as bare ones in the sandbox, where Git's `insteadOf` finds them.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::sandbox::Sandbox;

/// The token that every request has to bear; it may be in no output.
pub(crate) const TOKEN: &str = "canary-t0ken-9f3c";

/// Which forge it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    GitHub,
    GitLab,
    Gitea,
    Bitbucket,
}

pub(crate) const KINDS: [Kind; 4] = [Kind::GitHub, Kind::GitLab, Kind::Gitea, Kind::Bitbucket];

/// One operation: what it is called here, method, path, and the body's fields with their types; `!` is required.
type Operation = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// Of <https://docs.github.com/en/rest> (version 2022-11-28): repos, users, pulls, branches.
const GITHUB: &[Operation] = &[
    ("repository", "GET", "/repos/{}/{}", &[]),
    ("user", "GET", "/user", &[]),
    ("owner", "GET", "/users/{}", &[]),
    (
        "make of organisation",
        "POST",
        "/orgs/{}/repos",
        &["name!:string", "private:boolean", "visibility:string", "auto_init:boolean"],
    ),
    ("make of user", "POST", "/user/repos", &["name!:string", "private:boolean", "auto_init:boolean"]),
    ("pulls", "GET", "/repos/{}/{}/pulls", &[]),
    (
        "open",
        "POST",
        "/repos/{}/{}/pulls",
        &["title:string", "head!:string", "base!:string", "body:string", "draft:boolean"],
    ),
    (
        "change",
        "PATCH",
        "/repos/{}/{}/pulls/{}",
        &["title:string", "body:string", "state:string", "base:string"],
    ),
    ("branch", "GET", "/repos/{}/{}/branches/{}", &[]),
];

/// Of <https://docs.gitlab.com/api/>: projects, namespaces, merge requests, branches.
const GITLAB: &[Operation] = &[
    ("repository", "GET", "/projects/{}", &[]),
    ("namespace", "GET", "/namespaces/{}", &[]),
    (
        "make",
        "POST",
        "/projects",
        &[
            "name!:string",
            "path:string",
            "namespace_id:integer",
            "visibility:string",
            "initialize_with_readme:boolean",
        ],
    ),
    ("pulls", "GET", "/projects/{}/merge_requests", &[]),
    (
        "open",
        "POST",
        "/projects/{}/merge_requests",
        &["source_branch!:string", "target_branch!:string", "title!:string", "description:string"],
    ),
    (
        "change",
        "PUT",
        "/projects/{}/merge_requests/{}",
        &["title:string", "description:string", "target_branch:string"],
    ),
    ("branch", "GET", "/projects/{}/repository/branches/{}", &[]),
];

/// Of <https://docs.gitea.com/api/> (version 1): `CreateRepoOption`, `CreatePullRequestOption`, `EditPullRequestOption`.
const GITEA: &[Operation] = &[
    ("repository", "GET", "/repos/{}/{}", &[]),
    ("user", "GET", "/user", &[]),
    (
        "make of organisation",
        "POST",
        "/orgs/{}/repos",
        &["name!:string", "private:boolean", "auto_init:boolean", "default_branch:string"],
    ),
    (
        "make of user",
        "POST",
        "/user/repos",
        &["name!:string", "private:boolean", "auto_init:boolean", "default_branch:string"],
    ),
    ("pulls", "GET", "/repos/{}/{}/pulls", &[]),
    ("open", "POST", "/repos/{}/{}/pulls", &["title:string", "head:string", "base:string", "body:string"]),
    (
        "change",
        "PATCH",
        "/repos/{}/{}/pulls/{}",
        &["title:string", "body:string", "base:string", "state:string"],
    ),
    ("branch", "GET", "/repos/{}/{}/branches/{}", &[]),
];

/// Of <https://developer.atlassian.com/cloud/bitbucket/rest/> (version 2.0): repositories, pullrequests.
const BITBUCKET: &[Operation] = &[
    ("repository", "GET", "/repositories/{}/{}", &[]),
    (
        "make",
        "POST",
        "/repositories/{}/{}",
        &["scm:string", "is_private:boolean", "name:string", "project:object"],
    ),
    ("pulls", "GET", "/repositories/{}/{}/pullrequests", &[]),
    (
        "open",
        "POST",
        "/repositories/{}/{}/pullrequests",
        &["title!:string", "description:string", "source!:object", "destination:object"],
    ),
    (
        "change",
        "PUT",
        "/repositories/{}/{}/pullrequests/{}",
        &["title:string", "description:string", "destination:object"],
    ),
];

impl Kind {
    fn operations(self) -> &'static [Operation] {
        match self {
            Self::GitHub => GITHUB,
            Self::GitLab => GITLAB,
            Self::Gitea => GITEA,
            Self::Bitbucket => BITBUCKET,
        }
    }

    /// The variables of its token and its API.
    pub(crate) fn variables(self) -> (&'static str, &'static str) {
        match self {
            Self::GitHub => ("GITHUB_TOKEN", "GITHUB_API_URL"),
            Self::GitLab => ("GITLAB_TOKEN", "GITLAB_API_URL"),
            Self::Gitea => ("GITEA_TOKEN", "GITEA_API_URL"),
            Self::Bitbucket => ("BITBUCKET_TOKEN", "BITBUCKET_API_URL"),
        }
    }

    fn authorization(self) -> (&'static str, String) {
        match self {
            Self::GitHub | Self::Bitbucket => ("authorization", format!("Bearer {TOKEN}")),
            Self::GitLab => ("private-token", TOKEN.to_owned()),
            Self::Gitea => ("authorization", format!("token {TOKEN}")),
        }
    }

    fn not_found(self) -> Value {
        match self {
            Self::GitHub => {
                json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"})
            }
            Self::GitLab => json!({"message": "404 Project Not Found"}),
            Self::Gitea => {
                json!({"message": "The target couldn't be found.", "url": "/api/swagger", "errors": []})
            }
            Self::Bitbucket => json!({"type": "error", "error": {"message": "Repository not found"}}),
        }
    }
}

/// A pull request that was opened.
#[derive(Clone, Debug)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) open: bool,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    pub(crate) body: Value,
}

/// What is said instead of the right answer.
#[derive(Clone, Debug)]
pub(crate) enum Instead {
    /// Status, further headers, and the body.
    Say(u16, &'static str, String),
    /// The connection is closed without an answer.
    Close,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) pulls: Vec<Pull>,
    pub(crate) asked: Vec<Asked>,
    /// What was not as the API's description has it.
    pub(crate) wrong: Vec<String>,
    /// For the next requests of an operation: what is said instead.
    pub(crate) instead: VecDeque<(&'static str, Instead)>,
    pub(crate) protected: bool,
    /// A hook for repositories that are made.
    pub(crate) hook: Option<String>,
}

/// A running forge.
pub(crate) struct Forge {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Forge {
    /// Starts it, and makes Git and the binary of a sandbox know it.
    pub(crate) fn start(kind: Kind, sandbox: &mut Sandbox) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let folder = sandbox.path("forge");
        std::fs::create_dir_all(&folder).unwrap();
        let config = sandbox.read("home/gitconfig");
        let instead = format!("[url \"{}/\"]\n\tinsteadOf = {url}/\n", folder.display());
        sandbox.write("home/gitconfig", config + &instead);
        let (token, api) = kind.variables();
        sandbox.set(token, TOKEN).set(api, &format!("{url}/api"));
        let state = Arc::new(Mutex::new(State::default()));
        let server = Server { kind, url: url.clone(), folder, state: Arc::clone(&state) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                server.serve(&stream);
            }
        });
        Self { url, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next requests of an operation get something else; the last word first.
    pub(crate) fn say_instead(&self, operation: &'static str, instead: Instead) {
        self.state().instead.push_back((operation, instead));
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.operation == operation).count()
    }

    /// The body of the last request of an operation.
    pub(crate) fn last(&self, operation: &str) -> Asked {
        self.state().asked.iter().rev().find(|asked| asked.operation == operation).cloned().unwrap()
    }

    /// Fails where a request was not as the API's description has it.
    pub(crate) fn was_asked_rightly(&self) {
        assert_eq!(self.state().wrong, Vec::<String>::new());
    }
}

struct Server {
    kind: Kind,
    url: String,
    folder: PathBuf,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Matches a path against a pattern whose `{}` is one segment each.
fn segments(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    if pattern.len() != path.len() {
        return None;
    }
    let mut found = Vec::new();
    for (wanted, segment) in pattern.into_iter().zip(path) {
        match wanted {
            "{}" => found.push(decoded(segment)),
            _ if wanted != segment => return None,
            _ => {}
        }
    }
    Some(found)
}

/// Lists what is wrong with a body.
fn faults(fields: &[&str], body: &Value) -> Vec<String> {
    let known: Vec<(&str, bool, &str)> = fields
        .iter()
        .map(|field| {
            let (name, kind) = field.split_once(':').unwrap();
            (name.trim_end_matches('!'), name.ends_with('!'), kind)
        })
        .collect();
    let mut faults = Vec::new();
    let Some(object) = body.as_object() else { return vec!["the body is no object".to_owned()] };
    for (name, required, kind) in &known {
        match object.get(*name) {
            None if *required => faults.push(format!("`{name}` is required")),
            None => {}
            Some(value) => {
                let fits = match *kind {
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_u64(),
                    _ => value.is_object(),
                };
                if !fits {
                    faults.push(format!("`{name}` is no {kind}: {value}"));
                }
            }
        }
    }
    let unknown = object.keys().filter(|name| !known.iter().any(|(known, ..)| known == name));
    faults.extend(unknown.map(|name| format!("`{name}` is not described")));
    faults
}

impl Server {
    fn serve(&self, stream: &TcpStream) {
        let Some(request) = read(stream) else { return };
        let Some((status, headers, text)) = self.answer(&request) else { return };
        let kind = if text.starts_with('<') { "text/html" } else { "application/json; charset=utf-8" };
        let length = text.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
        );
        let mut stream = stream;
        drop(stream.write_all(format!("{head}{text}").as_bytes()));
    }

    fn answer(&self, request: &Request) -> Option<(u16, String, String)> {
        let mut state = self.state.lock().unwrap();
        let path = request.path.strip_prefix("/api").unwrap_or_default();
        let found = self.kind.operations().iter().find_map(|(name, method, pattern, fields)| {
            let segments = segments(pattern, path).filter(|_| *method == request.method)?;
            Some((*name, segments, *fields))
        });
        let whole = format!("{} {}?{}", request.method, request.path, request.query);
        let Some((operation, segments, fields)) = found else {
            state.wrong.push(format!("{whole}: no such operation"));
            return Some((404, String::new(), self.kind.not_found().to_string()));
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let header = |name: &str| {
            request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let (name, wanted) = self.kind.authorization();
        let mut wrong = Vec::new();
        if header(name) != Some(&wanted) {
            wrong.push(format!("`{name}` is {:?}", header(name)));
        }
        if !header("user-agent").unwrap_or_default().starts_with("promote/") {
            wrong.push("no user agent".to_owned());
        }
        let accept =
            if self.kind == Kind::GitHub { "application/vnd.github+json" } else { "application/json" };
        if header("accept") != Some(accept) {
            wrong.push(format!("`accept` is {:?}", header("accept")));
        }
        if self.kind == Kind::GitHub && header("x-github-api-version") != Some("2022-11-28") {
            wrong.push("no version of the API".to_owned());
        }
        if request.method == "GET" {
            if !request.body.is_empty() {
                wrong.push("a question has a body".to_owned());
            }
        } else {
            if header("content-type") != Some("application/json") {
                wrong.push("the body is not said to be JSON".to_owned());
            }
            wrong.extend(faults(fields, &body));
        }
        state.wrong.extend(wrong.into_iter().map(|fault| format!("{whole}: {fault}")));
        let asked = Asked { operation: operation.to_owned(), body: body.clone() };
        state.asked.push(asked);
        if let Some(place) = state.instead.iter().position(|(name, _)| *name == operation) {
            return match state.instead.remove(place).unwrap().1 {
                Instead::Close => None,
                Instead::Say(status, headers, text) => Some((status, headers.to_owned(), text)),
            };
        }
        let (status, value) = self.right(&mut state, operation, &segments, (&decoded(&request.query), &body));
        Some((status, String::new(), value.to_string()))
    }

    /// The right answer: status and body.
    fn right(
        &self,
        state: &mut State,
        operation: &str,
        segments: &[String],
        (query, body): (&str, &Value),
    ) -> (u16, Value) {
        let path = match (self.kind, segments) {
            (Kind::GitLab, [path, ..]) => path.clone(),
            (_, [owner, name, ..]) => format!("{owner}/{name}"),
            _ => String::new(),
        };
        let folder = self.folder.join(format!("{path}.git"));
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match operation {
            "repository" if folder.exists() => (200, json!({"id": 1, "full_name": path, "private": true})),
            "repository" => (404, self.kind.not_found()),
            "user" => (200, json!({"login": "ada", "id": 1, "type": "User"})),
            "owner" if segments[0] == "shop" => (200, json!({"login": "shop", "type": "Organization"})),
            "owner" => (200, json!({"login": segments[0], "type": "User"})),
            "namespace" => (200, json!({"id": 77, "kind": "group", "full_path": segments[0]})),
            "make of organisation" => self.make(state, &format!("{}/{}", segments[0], text("name"))),
            "make of user" => self.make(state, &format!("ada/{}", text("name"))),
            "make" if self.kind == Kind::GitLab => self.make(state, &format!("shop/{}", text("path"))),
            "make" => self.make(state, &path),
            "pulls" => self.list(state, &path, query),
            "open" => {
                let nested =
                    |name: &str| body[name]["branch"]["name"].as_str().unwrap_or_default().to_owned();
                let (source, target) = match self.kind {
                    Kind::GitHub | Kind::Gitea => (text("head"), text("base")),
                    Kind::GitLab => (text("source_branch"), text("target_branch")),
                    Kind::Bitbucket => (nested("source"), nested("destination")),
                };
                let number = 7 + state.pulls.len() as u64;
                let body = if self.kind == Kind::GitHub || self.kind == Kind::Gitea {
                    text("body")
                } else {
                    text("description")
                };
                state.pulls.push(Pull { number, title: text("title"), body, source, target, open: true });
                (201, self.shown(&path, state.pulls.last().unwrap()))
            }
            "change" => {
                let number: u64 = segments.last().unwrap().parse().unwrap();
                let url = self.url.clone();
                let Some(pull) = state.pulls.iter_mut().find(|pull| pull.number == number) else {
                    return (404, json!({"message": format!("{url} has no {number}")}));
                };
                pull.title = text("title");
                pull.body = if self.kind == Kind::GitHub || self.kind == Kind::Gitea {
                    text("body")
                } else {
                    text("description")
                };
                let pull = pull.clone();
                (200, self.shown(&path, &pull))
            }
            _ => (200, json!({"name": segments.last(), "protected": state.protected})),
        }
    }

    fn make(&self, state: &State, path: &str) -> (u16, Value) {
        let folder = self.folder.join(format!("{path}.git"));
        if folder.exists() {
            return (
                422,
                json!({"message": "Repository creation failed.", "errors": [{"message": "name already exists on this account"}]}),
            );
        }
        let made = Command::new("git").args(["init", "-q", "--bare"]).arg(&folder).status().unwrap();
        assert!(made.success());
        if let Some(hook) = &state.hook {
            let file = folder.join("hooks/pre-receive");
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, hook).unwrap();
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let status = if self.kind == Kind::Bitbucket { 200 } else { 201 };
        (
            status,
            json!({"id": 5, "full_name": path, "private": true, "html_url": format!("{}/{path}", self.url)}),
        )
    }

    fn list(&self, state: &State, path: &str, query: &str) -> (u16, Value) {
        let wanted = |pull: &&Pull| {
            let named = match self.kind {
                Kind::GitHub => {
                    let owner = path.split('/').next().unwrap();
                    query.contains(&format!("head={owner}:{}&base={}", pull.source, pull.target))
                }
                // Its list knows no filter by branches.
                Kind::Gitea => query.contains("page=1"),
                Kind::GitLab => {
                    query.contains(&format!("source_branch={}&target_branch={}", pull.source, pull.target))
                }
                Kind::Bitbucket => query.contains(&format!(
                    "source.branch.name=\"{}\" AND destination.branch.name=\"{}\"",
                    pull.source, pull.target
                )),
            };
            pull.open && named
        };
        let mut found: Vec<Value> =
            state.pulls.iter().filter(wanted).map(|pull| self.shown(path, pull)).collect();
        if self.kind == Kind::Gitea && query.contains("page=1") {
            let other = Pull {
                number: 3,
                title: "another".to_owned(),
                body: String::new(),
                source: "x".to_owned(),
                target: "main".to_owned(),
                open: true,
            };
            found.insert(0, self.shown(path, &other));
        }
        match self.kind {
            Kind::Bitbucket => (200, json!({"values": found, "pagelen": 10, "page": 1, "size": 1})),
            Kind::GitHub | Kind::GitLab | Kind::Gitea => (200, Value::from(found)),
        }
    }

    fn shown(&self, path: &str, pull: &Pull) -> Value {
        let Pull { number, title, body, source, target, .. } = pull;
        let page = |part: &str| format!("{}/{path}/{part}/{number}", self.url);
        let branch = |name: &String| json!({"branch": {"name": name}, "repository": {"full_name": path}});
        match self.kind {
            Kind::GitHub | Kind::Gitea => json!({
                "id": 9000 + number, "number": number, "html_url": page("pull"), "state": "open", "title": title, "body": body,
                "head": {"ref": source, "repo_id": 1}, "base": {"ref": target, "repo_id": 1}, "merged": false,
            }),
            Kind::GitLab => json!({
                "id": 9000 + number, "iid": number, "project_id": 5, "source_project_id": 5, "target_project_id": 5,
                "web_url": page("-/merge_requests"), "state": "opened", "title": title, "description": body,
                "source_branch": source, "target_branch": target,
            }),
            Kind::Bitbucket => json!({
                "type": "pullrequest", "id": number, "title": title, "description": body, "state": "OPEN",
                "links": {"html": {"href": page("pull-requests")}}, "source": branch(source), "destination": branch(target),
            }),
        }
    }
}
