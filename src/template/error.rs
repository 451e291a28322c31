//! What can be wrong with a template.

/// A template that does not render.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The template's name, usually its file.
    pub name: String,
    /// The line, from 1, where known.
    pub line: Option<u32>,
    /// What is wrong, in one sentence.
    pub message: String,
}

impl TemplateError {
    /// Takes over the engine's error, with the innermost cause's words.
    pub(super) fn of(name: &str, error: &minijinja::Error) -> Self {
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let message = innermost.downcast_ref::<minijinja::Error>().map_or_else(
            || innermost.to_string(),
            |error| match error.detail() {
                Some(detail) => format!("{}: {detail}", error.kind()),
                None => error.kind().to_string(),
            },
        );
        Self { name: name.to_owned(), line: error.line().and_then(|line| u32::try_from(line).ok()), message }
    }
}
