//! Declarations that the engine rejects, and SQL that nobody has approved.

use super::*;
use crate::model::finding::Finding;

async fn faults(trial: &Trial, declared: &Declared) -> Vec<Finding> {
    match trial.plan(declared, &Options::default()).await {
        Err(MigrationError::Faults(findings)) => findings,
        Err(error) => panic!("{error}"),
        Ok(planned) => panic!("{:?}", planned.codes()),
    }
}

#[tokio::test]
async fn names_every_fault_with_its_place_and_the_engines_words() {
    let trial = Trial::new();
    let mut follows = view("follows", "select * from analytics.wrong");
    follows.depends_on = vec![at("wrong")];
    let found = faults(
        &trial,
        &declared(vec![
            view("fine", "select 1 as a"),
            view("wrong", "select\n  nothing\nfrom analytics.fine"),
            follows,
            table("t", vec![column("a", "money_bag")]),
        ]),
    )
    .await;
    let texts: Vec<String> = found
        .iter()
        .map(|finding| format!("{}: {}", finding.place.as_ref().unwrap(), finding.message))
        .collect();
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts[0].starts_with("models/wrong.sql:2: `analytics.wrong`: Binder Error"), "{texts:#?}");
    assert!(texts[1].contains("money_bag"), "{texts:#?}");
    assert!(!trial.file().exists(), "planning made the file");
}

#[tokio::test]
async fn tries_nothing_that_does_more_than_declare() {
    let trial = Trial::new();
    let out = trial.folder.path().join("out.csv").to_string_lossy().into_owned();
    let queries = [
        "select * from read_text('/etc/passwd')".to_owned(),
        "select * from '/etc/passwd'".to_owned(),
        "select * from read_csv('http://127.0.0.1:9/x.csv')".to_owned(),
        format!("select 1 as a; copy (select 1) to '{out}'"),
        "drop table analytics.t".to_owned(),
    ];
    for sql in queries {
        assert_eq!(faults(&trial, &declared(vec![view("v", &sql)])).await.len(), 1, "{sql}");
        assert_eq!(faults(&trial, &declared(vec![query("v", &sql)])).await.len(), 1, "{sql}");
    }
    for sql in [
        format!("copy (select 1) to '{out}'"),
        format!("attach '{out}' as x"),
        "install httpfs".to_owned(),
        "load httpfs".to_owned(),
        "set enable_external_access = true".to_owned(),
        "create table analytics.t as select * from read_text('/etc/passwd')".to_owned(),
        "create secret s (type s3)".to_owned(),
        "insert into analytics.t values (1)".to_owned(),
        "drop table analytics.t".to_owned(),
        format!("export database '{out}'"),
        "create table analytics.ok(a int);\ncall pragma_version()".to_owned(),
    ] {
        let found = faults(&trial, &ddl(&sql)).await;
        assert_eq!(found.len(), 1, "{sql}");
        assert!(found[0].place.as_ref().unwrap().line.is_some(), "{sql}");
    }
    assert_eq!(std::fs::read_dir(trial.folder.path()).unwrap().count(), 0, "something was written");
}

#[tokio::test]
async fn takes_no_default_that_the_type_of_its_column_cannot_hold() {
    let trial = Trial::new();
    trial.converge(&ddl("create table analytics.t(a int default 0, b varchar default 'none')")).await;
    for (columns, column) in [
        ("a int default 'none', b varchar default 'none'", "a"),
        ("a int default 0, b int default 'none'", "b"),
        ("a int default 0, b varchar, c decimal(4,2) default 12345", "c"),
        ("a int default 0, b varchar, c date default '2026-02-30', d date default '2026-02-28'", "c"),
        ("a int default now(), b varchar", "a"),
        ("a int default 5000000000, b varchar", "a"),
    ] {
        let found = faults(&trial, &ddl(&format!("\ncreate table analytics.t({columns})"))).await;
        assert_eq!(found.len(), 1, "{columns}");
        assert_eq!(found[0].place.as_ref().unwrap().to_string(), "schema/all.sql:2", "{columns}");
        let message = &found[0].message;
        assert!(message.starts_with(&format!("`analytics.t`: `{column}` is ")), "{message}");
    }
    trial
        .converge(&ddl(
            "create table analytics.t(a int default '7', b varchar default 7, c date default current_date, \
             d enum('x', 'y') default 'x', e int[] default [1], f struct(a int) default {'a': 1}, \
             g timestamptz default now(), h uuid default uuid(), i boolean default 'yes', j blob default '\\xFF', \
             k int default null, l decimal(4,2) default (1 + 1))",
        ))
        .await;
}

#[tokio::test]
async fn makes_nothing_in_another_database_of_the_engine() {
    let trial = Trial::new();
    for made in [
        "create table memory.main.x(a int)",
        "create table temp.main.x(a int)",
        "create view memory.main.x as select 1 as a",
        "create macro memory.main.x(a) as a",
        "create type memory.main.x as enum ('a')",
    ] {
        let found = faults(&trial, &ddl(&format!("create table analytics.t(a int);\n{made}"))).await;
        assert_eq!(found.len(), 1, "{made}");
        let (place, message) = (found[0].place.as_ref().unwrap(), &found[0].message);
        assert_eq!(place.to_string(), "schema/all.sql:2", "{made}");
        assert!(message.contains("main.x` lies in database"), "{message}");
    }
    trial.converge(&ddl("create table shop.analytics.t(a int)")).await;
}

#[tokio::test]
async fn types_declared_files_before_it_closes_the_door() {
    let trial = Trial::new();
    let csv = trial.folder.path().join("clicks.csv");
    std::fs::write(&csv, "id,day\n1,2026-01-01\n").unwrap();
    let mut project = declared(vec![view("v", "select id, day from raw.clicks")]);
    project.files = vec![("raw.clicks".parse().unwrap(), csv.to_string_lossy().into_owned())];
    project.sources = vec!["raw.clicks".parse().unwrap()];
    let (mut scratch, typed) =
        scratch(&trial.warehouse(), &Reach::reading(project.datasets()), &project.outside()).await.unwrap();
    assert!(typed.faults.is_empty());
    let desired =
        desired(&project, &Schema::default(), &Ledger::default(), &typed, scratch.as_mut()).await.unwrap();
    assert_eq!(desired.schema.column(&at("v"), "day").unwrap().data_type, "DATE");
    assert!(desired.schema.relations.len() == 1);
}

#[tokio::test]
async fn a_column_that_is_only_described_need_not_be_there() {
    let trial = Trial::new();
    let described = DeclaredColumn {
        name: "total".to_owned(),
        description: Some("Total value".to_owned()),
        ..DeclaredColumn::default()
    };
    for object in [view("v", "select 1 as id"), query("v", "select 1 as id")] {
        let object = DeclaredObject { columns: vec![described.clone()], ..object };
        let planned = trial.plan(&declared(vec![object.clone()]), &Options::default()).await.unwrap();
        let findings = &planned.plan.steps.findings;
        assert_eq!(findings.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["no-such-column"]);
        assert!(findings[0].message.contains("analytics.v.total"), "{findings:?}");
        // One of which something is asked has to be there.
        let asked = DeclaredColumn { not_null: true, ..described.clone() };
        let object = DeclaredObject { columns: vec![asked], ..object };
        assert_eq!(faults(&trial, &declared(vec![object])).await.len(), 1);
    }
}
