//! Runs of models, and the findings of `check`, as views.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::label::{Label, Sign};
use super::risk::finding_item;
use super::text::amount;
use super::view::{Extent, Item, Section, View};
use crate::model::finding::{Finding, Level};

/// How the run of a model ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// To be run.
    Planned,
    /// Built.
    Done,
    /// Failed.
    Failed,
    /// Not run, because one that it needs failed.
    Skipped,
}

impl RunStatus {
    /// Gives the name that JSON and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// The run of a model: an element of `runs` in the result of `run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShownRun {
    /// The model's name.
    pub model: String,
    /// How it ended.
    pub status: RunStatus,
    /// Rows that it holds now, where known.
    pub rows: Option<u64>,
    /// How long it took, where the clock is to be shown.
    pub seconds: Option<f64>,
    /// Why it is run, or why it failed.
    pub detail: String,
}

/// Shows runs in the order in which they went.
pub fn runs_view(environment: &str, dataset: &str, runs: &[ShownRun]) -> View {
    let mut view = View::titled(format!("Runs in {environment}, dataset {dataset}"));
    let count = |status: RunStatus| runs.iter().filter(|run| run.status == status).count();
    let (done, failed, skipped) =
        (count(RunStatus::Done), count(RunStatus::Failed), count(RunStatus::Skipped));
    (view.label, view.headline) = if failed > 0 {
        (Label::Danger, format!("Failed: {} failed, {skipped} skipped.", amount(failed as u64, "model")))
    } else if runs.is_empty() {
        (Label::Good, "Nothing to run.".to_owned())
    } else if done == runs.len() {
        (Label::Good, format!("Done: {}.", amount(done as u64, "model")))
    } else {
        (Label::Plain, format!("Planned: {}.", amount(count(RunStatus::Planned) as u64, "model")))
    };
    let all_well = !runs.is_empty() && done == runs.len();
    let extent = if all_well { Extent::Lines } else { Extent::Whole };
    view.add(Section::new("Models").items(runs.iter().map(run_item)).extent(extent));
    view
}

fn run_item(run: &ShownRun) -> Item {
    let sign = match run.status {
        RunStatus::Planned => Sign::Change,
        RunStatus::Done => Sign::Add,
        RunStatus::Failed => Sign::Danger,
        RunStatus::Skipped => Sign::None,
    };
    let rows = run.rows.map(|rows| amount(rows, "row")).unwrap_or_default();
    let seconds = run.seconds.map(|seconds| format!("{seconds:.1} s")).unwrap_or_default();
    let detail = Some(run.detail.clone()).filter(|detail| !detail.is_empty());
    Item::new(sign, [run.model.clone(), run.status.as_str().to_owned(), rows, seconds])
        .prose("why", detail.iter().flat_map(|detail| detail.lines()))
}

/// Shows all faults of a project: what `check` prints.
pub fn findings_view(file: &str, found: &[Finding]) -> View {
    let mut view = View::titled(format!("Check of {file}"));
    let count = |level: Level| found.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    (view.label, view.headline) = match (errors, warnings) {
        (0, 0) => (Label::Good, "No faults.".to_owned()),
        (0, _) => (Label::Change, format!("No errors, {}.", amount(warnings as u64, "warning"))),
        (_, _) => (
            Label::Danger,
            format!("{}, {}.", amount(errors as u64, "error"), amount(warnings as u64, "warning")),
        ),
    };
    let mut ordered: Vec<&Finding> = found.iter().collect();
    ordered.sort_by(|one, other| {
        (one.level, &one.place, &one.code).cmp(&(other.level, &other.place, &other.code))
    });
    view.add(Section::new("Findings").items(ordered.into_iter().map(finding_item)));
    view
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Color, terminal};

    #[test]
    fn runs_say_what_failed_and_why() {
        let run = |model: &str, status, rows, detail: &str| ShownRun {
            model: model.to_owned(),
            status,
            rows,
            seconds: None,
            detail: detail.to_owned(),
        };
        let runs = [
            run("orders", RunStatus::Done, Some(1204), ""),
            run("revenue", RunStatus::Failed, None, "Binder Error: no column `total`"),
            run("report", RunStatus::Skipped, None, "`revenue` failed"),
        ];
        assert_eq!(
            terminal(&runs_view("prod", "analytics", &runs), Color::Off),
            "\
Runs in prod, dataset analytics

Failed: 1 model failed, 1 skipped.

Models
  + orders   done     1 204 rows
  ! revenue  failed
      why  Binder Error: no column `total`
    report   skipped
      why  `revenue` failed
"
        );
    }

    #[test]
    fn a_check_counts_what_it_found() {
        let found = [Finding::notice("a", "n"), Finding::error("b", "e"), Finding::warning("c", "w")];
        let view = findings_view("project.yml", &found);
        assert_eq!(view.headline, "1 error, 1 warning.");
        assert_eq!(view.sections[0].items[0].cells[0], "error[b]");
        assert_eq!(findings_view("project.yml", &[]).headline, "No faults.");
    }
}
