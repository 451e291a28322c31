//! Words in, words out: the command line.
//!
//! In: what was typed and the real world ([`World`]). Out: text on stdout, talk on stderr, an exit
//! code. Nothing is decided here that a report would have to know. `args` is what can be typed,
//! `command` has a file for each verb, `console` is the only printer, and `failure` alone
//! gives an error its exit code and its hint. Start at [`run`].

mod args;
mod command;
mod console;
mod exit;
mod failure;
mod forge;
mod help;
mod start;
mod temporary;
mod world;

pub use exit::ExitCode;
pub use start::run;
pub use world::World;
