//! Repositories' addresses, in a form that may be shown.

use std::path::{Path, PathBuf};

const MASK: &str = "••••";

/// Gives an address without its password.
///
/// Pure. `https://ann:secret@host/x` becomes `https://ann:••••@host/x`; paths stay as they are.
pub fn display_url(url: &str) -> String {
    mask_urls(url)
}

/// Masks the password of every address in a text.
pub(super) fn mask_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        masked.push_str(before);
        let end = after
            .find(|letter: char| {
                letter.is_whitespace() || matches!(letter, '/' | '\'' | '"' | '`' | '?' | '#')
            })
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        masked.push_str(&mask_authority(authority));
        rest = tail;
    }
    masked.push_str(rest);
    masked
}

/// Masks the passwords in a text, and wherever it stands the password of `url`.
pub(super) fn mask_words(text: &str, url: &str) -> String {
    let text = mask_urls(text);
    let authority = url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let credentials = authority.rsplit_once('@').map_or("", |(credentials, _)| credentials);
    match credentials.split_once(':') {
        Some((_, password)) if password.len() >= 6 => text.replace(password, MASK),
        Some((_, password)) if !password.is_empty() => {
            text.replace(&format!(":{password}@"), &format!(":{MASK}@"))
        }
        Some(_) | None => text,
    }
}

/// From this length on a lone user's name is taken for a token.
const TOKEN_LENGTH: usize = 20;

/// Masks `user:password@host` and `token@host`.
fn mask_authority(authority: &str) -> String {
    let Some((credentials, host)) = authority.rsplit_once('@') else { return authority.to_owned() };
    match credentials.split_once(':') {
        Some((user, password)) if !password.is_empty() => format!("{user}:{MASK}@{host}"),
        None if credentials.len() >= TOKEN_LENGTH => format!("{MASK}@{host}"),
        Some(_) | None => authority.to_owned(),
    }
}

/// Gives the folder that an address names, where it names one of this machine.
pub fn local_path(url: &str) -> Option<PathBuf> {
    if let Some(path) = url.strip_prefix("file://") {
        return Some(PathBuf::from(path));
    }
    if url.contains("://") {
        return None;
    }
    // `host:path` is ssh's short form; a slash before the colon makes it a path, as it does for Git.
    let short_form = url.find(':').is_some_and(|colon| !url[..colon].contains('/'));
    if short_form { None } else { Some(Path::new(url).to_path_buf()) }
}

/// Whether two addresses may be of one repository, as far as names tell.
///
/// Shape: on a server by the path, since a server has several names and ways to it (`git@work:a/b`,
/// `https://example.org/scm/a/b.git`); a folder by its name, since it lies elsewhere on another machine.
pub fn may_be_same(one: &str, other: &str) -> bool {
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().trim_end_matches(".git").to_owned());
    match (local_path(one), local_path(other)) {
        (Some(one), Some(other)) => match (name(&one), name(&other)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        },
        (None, None) => {
            let (one, other) = (place(one), place(other));
            one.ends_with(&other) || other.ends_with(&one)
        }
        (Some(_), None) | (None, Some(_)) => true,
    }
}

/// Gives the path on a server, without `.git`.
fn place(url: &str) -> String {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.split_once(':').map_or("", |(_, path)| path),
    };
    format!("/{}", path.trim_matches('/').trim_end_matches(".git"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_passwords_and_nothing_else() {
        for (text, masked) in [
            ("https://ann:secret@h/x", "https://ann:••••@h/x"),
            ("https://ann:a@b@h/x", "https://ann:••••@h/x"),
            ("ssh://git@h/x", "ssh://git@h/x"),
            ("https://ghp_0123456789abcdefghij@h/x", "https://••••@h/x"),
            ("/tmp/a:b@c", "/tmp/a:b@c"),
            ("see 'https://a:bc@h' and git://h/y.", "see 'https://a:••••@h' and git://h/y."),
        ] {
            assert_eq!(display_url(text), masked);
        }
    }

    #[test]
    fn masks_what_a_program_makes_of_an_address() {
        let masked = mask_words("cannot look up ann:secret@h", "git://ann:secret@h/x");
        assert_eq!(masked, "cannot look up ann:••••@h");
    }

    #[test]
    fn knows_one_repository_by_several_addresses() {
        for (one, other, same) in [
            ("https://ann@example.org/a/b.git", "git@work:a/b", true),
            ("https://example.org/scm/a/b.git", "ssh://git@example.org:7999/a/b.git", true),
            ("ssh://git@example.org:2222/a/b", "git://example.org/a/b/", true),
            ("https://example.org/a/b", "https://example.org/fork/b", false),
            ("https://example.org/a/b", "https://example.org/a/sub-b", false),
            ("/home/ann/b.git", "../b", true),
            ("../a.git", "../fork.git", false),
            (".", "../b", true),
            ("../b", "https://example.org/a/c", true),
        ] {
            assert_eq!(may_be_same(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn knows_paths_of_this_machine() {
        for (url, local) in [
            ("/a/b", true),
            ("file:///a/b", true),
            ("./a:b", true),
            ("host:a", false),
            ("git://host/a", false),
        ] {
            assert_eq!(local_path(url).is_some(), local, "{url}");
        }
    }
}
