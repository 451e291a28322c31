//! A schema that is ahead of its code: what was applied for a version of the code that was taken back since. Pure.
//!
//! The ledger keeps from what each object was made, also earlier. Where the declaration is one that was applied
//! before, the code went back, and columns that came in between are no deletion that somebody wrote: they stay.

use super::desired::Desired;
use super::diff::Change;
use super::drift::Kept;
use super::steps::Options;
use crate::model::coordinate::Coordinate;
use crate::model::migration::{Mechanics, Step, Verdict};
use crate::model::schema::Schema;
use crate::warehouse::{Ledger, Mark, same_name};

/// The code of such a step.
pub(super) const AHEAD_OF_CODE: &str = "ahead-of-code";

/// What the code went back from: what is live, what is declared now and what the ledger knows.
pub(super) struct Retreat<'a> {
    pub(super) live: &'a Schema,
    pub(super) desired: &'a Desired,
    pub(super) ledger: &'a Ledger,
    pub(super) options: &'a Options,
}

impl Retreat<'_> {
    /// Parts what would go only because the code went back, unless `--allow` names it, from all other changes: columns
    /// of tables, and views that would return less.
    pub(super) fn apart(&self, changes: Vec<Change>) -> (Vec<Step>, Vec<Change>) {
        let mut staying = Vec::new();
        let mut others = Vec::new();
        for change in changes {
            match self.stays(&change) {
                Some(step) => staying.push(step),
                None => others.push(change),
            }
        }
        (staying, others)
    }

    fn stays(&self, change: &Change) -> Option<Step> {
        if let Change::DropColumn { table, column } = change {
            let column = column.name.as_str();
            let reason = format!(
                "column `{column}` was applied for a later version of the code, which was taken back: it stays"
            );
            let allow = format!("drop-column:{table}.{column}");
            return self
                .gone(table, "drop-column", &[column])
                .then(|| self.notice(table, Some(column), reason, &allow));
        }
        if let Change::DropTrigger { table, trigger } = change {
            return self.trigger_stays(table, trigger);
        }
        let Change::ChangeView(view) = change else { return None };
        let (there, wanted) = (self.live.relations.get(view)?, self.desired.schema.relations.get(view)?);
        let names = there.columns.iter().map(|column| column.name.as_str());
        let gone: Vec<&str> = names.filter(|name| wanted.column(name).is_none()).collect();
        let list: Vec<String> = gone.iter().map(|name| format!("`{name}`")).collect();
        let reason = format!(
            "`{view}` returns {} for a later version of the code, which was taken back: the view stays as it is",
            list.join(", ")
        );
        let stays = !gone.is_empty() && self.gone(view, "drop-view-column", &gone);
        stays.then(|| self.notice(view, None, reason, &format!("drop-view-column:{view}")))
    }

    fn trigger_stays(&self, table: &Coordinate, trigger: &str) -> Option<Step> {
        let wanted = self.desired.schema.relations.get(table);
        let again = wanted.is_some_and(|wanted| wanted.extra.triggers.contains_key(trigger));
        let reason = format!(
            "trigger `{trigger}` was applied for a later version of the code, which was taken back: it stays"
        );
        let stays = !again && self.gone(table, "drop-trigger", &[]);
        stays.then(|| self.notice(table, Some(trigger), reason, &format!("drop-trigger:{table}")))
    }

    /// Whether columns go because the code went back, and nobody named them.
    fn gone(&self, object: &Coordinate, code: &str, columns: &[&str]) -> bool {
        let whole = format!("{code}:{object}");
        let named = |said: &String| {
            same_name(said, &whole)
                || columns.iter().any(|column| same_name(said, &format!("{whole}.{column}")))
        };
        !self.options.allow.iter().any(named)
            && went_back(self.desired, self.ledger, object)
            && columns.iter().all(|column| was_applied(self.ledger, object, column))
    }

    fn notice(&self, object: &Coordinate, part: Option<&str>, reason: String, allow: &str) -> Step {
        let place = self.desired.objects.get(object).and_then(|managed| managed.place.as_ref());
        Step {
            code: AHEAD_OF_CODE.to_owned(),
            object: object.to_string(),
            column: part.map(str::to_owned),
            verdict: Verdict::Notice,
            settled: Verdict::Notice,
            mechanics: Mechanics::None,
            group: 0,
            after_push: false,
            ddl: Vec::new(),
            reason,
            affected: Vec::new(),
            recipe: vec![format!("to let it go: `--allow {allow}`")],
            way: Vec::new(),
            probe: None,
            allow: None,
            allowed: false,
            place: place.map(ToString::to_string),
        }
    }
}

/// Whether an object is declared as it was before it was declared as it is now.
fn went_back(desired: &Desired, ledger: &Ledger, object: &Coordinate) -> bool {
    let declared = desired.objects.get(object).map(|managed| managed.source_hash.as_str());
    let (Some(applied), Some(declared)) = (ledger.applied.get(object), declared) else {
        return false;
    };
    applied.source_hash != declared && applied.earlier.contains(declared)
}

fn was_applied(ledger: &Ledger, object: &Coordinate, column: &str) -> bool {
    let kept = ledger.applied.get(object).and_then(|applied| Kept::read(&applied.definition));
    let relation = kept.and_then(|kept| kept.relation);
    relation.is_some_and(|relation| relation.columns.iter().any(|known| same_name(&known.name, column)))
}

/// What an object is once it was applied: what is declared, and the columns that it is ahead of the code by.
pub(super) fn mark(
    desired: &Desired,
    ledger: &Ledger,
    steps: &[Step],
    (object, source_hash): (&Coordinate, &str),
) -> Option<Mark> {
    let mut kept = Kept::of(&desired.schema, object);
    let mut source_hash = source_hash.to_owned();
    let subject = object.to_string();
    let staying = steps.iter().filter(|step| step.code == AHEAD_OF_CODE && step.object == subject);
    let staying: Vec<Option<&str>> = staying.map(|step| step.column.as_deref()).collect();
    if staying.contains(&None) {
        let last = ledger.applied.get(object)?;
        let (source_hash, definition) = (last.source_hash.clone(), last.definition.clone());
        return Some(Mark { object: object.clone(), source_hash, definition });
    }
    if !staying.is_empty() {
        let last = ledger.applied.get(object)?;
        let before = Kept::read(&last.definition).and_then(|kept| kept.relation);
        let before = before?.into_owned();
        let now = kept.relation.as_mut()?.to_mut();
        let more = before.columns.into_iter().filter(|column| {
            staying.contains(&Some(column.name.as_str())) && now.column(&column.name).is_none()
        });
        let more: Vec<_> = more.collect();
        now.columns.extend(more);
        let triggers = before.extra.triggers.into_iter();
        now.extra.triggers.extend(triggers.filter(|(trigger, _)| staying.contains(&Some(trigger.as_str()))));
        source_hash.clone_from(&last.source_hash);
    }
    let definition = serde_json::to_string(&kept).ok()?;
    Some(Mark { object: object.clone(), source_hash, definition })
}
