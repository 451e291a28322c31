//! The one test binary: stories, commands and adapters, each in a file of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and asks the environment for what the machine has"
)]

mod architecture;
mod bad_input;
mod bad_luck;
mod command_ci;
mod command_config;
mod command_demo;
mod command_environment;
mod command_forge;
mod command_git;
mod command_others;
mod command_part;
mod command_promote;
mod conformance_schema;
mod crash;
mod drift;
mod duckdb_bad_input;
mod import;
mod interrupt;
mod killed;
mod meltano_cases;
mod merge_cases;
mod migrate_saved;
mod offered;
mod planner;
mod postgres_bad_input;
mod postgres_counting;
mod postgres_crash;
mod postgres_online;
mod postgres_rights;
mod postgres_tls;
mod probes;
mod properties;
mod recipes;
mod storm;
mod submodules;
mod support;
mod untrusted;
mod warehouse_postgres;
