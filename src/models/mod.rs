//! Project files → rendered models, what they refer to, and the order in which they build.
//!
//! In: a snapshot and the environment. Out: objects with their coordinates, compiled SQL and declared
//! columns, dependencies first; or every fault of every file at once. dbt's conventions, so that a dbt
//! project's files read here. Asks no warehouse and reads no file. Start at [`load()`].

mod config;
mod ddl;
mod draft;
mod error;
mod files;
mod graph;
mod load;
mod object;
mod order;
mod place;
mod properties;
mod render;
mod resolve;
mod seed;
mod select;
mod sources;
mod suggest;
#[cfg(test)]
mod tests;

pub use error::ModelsError;
pub use graph::{Graph, Order};
pub use load::{Context, load};
pub use object::{
    DeclaredColumn, DeclaredConstraint, Materialized, Models, Object, ObjectKind, Seed, State, UsedSource,
};
pub use select::{SelectError, select};
