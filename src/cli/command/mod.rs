//! The verbs, a file each, and how what they give is printed.
//!
//! A verb takes what was typed and gives an [`Answer`](answer::Answer): a view for people, a document for
//! programs, an exit code. It never prints its result itself. Start at [`run`].

mod answer;
mod apply;
mod check;
mod ci;
mod config;
mod demo;
mod doctor;
mod drift;
mod environment;
mod history;
mod hold;
mod import;
mod init;
mod migrate;
mod plan;
mod print;
mod question;
mod rollback;
mod run;
mod saved;
mod session;
mod status;
mod unlock;

pub(in crate::cli) use answer::{print_failure, run};
