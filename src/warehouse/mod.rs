//! Warehouses: what is live in them, a throw-away place to try things, and the statements that change them.
//!
//! In: a [`Warehouse`](crate::model::environment::Warehouse) and what is asked of it. Out: a
//! [`Schema`], counts, the ledger, or a fault with the engine's own words.
//! Reading, trying and writing are three traits; planning gets the first two only. Nothing here judges a
//! change: that is `migration`. State that is kept in the warehouse itself lies in tables whose
//! name begins with `_promote_` and is never part of a schema.
//! Start at [`connect()`].

use async_trait::async_trait;

use crate::model::coordinate::Dataset;
use crate::model::schema::{Column, Schema};

mod command;
mod connect;
mod csv;
mod duckdb;
mod error;
mod expression;
mod files;
mod fingerprint;
mod ledger;
mod postgres;
mod quote;
mod remembered;
mod rows;
mod scan;

pub use command::{Call, Said, call};
pub use connect::{Access, Interrupt, Reach, Routines, connect, scratch};
pub use csv::rows as csv_rows;
pub use error::WarehouseError;
pub use expression::{is_literal, with_calls};
pub use files::{Files, Typed};
pub use fingerprint::fingerprint;
pub use ledger::{Applied, Guard, Intent, Ledger, Mark, Owned, Ownership, Standing};
pub use postgres::words as server_words;
pub(crate) use quote::quoted;
pub use quote::{literal, name, path, same_name};
pub use remembered::{Remembered, Seen, state};
pub use scan::{
    Head, Kind, head, heads, line_of, only_query, only_statement, rows_of, single, statements, words,
    words_among, written_defaults,
};

/// A connection for planning and applying.
pub type Connection = Box<dyn Connected>;

/// Reads what is there and changes nothing.
#[async_trait(?Send)]
pub trait Inspect {
    /// Reads the relations and routines of these datasets, in a constant number of queries.
    async fn schema(&mut self, datasets: &[Dataset]) -> Result<Schema, WarehouseError>;

    /// Names the engine and its version.
    fn engine(&self) -> String;

    /// Reads what was recorded in a dataset; empty where nothing was.
    async fn ledger(&mut self, dataset: &Dataset) -> Result<Ledger, WarehouseError>;

    /// Asks counting queries, all in one go; the answers are in the order of the questions.
    ///
    /// [`WarehouseError::TooLong`] where that takes longer than [`Reach::questions`] says.
    async fn counts(&mut self, questions: &[String]) -> Result<Vec<u64>, WarehouseError>;

    /// Asks queries of one column of texts, `k`, all in one go; the answers are sorted, and bounded in time likewise.
    async fn texts(&mut self, questions: &[String]) -> Result<Vec<Vec<String>>, WarehouseError>;
}

/// A place where untrusted declarations are tried: no file, no network, nothing stays behind.
#[async_trait(?Send)]
pub trait Scratch {
    /// Forgets everything that was built; `texts` is the form in which the next will mostly be asked for.
    async fn reset(&mut self, texts: Texts) -> Result<(), WarehouseError>;

    /// Runs one statement, which must be one that declares or alters.
    async fn build(&mut self, statement: &str) -> Result<(), WarehouseError>;

    /// Runs such statements as [`Execute::apply`] would: in one transaction.
    async fn rehearse(&mut self, statements: &[String]) -> Result<(), WarehouseError>;

    /// Asks the engine what a query returns, without running it.
    async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError>;

    /// Reads what was built, by the introspection that reads a live schema.
    async fn schema(
        &mut self,
        datasets: &[Dataset],
        routines: Routines,
        texts: Texts,
    ) -> Result<Schema, WarehouseError>;
}

/// Which form of its texts an engine is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Texts {
    /// As it reads them from where it stores them, which is how those of a live schema are.
    Stored,
    /// As they are, which costs less; what equals stored texts without being stored equals them afterwards.
    AsMade,
}

/// Changes what is there.
#[async_trait(?Send)]
pub trait Execute {
    /// Runs the statements and writes the intent, in one transaction: all of it or nothing.
    async fn apply(&mut self, statements: &[String], intent: &Intent) -> Result<(), WarehouseError>;

    /// Runs statements in one transaction and gives how many rows the last one changed.
    async fn run(&mut self, statements: &[String]) -> Result<u64, WarehouseError>;
}

/// Both sides of a live connection.
pub trait Connected: Inspect + Execute {}

impl<T: Inspect + Execute> Connected for T {}
