//! `promote` carries a change from one environment to the next: it observes, decides, acts and tells.
//!
//! A room is a folder of this crate and imports only rooms of a lower rank:
//!
//! | rank | rooms |
//! |---|---|
//! | 6 | [`cli`]: words in, words out |
//! | 5 | [`promotion`]: observe → plan → guard → apply → record |
//! | 4 | [`migration`]: schema changes; [`transform`]: runs of models |
//! | 3 | [`warehouse`]: databases; [`models`]: project files → rendered models; [`ci`]: what differs inside CI |
//! | 2 | [`config`]: project file and layers; [`git`]: merge and transport; [`sql`]: coordinates; [`report`]: values → text |
//! | 1 | [`yaml`]: text ↔ values with positions; [`template`]: Jinja |
//! | 0 | [`model`]: nouns |
//!
//! Flow: `Request + Project + Snapshot + live Schema → Observed → Plan → (guard) → Event* → Outcome → Record`.
//! Start at [`promotion`] for the story, at [`model::plan`] for the decision.

pub mod ci;
pub mod cli;
pub mod config;
pub mod git;
pub mod migration;
pub mod model;
pub mod models;
pub mod promotion;
pub mod report;
pub mod sql;
pub mod template;
pub mod transform;
pub mod warehouse;
pub mod yaml;
