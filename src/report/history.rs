//! The journal as a view: who promoted what, when, with which acknowledgements.

use super::command::said;
use super::label::Sign;
use super::risk::loss_place;
use super::step::{Tense, tally};
use super::text::{amount, listed, short};
use super::view::{Item, Section, View};
use crate::model::merge::Loss;
use crate::model::migration::Step;
use crate::model::plan::{Acknowledgements, GateState};
use crate::model::record::{AppliedMigration, Entry, Promoted, Record};

/// Characters of a plan's id that tell it from others.
const ID_CHARACTERS: usize = 12;

/// Shows records, the newest first: a block for each promotion, with what became of it later.
///
/// Shape: what followed a promotion that is not among the records has a block of its own.
pub fn history_view(environment: &str, records: &[Record]) -> View {
    let mut view = View::titled(format!("History of {environment}"));
    if records.is_empty() {
        "Nothing has been promoted yet.".clone_into(&mut view.headline);
        return view;
    }
    let title = format!("{}, the newest first", amount(records.len() as u64, "record"));
    view.add(Section::new(title).items(records.iter().rev().filter_map(|record| block(record, records))));
    view
}

/// Shows a record; nothing for one that is told with its promotion.
fn block(record: &Record, records: &[Record]) -> Option<Item> {
    let item = |sign: Sign, what: String| {
        Item::new(sign, [record.number.to_string(), time(&record.at), what]).prose("by", [record.by.clone()])
    };
    match &record.entry {
        Entry::Promotion(promoted) => {
            let item = item(Sign::Add, format!("{} → {}", promoted.from, promoted.to));
            let later = records.iter().filter(|later| follows(later, promoted)).filter_map(sentence);
            Some(
                promotion_details(item, promoted, &promoted.target_branch)
                    .prose("then", later)
                    .prose("plan", [id(&promoted.plan_id)]),
            )
        }
        Entry::Followed { plan_id, what, .. } => {
            let told = records.iter().any(|earlier| match &earlier.entry {
                Entry::Promotion(promoted) => follows(record, promoted),
                Entry::Followed { .. }
                | Entry::Proposed { .. }
                | Entry::Hold { .. }
                | Entry::Release { .. }
                | Entry::RolledBack { .. } => false,
            });
            let alone = || {
                item(Sign::Change, what.clone()).prose("what", sentence(record)).prose("plan", [id(plan_id)])
            };
            (!told).then(alone)
        }
        Entry::Proposed { branch, promotion } => Some(
            promotion_details(
                item(Sign::Change, format!("{} → {}: proposed in {branch}", promotion.from, promotion.to)),
                promotion,
                branch,
            )
            .prose("plan", [id(&promotion.plan_id)]),
        ),
        Entry::RolledBack { environment, commit, promotions, losses, .. } => Some(
            item(Sign::Danger, format!("rollback of {environment}"))
                .prose("code", [format!("commit {}", short(commit))])
                .prose("took back", promotions.iter().map(|commit| format!("commit {}", short(commit))))
                .prose("dropped", losses.iter().map(lost)),
        ),
        Entry::Hold { environment, reason } => Some(
            item(Sign::Danger, format!("hold of {environment}: no promotion until it is released"))
                .prose("why", [reason.clone()]),
        ),
        Entry::Release { environment, reason } => Some(
            item(Sign::None, format!("release of {environment}: promotions may go on"))
                .prose("why", [reason.clone()]),
        ),
    }
}

fn follows(record: &Record, promoted: &Promoted) -> bool {
    matches!(&record.entry, Entry::Followed { plan_id, .. } if *plan_id == promoted.plan_id)
}

/// Tells what became of a promotion: `ran 2026-11-20 10:00:00 UTC: 10 models built`.
fn sentence(record: &Record) -> Option<String> {
    let Entry::Followed { what, detail, migrations, .. } = &record.entry else { return None };
    let steps = steps_of(migrations);
    let mut told = Vec::new();
    told.extend((!detail.is_empty()).then(|| detail.trim_end_matches('.').to_owned()));
    told.extend((!steps.is_empty()).then(|| tally(&steps, Tense::Done)));
    let colon = if told.is_empty() { "" } else { ": " };
    Some(format!("{what} {}{colon}{}", time(&record.at), told.join("; ")))
}

/// Shows what a promotion brought, whose commit is in a branch.
fn promotion_details(item: Item, promoted: &Promoted, branch: &str) -> Item {
    let commit = match &promoted.commit {
        Some(commit) => format!("commit {} of {branch}", short(commit)),
        None => "the schema only".to_owned(),
    };
    let source = format!("{} of {}", short(&promoted.source_commit), promoted.source_branch);
    let given = &promoted.acknowledgements;
    let later = promoted.after_push.len() as u64;
    let schema = steps_of(&promoted.migrations);
    let overridden = promoted.gates.iter().filter(|gate| gate.state == GateState::Overridden);
    item.prose("code", [format!("{commit}, from {source}")])
        .prose("schema", (!schema.is_empty()).then(|| tally(&schema, Tense::Done)))
        .prose(
            "after",
            (later > 0).then(|| format!("{} let through, to run after the push", amount(later, "step"))),
        )
        .prose("dropped", accepted(promoted))
        .prose("kept", (!given.keep.is_empty()).then(|| listed(&given.keep)))
        .prose("allowed", (!given.allow.is_empty()).then(|| listed(&given.allow)))
        .prose("overrode", overridden.map(|gate| format!("{}: {}", gate.name, gate.detail)))
        .prose("said", other_flags(given))
}

fn steps_of(migrations: &[AppliedMigration]) -> Vec<Step> {
    migrations.iter().flat_map(|migration| migration.steps.clone()).collect()
}

/// Names the losses that were accepted, with whose work each was.
fn accepted(promoted: &Promoted) -> Vec<String> {
    if promoted.losses.is_empty() {
        return promoted.acknowledgements.accept_loss.clone();
    }
    promoted.losses.iter().map(lost).collect()
}

fn lost(loss: &Loss) -> String {
    let commit = loss.commit.as_deref().map(|commit| format!(" of {}", short(commit))).unwrap_or_default();
    let author = loss.author.as_deref().map(|author| format!(" by {author}")).unwrap_or_default();
    format!("{}{commit}{author}", loss_place(loss))
}

/// Lists what else was said to the plan, as flags.
fn other_flags(given: &Acknowledgements) -> Option<String> {
    let mut rest = given.clone();
    rest.accept_loss.clear();
    rest.keep.clear();
    rest.allow.clear();
    let flags = said(&rest);
    (!flags.is_empty())
        .then(|| flags.iter().map(|flag| super::command::quoted(flag)).collect::<Vec<_>>().join(" "))
}

/// Writes an instant for people: to the second, in UTC.
fn time(instant: &str) -> String {
    match instant.strip_suffix('Z').and_then(|instant| instant.split_once('T')) {
        Some((day, clock)) => format!("{day} {} UTC", clock.split('.').next().unwrap_or(clock)),
        None => instant.to_owned(),
    }
}

fn id(plan_id: &str) -> String {
    plan_id.get(..ID_CHARACTERS).unwrap_or(plan_id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Color, terminal};

    fn record(number: u64, entry: Entry) -> Record {
        Record {
            format: 1,
            number,
            previous: None,
            at: "2026-11-20T10:00:00.123Z".to_owned(),
            by: "Kari <kari@example.com>".to_owned(),
            entry,
        }
    }

    fn promotion() -> Entry {
        let plan = crate::report::example::refused();
        let migration = AppliedMigration {
            plan_id: plan.plan_id.clone(),
            at: "2026-11-20T10:00:00Z".to_owned(),
            by: "Kari".to_owned(),
            steps: plan.migration.steps[..1].to_vec(),
            acknowledgements: Acknowledgements::default(),
        };
        Entry::Promotion(Box::new(Promoted {
            planner: None,
            durations: None,
            plan_id: plan.plan_id,
            from: plan.from,
            to: plan.to,
            source_repository: plan.source.repository,
            source_branch: plan.source.branch,
            source_commit: plan.source.commit,
            source_project: None,
            target_branch: plan.target.branch,
            target_before: plan.target.before.clone(),
            target_project: None,
            commit: plan.target.before,
            tree: None,
            unrelated: false,
            losses: plan.merge.losses,
            part: Vec::new(),
            acknowledgements: Acknowledgements {
                keep: vec!["models/a.sql:3".to_owned(), "models/b.sql".to_owned()],
                allow: vec!["narrow-type:analytics_staging.orders.total".to_owned()],
                create_branch: true,
                ..Acknowledgements::default()
            },
            gates: Vec::new(),
            migrate: "promotion".to_owned(),
            migrations: vec![migration],
            after_push: plan.migration.steps[1..].to_vec(),
            tool: "0.1.0".to_owned(),
        }))
    }

    #[test]
    fn a_promotion_is_told_with_what_became_of_it() {
        let followed = |plan_id: &str, what: &str, detail: &str| Entry::Followed {
            plan_id: plan_id.to_owned(),
            what: what.to_owned(),
            detail: detail.to_owned(),
            migrations: Vec::new(),
        };
        let records = [
            record(1, promotion()),
            record(2, followed("9f86d081884c7d65", "ran", "10 models built")),
            record(3, followed("0123456789abcdef", "migrated", "CI migrated staging")),
        ];
        assert_eq!(
            terminal(&history_view("staging", &records), Color::Off),
            "\
History of staging

3 records, the newest first
  ~ 3  2026-11-20 10:00:00 UTC  migrated
      by    Kari <kari@example.com>
      what  migrated 2026-11-20 10:00:00 UTC: CI migrated staging
      plan  0123456789ab
  + 1  2026-11-20 10:00:00 UTC  dev → staging
      by       Kari <kari@example.com>
      code     commit 2222222 of main, from 1111111 of dev
      schema   1 added, 0 changed, 0 dropped
      after    1 step let through, to run after the push
      dropped  models/orders.sql:14-15 of 4444444 by Kari Nordmann <kari@example.com>
      kept     models/a.sql:3 and models/b.sql
      allowed  narrow-type:analytics_staging.orders.total
      said     --create-branch
      then     ran 2026-11-20 10:00:00 UTC: 10 models built
      plan     9f86d081884c
"
        );
    }

    #[test]
    fn the_newest_record_is_first() {
        let (environment, reason) = ("prod".to_owned(), "a bad number".to_owned());
        let records = [
            record(1, Entry::Hold { environment: environment.clone(), reason }),
            record(2, Entry::Release { environment, reason: "mended".to_owned() }),
        ];
        assert_eq!(
            terminal(&history_view("prod", &records), Color::Off),
            "\
History of prod

2 records, the newest first
    2  2026-11-20 10:00:00 UTC  release of prod: promotions may go on
      by   Kari <kari@example.com>
      why  mended
  ! 1  2026-11-20 10:00:00 UTC  hold of prod: no promotion until it is released
      by   Kari <kari@example.com>
      why  a bad number
"
        );
        assert_eq!(
            terminal(&history_view("prod", &[]), Color::Off),
            "History of prod\n\nNothing has been promoted yet.\n"
        );
    }
}
