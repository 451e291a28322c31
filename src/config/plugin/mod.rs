//! Plugins as Meltano 4.4.1 resolves them: definitions, settings by layers, and what a plugin is handed.
//!
//! In: a [`Written`](super::Written) project, an environment (or none) and the variables that it sees. Out: an
//! [`EffectivePlugin`](crate::model::environment::EffectivePlugin) for each. A definition says which settings
//! there are; each layer is a figment provider that says which leaf of it has a say; the winner is expanded,
//! cast by its kind and, for `kind: object`, put together from its parts. Start at [`resolve_all`].

mod builtin;
mod cast;
mod check;
mod definition;
mod flat;
mod ground;
mod layers;
mod literal;
mod nest;
mod overlay;
mod prepare;
mod process;
mod resolve;
mod setting;
mod surroundings;
#[cfg(test)]
mod tests;
mod trace;
mod variables;

pub(super) use check::{check_declared, check_overlays, is_declared, near_keys};
pub(super) use definition::{Definitions, definitions, index as plugin_index};
pub use nest::handed_over;
pub(super) use resolve::resolve_all;
pub(super) use setting::KINDS as SETTING_KINDS;
pub(super) use surroundings::Surroundings;
pub(super) use trace::{keys_of, trace};
pub use variables::{Block, Variable};
pub(super) use variables::{Settled, settle};
