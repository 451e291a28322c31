//! What differs inside CI: where we run, and the pipeline files that bring us there.
//!
//! In: the environment's variables as a map, or what a pipeline is for. Out: a [`CiContext`], or the
//! files of [`pipeline`]. Nothing is read or written here. Start at [`context`].

mod error;
mod pipeline;
mod provider;
mod remote;

pub use error::CiError;
pub use pipeline::{PipelineContext, PipelineFile, pipeline};
pub use provider::{CiContext, Provider, Trigger, context};
pub use remote::same_repository;
