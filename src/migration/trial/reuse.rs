//! What is remembered between plans gives the same as what is built, whatever is in the memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;

use super::stage::*;
use crate::migration::{Memory, Planned};
use crate::model::schema::Column;
use crate::warehouse::{Routines, Scratch, Texts};

/// Keeps everything, in memory.
#[derive(Clone, Default)]
struct Kept(BTreeMap<String, String>);

impl Memory for Kept {
    fn recall(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn keep(&mut self, key: &str, text: &str) {
        self.0.insert(key.to_owned(), text.to_owned());
    }
}

/// Takes down what is built in a scratch, and which queries are bound there.
struct Counting {
    scratch: Box<dyn Scratch>,
    built: Rc<RefCell<Vec<String>>>,
}

#[async_trait(?Send)]
impl Scratch for Counting {
    async fn reset(&mut self, texts: Texts) -> Result<(), WarehouseError> {
        self.scratch.reset(texts).await
    }

    async fn build(&mut self, statement: &str) -> Result<(), WarehouseError> {
        self.built.borrow_mut().push(statement.to_owned());
        self.scratch.build(statement).await
    }

    async fn rehearse(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        self.scratch.rehearse(statements).await
    }

    async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError> {
        self.built.borrow_mut().push(query.to_owned());
        self.scratch.columns(query).await
    }

    async fn schema(
        &mut self,
        datasets: &[Dataset],
        routines: Routines,
        texts: Texts,
    ) -> Result<Schema, WarehouseError> {
        self.scratch.schema(datasets, routines, texts).await
    }
}

/// Plans with a memory; gives how many statements were built or bound too.
async fn remembering(trial: &Trial, declared: &Declared, memory: &mut dyn Memory) -> (Planned, usize) {
    let (planned, built) = attempt(trial, declared, memory).await.unwrap();
    (planned, built.len())
}

/// The same with the statements.
async fn telling(trial: &Trial, declared: &Declared, memory: &mut dyn Memory) -> (Planned, Vec<String>) {
    attempt(trial, declared, memory).await.unwrap()
}

async fn attempt(
    trial: &Trial,
    declared: &Declared,
    memory: &mut dyn Memory,
) -> Result<(Planned, Vec<String>), MigrationError> {
    let reach = Reach { routines: declared.routines(), ..Reach::reading(declared.datasets()) };
    let mut connection = connect(&trial.warehouse(), &reach).await.unwrap();
    let (warehouse, files, built) =
        (trial.warehouse(), declared.outside(), Rc::new(RefCell::new(Vec::new())));
    let mut open = || -> Opening<'_> {
        let built = Rc::clone(&built);
        let opening = scratch(&warehouse, &reach, &files);
        Box::pin(async move {
            let (scratch, typed) = opening.await?;
            Ok((Box::new(Counting { scratch, built }) as Box<dyn Scratch>, typed))
        })
    };
    let options = Options { force: true, ..Options::default() };
    let planned = plan(declared, connection.as_mut(), &mut open, memory, &options).await?;
    Ok((planned, built.take()))
}

/// A chain of a table and views on it, beside much else.
fn project(width: &str, more: &str) -> Declared {
    let mut objects = vec![
        query("orders", &format!("select 1::{width} as id, 2 as amount")),
        view("paid", "select id, amount from analytics.orders where amount > 0"),
        view("revenue", &format!("select sum(amount) as revenue{more} from analytics.paid")),
        object(
            "cents",
            Body::Routine { statement: "create macro analytics.cents(a, b := 2) as a * b".to_owned() },
        ),
    ];
    for number in 0..20 {
        objects.push(table(&format!("other_{number}"), vec![column("id", "int")]));
    }
    declared(objects)
}

#[tokio::test]
async fn builds_only_what_changed_and_what_that_reads() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    let (_, whole) = remembering(&trial, &project("int", ""), &mut memory).await;
    assert!(whole >= 24, "{whole}");
    trial.converge(&project("int", "")).await;
    // What is recorded changed, nothing else.
    assert_eq!(remembering(&trial, &project("int", ""), &mut memory).await.1, 0);
    let after = project("int", ", count(*) as n");
    let (planned, built) = remembering(&trial, &after, &mut memory).await;
    assert_eq!(planned.steps.steps.len(), 1);
    assert!(built < 12, "three objects, and as many for the proof: {built}");
    assert_eq!(remembering(&trial, &after, &mut Forgetful).await.0, planned);
    assert_eq!(remembering(&trial, &after, &mut memory).await, (planned, 0));
}

#[tokio::test]
async fn remembers_what_was_joined_from_what_was_remembered() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    remembering(&trial, &project("int", ""), &mut memory).await;
    for number in 0..3 {
        let after = project("int", &format!(", {number} as n"));
        let (planned, _) = remembering(&trial, &after, &mut memory).await;
        assert_eq!(remembering(&trial, &after, &mut memory).await, (planned.clone(), 0));
        assert_eq!(remembering(&trial, &after, &mut Forgetful).await.0, planned);
    }
    // What is gone, what is new, and what is of another kind under the same name.
    let mut after = project("int", "");
    after.objects.pop();
    after.objects.pop();
    after.objects.push(view("other_18", "select * from analytics.other_5"));
    let (planned, _) = remembering(&trial, &after, &mut memory).await;
    assert_eq!(remembering(&trial, &after, &mut memory).await, (planned.clone(), 0));
    assert_eq!(remembering(&trial, &after, &mut Forgetful).await.0, planned);
}

/// A long chain: files and tables below, a view, and queries above it.
fn chain(column: &str, filter: &str) -> Declared {
    declared(vec![
        query("ground", "select 1 as id"),
        query("orders", "select id, 2 as amount from analytics.ground"),
        view("paid", &format!("select id, amount{column} from analytics.orders where amount > {filter}")),
        query("kept", "select id, amount from analytics.paid"),
        query("whole", "select * from analytics.paid"),
        query("above_kept", "select count(*) as n from analytics.kept"),
        query("above_whole", "select * from analytics.whole"),
    ])
}

#[tokio::test]
async fn binds_what_reads_a_change_and_ends_where_nothing_comes_of_it() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    trial.converge(&chain("", "0")).await;
    remembering(&trial, &chain("", "0"), &mut memory).await;
    let bound =
        |said: &[String], name: &str| said.iter().any(|sql| sql.contains(&format!("analytics.{name}")));
    // Another column: who selects two of them gives what it gave.
    let (planned, said) = telling(&trial, &chain(", 1 as one", "0"), &mut memory).await;
    assert_eq!(remembering(&trial, &chain(", 1 as one", "0"), &mut Forgetful).await.0, planned);
    assert_eq!(planned.steps.steps.len(), 3, "{:#?}", planned.steps.steps);
    assert!(bound(&said, "whole") && !bound(&said, "kept") && !bound(&said, "ground"), "{said:#?}");
    // Another filter: nobody who reads it sees that.
    let (planned, said) = telling(&trial, &chain(", 1 as one", "1"), &mut memory).await;
    assert_eq!(remembering(&trial, &chain(", 1 as one", "1"), &mut Forgetful).await.0, planned);
    let mut queries = said.iter().filter(|sql| sql.to_lowercase().starts_with("select"));
    assert!(queries.all(|sql| sql.contains("SELECT * FROM analytics.paid")), "{said:#?}");
}

/// Everything that reads something else, each in one of several forms.
fn varied(forms: &mut dyn FnMut(usize) -> usize) -> Declared {
    let mut objects = Vec::new();
    let mut one_of = |texts: &[&'static str]| texts[forms(texts.len())];
    let orders = one_of(&[
        "select 1::int as id, 2 as amount",
        "select 1::bigint as id, 2 as amount",
        "select 1::int as id, 2 as amount, null as more",
        "select 1::int as id, 2 as amount where true",
        "select 1::int as id, 2 as amount, {'a': 1, 'b': [date '2020-01-01']} as more",
    ]);
    let is_view = one_of(&["", "view"]) == "view";
    objects.push(if is_view { view("orders", orders) } else { query("orders", orders) });
    objects.push(view(
        "paid",
        one_of(&[
            "select id, amount from analytics.orders",
            "select * from analytics.orders",
            "select *, amount::date::varchar as text from analytics.orders",
        ]),
    ));
    let mut kept =
        query("kept", one_of(&["select id, amount from analytics.paid", "select * from analytics.paid"]));
    match one_of(&["", "typed", "keyed", "filled", "checked"]) {
        "typed" => kept.columns.push(column("amount", "decimal(9, 2)")),
        "keyed" => kept.constraints.push("primary key (id)".to_owned()),
        "filled" => kept.columns.push(DeclaredColumn {
            name: "amount".to_owned(),
            default: Some("analytics.cents(1)".to_owned()),
            ..DeclaredColumn::default()
        }),
        "checked" => kept.constraints.push("check (amount > 0)".to_owned()),
        _ => {}
    }
    objects.push(kept);
    objects
        .push(query("total", one_of(&["select count(*) as n, any_value(amount) as a from analytics.kept"])));
    objects.push(view("seen", one_of(&["select * from analytics.total", "select n from analytics.total"])));
    let cents = one_of(&[
        "create macro analytics.cents(a) as a * 100",
        "create macro analytics.cents(a) as a::varchar",
        "create macro analytics.cents(a, b := 2) as (select max(id) from analytics.orders)",
    ]);
    objects.push(object("cents", Body::Routine { statement: cents.to_owned() }));
    objects
        .push(query("priced", "select analytics.cents(amount) as c, * from analytics.seen, analytics.paid"));
    let lines = one_of(&[
        "create table analytics.lines(id int primary key, note varchar default 'x'); create view analytics.lined as \
         select * from analytics.lines",
        "create table analytics.lines(id bigint primary key, note varchar)",
        "create table analytics.lines(id int primary key); create table analytics.parts(id int references analytics.lines(id))",
        "create type analytics.mood as enum ('a', 'b'); create table analytics.lines(id int, note analytics.mood)",
    ]);
    let body = Body::Ddl { sql: lines.to_owned() };
    objects.push(DeclaredObject::new(None, body, Place::file("schema/lines.sql")));
    objects.push(view("noted", one_of(&["select * from analytics.lines", "select id from analytics.lines"])));
    if one_of(&["", "gone"]) == "gone" {
        objects.remove(forms(4));
    }
    declared(objects)
}

#[tokio::test]
async fn remembers_nothing_but_what_would_be_built() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % u64::try_from(below).unwrap()).unwrap()
    };
    let mut chosen = [0_usize; 32];
    let (mut built, mut rejected) = (0, 0);
    for turn in 0..60 {
        chosen[next(chosen.len())] = next(60);
        chosen[next(14)] = next(60);
        if turn % 4 == 0 {
            chosen[13..].fill(0);
        }
        let mut at = 0;
        let project = varied(&mut |below| {
            at += 1;
            chosen[at - 1] % below
        });
        let whole = attempt(&trial, &project, &mut Forgetful).await.map(|found| found.0);
        let found = attempt(&trial, &project, &mut memory).await.map(|found| found.0);
        match (found, whole) {
            (Ok(found), Ok(whole)) => {
                assert_eq!(found, whole, "{project:#?}");
                built += 1;
            }
            (found, whole) => {
                let words = |result: Result<Planned, MigrationError>| {
                    result.map(|_| ()).map_err(|error| error.to_string())
                };
                assert_eq!(words(found), words(whole), "{project:#?}");
                rejected += 1;
            }
        }
    }
    assert!(built > 20 && rejected > 5, "{built} {rejected}");
}

#[tokio::test]
async fn builds_again_what_reads_something_that_changed() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    trial.converge(&project("int", "")).await;
    remembering(&trial, &project("int", ""), &mut memory).await;
    for after in [project("bigint", ""), project("int", ""), project("varchar", ", 1 as one")] {
        let (planned, _) = remembering(&trial, &after, &mut memory).await;
        assert_eq!(remembering(&trial, &after, &mut Forgetful).await.0, planned);
    }
}

#[tokio::test]
async fn builds_again_what_reads_a_live_table_that_changed() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    trial.by_hand(&["create schema analytics", "create table analytics.raw(a int)"]).await.unwrap();
    let project =
        declared(vec![query("t", "select * from analytics.raw"), table("u", vec![column("a", "int")])]);
    remembering(&trial, &project, &mut memory).await;
    trial.by_hand(&["alter table analytics.raw add column b varchar"]).await.unwrap();
    let (planned, built) = remembering(&trial, &project, &mut memory).await;
    assert_eq!(planned.desired.schema.relations[&at("t")].columns.len(), 2);
    assert_eq!(remembering(&trial, &project, &mut Forgetful).await.0, planned);
    assert!(built > 0);
}

#[tokio::test]
async fn leaves_out_what_is_no_longer_declared_and_takes_in_what_is_new() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    remembering(&trial, &project("int", ""), &mut memory).await;
    let mut fewer = project("int", "");
    fewer.objects.truncate(8);
    fewer.objects.swap(0, 3);
    fewer.objects.push(view("first", "select * from analytics.other_1"));
    let (planned, _) = remembering(&trial, &fewer, &mut memory).await;
    assert_eq!(remembering(&trial, &fewer, &mut Forgetful).await.0, planned);
}

#[tokio::test]
async fn says_what_is_wrong_as_if_nothing_were_remembered() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    remembering(&trial, &project("int", ""), &mut memory).await;
    let mut wrong = project("int", "");
    wrong.objects[1] = view("paid", "select id from analytics.orders");
    let expected = attempt(&trial, &wrong, &mut Forgetful).await.unwrap_err().to_string();
    assert_eq!(attempt(&trial, &wrong, &mut memory).await.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn sees_that_two_declarations_make_one_name() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    remembering(&trial, &project("int", ""), &mut memory).await;
    let mut twice = project("int", "");
    let body = Body::Ddl { sql: "create table analytics.Other_7(id int)".to_owned() };
    twice.objects.push(DeclaredObject::new(None, body, Place::file("schema/other.sql")));
    let expected = attempt(&trial, &twice, &mut Forgetful).await.unwrap_err().to_string();
    assert_eq!(attempt(&trial, &twice, &mut memory).await.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn believes_nothing_that_is_damaged() {
    let trial = Trial::new();
    trial.converge(&project("int", "")).await;
    let (expected, _) = remembering(&trial, &project("int", ""), &mut Forgetful).await;
    let mut memory = Kept::default();
    remembering(&trial, &project("int", ""), &mut memory).await;
    let damages: [fn(&str) -> String; 4] = [
        |text| text[..text.len() / 2].to_owned(),
        |text| text.replace("orders", "others"),
        |_| String::new(),
        |text| text.replace("promote", "demote"),
    ];
    for damage in damages {
        let mut damaged = Kept(memory.0.iter().map(|(key, text)| (key.clone(), damage(text))).collect());
        assert_eq!(remembering(&trial, &project("int", ""), &mut damaged).await.0, expected);
    }
    // What was kept for one key stands under another.
    let mut turned: Vec<String> = memory.0.values().cloned().collect();
    turned.rotate_left(1);
    let mut foreign = Kept(memory.0.keys().cloned().zip(turned).collect());
    assert_eq!(
        remembering(&trial, &project("bigint", ""), &mut foreign).await.0,
        remembering(&trial, &project("bigint", ""), &mut Forgetful).await.0
    );
}
