//! Encrypted connections: a real handshake with a server whose certificate is for `localhost`.

use super::support::sandbox::Sandbox;
use super::support::server::encrypted;

#[test]
fn the_modes_of_encryption_mean_what_they_mean_to_libpq() {
    let Some(server) = encrypted() else { return };
    let (sandbox, database) = (Sandbox::new(), server.database());
    sandbox.write("p/schema/all.sql", "CREATE TABLE orders (id int);\n");
    let (right, wrong) = (server.file("ca.pem"), server.file("other.pem"));
    let encrypted = "is the connection encrypted";
    for (host, parameters, says) in [
        ("localhost", "sslmode=disable".to_owned(), "no encryption"),
        ("localhost", "sslmode=require".to_owned(), encrypted),
        ("127.0.0.1", "sslmode=require".to_owned(), encrypted),
        ("localhost", "sslmode=prefer".to_owned(), encrypted),
        ("localhost", format!("sslmode=verify-full&sslrootcert={right}"), encrypted),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={right}"), encrypted),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={right}"), "not valid for"),
        ("localhost", format!("sslmode=verify-full&sslrootcert={wrong}"), "invalid peer certificate"),
        ("localhost", format!("sslmode=require&sslrootcert={wrong}"), "invalid peer certificate"),
        ("localhost", "sslmode=verify-full".to_owned(), "invalid peer certificate"),
        ("localhost", "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(), "/nowhere.pem"),
    ] {
        let url = format!("{}?{parameters}", server.network_url(host, &database));
        sandbox.write(
            "p/project.yml",
            format!(
                "version: 1\nproject_id: shop\ndefault_environment: prod\nwarehouse: {{kind: postgres, url: \"{url}\"}}\n\
                 dataset: analytics\nenvironments:\n- name: prod\n"
            ),
        );
        let run = sandbox.promote("p", "migrate --plan");
        if says == encrypted {
            run.exits(0).says("create-table");
        } else {
            let run = run.exits(5);
            assert!(run.everything().contains(says), "{host} {parameters}: {}", run.everything());
        }
    }
    sandbox.write(
        "p/project.yml",
        format!(
            "version: 1\nproject_id: shop\ndefault_environment: prod\nwarehouse: {{kind: postgres, url: \"{}?sslmode=verify-full&sslrootcert={right}\"}}\n\
             dataset: analytics\nenvironments:\n- name: prod\n",
            server.network_url("localhost", &database)
        ),
    );
    sandbox.promote("p", "migrate --yes").exits(0);
    assert_eq!(server.sql(&database, "SELECT count(*) FROM analytics.orders"), "0");
}
