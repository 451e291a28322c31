//! Rules that Meltano 4.4.1 was seen to follow and that no case of the corpus shows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{Inputs, load};
use crate::model::environment::EffectivePlugin;
use crate::model::name::EnvironmentName;
use crate::model::snapshot::{Snapshot, SnapshotSource};

fn resolve(text: &str, variables: &[(&str, &str)]) -> BTreeMap<String, EffectivePlugin> {
    let mut snapshot = Snapshot::empty(SnapshotSource::WorkTree);
    snapshot.files.insert("meltano.yml".to_owned(), text.as_bytes().to_vec());
    let written = load(&snapshot, "meltano.yml").unwrap();
    let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let inputs = Inputs { variables, root: PathBuf::from("/srv/p"), ..Inputs::default() };
    written.effective(None, &inputs).unwrap().0.plugins
}

/// Gives a setting's value, or why the plugin cannot be resolved.
fn value(plugins: &BTreeMap<String, EffectivePlugin>, plugin: &str, setting: &str) -> Value {
    let plugin = &plugins[plugin];
    match &plugin.error {
        Some(error) => json!({"error": error.message}),
        None => plugin.settings[setting].value.clone(),
    }
}

#[test]
fn nothing_becomes_an_empty_mapping_where_an_object_is_nested() {
    let text = "plugins: {loaders: [{name: l, namespace: l, settings: [{name: o, kind: object, value_processor: nest_object}], config: {o: {a: null, b.c: 1}}}]}\n";
    assert_eq!(value(&resolve(text, &[]), "loaders/l", "o"), json!({"a": {}, "b": {"c": 1}}));
}

#[test]
fn a_key_below_a_value_that_is_no_mapping_ends_the_plugin() {
    for (config, wanted) in [
        (
            "{a: x, a.b: 1}",
            json!({"error": "`a.b` cannot be handed over: `a` has a value that is no mapping"}),
        ),
        ("{a.b: 1, a: x}", json!("x")),
        ("{a: null, a.b: 1}", Value::Null),
        ("{'a\\.b': 1, a: x}", json!("x")),
    ] {
        let text = format!("plugins: {{loaders: [{{name: l, namespace: l, config: {config}}}]}}\n");
        assert_eq!(value(&resolve(&text, &[]), "loaders/l", "a"), wanted, "{config}");
        // Types that get their configuration flat can have both.
        let text = text.replace("loaders", "utilities");
        assert!(resolve(&text, &[])["utilities/l"].error.is_none(), "{config}");
    }
}

#[test]
fn who_inherits_from_a_broken_plugin_is_broken_and_so_is_a_circle() {
    let text = "plugins:\n  loaders:\n  - {name: child, inherit_from: l, config: {port: '1'}}\n  - {name: l, namespace: l, settings: [{name: port, kind: integer}], config: {port: x}}\n  - {name: a, inherit_from: b}\n  - {name: b, inherit_from: a}\n  - {name: c, inherit_from: b}\n";
    let plugins = resolve(text, &[]);
    for (plugin, wanted) in [
        ("loaders/l", "must be a whole number"),
        ("loaders/child", "must be a whole number"),
        ("loaders/a", "goes round in a circle"),
        ("loaders/b", "goes round in a circle"),
        ("loaders/c", "goes round in a circle"),
    ] {
        let error = plugins[plugin].error.as_ref().map(|error| error.message.as_str()).unwrap_or_default();
        assert!(error.contains(wanted), "{plugin}: {error}");
    }
}

#[test]
fn variables_set_settings_by_every_name_and_two_are_a_conflict() {
    let text = "plugins: {loaders: [{name: target-l, namespace: ns, settings: [{name: a.b, aliases: [c], env_aliases: ['!OFF', EXTRA]}]}, {name: child, inherit_from: target-l}]}\n";
    for (variables, wanted) in [
        (&[("TARGET_L_A_B", "1")][..], json!("1")),
        (&[("NS_A_B", "2")], json!("2")),
        (&[("TARGET_L_C", "3")], json!("3")),
        (&[("OFF", "yes")], json!("False")),
        (&[("EXTRA", "")], json!("")),
        (
            &[("NS_A_B", "1"), ("EXTRA", "1")],
            json!({"error": "`a.b` is set by several variables: `EXTRA`, `NS_A_B`"}),
        ),
        (&[("MELTANO_LOAD_A_B", "1")], Value::Null),
    ] {
        assert_eq!(value(&resolve(text, variables), "loaders/target-l", "a.b"), wanted, "{variables:?}");
    }
    // Custom variables are not for those who inherit; what they set in the parent is inherited.
    assert_eq!(value(&resolve(text, &[("EXTRA", "x")]), "loaders/child", "a.b"), json!("x"));
    assert_eq!(value(&resolve(text, &[("CHILD_C", "x")]), "loaders/child", "a.b"), json!("x"));
}

#[test]
fn what_one_environment_says_stays_in_it_and_the_rest_is_shared() {
    let text = "plugins: {loaders: [{name: l, namespace: l, settings: [{name: o, kind: object, value: {}}, {name: a}, {name: b, value: '$V'}, {name: c, value: 1}], config: {a: base}}]}\n\
        environments:\n\
        - {name: one, env: {V: first}, config: {plugins: {loaders: [{name: l, config: {a: own, o.x: 1, more: 2}}]}}}\n\
        - {name: two, env: {V: second}}\n\
        - {name: three, config: {plugins: {loaders: [{name: l, config: {a: !unset , c: null}}]}}}\n";
    let mut snapshot = Snapshot::empty(SnapshotSource::WorkTree);
    snapshot.files.insert("meltano.yml".to_owned(), text.as_bytes().to_vec());
    let written = load(&snapshot, "meltano.yml").unwrap();
    let inputs = Inputs { root: PathBuf::from("/srv/p"), ..Inputs::default() };
    let resolve =
        |name: &str| written.effective(Some(&EnvironmentName::new(name)), &inputs).unwrap().0.plugins;
    // Each environment gives the same whichever was resolved before it.
    for names in [["one", "two", "three"], ["three", "one", "two"], ["two", "three", "one"]] {
        for name in names {
            let plugins = resolve(name);
            let (o, a, b) = match name {
                "one" => (json!({"x": 1}), json!("own"), json!("first")),
                "two" => (json!({}), json!("base"), json!("second")),
                _ => (json!({}), Value::Null, Value::Null),
            };
            for (setting, wanted) in [("o", o), ("a", a), ("b", b), ("c", json!(1))] {
                assert_eq!(value(&plugins, "loaders/l", setting), wanted, "{name} {setting}");
            }
            assert_eq!(plugins["loaders/l"].settings.contains_key("more"), name == "one", "{name}");
        }
    }
    let (one, two) = (resolve("one"), resolve("two"));
    let shared = |setting: &str| {
        let [one, two] = [&one, &two].map(|plugins| &plugins["loaders/l"].settings[setting]);
        Arc::ptr_eq(one, two)
    };
    assert_eq!(["o", "a", "b", "c"].map(shared), [false, false, false, true]);
}

#[test]
fn one_definition_has_an_extra_of_its_own() {
    let text =
        "plugins: {utilities: [{name: superset, namespace: superset}, {name: other, namespace: other}]}\n";
    let plugins = resolve(text, &[]);
    assert!(plugins["utilities/superset"].settings.contains_key("_config_path"));
    assert!(plugins["utilities/other"].settings.is_empty());
}
