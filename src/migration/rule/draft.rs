//! A step while a rule fills it in.

use crate::migration::context::Context;
use crate::migration::sample::keys_of;
use crate::migration::way::Way;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Affected, Mechanics, Probe, Step, Verdict};

/// A step that is being written.
pub(super) struct Draft(Step);

impl Draft {
    /// Begins a step about an object.
    pub(super) fn new(context: &Context<'_>, code: &str, object: &Coordinate) -> Self {
        Self(Step {
            code: code.to_owned(),
            object: object.to_string(),
            column: None,
            verdict: Verdict::Compatible,
            settled: Verdict::Compatible,
            mechanics: Mechanics::Metadata,
            group: 0,
            after_push: false,
            ddl: Vec::new(),
            reason: String::new(),
            affected: Vec::new(),
            recipe: Vec::new(),
            way: Vec::new(),
            probe: None,
            allow: None,
            allowed: false,
            place: context.place(object),
        })
    }

    /// Says which column it is about.
    pub(super) fn column(mut self, column: &str) -> Self {
        self.0.column = Some(column.to_owned());
        self
    }

    /// Judges the kind of change, and what the engine does for it.
    pub(super) fn judged(mut self, verdict: Verdict, mechanics: Mechanics) -> Self {
        (self.0.verdict, self.0.settled, self.0.mechanics) = (verdict, verdict, mechanics);
        self
    }

    /// Says what waivers and probes make of it.
    pub(super) fn settled(mut self, settled: Verdict) -> Self {
        self.0.settled = settled;
        self
    }

    /// Says what changes and why that matters.
    pub(super) fn reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = reason.into();
        self
    }

    /// Gives the statements.
    pub(super) fn ddl(mut self, ddl: Vec<String>) -> Self {
        self.0.ddl = ddl;
        self
    }

    /// Names who is affected.
    pub(super) fn affected(mut self, affected: Vec<Affected>) -> Self {
        self.0.affected = affected;
        self
    }

    /// Gives the way that breaks nobody, in stages.
    pub(super) fn way(mut self, way: Way<'_>) -> Self {
        self.0.way = way.done();
        self.0.recipe = self.0.way.iter().map(|stage| stage.say.clone()).collect();
        self
    }

    /// Asks the data, with the answer where it is known.
    pub(super) fn probe(mut self, sql: String, rows: Option<u64>) -> Self {
        self.0.probe = Some(Probe { sql, rows, sample_sql: None, sample: Vec::new() });
        self
    }

    /// Asks for the keys of up to three rows that stand in the way, where some do.
    pub(super) fn sampled(mut self, sql: Option<String>) -> Self {
        if let Some(probe) = self.0.probe.as_mut().filter(|probe| probe.rows.is_some_and(|rows| rows > 0)) {
            probe.sample_sql = sql;
        }
        self
    }

    /// Asks the data where that is possible, and for the keys of rows whose column stands in the way.
    pub(super) fn probed(
        self,
        context: &Context<'_>,
        (table, column): (&Coordinate, &String),
        probe: Option<String>,
        rows: Option<u64>,
    ) -> Self {
        let Some(probe) = probe else { return self };
        let sample = keys_of(context, table, &[column], &probe);
        self.probe(probe, rows).sampled(sample)
    }

    /// Ends it: what stands in the way says how it is let through.
    pub(super) fn done(mut self) -> Step {
        if matches!(self.0.settled, Verdict::Incompatible | Verdict::NeedsDataCheck) {
            self.0.allow = Some(format!("{}:{}", self.0.code, self.0.subject()));
        }
        self.0
    }

    /// Ends it: nothing lets it through as it is.
    pub(super) fn refused(mut self) -> Step {
        self.0.settled = Verdict::Incompatible;
        self.0
    }
}
