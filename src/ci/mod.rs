//! What differs inside CI: where we run, and the pipeline files that bring us there.
//!
//! In: the environment's variables as a map, or what a pipeline is for. Out: a [`CiContext`], or the
//! files of [`pipeline`]. Nothing is read or written there. Start at [`context`]. What only a forge's API can do is in
//! [`Forge`], which asks it.

mod error;
mod forge;
mod pipeline;
mod provider;
mod remote;

pub use error::CiError;
pub use forge::{Address, Forge, ForgeError, ForgeKind, Opened, PullRequest, compare_page, tokens};
pub use pipeline::{PipelineContext, PipelineFile, pipeline};
pub use provider::{CiContext, Provider, Trigger, context};
pub use remote::same_repository;
