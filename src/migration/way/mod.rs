//! The way out of a change that would break somebody: stages of edits, statements and flags.
//!
//! In: what a rule wants to be declared for a while. Out: [`Stage`]s that can be carried out as they stand: each begins
//! where the one before left the files, the last leaves them as they are now. Where a file is not at hand, or
//! does not say it in a way that can be edited, the words remain. Pure.
//!
//! `stage` holds the files as they stand; `column`, `object` and `properties` edit declarations where they are written.

mod column;
mod object;
mod properties;
mod stage;
mod undropped;

pub(super) use stage::Way;
pub(super) use undropped::undropped;
