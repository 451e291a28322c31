//! A plan or promotion as a view: the sections in order of risk, the headline, the total.

use super::command::{command_with, quoted};
use super::drift::drift;
use super::label::Label;
use super::planner::planner;
use super::refusal::reasons;
use super::risk::{
    blocked_steps, conflicts, faults, gates, losses, notices, settled_losses, standing_gates, warnings,
};
use super::section::{
    configuration, files, in_one_line, kept, left_behind, lines, part, protected, runs, summed_up,
    target_only, zombies,
};
use super::step::{Tense, migration, tally};
use super::text::{amount, listed, short};
use super::view::{DetailKind, Extent, Section, View};
use crate::model::environment::Via;
use crate::model::finding::Finding;
use crate::model::migration::MigrationState;
use crate::model::outcome::Outcome;
use crate::model::plan::{GateState, Plan};

/// Shows a plan or a promotion.
///
/// Shape: what stands in the way comes first (faults, conflicts, losses, blocked steps, gates), then
/// what changes (schema, configuration, files, models), then what stays, then notices. Where something
/// stands in the way, or all is done, a terminal shows the rest in a line for each thing or section.
///
/// Pure: equal inputs give equal output.
pub fn plan_view(plan: &Plan, found: &[Finding]) -> View {
    let mut view = View::titled(format!("Promotion of {} to {}", plan.from, plan.to));
    (view.label, view.headline) = headline(plan);
    circumstances(&mut view, plan);
    for section in [
        faults(found),
        conflicts(plan),
        losses(plan),
        blocked_steps(&plan.migration, |allow| command_with(plan, &["--allow", allow])),
        gates(plan),
        warnings(found),
    ] {
        view.add(section);
    }
    for section in rest(plan) {
        view.add(shortened(section, plan.outcome));
    }
    view.add(notices(found));
    if plan.outcome == Outcome::Promoted {
        let shows = format!("promote history {}", quoted(&plan.to));
        view.add(Section::new("Record").note(format!("in the journal of {}; `{shows}` shows it.", plan.to)));
    } else {
        view.total = total(plan);
    }
    if !offers_commands(&view) {
        view.next.clone_from(&plan.next);
    }
    view.plan_id = Some(plan.plan_id.clone());
    view
}

/// What stands in nobody's way.
fn rest(plan: &Plan) -> Vec<Section> {
    let (mut schema, mut changed) = (migration(&plan.migration), files(plan));
    if plan.outcome == Outcome::Promoted {
        schema = summed_up(schema, tally(&plan.migration.steps, Tense::Done));
        changed = summed_up(changed, format!("{} lines", lines(&plan.merge.files)));
    }
    let mut sections = vec![
        settled_losses(plan),
        planner(plan.migration.planner.as_ref()),
        drift(&plan.migration.drift),
        schema,
    ];
    sections.extend(configuration(plan));
    sections.extend([
        part(plan),
        changed,
        runs(plan),
        kept(plan),
        left_behind(plan),
        protected(plan),
        zombies(plan),
        target_only(plan),
        standing_gates(plan),
    ]);
    sections
}

/// Makes a section as short as the outcome wants it.
fn shortened(section: Section, outcome: Outcome) -> Section {
    match outcome {
        Outcome::Promoted => in_one_line(section),
        Outcome::Refused | Outcome::Conflict if section.extent == Extent::Whole => {
            section.extent(Extent::Lines)
        }
        Outcome::Refused
        | Outcome::Conflict
        | Outcome::Planned
        | Outcome::Proposed
        | Outcome::Partial
        | Outcome::NothingToDo
        | Outcome::Stale => section,
    }
}

/// Whether what stands in the way comes with the commands that settle it.
fn offers_commands(view: &View) -> bool {
    let risky = view.sections.iter().filter(|section| section.risk);
    let mut details = risky.flat_map(|section| &section.items).flat_map(|item| &item.details);
    details.any(|detail| detail.kind == DetailKind::Command)
}

fn headline(plan: &Plan) -> (Label, String) {
    let reasons = reasons(plan);
    let because = if reasons.is_empty() { "see below".to_owned() } else { listed(&reasons) };
    match plan.outcome {
        Outcome::Planned => {
            let waiting = plan.gates.iter().filter(|gate| gate.state == GateState::Waiting).count();
            if waiting > 0 {
                (Label::Change, format!("Planned, and waiting for {}.", amount(waiting as u64, "gate")))
            } else {
                (Label::Good, "Planned: nothing stands in the way, nothing has been changed yet.".to_owned())
            }
        }
        Outcome::Promoted => (Label::Good, promoted(plan)),
        Outcome::Proposed => (Label::Good, proposed(plan)),
        Outcome::Partial => (
            Label::Danger,
            "Partly done: schema and code are not at the same state; the same promotion, run again, ends it."
                .to_owned(),
        ),
        Outcome::NothingToDo => {
            let what = if plan.merge.part.is_empty() {
                format!("everything that {} has", plan.from)
            } else {
                format!("what was chosen of {}", plan.from)
            };
            (Label::Good, format!("Nothing to do: {} has {what}.", plan.to))
        }
        Outcome::Refused => (Label::Danger, format!("Refused: {because}. Nothing has been changed.")),
        Outcome::Conflict => {
            (Label::Danger, format!("Stopped at a conflict: {because}. Nothing has been changed."))
        }
        Outcome::Stale => {
            (Label::Danger, "Stale: something moved since this plan was made; plan again.".to_owned())
        }
    }
}

fn promoted(plan: &Plan) -> String {
    match &plan.target.after {
        Some(after) => {
            format!("Promoted: {} is at {} of branch {} now.", plan.to, short(after), plan.target.branch)
        }
        None => format!("Promoted: the schema of {} is up to date, the code was already.", plan.to),
    }
}

fn proposed(plan: &Plan) -> String {
    let Some(proposal) = &plan.proposal else { return "Proposed.".to_owned() };
    let merged = format!("{} is promoted when it is merged", plan.to);
    match (proposal.number, &proposal.url) {
        (Some(number), Some(url)) => format!("Proposed: pull request {number} is open at {url}; {merged}."),
        (None, Some(url)) => {
            format!(
                "Proposed: branch {} is pushed, and its pull request can be opened at {url}; {merged}.",
                proposal.branch
            )
        }
        (_, None) => {
            format!(
                "Proposed: branch {} waits to be merged into {}; {merged}.",
                proposal.branch, plan.target.branch
            )
        }
    }
}

fn circumstances(view: &mut View, plan: &Plan) {
    let repository = |name: &str| if name == "." { String::new() } else { format!(" of {name}") };
    view.fact(
        "from",
        format!(
            "{}: branch {} at {}{}",
            plan.from,
            plan.source.branch,
            short(&plan.source.commit),
            repository(&plan.source.repository)
        ),
    );
    let before = match &plan.target.before {
        Some(before) => format!("at {}", short(before)),
        None => "that is not there yet".to_owned(),
    };
    view.fact(
        "to",
        format!("{}: branch {} {before}{}", plan.to, plan.target.branch, repository(&plan.target.repository)),
    );
    if let Some(proposal) = &plan.proposal {
        let how = match proposal.via {
            Via::PullRequest => "by a pull request of branch",
            Via::Push | Via::Branch => "when somebody merges branch",
        };
        view.fact("via", format!("{how} {}", proposal.branch));
    }
    let base = match (&plan.merge.base, &plan.target.before) {
        (Some(base), _) => format!("since {}", short(base)),
        (None, Some(_)) => "of unrelated histories".to_owned(),
        (None, None) => "into an empty target".to_owned(),
    };
    view.fact("merge", format!("{base}, by {}", plan.merge.engine));
    if let Some(target) = &plan.migration.target {
        let proof = plan.migration.proof.as_ref().map_or_else(String::new, |proof| format!(" ({proof})"));
        view.fact("schema", format!("dataset {} in {}{proof}", target.dataset, target.warehouse));
    }
}

/// Sums a plan up in one line.
fn total(plan: &Plan) -> String {
    let mut parts = Vec::new();
    let files = &plan.merge.files;
    parts.push(match files.len() {
        0 => "no file to change".to_owned(),
        count => format!("{} to change ({} lines)", amount(count as u64, "file"), lines(files)),
    });
    let values: usize = plan.config.environments.values().map(Vec::len).sum();
    if values > 0 {
        parts.push(format!("{} of the configuration", amount(values as u64, "value")));
    }
    parts.push(match plan.migration.state {
        MigrationState::Known => format!("schema: {}", tally(&plan.migration.steps, Tense::ToDo)),
        MigrationState::Unknown => "schema unknown: CI plans it".to_owned(),
        MigrationState::Off => "schema: left alone".to_owned(),
    });
    if !plan.runs.is_empty() {
        parts.push(format!("{} to build", amount(plan.runs.len() as u64, "model")));
    }
    format!("Plan: {}.", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Run;
    use crate::report::example::{found, hostile, ready, refused};
    use crate::report::{COMMENT_BUDGET_BYTES, Color, html, markdown, refusals, terminal, terminal_refusals};

    const REFUSED: &str = "\
Promotion of dev to staging

  from    dev: branch dev at 1111111
  to      staging: branch main at 2222222 of ../shop-staging.git
  merge   since 3333333, by libgit2 1.9.7, git 2.47.3
  schema  dataset analytics_staging in duckdb data/staging.duckdb (proven)

Refused: 1 loss is not settled and 1 schema change is not compatible. Nothing has been changed.

Losses (1)
  Work that only staging has, and that this merge would drop. Each needs a word: drop it knowingly, or keep it.
    commit 4444444           Fix the VAT of Norway and Sweden
      by  Kari Nordmann <kari@example.com>, 2026-11-02, 1 loss
  ! models/orders.sql:14-15  lines that go
      - when 'NO' then 0.25
      - when 'SE' then 0.25
      drop it  promote dev staging --accept-loss models/orders.sql:14-15
      keep it  promote dev staging --keep models/orders.sql:14-15

Refused schema changes (1)
  ! narrow-type  analytics_staging.orders.total  INCOMPATIBLE, writes all rows
      at         models/orders.yml:9
      why        `total` would go from DECIMAL(18,4) to DECIMAL(10,2)
      data       1 204 rows stand in the way, such as `id=17`, `id=23`
      probe      select count(*) from analytics_staging.orders where total <> round(total, 2)
      used by    `analytics_staging.revenue` (models/revenue.sql:9), of this project
      instead    1. add `total_2` beside it
                 2. move the readers
      by hand    -- 1. models/orders.yml, line 12
                 - - {name: total, data_type: real}
                 + - {name: total, data_type: double}
                 -- 3. with --allow drop-column:analytics_staging.orders.total
      would run  ALTER TABLE analytics_staging.orders ALTER total TYPE DECIMAL(10,2)
      force it   promote dev staging --allow narrow-type:analytics_staging.orders.total

Warnings
  ~ warning[not-pushed]  2 commits of `dev` are only here
      hint  push them first

Schema of staging (1 other step)
  + add-column  analytics_staging.orders.discount  compatible  models/orders.yml:9
  statements in full: --format json|markdown|html

Configuration of staging (1 value)
  ~ extractors/tap-auth0.domain  shop.eu.auth0.com → shop-staging.eu.auth0.com

Configuration elsewhere: Nothing changes for dev and prod.

Files (2)
  + models/discounts.sql  added     +12 -0
  ~ models/orders.sql     modified  +3 -2

Models to build (1)
  ~ orders  its code changed

Hotfixes kept (1)
  staging keeps these and dev does not have them yet: `promote staging dev` carries them back.
    models/customers.sql:3  4444444  Kari Nordmann <kari@example.com>

Protected in staging (1)
    default_environment  dev wanted dev

Gates passed
    order  passed  dev is before staging

Good to know
    notice[engines-differ]  `a.sql` is merged otherwise by Git

Plan: 2 files to change (+15 -2 lines); 1 value of the configuration; schema: 1 to add, 0 to change, 0 to drop, 1 refused; 1 model to build.

Plan id: 9f86d081884c7d65
";

    const PROMOTED: &str = "\
Promotion of dev to staging

  from    dev: branch dev at 1111111
  to      staging: branch main at 2222222 of ../shop-staging.git
  merge   since 3333333, by libgit2 1.9.7, git 2.47.3
  schema  dataset analytics_staging in duckdb data/staging.duckdb (proven)

Promoted: staging is at 5555555 of branch main now.

Schema of staging (1 step): 1 added, 0 changed, 0 dropped
Configuration of staging (1 value): extractors/tap-auth0.domain
Configuration elsewhere: Nothing changes for dev and prod.
Files (2): +15 -2 lines
Models that this makes stale (1): orders
Hotfixes kept (1): models/customers.sql:3
Protected in staging (1): default_environment
Gates passed: order
Record: in the journal of staging; `promote history staging` shows it.

Plan id: 9f86d081884c7d65
";

    #[test]
    fn a_promotion_that_is_done_is_told_in_lines() {
        let mut plan = ready();
        plan.outcome = Outcome::Promoted;
        plan.target.after = Some("5555555eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee".to_owned());
        plan.next.clear();
        assert_eq!(terminal(&plan_view(&plan, &[]), Color::Off), PROMOTED);
        assert!(html(&plan_view(&plan, &[])).unwrap().contains("ADD COLUMN discount"));
    }

    #[test]
    fn a_first_promotion_has_a_line_for_each_object() {
        let mut plan = ready();
        let step = &mut plan.migration.steps[0];
        (step.code, step.column) = ("create-table".to_owned(), None);
        "table `analytics_staging.orders` is new".clone_into(&mut step.reason);
        step.place = Some("models/orders.sql:1:1".to_owned());
        plan.migration.steps.insert(0, plan.migration.steps[0].clone());
        plan.runs =
            (0..12).map(|number| Run { model: format!("model_{number}"), ..plan.runs[0].clone() }).collect();
        let shown = terminal(&plan_view(&plan, &[]), Color::Off);
        assert!(
            shown.contains(
                "
Schema of staging (2 steps)
  + create-table  analytics_staging.orders  models/orders.sql
  + create-table  analytics_staging.orders  models/orders.sql
  statements in full: --format json|markdown|html
"
            ),
            "{shown}"
        );
        assert!(
            shown
                .contains("\n\nModels to build (12): model_0, model_1, model_2, … model_10 and model_11\n\n"),
            "{shown}"
        );
    }

    #[test]
    fn a_refused_plan_begins_with_what_stands_in_the_way() {
        let shown = terminal(&plan_view(&refused(), &found()), Color::Off);
        assert_eq!(shown, REFUSED);
    }

    #[test]
    fn a_ready_plan_is_told_in_markdown_too() {
        let shown = markdown(&plan_view(&ready(), &[]), COMMENT_BUDGET_BYTES);
        assert_eq!(shown, "\
## Promotion of dev to staging

**Planned: nothing stands in the way, nothing has been changed yet.**

- from: dev: branch dev at 1111111
- to: staging: branch main at 2222222 of ../shop-staging.git
- merge: since 3333333, by libgit2 1.9.7, git 2.47.3
- schema: dataset analytics\\_staging in duckdb data/staging.duckdb (proven)

<details><summary>Schema of staging (1 step)</summary>

- `+` `add-column`: analytics\\_staging.orders.discount · compatible · models/orders.yml:9
  - why: `discount` is new, and nobody has to fill it
  - runs:

    ```sql
    ALTER TABLE analytics_staging.orders ADD COLUMN discount DECIMAL(12,2)
    ```


</details>

### Configuration of staging (1 value)

- `~` `extractors/tap-auth0.domain`: shop.eu.auth0.com → shop-staging.eu.auth0.com
  - was: project.yml:30:20 (environment)
  - now: project.yml:32:20 (environment)

### Configuration elsewhere

Nothing changes for dev and prod.


### Files (2)

- `+` `models/discounts.sql`: added · +12 -0
- `~` `models/orders.sql`: modified · +3 -2

### Models to build (1)

- `~` `orders`: its code changed

### Hotfixes kept (1)

staging keeps these and dev does not have them yet: `promote staging dev` carries them back.

- `models/customers.sql:3`: 4444444 · Kari Nordmann &lt;kari&#64;example.com&gt;

### Protected in staging (1)

- `default_environment`: dev wanted dev

### Gates passed

- `order`: passed · dev is before staging

**Plan: 2 files to change (+15 -2 lines); 1 value of the configuration; schema: 1 to add, 0 to change, 0 to drop; 1 model to build.**

Next:

```sh
promote dev staging
```

Plan id: `9f86d081884c7d65`
");
    }

    #[test]
    fn a_loss_that_no_commit_explains_has_nobody_it_would_be_by() {
        let mut plan = refused();
        let loss = &mut plan.merge.losses[0];
        (loss.commit, loss.subject, loss.author, loss.date) = (None, None, None, None);
        let shown = terminal(&plan_view(&plan, &[]), Color::Off);
        assert!(shown.contains("\n    no single commit         1 loss\n  ! models/orders.sql"), "{shown}");
    }

    #[test]
    fn refusals_name_each_way_out() {
        let shown = terminal_refusals(&refusals(&refused()), Color::Off);
        assert_eq!(
            shown,
            "\
blocked[loss]: the merge would drop `models/orders.sql:14-15` of staging
  at models/orders.sql:14
hint: drop it knowingly: `promote dev staging --accept-loss models/orders.sql:14-15`
hint: keep it: `promote dev staging --keep models/orders.sql:14-15`

blocked[narrow-type]: `total` would go from DECIMAL(18,4) to DECIMAL(10,2)
  in staging analytics_staging.orders.total
hint: add `total_2` beside it
hint: move the readers
hint: or let it through with `promote dev staging --allow narrow-type:analytics_staging.orders.total`
"
        );
    }

    #[test]
    fn the_id_is_last_and_alone() {
        for plan in [refused(), ready(), hostile()] {
            let shown = terminal(&plan_view(&plan, &[]), Color::Off);
            assert!(shown.ends_with("\nPlan id: 9f86d081884c7d65\n"), "{shown}");
            assert!(shown.lines().all(|line| line == line.trim_end()), "{shown}");
        }
    }

    #[test]
    fn nothing_in_a_repository_steers_the_reader() {
        let view = plan_view(&hostile(), &found());
        for shown in
            [terminal(&view, Color::Off), markdown(&view, COMMENT_BUDGET_BYTES), html(&view).unwrap()]
        {
            assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown}");
        }
        let page = html(&view).unwrap();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        let comment = markdown(&view, COMMENT_BUDGET_BYTES);
        assert!(!comment.contains("<img") && !comment.contains(" @team"), "{comment}");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let view = plan_view(&refused(), &found());
        let plain = terminal(&view, Color::Off);
        let mut stripped = String::new();
        let mut rest = terminal(&view, Color::On);
        assert!(rest.contains("\u{1b}[1m"));
        while let Some(start) = rest.find('\u{1b}') {
            let end = start + rest[start..].find('m').unwrap() + 1;
            stripped.push_str(&rest[..start]);
            rest = rest[end..].to_owned();
        }
        stripped.push_str(&rest);
        let trimmed: Vec<&str> = stripped.lines().map(str::trim_end).collect();
        assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
    }

    #[test]
    fn all_formats_tell_the_same() {
        let view = plan_view(&refused(), &found());
        let formats =
            [terminal(&view, Color::Off), markdown(&view, COMMENT_BUDGET_BYTES), html(&view).unwrap()];
        for part in
            ["Losses (1)", "Refused schema changes (1)", "narrow-type", "9f86d081884c7d65", "not-pushed"]
        {
            assert!(formats.iter().all(|shown| shown.contains(part)), "{part}");
        }
    }
}
