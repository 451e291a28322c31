//! Python literals: what Meltano tries where a text for a list or mapping is not JSON.

use serde_json::{Map, Number, Value};

/// How deep a literal may be nested.
const MAX_DEPTH: usize = 64;

/// Reads a list, mapping, text, number, `True`, `False` or `None` as Python writes it; tuples and sets become lists.
///
/// Pure: gives nothing where the text is no literal.
///
/// Source: <https://docs.python.org/3/library/ast.html#ast.literal_eval>.
pub(super) fn literal(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']) };
    let value = reader.value(MAX_DEPTH)?;
    reader.blank();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.blank();
        let found = self.rest.strip_prefix(token);
        if let Some(rest) = found {
            self.rest = rest;
        }
        found.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        self.blank();
        match self.rest.chars().next()? {
            '[' => self.list(depth, ']').map(|(items, _)| Value::Array(items)),
            '(' => {
                let (mut items, comma) = self.list(depth, ')')?;
                // Brackets around one value are only brackets.
                if items.len() == 1 && !comma { items.pop() } else { Some(Value::Array(items)) }
            }
            '{' => self.mapping(depth),
            '\'' | '"' => self.texts(),
            _ => self.word(),
        }
    }

    /// Reads values up to the closing bracket; says whether a comma stood before it.
    fn list(&mut self, depth: usize, end: char) -> Option<(Vec<Value>, bool)> {
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        let mut comma = false;
        let end = end.to_string();
        loop {
            if self.takes(&end) {
                return Some((items, comma));
            }
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.value(depth)?);
            comma = self.takes(",");
        }
    }

    fn mapping(&mut self, depth: usize) -> Option<Value> {
        self.rest = &self.rest[1..];
        let (mut fields, mut items) = (Map::new(), Vec::new());
        let mut comma = true;
        loop {
            if self.takes("}") {
                let is_set = fields.is_empty() && !items.is_empty();
                return Some(if is_set { Value::Array(items) } else { Value::Object(fields) });
            }
            if !comma {
                return None;
            }
            let key = self.value(depth)?;
            if self.takes(":") {
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                fields.insert(key, self.value(depth)?);
            } else {
                items.push(key);
            }
            if !fields.is_empty() && !items.is_empty() {
                return None;
            }
            comma = self.takes(",");
        }
    }

    /// Reads a text; neighbours are one text.
    fn texts(&mut self) -> Option<Value> {
        let mut text = String::new();
        loop {
            text.push_str(&self.text()?);
            self.blank();
            if !self.rest.starts_with(['\'', '"']) {
                return Some(Value::String(text));
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let long = quote.to_string().repeat(3);
        let end = if self.rest.starts_with(&long) { long } else { quote.to_string() };
        self.rest = &self.rest[end.len()..];
        let mut text = String::new();
        while !self.rest.starts_with(&end) {
            let character = self.next()?;
            match character {
                '\\' => text.extend(self.escape()?),
                '\n' if end.len() == 1 => return None,
                other => text.push(other),
            }
        }
        self.rest = &self.rest[end.len()..];
        Some(text)
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    /// Reads what stands behind a backslash.
    fn escape(&mut self) -> Option<Vec<char>> {
        let character = self.next()?;
        let code = |reader: &mut Self, digits: usize| {
            let text = reader.rest.get(..digits)?;
            let character = char::from_u32(u32::from_str_radix(text, 16).ok()?)?;
            reader.rest = &reader.rest[digits..];
            Some(vec![character])
        };
        Some(match character {
            '\n' => Vec::new(),
            '\\' | '\'' | '"' => vec![character],
            'n' => vec!['\n'],
            'r' => vec!['\r'],
            't' => vec!['\t'],
            'a' => vec!['\u{7}'],
            'b' => vec!['\u{8}'],
            'f' => vec!['\u{c}'],
            'v' => vec!['\u{b}'],
            'x' => return code(self, 2),
            'u' => return code(self, 4),
            'U' => return code(self, 8),
            '0' => vec!['\0'],
            other => vec!['\\', other],
        })
    }

    fn word(&mut self) -> Option<Value> {
        let ends = |character: char| character.is_whitespace() || ",:]})[({'\"".contains(character);
        let length = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        match word {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            _ => number(word),
        }
    }
}

fn number(word: &str) -> Option<Value> {
    let digits = word.replace('_', "");
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    let radix = match unsigned.get(..2).map(str::to_lowercase).as_deref() {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    if radix != 10 {
        let number = i64::from_str_radix(&unsigned[2..], radix).ok()?;
        return Some(Value::from(if digits.starts_with('-') { -number } else { number }));
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    if let Ok(number) = digits.parse::<i64>() {
        // Python has no numbers with zeros before them.
        return (unsigned == "0" || !unsigned.starts_with('0')).then(|| Value::from(number));
    }
    Number::from_f64(digits.parse::<f64>().ok()?).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_python_writes() {
        for (text, value) in [
            ("['a', \"b\"]", json!(["a", "b"])),
            ("{'a': True, 'b': None, 1: -2.5}", json!({"a": true, "b": null, "1": -2.5})),
            ("(1, 2,)", json!([1, 2])),
            ("(1)", json!(1)),
            ("(1,)", json!([1])),
            ("{1, 2}", json!([1, 2])),
            ("{}", json!({})),
            ("[]", json!([])),
            ("'it\\'s' 'x\\n\\x41'", json!("it'sx\nA")),
            ("'''long\ntext'''", json!("long\ntext")),
            ("[ 0x1F , 1_000, ]", json!([31, 1000])),
        ] {
            assert_eq!(literal(text), Some(value), "{text}");
        }
        for text in ["", "[", "[,]", "[1 2]", "{1: 2, 3}", "x", "'a", "01", "f(1)", "{'a' 1}", "é", "'\\x4'"]
        {
            assert_eq!(literal(text), None, "{text}");
        }
        assert_eq!(literal(&"[".repeat(100_000)), None);
    }

    #[test]
    fn never_panics() {
        let text = "{'é': [0x1, '\\u00e9', '''ü'''], (1,): -1_0.5e3}";
        for (start, _) in text.char_indices() {
            for (end, _) in text.char_indices().filter(|(end, _)| *end >= start) {
                literal(&text[start..end]);
            }
        }
    }
}
