//! What a case keeps open: a connection as long as its kind is asked for, and a place to try things in.
//!
//! Starting an engine and making a database cost more than all that a small case asks of them. A file is still opened
//! anew between writing and reading it, as one run after the other does.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use promote::model::coordinate::Dataset;
use promote::model::environment::Warehouse;
use promote::model::schema::{Column, Schema};
use promote::warehouse::{
    Access, Connected, Connection, Files, Reach, Routines, Scratch, Texts, Typed, WarehouseError, connect,
    scratch,
};

/// The connection that is open, with what it may do.
pub(super) struct Held {
    warehouse: Warehouse,
    open: RefCell<Option<(Access, Connection)>>,
}

/// A connection that goes back where it came from.
pub(super) struct Lent<'a> {
    held: &'a Held,
    open: Option<(Access, Connection)>,
}

impl Held {
    pub(super) fn new(warehouse: Warehouse) -> Self {
        Self { warehouse, open: RefCell::default() }
    }

    /// Gives the open connection if it may do the same; else there is a new one, and never two.
    pub(super) async fn open(&self, reach: Reach) -> Result<Lent<'_>, WarehouseError> {
        // A plan and its application have to list routines alike.
        let reach = Reach { routines: Routines::WhereCalled, ..reach };
        let kept = self.open.take().filter(|(access, _)| *access == reach.access);
        let open = match kept {
            Some(kept) => kept,
            None => (reach.access, connect(&self.warehouse, &reach).await?),
        };
        Ok(Lent { held: self, open: Some(open) })
    }

    pub(super) fn close(&self) {
        drop(self.open.take());
    }
}

impl Lent<'_> {
    pub(super) fn connection(&mut self) -> &mut dyn Connected {
        self.open.as_mut().expect("it goes back when this is dropped").1.as_mut()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.held.open.replace(self.open.take());
    }
}

/// A place to try things in that is made empty for each plan, and made anew where that fails.
#[derive(Default)]
pub(super) struct Pool(Option<Home>);

/// Where a place waits for the next plan.
type Home = Rc<RefCell<Option<Box<dyn Scratch>>>>;

impl Pool {
    /// One that keeps its place; the other kind makes one for each plan.
    pub(super) fn keeping() -> Self {
        Self(Some(Rc::default()))
    }

    pub(super) async fn open(
        &self,
        warehouse: &Warehouse,
        reach: &Reach,
        files: &Files,
    ) -> Result<(Box<dyn Scratch>, Typed), WarehouseError> {
        let Some(home) = &self.0 else { return scratch(warehouse, reach, files).await };
        let kept = home.take();
        let empty = match kept {
            Some(mut kept) => kept.reset(Texts::Stored).await.is_ok().then_some(kept),
            None => None,
        };
        let inner = match empty {
            Some(empty) => empty,
            None => scratch(warehouse, reach, files).await?.0,
        };
        Ok((Box::new(Borrowed { inner: Some(inner), home: Rc::clone(home) }), Typed::default()))
    }
}

struct Borrowed {
    inner: Option<Box<dyn Scratch>>,
    home: Home,
}

impl Borrowed {
    fn inner(&mut self) -> &mut dyn Scratch {
        self.inner.as_mut().expect("it goes back when this is dropped").as_mut()
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.home.replace(self.inner.take());
    }
}

#[async_trait(?Send)]
impl Scratch for Borrowed {
    async fn reset(&mut self, texts: Texts) -> Result<(), WarehouseError> {
        self.inner().reset(texts).await
    }

    async fn build(&mut self, statement: &str) -> Result<(), WarehouseError> {
        self.inner().build(statement).await
    }

    async fn rehearse(&mut self, statements: &[String]) -> Result<(), WarehouseError> {
        self.inner().rehearse(statements).await
    }

    async fn columns(&mut self, query: &str) -> Result<Vec<Column>, WarehouseError> {
        self.inner().columns(query).await
    }

    async fn schema(
        &mut self,
        datasets: &[Dataset],
        routines: Routines,
        texts: Texts,
    ) -> Result<Schema, WarehouseError> {
        self.inner().schema(datasets, routines, texts).await
    }
}
