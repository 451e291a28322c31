//! What was promoted and taken back since, on either side: named, and brought again or left out as it is said.
//!
//! In the target a merge would leave it out in silence. In the source, where a rollback is carried back, a merge
//! would take it out of the target as well.

use crate::git::{self, GitError, Merged, Revision, TakenBack};
use crate::model::merge::{Kept, Reverted, Undone};
use crate::model::name::EnvironmentName;
use crate::model::project::{Direction, Promotion};

use super::error::PromotionError;
use super::look::Looking;
use super::merging::Merging;
use super::request::Ports;

/// Makes the merge as it is described.
type Make<'m> = dyn Fn(&Merging) -> Result<Merged, GitError> + 'm;

impl Looking<'_> {
    /// Makes the merge, with what was taken back since named, and brought again or kept where that is said.
    pub(super) fn merged(
        &self,
        merging: &mut Merging,
        make: &Make<'_>,
        ports: &mut Ports<'_>,
    ) -> Result<Merged, PromotionError> {
        let Some(tip) = &self.gathered.to.tip else { return Ok(ports.doing("merging", || make(merging))?) };
        let TakenBack { open: reverted, left_out } = git::taken_back(self.store, tip, &self.source)?;
        if self.request.said.reinstate {
            merging.reinstate = reverts(&reverted)?;
        }
        let mut merged = ports.doing("merging", || make(merging))?;
        let taken_back = self.spared(&mut merged, (merging, make), tip)?;
        let undone = git::undone(self.store, (tip, &self.source), merged.tree.as_ref(), &merging.selected)?;
        let named = |undone: &Undone| reverted.iter().any(|one| undone.commit.as_ref() == Some(&one.commit));
        let undone: Vec<Undone> = undone.into_iter().filter(|undone| !named(undone)).collect();
        if self.request.said.reinstate && !undone.is_empty() {
            merging.again = undone.iter().map(|undone| undone.path.clone()).collect();
            merged = make(merging)?;
        }
        if merged.up_to_date && self.is_along(&merging.promotion) {
            let sides = (tip, &self.source);
            merged.merge.kept = git::kept(self.store, sides, &merging.promotion.protected_paths)?;
        }
        let rollbacks = self.rollbacks(reverted.iter().chain(&left_out), &self.source)?;
        let of_one = |kept: &Kept| rollbacks.iter().any(|one| kept.commit.as_ref() == Some(&one.commit));
        merged.merge.kept.retain(|kept| !of_one(kept));
        (merged.merge.reverted, merged.merge.undone) = (reverted, undone);
        (merged.merge.left_out, merged.merge.taken_back) = (left_out, taken_back);
        Ok(merged)
    }

    /// Lists what was taken back in the source and would go in the target too; merges without that where it is said.
    ///
    /// Shape: nothing along `promotion.order`, where a rollback is promoted like all that the source did.
    fn spared(
        &self,
        merged: &mut Merged,
        (merging, make): (&mut Merging, &Make<'_>),
        tip: &Revision,
    ) -> Result<Vec<Reverted>, PromotionError> {
        if merged.up_to_date || self.is_along(&merging.promotion) {
            return Ok(Vec::new());
        }
        let TakenBack { open, left_out } = git::taken_back(self.store, &self.source, tip)?;
        let rollbacks = self.rollbacks(open.iter().chain(&left_out), tip)?;
        if rollbacks.is_empty() {
            return Ok(rollbacks);
        }
        let spare = Merging { spare: reverts(&rollbacks)?, ..merging.clone() };
        let spared = match make(&spare) {
            // What was chosen is none of it.
            Ok(spared) if spared.tree == merged.tree && spared.tree.is_some() => return Ok(Vec::new()),
            spared => spared,
        };
        if self.request.said.reinstate {
            *merged = spared?;
            *merging = spare;
        }
        Ok(rollbacks)
    }

    /// Chooses the reverts of whole promotions; the revert of a commit that the other side has is work like any other.
    fn rollbacks<'r>(
        &self,
        reverts: impl Iterator<Item = &'r Reverted>,
        other: &Revision,
    ) -> Result<Vec<Reverted>, GitError> {
        let mut found = Vec::new();
        for revert in reverts {
            if !self.store.contains(other, &Revision::new(&revert.promotion)?)? {
                found.push(revert.clone());
            }
        }
        Ok(found)
    }

    /// Whether `promotion.order` has both environments, and not the other way round.
    fn is_along(&self, promotion: &Promotion) -> bool {
        let (from, to) = (&self.request.from, &self.request.to);
        let ordered = |name: &str| promotion.order.contains(&EnvironmentName::new(name));
        ordered(from) && ordered(to) && self.direction(promotion) != Direction::Backward
    }
}

/// Takes over what was found to be taken back: a part that is closed is made of the same two sides.
pub(super) fn with_the_same(before: &Merged, mut merged: Merged) -> Merged {
    let found = before.merge.clone();
    (merged.merge.reverted, merged.merge.undone) = (found.reverted, found.undone);
    (merged.merge.left_out, merged.merge.taken_back) = (found.left_out, found.taken_back);
    merged
}

fn reverts(reverted: &[Reverted]) -> Result<Vec<Revision>, GitError> {
    let mut commits: Vec<&str> = reverted.iter().map(|reverted| reverted.commit.as_str()).collect();
    commits.dedup();
    commits.into_iter().map(Revision::new).collect()
}
