//! The story: observe → plan → guard → apply → record.
//!
//! In: a [`Request`] and [`Ports`] to the real world. Out: a [`Scene`] with the plan, and after [`apply()`]
//! the same plan as it was carried out. Observing and deciding change nothing; the decision is a value
//! ([`Plan`](crate::model::plan::Plan)) made by pure functions (`plan`, `guard`, `ledger`); all writes are in `apply`.
//! `schema` plans the warehouse's part for promotions, `migrate` and CI alike. Start at [`observe()`].

mod apply;
mod check;
mod ci;
mod closure;
mod declare;
mod digest;
mod effective;
mod environment;
mod error;
mod examine;
mod folder;
mod gather;
mod ground;
mod guard;
mod import;
mod journal;
mod known;
mod landing;
mod ledger;
mod load;
mod lock;
mod look;
mod mask;
mod memory;
mod merging;
mod migrate;
mod observe;
mod observed;
mod plan;
mod planner;
mod propose;
mod protect;
mod publish;
mod reading;
mod recover;
mod request;
mod returning;
mod rewrite;
mod rollback;
mod run;
mod schema;
mod site;
mod status;
mod stores;
mod structural;
mod submodules;
mod unlock;
mod workspace;

pub use apply::{Applied, OnMove, apply, settle};
pub use check::{Checked, check};
pub use ci::{CiPush, CiRequest, ci_plan, ci_push};
pub use environment::{Added, Environments, Removed, add_environment, environments, remove_environment};
pub use error::PromotionError;
pub use examine::{Trying, examine};
pub use import::{Importing, plan_import};
pub use journal::{History, history, note};
pub use migrate::{Migrating, plan_migration, who};
pub use observe::{Scene, observe};
pub use plan::TOOL;
pub use reading::{Configurations, Configured, Files, Reading, read};
pub use request::{Ports, Request};
pub use rollback::{RollbackRequest, RollbackScene, plan_rollback, roll_back};
pub use run::{build, build_promoted, runs};
pub use status::{Standing, status};
pub use unlock::{Held, lock_of, unlock};
pub use workspace::{Made, MadeWorkspace};
