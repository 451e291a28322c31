//! A plan that has something of everything, for the tests of all formats.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::finding::Finding;
use crate::model::merge::{
    Conflict, ConflictKind, FileChange, FileChangeKind, Kept, Lines, Loss, LossKind, Merge, Protected,
};
use crate::model::migration::{
    Affected, Edit, Mechanics, Migration, MigrationState, MigrationTarget, Probe, Stage, StageKind, Step,
    Verdict,
};
use crate::model::origin::{Layer, Origin, Place};
use crate::model::outcome::Outcome;
use crate::model::plan::{ConfigChange, Gate, GateState, Plan, Run, Side, TargetSide, ValueChange};

const SOURCE: &str = "1111111aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const TARGET: &str = "2222222bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const BASE: &str = "3333333ccccccccccccccccccccccccccccccccc";
const HOTFIX: &str = "4444444ddddddddddddddddddddddddddddddddd";

/// A refused plan: a loss, a narrowed column.
pub(super) fn refused() -> Plan {
    Plan {
        plan_id: "9f86d081884c7d65".to_owned(),
        from: "dev".to_owned(),
        to: "staging".to_owned(),
        outcome: Outcome::Refused,
        source: Side { repository: ".".to_owned(), branch: "dev".to_owned(), commit: SOURCE.to_owned() },
        target: TargetSide {
            repository: "../shop-staging.git".to_owned(),
            branch: "main".to_owned(),
            before: Some(TARGET.to_owned()),
            after: None,
            tree: Some(BASE.to_owned()),
        },
        merge: merge(),
        config: configuration(),
        migration: migration(),
        runs: vec![Run {
            model: "orders".to_owned(),
            partition: None,
            reason: "its code changed".to_owned(),
        }],
        proposal: None,
        gates: vec![
            gate("order", GateState::Passed, "dev is before staging"),
            gate("losses", GateState::Refused, "1 loss is not settled"),
        ],
        next: Vec::new(),
        acknowledgements: crate::model::plan::Acknowledgements::default(),
        tool: "0.1.0".to_owned(),
    }
}

/// A plan that nothing stands in the way of.
pub(super) fn ready() -> Plan {
    let mut plan = refused();
    plan.outcome = Outcome::Planned;
    plan.merge.losses.clear();
    plan.migration.steps.retain(|step| !step.blocks());
    plan.migration.compatible = true;
    plan.gates.truncate(1);
    plan.next = vec!["promote dev staging".to_owned()];
    plan
}

/// A plan with a conflict, and with texts that want to be obeyed.
pub(super) fn hostile() -> Plan {
    let mut plan = refused();
    plan.outcome = Outcome::Conflict;
    plan.merge.losses[0].text = vec!["\u{1b}[2J```<script>alert(1)</script>".to_owned()];
    plan.merge.losses[0].subject =
        Some("<img src=x onerror=alert(1)> @team `x \u{1b}]0;gone\u{7}".to_owned());
    plan.merge.conflicts = vec![Conflict {
        path: "models/it's `mine`.sql".to_owned(),
        kind: ConflictKind::ModifyDelete,
        source: "modified".to_owned(),
        target: "deleted by Eve <eve@example.com>".to_owned(),
        resolution: None,
    }];
    plan
}

/// Findings of all weights.
pub(super) fn found() -> Vec<Finding> {
    vec![
        Finding::notice("engines-differ", "`a.sql` is merged otherwise by Git"),
        Finding::warning("not-pushed", "2 commits of `dev` are only here").hint("push them first"),
    ]
}

fn gate(name: &str, state: GateState, detail: &str) -> Gate {
    Gate { name: name.to_owned(), state, detail: detail.to_owned() }
}

fn merge() -> Merge {
    let file = |path: &str, change, added_lines, removed_lines| FileChange {
        path: path.to_owned(),
        change,
        old_path: None,
        added_lines,
        removed_lines,
    };
    Merge {
        base: Some(BASE.to_owned()),
        engine: "libgit2 1.9.7, git 2.47.3".to_owned(),
        files: vec![
            file("models/discounts.sql", FileChangeKind::Added, 12, 0),
            file("models/orders.sql", FileChangeKind::Modified, 3, 2),
        ],
        losses: vec![Loss {
            path: "models/orders.sql".to_owned(),
            kind: LossKind::Line,
            lines: Some(Lines { start: 14, end: 15 }),
            text: vec!["when 'NO' then 0.25".to_owned(), "when 'SE' then 0.25".to_owned()],
            commit: Some(HOTFIX.to_owned()),
            subject: Some("Fix the VAT of Norway and Sweden".to_owned()),
            author: Some("Kari Nordmann <kari@example.com>".to_owned()),
            date: Some("2026-11-02T08:15:00+01:00".to_owned()),
            accepted: false,
        }],
        kept: vec![Kept {
            path: "models/customers.sql".to_owned(),
            lines: Some(Lines { start: 3, end: 3 }),
            commit: Some(HOTFIX.to_owned()),
            author: Some("Kari Nordmann <kari@example.com>".to_owned()),
        }],
        left_behind: Vec::new(),
        protected: vec![Protected {
            path: None,
            key: Some("default_environment".to_owned()),
            source_wanted: Some("dev".to_owned()),
        }],
        conflicts: Vec::new(),
        reverted: Vec::new(),
        left_out: Vec::new(),
        taken_back: Vec::new(),
        zombies: Vec::new(),
        target_only: Vec::new(),
        undone: Vec::new(),
        part: Vec::new(),
    }
}

fn configuration() -> ConfigChange {
    let at = |line| Some(Origin::in_file(Layer::Environment, &Place::at("project.yml", line, 20)));
    let change = ValueChange {
        key: "extractors/tap-auth0.domain".to_owned(),
        before: Some(Value::from("shop.eu.auth0.com")),
        after: Some(Value::from("shop-staging.eu.auth0.com")),
        origin_before: at(30),
        origin_after: at(32),
    };
    ConfigChange {
        environments: BTreeMap::from([
            ("dev".to_owned(), Vec::new()),
            ("prod".to_owned(), Vec::new()),
            ("staging".to_owned(), vec![change]),
        ]),
    }
}

fn way() -> Vec<Stage> {
    let line = |data_type: &str| vec![format!("- {{name: total, data_type: {data_type}}}")];
    let edit =
        Edit { file: "models/orders.yml".to_owned(), line: 12, before: line("real"), after: line("double") };
    let stage = |kind, say: &str| Stage {
        kind,
        say: say.to_owned(),
        edits: Vec::new(),
        sql: Vec::new(),
        flags: Vec::new(),
    };
    let flags = vec!["--allow".to_owned(), "drop-column:analytics_staging.orders.total".to_owned()];
    vec![
        Stage { edits: vec![edit], ..stage(StageKind::Expand, "add `total_2` beside it") },
        stage(StageKind::Move, "move the readers"),
        Stage { flags, ..stage(StageKind::Contract, "then remove `total`") },
    ]
}

fn migration() -> Migration {
    let add = Step {
        code: "add-column".to_owned(),
        object: "analytics_staging.orders".to_owned(),
        column: Some("discount".to_owned()),
        verdict: Verdict::Compatible,
        settled: Verdict::Compatible,
        mechanics: Mechanics::Metadata,
        group: 1,
        after_push: false,
        ddl: vec!["ALTER TABLE analytics_staging.orders ADD COLUMN discount DECIMAL(12,2)".to_owned()],
        reason: "`discount` is new, and nobody has to fill it".to_owned(),
        affected: Vec::new(),
        recipe: Vec::new(),
        way: Vec::new(),
        probe: None,
        allow: None,
        allowed: false,
        place: Some("models/orders.yml:9".to_owned()),
    };
    let narrow = Step {
        code: "narrow-type".to_owned(),
        column: Some("total".to_owned()),
        verdict: Verdict::Incompatible,
        settled: Verdict::Incompatible,
        mechanics: Mechanics::Rewrite,
        ddl: vec!["ALTER TABLE analytics_staging.orders ALTER total TYPE DECIMAL(10,2)".to_owned()],
        reason: "`total` would go from DECIMAL(18,4) to DECIMAL(10,2)".to_owned(),
        affected: vec![Affected {
            object: "analytics_staging.revenue".to_owned(),
            managed: true,
            place: Some("models/revenue.sql:9".to_owned()),
            through: None,
        }],
        recipe: vec!["add `total_2` beside it".to_owned(), "move the readers".to_owned()],
        way: way(),
        probe: Some(Probe {
            sql: "select count(*) from analytics_staging.orders where total <> round(total, 2)".to_owned(),
            rows: Some(1204),
            sample_sql: None,
            sample: vec!["id=17".to_owned(), "id=23".to_owned()],
        }),
        allow: Some("narrow-type:analytics_staging.orders.total".to_owned()),
        ..add.clone()
    };
    Migration {
        state: MigrationState::Known,
        target: Some(MigrationTarget {
            environment: "staging".to_owned(),
            warehouse: "duckdb data/staging.duckdb".to_owned(),
            dataset: "analytics_staging".to_owned(),
        }),
        note: None,
        compatible: false,
        fingerprint: Some("ab12".to_owned()),
        proof: Some("proven".to_owned()),
        drift: Vec::new(),
        planner: None,
        steps: vec![add, narrow],
    }
}
