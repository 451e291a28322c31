//! What can be wrong about CI.

use super::provider::Provider;
use crate::template::TemplateError;

/// A pipeline or a CI's environment that cannot be made sense of.
#[derive(Debug, thiserror::Error)]
pub enum CiError {
    /// A name that is no provider.
    #[error("`{0}` is not a CI that is known: github or hook")]
    UnknownProvider(String),
    /// A provider without a template.
    #[error("there is no pipeline for {} yet: github or hook", .0.as_str())]
    NoTemplate(Provider),
    /// A variable that the provider always sets is not there.
    #[error("{} does not say `{variable}`", .provider.as_str())]
    MissingVariable {
        /// Who should have set it.
        provider: Provider,
        /// Its name.
        variable: &'static str,
    },
    /// A value that cannot stand in a pipeline file.
    #[error("the {what} `{}` holds a control character", .value.escape_debug())]
    ControlCharacter {
        /// What it is.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A checksum that is no SHA-256.
    #[error("`{}` is not a SHA-256 checksum of 64 hexadecimal digits", .0.escape_debug())]
    NotAChecksum(String),
    /// A built-in template does not render: a bug of ours.
    #[error("the pipeline file `{name}` does not render", name = .0.name)]
    Template(#[source] TemplateError),
}
