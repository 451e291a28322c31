//! One repository of a forge: whether it is there, made, and its pull requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::address::{Address, encoded, encoded_path};
use super::client::{Change, Client};
use super::error::ForgeError;
use super::kind::ForgeKind;
use super::{bitbucket, gitea, github, gitlab};

/// A repository of a forge, and a token to ask with.
pub struct Forge {
    client: Client,
    address: Address,
}

/// A pull request as it is to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PullRequest {
    /// The branch that comes.
    pub source_branch: String,
    /// The branch that receives.
    pub target_branch: String,
    /// Its title.
    pub title: String,
    /// Its text, Markdown.
    pub body: String,
}

/// A pull request that is open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opened {
    /// Its number in the repository.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Whether it was open before, and was brought up to date.
    pub updated: bool,
}

/// A pull request that the forge knows.
struct Known {
    number: u64,
    url: String,
}

/// How a forge speaks of the pull requests of a repository.
pub(super) struct Pulls {
    /// Where they are made; each is below that by its number.
    pub(super) path: String,
    /// What makes one.
    pub(super) whole: Value,
    /// What brings one up to date.
    pub(super) text: Value,
    /// How that is sent.
    pub(super) change: Change,
    /// The field that holds its number.
    pub(super) number: &'static str,
    /// The field that holds its page, with dots between the steps.
    pub(super) url: &'static str,
}

impl Pulls {
    fn known(&self, client: &Client, pull: &Value, doing: &str) -> Result<Known, ForgeError> {
        let number = pull[self.number].as_u64().ok_or_else(|| client.lacks(self.number, doing))?;
        let url = self.url.split('.').fold(pull, |value, step| &value[step]);
        let url = url.as_str().ok_or_else(|| client.lacks(self.url, doing))?;
        Ok(Known { number, url: url.to_owned() })
    }
}

impl Forge {
    /// Finds the forge of a repository; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`ForgeError::Unknown`] if the host is no forge's that the variables or the public forges name;
    /// [`ForgeError::NoToken`], [`ForgeError::BadToken`], [`ForgeError::BadApi`], [`ForgeError::BadPath`].
    pub fn of(
        url: &str,
        variables: &BTreeMap<String, String>,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Self, ForgeError> {
        let unknown = |address: String| ForgeError::Unknown { address };
        let address = Address::of(url).ok_or_else(|| unknown(without_credentials(url)))?;
        let kind = ForgeKind::ALL.into_iter().find(|kind| kind.has(&address.host, variables));
        let kind = kind.ok_or_else(|| unknown(address.host.clone()))?;
        let (variable, token) = kind.token(variables).ok_or(ForgeError::NoToken { kind })?;
        if !token.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(ForgeError::BadToken { variable });
        }
        let nested = kind != ForgeKind::GitLab && address.owner.contains('/');
        if address.owner.is_empty() || nested {
            return Err(ForgeError::BadPath { kind, path: address.path() });
        }
        let client = Client::new(kind, kind.api(variables), token, Arc::clone(interrupted))?;
        Ok(Self { client, address })
    }

    /// Gives the kind.
    pub fn kind(&self) -> ForgeKind {
        self.client.kind
    }

    /// Asks whether the repository is there, as far as the token may know.
    ///
    /// # Errors
    ///
    /// [`ForgeError`] if it does not say.
    pub fn exists(&self) -> Result<bool, ForgeError> {
        let path = match self.client.kind {
            ForgeKind::GitHub | ForgeKind::Gitea => github::repository(&self.address),
            ForgeKind::GitLab => gitlab::repository(&self.address),
            ForgeKind::Bitbucket => bitbucket::repository(&self.address),
        };
        Ok(self.client.get(&path, &format!("show `{}`", self.address.path()))?.is_some())
    }

    /// Makes the repository: private and empty.
    ///
    /// # Errors
    ///
    /// [`ForgeError`] if it is not made.
    pub fn create(&self, branch: &str) -> Result<(), ForgeError> {
        let (client, at) = (&self.client, &self.address);
        let doing = format!("make `{}`", at.path());
        match client.kind {
            ForgeKind::GitHub => github::create(client, at, &doing),
            ForgeKind::GitLab => gitlab::create(client, at, &doing),
            ForgeKind::Gitea => gitea::create(client, at, branch, &doing),
            ForgeKind::Bitbucket => bitbucket::create(client, at, &doing),
        }
    }

    /// Opens a pull request, or brings the one that is open up to date.
    ///
    /// # Errors
    ///
    /// [`ForgeError`] if it is neither.
    pub fn propose(&self, wanted: &PullRequest) -> Result<Opened, ForgeError> {
        let (client, at) = (&self.client, &self.address);
        let pair = format!("`{}` into `{}` of `{}`", wanted.source_branch, wanted.target_branch, at.path());
        let doing = format!("list the pull requests of {pair}");
        let open = match client.kind {
            ForgeKind::GitHub => github::open(client, at, wanted, &doing),
            ForgeKind::GitLab => gitlab::open(client, at, wanted, &doing),
            ForgeKind::Gitea => gitea::open(client, at, wanted, &doing),
            ForgeKind::Bitbucket => bitbucket::open(client, at, wanted, &doing),
        }?;
        let pulls = match client.kind {
            ForgeKind::GitHub | ForgeKind::Gitea => github::pulls(at, wanted),
            ForgeKind::GitLab => gitlab::pulls(at, wanted),
            ForgeKind::Bitbucket => bitbucket::pulls(at, wanted),
        };
        let open = open.map(|open| pulls.known(client, &open, &doing)).transpose()?;
        let (change, path, body, doing) = match &open {
            None => {
                let doing = format!("open a pull request of {pair}");
                (Change::Post, pulls.path.clone(), &pulls.whole, doing)
            }
            Some(known) => {
                let doing = format!("change pull request {} of `{}`", known.number, at.path());
                (pulls.change, format!("{}/{}", pulls.path, known.number), &pulls.text, doing)
            }
        };
        let made = pulls.known(client, &client.send(change, &path, body, &doing)?, &doing)?;
        Ok(Opened { number: made.number, url: made.url, updated: open.is_some() })
    }

    /// Asks whether a branch is protected; nothing where the forge does not say it with the branch.
    ///
    /// # Errors
    ///
    /// [`ForgeError`] if it does not answer.
    pub fn is_protected(&self, branch: &str) -> Result<Option<bool>, ForgeError> {
        let (client, at) = (&self.client, &self.address);
        let doing = format!("show branch `{branch}` of `{}`", at.path());
        match client.kind {
            ForgeKind::GitHub | ForgeKind::Gitea => github::is_protected(client, at, branch, &doing),
            ForgeKind::GitLab => gitlab::is_protected(client, at, branch, &doing),
            ForgeKind::Bitbucket => Ok(None),
        }
    }
}

/// Gives the page on which a person opens the pull request of two branches; nothing where the forge is not known.
///
/// Pure.
pub fn compare_page(
    url: &str,
    (source, target): (&str, &str),
    variables: &BTreeMap<String, String>,
) -> Option<String> {
    let at = Address::of(url)?;
    let repository = format!("{}/{}", at.web, encoded_path(&at.path()));
    Some(match ForgeKind::guess(&at.host, variables)? {
        ForgeKind::GitHub => {
            format!("{repository}/compare/{}...{}?expand=1", encoded_path(target), encoded_path(source))
        }
        ForgeKind::Gitea => {
            format!("{repository}/compare/{}...{}", encoded_path(target), encoded_path(source))
        }
        ForgeKind::GitLab => format!(
            "{repository}/-/merge_requests/new?merge_request%5Bsource_branch%5D={}&merge_request%5Btarget_branch%5D={}",
            encoded(source),
            encoded(target)
        ),
        ForgeKind::Bitbucket => {
            format!("{repository}/pull-requests/new?source={}&dest={}", encoded(source), encoded(target))
        }
    })
}

/// Leaves user and password out of an address.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, pairs: &[(&str, &str)]) -> Result<Forge, ForgeError> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Forge::of(url, &variables, &Arc::new(AtomicBool::new(false)))
    }

    #[test]
    fn says_what_is_missing_before_anything_is_asked() {
        let token = [("GITHUB_TOKEN", "t0ken")];
        assert_eq!(of("git@github.com:shop/prod.git", &token).unwrap().kind(), ForgeKind::GitHub);
        assert!(matches!(of("../prod.git", &token), Err(ForgeError::Unknown { .. })));
        assert!(
            matches!(of("https://ann:pw@elsewhere.example/a/b", &token), Err(ForgeError::Unknown { address }) if address == "elsewhere.example")
        );
        assert!(matches!(
            of("git@github.com:shop/prod.git", &[]),
            Err(ForgeError::NoToken { kind: ForgeKind::GitHub })
        ));
        assert!(matches!(of("git@github.com:a/b/c", &token), Err(ForgeError::BadPath { .. })));
        assert!(matches!(of("git@github.com:prod", &token), Err(ForgeError::BadPath { .. })));
        let bad = [("GITHUB_TOKEN", "a\nb")];
        assert!(matches!(
            of("git@github.com:a/b", &bad),
            Err(ForgeError::BadToken { variable: "GITHUB_TOKEN" })
        ));
        for api in ["gitea.example/api/v1", "ftp://gitea.example", "https:///x"] {
            let set =
                [("GITEA_TOKEN", "t"), ("GITEA_API_URL", api), ("GITEA_SERVER_URL", "https://gitea.example")];
            assert!(matches!(of("git@gitea.example:a/b", &set), Err(ForgeError::BadApi { .. })), "{api}");
        }
    }

    #[test]
    fn knows_the_page_that_opens_a_pull_request() {
        let branches = ("promote/dev-to-prod", "release 1");
        for (url, page) in [
            (
                "git@github.com:shop/prod.git",
                "https://github.com/shop/prod/compare/release%201...promote/dev-to-prod?expand=1",
            ),
            (
                "https://ann:pw@gitlab.shop.example:8443/a/b/c.git",
                "https://gitlab.shop.example:8443/a/b/c/-/merge_requests/new?merge_request%5Bsource_branch%5D=promote%2Fdev-to-prod&merge_request%5Btarget_branch%5D=release%201",
            ),
            (
                "ssh://git@codeberg.org/a/b",
                "https://codeberg.org/a/b/compare/release%201...promote/dev-to-prod",
            ),
            (
                "https://bitbucket.org/a/b",
                "https://bitbucket.org/a/b/pull-requests/new?source=promote%2Fdev-to-prod&dest=release%201",
            ),
        ] {
            assert_eq!(compare_page(url, branches, &BTreeMap::new()).as_deref(), Some(page));
        }
        for url in ["../prod.git", "git@code.example:a/b"] {
            assert_eq!(compare_page(url, branches, &BTreeMap::new()), None);
        }
    }
}
