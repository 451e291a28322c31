//! The room as a whole: texts in, faults and environments out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{ConfigError, Inputs, Labels, Mask, Resolved, Written, changes, committed_digest, load, secrets};
use crate::model::environment::{Effective, Force, Migrate, Warehouse};
use crate::model::finding::{Finding, Level};
use crate::model::name::EnvironmentName;
use crate::model::origin::Layer;
use crate::model::snapshot::{Snapshot, SnapshotSource};

/// `meltano.yml` of Matatika's page on promoting changes, word for word.
const AUTH0: &str = include_str!("../../fixtures/auth0/meltano.yml");

const BASE: &str = "version: 1
warehouse: {kind: duckdb, path: \"data/{{ environment.name }}.duckdb\"}
dataset: analytics
vars: {lookback: 3, keep: x}
sources:
- name: raw
  dataset: raw
  tables:
  - {name: orders}
  - {name: clicks, files: \"c/*.parquet\"}
environments:
- name: dev
  workspace: {branch: dev}
- name: staging
  workspace: {repository: ../staging.git, branch: main}
  dataset: analytics_staging
  vars: {lookback: 7, keep: null}
  sources: [{name: raw, dataset: raw_staging, sample: {percent: 5}}, {name: other}]
- name: prod
  inherit_from: staging
  warehouse: {kind: postgres, url: $PROD_URL}
  sources: [{name: raw, sample: !unset }]
  migrate: ci
  force: forbidden
";

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = Snapshot::empty(SnapshotSource::Commit("c0ffee".to_owned()));
    snapshot.files.extend(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())));
    snapshot
}

fn written(files: &[(&str, &str)]) -> Written {
    load(&snapshot(files), files[0].0).unwrap_or_else(|error| panic!("{error:?}"))
}

fn faults(files: &[(&str, &str)]) -> Vec<Finding> {
    match load(&snapshot(files), files[0].0) {
        Err(ConfigError::Faults(findings)) => findings,
        other => panic!("{other:?}"),
    }
}

fn inputs(variables: &[(&str, &str)]) -> Inputs {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Inputs { variables, root: PathBuf::from("/srv/shop"), ..Inputs::default() }
}

fn resolve(written: &Written, name: &str, variables: &[(&str, &str)]) -> Resolved {
    written.environment(&EnvironmentName::new(name), &inputs(variables)).unwrap()
}

fn plugin(resolved: &Resolved, name: &str) -> Value {
    let settings = &resolved.effective.plugins[name];
    Value::Object(
        settings
            .settings
            .iter()
            .filter(|(_, value)| !value.is_built_in())
            .map(|(key, value)| (key.to_string(), value.value.clone()))
            .collect(),
    )
}

#[test]
fn gives_the_three_results_of_the_example() {
    let written = written(&[("meltano.yml", AUTH0)]);
    let base = "matatika-staging.eu.auth0.com";
    for (name, client_id, domain, place) in [
        ("dev", "39Pu9tTomnTv594VAFYnmRvkEpSlI7a6", base, "meltano.yml:31:15"),
        ("staging", "4Zd5QXqHKNoKq4ySx8CP1UBm5eIUgh7t", base, "meltano.yml:31:15"),
        ("prod", "u4kcVHKUD9lkbUbXA3eXCt88scStaqHM", "matatika.eu.auth0.com", "meltano.yml:26:19"),
    ] {
        let resolved = resolve(&written, name, &[]);
        let expected = json!({"client_id": client_id, "domain": domain});
        assert_eq!(plugin(&resolved, "extractors/tap-auth0"), expected, "{name}");
        let settings = &resolved.effective.plugins["extractors/tap-auth0"];
        assert_eq!(settings.settings["domain"].origin.to_string(), place);
        assert_eq!(settings.settings["client_id"].origin.layer, Layer::MeltanoEnvironment);
        assert_eq!(settings.settings["domain"].origin.commit.as_deref(), Some("c0ffee"));
    }
    assert_eq!(written.project().default_environment, Some(EnvironmentName::new("dev")));
    assert_eq!(
        written.findings().iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(),
        ["no-definition"]
    );
}

#[test]
fn merges_layers_in_order() {
    let written = written(&[("project.yml", BASE)]);
    let dev = resolve(&written, "dev", &[]);
    assert_eq!(dev.warehouse().unwrap(), &Warehouse::DuckDb { path: "/srv/shop/data/dev.duckdb".to_owned() });
    assert_eq!(dev.dataset().unwrap().to_string(), "analytics");
    let staging = resolve(&written, "staging", &[]);
    assert_eq!(staging.workspace().unwrap().repository.as_deref(), Some("/srv/staging.git"));
    assert_eq!(
        staging.environment.vars,
        BTreeMap::from([("keep".into(), json!("x")), ("lookback".into(), json!(7))])
    );
    let names: Vec<_> = staging.environment.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["raw", "other"]);
    assert_eq!(staging.environment.sources[0].tables.len(), 2);
    assert_eq!(staging.environment.sources[0].dataset.as_ref().unwrap().schema, "raw_staging");
    let origin = |key: &str| staging.effective.root[key].origin.clone();
    assert_eq!(
        (origin("vars.keep").layer, origin("vars.keep").to_string()),
        (Layer::Base, "project.yml:4:27".into())
    );
    assert_eq!(origin("vars.lookback").to_string(), "project.yml:17:20");
    assert_eq!(origin("migrate"), crate::model::origin::Origin::of(Layer::Default));
    assert_eq!(origin("sources.raw.sample.percent").layer, Layer::Environment);

    let prod = resolve(&written, "prod", &[("PROD_URL", "postgres://u:hunter22@h/db")]);
    let url = "postgres://u:hunter22@h/db".to_owned();
    assert_eq!(prod.warehouse().unwrap(), &Warehouse::Postgres { url });
    assert!(!prod.effective.root.contains_key("warehouse.path"));
    assert!(!prod.effective.root.contains_key("sources.raw.sample.percent"));
    assert_eq!(prod.effective.root["sources.raw.dataset"].origin.layer, Layer::Inherited);
    assert_eq!(prod.dataset().unwrap().to_string(), "analytics");
    assert!(matches!(prod.workspace(), Err(ConfigError::Missing { key: "workspace", .. })));
    assert_eq!((prod.environment.migrate, prod.environment.force), (Migrate::Ci, Force::Forbidden));
}

#[test]
fn an_unset_reference_matters_only_to_whom_needs_it() {
    let written = written(&[("project.yml", BASE)]);
    let prod = resolve(&written, "prod", &[]);
    let Err(ConfigError::Faults(faults)) = prod.warehouse() else { panic!("no fault") };
    assert_eq!(faults[0].message, "`warehouse.url` refers to `PROD_URL`, which is not set");
    assert_eq!(faults[0].place.as_ref().unwrap().to_string(), "project.yml:21:36");
    assert_eq!(prod.dataset().unwrap().to_string(), "analytics");
}

#[test]
fn variables_and_flags_set_values_and_no_policy() {
    let written = written(&[("project.yml", BASE)]);
    let variables = [
        ("PROMOTE_WAREHOUSE__PATH", "x/$HOME.duckdb"),
        ("PROMOTE_VARS__LOOKBACK", "0123"),
        ("PROMOTE_SOURCES__RAW__TABLES__ORDERS__IDENTIFIER", "o"),
        ("PROMOTE_ENVIRONMENT", "prod"),
        ("PROMOTE_CACHE_DIR", "x"),
        ("PROMOTE_DATASETT", "x"),
        ("PROMOTE_ELSE", "x"),
    ];
    let dev = resolve(&written, "dev", &variables);
    assert_eq!(dev.warehouse().unwrap(), &Warehouse::DuckDb { path: "/srv/shop/x/$HOME.duckdb".to_owned() });
    assert_eq!(dev.environment.vars["lookback"], json!("0123"));
    assert_eq!(dev.environment.sources[0].tables[0].identifier.as_deref(), Some("o"));
    let origin = &dev.effective.root["warehouse.path"].origin;
    assert_eq!(
        (origin.layer, origin.variable.as_deref()),
        (Layer::Variable, Some("PROMOTE_WAREHOUSE__PATH"))
    );
    assert_eq!(dev.findings.len(), 1);
    assert_eq!(dev.findings[0].hint.as_deref(), Some("did you mean `PROMOTE_DATASET`?"));

    let mut flagged = inputs(&[("PROMOTE_DATASET", "from_variable")]);
    flagged.flags.dataset = Some("other".to_owned());
    let dev = written.environment(&EnvironmentName::new("dev"), &flagged).unwrap();
    assert_eq!(dev.dataset().unwrap().to_string(), "other");
    assert_eq!(dev.effective.root["dataset"].origin.layer, Layer::Flag);

    for name in ["PROMOTE_FORCE", "PROMOTE_GATES__APPROVALS", "PROMOTE_MIGRATE", "PROMOTE_PROMOTION__PREFER"]
    {
        let result = written.environment(&EnvironmentName::new("dev"), &inputs(&[(name, "x")]));
        let Err(ConfigError::Faults(faults)) = result else { panic!("{name}") };
        assert!(faults[0].message.contains(name), "{faults:?}");
    }
    for name in ["PROMOTE_WAREHOUSE", "PROMOTE_SOURCES__RAW", "PROMOTE_DATASET__X", "PROMOTE_VARS__"] {
        assert!(
            written.environment(&EnvironmentName::new("dev"), &inputs(&[(name, "x")])).is_err(),
            "{name}"
        );
    }
    let bad = resolve(&written, "dev", &[("PROMOTE_DATASET", "a.b.c")]);
    assert!(
        bad.faults_of("dataset")[0].message.ends_with("(from variable `PROMOTE_DATASET`)"),
        "{:?}",
        bad.faults
    );
}

#[test]
fn the_example_file_has_no_fault() {
    let written = written(&[("project.yml", include_str!("../../project.example.yml"))]);
    assert_eq!(written.findings(), &[]);
    for name in ["dev", "staging", "prod"] {
        let resolved =
            resolve(&written, name, &[("SHOP_PROD_URL", "postgres://h/db"), ("AUTH0_SECRET", "s3cr3t!")]);
        assert_eq!(resolved.faults, [], "{name}");
        assert!(resolved.warehouse().is_ok() && resolved.workspace().is_ok() && resolved.dataset().is_ok());
        assert_eq!(resolved.environment.vars["currency"], json!("EUR"));
        assert!(resolved.effective.plugins["extractors/tap-auth0"].settings["client_secret"].sensitive);
    }
    let prod = resolve(&written, "prod", &[]);
    assert_eq!((prod.environment.gates.approvals, prod.environment.gates.checks.len()), (1, 1));
    assert_eq!(prod.environment.gates.freeze[0].days, ["sat", "sun"]);
    assert_eq!(prod.environment.gates.soak, Some(std::time::Duration::from_secs(86_400)));
}

#[test]
fn every_fault_is_told_at_once_with_its_place_and_a_hint() {
    let text = "version: 2
warehose: {}
default_environment: deev
dataset: a.b.c
vars: [1]
promotion: {prefer: sorce, order: [dev, nope]}
plugins:
  extractor: []
  loaders: [{config: {}}, {name: l}, {name: l}]
environments:
- name: dev
  inherit_from: staging
  workspace: {brunch: dev}
  dataset: 12
- name: staging
  inherit_from: dev
  gates: {approvals: -1, soak: soon, freeze: [{days: [sunday]}]}
- name: dev
- {inherit_from: gone}
";
    let found: Vec<String> = faults(&[("project.yml", text)])
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .map(|finding| {
            let mut line = format!("{} {}", finding.place.as_ref().unwrap(), finding.code);
            if let Some(hint) = &finding.hint {
                write!(line, " | {hint}").unwrap();
            }
            line
        })
        .collect();
    let expected = [
        "project.yml:1:10 bad-version | write `version: 1`",
        "project.yml:2:1 unknown-key | did you mean `warehouse`?",
        "project.yml:3:22 unknown-environment | did you mean `dev`?",
        "project.yml:4:10 bad-dataset",
        "project.yml:5:7 wrong-type",
        "project.yml:6:21 bad-value | did you mean `source`?",
        "project.yml:6:41 unknown-environment | the environments are dev, staging",
        "project.yml:8:3 unknown-plugin-type | did you mean `extractors`?",
        "project.yml:9:13 missing-name | give it a `name`: items are merged by it",
        "project.yml:9:38 duplicate-name | merge the two, or rename one",
        "project.yml:12:17 inherit-cycle | remove one `inherit_from` of these",
        "project.yml:13:15 unknown-key | did you mean `branch`?",
        "project.yml:14:12 wrong-type | put it into quotes: `dataset: \"12\"`",
        "project.yml:16:17 inherit-cycle | remove one `inherit_from` of these",
        "project.yml:17:22 wrong-type",
        "project.yml:17:32 bad-value | write it as `30m`, `24h` or `7d`",
        "project.yml:17:55 bad-value",
        "project.yml:18:3 duplicate-name | merge the two, or rename one",
        "project.yml:19:3 missing-name | give it a `name`: items are merged by it",
        "project.yml:19:18 unknown-environment | the environments are dev, staging",
    ];
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn refuses_what_cannot_be_one_project() {
    let env = "environments:\n- name: dev\n";
    for (files, code, place) in [
        (vec![("project.yml", "")], "wrong-type", "project.yml:1:1"),
        (vec![("project.yml", "- a\n")], "wrong-type", "project.yml:1:1"),
        (vec![("project.yml", "a:\n\tb: 1\n")], "bad-yaml", "project.yml:2:1"),
        (vec![("project.yml", "vars: {}\nvars: {}\n")], "bad-yaml", "project.yml:2:1"),
        (vec![("project.yml", env), ("meltano.yml", env)], "meltano-not-included", "project.yml"),
        (vec![("project.yml", "include_paths: [../x.yml]\n")], "bad-include", "project.yml:1:17"),
        (vec![("project.yml", "include_paths: [x]\n"), ("x/y.yml", "")], "bad-include", "project.yml:1:17"),
        (vec![("project.yml", "include_paths: ['*.yml']\n"), ("z.yml", "b: [")], "bad-yaml", "z.yml:1:5"),
        (
            vec![("meltano.yml", "environments:\n- name: dev\n  dataset: x\n")],
            "misplaced-key",
            "meltano.yml:3:3",
        ),
        (vec![("meltano.yml", "plugins: {extractors: null}\n")], "wrong-type", "meltano.yml:1:23"),
        (
            vec![(
                "project.yml",
                "warehouse: {kind: duckdb, path: x}\ndataset: a\nenvironments:\n- name: d\n- {name: e, dataset: a}\n",
            )],
            "same-target",
            "project.yml:5:22",
        ),
    ] {
        let found = faults(&files);
        assert_eq!(
            (found[0].code.as_str(), found[0].place.as_ref().unwrap().to_string().as_str()),
            (code, place),
            "{found:#?}"
        );
    }
    let mut latin = snapshot(&[]);
    latin.files.insert("project.yml".to_owned(), vec![b'a', b':', b' ', 0xe9]);
    assert!(matches!(load(&latin, "project.yml"), Err(ConfigError::Faults(_))));
    assert!(matches!(load(&latin, "other.yml"), Err(ConfigError::NoProject { .. })));
    let unknown = written(&[("project.yml", BASE)]).environment(&EnvironmentName::new("prd"), &inputs(&[]));
    assert!(
        matches!(unknown, Err(ConfigError::UnknownEnvironment { meant: Some(meant), .. }) if meant == "prod")
    );
}

#[test]
fn a_project_file_and_a_meltano_yml_are_one_project() {
    let ours =
        "include_paths: [meltano.yml, 'more/**/*.yml']\nenvironments:\n- name: prod\n  dataset: analytics\n";
    let written =
        written(&[("project.yml", ours), ("meltano.yml", AUTH0), ("more/a/x.yml", "vars: {a: 1}\n")]);
    let prod = resolve(&written, "prod", &[]);
    assert_eq!(prod.dataset().unwrap().to_string(), "analytics");
    assert_eq!(prod.environment.vars["a"], json!(1));
    assert_eq!(plugin(&prod, "extractors/tap-auth0")["domain"], json!("matatika.eu.auth0.com"));
    assert_eq!(written.files(), ["project.yml", "meltano.yml", "more/a/x.yml"]);
    let below = [("a[b/project.yml", "include_paths: [meltano.yml]\n"), ("a[b/meltano.yml", AUTH0)];
    let below = load(&snapshot(&below), "a[b/project.yml").unwrap();
    assert_eq!(below.files(), ["a[b/project.yml", "a[b/meltano.yml"]);
}

#[test]
fn our_keys_stand_under_annotations_in_a_meltano_yml() {
    let text = "anything: 1
annotations: {promote: {dataset: base, promotion: {order: [dev, prod]}}}
environments:
- name: dev
  annotations: {promote: {workspace: {branch: dev}}}
- name: prod
  annotations: {promote: {inherit_from: dev, dataset: live}}
- name: dev
";
    let written = written(&[("meltano.yml", text)]);
    assert_eq!(written.project().promotion.order.len(), 2);
    assert_eq!(resolve(&written, "dev", &[]).workspace().unwrap().branch, "dev");
    let prod = resolve(&written, "prod", &[]);
    assert_eq!(prod.effective.root["dataset"].origin.to_string(), "meltano.yml:7:55");
    assert_eq!(written.findings().len(), 1);
    assert_eq!(written.findings()[0].code, "duplicate-name");
    let wrong = faults(&[("meltano.yml", "annotations: {promote: {datset: x}}\n")]);
    assert_eq!(wrong[0].hint.as_deref(), Some("did you mean `dataset`?"));
}

#[test]
fn settings_of_plugins_follow_the_rules_of_meltano() {
    let text = "project_id: p1
env: {ROOT: r}
plugins:
  extractors:
  - name: tap-p
    namespace: tap_p
    settings: [{name: d, value: 1}, {name: pin, kind: password}]
    config: {a: {b: 1, c: 2}, list: [1, 2], n: x, pin: '12'}
    select: ['*.*']
    metadata: {t: {k: 1}}
  - name: tap-c
    inherit_from: tap-p
    config: {a: {c: 3}, who: $MELTANO_EXTRACTOR_NAME}
environments:
- name: dev
  env: {E: \"${ROOT}!\"}
  config:
    plugins:
      extractors:
      - name: tap-p
        config: {a.b: 9, list: [3], n: null, e: \"$E\", gone: \"${NOPE}\", keep: \"${X:-y}\", deep: [{x: $ROOT}]}
        metadata: {t.k: 2}
- name: sub
  inherit_from: dev
  config: {plugins: {extractors: [{name: tap-p, config: {a: {b: !unset }, n: z}}]}}
";
    let written = written(&[("project.yml", text)]);
    let dev = resolve(&written, "dev", &[]);
    assert_eq!(
        plugin(&dev, "extractors/tap-p"),
        json!({
            "a.b": 9, "a.c": 2, "list": [3], "n": "x", "d": 1, "pin": "12", "e": "r!", "gone": null,
            "keep": "${X:-y}", "deep": [{"x": "r"}], "_select": ["*.*"], "_metadata.t.k": 2, "_metadata": {"t": {"k": 2}}
        })
    );
    let child = plugin(&dev, "extractors/tap-c");
    assert_eq!((&child["a.b"], &child["a.c"], &child["who"]), (&json!(9), &json!(3), &json!("tap-c")));
    let settings = &dev.effective.plugins["extractors/tap-p"];
    assert!(settings.settings["pin"].sensitive && !settings.settings["n"].sensitive);
    let sub = resolve(&written, "sub", &[]);
    assert_eq!(plugin(&sub, "extractors/tap-p").get("a.b"), Some(&Value::Null));
    assert_eq!(
        sub.effective.plugins["extractors/tap-p"].settings["e"].origin.layer,
        Layer::MeltanoEnvironment
    );
}

#[test]
fn shows_changes_and_no_secret() {
    let text = |id: &str, password: &str| {
        format!(
            "plugins:\n  loaders:\n  - name: l\n    namespace: l\n    config: {{id: {id}, password: {password}, again: '{password}', url: 'pg://u:{password}@h/d', deep: [{{token: {password}}}]}}\nenvironments:\n- name: dev\n"
        )
    };
    let before = resolve(&written(&[("project.yml", &text("a", "hunter-one"))]), "dev", &[]).effective;
    let after = resolve(&written(&[("project.yml", &text("b", "hunter-two"))]), "dev", &[]).effective;
    let mut labels = Labels::new();
    let changed = changes(Some(&before), Some(&after), &mut labels);
    let shown: Vec<_> =
        changed.iter().map(|change| (change.key.as_str(), &change.before, &change.after)).collect();
    assert_eq!(shown[0], ("loaders/l.again", &Some(json!("•••• #1")), &Some(json!("•••• #2"))));
    assert_eq!(shown[1].1, &Some(json!([{"token": "•••• #1"}])));
    assert_eq!(shown[2], ("loaders/l.id", &Some(json!("a")), &Some(json!("b"))));
    assert_eq!(shown[3], ("loaders/l.password", &Some(json!("•••• #1")), &Some(json!("•••• #2"))));
    assert_eq!(shown[4].1, &Some(json!("pg://u:•••• #1@h/d")));
    assert_eq!(changed[2].origin_after.as_ref().unwrap().to_string(), "project.yml:5:18");
    assert_eq!(changes(Some(&before), Some(&before), &mut labels), []);
    assert_eq!(changes(None, Some(&Effective::default()), &mut labels), []);
    let set = before.values().filter(|(key, value)| !key.contains('/') && !value.is_built_in());
    let of_plugins = ["again", "deep", "id", "password", "url", "namespace"];
    assert_eq!(changes(None, Some(&before), &mut labels).len(), set.count() + of_plugins.len());
    let mask = Mask::new(secrets(&before).into_iter());
    assert_eq!(mask.text("x hunter-one y"), "x •••• y");
}

#[test]
fn the_digest_covers_what_is_written_and_nothing_else() {
    let digest = |text: &str| committed_digest(&written(&[("project.yml", text)]));
    let one = digest("vars: {a: $X, b: 1}\n");
    assert_eq!(one.len(), 64);
    assert_eq!(one, digest("# c\nvars:\n  b: 1\n  a: $X\n"));
    assert_ne!(one, digest("vars: {a: $Y, b: 1}\n"));
    assert_ne!(digest("vars: {a: !unset }\n"), digest("vars: {a: null}\n"));
}

#[test]
fn never_panics_on_pieces_of_a_file() {
    let text = include_str!("../../project.example.yml");
    let prod = EnvironmentName::new("prod");
    for (at, _) in text.char_indices().filter(|(at, _)| at % 7 == 0) {
        for piece in [&text[..at], &text[at..]] {
            for file in ["project.yml", "meltano.yml"] {
                if let Ok(written) = load(&snapshot(&[(file, piece)]), file) {
                    let _resolved = written.environment(&prod, &inputs(&[]));
                }
            }
        }
    }
    for (at, _) in text.match_indices([':', '[', '{', '-', '"']) {
        let mut broken = text.to_owned();
        broken.replace_range(at..=at, " ");
        if let Ok(written) = load(&snapshot(&[("project.yml", &broken)]), "project.yml") {
            let _resolved = written.environment(&prod, &inputs(&[]));
        }
    }
}
