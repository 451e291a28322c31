//! The nouns that every room shares: values without behaviour of their own.
//!
//! Nothing here reads, writes, asks a clock or knows a library beyond serde (and the derive of
//! JSON Schemas beside it). Start at [`plan::Plan`], the decision that everything leads to.

pub mod coordinate;
pub mod environment;
pub mod event;
pub mod examined;
pub mod finding;
pub mod merge;
pub mod migration;
pub mod name;
pub mod origin;
pub mod outcome;
pub mod plan;
pub mod planner;
pub mod project;
pub mod record;
pub mod rollback;
pub mod schema;
pub mod snapshot;
pub mod status;
