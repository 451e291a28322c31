//! Columns that count on PostgreSQL: numbers go on whatever becomes of their table, their column, or what counts.

use super::support::database::{Shop, codes};

#[test]
fn a_sequence_goes_along_with_its_table_and_its_column() {
    let Some(shop) = Shop::new("CREATE TABLE p (a serial PRIMARY KEY, b int);\n") else { return };
    shop.converge("CREATE TABLE p (a serial PRIMARY KEY, b int);\n", "");
    shop.sql("INSERT INTO analytics.p (b) VALUES (1), (2)");
    shop.sandbox.write("p/schema/all.yml", "tables:\n- {name: q, renamed_from: p}\n");
    let steps = shop.converge("CREATE TABLE q (a serial PRIMARY KEY, b int);\n", "--force");
    assert_eq!(codes(&steps), ["rename-table", "rename-sequence"]);
    assert_eq!(shop.sql("INSERT INTO analytics.q (b) VALUES (3) RETURNING a"), "3");
    let columns = "tables:\n- name: q\n  renamed_from: p\n  columns:\n  - {name: c, renamed_from: a}\n";
    shop.sandbox.write("p/schema/all.yml", columns);
    let steps = shop.converge("CREATE TABLE q (c bigserial PRIMARY KEY, b int);\n", "--force");
    let mut found = codes(&steps);
    found.sort_unstable();
    assert_eq!(found, ["change-sequence", "rename-column", "rename-sequence", "widen-type"]);
    assert_eq!(shop.sql("INSERT INTO analytics.q (b) VALUES (3) RETURNING c"), "4");
    let sequences = "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind = 'S' AND relnamespace = 'analytics'::regnamespace";
    assert_eq!(shop.sql(sequences), "q_c_seq");
    // Somebody else's table under the old name begins anew.
    shop.sandbox.write("p/schema/all.yml", "tables:\n- {name: r, renamed_from: q}\n");
    shop.converge("CREATE TABLE r (c bigserial PRIMARY KEY, b int);\nCREATE TABLE q (c bigserial PRIMARY KEY);\n", "--force");
    assert_eq!(shop.sql("INSERT INTO analytics.r (b) VALUES (3) RETURNING c"), "5");
    assert_eq!(shop.sql("INSERT INTO analytics.q VALUES (DEFAULT) RETURNING c"), "1");
}

#[test]
fn a_view_that_stands_in_for_the_old_name_lets_the_numbers_go_on() {
    let Some(shop) = Shop::new("CREATE TABLE p (a serial, b int);\n") else { return };
    shop.converge("CREATE TABLE p (a serial, b int);\n", "");
    shop.sql("INSERT INTO analytics.p (b) VALUES (1), (2)");
    shop.sandbox.write("p/schema/all.yml", "tables:\n- {name: q, renamed_from: p}\n");
    shop.converge("CREATE TABLE q (a serial, b int);\nCREATE VIEW p AS SELECT * FROM q;\n", "");
    assert_eq!(shop.sql("INSERT INTO analytics.q (b) VALUES (3) RETURNING a"), "3");
}
