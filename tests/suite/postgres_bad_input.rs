//! What PostgreSQL does not take is named, with its place and the engine's own words, and nothing is changed.

use super::support::database::{ORDERS, Shop, codes};

#[test]
fn declarations_that_the_engine_does_not_take_have_their_place() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    let long = "a".repeat(64);
    for (bad, line, says) in [
        ("CREATE TABLE t (\n  id int,,\n);\n".to_owned(), 6, "syntax error at or near \\\",\\\""),
        (
            "CREATE TABLE t (\n  id int,\n  x uint128x\n);\n".to_owned(),
            7,
            "type \\\"uint128x\\\" does not exist",
        ),
        (
            "CREATE TABLE t (id int);\nCREATE VIEW v AS\n  SELECT nothing FROM t;\n".to_owned(),
            7,
            "column \\\"nothing\\\" does not exist",
        ),
        (
            format!("CREATE TABLE {long} (id int);\n"),
            5,
            "has 64 bytes, and PostgreSQL cuts names off after 63",
        ),
        (format!("CREATE TABLE t (\"{}\" int);\n", "ü".repeat(32)), 5, "has 64 bytes"),
        ("CREATE TABLE select (id int);\n".to_owned(), 5, "syntax error at or near \\\"select\\\""),
        (
            "CREATE VIEW a AS SELECT * FROM b;\nCREATE VIEW b AS SELECT * FROM a;\n".to_owned(),
            0,
            "in a circle: a → b → a",
        ),
    ] {
        shop.declare(&format!("{ORDERS}{bad}"));
        let run = shop.migrate("--yes").exits(3).says(says);
        let findings = &run.json()["findings"];
        if line > 0 {
            assert_eq!(
                (&findings[0]["where"]["file"], &findings[0]["where"]["line"]),
                (&"schema/all.sql".into(), &line.into()),
                "{bad}"
            );
        }
    }
    shop.declare(ORDERS);
    assert!(shop.steps("").is_empty());
}

#[test]
fn names_as_long_as_the_engine_keeps_them_and_reserved_ones_work() {
    let (long, wide) = ("b".repeat(63), format!("{}ab", "日".repeat(20)));
    let schema = format!(
        "CREATE TABLE {long} (\"{wide}\" int, \"user\" int);\nCREATE VIEW \"order\" AS SELECT \"{wide}\" FROM {long};\n"
    );
    let Some(shop) = Shop::new(&schema) else { return };
    shop.converge(&schema, "");
    let steps = shop.converge(&schema.replace("\"user\" int", "\"user\" bigint"), "");
    assert_eq!(codes(&steps), ["widen-type"]);
}

#[test]
fn an_object_of_the_same_name_that_is_not_ours_is_left_alone_until_it_is_adopted() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.sql("CREATE SCHEMA analytics; CREATE TABLE analytics.orders (theirs text); INSERT INTO analytics.orders VALUES ('x')");
    let run = shop.migrate("--yes").exits(1).says("not-ours").says("--adopt");
    assert!(run.stdout.contains("analytics.orders"), "{}", run.stdout);
    shop.migrate("--yes --force").exits(1);
    assert_eq!(shop.sql("SELECT theirs FROM analytics.orders"), "x");
    assert_eq!(shop.sql("SELECT count(*) FROM pg_class WHERE relname = 'big'"), "0");
}

#[test]
fn who_holds_a_lock_is_named() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    shop.converge(ORDERS, "");
    shop.declare(&ORDERS.replace("note varchar(20)", "note varchar(20), extra int"));
    let (server, database) = (shop.server, shop.database.clone());
    let hold = "BEGIN; LOCK TABLE analytics.orders IN ACCESS SHARE MODE; SELECT pg_sleep(61)";
    let holder = std::thread::spawn(move || server.psql(&database, hold));
    let pid = || {
        shop.sql(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(61)%' AND datname = current_database() AND pid <> pg_backend_pid()",
        )
    };
    let begun = std::time::Instant::now();
    while pid().is_empty() {
        assert!(begun.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = pid();
    shop.migrate("--yes")
        .exits(5)
        .says(&format!("held by PID {pid} (user postgres with psql, active): "))
        .says("SELECT pg_sleep(61)");
    shop.sql(&format!("SELECT pg_terminate_backend({pid})"));
    holder.join().unwrap();
}

#[test]
fn another_migration_of_the_same_dataset_is_waited_for_and_named() {
    let Some(shop) = Shop::new(ORDERS) else { return };
    let (server, database) = (shop.server, shop.database.clone());
    let hold =
        "SELECT pg_advisory_lock(hashtext('promote'), hashtext('promote analytics')); SELECT pg_sleep(62)";
    let holder = std::thread::spawn(move || server.psql(&database, hold));
    let pid = || {
        shop.sql(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(62)%' AND datname = current_database() AND pid <> pg_backend_pid()",
        )
    };
    let begun = std::time::Instant::now();
    while pid().is_empty() {
        assert!(begun.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = pid();
    shop.migrate("--yes").exits(5).says(&format!("PID {pid}"));
    assert_eq!(shop.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'analytics'"), "0");
    shop.sql(&format!("SELECT pg_terminate_backend({pid})"));
    holder.join().unwrap();
    shop.migrate("--yes").exits(0);
}
