//! What a person can do where a forge is needed: the command that makes a repository, the token that is missing.

use crate::ci::{Address, ForgeError};
use crate::report::quoted;

/// Says how to make the repository at an address by hand.
///
/// Pure.
pub(super) fn hint(url: &str) -> String {
    let Some(at) = Address::of(url) else {
        return "make the repository on its server, then run the same command again".to_owned();
    };
    let (host, path) = (at.host.as_str(), at.path());
    let word = quoted(&path);
    let (command, token) = if host == "github.com" {
        (format!("gh repo create {word} --private"), "GITHUB_TOKEN")
    } else if host.contains("gitlab") {
        (format!("glab repo create {word} --private"), "GITLAB_TOKEN")
    } else if host == "codeberg.org" || host.contains("gitea") || host.contains("forgejo") {
        let owner =
            if at.owner.is_empty() { String::new() } else { format!(" --owner {}", quoted(&at.owner)) };
        (format!("tea repos create --name {}{owner} --private", quoted(&at.name)), "GITEA_TOKEN")
    } else if host == "bitbucket.org" {
        return format!(
            "make `{path}` on {host} by hand (empty, no first commit), or set BITBUCKET_TOKEN, then run the same command again"
        );
    } else {
        return format!(
            "make `{path}` on {host} by hand (empty, no first commit), then run the same command again"
        );
    };
    format!(
        "make it first (empty, no first commit): `{command}`, or set {token}, then run the same command again"
    )
}

/// Gives one thing to do about a forge that cannot be asked, or says no.
pub(super) fn forge_hint(error: &ForgeError) -> Option<String> {
    Some(match error {
        ForgeError::Unknown { .. } => {
            "of a forge on a host of its own, GITHUB_API_URL, GITLAB_API_URL or GITEA_API_URL has to name the API; \
             `workspace.via: branch` needs none"
                .to_owned()
        }
        ForgeError::NoToken { kind } => format!(
            "set {}, and for a host of its own {}; `workspace.via: branch` needs neither",
            kind.token_variables()[0],
            kind.api_variables()[0]
        ),
        ForgeError::BadToken { variable } => format!("set {variable} to the token alone"),
        ForgeError::BadApi { kind, .. } | ForgeError::NotTheApi { kind, .. } => {
            format!("correct {}", kind.api_variables()[0])
        }
        ForgeError::BadPath { .. } => "correct the repository's address".to_owned(),
        ForgeError::OtherUser { .. } => {
            "name an organisation, or take a token of that user".to_owned()
        }
        ForgeError::Refused { kind, status: 401 | 403, .. } => {
            format!("look what the token in {} may do, and until when", kind.token_variables()[0])
        }
        ForgeError::Refused { status: 404, .. } => {
            "look whether the address is right and the token may see it".to_owned()
        }
        ForgeError::RateLimited { .. } => "wait, then run the same command again".to_owned(),
        ForgeError::Unreachable { kind, .. } => {
            format!("look whether {} and the proxy's variables are right", kind.api_variables()[0])
        }
        ForgeError::Refused { .. } | ForgeError::Interrupted => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_command_of_the_forge() {
        for (url, words) in [
            ("https://github.com/shop/staging.git", "gh repo create shop/staging --private"),
            ("git@github.com:shop/staging.git", "gh repo create shop/staging --private"),
            ("ssh://git@gitlab.example.com:2222/a/b/c.git", "glab repo create a/b/c --private"),
            ("https://codeberg.org/shop/staging", "tea repos create --name staging --owner shop --private"),
            ("git@example.com:shop/prod.git", "make `shop/prod` on example.com by hand"),
            ("https://bitbucket.org/shop/prod", "or set BITBUCKET_TOKEN"),
            ("https://github.com/$(rm)/x", "gh repo create '$(rm)/x' --private"),
            ("https://", "on its server"),
            ("x", "on its server"),
        ] {
            assert!(hint(url).contains(words), "{url}: {}", hint(url));
        }
    }
}
