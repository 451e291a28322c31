//! The project file: found, read, checked, and merged for an environment with the origin of every value.
//!
//! In: a [`Snapshot`](crate::model::snapshot::Snapshot) with the project file and what it includes,
//! and what the world says ([`Inputs`]). Out: a [`Written`] project, sound as a whole, and for each
//! environment a [`Resolved`] one. Merging is figment's: each layer is a provider; a list whose
//! items have names is a dictionary in there, and its order and all places are kept beside. Nothing
//! here asks for a variable or a clock, and nothing is written. Start at [`load`], then
//! [`Written::environment`].

mod amend;
mod change;
mod check;
mod choose;
mod convert;
mod credential;
mod decode;
mod digest;
mod discover;
mod document;
mod dotenv;
mod environments;
mod error;
mod explain;
#[cfg(test)]
mod fuzz;
mod join;
mod json_schema;
mod layers;
mod lint;
mod plugin;
mod reference;
mod resolve;
mod secret;
mod shape;
mod suggest;
mod targets;
#[cfg(test)]
mod tests;
mod variable;
mod written;

pub use amend::{Amended, Like, Listed, add_environment, remove_environment};
pub use change::{Labels, changes};
pub use choose::{Asked, Chosen, choose_environment};
pub use digest::committed_digest;
pub use discover::{Discovered, discover, is_project_file, read_work_tree};
pub use dotenv::parse_dotenv;
pub use error::ConfigError;
pub use explain::{Explanation, Say, Standing};
pub use json_schema::{Form, project_schema};
pub use lint::lint_effective;
pub use plugin::{Block, Variable, handed_over};
pub use resolve::{Fault, Flags, Inputs, Resolved};
pub use secret::{MASK, Mask, is_secret_name, secrets};
pub use suggest::did_you_mean;
pub use written::{Written, all_findings, load};
