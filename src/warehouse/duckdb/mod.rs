//! DuckDB: one file, one writer, transactional DDL, views that are bound late.
//!
//! A file is attached to an engine in memory under its own name, so that a dataset of the same
//! name as the file is no ambiguity, and so that live, empty and scratch are one thing.
//! Every call of the engine blocks; a single thread waits for it anyway.

mod bare;
mod checks;
mod engine;
mod introspect;
mod live;
mod rows;
mod scratch;
#[cfg(test)]
mod trial;

pub(super) use live::DuckDb;
pub(super) use scratch::DuckDbScratch;
