//! What both sides changed in one place, and who wins it.

use crate::model::merge::Lines;

/// A side of a merge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::git) enum Side {
    Target,
    Source,
}

/// What the two sides quarrel about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::git) enum Quarrel {
    /// Both changed the value, or both added another one.
    Value,
    /// The source deleted what the target changed; the changed value stays.
    DeletedBySource,
    /// The target deleted what the source changed; the changed value comes back.
    DeletedByTarget,
    /// Both changed a comment or the layout, the values aside.
    Layout,
}

/// A place that both sides changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::git) struct Dispute {
    /// Keys and names from the root to the place.
    pub(in crate::git) path: Vec<String>,
    pub(in crate::git) quarrel: Quarrel,
    pub(in crate::git) winner: Side,
    /// The target's lines; for what the target deleted, the line before which it was.
    pub(in crate::git) target: Option<Lines>,
    /// The source's lines.
    pub(in crate::git) source: Option<Lines>,
}

/// Who wins: the side that is preferred, but for the target's lines that are to be kept.
pub(in crate::git) struct Favour<'a> {
    pub(in crate::git) side: Side,
    /// Tells of the target's lines whether the target wins there anyway.
    pub(in crate::git) keeps: &'a dyn Fn(Option<Lines>) -> bool,
}

impl Favour<'_> {
    pub(super) fn winner(&self, target: Option<Lines>) -> Side {
        if (self.keeps)(target) { Side::Target } else { self.side }
    }
}
