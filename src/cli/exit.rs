//! Exit codes: a promise, documented by `promote help exit-codes`.

/// How the process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done,
    /// The answer is no.
    No,
    /// Wrong usage.
    Usage,
    /// The project or its configuration is wrong.
    Project,
    /// Git: a conflict that needs a person, unreachable, rejected.
    Git,
    /// Warehouse: unreachable, a statement failed.
    Warehouse,
    /// Something moved since the plan.
    Stale,
    /// Locked by another promotion.
    Locked,
    /// Changes are pending (`--exit-code`).
    Pending,
    /// A bug of ours.
    Bug,
    /// Interrupted.
    Interrupted,
}

impl ExitCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Done,
        Self::No,
        Self::Usage,
        Self::Project,
        Self::Git,
        Self::Warehouse,
        Self::Stale,
        Self::Locked,
        Self::Pending,
        Self::Bug,
        Self::Interrupted,
    ];

    /// Gives the number that the shell sees.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Project => 3,
            Self::Git => 4,
            Self::Warehouse => 5,
            Self::Stale => 6,
            Self::Locked => 7,
            Self::Pending => 10,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }

    /// Says what it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::No => "the answer is no: a loss, an incompatible change, a gate",
            Self::Usage => "wrong usage",
            Self::Project => "the project or its configuration is wrong",
            Self::Git => "Git: a conflict that needs a person, unreachable, rejected",
            Self::Warehouse => "warehouse: unreachable, a statement failed",
            Self::Stale => "stale: something moved since the plan",
            Self::Locked => "locked by another promotion",
            Self::Pending => "changes are pending (`--exit-code` only)",
            Self::Bug => "a bug of ours",
            Self::Interrupted => "interrupted",
        }
    }
}
