//! PostgreSQL: reading its catalog, trying declarations in a database of their own or in a transaction that is rolled
//! back, changing it in transactions.
//!
//! In: a connection's parameters as libpq takes them. Out: what the traits of this room promise. The crate that
//! speaks the protocol is named here alone. A catalog is read with an empty search path, so that every name in it
//! is written out and both sides of a comparison are spelled alike.
//! Start at `live` for a connection, at `scratch` and `aside` for a place to try things in.

mod aside;
mod catalog;
mod declaring;
mod error;
mod introspect;
mod live;
mod parameters;
mod record;
mod scratch;
mod seed;
mod server;
mod tls;

pub(super) use aside::AsideScratch;
pub(super) use live::Postgres;
pub use parameters::words;
pub(super) use scratch::PostgresScratch;
