//! What applying a planned schema needs: steps over a connection of ours, or somebody else's planner.

use crate::migration::Half;
use crate::model::record::{AppliedMigration, Entry};

use super::error::PromotionError;
use super::planner::Planning;
use super::request::Ports;
use super::schema::{Applying, Tables};

/// What applying a planned schema needs.
pub(super) enum Known {
    /// Steps of ours.
    Tables(Box<Tables>),
    /// Somebody else's planner.
    Planner(Box<Planning>),
}

impl Known {
    /// Whether a half has anything to run or to remember.
    pub(super) fn has(&self, applying: &Applying<'_>, half: Half) -> bool {
        match self {
            Self::Tables(tables) => tables.has(applying, half),
            Self::Planner(planner) => planner.has(half),
        }
    }

    /// Applies a half, checked against the plan; gives whether there was anything to do.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Stale`] if the live schema or the data moved; [`PromotionError::Warehouse`].
    pub(super) async fn apply(
        &self,
        applying: &Applying<'_>,
        half: Half,
        ports: &mut Ports<'_>,
    ) -> Result<bool, PromotionError> {
        match self {
            Self::Tables(tables) => tables.apply(applying, half, ports).await,
            Self::Planner(planner) => planner.apply(applying, half, ports).await,
        }
    }

    /// Gives what has to be in the journal before anything is applied: a warehouse of ours keeps that itself, in the
    /// transaction of the statements.
    pub(super) fn begun(&self, applying: &Applying<'_>, ports: &Ports<'_>) -> Option<Entry> {
        match self {
            Self::Tables(_) => None,
            Self::Planner(planner) => planner.begun(applying, ports),
        }
    }

    /// Gives the migrations that were committed by now.
    ///
    /// # Errors
    ///
    /// [`PromotionError::Warehouse`] if the warehouse cannot be read.
    pub(super) async fn recorded(
        &self,
        applying: &Applying<'_>,
        ports: &Ports<'_>,
    ) -> Result<Vec<AppliedMigration>, PromotionError> {
        match self {
            Self::Tables(tables) => Ok(tables.recorded(ports).await?.migrations),
            Self::Planner(planner) => Ok(planner.recorded(applying, ports)),
        }
    }
}
