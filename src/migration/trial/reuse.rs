//! What is remembered between plans gives the same as what is built, whatever is in the memory.

use std::cell::Cell;
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

/// Counts what is built in a scratch.
struct Counting {
    scratch: Box<dyn Scratch>,
    built: Rc<Cell<u32>>,
}

#[async_trait(?Send)]
impl Scratch for Counting {
    async fn reset(&mut self, texts: Texts) -> Result<(), WarehouseError> {
        self.scratch.reset(texts).await
    }

    async fn build(&mut self, statement: &str) -> Result<(), WarehouseError> {
        self.built.set(self.built.get() + 1);
        self.scratch.build(statement).await
    }

    async fn rehearse(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        self.scratch.rehearse(statements).await
    }

    async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError> {
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

/// Plans with a memory; gives how many statements were built too.
async fn remembering(trial: &Trial, declared: &Declared, memory: &mut dyn Memory) -> (Planned, u32) {
    attempt(trial, declared, memory).await.unwrap()
}

async fn attempt(
    trial: &Trial,
    declared: &Declared,
    memory: &mut dyn Memory,
) -> Result<(Planned, u32), MigrationError> {
    let reach = Reach { routines: declared.routines(), ..Reach::reading(declared.datasets()) };
    let mut connection = connect(&trial.warehouse(), &reach).await.unwrap();
    let (warehouse, files, built) = (trial.warehouse(), declared.outside(), Rc::new(Cell::new(0)));
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
    Ok((planned, built.get()))
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

/// The keys of what is kept as a difference.
fn differences(memory: &Kept) -> Vec<String> {
    memory.0.keys().filter(|key| key.ends_with("-since")).cloned().collect()
}

#[tokio::test]
async fn keeps_what_changed_as_a_difference_and_puts_it_together_again() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    remembering(&trial, &project("int", ""), &mut memory).await;
    assert_eq!(differences(&memory).len(), 0);
    for number in 0..12 {
        let after = project("int", &format!(", {number} as n"));
        let (planned, _) = remembering(&trial, &after, &mut memory).await;
        assert_eq!(remembering(&trial, &after, &mut memory).await, (planned.clone(), 0));
        assert_eq!(remembering(&trial, &after, &mut Forgetful).await.0, planned);
    }
    assert_eq!(differences(&memory).len(), 11, "one of them is whole, so that no chain grows long");
    // What is gone, what is new, and what is of another kind under the same name.
    let mut after = project("int", "");
    after.objects.pop();
    after.objects.pop();
    after.objects.push(view("other_18", "select * from analytics.other_5"));
    let (planned, _) = remembering(&trial, &after, &mut memory).await;
    assert_eq!(remembering(&trial, &after, &mut memory).await, (planned.clone(), 0));
    assert_eq!(remembering(&trial, &after, &mut Forgetful).await.0, planned);
    assert_eq!(differences(&memory).len(), 12);
}

#[tokio::test]
async fn forgets_a_difference_with_what_it_differs_from() {
    let (trial, mut memory) = (Trial::new(), Kept::default());
    remembering(&trial, &project("int", ""), &mut memory).await;
    let after = project("int", ", 1 as n");
    let (planned, _) = remembering(&trial, &after, &mut memory).await;
    let large = memory.0.iter().max_by_key(|(_, text)| text.len()).map(|(key, _)| key.clone()).unwrap();
    assert!(memory.0.contains_key(&differences(&memory)[0]));
    memory.0.remove(&large);
    let (again, built) = remembering(&trial, &after, &mut memory).await;
    assert_eq!(again, planned);
    assert!(built >= 24, "{built}");
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
