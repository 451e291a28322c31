//! References to variables in values: `$NAME`, `${NAME}`, `${NAME:-default}`.

/// Whose rules hold for a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rules {
    /// Our own keys: `${NAME:-default}` works.
    Own,
    /// Settings of plugins: as Meltano reads them.
    Meltano,
}

/// A value with its references expanded.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Expanded {
    /// The text; an unset reference is empty in it.
    pub(super) text: String,
    /// Names that were used.
    pub(super) used: Vec<String>,
    /// Names that have no value.
    pub(super) unset: Vec<String>,
}

/// Expands the references of a text, once.
///
/// Shape: `$NAME` in capitals, `${name}` in any case; a backslash before the `$` keeps it (and
/// goes); `$$` is no escape.
///
/// Source: Meltano 4.4.1, `(\\)?\$({\w+}|[A-Z][A-Z0-9_]*)`.
pub(super) fn expand(text: &str, rules: Rules, lookup: &dyn Fn(&str) -> Option<String>) -> Expanded {
    let mut out = Expanded::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, dollar) = rest.split_at(at);
        let Some(reference) = reference(&dollar[1..], rules) else {
            out.text.push_str(before);
            out.text.push('$');
            rest = &dollar[1..];
            continue;
        };
        rest = &dollar[1 + reference.length..];
        if let Some(kept) = before.strip_suffix('\\') {
            out.text.push_str(kept);
            out.text.push_str(&dollar[..=reference.length]);
            continue;
        }
        out.text.push_str(before);
        match (lookup(reference.name), reference.default) {
            (Some(value), None) => out.text.push_str(&value),
            (Some(value), Some(_)) if !value.is_empty() => out.text.push_str(&value),
            (_, Some(default)) => out.text.push_str(default),
            (None, None) => out.unset.push(reference.name.to_owned()),
        }
        out.used.push(reference.name.to_owned());
    }
    out.text.push_str(rest);
    out
}

/// A reference without its `$`.
struct Reference<'a> {
    name: &'a str,
    default: Option<&'a str>,
    length: usize,
}

fn reference(text: &str, rules: Rules) -> Option<Reference<'_>> {
    if let Some(inner) = text.strip_prefix('{') {
        let length = inner.find(|character: char| !character.is_alphanumeric() && character != '_')?;
        let (name, behind) = inner.split_at(length);
        if name.is_empty() {
            return None;
        }
        if behind.starts_with('}') {
            return Some(Reference { name, default: None, length: length + 2 });
        }
        let default = behind.strip_prefix(":-").filter(|_| rules == Rules::Own)?;
        let end = default.find('}')?;
        return Some(Reference { name, default: Some(&default[..end]), length: length + end + 4 });
    }
    let length =
        text.find(|character: char| !matches!(character, 'A'..='Z' | '0'..='9' | '_')).unwrap_or(text.len());
    let name = &text[..length];
    name.starts_with(|first: char| first.is_ascii_uppercase()).then_some(Reference {
        name,
        default: None,
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_by_the_rules_of_each_side() {
        let lookup = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "lower" => Some("2".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("$A".to_owned()),
            _ => None,
        };
        for (text, own, meltano) in [
            ("$A-${A}-${lower}", "1-1-2", "1-1-2"),
            ("$lower", "$lower", "$lower"),
            (r"\$A \${A}", "$A ${A}", "$A ${A}"),
            ("$$A", "$1", "$1"),
            ("$NESTED", "$A", "$A"),
            ("${NO:-d e}", "d e", "${NO:-d e}"),
            ("${EMPTY:-x}", "x", "${EMPTY:-x}"),
            ("${A:-x}", "1", "${A:-x}"),
            ("$AB é ${} $ ${A", " é ${} $ ${A", " é ${} $ ${A"),
        ] {
            assert_eq!(expand(text, Rules::Own, &lookup).text, own, "{text}");
            assert_eq!(expand(text, Rules::Meltano, &lookup).text, meltano, "{text}");
        }
        let expanded = expand("$A ${B} $C", Rules::Own, &lookup);
        assert_eq!(
            (expanded.used.join(","), expanded.unset.join(",")),
            ("A,B,C".to_owned(), "B,C".to_owned())
        );
    }

    #[test]
    fn never_panics() {
        let text = "\\$é${é:-ü}$$A${A:-${B}}";
        for (start, _) in text.char_indices() {
            for (end, _) in text.char_indices().filter(|(end, _)| *end >= start) {
                expand(&text[start..end], Rules::Own, &|_| None);
            }
        }
    }
}
