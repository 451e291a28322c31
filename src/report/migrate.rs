//! The migration of one environment on its own: what `migrate` prints.

use super::command::quoted;
use super::drift::drift;
use super::label::Label;
use super::planner::planner;
use super::refusal::{Refusal, step_refusals};
use super::risk::{blocked_steps, faults, notices, warnings};
use super::step::{Tense, migration, tally};
use super::text::amount;
use super::view::{Extent, View};
use crate::model::finding::Finding;
use crate::model::migration::{Migration, MigrationState};

/// How far a migration has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Decided, nothing done.
    Planned,
    /// Something stands in the way.
    Stopped,
    /// Its statements were run.
    Applied,
}

/// Shows a migration of `environment`.
///
/// Shape: `said` are the flags that were typed (`--allow`, `CODE:OBJECT`, …); commands repeat them.
pub fn migrate_view(
    environment: &str,
    steps: &Migration,
    progress: Progress,
    said: &[String],
    found: &[Finding],
) -> View {
    let mut view = View::titled(format!("Migration of {environment}"));
    if let Some(target) = &steps.target {
        view.fact("dataset", target.dataset.as_str());
        view.fact("warehouse", target.warehouse.as_str());
    }
    view.fact("proof", steps.proof.clone().unwrap_or_default());
    (view.label, view.headline) = headline(steps, progress);
    view.add(faults(found));
    view.add(blocked_steps(steps, |allow| force(environment, said, allow)));
    view.add(warnings(found));
    view.add(planner(steps.planner.as_ref()));
    view.add(drift(&steps.drift));
    let schema = migration(steps);
    let (word, tense, extent) = match progress {
        Progress::Applied => ("Done", Tense::Done, Extent::Lines),
        Progress::Planned | Progress::Stopped => ("Plan", Tense::ToDo, schema.extent.clone()),
    };
    view.add(schema.extent(extent));
    view.add(notices(found));
    if steps.state == MigrationState::Known {
        view.total = format!("{word}: {}.", tally(&steps.steps, tense));
    }
    view
}

/// Lists what stands in the way of a migration of `environment`.
pub fn migrate_refusals(environment: &str, steps: &Migration, said: &[String]) -> Vec<Refusal> {
    step_refusals(environment, &steps.steps, |allow| force(environment, said, allow))
}

fn force(environment: &str, said: &[String], allow: &str) -> String {
    let words = ["promote", "migrate", "-e", environment].into_iter();
    let words = words.chain(said.iter().map(String::as_str)).chain(["--allow", allow]);
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn headline(steps: &Migration, progress: Progress) -> (Label, String) {
    let blocked = steps.steps.iter().filter(|step| step.blocks()).count();
    match (steps.state, progress) {
        (MigrationState::Off, _) => (Label::Plain, "There is no migration here.".to_owned()),
        (MigrationState::Unknown, _) => (Label::Change, "The migration is unknown: CI plans it.".to_owned()),
        (MigrationState::Known, _) if blocked > 0 => (
            Label::Danger,
            format!(
                "Refused: {} not compatible. Nothing has been changed.",
                match blocked {
                    1 => "1 schema change is".to_owned(),
                    many => format!("{} are", amount(many as u64, "schema change")),
                }
            ),
        ),
        (MigrationState::Known, Progress::Stopped) => {
            let what = if steps.refusal().is_some() {
                "its planner refuses"
            } else if steps.is_disproven() {
                "its statements fail where they were tried"
            } else if steps.is_unproven() {
                "its statements could not be tried first"
            } else {
                "something stands in the way"
            };
            (Label::Danger, format!("Refused: {what}. Nothing has been changed."))
        }
        (MigrationState::Known, Progress::Applied) if steps.pending() => {
            (Label::Good, "Migrated: the live schema is what the files declare.".to_owned())
        }
        (MigrationState::Known, _) if !steps.pending() => {
            (Label::Good, "Nothing to do: the live schema is what the files declare.".to_owned())
        }
        (MigrationState::Known, Progress::Planned | Progress::Applied) => {
            (Label::Good, "Planned: nothing stands in the way, nothing has been changed yet.".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{ready, refused};

    #[test]
    fn says_how_far_it_is_and_how_to_go_on() {
        let said = ["--dataset".to_owned(), "d".to_owned()];
        let view = |steps: &Migration, progress| migrate_view("staging", steps, progress, &said, &[]);
        let blocked = refused().migration;
        assert_eq!(
            view(&blocked, Progress::Planned).headline,
            "Refused: 1 schema change is not compatible. Nothing has been changed."
        );
        let hints = migrate_refusals("staging", &blocked, &said).remove(0).hints;
        let command =
            "promote migrate -e staging --dataset d --allow narrow-type:analytics_staging.orders.total";
        assert!(hints.iter().any(|hint| hint.contains(command)), "{hints:?}");
        let good = ready().migration;
        assert!(view(&good, Progress::Planned).headline.starts_with("Planned"));
        assert!(view(&good, Progress::Applied).headline.starts_with("Migrated"));
        let wrong = Migration { proof: Some("failed: no such type".to_owned()), ..good };
        assert_eq!(
            view(&wrong, Progress::Stopped).headline,
            "Refused: its statements fail where they were tried. Nothing has been changed."
        );
        let off = Migration::off("there is no project file");
        assert_eq!(view(&off, Progress::Planned).sections[0].note, "there is no project file");
    }
}
