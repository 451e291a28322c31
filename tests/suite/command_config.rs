//! `promote config show|explain|diff` and `promote check`, whole.

use serde_json::{Value, json};

use super::support::sandbox::Sandbox;

const MELTANO: &str = "\
version: 1
default_environment: dev
plugins:
  extractors:
  - name: tap-a
    namespace: tap_a
    pip_url: tap-a==1.0
    settings:
    - name: host
      value: localhost
    - name: port
      kind: integer
    - name: api_key
      sensitive: true
    - name: user
    settings_group_validation:
    - [host, api_key]
    config:
      host: base.example.com
      port: '5432'
  - name: tap-b
    inherit_from: tap-a
    config: {user: b}
environments:
- name: dev
  env: {REGION: eu}
  config:
    plugins:
      extractors:
      - name: tap-a
        config: {host: dev.example.com, user: $NOBODY}
- name: prod
  config:
    plugins:
      extractors:
      - name: tap-a
        config: {host: prod.example.com, api_key: $TAP_KEY, port: null}
";

fn project(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("p/meltano.yml", text);
    sandbox
}

fn result(sandbox: &Sandbox, words: &str) -> Value {
    sandbox.promote("p", &format!("{words} --format json")).exits(0).json()["result"].take()
}

#[test]
fn shows_every_field_of_every_plugin_of_one_environment_of_all_and_of_none() {
    let mut sandbox = project(MELTANO);
    sandbox.set("TAP_KEY", "k3y-canary").set("TAP_B_PORT", "7");
    let prod = result(&sandbox, "config show -e prod --reveal");
    let tap = &prod["plugins"]["extractors/tap-a"];
    assert_eq!(
        tap["config"],
        json!({"host": "prod.example.com", "port": 5432, "api_key": "k3y-canary", "user": null})
    );
    assert_eq!(
        tap["sources"],
        json!({"host": "meltano_environment", "port": "meltano_yml", "api_key": "meltano_environment", "user": "default"})
    );
    assert_eq!(
        tap["origins"]["port"],
        json!({"layer": "meltano_yml", "file": "meltano.yml", "line": 20, "column": 13})
    );
    assert_eq!(tap["processed"], json!({"host": "prod.example.com", "port": 5432, "api_key": "k3y-canary"}));
    assert_eq!(tap["extras"]["_select"], json!(["*.*"]));
    assert_eq!(tap["attributes"], json!({"namespace": "tap_a", "pip_url": "tap-a==1.0"}));
    let child = &prod["plugins"]["extractors/tap-b"];
    assert_eq!(
        child["config"],
        json!({"host": "prod.example.com", "port": 7, "api_key": "k3y-canary", "user": "b"})
    );
    assert_eq!(child["origins"]["port"], json!({"layer": "env", "variable": "TAP_B_PORT"}));
    assert_eq!(
        child["origins"]["host"],
        json!({"layer": "inherited", "file": "meltano.yml", "line": 37, "column": 24})
    );
    let all = result(&sandbox, "config show --all-environments --reveal");
    assert_eq!(all["environments"]["prod"]["plugins"], prod["plugins"]);
    assert_eq!(all["environments"]["dev"]["plugins"]["extractors/tap-a"]["env"], json!({"REGION": "eu"}));
    let none = result(&sandbox, "config show --no-environment");
    assert_eq!(none["environment"], Value::Null);
    assert_eq!(none["plugins"]["extractors/tap-a"]["config"]["host"], "base.example.com");
    let masked =
        sandbox.promote("p", "config show -e prod --format json").exits(0).keeps_quiet_about("k3y-canary");
    let masked = masked.json()["result"]["plugins"]["extractors/tap-a"].take();
    assert_eq!(
        (&masked["config"]["api_key"], &masked["processed"]["api_key"]),
        (&json!("•••• #1"), &json!("•••• #1"))
    );
    sandbox
        .promote("p", "config show --all-environments")
        .exits(0)
        .says("dev · extractors/tap-a")
        .says("prod · Project");
}

#[test]
fn a_plugin_that_cannot_be_resolved_says_why_and_the_rest_is_shown() {
    let sandbox = project(&MELTANO.replace("port: '5432'", "port: many"));
    let shown = result(&sandbox, "config show -e dev");
    let error = &shown["plugins"]["extractors/tap-a"]["error"];
    assert_eq!(error["message"], "`port` must be a whole number");
    assert_eq!(error["where"], json!({"file": "meltano.yml", "line": 20, "column": 13}));
    assert!(shown["plugins"]["extractors/tap-b"]["error"].is_object(), "it inherits the value");
    sandbox.promote("p", "config show -e dev").exits(0).says("`port` must be a whole number");
    sandbox.promote("p", "check").exits(3).says("meltano.yml:20:13");
}

#[test]
fn explains_every_layer_that_has_a_say() {
    let mut sandbox = project(MELTANO);
    sandbox.set("TAP_A_HOST", "h.example.com");
    sandbox.write("p/.env", "\nTAP_A_HOST=dotenv.example.com\n");
    let keys = result(&sandbox, "config explain tap-a.host -e dev")["keys"].take();
    let layers: Vec<(&str, &str, bool)> = keys[0]["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|say| {
            let text = |value: &Value| value.as_str().unwrap().to_owned().leak() as &str;
            (text(&say["origin"]["layer"]), text(&say["value"]), say["wins"] == true)
        })
        .collect();
    assert_eq!(
        layers,
        [
            ("env", "h.example.com", true),
            ("dotenv", "dotenv.example.com", false),
            ("meltano_environment", "dev.example.com", false),
            ("meltano_yml", "base.example.com", false),
            ("default", "localhost", false),
        ]
    );
    assert_eq!(keys[0]["because"], "`env` is above `dotenv`");
    assert_eq!(keys[0]["layers"][1]["origin"]["line"], 2);
    let run = sandbox.promote("p", "config explain extractors/tap-a.port -e prod").exits(0);
    run.says("`meltano_yml` is the only layer that sets it").says("meltano.yml:20:13");
    let run = sandbox.promote("p", "config explain tap-a.user -e dev").exits(0);
    run.says("what it refers to has no value, and that hides the layers below").says("written  $NOBODY");
    // The name of the variable that holds a secret is none.
    sandbox.set("TAP_KEY", "k3y-canary");
    let run = sandbox.promote("p", "config explain tap-a.api_key -e prod").exits(0);
    run.says("written  $TAP_KEY").says("•••• #1").keeps_quiet_about("k3y-canary");
    sandbox.promote("p", "config explain default_environment").exits(0).says("meltano.yml:2:22");
    sandbox.promote("p", "config explain tap-a.hots").exits(2).says("did you mean `tap-a.host`?");
    sandbox.promote("p", "config explain tap-a.metadata").exits(0).says("_metadata");
}

#[test]
fn compares_environments_and_revisions_and_says_which_layer_makes_the_difference() {
    let sandbox = project(MELTANO);
    let diff = result(&sandbox, "config diff dev prod");
    let keys: Vec<&str> =
        diff["changes"].as_array().unwrap().iter().map(|change| change["key"].as_str().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "env.REGION",
            "extractors/tap-a.api_key",
            "extractors/tap-a.host",
            "extractors/tap-a.user",
            "extractors/tap-b.api_key",
            "extractors/tap-b.host"
        ]
    );
    assert_eq!(diff["changes"][2]["layer"], "meltano_environment");
    sandbox.promote("p", "config diff dev prod --exit-code").exits(10);
    sandbox.promote("p", "config diff dev dev --exit-code").exits(0).says("Nothing differs.");
    let nowhere = sandbox.promote("p", "config diff -e prod --from HEAD~1").exits(2);
    nowhere
        .says("is in no Git repository, so there is no revision `HEAD~1`")
        .says("hint: compare environments");
    sandbox.git("p", &["init", "-q"]);
    let first = sandbox.commit("p", "Ada", "first");
    sandbox.write(
        "p/meltano.yml",
        MELTANO.replace("base.example.com", "other.example.com").replace("1.0", "1.1"),
    );
    sandbox.commit("p", "Ada", "second");
    let diff = result(&sandbox, &format!("config diff --no-environment --from {first} --to HEAD"));
    let change = &diff["changes"][0];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!("base.example.com"), &json!("other.example.com"))
    );
    assert_eq!(change["layer"], "meltano_yml");
    assert_eq!(change["origin_before"]["commit"], first.as_str());
    // The environment's own host hides the base's; what runs is another version all the same.
    let diff = result(&sandbox, &format!("config diff -e prod --from {first}"));
    assert_eq!(diff["changes"][0]["key"], "extractors/tap-a:pip_url");
    assert_eq!(diff["changes"].as_array().unwrap().len(), 1);
    // An environment that is only in the working tree is not in its own branch yet.
    let more = MELTANO.to_owned() + "- name: qa\n  annotations: {promote: {workspace: {branch: qa}}}\n";
    sandbox.git("p", &["branch", "qa"]);
    sandbox.write("p/meltano.yml", more);
    sandbox.promote("p", "config diff dev qa").exits(3).says("not in branch qa at").says("--worktree");
    sandbox.promote("p", "config diff dev qa --worktree").exits(0);
    sandbox.promote("p", "config diff -e prod --from nowhere").exits(4);
    sandbox.promote("p", "config diff dev").exits(2);
    sandbox.promote("p", "config diff").exits(2);
}

#[test]
fn our_additions_stand_where_meltano_ignores_them() {
    let text = MELTANO.replace(
        "- name: prod\n",
        "- name: prod\n  annotations:\n    promote:\n      inherit_from: dev\n      database_uri: postgres://h/d\n      jobs: [{name: el, tasks: [tap-a]}]\n      plugins: {extractors: [{name: tap-a, pip_url: tap-a==2.0}]}\n",
    ) + "annotations:\n  promote:\n    dotenv: per_environment\n    environments:\n    - name: prod\n      config: {plugins: {extractors: [{name: tap-b, config: {user: !unset }}]}}\n";
    let sandbox = project(&text);
    sandbox.write("p/.env", "TAP_B_HOST=all\n").write("p/.env.prod", "TAP_B_HOST=only-prod\n");
    let prod = result(&sandbox, "config show -e prod");
    let plugins = &prod["plugins"];
    assert_eq!(plugins["extractors/tap-a"]["attributes"]["pip_url"], "tap-a==2.0");
    assert_eq!(plugins["extractors/tap-b"]["config"]["user"], Value::Null);
    assert_eq!(plugins["extractors/tap-b"]["sources"]["user"], "meltano_environment");
    assert_eq!(plugins["extractors/tap-b"]["config"]["host"], "only-prod");
    assert_eq!(plugins["extractors/tap-b"]["origins"]["host"]["file"], ".env.prod");
    assert_eq!(prod["project"]["database_uri"], "postgres://h/d");
    assert_eq!(prod["project"]["jobs"]["el"]["tasks"], json!(["tap-a"]));
    let dev = result(&sandbox, "config show -e dev");
    assert_eq!(dev["plugins"]["extractors/tap-b"]["config"]["host"], "all");
    assert_eq!(dev["plugins"]["extractors/tap-a"]["attributes"]["pip_url"], "tap-a==1.0");
    assert!(dev["project"].get("database_uri").is_none());
    // Without the key, a meltano.yml means what it means to Meltano.
    sandbox.write("p/meltano.yml", MELTANO);
    let prod = result(&sandbox, "config show -e prod");
    assert_eq!(prod["plugins"]["extractors/tap-b"]["config"]["host"], "all");
}

#[test]
fn check_finds_every_kind_of_mistake_with_its_place_and_a_suggestion() {
    let text = MELTANO
        .replace("    config: {user: b}\n", "    config: {user: b, hots: x, password: in-clear-1}\n    selct: ['*']\n")
        .replace("- name: dev\n", "- name: plan\n- name: dev\n")
        .replace(
            "        config: {host: dev.example.com, user: $NOBODY}\n",
            "        pip_url: tap-a==2\n        config: {host: base.example.com, user: $NOBODY, a.b: 1, a: {b: 2}}\n      - name: tap-c\n      loaders:\n      - name: tap-a\n",
        );
    let sandbox = project(&(text + "shedules: []\nx-anchors: {}\ncolour: red\n"));
    let run = sandbox.promote("p", "check --format json").exits(0);
    let findings = run.json()["findings"].take();
    let found: Vec<String> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let place = &finding["where"];
            format!(
                "{}:{} {} {}",
                place["line"],
                place["column"],
                finding["code"].as_str().unwrap(),
                finding["hint"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        "5:5 missing-setting set them in the plugin's `config`, or by variables",
        "21:5 missing-setting set them in the plugin's `config`, or by variables",
        "23:23 undeclared-setting did you mean `host`?",
        "23:32 undeclared-setting correct the name, or add the setting to the plugin's `settings`",
        "23:42 secret-in-clear write `$PASSWORD` and set the variable, for example in `.env`; then change the secret",
        "24:5 misspelt-key did you mean `select`?",
        "26:3 hidden-environment promote with the long form: `promote apply plan TO`",
        "33:9 dead-key an environment changes what runs under `plugins.extractors` of its own entry",
        "34:24 same-as-base remove it, unless the base may change and this must not",
        "34:48 unset-reference set the variable `NOBODY`, for example in `.env`",
        "34:57 undeclared-setting correct the name, or add the setting to the plugin's `settings`",
        "34:69 duplicate-setting remove one of the two: the later one counts",
        "34:69 undeclared-setting correct the name, or add the setting to the plugin's `settings`",
        "35:9 orphan-overlay did you mean `tap-a`?",
        "37:9 orphan-overlay it is one of the extractors: move the entry there",
        "44:1 misspelt-key did you mean `schedules`?",
    ];
    assert_eq!(found, expected, "{}", run.stdout);
    let sarif = sandbox.promote("p", "check --format sarif").exits(0).json();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), expected.len());
    sandbox.promote("p", "config show --format sarif").exits(2).says("SARIF");
    // Another environment has other references.
    sandbox.promote("p", "check -e prod").exits(0).keeps_quiet_about("NOBODY").says("TAP_KEY");
    sandbox.promote("p", "check").exits(0).keeps_quiet_about("in-clear-1");
}

#[test]
fn check_says_once_what_has_no_value_and_keeps_quiet_about_what_a_run_sets() {
    let needs = MELTANO
        .replace("prod.example.com", "'${MELTANO_EXTRACT__LOAD_SCHEMA}'")
        .replace("config: {user: b}", "config: {user: $MELTANO_LOADER_NAMESPACE}");
    let run = project(&needs).promote("p", "check -e prod").exits(0);
    run.says("`extractors/tap-a.api_key` refers to `TAP_KEY`")
        .keeps_quiet_about("MELTANO_")
        .keeps_quiet_about("missing-setting");
}

#[test]
fn check_lists_warnings_beside_errors() {
    let faulty = MELTANO
        .replace("    config: {user: b}\n", "    config: {user: b, hots: x}\n    selct: ['*']\n")
        .replace("- name: prod\n", "- name: prod\n  vrs: {}\n")
        + "shedules: []\n";
    let mut run = project(&faulty).promote("p", "check").exits(3);
    for said in [
        "environments.prod.vrs",
        "did you mean `host`?",
        "did you mean `select`?",
        "did you mean `schedules`?",
    ] {
        run = run.says(said);
    }
    // What stops every other command is said there alone.
    project(&faulty).promote("p", "config show").exits(3).says("vrs").keeps_quiet_about("hots");
}

/// Files that nobody should be made to wait for.
#[test]
fn hostile_files_are_told_and_end_nothing() {
    let bomb = (1..12).fold("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned(), |text, number| {
        let aliases = vec![format!("*a{}", number - 1); 10].join(",");
        format!("{text}a{number}: &a{number} [{aliases}]\n")
    });
    let deep = "- ".repeat(10_000);
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("meltano.yml", "a: 1\n".repeat(10_000_000).into_bytes(), "at most 32"),
        ("meltano.yml", deep.into_bytes(), "levels deep"),
        ("meltano.yml", "[".repeat(10_000).into_bytes(), "levels deep"),
        ("meltano.yml", bomb.into_bytes(), "aliases add more than"),
        ("meltano.yml", b"a: \xff\n".to_vec(), "not UTF-8"),
        ("meltano.yml", b"include_paths: [inside]\n".to_vec(), "is a folder"),
        ("meltano.yml", b"include_paths: [../x.yml]\n".to_vec(), "leads out of the project"),
        ("meltano.yml", b"".to_vec(), "must be a mapping"),
    ];
    for (file, bytes, says) in cases {
        let sandbox = Sandbox::new();
        sandbox.write(&format!("p/{file}"), bytes).write("p/inside/a.yml", "a: 1\n");
        let binary = env!("CARGO_BIN_EXE_promote");
        let script = format!("ulimit -v 2000000; exec timeout 20 '{binary}' config show --no-environment");
        let output = sandbox.command("bash", "p").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{says}: {text}");
        assert!(text.contains(says) && text.contains("meltano.yml"), "{says}: {text}");
    }
}

#[test]
fn what_is_included_may_be_itself_a_link_a_pipe_or_named_twice() {
    let sandbox = project("include_paths: [a.yml, '*.yml']\n");
    sandbox.write(
        "p/a.yml",
        "include_paths: [meltano.yml, a.yml]\nplugins: {loaders: [{name: l, namespace: l}]}\n",
    );
    sandbox.promote("p", "config show").exits(0).says("loaders/l");
    sandbox.write("p/b.yml", "plugins: {loaders: [{name: l, namespace: l}]}\n");
    sandbox.promote("p", "config show").exits(3).says("b.yml:1:21").says("first at a.yml:2:21");
    std::fs::remove_file(sandbox.path("p/b.yml")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", sandbox.path("p/b.yml")).unwrap();
    sandbox.promote("p", "config show").exits(3).says("leads out of the project");
    std::fs::remove_file(sandbox.path("p/b.yml")).unwrap();
    assert!(sandbox.command("mkfifo", "p").arg("b.yml").status().unwrap().success());
    sandbox.promote("p", "config show").exits(3).says("b.yml").says("neither a file nor a folder");
}

/// Commands that show configuration, or fail over it.
const SHOWING: [&str; 15] = [
    "config show -e dev",
    "config show -e prod",
    "config show --no-environment",
    "config show --all-environments",
    "config explain tap-s -e dev",
    "config explain tap-child -e prod",
    "config explain warehouse -e dev",
    "config explain vars -e dev",
    "config explain tap-s.nothing -e dev",
    "config diff dev prod",
    "check",
    "check -e prod",
    "plan dev prod",
    "migrate -e dev --plan",
    "run -e dev --plan",
];

/// A project with a secret in every place where one may be.
fn canaries(canary: impl Fn(usize) -> String) -> String {
    format!(
        "\
plugins:
  extractors:
  - name: tap-s
    namespace: tap_s
    settings:
    - {{name: pin, sensitive: true, value: {c0}, aliases: [code]}}
    - {{name: oauth, kind: oauth}}
    - {{name: opts, kind: object}}
    - {{name: list, kind: array}}
    config:
      password: {c1}
      oauth: {c2}
      url: https://bot:{c3}@example.com/x
      opts: {{api_key: {c4}, plain: 'holds {c1} inside'}}
      list: [{{token: {c5}}}]
      header: 'Bearer $SESSION_TOKEN'
      echo: 'x-$TAP_S_PASSWORD-$PLAIN_NAME'
    env: {{API_SECRET: {c6}, INNER: 'a-$SESSION_TOKEN'}}
    select: ['$TAP_S_PIN.*']
  - {{name: tap-child, inherit_from: tap-s}}
environments:
- name: dev
  env: {{DB_PASSWORD: {c7}}}
  config: {{plugins: {{extractors: [{{name: tap-s, config: {{code: {c8}, url: 'pg://u:$DB_PASSWORD@h/d'}}}}]}}}}
- {{name: prod, annotations: {{promote: {{dataset: e}}}}}}
annotations:
  promote:
    warehouse: {{kind: postgres, url: 'postgres://u:{c9}@h/d'}}
    dataset: d
    vars: {{access_token: {c10}}}
",
        c0 = canary(0), c1 = canary(1), c2 = canary(2), c3 = canary(3), c4 = canary(4), c5 = canary(5),
        c6 = canary(6), c7 = canary(7), c8 = canary(8), c9 = canary(9), c10 = canary(10),
    )
}

/// Every way in which a secret gets into a configuration, and every way in which it could come out.
#[test]
fn no_canary_comes_out_of_any_command_format_or_failure_and_none_is_written() {
    let canary = |number: usize| format!("c4nary-{number}-secret");
    let text = canaries(canary);
    let mut sandbox = project(&text);
    for (number, name) in ["GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN"].into_iter().enumerate()
    {
        sandbox.set(name, &canary(20 + number));
    }
    sandbox.set("BITBUCKET_TOKEN", &format!("ada:{}", canary(24)));
    sandbox.set("SESSION_TOKEN", &canary(11)).set("TAP_S_OAUTH", &canary(12)).set("PLAIN_NAME", "fine");
    sandbox.write("p/.env", format!("TAP_CHILD_PASSWORD={}\n", canary(13)));
    sandbox.git("p", &["init", "-q"]);
    sandbox.write("p/.gitignore", ".env\n");
    let first = sandbox.commit("p", "Ada", "first");
    let broken = text.replace("name: list, kind: array", "name: password, kind: integer");
    let mut seen = 0;
    for project in [&text, &broken] {
        sandbox.write("p/meltano.yml", project);
        let diff = format!("config diff -e dev --from {first}");
        for words in SHOWING.iter().copied().chain([diff.as_str()]) {
            for format in ["terminal", "json", "markdown", "html", "sarif"] {
                let run = sandbox.promote("p", &format!("{words} --format {format} -v"));
                assert!(run.status != 70 && run.status != -1, "{words} {format}: {run:?}");
                assert!(!run.everything().contains("c4nary-"), "{words} {format}\n{}", run.everything());
                seen += run.everything().matches("••••").count();
            }
        }
    }
    assert!(seen > 100, "only {seen} values were masked: the test does not see what it should");
    let written = sandbox.command("grep", ".").args(["-rl", "c4nary-", "cache", "home"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&written.stdout), "", "written somewhere");
    sandbox.write("p/meltano.yml", &text);
    let revealed = sandbox.promote("p", "config show -e dev --reveal").exits(0);
    for number in [1, 3, 4, 5, 6, 7, 8, 11, 12] {
        assert!(revealed.stdout.contains(&canary(number)) || number == 3, "{number}\n{}", revealed.stdout);
    }
}

#[test]
fn a_credential_is_hidden_and_told_whatever_its_key_is_called() {
    let sandbox = Sandbox::new();
    // Put together here, so that nobody takes this file for a leak.
    let token = format!("ghp_{}", "a1B2c3D4e5F6a7B8c9D0a1B2c3D4e5F6a7B8");
    let project = format!(
        "version: 1\ndefault_environment: dev\nenvironments: [{{name: dev}}]\nplugins:\n  extractors:\n  - name: tap-x\n    \
         namespace: tap_x\n    settings: [{{name: auth_tokn}}]\n    config: {{auth_tokn: {token}}}\n"
    );
    sandbox.write("app/meltano.yml", project);
    for words in ["config show", "config show --format json", "config explain tap-x.auth_tokn", "check"] {
        sandbox.promote("app", words).exits(0).keeps_quiet_about(&token);
    }
    sandbox.promote("app", "check").exits(0).says("secret-in-clear").says("9:25");
    sandbox.promote("app", "config show --reveal").exits(0).says(&token);
}
