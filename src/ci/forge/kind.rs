//! The forges that are known, and how the environment's variables say where they are and who we are.

use std::collections::BTreeMap;

/// A forge whose API is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForgeKind {
    /// GitHub, also as an Enterprise Server.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket Cloud.
    Bitbucket,
}

impl ForgeKind {
    /// All of them, in the order in which they are asked whether a host is theirs.
    pub(super) const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::Gitea, Self::Bitbucket];

    /// Gives its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Gitea => "Gitea",
            Self::Bitbucket => "Bitbucket",
        }
    }

    /// Gives the variables that may hold its token, the first that is set counts.
    pub fn token_variables(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["GITHUB_TOKEN", "GH_TOKEN"],
            Self::GitLab => &["GITLAB_TOKEN"],
            Self::Gitea => &["GITEA_TOKEN"],
            Self::Bitbucket => &["BITBUCKET_TOKEN"],
        }
    }

    /// Gives the variables that may hold the address of its API.
    pub fn api_variables(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["GITHUB_API_URL"],
            Self::GitLab => &["GITLAB_API_URL", "CI_API_V4_URL"],
            Self::Gitea => &["GITEA_API_URL"],
            Self::Bitbucket => &["BITBUCKET_API_URL"],
        }
    }

    /// Gives the variable that may hold the address of its pages, where their host is not the API's.
    fn server_variable(self) -> &'static str {
        match self {
            Self::GitHub => "GITHUB_SERVER_URL",
            Self::GitLab => "CI_SERVER_URL",
            Self::Gitea => "GITEA_SERVER_URL",
            Self::Bitbucket => "BITBUCKET_SERVER_URL",
        }
    }

    /// Gives the address of the public forge's API.
    fn public_api(self) -> &'static str {
        match self {
            Self::GitHub => "https://api.github.com",
            Self::GitLab => "https://gitlab.com/api/v4",
            Self::Gitea => "https://codeberg.org/api/v1",
            Self::Bitbucket => "https://api.bitbucket.org/2.0",
        }
    }

    /// Gives how many bytes the text of a pull request may have.
    ///
    /// Source: GitHub says "body is too long (maximum is 65536 characters)"; GitLab, "Merge requests API": "Limited to
    /// 1,048,576 characters"; Gitea keeps it in a column that holds 65,535 bytes on `MySQL`; Bitbucket publishes no limit,
    /// so it gets half of the smallest.
    pub fn body_budget_bytes(self) -> usize {
        match self {
            Self::GitHub | Self::Gitea => 65_000,
            Self::GitLab => 900_000,
            Self::Bitbucket => 32_000,
        }
    }

    /// Guesses the forge of a host by its name. Good enough for a link, never for a token.
    pub(super) fn guess(host: &str, variables: &BTreeMap<String, String>) -> Option<Self> {
        let by_name = || {
            Some(match host {
                "github.com" => Self::GitHub,
                "bitbucket.org" => Self::Bitbucket,
                _ if host.contains("gitlab") => Self::GitLab,
                "codeberg.org" => Self::Gitea,
                _ if host.contains("gitea") || host.contains("forgejo") => Self::Gitea,
                _ => return None,
            })
        };
        Self::ALL.into_iter().find(|kind| kind.has(host, variables)).or_else(by_name)
    }

    /// Gives the address of its API, without a slash at the end.
    pub(super) fn api(self, variables: &BTreeMap<String, String>) -> String {
        let said = self.api_variables().iter().find_map(|name| set(variables, name));
        said.unwrap_or_else(|| self.public_api()).trim_end_matches('/').to_owned()
    }

    /// Gives its token, and the variable that holds it.
    pub(super) fn token(self, variables: &BTreeMap<String, String>) -> Option<(&'static str, String)> {
        self.token_variables().iter().find_map(|name| Some((*name, set(variables, name)?.trim().to_owned())))
    }

    /// Whether a host is this forge's, as the variables have it: only such a host is handed the token.
    pub(super) fn has(self, host: &str, variables: &BTreeMap<String, String>) -> bool {
        let api = self.api(variables);
        let api = host_of(&api);
        let server = set(variables, self.server_variable()).map(host_of);
        host == api || api.strip_prefix("api.") == Some(host) || server.as_deref() == Some(host)
    }
}

/// Lists the tokens that the variables hold, so that they can be kept out of every output.
pub fn tokens(variables: &BTreeMap<String, String>) -> Vec<String> {
    let names = ForgeKind::ALL.iter().flat_map(|kind| kind.token_variables());
    let tokens = names.filter_map(|name| set(variables, name)).map(str::trim);
    // Of `user:password` the password alone is as secret as both.
    let parts = tokens.flat_map(|token| [Some(token), token.split_once(':').map(|(_, password)| password)]);
    parts.flatten().filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn set<'a>(variables: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    variables.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
}

/// Gives the host of an address, lower case, without a port.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    authority.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_token_goes_to_its_own_host_only() {
        let none = variables(&[]);
        let own = variables(&[("GITLAB_API_URL", "https://git.shop.example/api/v4/")]);
        let enterprise = variables(&[
            ("GITHUB_API_URL", "https://api.ghe.example:8443/"),
            ("GITHUB_SERVER_URL", "https://code.example"),
        ]);
        for (kind, host, variables, has) in [
            (ForgeKind::GitHub, "github.com", &none, true),
            (ForgeKind::GitHub, "github.com.evil.example", &none, false),
            (ForgeKind::GitLab, "gitlab.evil.example", &none, false),
            (ForgeKind::GitLab, "gitlab.com", &none, true),
            (ForgeKind::GitLab, "gitlab.com", &own, false),
            (ForgeKind::GitLab, "git.shop.example", &own, true),
            (ForgeKind::GitHub, "ghe.example", &enterprise, true),
            (ForgeKind::GitHub, "code.example", &enterprise, true),
            (ForgeKind::GitHub, "github.com", &enterprise, false),
            (ForgeKind::Gitea, "codeberg.org", &none, true),
            (ForgeKind::Bitbucket, "bitbucket.org", &none, true),
        ] {
            assert_eq!(kind.has(host, variables), has, "{} {host}", kind.as_str());
        }
    }

    #[test]
    fn knows_every_token_that_is_set() {
        let set = variables(&[("GH_TOKEN", " abc\n"), ("BITBUCKET_TOKEN", "ann:def"), ("GITLAB_TOKEN", "")]);
        assert_eq!(tokens(&set), ["abc", "ann:def", "def"]);
    }
}
