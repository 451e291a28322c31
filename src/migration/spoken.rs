//! What texts speak of: every word of them that could be a name, in lower case.
//!
//! An over-estimate rather than an omission.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

use memchr::memchr2_iter;

use crate::warehouse::{Kind, head, words};

/// How often a text is only looked through: to take it apart costs about as much as this.
const SELDOM: u32 = 32;

/// Texts of one object, which are taken apart only where that has to be.
pub(super) struct Spoken<'a> {
    texts: Vec<Cow<'a, str>>,
    asked: Cell<u32>,
    words: OnceCell<BTreeSet<String>>,
}

impl<'a> Spoken<'a> {
    pub(super) fn new<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts.into_iter().map(Into::into).collect();
        Self { texts, asked: Cell::new(0), words: OnceCell::new() }
    }

    /// Everything that they speak of.
    pub(super) fn words(&self) -> &BTreeSet<String> {
        self.words.get_or_init(|| self.texts.iter().flat_map(|text| spoken(text)).collect())
    }

    /// Whether they speak of a word, in lower case. Few texts hold it at all.
    pub(super) fn has(&self, word: &str) -> bool {
        self.asked.set(self.asked.get() + 1);
        let seldom = self.asked.get() <= SELDOM && self.words.get().is_none();
        if seldom && !self.texts.iter().any(|text| may_hold(text, word)) {
            return false;
        }
        self.words().contains(word)
    }
}

/// Everything that a text speaks of; of a routine's body, which may be a text in it, whatever looks like a word.
pub(super) fn spoken(sql: &str) -> BTreeSet<String> {
    let mut spoken = words(sql);
    if head(sql).kind == Kind::Routine {
        let parts = sql.split(|next: char| !next.is_alphanumeric() && next != '_');
        spoken.extend(parts.filter(|part| !part.is_empty()).map(str::to_lowercase));
    }
    spoken
}

/// Whether a word can be among those of a text: it stands there as it is, whatever its case; where letters or quotes
/// are not as plain as that, it can.
fn may_hold(text: &str, word: &str) -> bool {
    let (text_bytes, word_bytes) = (text.as_bytes(), word.as_bytes());
    let plain = text.is_ascii() && word.is_ascii() && !word.contains('"');
    let Some(first) = word_bytes.first().filter(|_| plain) else { return true };
    let stands = |at: usize| {
        text_bytes.get(at..at + word_bytes.len()).is_some_and(|part| part.eq_ignore_ascii_case(word_bytes))
    };
    memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text_bytes).any(stands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_from_a_text_whether_a_word_can_be_in_it() {
        for (text, word) in [
            ("select * from s.Orders", "orders"),
            ("select * from \"ORDERS\"", "orders"),
            ("select * from \"a\"\"b\"", "a\"b"),
            ("select * from \"ÄPFEL\"", "äpfel"),
            ("select * from \"\u{212a}elvin\"", "kelvin"),
            ("create macro m() as query('select * from orders')", "orders"),
        ] {
            assert!(spoken(text).contains(word) && may_hold(text, word), "{text}");
        }
        assert!(!may_hold("select * from s.order", "orders"));
    }

    #[test]
    fn finds_words_whatever_their_case_and_quotes() {
        let texts = ["SELECT Amount FROM \"Orders\" AS o", "select \"a\"\"b\", größe from other"];
        for (word, there) in [
            ("orders", true),
            ("amount", true),
            ("order", false),
            ("a\"b", true),
            ("größe", true),
            ("nothing", false),
            ("", false),
        ] {
            assert_eq!(Spoken::new(texts).has(word), there, "{word}");
            let often = Spoken::new(texts);
            assert!((0..=SELDOM).all(|_| often.has(word) == there), "{word}, often");
        }
    }
}
