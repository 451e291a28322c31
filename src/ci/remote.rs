//! Whether two names mean one repository.

/// Tells whether two remotes are one: `git@h:a/b`, `ssh://git@h/a/b.git` and `https://h/a/b` are.
///
/// Shape: user, password, a scheme's own port, `.git` and slashes at the end do not count; hosts are
/// compared without regard to case, paths with. Local paths are compared as they are written, so make
/// them absolute first.
///
/// Pure: nothing is looked up.
pub fn same_repository(one: &str, other: &str) -> bool {
    address(one) == address(other)
}

#[derive(Debug, Eq, PartialEq)]
struct Address {
    /// Lower case, with a port that is not the scheme's own; empty for a local path.
    host: String,
    path: String,
}

fn address(remote: &str) -> Address {
    let remote = remote.trim();
    if let Some((scheme, rest)) = remote.split_once("://") {
        if scheme.eq_ignore_ascii_case("file") {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            return Address { host: String::new(), path: local(path) };
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        return Address { host: host(scheme, authority), path: hosted(path) };
    }
    match remote.split_once(':') {
        Some((authority, path)) if !authority.contains('/') && !authority.is_empty() => {
            Address { host: host("ssh", authority), path: hosted(path) }
        }
        _ => Address { host: String::new(), path: local(remote) },
    }
}

fn host(scheme: &str, authority: &str) -> String {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let port = match scheme.to_ascii_lowercase().trim_start_matches("git+") {
        "ssh" => ":22",
        "https" => ":443",
        "http" => ":80",
        "git" => ":9418",
        _ => return host,
    };
    host.strip_suffix(port).map_or(host.clone(), str::to_owned)
}

fn hosted(path: &str) -> String {
    without_git(path.trim_matches('/')).trim_end_matches('/').to_owned()
}

fn local(path: &str) -> String {
    let path = path.trim_end_matches('/');
    without_git(path.strip_suffix("/.git").unwrap_or(path)).to_owned()
}

fn without_git(path: &str) -> &str {
    path.strip_suffix(".git").filter(|rest| !rest.is_empty() && !rest.ends_with('/')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_one_repository_by_its_many_names() {
        for (one, other, same) in [
            ("git@h:a/b", "ssh://git@h/a/b.git", true),
            ("git@h:a/b", "https://h/a/b", true),
            ("https://user:token@H/a/b.git/", "https://h/a/b", true),
            ("ssh://git@h:22/a/b", "git@h:a/b.git", true),
            ("ssh://git@h:2222/a/b", "git@h:a/b", false),
            ("https://h/a/b", "https://h/a/B", false),
            ("https://h/a/b", "https://g/a/b", false),
            ("file:///srv/prod.git", "/srv/prod.git", true),
            ("/srv/prod", "/srv/prod/.git", true),
            ("/srv/prod.git", "/srv/staging.git", false),
            ("../a.git", "/srv/a.git", false),
        ] {
            assert_eq!(same_repository(one, other), same, "{one} {other}");
            assert_eq!(same_repository(other, one), same, "{other} {one}");
        }
    }
}
