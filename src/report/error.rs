//! What can go wrong while a report is written.

use crate::template::TemplateError;

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The built-in page does not render.
    #[error("the page `{name}` does not render", name = .0.name)]
    Page(#[source] TemplateError),
}
