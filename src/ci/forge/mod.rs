//! Forges: what only their REST API can do: make a repository, open a pull request, tell what is protected.
//!
//! In: a repository's address and the environment's variables. Out: a [`Forge`] that is asked, or a [`ForgeError`] with
//! the forge's own words. A token goes to the host that the variables name for it, or to the forge's own public host, and
//! nowhere else: a project file cannot send it elsewhere. Git's own transport is not here. Start at [`Forge`].

mod address;
mod bitbucket;
mod client;
mod error;
mod gitea;
mod github;
mod gitlab;
mod kind;
mod repository;
mod words;

pub use address::Address;
pub use error::ForgeError;
pub use kind::{ForgeKind, tokens};
pub use repository::{Forge, Opened, PullRequest, compare_page};
