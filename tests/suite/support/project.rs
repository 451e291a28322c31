//! A small project with three environments, as branches of one repository or as three repositories.

use super::sandbox::Sandbox;

/// The project file; `WORKSPACE(name)` is filled in per layout.
const PROJECT: &str = "\
version: 1
project_id: shop
default_environment: dev

promotion:
  order: [dev, staging, prod]

warehouse: {kind: duckdb, path: \"$DATA/{{ environment.name }}.duckdb\"}
dataset: analytics
vars: {minimum: 10}
sources:
- name: raw
  dataset: raw
  tables:
  - {name: payments}

plugins:
  extractors:
  - name: tap-auth0
    namespace: tap_auth0
    config:
      domain: shop-staging.eu.auth0.com

environments:
- name: dev
  workspace: WORKSPACE(dev)
  config: {plugins: {extractors: [{name: tap-auth0, config: {client_id: aaa}}]}}
- name: staging
  workspace: WORKSPACE(staging)
  config: {plugins: {extractors: [{name: tap-auth0, config: {client_id: bbb}}]}}
- name: prod
  workspace: WORKSPACE(prod)
  config:
    plugins:
      extractors:
      - name: tap-auth0
        config:
          client_id: ccc
          domain: shop.eu.auth0.com
";

const CUSTOMERS: &str = "id,name,country\n1,Ada,GB\n2,Grace,US\n3,Konrad,DE\n";

const ORDERS: &str = "\
{{ config(materialized='table') }}
select
  id,
  id * 10 as amount,
  country
from {{ ref('customers') }}
where id * 10 >= {{ var('minimum') }}
";

const REVENUE: &str = "\
select country, sum(amount) as revenue
from {{ ref('orders') }}
group by country
";

/// A compatible change of `models/revenue.sql`: one column more, at the end.
pub(crate) const WIDER_REVENUE: &str = "\
select country, sum(amount) as revenue, count(*) as order_count
from {{ ref('orders') }}
group by country
";

const PROPERTIES: &str = "\
models:
- name: orders
  description: One row for each order.
  columns:
  - {name: id, data_type: bigint}
  - {name: amount, data_type: bigint}
  - {name: country, data_type: varchar}
";

/// Where the environments' code lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    /// Branches `dev`, `staging`, `prod` of one repository without a remote.
    Branches,
    /// Bare repositories `dev.git`, `staging.git`, `prod.git`, by a path relative to the project file.
    Repositories,
}

/// Gives the project file of a layout; `prefix` goes before `<name>.git`.
pub(crate) fn project_file(layout: Layout, prefix: &str) -> String {
    let workspace = |name: &str| match layout {
        Layout::Branches => format!("{{branch: {name}}}"),
        Layout::Repositories => format!("{{repository: \"{prefix}{name}.git\", branch: main}}"),
    };
    ["dev", "staging", "prod"]
        .iter()
        .fold(PROJECT.to_owned(), |text, name| text.replace(&format!("WORKSPACE({name})"), &workspace(name)))
}

/// Writes the project's files into a folder of the sandbox.
pub(crate) fn write_files(sandbox: &Sandbox, folder: &str, project: &str) {
    for (path, text) in [
        ("project.yml", project),
        ("seeds/customers.csv", CUSTOMERS),
        ("models/orders.sql", ORDERS),
        ("models/revenue.sql", REVENUE),
        ("models/properties.yml", PROPERTIES),
        ("routines/cents.sql", "create macro cents(amount) as amount * 100;\n"),
        ("schema/events.sql", "create table events (id bigint not null, happened_at timestamp);\n"),
    ] {
        sandbox.write(&format!("{folder}/{path}"), text);
    }
}

/// A sandbox with the project in the folder `shop`, its three environments at the same commit, branch
/// `dev` (or `main` of `dev.git`) checked out.
pub(crate) fn shop(layout: Layout) -> Sandbox {
    shop_at(layout, "../")
}

/// Like [`shop`], with what goes before `<name>.git` in the project file.
pub(crate) fn shop_at(layout: Layout, prefix: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let data = sandbox.path("data");
    std::fs::create_dir(&data).expect("a folder for the databases");
    sandbox.set("DATA", data.to_str().expect("paths are UTF-8"));
    write_files(&sandbox, "shop", &project_file(layout, prefix));
    match layout {
        Layout::Branches => {
            sandbox.git("shop", &["init", "-q", "-b", "dev"]);
            sandbox.commit("shop", "Ada", "the shop");
            sandbox.git("shop", &["branch", "staging"]);
            sandbox.git("shop", &["branch", "prod"]);
        }
        Layout::Repositories => {
            sandbox.git("shop", &["init", "-q", "-b", "main"]);
            sandbox.commit("shop", "Ada", "the shop");
            for name in ["dev", "staging", "prod"] {
                sandbox.git(".", &["clone", "-q", "--bare", "shop", &format!("{name}.git")]);
            }
            sandbox.git("shop", &["remote", "add", "origin", "../dev.git"]);
            sandbox.git("shop", &["push", "-q", "-u", "origin", "main"]);
        }
    }
    sandbox
}

/// Changes a file in the `dev` workspace and makes it known there.
pub(crate) fn change_in_dev(sandbox: &Sandbox, layout: Layout, path: &str, text: &str, message: &str) {
    sandbox.write(&format!("shop/{path}"), text);
    sandbox.commit("shop", "Ada", message);
    if layout == Layout::Repositories {
        sandbox.git("shop", &["push", "-q", "origin", "HEAD:main"]);
    }
}

/// Puts a lock into a repository, as another run would have.
pub(crate) fn lock_by_hand(sandbox: &Sandbox, folder: &str, reference: &str, lock: &serde_json::Value) {
    sandbox.write("lock/lock.json", lock.to_string());
    let file = sandbox.path("lock/lock.json").display().to_string();
    let blob = sandbox.git(folder, &["hash-object", "-w", &file]);
    sandbox.write("lock/tree", format!("100644 blob {blob}\tlock.json\n"));
    let tree = std::fs::File::open(sandbox.path("lock/tree")).expect("the file is there");
    let tree = sandbox.command("git", folder).arg("mktree").stdin(tree).output().expect("git starts");
    let tree = String::from_utf8_lossy(&tree.stdout).trim().to_owned();
    let commit = sandbox.git(folder, &["commit-tree", "-m", "lock", &tree]);
    sandbox.git(folder, &["update-ref", reference, &commit]);
}

/// Makes a commit in another environment's workspace, by somebody else.
pub(crate) fn hotfix(sandbox: &Sandbox, layout: Layout, name: &str, path: &str, text: &str) -> String {
    let folder = format!("{name}-clone");
    let (from, branch) = match layout {
        Layout::Branches => ("shop".to_owned(), name),
        Layout::Repositories => (format!("{name}.git"), "main"),
    };
    if !sandbox.path(&folder).exists() {
        sandbox.git(".", &["clone", "-q", "-b", branch, &from, &folder]);
    }
    sandbox.git(&folder, &["pull", "-q", "origin", branch]);
    sandbox.write(&format!("{folder}/{path}"), text);
    let commit = sandbox.commit(&folder, "Grace", "stop the incident");
    sandbox.git(&folder, &["push", "-q", "origin", &format!("HEAD:{branch}")]);
    commit
}
