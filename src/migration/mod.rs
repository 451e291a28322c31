//! Schema changes: what is declared against what is live.
//!
//! In: [`Declared`] objects and a live [`Schema`](crate::model::schema::Schema). Out: judged
//! [`Step`](crate::model::migration::Step)s with the statements that carry them out, a [`Proof`] that they do, and
//! the [`Application`] that runs them. Both sides are read by one introspection, so that spelling can't differ.
//! `diff`, `fit`, `rule`, `rebuild` and `order` are pure; `desired`, `prove` and `apply` ask an engine.
//! Nothing here drops or forces by itself: what breaks somebody is a step that stands in the way.
//! Start at [`plan()`].

mod ahead;
mod apply;
mod build;
mod context;
mod count;
mod declared;
mod defaults;
mod desired;
mod diff;
mod drift;
mod error;
mod fit;
mod harmless;
mod import;
mod lift;
mod memory;
mod online;
mod order;
mod plan;
mod postgres;
mod prove;
mod rebuild;
mod rename;
mod renew;
mod reuse;
mod rule;
mod sample;
mod spoken;
mod statement;
mod steps;
#[cfg(test)]
mod trial;
mod trigger;
mod way;

pub use crate::warehouse::fingerprint;
pub use apply::{Application, Half};
pub use context::Facts;
pub use declared::{Body, Declared, DeclaredColumn, DeclaredObject, Described, State};
pub use desired::{Desired, Managed, desired};
pub use error::MigrationError;
pub use import::{Import, Imported, import};
pub use memory::{Forgetful, Memory, keep, recall};
pub use order::{AFTER_PUSH, BEFORE_PUSH};
pub use plan::{OpenScratch, Opening, Planned, plan};
pub use prove::{Proof, prove};
pub use steps::{Options, Steps, facts, questions, samples, steps};
