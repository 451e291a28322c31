//! Every kind of change, from a filled table to the declared state, and a second plan that is empty.

use super::*;

/// A pair of DDL files; rows are put into what the first one makes.
const PAIRS: &[(&str, &str, &[&str], &str, &str)] = &[
    (
        "add-column",
        "create table analytics.t(a int)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int, b decimal(10,2))",
        "add-column analytics.t.b",
    ),
    (
        "default",
        "create table analytics.t(a int)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int, b varchar default 'it''s')",
        "add-column analytics.t.b",
    ),
    (
        "required with default",
        "create table analytics.t(a int); create index ix on analytics.t(a)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int, b int not null default 7); create index ix on analytics.t(a)",
        "add-column analytics.t.b",
    ),
    (
        "required with a computed default",
        "create table analytics.t(a int, k int); create index ix on analytics.t(a)",
        &["insert into analytics.t values (1, 2), (3, 4)"],
        "create table analytics.t(a int, k bigint, active boolean not null default true, made timestamp not null default current_timestamp, l int[] not null default [1]); create index ix on analytics.t(a)",
        "add-column analytics.t.active",
    ),
    (
        "two computed defaults and an index on one",
        "create table analytics.t(a int)",
        &["insert into analytics.t values (1), (3)"],
        "create table analytics.t(a int not null, b date default current_date, c uuid default uuid()); create index ix on analytics.t(b)",
        "add-column analytics.t.b",
    ),
    (
        "a computed default in a table that a key points at",
        "create table analytics.t(a int primary key); create table analytics.c(a int references analytics.t(a))",
        &["insert into analytics.t values (1), (3)"],
        "create table analytics.t(a int primary key, b date default current_date); create table analytics.c(a int references analytics.t(a))",
        "add-column analytics.t.b",
    ),
    (
        "drop-column last",
        "create table analytics.t(a int, b int)",
        &["insert into analytics.t values (1, 2)"],
        "create table analytics.t(a int)",
        "drop-column analytics.t.b",
    ),
    (
        "drop-column before an index",
        "create table analytics.t(a int, b int, c int); create index ix on analytics.t(b)",
        &["insert into analytics.t values (1, 2, 3)"],
        "create table analytics.t(b int, c int); create index ix on analytics.t(b)",
        "drop-column analytics.t.a",
    ),
    (
        "drop-column under a check",
        "create table analytics.t(a int, b int, check (b > 0))",
        &["insert into analytics.t values (1, 2)"],
        "create table analytics.t(a int)",
        "drop-constraint analytics.t",
    ),
    (
        "widen",
        "create table analytics.t(a int default 3); create index ix on analytics.t(a)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a bigint default 3); create index ix on analytics.t(a)",
        "widen-type analytics.t.a",
    ),
    (
        "widen a key",
        "create table analytics.t(a int primary key, b int)",
        &["insert into analytics.t values (1, 2)"],
        "create table analytics.t(a bigint primary key, b int)",
        "widen-type analytics.t.a",
    ),
    (
        "narrow",
        "create table analytics.t(a decimal(18,4))",
        &["insert into analytics.t values (1.5)"],
        "create table analytics.t(a decimal(10,2))",
        "narrow-type analytics.t.a",
    ),
    (
        "retype",
        "create table analytics.t(a varchar default '1')",
        &["insert into analytics.t values ('12')"],
        "create table analytics.t(a int default 1)",
        "retype-column analytics.t.a",
    ),
    (
        "set-not-null",
        "create table analytics.t(a int, b int); create index ix on analytics.t(b)",
        &["insert into analytics.t values (1, 2)"],
        "create table analytics.t(a int not null, b int); create index ix on analytics.t(b)",
        "set-not-null analytics.t.a",
    ),
    (
        "drop-not-null",
        "create table analytics.t(a int not null)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int)",
        "drop-not-null analytics.t.a",
    ),
    (
        "change-default",
        "create table analytics.t(a int default 1)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int default 2)",
        "change-default analytics.t.a",
    ),
    (
        "drop-default",
        "create table analytics.t(a timestamp default now())",
        &[],
        "create table analytics.t(a timestamp)",
        "change-default analytics.t.a",
    ),
    (
        "change-comment",
        "create table analytics.t(a int); comment on table analytics.t is 'x'",
        &[],
        "create table analytics.t(a int); comment on table analytics.t is 'it''s'; comment on column analytics.t.a is 'y'",
        "change-comment analytics.t",
    ),
    (
        "create-index",
        "create table analytics.t(a int, b int)",
        &["insert into analytics.t values (1, 2)"],
        "create table analytics.t(a int, b int); create unique index ux on analytics.t(a, b)",
        "create-index analytics.t",
    ),
    (
        "drop-index",
        "create table analytics.t(a int); create index ix on analytics.t(a)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int)",
        "drop-index analytics.t",
    ),
    (
        "add-constraint",
        "create table analytics.t(a int, b int)",
        &["insert into analytics.t values (1, 2)"],
        "create table analytics.t(a int primary key, b int unique, check (b > a))",
        "set-not-null analytics.t.a",
    ),
    (
        "drop-constraint",
        "create table analytics.t(a int primary key)",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int not null)",
        "drop-constraint analytics.t",
    ),
    (
        "generated",
        "create table analytics.t(a int, b int generated always as (a + 1))",
        &["insert into analytics.t(a) values (1)"],
        "create table analytics.t(a int, b int generated always as (a + 2))",
        "change-generated analytics.t.b",
    ),
    (
        "table to view",
        "create table analytics.t(a int); create table analytics.u(a int)",
        &["insert into analytics.u values (1)"],
        "create table analytics.t(a int); create view analytics.u as select a from analytics.t",
        "table-to-view analytics.u",
    ),
    (
        "view to table",
        "create table analytics.t(a int); create view analytics.u as select a from analytics.t",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a int); create table analytics.u(a int)",
        "view-to-table analytics.u",
    ),
    (
        "change-view",
        "create table analytics.t(a int); create view analytics.v as select a from analytics.t; comment on view analytics.v is 'x'",
        &[],
        "create table analytics.t(a int); create view analytics.v as select a from analytics.t where a > 1; comment on view analytics.v is 'x'",
        "change-view analytics.v",
    ),
    (
        "drop-view-column",
        "create table analytics.t(a int, b int); create view analytics.v as select a, b from analytics.t",
        &[],
        "create table analytics.t(a int, b int); create view analytics.v as select a from analytics.t",
        "drop-view-column analytics.v.b",
    ),
    (
        "chain of views over a widened column",
        "create table analytics.t(a int); create view analytics.v as select * from analytics.t; create view analytics.w as select a from analytics.v",
        &["insert into analytics.t values (1)"],
        "create table analytics.t(a bigint); create view analytics.v as select * from analytics.t; create view analytics.w as select a from analytics.v",
        "widen-type analytics.t.a",
    ),
    (
        "routine body",
        "create macro analytics.f(x, y := 2) as x + y",
        &[],
        "create macro analytics.f(x, y := 2) as x * y",
        "change-routine analytics.f",
    ),
    (
        "routine default",
        "create macro analytics.f(x, y := 2) as x + y",
        &[],
        "create macro analytics.f(x, y := 3) as x + y",
        "change-routine analytics.f",
    ),
    (
        "routine signature",
        "create macro analytics.f(x) as x",
        &[],
        "create macro analytics.f(x, y) as x + y",
        "change-routine analytics.f",
    ),
    (
        "routine kind",
        "create macro analytics.f(x) as x",
        &[],
        "create macro analytics.f(x) as table select x as y",
        "change-routine analytics.f",
    ),
    (
        "view over a routine",
        "create macro analytics.f(x) as x + 1; create view analytics.v as select analytics.f(1) as a",
        &[],
        "create macro analytics.f(x) as x + 2; create view analytics.v as select analytics.f(1) as a",
        "change-routine analytics.f",
    ),
    (
        "a key to itself",
        "create table analytics.t(id int primary key, b int references analytics.t(id), c int)",
        &["insert into analytics.t values (1, null, 3)", "insert into analytics.t values (2, 1, 3)"],
        "create table analytics.t(id int primary key, b int references analytics.t(id), c bigint, d int not null default 7); create index ix on analytics.t(c)",
        "widen-type analytics.t.c",
    ),
    (
        "a key to itself goes",
        "create table analytics.t(id int, \"A b\" int, b int, primary key (id, \"A b\"), foreign key (b, \"A b\") references analytics.t)",
        &["insert into analytics.t values (1, 2, null)"],
        "create table analytics.t(id int, \"A b\" int, b int, primary key (id, \"A b\"))",
        "drop-constraint analytics.t",
    ),
    (
        "collations",
        "create table analytics.t(a varchar, b varchar collate nocase default 'x', c varchar(9) collate NOCASE not null); create index ix on analytics.t(a)",
        &["insert into analytics.t values ('A', 'B', 'C')"],
        "create table analytics.t(a varchar, b varchar, c varchar collate nocase.noaccent not null, d varchar collate \"de\" default 'd'); create index ix on analytics.t(a)",
        "change-collation analytics.t.b",
    ),
    (
        "the collation of an indexed column",
        "create table analytics.t(a varchar collate nocase, b varchar); create index ix on analytics.t(b)",
        &["insert into analytics.t values ('A', 'B')"],
        "create table analytics.t(a varchar collate nocase, b varchar collate nocase); create index ix on analytics.t(b)",
        "change-collation analytics.t.b",
    ),
    (
        "a collation in a table that is built anew",
        "create table analytics.t(id int, \"Col LATE\" varchar collate nocase)",
        &["insert into analytics.t values (1, 'B')"],
        "create table analytics.t(id int check (id > 0), \"Col LATE\" varchar collate nocase)",
        "add-constraint analytics.t.id",
    ),
    (
        "names that need quotes",
        "create table analytics.\"Order\"(\"select\" int, \"ü b\" int)",
        &["insert into analytics.\"Order\" values (1, 2)"],
        "create table analytics.\"Order\"(\"select\" bigint, \"ü b\" int, \"x\"\"y\" int not null default 1)",
        "widen-type analytics.Order.select",
    ),
    (
        "structure",
        "create table analytics.t(a struct(b int))",
        &["insert into analytics.t values ({'b': 1})"],
        "create table analytics.t(a struct(b int, c varchar))",
        "widen-type analytics.t.a",
    ),
];

/// One side of all pairs as one project: each pair in a dataset of its own.
fn side(pick: impl Fn(usize) -> &'static str) -> Declared {
    let objects = (0..PAIRS.len()).map(|index| {
        let sql = pick(index).replace("analytics.", &format!("d{index:02}."));
        DeclaredObject::new(None, Body::Ddl { sql }, Place::file(format!("schema/d{index:02}.sql")))
    });
    declared(objects.collect())
}

#[tokio::test]
async fn reaches_what_is_declared_and_then_has_nothing_to_do() {
    let trial = Trial::new();
    trial.converge(&side(|index| PAIRS[index].1)).await;
    let rows: Vec<String> = (0..PAIRS.len())
        .flat_map(|index| {
            PAIRS[index].2.iter().map(move |sql| sql.replace("analytics.", &format!("d{index:02}.")))
        })
        .collect();
    trial.by_hand(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    let codes = trial.converge(&side(|index| PAIRS[index].3)).await.codes();
    for (index, (name, _, _, _, expected)) in PAIRS.iter().enumerate() {
        let place = format!("d{index:02}.");
        let expected = expected.replace("analytics.", &place);
        let of: Vec<&String> = codes.iter().filter(|code| code.contains(&place)).collect();
        assert!(of.iter().any(|code| **code == expected), "{name}: {of:?}");
    }
}

#[tokio::test]
async fn sees_no_difference_in_another_spelling() {
    let spellings = [
        "create table analytics.t(a int, b decimal, c text default 'a', d timestamptz default now(), e varchar(20), f bool default true, g int[] default [1, 2], h int default -1, i date default current_date, j uuid default gen_random_uuid(), k double default 1.50, l timestamp default current_timestamp)",
        "CREATE TABLE IF NOT EXISTS \"analytics\".\"t\" (A INTEGER, b DECIMAL(18,3), c VARCHAR DEFAULT ('a'), d TIMESTAMP WITH TIME ZONE DEFAULT (now()), e VARCHAR, f BOOLEAN DEFAULT (true), g INTEGER[] DEFAULT ([1, 2]), h INT4 DEFAULT (-1), i DATE DEFAULT (current_date), j UUID DEFAULT (gen_random_uuid()), k FLOAT8 DEFAULT 1.50, l TIMESTAMP DEFAULT (current_timestamp))",
    ];
    let trial = Trial::new();
    trial.converge(&ddl(spellings[0])).await;
    let again = trial.plan(&ddl(spellings[1]), &Options::default()).await.unwrap();
    assert_eq!(again.codes(), Vec::<String>::new());
}

#[tokio::test]
async fn builds_a_project_of_models_seeds_and_routines() {
    let trial = Trial::new();
    trial
        .by_hand(&[
            "create schema raw",
            "create table raw.orders(id int, amount decimal(10,2), ordered timestamp)",
        ])
        .await
        .unwrap();
    let mut revenue = query(
        "revenue",
        "select o.ordered::date as day, sum(o.amount) as total from analytics.stg_orders o group by 1",
    );
    revenue.depends_on = vec![at("stg_orders")];
    revenue.description = Some("per day".to_owned());
    revenue.columns =
        vec![DeclaredColumn { description: Some("sum".to_owned()), ..column("total", "DECIMAL(18,2)") }];
    let routine = Body::Routine {
        statement: "create macro analytics.net(x, rate := 0.2) as x * (1 - rate)".to_owned(),
    };
    let mut project = declared(vec![
        object("net", routine),
        object("country", Body::Seed { csv: b"code,name\nDE,Germany\nNO,Norway\n".to_vec() }),
        view("stg_orders", "-- staged\nselect id, analytics.net(amount) as amount, ordered from raw.orders"),
        revenue,
        table(
            "target",
            vec![DeclaredColumn { primary_key: true, ..column("id", "int") }, column("x", "text")],
        ),
    ]);
    project.sources = vec!["raw.orders".parse().unwrap()];
    let planned = trial.converge(&project).await;
    assert_eq!(
        planned.codes(),
        [
            "create-dataset analytics",
            "create-table analytics.country",
            "create-table analytics.revenue",
            "create-table analytics.target",
            "create-routine analytics.net",
            "create-view analytics.stg_orders",
        ]
    );
    let live = trial.live().await;
    assert_eq!(live.column(&at("revenue"), "total").unwrap().data_type, "DECIMAL(18,2)");
    assert_eq!(live.column(&at("revenue"), "total").unwrap().comment.as_deref(), Some("sum"));
    assert_eq!(live.column(&at("country"), "code").unwrap().data_type, "VARCHAR");
    assert_eq!(trial.count("select count(*) from analytics.stg_orders").await, 0);
}

#[tokio::test]
async fn renames_what_is_declared_as_renamed() {
    let trial = Trial::new();
    trial.converge(&declared(vec![table("t", vec![column("a", "int"), column("b", "int")])])).await;
    trial.by_hand(&["insert into analytics.t values (1, 2)"]).await.unwrap();
    let renamed = DeclaredColumn { renamed_from: Some("a".to_owned()), ..column("aa", "int") };
    let mut u = table("u", vec![renamed, column("b", "int")]);
    u.renamed_from = Some(at("t"));
    let planned = trial.converge(&declared(vec![u])).await;
    assert_eq!(planned.codes(), ["rename-table analytics.u", "rename-column analytics.u.aa"]);
    assert_eq!(trial.count("select aa from analytics.u").await, 1);
}

#[tokio::test]
async fn indexes_of_a_renamed_table_go_along_or_change_with_it() {
    for (made, index, codes) in [
        ("n(id bigint, a int)", "create index ix on analytics.n(a)", "rename-table"),
        ("n(id bigint, a int)", "create index ix on analytics.n(id)", "drop-index rename-table create-index"),
        ("n(id bigint, a int)", "", "drop-index rename-table"),
        (
            "n(id bigint, a int)",
            "create unique index ux on analytics.n(a)",
            "drop-index rename-table create-index",
        ),
        ("n(id bigint, a bigint)", "create index ix on analytics.n(a)", "rename-table widen-type"),
        ("n(id bigint, a int not null)", "create index ix on analytics.n(a)", "rename-table set-not-null"),
        ("n(id bigint, a int check (a > 0))", "", "rename-table drop-index add-constraint"),
    ] {
        let trial = Trial::new();
        let before =
            "create table analytics.\"Old\"(id bigint, a int); create index ix on analytics.\"Old\"(a)";
        trial.converge(&ddl(before)).await;
        trial.by_hand(&["insert into analytics.\"Old\" values (1, 2)"]).await.unwrap();
        let mut after = ddl(&format!("create table analytics.{made}; {index}"));
        after.objects[0].renamed_from = Some(at("Old"));
        let planned = trial.converge(&after).await;
        let found: Vec<&str> = planned.steps.iter().map(|step| step.code.as_str()).collect();
        assert_eq!(found.join(" "), codes, "{made} {index}");
        assert_eq!(trial.count("select count(*) from analytics.n").await, 1);
    }
}

#[tokio::test]
async fn an_index_that_nobody_declares_goes_along_with_its_renamed_table() {
    let trial = Trial::new();
    trial.converge(&declared(vec![table("t", vec![column("a", "int")])])).await;
    trial.by_hand(&["create index theirs on analytics.t(a)"]).await.unwrap();
    let renamed = DeclaredObject { renamed_from: Some(at("t")), ..table("u", vec![column("a", "int")]) };
    trial.converge(&declared(vec![renamed])).await;
    assert!(trial.live().await.relations[&at("u")].indexes.contains_key("theirs"));
}

#[tokio::test]
async fn what_was_renamed_before_is_kept_by_a_table_that_is_built_anew() {
    let trial = Trial::new();
    let renamed = || DeclaredColumn { renamed_from: Some("a".to_owned()), ..column("aa", "int") };
    let project = |key: bool| {
        let mut t = table("t", vec![renamed(), column("b", "int")]);
        t.constraints = if key { vec!["CHECK (b > 0)".to_owned()] } else { Vec::new() };
        declared(vec![t])
    };
    trial.converge(&project(false)).await;
    trial.by_hand(&["insert into analytics.t values (7, 2)"]).await.unwrap();
    let planned = trial.converge(&project(true)).await;
    assert_eq!(planned.codes(), ["add-constraint analytics.t.b"]);
    assert_eq!(trial.count("select aa from analytics.t").await, 7);
}

#[tokio::test]
async fn a_name_that_a_column_leaves_is_free_for_a_new_one() {
    let given = |check: &str| {
        let renamed = DeclaredColumn { renamed_from: Some("a".to_owned()), ..column("aa", "int") };
        let mut t = table("t", vec![renamed, column("b", "int"), column("a", "varchar")]);
        t.constraints = if check.is_empty() { Vec::new() } else { vec![check.to_owned()] };
        declared(vec![t])
    };
    for check in ["", "CHECK (b > 0)"] {
        let trial = Trial::new();
        trial.converge(&declared(vec![table("t", vec![column("a", "int"), column("b", "int")])])).await;
        trial.by_hand(&["insert into analytics.t values (7, 2)"]).await.unwrap();
        let codes = trial.converge(&given(check)).await.codes();
        let expected = ["rename-column analytics.t.aa".to_owned(), "add-column analytics.t.a".to_owned()];
        assert!(expected.iter().all(|code| codes.contains(code)), "{codes:?}");
        assert!(!codes.iter().any(|code| code.starts_with("retype")), "{codes:?}");
        assert_eq!(trial.count("select aa from analytics.t where a is null").await, 7);
    }
}

#[tokio::test]
async fn a_file_named_as_the_dataset_is_no_ambiguity() {
    let trial = Trial::new();
    let path = trial.folder.path().join("analytics.duckdb").to_string_lossy().into_owned();
    let warehouse = Warehouse::DuckDb { path };
    let mut connection = connect(&warehouse, &Reach::writing(vec![a()])).await.unwrap();
    let sql = ["create schema analytics".to_owned(), "create table analytics.t(a int)".to_owned()];
    connection.run(&sql).await.unwrap();
    assert!(connection.schema(&[a()]).await.unwrap().relations.contains_key(&at("t")));
}
