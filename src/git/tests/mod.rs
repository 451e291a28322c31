//! Repositories in temporary folders, and what the room does with them.

mod arriving;
mod comparing;
mod deleting;
mod merging;
mod returning;
mod sandbox;
mod selecting;
mod transport;
