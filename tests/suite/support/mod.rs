//! What the tests stand on: a hermetic sandbox, and projects to promote in it.

pub(crate) mod daemon;
pub(crate) mod holder;
pub(crate) mod project;
pub(crate) mod sandbox;
pub(crate) mod server;

/// Says aloud that a test has nothing to do here, and why: past what the harness captures.
pub(crate) fn skipped(why: &str) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "skipped: {why}").unwrap();
}
