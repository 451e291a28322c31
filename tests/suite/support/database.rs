//! A project whose one environment lives in a database of the private PostgreSQL server.

use serde_json::Value;

use super::sandbox::{Run, Sandbox};
use super::server::{Server, server};

/// A project whose one environment lives in a database of the private server.
pub(crate) struct Shop {
    pub(crate) server: &'static Server,
    pub(crate) sandbox: Sandbox,
    pub(crate) database: String,
}

impl Shop {
    pub(crate) fn new(schema: &str) -> Option<Self> {
        let server = server()?;
        let (database, sandbox) = (server.database(), Sandbox::new());
        let shop = Self { server, sandbox, database };
        shop.project(&shop.server.url("postgres", &shop.database));
        shop.declare(schema);
        Some(shop)
    }

    pub(crate) fn project(&self, url: &str) {
        let project = format!(
            "version: 1\nproject_id: shop\ndefault_environment: prod\nwarehouse: {{kind: postgres, url: \"{url}\"}}\n\
             dataset: analytics\nenvironments:\n- name: prod\n"
        );
        self.sandbox.write("p/project.yml", project);
    }

    pub(crate) fn declare(&self, schema: &str) {
        self.sandbox.write("p/schema/all.sql", schema);
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.database, sql)
    }

    pub(crate) fn migrate(&self, flags: &str) -> Run {
        self.sandbox.promote("p", &format!("migrate {flags} --format json"))
    }

    /// Plans and gives the steps.
    pub(crate) fn steps(&self, flags: &str) -> Vec<Value> {
        let run = self.migrate(&format!("--plan {flags}"));
        run.json()["result"]["steps"].as_array().cloned().unwrap_or_else(|| panic!("{}", run.everything()))
    }

    /// Migrates, and a second plan has to be empty.
    pub(crate) fn converge(&self, schema: &str, flags: &str) -> Vec<Value> {
        self.declare(schema);
        let steps = self.steps(flags);
        self.migrate(&format!("--yes {flags}")).exits(0);
        let again = self.steps(flags);
        assert!(again.is_empty(), "{again:#?}");
        steps
    }
}

pub(crate) fn codes(steps: &[Value]) -> Vec<&str> {
    steps.iter().map(|step| step["code"].as_str().unwrap()).collect()
}

pub(crate) fn step<'a>(steps: &'a [Value], code: &str) -> &'a Value {
    steps.iter().find(|step| step["code"] == code).unwrap_or_else(|| panic!("{code}: {:?}", codes(steps)))
}

pub(crate) fn ddl(step: &Value) -> Vec<&str> {
    step["ddl"].as_array().unwrap().iter().map(|sql| sql.as_str().unwrap()).collect()
}

pub(crate) const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2) NOT NULL DEFAULT 0, note varchar(20));\n\
    COMMENT ON TABLE orders IS 'it''s all orders';\n\
    CREATE VIEW big AS SELECT id, total FROM orders WHERE total > 10;\n\
    CREATE VIEW bigger AS SELECT id, total FROM big WHERE total > 100;\n";
