//! Small projects as they load, and every fault with its place and hint.

use std::collections::BTreeMap;

use super::*;
use crate::model::coordinate::Dataset;
use crate::model::environment::{
    Environment, Force, Gates, Migrate, Paths, ProofPolicy, Source, SourceTable, Warehouse,
};
use crate::model::finding::Finding;
use crate::model::name::EnvironmentName;
use crate::model::snapshot::{Snapshot, SnapshotSource};

fn environment() -> Environment {
    let folder = |name: &str| vec![name.to_owned()];
    let table = |name: &str, files: Option<&str>| SourceTable {
        name: name.to_owned(),
        identifier: None,
        files: files.map(str::to_owned),
    };
    Environment {
        name: EnvironmentName::new("staging"),
        workspace: None,
        warehouse: Some(Warehouse::DuckDb { path: "x.duckdb".into() }),
        dataset: Some(Dataset::new("stage")),
        vars: BTreeMap::from([("days".to_owned(), 3.into())]),
        paths: Paths {
            models: folder("models"),
            schema: folder("schema"),
            routines: folder("routines"),
            seeds: folder("seeds"),
            macros: folder("macros"),
            tests: folder("tests"),
        },
        sources: vec![Source {
            name: "raw".into(),
            dataset: Some(Dataset::new("raw_staging")),
            tables: vec![table("orders", None), table("clicks", Some("clicks/*.parquet"))],
        }],
        migrate: Migrate::Promotion,
        force: Force::Allowed,
        proof: ProofPolicy::Offered,
        gates: Gates::default(),
    }
}

fn loaded(files: &[(&str, &str)]) -> Result<Models, ModelsError> {
    let mut snapshot = Snapshot::empty(SnapshotSource::WorkTree);
    for (path, text) in files {
        // `\u{fffd}` stands for a byte that is no text.
        let bytes = text.replace('\u{fffd}', "\u{1}").into_bytes();
        let bytes = bytes.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
        snapshot.files.insert((*path).to_owned(), bytes);
    }
    let environment = environment();
    let variables = BTreeMap::from([("HOME_PORT".to_owned(), "kiel".to_owned())]);
    let other_datasets = vec![Dataset::new("prod"), Dataset::new("stage")];
    load(&snapshot, &Context { environment: &environment, other_datasets, variables: &variables })
}

fn models(files: &[(&str, &str)]) -> Models {
    loaded(files).unwrap_or_else(|error| panic!("{:#?}", error.faults()))
}

fn told(findings: &[Finding]) -> Vec<String> {
    let told = findings.iter().map(|finding| {
        let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        format!(
            "{place} {}: {} [{}]",
            finding.code,
            finding.message,
            finding.hint.clone().unwrap_or_default()
        )
    });
    told.collect()
}

fn sql<'a>(models: &'a Models, name: &str) -> &'a str {
    models.named(name).and_then(|object| object.sql.as_deref()).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn renders_what_dbt_projects_write() {
    let models = models(&[
        (
            "models/a.sql",
            "{{ config({'materialized': 'table'}, tags='x') }}\nselect {{ var('days') }}, {{ var('n', 7) }} as n, '{{ env_var(\"HOME_PORT\") }}', '{{ target.name }}' from {{ source('raw', 'orders') }}\n{% if is_incremental() %}where no{% endif %};\n",
        ),
        (
            "models/b.sql",
            "{{ config(materialized='incremental', unique_key=['id'], alias='bee', tags=['y', 'x']) }}-- {{ this }} {{ this.schema }} {{ ref('s').identifier }}\nselect * from {{ ref('pkg', 'a') }} -- behind",
        ),
        ("models/c.sql", "select * from {{ ref('b') }} join {{ cut('s') }} using (id)"),
        ("macros/m.sql", "{% macro cut(name) %}(from {{ ref(name) }} limit {{ var('days') }}){% endmacro %}"),
        ("seeds/s.csv", "id,name\n1,x\n2,y\n"),
        ("seeds/s.yml", "seeds:\n- name: s\n  config: {column_types: {id: INTEGER}}\n  columns:\n"),
    ]);
    assert_eq!(sql(&models, "a"), "select 3, 7 as n, 'kiel', 'staging' from raw_staging.orders");
    assert_eq!(sql(&models, "b"), "-- stage.bee stage s\nselect * from stage.a");
    assert_eq!(sql(&models, "c"), "select * from stage.bee join (from stage.s limit 3) using (id)");
    let order: Vec<&str> = models.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(order, ["a", "b", "s", "c"]);
    let b = models.named("b").unwrap();
    assert_eq!((b.coordinate.to_string().as_str(), b.materialized), ("stage.bee", Materialized::Incremental));
    assert_eq!((b.tags.join(" "), b.unique_key.join(" ")), ("x y".into(), "id".into()));
    assert_eq!(
        models.sources.iter().map(|s| s.coordinate.to_string()).collect::<Vec<_>>(),
        ["raw_staging.orders"]
    );
    let seed = models.named("s").unwrap();
    assert_eq!(seed.seed.as_ref().unwrap().rows, 2);
    assert_eq!(
        seed.seed_select("/t/s.csv").unwrap(),
        "SELECT id, name FROM read_csv('/t/s.csv', header = true, delim = ',', quote = '\"', escape = '\"', \
         sample_size = -1, types = {'id': 'INTEGER'})"
    );
}

#[test]
fn rewrites_names_that_are_written_out() {
    let models = models(&[
        ("models/a.sql", "select 1 as id, 'prod.b' as t"),
        (
            "models/b.sql",
            "/* prod.a */ with a2 as (select * from prod.\"a\") select vat(a2.id) from a2, A, raw.orders, raw.clicks",
        ),
        ("routines/vat.sql", "-- tax\ncreate or replace macro vat(x) as x * {{ var('days') }};\n"),
        (
            "schema/t.sql",
            "create table prod.log (id int);\ncreate index log_id on log (id);\ncomment on column log.id is 'a';\ncreate view v as from log;\ncreate table other.kept (id int);",
        ),
    ]);
    assert_eq!(
        sql(&models, "b"),
        "/* prod.a */ with a2 as (select * from stage.\"a\") select stage.vat(a2.id) from a2, stage.A, raw_staging.orders, raw_staging.clicks"
    );
    let names = |coordinates: &[crate::model::coordinate::Coordinate]| {
        coordinates.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let b = models.named("b").unwrap();
    assert_eq!(names(&b.depends_on), "stage.a stage.vat");
    assert_eq!(names(&b.reads), "raw_staging.clicks raw_staging.orders stage.a");
    assert_eq!(models.files()[&"raw_staging.clicks".parse().unwrap()], "read_parquet('clicks/*.parquet')");
    let log = models.named("log").unwrap();
    assert_eq!(
        log.statements,
        [
            "create table stage.log (id int)",
            "create index log_id on stage.log (id)",
            "comment on column stage.log.id is 'a'"
        ]
    );
    assert_eq!(sql(&models, "v"), "create view stage.v as from stage.log");
    assert_eq!(sql(&models, "vat"), "create or replace macro stage.vat(x) as x * 3");
    assert_eq!(models.datasets, [Dataset::new("stage"), Dataset::new("other")]);
    assert_eq!(told(&models.findings), [""; 0]);
}

#[test]
fn takes_columns_and_states_from_properties() {
    let models = models(&[
        ("models/a.sql", "select 1 as id"),
        ("models/off.sql", "{{ config(enabled=false) }} select * from {{ ref('nowhere') }}"),
        (
            "models/p.yml",
            "version: 2\nmodels:\n- name: a\n  description: An a.\n  columns:\n  - {name: id, data_type: INTEGER, constraints: [primary_key, {type: check, expression: id > 0}], default: 0, tests: [unique]}\n  - name: n\n    renamed_from: m\n    constraints: [{type: not_null}]\n- name: ext\n  config: {materialized: external}\n  columns: [{name: x, data_type: TEXT}]\n- name: gone\n  state: dropped\n- name: aa\n",
        ),
    ]);
    let a = models.named("a").unwrap();
    assert_eq!(a.description.as_deref(), Some("An a."));
    let id = &a.declared[0];
    assert!(id.not_null && id.primary_key && !a.declared[1].primary_key && a.declared[1].not_null);
    assert_eq!((id.default.as_deref(), id.checks.as_slice()), (Some("0"), &["id > 0".to_owned()][..]));
    assert_eq!((id.tests.len(), a.declared[1].renamed_from.as_deref()), (1, Some("m")));
    let ext = models.named("ext").unwrap();
    assert_eq!((ext.materialized, ext.sql.as_deref(), ext.declared.len()), (Materialized::External, None, 1));
    assert_eq!(models.named("gone").unwrap().state, State::Dropped);
    assert_eq!(models.disabled, ["off"]);
    assert_eq!(
        told(&models.findings),
        [
            "models/p.yml:15:3 unused-properties: `aa` is described, and no file declares it [did you mean `a`?]"
        ]
    );
}

#[test]
fn a_hash_follows_file_and_properties() {
    let hash = |sql: &str, yml: &str| {
        models(&[("models/a.sql", sql), ("models/a.yml", yml)]).objects[0].source_hash.clone()
    };
    let first = hash("select 1 as a", "models: [{name: a}]");
    assert_eq!(first.len(), 64);
    assert_eq!(first, hash("select 1 as a", "models:\n- name: a\n"));
    assert_ne!(first, hash("select 2 as a", "models: [{name: a}]"));
    assert_ne!(first, hash("select 1 as a", "models: [{name: a, description: x}]"));
}

#[test]
fn a_hash_follows_a_declaration_and_not_its_neighbours() {
    let hashes = |sql: &str| -> Vec<String> {
        let objects = models(&[("schema/s.sql", sql)]).objects;
        objects.iter().map(|object| object.source_hash.clone()).collect()
    };
    let both = hashes("create table a (id int); comment on table a is 'x'; create table b (id int);");
    assert_eq!(both.len(), 2);
    let other =
        hashes("create table a (id int); comment on table a is 'x';\n-- more\ncreate table b (id bigint);");
    assert_eq!((&both[0], both[1] == other[1]), (&other[0], false));
    let commented = hashes("create table a (id int); comment on table a is 'y'; create table b (id int);");
    assert_eq!((both[0] == commented[0], &both[1]), (false, &commented[1]));
}

#[test]
fn tells_all_faults_at_once() {
    let error = loaded(&[
        ("models/a.sql", "select *\n  from {{ ref('bb') }}, {{ source('raw', 'order') }},\n {{ source('rwa', 'x') }}"),
        ("models/b.sql", "\nselect {{ nothing }}"),
        ("models/b2.sql", "select 1, {{ var('dayz') }}"),
        ("models/bad.sql", "\u{fffd}"),
        ("models/c1.sql", "select * from {{ ref('c2') }}"),
        ("models/c2.sql", "select * from stage.c1"),
        ("models/d.sql", "{{ config(materialized='tabel') }} select 'abc"),
        ("models/e.sql", "{{ config(\n  materialized='view'\n) }}\nselect * from prod.elsewhere"),
        ("models/sub/c1.sql", "select 1"),
        ("models/p.yml", "models:\n- name: a\n  columns: [{name: x, constraints: [not_nul]}]\n- name: a\n- {description: x}\n- {name: e, columns: 3}\n"),
        ("models/q.yml", "models:\n- name: [\n"),
        ("routines/r.sql", "select 1"),
        ("schema/s.sql", "create table s (id int);\ninsert into s values (1);\ncomment on table other is 'x';"),
        ("seeds/c2.csv", "id\n1\n"),
        ("models/z.sql", "select 1; drop table x"),
        ("models/zz.sql", "{{ config(depends_on=['aa']) }} delete from a"),
    ])
    .unwrap_err();
    assert_eq!(error.to_string(), "22 faults in the models");
    assert_eq!(told(error.faults()), expected_faults());
}

fn expected_faults() -> Vec<&'static str> {
    vec![
        "models/a.sql:2:11 unknown-ref: `ref('bb')` refers to no model, seed or table [did you mean `b`?]",
        "models/a.sql:2:28 unknown-source: `source('raw', 'order')` is declared nowhere [did you mean `orders`?]",
        "models/a.sql:3:5 unknown-source: `source('rwa', 'x')` is declared nowhere [did you mean `raw`?]",
        "models/b.sql:2:11 render: `b` does not render: `nothing` is undefined [set it with `{% set nothing = … %}`, or write `{{ var('nothing') }}` and add it to `vars`]",
        "models/b2.sql:1:19 render: `b2` does not render: variable `dayz` is not set [did you mean `days`?]",
        "models/bad.sql not-text: `models/bad.sql` is not UTF-8 (byte 0) [save it as UTF-8]",
        "models/c2.sql:1:1 duplicate-model: `c2` is declared twice [rename it, or take out the one in seeds/c2.csv]",
        "models/d.sql:1:25 unknown-materialization: `d` is materialized as `tabel`, which is no way to keep a model [did you mean `table`?]",
        "models/d.sql:1:43 bad-sql: unterminated string literal []",
        "models/e.sql:4:15 foreign-dataset: `prod.elsewhere` is in the dataset of another environment [declare it as a source, or add it to the project]",
        "models/p.yml:1:1 bad-properties: the properties cannot be read: an entry of `models` has no `name` [add `name: …`]",
        "models/p.yml:2:3 unknown-constraint: `a` has a constraint of the unknown type `not_nul` [did you mean `not_null`?]",
        "models/p.yml:4:3 duplicate-properties: `a` is described twice [merge it with the entry at models/p.yml:2:3]",
        "models/p.yml:6:4 bad-properties: the properties cannot be read: `e`: invalid type: integer `3`, expected a sequence []",
        "models/q.yml:2:10 bad-properties: the properties cannot be read: not YAML: while parsing a node, did not find expected node content []",
        "models/sub/c1.sql:1:1 duplicate-model: `c1` is declared twice [rename it, or take out the one in models/c1.sql]",
        "models/z.sql:1:1 not-a-query: `z` holds 2 statements [keep one SELECT in it; DDL goes under `schema`, functions under `routines`]",
        "models/zz.sql:1:1 not-a-query: `zz` is no query [keep one SELECT in it; DDL goes under `schema`, functions under `routines`]",
        "models/zz.sql:1:24 unknown-ref: `zz` depends on `aa`, which is nowhere [did you mean `a`?]",
        "routines/r.sql:1:1 bad-routine: `r` does not create a routine [keep one `CREATE FUNCTION`, `CREATE MACRO` or `CREATE PROCEDURE` in it]",
        "schema/s.sql:2:1 not-a-declaration: `INSERT` declares nothing [keep only `CREATE TABLE|VIEW|INDEX|TYPE|FUNCTION` and `COMMENT ON` under `schema`]",
        "schema/s.sql:3:1 not-a-declaration: `other` is created by no file under `schema` [keep only `CREATE TABLE|VIEW|INDEX|TYPE|FUNCTION` and `COMMENT ON` under `schema`]",
    ]
}

#[test]
fn names_a_circle_in_order() {
    let error = loaded(&[
        ("models/x.sql", "from {{ ref('z') }}"),
        ("models/y.sql", "from {{ ref('x') }}"),
        ("models/z.sql", "from y"),
        ("models/w.sql", "from {{ ref('x') }}"),
    ])
    .unwrap_err();
    assert_eq!(
        told(error.faults()),
        [
            "models/x.sql:1:1 model-cycle: models need each other in a circle: x → z → y → x [take one of these references \
          out, or move what both need into a model of its own]"
        ]
    );
}

#[test]
fn speaks_of_keys_where_tables_point_at_each_other_and_none_can_be_added() {
    let error = loaded(&[
        ("schema/a.sql", "create table a (id int primary key, b_id int references b);"),
        ("schema/b.sql", "create table b (id int primary key, a_id int references a);"),
    ])
    .unwrap_err();
    assert_eq!(
        told(error.faults()),
        [
            "schema/a.sql:1:1 key-cycle: foreign keys of tables point at each other in a circle: a → b → a [take one of \
          these keys out: this engine adds no foreign key to a table that is there]"
        ]
    );
}

#[test]
fn selects_as_dbt_does() {
    let models = models(&[
        ("models/stg/a.sql", "{{ config(tags='t') }} select 1 as x"),
        ("models/stg/b.sql", "-- the b\n{{ config(depends_on='a') }}from (select 1) -- done\n;"),
        ("models/mart/c.sql", "{{ config(tags='t') }} from {{ ref('b') }}"),
    ]);
    for (selector, expected) in [
        (vec![], "a b c"),
        (vec!["b"], "b"),
        (vec!["+b"], "a b"),
        (vec!["b+"], "b c"),
        (vec!["+b+"], "a b c"),
        (vec!["tag:t"], "a c"),
        (vec!["path:models/stg"], "a b"),
        (vec!["path:models/stg,tag:t", "c"], "a c"),
        (vec!["stage.b"], "b"),
    ] {
        let selector: Vec<String> = selector.into_iter().map(str::to_owned).collect();
        let names: Vec<String> = select(&models, &selector).unwrap().into_iter().map(|c| c.name).collect();
        assert_eq!(names.join(" "), expected, "{selector:?}");
    }
    let error = select(&models, &["path:modles".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "`path:modles` selects nothing");
    assert!(matches!(select(&models, &["is:x".to_owned()]), Err(SelectError::UnknownMethod { .. })));
}
