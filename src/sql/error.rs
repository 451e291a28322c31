//! What can be wrong with SQL text.

/// A text that cannot be taken apart.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SqlError {
    /// A string, quoted name or comment does not end, or a character belongs to no token.
    #[error("{message}")]
    Token {
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
        /// What is wrong, in one sentence.
        message: String,
    },
    /// A name with another coordinate in its place would no longer be read as that name.
    #[error("the name `{name}` cannot be replaced by `{replacement}`")]
    Unstable {
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
        /// The name as it is written.
        name: String,
        /// What was to stand there.
        replacement: String,
    },
}

impl SqlError {
    /// Gives line and column, from 1.
    pub fn position(&self) -> (u32, u32) {
        match self {
            Self::Token { line, column, .. } | Self::Unstable { line, column, .. } => (*line, *column),
        }
    }
}
