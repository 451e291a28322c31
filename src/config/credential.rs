//! Credentials that are known by their own form, whatever the key is called: issuers begin them with words of their own so
//! that they are found where they must not be.
//!
//! In: any text. Out: where in it credentials stand. A text of one letter over and over is an example and none.

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// The shortest text that holds one.
const SHORTEST: usize = 24;

/// How many different characters one has at least.
const DIFFERENT: usize = 8;

/// Which characters follow a beginning.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters and digits.
    Word,
    /// These, `_`, `-` and `.`.
    Wide,
    /// Hexadecimal digits.
    Hex,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::Wide => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Hex => byte.is_ascii_hexdigit(),
        }
    }
}

/// How a key in PEM's armour begins.
const KEY_BEGINS: &str = "-----BEGIN ";

/// How credentials begin, and how many characters follow at least: of GitHub, GitLab, Slack, Stripe, Google, npm, `PyPI`,
/// Databricks, `SendGrid`, Hugging Face, Anthropic, `OpenAI`, dbt, Shopify, Atlassian, Grafana, and tokens of JSON (JWT).
const BEGINNINGS: [(&str, Alphabet, usize); 29] = [
    ("ghp_", Alphabet::Word, 36),
    ("gho_", Alphabet::Word, 36),
    ("ghu_", Alphabet::Word, 36),
    ("ghs_", Alphabet::Word, 36),
    ("ghr_", Alphabet::Word, 36),
    ("github_pat_", Alphabet::Wide, 40),
    ("glpat-", Alphabet::Wide, 20),
    ("xoxb-", Alphabet::Wide, 20),
    ("xoxp-", Alphabet::Wide, 20),
    ("xoxa-", Alphabet::Wide, 20),
    ("xoxr-", Alphabet::Wide, 20),
    ("xapp-", Alphabet::Wide, 20),
    ("sk_live_", Alphabet::Word, 20),
    ("sk_test_", Alphabet::Word, 20),
    ("rk_live_", Alphabet::Word, 20),
    ("AIza", Alphabet::Wide, 35),
    ("npm_", Alphabet::Word, 36),
    ("pypi-", Alphabet::Wide, 50),
    ("dapi", Alphabet::Hex, 32),
    ("SG.", Alphabet::Wide, 60),
    ("hf_", Alphabet::Word, 30),
    ("sk-ant-", Alphabet::Wide, 30),
    ("sk-proj-", Alphabet::Wide, 30),
    ("dbtc_", Alphabet::Wide, 20),
    ("dbtu_", Alphabet::Wide, 20),
    ("shpat_", Alphabet::Hex, 32),
    ("ATATT3", Alphabet::Wide, 50),
    ("glsa_", Alphabet::Wide, 32),
    ("eyJ", Alphabet::Wide, 40),
];

/// Finds the credentials in a text.
pub(super) fn credentials(text: &str) -> Vec<Range<usize>> {
    static FINDER: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let finder = FINDER.get_or_init(|| {
        let beginnings = BEGINNINGS.iter().map(|(beginning, ..)| *beginning);
        // None begins another, and this kind is looked for many bytes at once.
        let mut finder = AhoCorasick::builder();
        finder.match_kind(MatchKind::LeftmostFirst).build(beginnings.chain([KEY_BEGINS])).ok()
    });
    let mut found: Vec<Range<usize>> = Vec::new();
    let Some(finder) = finder.as_ref().filter(|_| text.len() >= SHORTEST) else { return found };
    let bytes = text.as_bytes();
    for hit in finder.find_iter(text) {
        let at = hit.start();
        let inside = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        if inside || found.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let shape = BEGINNINGS.get(hit.pattern().as_usize());
        found.extend(shape.map_or_else(|| key_block(text, at), |shape| token(bytes, at, *shape)));
    }
    found
}

/// Gives the credential that begins at a place.
fn token(
    bytes: &[u8],
    at: usize,
    (beginning, alphabet, least): (&str, Alphabet, usize),
) -> Option<Range<usize>> {
    let rest = &bytes[at + beginning.len()..];
    let length = rest.iter().take_while(|byte| alphabet.has(**byte)).count();
    let rest = &rest[..length];
    // A token of JSON has three parts, the second of which is an object again.
    let whole = beginning != "eyJ" || rest.windows(4).any(|part| part == b".eyJ");
    let different = (0..=u8::MAX).filter(|byte| rest.contains(byte)).take(DIFFERENT).count();
    let is_one = length >= least && whole && different == DIFFERENT;
    is_one.then(|| at..at + beginning.len() + length)
}

/// Gives the private key in PEM's armour that begins at a place.
fn key_block(text: &str, at: usize) -> Option<Range<usize>> {
    const END: &str = "PRIVATE KEY-----";
    let rest = &text[at + KEY_BEGINS.len()..];
    let title = rest.find("-----")? + "-----".len();
    if !rest[..title].ends_with(END) {
        return None;
    }
    let start = at + KEY_BEGINS.len() + title;
    let end = text[start..].find(END).map_or(text.len(), |end| start + end + END.len());
    Some(at..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that nobody takes this file for a leak.
    fn made(beginning: &str, length: usize) -> String {
        let body: String = "a1B2c3D4e5F6a7B8c9D0".chars().cycle().take(length).collect();
        format!("{beginning}{body}")
    }

    #[test]
    fn knows_credentials_by_their_form() {
        for (beginning, _, least) in BEGINNINGS.iter().filter(|(beginning, ..)| *beginning != "eyJ") {
            let one = made(beginning, *least);
            for text in [one.clone(), format!("token={one};"), format!("{one} \"{one}\"")] {
                let found = credentials(&text);
                assert!(!found.is_empty() && found.iter().all(|at| text[at.clone()] == one), "{text}");
            }
            let short = made(beginning, least - 1);
            assert!(credentials(&short).is_empty(), "{short}");
            let example = format!("{beginning}{}", "x".repeat(*least));
            assert!(credentials(&example).is_empty(), "{example}");
            assert!(credentials(&format!("z{one}")).is_empty(), "in the middle of a word");
        }
    }

    #[test]
    fn knows_tokens_of_json_and_private_keys() {
        let token = format!("{}.{}.{}", made("eyJ", 20), made("eyJ", 30), made("", 30));
        let texts = |text: &str| -> Vec<String> {
            credentials(text).into_iter().map(|found| text[found].to_owned()).collect()
        };
        assert_eq!(texts(&format!("Bearer {token}")), [token]);
        assert!(credentials(&made("eyJ", 80)).is_empty());
        let key = format!("-----BEGIN RSA {0}\n{1}\n-----END RSA {0}", "PRIVATE KEY-----", made("MII", 64));
        assert_eq!(texts(&format!("x\n{key}\ny")), [key]);
        let public = format!("-----BEGIN {0}\n{1}\n-----END {0}", "PUBLIC KEY-----", made("MII", 64));
        assert!(credentials(&public).is_empty());
        assert!(credentials("é".repeat(20).as_str()).is_empty());
    }
}
