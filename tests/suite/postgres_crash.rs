//! Killed between the transaction groups of a migration, and inside of one: a second run ends in the same state.

use std::time::{Duration, Instant};

use super::support::database::Shop;

const BEFORE: &str = "CREATE TYPE mood AS ENUM ('ok');\nCREATE TABLE orders (id bigint PRIMARY KEY, note varchar(20), mood mood);\n";

/// A label, what one transaction takes, an index outside of any, a look at the rows: four groups.
const AFTER: &str = "CREATE TYPE mood AS ENUM ('ok', 'bad');\n\
    CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(30), mood mood DEFAULT 'bad', CONSTRAINT positive CHECK (id > 0));\n\
    CREATE INDEX by_note ON orders (note);\n";

fn prepared() -> Option<Shop> {
    let shop = Shop::new(BEFORE)?;
    shop.converge(BEFORE, "");
    shop.sql("INSERT INTO analytics.orders VALUES (1, 'x', 'ok')");
    shop.declare(AFTER);
    Some(shop)
}

/// The catalog, and every step that was recorded after the first migration.
fn state(shop: &Shop) -> (Vec<String>, Vec<String>) {
    let recorded = shop.sql(
        "SELECT DISTINCT step->>'code' || ' ' || (step->>'object') || ' ' || coalesce(step->>'column', '') \
         FROM analytics._promote_migrations, jsonb_array_elements(steps::jsonb) step \
         WHERE step->>'code' NOT IN ('create-dataset', 'create-type', 'create-table') ORDER BY 1",
    );
    (shop.server.catalog(&shop.database), recorded.lines().map(str::to_owned).collect())
}

#[test]
fn killed_after_any_group_a_second_run_ends_in_the_same_state() {
    let Some(undisturbed) = prepared() else { return };
    let groups = undisturbed.steps("").iter().filter_map(|step| step["group"].as_u64()).max().unwrap();
    assert!(groups >= 4, "there are {groups} groups");
    undisturbed.migrate("--yes").exits(0);
    let wanted = state(&undisturbed);
    for group in 1..=groups {
        let shop = prepared().unwrap();
        let border = format!("group-{group}");
        let killed = shop.sandbox.promote_with("p", "migrate --yes", ("PROMOTE_CRASH_AT", &border));
        assert_eq!(killed.status, -1, "{border}: {}", killed.everything());
        shop.migrate("--yes").exits(0);
        assert_eq!(state(&shop), wanted, "killed at {border}");
        assert!(shop.steps("").is_empty());
    }
}

#[test]
fn killed_inside_a_group_nothing_of_it_is_left_and_a_second_run_finishes() {
    let Some(undisturbed) = prepared() else { return };
    undisturbed.migrate("--yes").exits(0);
    let wanted = state(&undisturbed);
    // Somebody's open transaction lets the label through, and keeps the index waiting.
    let shop = prepared().unwrap();
    let (server, database) = (shop.server, shop.database.clone());
    let hold = "BEGIN; INSERT INTO analytics.orders VALUES (2, 'y', 'ok'); SELECT pg_sleep(60)";
    let holder = std::thread::spawn(move || server.psql(&database, hold));
    let waiting = |pattern: &str| {
        shop.sql(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '{pattern}' \
             AND pid <> pg_backend_pid()"
        )) != "0"
    };
    let begun = Instant::now();
    while !waiting("%pg_sleep(60)%") {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut child = shop.sandbox.start("p", "migrate --yes", &[]);
    while !waiting("ALTER TABLE%") {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    shop.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    holder.join().unwrap();
    let half = shop.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'positive'");
    assert_eq!(half, "0", "the group that was cut short left nothing");
    shop.migrate("--yes").exits(0);
    assert_eq!(state(&shop), wanted);
}

#[test]
fn a_lost_connection_says_so_and_a_second_run_finishes() {
    let Some(shop) = prepared() else { return };
    let (server, database) = (shop.server, shop.database.clone());
    let hold = "BEGIN; LOCK TABLE analytics.orders IN ACCESS SHARE MODE; SELECT pg_sleep(60)";
    let holder = std::thread::spawn(move || server.psql(&database, hold));
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
                AND application_name = 'promote' AND query LIKE 'ALTER TABLE%'";
    let child = shop.sandbox.start("p", "migrate --yes", &[]);
    let begun = Instant::now();
    while shop.sql(kill) == "0" {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    shop.sandbox.wait(child).exits(5).says("the connection was lost").says("run the same command again");
    shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND datname = current_database() AND pid <> pg_backend_pid()");
    holder.join().unwrap();
    shop.migrate("--yes").exits(0);
    assert!(shop.steps("").is_empty());
}
