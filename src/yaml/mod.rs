//! YAML with places: text ↔ values that know where they are written, and edits that touch no other byte.
//!
//! In: the text of one document. Out: a [`Node`] tree in which every key and value has its line,
//! column and bytes, read as YAML 1.2 the way ruamel reads it (`yes` is a string, `0123` is 123),
//! with anchors, aliases and merge keys resolved to the place where a value is written. Bounded: a
//! document may come from a branch that nobody has approved, so size, depth and what aliases
//! multiply have limits. Start at [`parse()`]; [`edit`] changes a text.

mod build;
pub mod edit;
mod error;
mod extent;
mod list;
mod node;
mod parse;
mod print;
mod scalar;

pub use error::YamlError;
pub use node::{Entry, Kind, Node};
pub use parse::{parse, parse_all};
pub use print::to_text;
