//! Git: revisions, trees, refs, merge and transport.
//!
//! Everything happens on objects, with no checkout. The library (git2) reads, merges and writes; the
//! `git` program fetches, pushes and gives the second opinion on merges. A ref moves by
//! compare-and-set after every object is written, so a crash before that changes nothing.
//! Nothing here reads the environment or a clock, and nothing prints.
//! Start at [`Store`] for where objects are, at [`merge()`] for what a promotion brings, at
//! [`publish()`] for how it gets there.

mod apart;
mod arrival;
mod base;
mod blame;
mod brought;
mod commit;
mod conflict;
mod create;
mod deleted;
mod engine;
mod error;
mod export;
mod filling;
mod guard;
mod history;
mod journal;
mod keep;
mod landing;
mod layout;
mod lfs;
mod lines;
mod lock;
mod loss;
mod merge;
mod moving;
mod name;
mod opinion;
mod own;
mod program;
mod protect;
mod publish;
mod push;
mod remote;
mod reverted;
mod revision;
mod rollback;
mod selection;
mod selector;
mod ssh;
mod store;
mod structure;
mod submodule;
#[cfg(test)]
mod tests;
mod tree;
mod trial;
mod undone;
mod unsure;
mod url;
mod waiting;
mod worktree;

pub use base::{Resemblance, Squashed, resemblance};
pub use commit::{CommitMessage, commit};
pub use create::{Standing, create_branch, create_repository, standing};
pub use engine::library;
pub use error::GitError;
pub use journal::{append, read};
pub use landing::{Landing, Sought, landing, named_promotions};
pub use lfs::{Pointer, carry, has_objects};
pub use lock::{Lock, LockHolder, LockRequest, acquire, held, release, release_left};
pub use merge::{MergeRequest, Merged, Unrelated, kept, merge};
pub use own::hotfixes;
pub use program::{GitProgram, Prompts};
pub use protect::{KeysKept, ProtectKeys};
pub use publish::{Destination, Publication, Published, Transport, publish};
pub use remote::{Fetch, Fetched, tip};
pub use reverted::{LEFT_OUT, REVERTS, TakenBack, taken_back};
pub use revision::{Identity, Revision};
pub use rollback::{Back, Backwards, back};
pub use selection::{Selected, pending};
pub use selector::selector_of;
pub use store::Store;
pub use submodule::{Answer, Moved, Submodules};
pub use trial::{Trial, try_refs};
pub use undone::undone;
pub use url::{display_url, local_path, may_be_same};
pub use worktree::{Followed, WorkTreeState, finish, follow, prepare, state, uncommitted, unpushed};
