//! Repositories in temporary folders, and what the room does with them.

mod merging;
mod sandbox;
mod transport;
