//! Which values are secrets, and hiding them.
//!
//! A name is a secret's when one of its words is `password`, `passwd`, `pwd`, `passphrase`,
//! `secret`, `token`, `credential`, `apikey`, `bearer` or `cookie` (or the plural of one), or two neighbours are
//! `api key`, `access key`, `private key`, `secret key`, `signing key`, `encryption key`, `account
//! key`, `shared key` or `connection string`. Words are split at anything but letters and digits and at capitals. It
//! is none when it ends in what is known of a secret but does not hold it: `url`, `uri`, `endpoint`, `id`, `name`,
//! `type`, `path`, `file`, `ttl`, `expiry`, `length`, `count`, `limit`, or begins with `max` or `min`. Under any name,
//! the password of a URL is a secret, and so is a credential that is known by its form.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use serde_json::Value;

use super::credential::credentials;
use crate::model::environment::Effective;
use crate::yaml::{Kind, Node};

/// What stands for a secret.
pub const MASK: &str = "••••";

/// Length from which a secret is looked for in other text, in characters.
pub(super) const MIN_LENGTH: usize = 6;

const WORDS: [&str; 10] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "bearer",
    "cookie",
];

const PAIRS: [(&str, &str); 9] = [
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
    ("secret", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("account", "key"),
    ("shared", "key"),
    ("connection", "string"),
];

const HARMLESS_ENDS: [&str; 13] = [
    "url", "uri", "endpoint", "id", "name", "type", "path", "file", "ttl", "expiry", "length", "count",
    "limit",
];

/// Whether a setting of this name holds a secret, by the pattern of this module.
///
/// Shape: of a path only the last part counts.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.rsplit('.').next().unwrap_or(name);
    if !may_be_secret(name) {
        return false;
    }
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    if HARMLESS_ENDS.contains(&last.as_str()) || matches!(first.as_str(), "max" | "min") {
        return false;
    }
    let word =
        |word: &str| WORDS.contains(&word) || word.strip_suffix('s').is_some_and(|one| WORDS.contains(&one));
    let joined = || WORDS[..7].iter().any(|secret| words.concat().ends_with(secret));
    words.iter().any(|each| word(each))
        || words.windows(2).any(|pair| PAIRS.contains(&(pair[0].as_str(), pair[1].trim_end_matches('s'))))
        || joined()
}

/// Whether any of the words could be in a name: most names are told from a secret's by that alone.
fn may_be_secret(name: &str) -> bool {
    const STEMS: [&str; 10] =
        ["passw", "passphr", "pwd", "secret", "token", "credential", "key", "bearer", "cookie", "string"];
    let bytes = name.as_bytes();
    let begins = |at: usize| {
        // Their first letters rule most places out at once.
        matches!(bytes[at] | 0x20, b'p' | b's' | b't' | b'c' | b'k' | b'b')
            && STEMS.iter().any(|stem| {
                bytes.get(at..at + stem.len()).is_some_and(|word| word.eq_ignore_ascii_case(stem.as_bytes()))
            })
    };
    !name.is_ascii() || (0..bytes.len()).any(begins)
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for character in name.chars() {
        let breaks = !character.is_alphanumeric() || (character.is_uppercase() && after_lower);
        if breaks {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Lists the secrets of a configuration: every text of a sensitive value, and passwords in URLs.
pub fn secrets(effective: &Effective) -> Vec<String> {
    let mut found = Vec::new();
    for value in effective.bare_values() {
        collect(&value.value, value.sensitive, &mut found);
    }
    found
}

/// Lists the secrets that a value holds, by the names in it.
pub(super) fn secrets_in(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    collect_written(node, false, &mut found);
    found.retain(|text| !is_reference(text));
    found
}

fn collect_written(node: &Node, sensitive: bool, found: &mut Vec<String>) {
    match &node.value {
        Kind::String(text) if sensitive && !text.is_empty() => found.push(text.clone()),
        Kind::String(text) => found.extend(evident(text).into_iter().map(|at| text[at].to_owned())),
        Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) if sensitive => found.extend(node.text()),
        Kind::Sequence(items) => items.iter().for_each(|item| collect_written(item, sensitive, found)),
        Kind::Mapping(entries) => {
            for entry in entries {
                collect_written(&entry.value, sensitive || is_secret_name(&entry.name), found);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) => {}
    }
}

/// Whether a text is nothing but one reference: that is a name and no secret.
pub(super) fn is_reference(text: &str) -> bool {
    let Some(name) = text.strip_prefix('$') else { return false };
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    name.chars().all(|character| character.is_alphanumeric() || character == '_')
}

fn collect(value: &Value, sensitive: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if sensitive && !text.is_empty() => {
            found.push(text.clone());
        }
        Value::String(text) => found.extend(evident(text).into_iter().map(|at| text[at].to_owned())),
        Value::Number(number) if sensitive => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, sensitive, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                collect(field, sensitive || is_secret_name(name), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Many texts that are looked for in one pass over another text.
#[derive(Clone, Debug, Default)]
pub(super) struct Needles {
    texts: BTreeSet<String>,
    automaton: OnceLock<Option<AhoCorasick>>,
}

impl Needles {
    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Adds texts.
    pub(super) fn add(&mut self, texts: impl IntoIterator<Item = String>) {
        let before = self.texts.len();
        self.texts.extend(texts);
        if self.texts.len() > before {
            self.automaton = OnceLock::new();
        }
    }

    /// Replaces each that is found, of several at one place the longest.
    pub(super) fn replace<'t>(&self, text: &'t str, with: &mut dyn FnMut(&str) -> String) -> Cow<'t, str> {
        let build = || {
            let mut builder = AhoCorasickBuilder::new();
            builder
                .match_kind(MatchKind::LeftmostLongest)
                .build(&self.texts)
                .ok()
                .filter(|_| !self.texts.is_empty())
        };
        let Some(automaton) = self.automaton.get_or_init(build) else { return Cow::Borrowed(text) };
        if !automaton.is_match(text) {
            return Cow::Borrowed(text);
        }
        let mut out = String::new();
        automaton.replace_all_with(text, &mut out, |_, found, out| {
            out.push_str(&with(found));
            true
        });
        Cow::Owned(out)
    }
}

/// Hides secrets in free text.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    needles: Needles,
}

impl Mask {
    /// Makes a mask for these values; those below six characters are left out.
    pub fn new(values: impl Iterator<Item = String>) -> Self {
        let mut needles = Needles::default();
        for value in values.filter(|value| value.chars().count() >= MIN_LENGTH) {
            let quoted = Value::from(value.as_str()).to_string();
            let escaped = quoted[1..quoted.len() - 1].to_owned();
            let forms = [value.trim_end().to_owned(), escaped, value];
            needles.add(forms.into_iter().filter(|form| form.chars().count() >= MIN_LENGTH));
        }
        Self { needles }
    }

    /// Takes over the values of another mask.
    pub fn extend(&mut self, other: Self) {
        self.needles.add(other.needles.texts);
    }

    /// Replaces every secret, and whatever is evidently one, by `••••`.
    pub fn text(&self, text: &str) -> String {
        self.masked(text).into_owned()
    }

    /// Does the same, and copies nothing where nothing is replaced.
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut mask = |_: &str| MASK.to_owned();
        match self.needles.replace(text, &mut mask) {
            Cow::Borrowed(text) => mask_evident(text, &mut mask),
            Cow::Owned(text) => Cow::Owned(mask_evident(&text, &mut mask).into_owned()),
        }
    }
}

/// Replaces in a text what is evidently a secret.
pub(super) fn mask_evident<'t>(text: &'t str, replacement: &mut dyn FnMut(&str) -> String) -> Cow<'t, str> {
    let found = evident(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut done = 0;
    for secret in found {
        out.push_str(&text[done..secret.start]);
        out.push_str(&replacement(&text[secret.clone()]));
        done = secret.end;
    }
    Cow::Owned(out + &text[done..])
}

/// Finds in a text what is a secret whatever it is called: passwords of URLs, credentials that are known by their form.
///
/// Shape: in order, apart from each other.
pub(super) fn evident(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = url_passwords(text).collect();
    for credential in credentials(text) {
        if found.iter().all(|other| other.end <= credential.start || credential.end <= other.start) {
            found.push(credential);
        }
    }
    found.sort_by_key(|secret| secret.start);
    found
}

/// Finds the passwords of URLs: between `scheme://user:` and the last `@` before the path.
fn url_passwords(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    // Hardly any text is a URL: to say so at once takes less than to begin a search.
    let may_be = text.contains(':') && text.contains("://");
    let separators = may_be.then(|| text.match_indices("://"));
    separators.into_iter().flatten().filter_map(|(at, separator)| {
        let start = at + separator.len();
        let rest = &text[start..];
        let stop =
            |character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '`');
        let word = &rest[..rest.find(stop).unwrap_or(rest.len())];
        let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
        // A password may hold a slash that nobody encoded: then the `@` comes later in the word.
        let end = authority.rfind('@').or_else(|| word.find('@').filter(|_| authority.contains(':')))?;
        let colon = word[..end].find(':')?;
        (colon + 1 < end).then_some(start + colon + 1..start + end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_secrets_by_their_names() {
        for name in [
            "password",
            "PASSWD",
            "client_secret",
            "clientSecret",
            "api_key",
            "apiKey",
            "apikey",
            "private_key",
            "TAP_X_TOKEN",
            "refresh_tokens",
            "aws_secret_access_key",
            "credentials",
            "credentials_json",
            "dbpassword",
            "auth.token",
            "connection-string",
            "accessToken",
            "mypassword",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "",
            "url",
            "token_url",
            "client_id",
            "access_key_id",
            "private_key_path",
            "max_tokens",
            "tokenizer",
            "secret.enabled",
            "keyboard",
            "primary_key",
            "domain",
            "secret_name",
            "é",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn masks_secrets_and_passwords_of_urls() {
        let values = ["hunter22", "hunter22-longer", "short", "line\n\"two\""].map(str::to_owned);
        let mask = Mask::new(values.into_iter());
        for (text, masked) in [
            ("x hunter22-longer y hunter22 short", "x •••• y •••• short"),
            ("postgres://u:p@h/db and http://h/a:b@c", "postgres://u:••••@h/db and http://h/a:b@c"),
            ("postgres://u:p@ss@h/db", "postgres://u:••••@h/db"),
            ("postgres://u:p/x@h/db", "postgres://u:••••@h/db"),
            ("https://user@h/ https://u:@h/", "https://user@h/ https://u:@h/"),
            ("\"line\\n\\\"two\\\"\" line\n\"two\"", "\"••••\" ••••"),
            ("git@h:x://é", "git@h:x://é"),
        ] {
            assert_eq!(mask.text(text), masked, "{text}");
        }
        let token = format!("glpat-{}", "a1B2c3D4e5F6a7B8c9D0");
        let text = format!("{token} https://u:{token}@h/ https://h/?t={token}");
        assert_eq!(mask.text(&text), "•••• https://u:••••@h/ https://h/?t=••••");
    }
}
