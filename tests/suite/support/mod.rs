//! What the tests stand on: a hermetic sandbox, and projects to promote in it.

pub(crate) mod daemon;
pub(crate) mod holder;
pub(crate) mod project;
pub(crate) mod sandbox;
pub(crate) mod server;
