//! The one test binary: stories, commands and adapters, each in a file of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and asks the environment for what the machine has"
)]

mod architecture;
mod bad_input;
mod command_ci;
mod command_config;
mod command_demo;
mod command_environment;
mod command_git;
mod command_others;
mod command_promote;
mod conformance_schema;
mod crash;
mod interrupt;
mod meltano_cases;
mod merge_cases;
mod postgres_online;
mod probes;
mod properties;
mod recipes;
mod support;
mod warehouse_postgres;
