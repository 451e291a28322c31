//! The edge: the real world in, an exit code out.

fn main() {}
