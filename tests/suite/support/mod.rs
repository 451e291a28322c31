//! What the tests stand on: a hermetic sandbox, and projects to promote in it.

pub(crate) mod daemon;
pub(crate) mod database;
pub(crate) mod forge;
pub(crate) mod holder;
pub(crate) mod project;
pub(crate) mod sandbox;
pub(crate) mod server;

/// Says aloud that a test has nothing to do here, and why.
pub(crate) fn skipped(why: &str) {
    told(&format!("skipped: {why}"));
}

/// Says something past what the harness captures.
pub(crate) fn told(text: &str) {
    use std::io::Write as _;
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}
