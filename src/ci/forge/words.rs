//! What a forge says when it says no, made one line of: each has another shape. Pure.

use serde_json::Value;

/// How many characters of a forge's words are passed on.
const LIMIT: usize = 600;

/// Gives the words of an answer.
///
/// Shape: one line without control characters; empty where nothing is said.
///
/// Source: GitHub, "Troubleshooting the REST API" (`message`, `errors[]`); GitLab, "REST API", "Data validation and error
/// reporting" (`message` as text or by field, `error`, `error_description`); Gitea, `APIError` (`message`); Bitbucket,
/// "Standard error response format" (`error.message`, `error.detail`).
pub(super) fn words(answer: &Value) -> String {
    let mut parts = Vec::new();
    for key in ["message", "error", "error_description", "errors"] {
        if let Some(value) = answer.get(key) {
            collect(value, "", &mut parts);
        }
    }
    line(&parts.join("; "))
}

fn collect(value: &Value, field: &str, parts: &mut Vec<String>) {
    let mut say = |text: &str| {
        let text = if field.is_empty() { text.to_owned() } else { format!("{field}: {text}") };
        if !text.trim().is_empty() && !parts.contains(&text) {
            parts.push(text);
        }
    };
    match value {
        Value::String(text) => say(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, field, parts)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            if let Some(message) = text("message") {
                say(message);
                text("detail").into_iter().for_each(say);
            } else if let (Some(field), Some(code)) = (text("field"), text("code")) {
                say(&format!("{field} {code}"));
            } else {
                fields.iter().for_each(|(name, value)| collect(value, name, parts));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Makes one line of a text, and not a long one.
pub(super) fn line(text: &str) -> String {
    let clean: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.chars().count() <= LIMIT {
        return clean;
    }
    clean.chars().take(LIMIT).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_each_forge_says() {
        for (answer, said) in [
            (
                json!({"message": "Validation Failed", "errors": [{"resource": "Repository", "field": "name", "code": "custom", "message": "name already exists on this account"}]}),
                "Validation Failed; name already exists on this account",
            ),
            (
                json!({"message": "Validation Failed", "errors": [{"field": "base", "code": "invalid"}]}),
                "Validation Failed; base invalid",
            ),
            (
                json!({"message": {"name": ["has already been taken"], "path": ["is\nbad"]}}),
                "name: has already been taken; path: is bad",
            ),
            (
                json!({"error": "insufficient_scope", "error_description": "needs api"}),
                "insufficient_scope; needs api",
            ),
            (json!({"type": "error", "error": {"message": "No.", "detail": "Why."}}), "No.; Why."),
            (json!({"message": "no", "url": "https://x"}), "no"),
            (json!([]), ""),
        ] {
            assert_eq!(words(&answer), said);
        }
        assert_eq!(line(&"a".repeat(9999)).chars().count(), LIMIT + 1);
    }
}
