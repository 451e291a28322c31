//! One forge's API over HTTP: JSON in, JSON out, its words where it says no.
//!
//! Proxies are those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; certificates those of the system
//! (`SSL_CERT_FILE` names others). A redirect is not followed: it would carry the token to another place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use rustls::crypto::ring;
use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::error::ForgeError;
use super::kind::ForgeKind;
use super::words::{line, words};

/// How often a question is asked that may be asked twice.
const TRIES: u32 = 3;
/// How long a forge may ask us to wait; beyond that a person decides.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the name and the connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long one question may take in all.
const ANSWER: Duration = Duration::from_secs(60);
/// The longest answer that is read.
const LONGEST_BYTES: u64 = 8 * 1024 * 1024;

const MASK: &str = "••••";

/// How something is asked to change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    Post,
    Put,
    Patch,
}

impl Change {
    fn method(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

/// What asks a forge.
pub(super) struct Client {
    pub(super) kind: ForgeKind,
    api: String,
    token: String,
    agent: Agent,
    interrupted: Arc<AtomicBool>,
}

/// What came back.
struct Answer {
    status: u16,
    text: String,
    kind: String,
    retry_after: Option<Duration>,
    limit_left: Option<String>,
    limit_reset: Option<i64>,
}

impl Client {
    /// Makes it; nothing is asked yet.
    pub(super) fn new(
        kind: ForgeKind,
        api: String,
        token: String,
        interrupted: Arc<AtomicBool>,
    ) -> Result<Self, ForgeError> {
        let is_address = api.parse::<ureq::http::Uri>().is_ok_and(|uri| uri.host().is_some());
        if !(api.starts_with("https://") || api.starts_with("http://")) || !is_address {
            return Err(ForgeError::BadApi { kind, api });
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .user_agent(concat!("promote/", env!("CARGO_PKG_VERSION")));
        if api.starts_with("https://") {
            config = config.tls_config(encryption());
        }
        Ok(Self { kind, agent: config.build().new_agent(), api, token, interrupted })
    }

    /// Asks for something; nothing where it is not there.
    pub(super) fn get(&self, path: &str, doing: &str) -> Result<Option<Value>, ForgeError> {
        let answer = self.asked("GET", path, None, doing)?;
        if answer.status == 404 && serde_json::from_str::<Value>(&answer.text).is_ok() {
            return Ok(None);
        }
        self.read(&answer, doing).map(Some)
    }

    /// Asks for something that has to be there.
    pub(super) fn need(&self, path: &str, doing: &str) -> Result<Value, ForgeError> {
        let answer = self.asked("GET", path, None, doing)?;
        self.read(&answer, doing)
    }

    /// Changes something.
    pub(super) fn send(
        &self,
        change: Change,
        path: &str,
        body: &Value,
        doing: &str,
    ) -> Result<Value, ForgeError> {
        let answer = self.asked(change.method(), path, Some(body), doing)?;
        self.read(&answer, doing)
    }

    /// Says that an answer lacks what the API's description promises.
    pub(super) fn lacks(&self, field: &str, doing: &str) -> ForgeError {
        self.not_the_api(format!("no `{field}`"), doing)
    }

    fn not_the_api(&self, found: String, doing: &str) -> ForgeError {
        ForgeError::NotTheApi { kind: self.kind, doing: doing.to_owned(), found, api: self.api.clone() }
    }

    /// Asks, and asks again where that changes nothing twice and may help.
    fn asked(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        doing: &str,
    ) -> Result<Answer, ForgeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            if self.interrupted.load(Ordering::SeqCst) {
                return Err(ForgeError::Interrupted);
            }
            let answer = self.once(method, path, body);
            let pause = match &answer {
                Ok(answer) => answer.pause(method, tries),
                Err(_) if method == "GET" => Some(Duration::from_millis(200 << tries)),
                Err(_) => None,
            };
            match pause {
                Some(pause) if tries < TRIES && pause <= PATIENCE => self.wait(pause)?,
                _ => {
                    return answer.map_err(|error| ForgeError::Unreachable {
                        kind: self.kind,
                        api: self.api.clone(),
                        text: self.masked(&format!("{} ({doing})", line(&error.to_string()))),
                    });
                }
            }
        }
    }

    fn once(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, ureq::Error> {
        let (name, value) = self.authorization();
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.api)).header(name, value).header(
                "Accept",
                if self.kind == ForgeKind::GitHub {
                    "application/vnd.github+json"
                } else {
                    "application/json"
                },
            );
        if self.kind == ForgeKind::GitHub {
            request = request.header("X-GitHub-Api-Version", "2022-11-28");
        }
        let response = match body {
            None => self.agent.run(request.body(()).map_err(ureq::Error::Http)?)?,
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_string()).map_err(ureq::Error::Http)?)?
            }
        };
        Answer::of(response)
    }

    /// Gives the header that says who we are.
    ///
    /// Source: GitHub, "Authenticating to the REST API"; GitLab, "REST API authentication"; Gitea, "API Usage",
    /// "Authentication"; Bitbucket, "Authentication methods" (an access token as bearer, `mail:token` as basic).
    fn authorization(&self) -> (&'static str, String) {
        let token = &self.token;
        match self.kind {
            ForgeKind::GitLab => ("PRIVATE-TOKEN", token.clone()),
            ForgeKind::Gitea => ("Authorization", format!("token {token}")),
            ForgeKind::Bitbucket if token.contains(':') => {
                let both = base64::engine::general_purpose::STANDARD.encode(token);
                ("Authorization", format!("Basic {both}"))
            }
            ForgeKind::GitHub | ForgeKind::Bitbucket => ("Authorization", format!("Bearer {token}")),
        }
    }

    fn read(&self, answer: &Answer, doing: &str) -> Result<Value, ForgeError> {
        let value = serde_json::from_str::<Value>(&answer.text);
        let status = answer.status;
        if (200..300).contains(&status) {
            return value.map_err(|_| self.not_the_api(answer.found(), doing));
        }
        if (300..400).contains(&status) {
            return Err(self.not_the_api(format!("a redirect ({status})"), doing));
        }
        let Ok(value) = value else {
            return Err(self.not_the_api(format!("status {status} and {}", answer.found()), doing));
        };
        let said = words(&value);
        let said = if said.is_empty() { "without a word".to_owned() } else { self.masked(&said) };
        let (kind, doing) = (self.kind, doing.to_owned());
        if answer.is_limited() {
            let text = match answer.again() {
                Some(again) => format!("{said}; {again}"),
                None => said,
            };
            return Err(ForgeError::RateLimited { kind, doing, text });
        }
        Err(ForgeError::Refused { kind, doing, status, text: said })
    }

    /// Waits, and stops waiting when a person wants to stop.
    fn wait(&self, pause: Duration) -> Result<(), ForgeError> {
        let slice = Duration::from_millis(50);
        let mut left = pause;
        while !left.is_zero() {
            if self.interrupted.load(Ordering::SeqCst) {
                return Err(ForgeError::Interrupted);
            }
            let now = left.min(slice);
            std::thread::sleep(now);
            left -= now;
        }
        Ok(())
    }

    fn masked(&self, text: &str) -> String {
        let text = text.replace(&self.token, MASK);
        match self.token.split_once(':') {
            Some((_, password)) if !password.is_empty() => text.replace(password, MASK),
            _ => text,
        }
    }
}

impl Answer {
    fn of(mut response: Response<Body>) -> Result<Self, ureq::Error> {
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let number = |name: &str| header(name).and_then(|value| value.trim().parse::<i64>().ok());
        let seconds = number("retry-after").and_then(|seconds| u64::try_from(seconds).ok());
        let (kind, limit_left, limit_reset) = (
            header("content-type").unwrap_or_default(),
            header("x-ratelimit-remaining"),
            number("x-ratelimit-reset"),
        );
        let status = response.status().as_u16();
        let text =
            response.body_mut().with_config().limit(LONGEST_BYTES).lossy_utf8(true).read_to_string()?;
        Ok(Self {
            status,
            text,
            kind,
            retry_after: seconds.map(Duration::from_secs),
            limit_left,
            limit_reset,
        })
    }

    /// Says how long to wait before the same may be asked again, where that may help.
    ///
    /// Shape: what reads may be asked again after any fault of the server; what changes something only where the
    /// server says that it has done nothing and when to come again.
    fn pause(&self, method: &str, tries: u32) -> Option<Duration> {
        match (self.status, self.retry_after) {
            (429 | 503, Some(pause)) => Some(pause),
            (429 | 500..=599, _) if method == "GET" => Some(Duration::from_millis(200 << tries)),
            _ => None,
        }
    }

    /// Whether the refusal is for having asked too much.
    fn is_limited(&self) -> bool {
        let none_left = self.limit_left.as_deref() == Some("0") || self.retry_after.is_some();
        self.status == 429 || (self.status == 403 && none_left)
    }

    /// Says when it can be asked again.
    fn again(&self) -> Option<String> {
        if let Some(pause) = self.retry_after {
            return Some(format!("again in {} s", pause.as_secs()));
        }
        let reset = self.limit_reset.and_then(|second| jiff::Timestamp::from_second(second).ok())?;
        Some(format!("again from {reset}"))
    }

    /// Says what came, where it is not JSON.
    fn found(&self) -> String {
        let kind = self.kind.split(';').next().unwrap_or_default().trim();
        if kind.is_empty() { "something that is not JSON".to_owned() } else { format!("`{}`", line(kind)) }
    }
}

/// Encryption with the system's certificates.
fn encryption() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<Certificate<'static>> =
        found.certs.iter().map(|root| Certificate::from_der(root.as_ref()).to_owned()).collect();
    TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build()
}
