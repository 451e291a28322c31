//! How a repository is made that only its forge can make: the command to type.

use crate::report::quoted;

/// Says how to make the repository at an address.
///
/// Pure.
pub(super) fn hint(url: &str) -> String {
    let Some((host, path)) = address(url) else {
        return "make the repository on its server, then run the same command again".to_owned();
    };
    let path = path.trim_matches('/').trim_end_matches(".git");
    let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
    let word = quoted(path);
    let command = if host == "github.com" {
        format!("gh repo create {word} --private")
    } else if host.contains("gitlab") {
        format!("glab repo create {word} --private")
    } else if host == "codeberg.org" || host.contains("gitea") || host.contains("forgejo") {
        let owner = if owner.is_empty() { String::new() } else { format!(" --owner {}", quoted(owner)) };
        format!("tea repos create --name {}{owner} --private", quoted(name))
    } else {
        return format!(
            "make `{path}` on {host} by hand (empty, no first commit), then run the same command again"
        );
    };
    format!("make it first (empty, no first commit): `{command}`, then run the same command again")
}

/// Takes host and path out of `https://user@host:port/path`, `ssh://host/path` or `user@host:path`.
fn address(url: &str) -> Option<(&str, &str)> {
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => url.split_once(':')?,
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty() && !path.trim_matches('/').is_empty()).then_some((host, path))
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
            ("https://github.com/$(rm)/x", "gh repo create '$(rm)/x' --private"),
            ("https://", "on its server"),
            ("x", "on its server"),
        ] {
            assert!(hint(url).contains(words), "{url}: {}", hint(url));
        }
    }
}
