//! What is refused, why, and that a refusal or a fault leaves nothing.

use super::*;
use crate::model::migration::{Mechanics, Verdict};

#[tokio::test]
async fn refuses_to_drop_a_column_and_says_who_reads_it() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a int, rate double)")).await;
    trial
        .by_hand(&[
            "insert into analytics.t values (1, 0.5), (2, null)",
            "create view analytics.mine as select rate from analytics.t",
        ])
        .await
        .unwrap();
    let planned = trial.plan(&ddl("create table analytics.t(a int)"), &Options::default()).await.unwrap();
    let step = planned.step("drop-column");
    assert_eq!((step.settled, step.blocks()), (Verdict::Incompatible, true));
    assert!(step.reason.contains("1 rows hold a value"), "{}", step.reason);
    assert_eq!(step.affected[0].object, "analytics.mine");
    assert!(!step.affected[0].managed);
    assert_eq!(step.allow.as_deref(), Some("drop-column:analytics.t.rate"));
    assert!(!step.recipe.is_empty());
    assert_eq!(step.group, 2);
}

#[tokio::test]
async fn names_who_reads_from_another_schema() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a int, b int)")).await;
    let before =
        trial.plan(&ddl("create table analytics.t(a int, b int)"), &Options::default()).await.unwrap();
    trial
        .by_hand(&[
            "create schema bi",
            "create view bi.report as select a, b from analytics.t",
            "create view bi.above as select b from bi.report",
            "create view main.top as select b from bi.above",
            "create table bi.t(a int, b int)",
            "create view bi.other as select b from bi.t",
        ])
        .await
        .unwrap();
    let after = ddl("create table analytics.t(a int)");
    let planned = trial.plan(&after, &Options::default()).await.unwrap();
    let step = planned.step("drop-column");
    assert_eq!((step.settled, step.blocks()), (Verdict::Incompatible, true));
    let named: Vec<&str> = step.affected.iter().map(|one| one.object.as_str()).collect();
    assert_eq!(named, ["bi.report", "bi.above", "main.top"]);
    assert!(step.affected.iter().all(|one| !one.managed));
    // Nothing but who reads is taken from there.
    assert_eq!(planned.plan.fingerprint, before.plan.fingerprint);
    assert_eq!((&planned.plan.drift, planned.plan.datasets.len()), (&Vec::new(), 1));
    assert!(planned.plan.live.relations.keys().all(|object| object.dataset == a()));
    let gone = |name| DeclaredObject { state: super::super::State::Dropped, ..table(name, Vec::new()) };
    let planned = trial.plan(&declared(vec![gone("t")]), &Options::default()).await.unwrap();
    assert!(planned.step("drop-table").blocks());
}

#[tokio::test]
async fn lets_through_what_is_allowed_and_says_what_was_said_in_vain() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a int, b int)")).await;
    trial.by_hand(&["insert into analytics.t values (1, 2)"]).await.unwrap();
    let after = ddl("create table analytics.t(a int)");
    let allow = vec!["drop-column:analytics.t".to_owned(), "drop-table:analytics.x".to_owned()];
    let planned = trial.plan(&after, &Options { allow, ..Options::default() }).await.unwrap();
    assert!(planned.step("drop-column").forced());
    assert_eq!(planned.plan.steps.findings.len(), 1);
    assert_eq!(planned.plan.steps.findings[0].code, "allow-unused");
    let options = Options { force: true, forbidden: true, ..Options::default() };
    let planned = trial.plan(&after, &options).await.unwrap();
    assert!(planned.step("drop-column").blocks());
    assert_eq!(planned.plan.steps.findings[0].code, "force-forbidden");
}

#[tokio::test]
async fn waives_what_an_empty_table_cannot_lose() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a int, b varchar)")).await;
    let after = ddl("create table analytics.t(b int, c int not null)");
    let planned = trial.plan(&after, &Options::default()).await.unwrap();
    assert!(planned.steps.iter().all(|step| !step.blocks()), "{:#?}", planned.steps);
    assert!(planned.steps.iter().any(|step| step.verdict == Verdict::Incompatible));
}

#[tokio::test]
async fn asks_the_data_where_the_data_decides() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a decimal(18,4), b int)")).await;
    trial.by_hand(&["insert into analytics.t values (1.5, 1), (2.25, null), (1.2345, null)"]).await.unwrap();
    let after = ddl("create table analytics.t(a decimal(10,2), b int not null default 0)");
    let planned = trial.plan(&after, &Options::default()).await.unwrap();
    let narrow = planned.step("narrow-type");
    assert_eq!((narrow.verdict, narrow.settled), (Verdict::NeedsDataCheck, Verdict::Incompatible));
    assert_eq!(narrow.probe.as_ref().unwrap().rows, Some(1));
    assert_eq!(planned.step("set-not-null").probe.as_ref().unwrap().rows, Some(2));
    trial.by_hand(&["delete from analytics.t where a <> 1.5"]).await.unwrap();
    let planned = trial.plan(&after, &Options::default()).await.unwrap();
    assert!(planned.steps.iter().all(|step| step.settled == Verdict::CompatibleWithCost || !step.blocks()));
    trial.apply(&after, &planned).await.unwrap();
}

#[tokio::test]
async fn leaves_alone_what_is_not_ours_until_it_is_adopted() {
    let trial = Trial::new();
    trial
        .by_hand(&[
            "create schema analytics",
            "create table analytics.t(a int)",
            "create table analytics.mine(a int)",
        ])
        .await
        .unwrap();
    let after = ddl("create table analytics.t(a int, b int)");
    let planned = trial.plan(&after, &Options { force: true, ..Options::default() }).await.unwrap();
    assert_eq!(planned.codes(), ["not-ours analytics.t"]);
    assert!(planned.steps[0].blocks() && planned.steps[0].allow.is_none());
    let adopt = Options { adopt: vec!["analytics.t".to_owned()], ..Options::default() };
    let planned = trial.plan(&after, &adopt).await.unwrap();
    assert_eq!(planned.codes(), ["add-column analytics.t.b", "adopt-object analytics.t"]);
    trial.apply(&after, &planned).await.unwrap();
    assert_eq!(trial.plan(&after, &Options::default()).await.unwrap().codes(), Vec::<String>::new());
    assert!(trial.live().await.relations.contains_key(&at("mine")));
}

#[tokio::test]
async fn leaves_alone_what_is_no_longer_declared_and_drops_what_is_said_to_go() {
    let trial = Trial::new();
    trial
        .converge(&ddl(
            "create table analytics.t(a int); create view analytics.v as select a from analytics.t",
        ))
        .await;
    trial.by_hand(&["insert into analytics.t values (1)"]).await.unwrap();
    let nothing = declared(Vec::new());
    let planned = trial.plan(&nothing, &Options::default()).await.unwrap();
    assert_eq!(planned.codes(), ["orphan analytics.t", "orphan analytics.v"]);
    trial.apply(&nothing, &planned).await.unwrap();
    assert_eq!(trial.plan(&nothing, &Options::default()).await.unwrap().codes(), Vec::<String>::new());
    let gone = |name| DeclaredObject { state: super::super::State::Dropped, ..table(name, Vec::new()) };
    let planned = trial.converge(&declared(vec![gone("t"), gone("v")])).await;
    assert_eq!(planned.codes(), ["drop-view analytics.v", "drop-table analytics.t"]);
    assert!(trial.live().await.relations.is_empty());
}

#[tokio::test]
async fn looks_at_what_is_ours_in_a_dataset_that_nothing_declares_any_more() {
    let trial = Trial::new();
    let ours = "create table analytics.t(a int)";
    trial.converge(&ddl(&format!("{ours}; create table other.x(a int)"))).await;
    trial.by_hand(&["insert into other.x values (1)", "create sequence other.s"]).await.unwrap();
    let after = ddl(ours);
    let planned = trial.plan(&after, &Options::default()).await.unwrap();
    assert_eq!(planned.codes(), ["orphan other.x"]);
    assert_eq!(planned.steps[0].recipe, ["to drop it, plan with `--prune`"]);
    assert_eq!(planned.plan.drift, Vec::new());
    trial.apply(&after, &planned).await.unwrap();
    assert_eq!(trial.plan(&after, &Options::default()).await.unwrap().codes(), Vec::<String>::new());
    let prune = Options { prune: true, force: true, ..Options::default() };
    let planned = trial.plan(&after, &prune).await.unwrap();
    assert_eq!(
        (planned.codes(), &planned.plan.proof),
        (vec!["drop-table other.x".to_owned()], &Proof::Proven)
    );
    trial.apply(&after, &planned).await.unwrap();
    assert_eq!(trial.plan(&after, &prune).await.unwrap().codes(), Vec::<String>::new());
}

#[tokio::test]
async fn does_not_offer_a_plan_that_breaks_somebody_elses_view() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a int, b int)")).await;
    trial.by_hand(&["create view analytics.mine as select b + 1 as c from analytics.t"]).await.unwrap();
    let after = ddl("create table analytics.t(a int, b int[])");
    let planned = trial.plan(&after, &Options::default()).await.unwrap();
    assert!(planned.step("retype-column").blocks());
    assert_eq!(planned.step("retype-column").affected[0].object, "analytics.mine");
}

#[tokio::test]
async fn refuses_by_name_what_a_foreign_key_forbids() {
    let trial = Trial::new();
    trial
        .converge(&ddl("create table analytics.p(id int primary key, x int); create table analytics.c(id int references analytics.p(id))"))
        .await;
    let after = ddl(
        "create table analytics.p(id int primary key, x int not null); create table analytics.c(id int references analytics.p(id))",
    );
    let planned = trial.plan(&after, &Options { force: true, ..Options::default() }).await.unwrap();
    let step = planned.step("set-not-null");
    assert_eq!((step.mechanics, step.blocks()), (Mechanics::Impossible, true));
    assert!(step.reason.contains("analytics.c"), "{}", step.reason);
}

#[tokio::test]
async fn refuses_to_take_a_key_to_its_own_table_along_to_another_name() {
    let made = "create table analytics.t(id int primary key, b int references analytics.t(id), c int)";
    let renamed = {
        let mut u = table("u", vec![DeclaredColumn { primary_key: true, ..column("id", "int") }]);
        u.columns.extend([column("b", "int"), column("c", "int")]);
        u.constraints = vec!["FOREIGN KEY (b) REFERENCES analytics.u(id)".to_owned()];
        DeclaredObject { renamed_from: Some(at("t")), ..u }
    };
    for (before, after, code) in [
        (made, declared(vec![renamed]), "rename-table"),
        (made, ddl(&made.replace("c int", "c int check (c > 0)")), "add-constraint"),
        (made, ddl(&made.replace("d int", "d bigint").replace("b int", "b bigint")), "widen-type"),
        ("create table analytics.t(id int primary key, b int, c int)", ddl(made), "add-constraint"),
    ] {
        let trial = Trial::new();
        trial.converge(&ddl(before)).await;
        let planned = trial.plan(&after, &Options { force: true, ..Options::default() }).await.unwrap();
        let step = planned.step(code);
        assert_eq!((step.mechanics, step.blocks()), (Mechanics::Impossible, true), "{code}");
        assert!(step.reason.contains("to itself"), "{}", step.reason);
        assert!(step.recipe.len() == 1 && step.recipe[0].contains("to itself"), "{:?}", step.recipe);
    }
}

#[tokio::test]
async fn refuses_two_new_columns_with_a_computed_default_where_a_foreign_key_points() {
    let trial = Trial::new();
    let key = "create table analytics.c(id int references analytics.p(id))";
    trial.converge(&ddl(&format!("create table analytics.p(id int primary key); {key}"))).await;
    trial.by_hand(&["insert into analytics.p values (1)"]).await.unwrap();
    let computed = "made timestamp default now()";
    for (columns, blocks) in
        [(format!("{computed}, day date default today()"), true), (computed.to_owned(), false)]
    {
        let after = ddl(&format!("create table analytics.p(id int primary key, {columns}); {key}"));
        let planned = trial.plan(&after, &Options { force: true, ..Options::default() }).await.unwrap();
        let step = planned.step("add-column");
        assert_eq!(step.blocks(), blocks, "{columns}: {}", step.reason);
        assert_eq!(step.reason.contains("analytics.c"), blocks, "{columns}: {}", step.reason);
        if !blocks {
            trial.apply(&after, &planned).await.unwrap();
        }
    }
}

#[tokio::test]
async fn says_of_a_view_with_a_new_column_whether_its_rows_may_be_others() {
    let trial = Trial::new();
    let tables = "create table analytics.t(a int, b int); create table analytics.u(a int, b int); ";
    trial.converge(&ddl(&format!("{tables}create view analytics.v as select a from analytics.t"))).await;
    for (from, others) in [("t", false), ("u", true), ("t where a > 1", true)] {
        let after = format!("{tables}create view analytics.v as select a, b from analytics.{from}");
        let planned = trial.plan(&ddl(&after), &Options::default()).await.unwrap();
        let reason = &planned.step("add-view-column").reason;
        assert_eq!(reason.contains("its rows may be others"), others, "{from}: {reason}");
    }
}

#[tokio::test]
async fn puts_what_needs_a_forced_change_behind_it() {
    let trial = Trial::new();
    let before = declared(vec![table("t", vec![column("a", "int")]), view("v", "select a from analytics.t")]);
    trial.converge(&before).await;
    trial.by_hand(&["insert into analytics.t values (1)"]).await.unwrap();
    let renamed = DeclaredColumn { renamed_from: Some("a".to_owned()), ..column("b", "int") };
    let after = declared(vec![
        table("t", vec![renamed, column("c", "int")]),
        view("v", "select b as a from analytics.t"),
        view("w", "select c from analytics.t"),
    ]);
    let planned = trial.converge(&after).await;
    assert_eq!(planned.step("add-column").group, 1);
    assert_eq!(planned.step("rename-column").group, 2);
    assert_eq!(planned.step("change-view").group, 2);
}

#[tokio::test]
async fn refuses_a_plan_whose_ground_has_moved() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a int)")).await;
    let after = ddl("create table analytics.t(a int, b int)");
    let planned = trial.plan(&after, &Options::default()).await.unwrap();
    trial.by_hand(&["create table analytics.other(a int)"]).await.unwrap();
    let error = trial.apply(&after, &planned).await.unwrap_err();
    assert!(matches!(error, MigrationError::Warehouse(WarehouseError::Moved { .. })), "{error:?}");
    assert!(trial.live().await.column(&at("t"), "b").is_none());
}
