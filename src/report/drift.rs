//! Drift: what somebody changed by hand, three-way.

use super::label::{Label, Sign};
use super::schema::DriftResult;
use super::text::amount;
use super::view::{Item, Section, View};
use crate::model::migration::Drift;

/// Shows what is live otherwise than it was last applied.
pub(super) fn drift(found: &[Drift]) -> Section {
    Section::new(format!("Drift ({})", found.len())).items(found.iter().map(item))
}

fn item(drift: &Drift) -> Item {
    let sign = match (&drift.applied, &drift.live) {
        (None, Some(_)) => Sign::Add,
        (Some(_), None) => Sign::Remove,
        (Some(_), Some(_)) | (None, None) => Sign::Change,
    };
    let text = |side: &Option<String>| [side.clone().unwrap_or_else(|| "not there".to_owned())];
    Item::new(sign, [drift.object.as_str(), drift.part.as_str()])
        .prose("last applied", text(&drift.applied))
        .prose("live", text(&drift.live))
        .prose("declared", text(&drift.declared))
}

/// Shows the drift of `environment`.
pub fn drift_view(environment: &str, result: &DriftResult) -> View {
    let mut view = View::titled(format!("Drift of {environment}"));
    if let Some(target) = &result.target {
        view.fact("dataset", target.dataset.as_str());
        view.fact("warehouse", target.warehouse.as_str());
    }
    (view.label, view.headline) = match result.drift.len() {
        0 => (Label::Good, "None: what is live is what was last applied.".to_owned()),
        count => {
            let differ = if count == 1 { "differs" } else { "differ" };
            let parts = amount(count as u64, "part");
            (Label::Change, format!("{parts} of what is live {differ} from what was last applied."))
        }
    };
    view.add(drift(&result.drift).note(if result.drift.is_empty() {
        ""
    } else {
        "`promote migrate --plan` shows what would bring it to what is declared; or declare what is live."
    }));
    let ahead = result.ahead_of_code.iter().map(|subject| Item::new(Sign::None, [subject.as_str()]));
    view.add(Section::new("Ahead of the code").items(ahead));
    view
}
