//! Real files to try plans on, and short words for what is declared.

use std::path::PathBuf;

use super::super::memory::survives;
pub(in crate::migration) use super::super::{
    Application, Body, Declared, DeclaredColumn, DeclaredObject, Forgetful, Half, MigrationError, Opening,
    Options, Proof, desired, plan,
};
pub(in crate::migration) use crate::model::coordinate::{Coordinate, Dataset};
pub(in crate::migration) use crate::model::environment::Warehouse;
pub(in crate::migration) use crate::model::migration::Step;
pub(in crate::migration) use crate::model::origin::Place;
pub(in crate::migration) use crate::model::plan::Acknowledgements;
pub(in crate::migration) use crate::model::schema::Schema;
pub(in crate::migration) use crate::warehouse::{Ledger, Reach, WarehouseError, connect, scratch};

/// A DuckDB file in a folder of its own.
pub(in crate::migration) struct Trial {
    pub(in crate::migration) folder: tempfile::TempDir,
}

/// A plan, and its steps at hand.
pub(in crate::migration) struct Planned {
    pub(in crate::migration) plan: super::super::Planned,
    pub(in crate::migration) steps: Vec<Step>,
}

impl Planned {
    /// The codes with their subjects, in order.
    pub(in crate::migration) fn codes(&self) -> Vec<String> {
        self.steps.iter().map(|step| format!("{} {}", step.code, step.subject())).collect()
    }

    pub(in crate::migration) fn step(&self, code: &str) -> &Step {
        self.steps
            .iter()
            .find(|step| step.code == code)
            .unwrap_or_else(|| panic!("{code}: {:?}", self.codes()))
    }
}

impl Trial {
    pub(in crate::migration) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(in crate::migration) fn file(&self) -> PathBuf {
        self.folder.path().join("shop.duckdb")
    }

    pub(in crate::migration) fn warehouse(&self) -> Warehouse {
        Warehouse::DuckDb { path: self.file().to_string_lossy().into_owned() }
    }

    /// Runs statements on the file, as somebody else would.
    pub(in crate::migration) async fn by_hand(&self, statements: &[&str]) -> Result<u64, WarehouseError> {
        let statements: Vec<String> = statements.iter().map(|&sql| sql.to_owned()).collect();
        connect(&self.warehouse(), &Reach::writing(vec![a()])).await?.run(&statements).await
    }

    pub(in crate::migration) async fn count(&self, sql: &str) -> u64 {
        let mut connection = connect(&self.warehouse(), &Reach::reading(vec![a()])).await.unwrap();
        connection.counts(&[sql.to_owned()]).await.unwrap()[0]
    }

    pub(in crate::migration) async fn live(&self) -> Schema {
        let mut connection = connect(&self.warehouse(), &Reach::reading(vec![a()])).await.unwrap();
        connection.schema(&[a()]).await.unwrap()
    }

    pub(in crate::migration) async fn plan(
        &self,
        declared: &Declared,
        options: &Options,
    ) -> Result<Planned, MigrationError> {
        let datasets = declared.datasets();
        let reach = Reach { routines: declared.routines(), ..Reach::reading(datasets) };
        let mut connection = connect(&self.warehouse(), &reach).await?;
        let (warehouse, files) = (self.warehouse(), declared.outside());
        let mut open = || -> Opening<'_> { Box::pin(scratch(&warehouse, &reach, &files)) };
        let plan = plan(declared, connection.as_mut(), &mut open, &mut Forgetful, options).await?;
        assert!(survives(&plan.desired), "what is desired can be remembered");
        Ok(Planned { steps: plan.steps.steps.clone(), plan })
    }

    pub(in crate::migration) async fn apply(
        &self,
        declared: &Declared,
        planned: &Planned,
    ) -> Result<(), MigrationError> {
        let reach = Reach { routines: declared.routines(), ..Reach::writing(planned.plan.datasets.clone()) };
        let mut connection = connect(&self.warehouse(), &reach).await?;
        let application = Application {
            committed: &|_| (),
            desired: &planned.plan.desired,
            ledger: &planned.plan.ledger,
            steps: &planned.steps,
            shown: &planned.steps,
            plan_id: "p1",
            at: "2026-01-01T00:00:00Z",
            by: "A <a@b>",
            acknowledgements: &Acknowledgements::default(),
            planned_for: Some((&planned.plan.datasets, &planned.plan.fingerprint)),
        };
        application.apply(connection.as_mut(), Half::BeforePush).await?;
        application.apply(connection.as_mut(), Half::AfterPush).await?;
        Ok(())
    }

    /// Plans and applies with `--force`; the plan has to be proven and a second one empty.
    pub(in crate::migration) async fn converge(&self, declared: &Declared) -> Planned {
        let forced = Options { force: true, ..Options::default() };
        let planned = self.plan(declared, &forced).await.unwrap();
        assert_eq!(planned.plan.proof, Proof::Proven, "{:#?}", planned.steps);
        self.apply(declared, &planned).await.unwrap();
        let again = self.plan(declared, &forced).await.unwrap();
        assert_eq!(again.codes(), Vec::<String>::new(), "second plan after {:#?}", planned.steps);
        planned
    }
}

pub(in crate::migration) fn a() -> Dataset {
    Dataset::new("analytics")
}

pub(in crate::migration) fn at(name: &str) -> Coordinate {
    a().object(name)
}

pub(in crate::migration) fn declared(objects: Vec<DeclaredObject>) -> Declared {
    Declared {
        dataset: a(),
        dialect: crate::sql::Dialect::DuckDb,
        objects,
        sources: Vec::new(),
        texts: std::collections::BTreeMap::new(),
        files: Vec::new(),
    }
}

pub(in crate::migration) fn ddl(sql: &str) -> Declared {
    let body = Body::Ddl { sql: sql.to_owned() };
    declared(vec![DeclaredObject::new(None, body, Place::file("schema/all.sql"))])
}

pub(in crate::migration) fn object(name: &str, body: Body) -> DeclaredObject {
    let place = Place::file(format!("models/{name}.sql"));
    DeclaredObject { source_hash: "h".to_owned(), ..DeclaredObject::new(Some(at(name)), body, place) }
}

pub(in crate::migration) fn view(name: &str, sql: &str) -> DeclaredObject {
    object(name, Body::View { sql: sql.to_owned() })
}

pub(in crate::migration) fn query(name: &str, sql: &str) -> DeclaredObject {
    object(name, Body::TableFromQuery { sql: sql.to_owned() })
}

pub(in crate::migration) fn table(name: &str, columns: Vec<DeclaredColumn>) -> DeclaredObject {
    DeclaredObject { columns, ..object(name, Body::TableFromColumns) }
}

pub(in crate::migration) fn column(name: &str, data_type: &str) -> DeclaredColumn {
    DeclaredColumn {
        name: name.to_owned(),
        data_type: Some(data_type.to_owned()),
        ..DeclaredColumn::default()
    }
}
