//! YAML that merges by structure: by key, lists whose items have a `name` by name, everything else as text.
//!
//! In: three texts of one file (base, target, source). Out: one text that holds each side's every change
//! once, in the lines in which that side wrote it, and the disputes: what both sides changed. A document
//! is cut into pieces that can be put together again to the same bytes ([`cut`]), the pieces are joined
//! ([`join`]), written ([`write`]), and the result is read again and proven against the three values
//! ([`prove`]). What cannot be proven is not used. Start at [`merge`]; [`files`] applies it to trees.

mod account;
mod cut;
mod dispute;
mod files;
mod join;
mod merge;
mod piece;
mod prove;
#[cfg(test)]
mod tests;
mod write;

pub(super) use account::{Missing, Versions, missing};
pub(super) use dispute::{Dispute, Side};
pub(super) use files::{Structured, Wish, structured};
