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
