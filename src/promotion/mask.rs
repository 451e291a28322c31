//! Nothing secret leaves: texts of a plan that come from files, commits or engines are masked. Pure.

use crate::config::Mask;
use crate::model::finding::Finding;
use crate::model::migration::{Migration, Probe, Step};
use crate::model::plan::Plan;

/// Masks what a plan quotes. Names, ids and closed lists stay as they are: a plan has to work.
pub(super) fn plan(plan: &mut Plan, mask: &Mask) {
    let merge = &mut plan.merge;
    for loss in &mut merge.losses {
        texts(&mut loss.text, mask);
        for text in [&mut loss.subject, &mut loss.author].into_iter().flatten() {
            one(text, mask);
        }
    }
    for left in &mut merge.left_behind {
        texts(&mut left.text, mask);
    }
    for protected in &mut merge.protected {
        protected.source_wanted.iter_mut().for_each(|text| one(text, mask));
    }
    for conflict in &mut merge.conflicts {
        one(&mut conflict.source, mask);
        one(&mut conflict.target, mask);
    }
    migration(&mut plan.migration, mask);
    for gate in &mut plan.gates {
        one(&mut gate.detail, mask);
    }
}

/// Masks what a migration quotes; the statements that run are kept elsewhere.
pub(super) fn migration(migration: &mut Migration, mask: &Mask) {
    migration.steps.iter_mut().for_each(|quoted| step(quoted, mask));
    if let Some(planner) = &mut migration.planner {
        texts(&mut planner.output, mask);
        for text in [&mut planner.summary, &mut planner.refused].into_iter().flatten() {
            one(text, mask);
        }
    }
    for drift in &mut migration.drift {
        for text in [&mut drift.applied, &mut drift.live, &mut drift.declared].into_iter().flatten() {
            one(text, mask);
        }
    }
    for text in [&mut migration.proof, &mut migration.note].into_iter().flatten() {
        one(text, mask);
    }
}

/// Masks what findings quote.
pub(super) fn findings(findings: &mut [Finding], mask: &Mask) {
    for finding in findings {
        one(&mut finding.message, mask);
        finding.hint.iter_mut().for_each(|hint| one(hint, mask));
    }
}

/// Masks what a step quotes.
fn step(step: &mut Step, mask: &Mask) {
    texts(&mut step.ddl, mask);
    texts(&mut step.recipe, mask);
    one(&mut step.reason, mask);
    for stage in &mut step.way {
        one(&mut stage.say, mask);
        texts(&mut stage.sql, mask);
        for edit in &mut stage.edits {
            texts(&mut edit.before, mask);
            texts(&mut edit.after, mask);
        }
    }
    if let Some(Probe { sql, sample_sql, sample, .. }) = &mut step.probe {
        one(sql, mask);
        if let Some(sql) = sample_sql {
            one(sql, mask);
        }
        texts(sample, mask);
    }
}

fn texts(texts: &mut [String], mask: &Mask) {
    for text in texts {
        one(text, mask);
    }
}

fn one(text: &mut String, mask: &Mask) {
    *text = mask.text(text);
}
