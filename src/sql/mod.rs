//! SQL as text: statements, what they create, what they refer to, and other coordinates in their place.
//!
//! In: rendered SQL of one dialect. Out: statements with their lines, references with byte spans, or
//! the same text with other coordinates at those spans. Works on tokens, so that it also reads what a
//! parser does not know yet; a text is never printed anew, so comments, quotes and layout stay. Reads
//! and writes nothing. Start at [`rewrite()`].

mod counter;
mod creation;
mod dialect;
mod error;
mod lexed;
mod mapping;
mod quote;
mod reference;
mod rewrite;
mod scan;
mod statement;
pub mod table;
mod token;
mod unplaced;
mod words;

pub use counter::{bare_counters, placed_counters};
pub use creation::{Creation, CreationKind, Leading, leading};
pub use dialect::Dialect;
pub use error::SqlError;
pub use lexed::Lexed;
pub use mapping::{Known, Mapping};
pub use quote::{literal, qualified, quote, quoted};
pub use reference::{Part, Reference, Role, references};
pub use rewrite::{Rewritten, Target, Use, replace, rewrite};
pub use statement::{Statement, split};
pub use unplaced::unplaced;
