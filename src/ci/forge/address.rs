//! A repository's address, taken apart: which host, whose, and what name.

/// Where a forge has a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// The host, lower case, without a port.
    pub host: String,
    /// The beginning of its pages: `https://github.com`.
    pub web: String,
    /// User, organisation or group; groups may be nested: `shop/data`. May be empty.
    pub owner: String,
    /// The repository's name, without `.git`.
    pub name: String,
}

impl Address {
    /// Takes `https://user@host:port/owner/name`, `ssh://host/owner/name` or `user@host:owner/name` apart.
    ///
    /// Shape: nothing for a path of this machine. What a forge calls `ssh.HOST` or `altssh.HOST` is `HOST`.
    ///
    /// Pure.
    pub fn of(url: &str) -> Option<Self> {
        let (scheme, authority, path) = match url.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("file") => return None,
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_once('/')?;
                (scheme.to_ascii_lowercase(), authority, path)
            }
            None => {
                let (authority, path) = url.split_once(':')?;
                ("ssh".to_owned(), authority, path)
            }
        };
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
        let bare = authority.split_once(':').map_or(authority.as_str(), |(host, _)| host);
        let host = bare.strip_prefix("altssh.").or_else(|| bare.strip_prefix("ssh.")).unwrap_or(bare);
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).trim_matches('/');
        if host.is_empty() || host.contains('/') || path.is_empty() {
            return None;
        }
        let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
        let web = match scheme.as_str() {
            "http" => format!("http://{authority}"),
            "https" => format!("https://{authority}"),
            // A port of ssh is none of the pages'.
            _ => format!("https://{host}"),
        };
        Some(Self { host: host.to_owned(), web, owner: owner.to_owned(), name: name.to_owned() })
    }

    /// Gives owner and name: `shop/prod`.
    pub fn path(&self) -> String {
        if self.owner.is_empty() { self.name.clone() } else { format!("{}/{}", self.owner, self.name) }
    }
}

/// Writes a text so that it stands for itself in one segment of a path, or in one value of a query.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(["%", &format!("{byte:02X}")]);
        }
    }
    encoded
}

/// The same, but slashes stay: a branch's name in a page's address.
pub(super) fn encoded_path(text: &str) -> String {
    text.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_apart() {
        for (url, host, web, path) in [
            ("https://GitHub.com/shop/prod.git", "github.com", "https://github.com", "shop/prod"),
            ("https://ann:pw@h:8443/a/b/c/", "h", "https://h:8443", "a/b/c"),
            ("http://127.0.0.1:99/a/b", "127.0.0.1", "http://127.0.0.1:99", "a/b"),
            ("git@gitlab.com:a/b/c.git", "gitlab.com", "https://gitlab.com", "a/b/c"),
            ("ssh://git@altssh.gitlab.com:443/a/b", "gitlab.com", "https://gitlab.com", "a/b"),
            ("ssh://git@h:2222/a/b.git/", "h", "https://h", "a/b"),
        ] {
            let found = Address::of(url).unwrap();
            assert_eq!(
                (found.host.as_str(), found.web.as_str(), found.path().as_str()),
                (host, web, path),
                "{url}"
            );
        }
        for url in
            ["../shop.git", "/srv/shop.git", "file:///srv/shop.git", "https://h", "https://h/", "https:///a"]
        {
            assert_eq!(Address::of(url), None, "{url}");
        }
    }

    #[test]
    fn encodes_what_a_path_cannot_hold() {
        assert_eq!(encoded("a/b c?é"), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(encoded_path("promote/a-to-b#1"), "promote/a-to-b%231");
    }
}
