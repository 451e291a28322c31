//! What can be wrong with a run.

/// A table that could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The engine refused a statement; other tables may go on.
    #[error("{message}")]
    Statement {
        /// The statement.
        sql: String,
        /// The engine's words.
        message: String,
    },
    /// The warehouse or the user is gone; nothing more can be built.
    #[error("{message}")]
    Lost {
        /// What happened.
        message: String,
    },
}

/// Runs that could not go on.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// A run names a model that is not there.
    #[error("`{model}` is no table that a run fills")]
    NotRunnable {
        /// The model.
        model: String,
    },
    /// The SQL of a model cannot be taken apart.
    #[error("the query of `{coordinate}` cannot be read: {source}")]
    Sql {
        /// The table.
        coordinate: String,
        /// Why.
        #[source]
        source: crate::sql::SqlError,
    },
    /// The text of a seed cannot be cut into rows.
    #[error("the seed of `{coordinate}` cannot be read: {message}")]
    Seed {
        /// The table.
        coordinate: String,
        /// Why.
        message: String,
    },
    /// The warehouse was lost on the way.
    #[error("`{model}` could not be built")]
    Lost {
        /// The model.
        model: String,
        /// Why.
        #[source]
        source: RefreshError,
    },
}
